#include "chain_fixture.hpp"

namespace draco::application::testing {
namespace {

TEST(Transactions, ATransferMovesMoneyAndBurnsItsFee) {
    // Exact balances of both tokens on both sides; the fee leaves the supply; the receipt is there.
    Chain chain;
    const Bytes in_flk = chain.by_person(0, TransferFlk{chain.people[1].address, flk(300)});
    const Bytes in_usd = chain.by_person(0, 2, TransferUsd{chain.people[1].address, usd(70)});
    const Supply before = chain.view()->supply();
    const auto executed = chain.run({in_flk, in_usd});
    ASSERT_EQ(executed.transactions.size(), 2U);
    const FlkAmount fees = chain.fee(in_flk).plus(chain.fee(in_usd)).value();
    EXPECT_EQ(chain.account(0).flk, flk(Chain::kFunds - 300).minus(fees));
    EXPECT_EQ(chain.account(0).usd, usd(Chain::kFunds - 70));
    EXPECT_EQ(chain.account(0).nonce, Nonce(2));
    EXPECT_EQ(chain.account(1),
              (Account{flk(Chain::kFunds + 300), usd(Chain::kFunds + 70), Nonce(0)}));
    EXPECT_EQ(chain.view()->supply().flk, before.flk.minus(fees));
    EXPECT_EQ(chain.view()->supply().flk_burned, fees);
    const auto receipt = chain.view()->receipt(*executed.transactions[1].hash).value();
    ASSERT_TRUE(receipt.has_value());
    EXPECT_EQ(*receipt, (Receipt{Height(1), 1, chain.fee(in_usd), Revert::None}));
}

TEST(Transactions, TransfersToOneselfAndOfEverything) {
    // Paying oneself changes nothing but fee and nonce; all that is left after the fee can go.
    Chain chain;
    const Bytes to_self =
        chain.by_person(0, TransferUsd{chain.people[0].address, usd(Chain::kFunds)});
    EXPECT_EQ(chain.revert_of(to_self), Revert::None);
    EXPECT_EQ(chain.account(0).usd, usd(Chain::kFunds));
    const Bytes probe = chain.by_person(0, TransferFlk{chain.people[1].address, flk(1)});
    const FlkAmount all = chain.account(0).flk.minus(chain.fee(probe)).value();
    EXPECT_EQ(chain.revert_of(chain.by_person(0, TransferFlk{chain.people[1].address, all})),
              Revert::None);
    EXPECT_EQ(chain.account(0).flk, flk(0));
    EXPECT_EQ(chain.refusal_of(chain.by_person(0, TransferFlk{chain.people[1].address, flk(1)})),
              Refusal::FeeNotCovered);
}

TEST(Transactions, ARevertCostsTheFeeAndTheNonceAlone) {
    // Too much, nothing, or more than an account can hold: reverted, paid for, not repeatable.
    Chain chain;
    const auto expect = [&](Method method, Revert revert) {
        const Account before = chain.account(0);
        const Bytes transaction = chain.by_person(0, std::move(method));
        EXPECT_EQ(chain.revert_of(transaction), revert);
        EXPECT_EQ(chain.account(0),
                  (Account{before.flk.minus(chain.fee(transaction)).value(),
                           before.usd,
                           Nonce(before.nonce.value() + 1)}));
        EXPECT_EQ(chain.refusal_of(transaction), Refusal::WrongNonce);
    };
    const Address other = chain.people[1].address;
    expect(TransferFlk{other, flk(Chain::kFunds)}, Revert::InsufficientBalance);
    expect(TransferUsd{other, usd(Chain::kFunds + 1)}, Revert::InsufficientBalance);
    expect(TransferUsd{other, {~static_cast<unsigned __int128>(0)}}, Revert::InsufficientBalance);
    expect(TransferFlk{other, flk(0)}, Revert::ZeroAmount);
    expect(Stake{chain.machines[1].key, flk(5)}, Revert::NotTheOwner);
    expect(Stake{chain.machines[0].key, flk(0)}, Revert::ZeroAmount);
    expect(Unstake{chain.machines[5].key, flk(1)}, Revert::UnknownNode);
    expect(Unstake{chain.machines[0].key, flk(Chain::kStake + 1)}, Revert::InsufficientStake);
    expect(WithdrawUnstaked{chain.machines[0].key}, Revert::NothingToWithdraw);
    EXPECT_EQ(chain.account(1).flk, flk(Chain::kFunds));
}

TEST(Transactions, ARefusalLeavesNoTrace) {
    // What may not run costs nothing, keeps its nonce, has no receipt, and does not harm its block.
    Chain chain;
    const Address other = chain.people[1].address;
    const Method method = TransferFlk{other, flk(1)};
    Bytes forged = chain.by_person(0, method);
    forged.back() ^= 1;
    const Bytes foreign =
        bcs::encode(sign(ChainId(1),
                         {chain.people[0].address, Nonce(1), flk(100'000), method},
                         chain.people[0].secret));
    const Bytes cheap = chain.by_person(0, 1, method, flk(9));
    const std::pair<Bytes, Refusal> cases[] = {
        {Bytes{}, Refusal::Malformed},
        {Bytes(100, 0xFF), Refusal::Malformed},
        {foreign, Refusal::BadSignature},
        {chain.by_person(0, 2, method), Refusal::WrongNonce},
        {chain.by_person(0, 0, method), Refusal::WrongNonce},
        {cheap, Refusal::FeeAboveMax},
        {chain.by_person(0, OptOut{}), Refusal::WrongMethod},
        {chain.by_machine(0, method), Refusal::WrongMethod},
        {chain.by_machine(5, 1, OptOut{}), Refusal::UnknownNode},
    };
    for (const auto& [transaction, refusal] : cases) {
        const Account before = chain.account(0);
        EXPECT_EQ(chain.refusal_of(transaction), refusal) << to_string(refusal);
        EXPECT_EQ(chain.account(0), before);
    }
    const auto executed = chain.run({forged, chain.by_person(0, method), Bytes{1, 2, 3}});
    EXPECT_TRUE(std::holds_alternative<Refusal>(executed.transactions[0].outcome));
    EXPECT_TRUE(std::holds_alternative<Receipt>(executed.transactions[1].outcome));
    EXPECT_EQ(std::get<Receipt>(executed.transactions[1].outcome).index, 1U);
    EXPECT_FALSE(executed.transactions[2].hash.has_value());
}

TEST(Transactions, AdmissionSaysWhatIsWrong) {
    // What execution would refuse is refused at the door, with the reason; nonces may be a little
    // ahead, because earlier ones are under way.
    Chain chain;
    const Method method = TransferFlk{chain.people[1].address, flk(1)};
    const auto admit = [&](const Bytes& bytes) { return chain.application->admit(bytes, 3); };
    EXPECT_TRUE(admit(chain.by_person(0, 1, method)).has_value());
    EXPECT_TRUE(admit(chain.by_person(0, 3, method)).has_value());
    EXPECT_EQ(admit(chain.by_person(0, 4, method)).error().code, Errc::InvalidArgument);
    EXPECT_NE(admit(chain.by_person(0, 4, method)).error().context.find("next one is 1"),
              std::string::npos);
    EXPECT_EQ(admit(Bytes{1}).error().code, Errc::InvalidArgument);
    EXPECT_EQ(admit(chain.by_person(0, 1, method, flk(1))).error().code, Errc::InvalidArgument);
    Bytes forged = chain.by_person(0, 1, method);
    forged[3] ^= 1;
    EXPECT_FALSE(admit(forged).has_value());
    chain.run({chain.by_person(0, 1, method)});
    EXPECT_FALSE(admit(chain.by_person(0, 1, method)).has_value());
}

TEST(Stakes, AreWithheldForTheUnbondingTime) {
    // Unstaked FLK comes back whole, to the owner, two epochs later and not before; adding to it
    // starts the time anew.
    Chain chain;
    const NodeKey key = chain.machines[0].key;
    EXPECT_EQ(chain.revert_of(chain.by_person(0, Stake{key, flk(500)})), Revert::None);
    EXPECT_EQ(chain.node(0).stake, flk(Chain::kStake + 500));
    EXPECT_EQ(chain.revert_of(chain.by_person(0, Unstake{key, flk(200)})), Revert::None);
    EXPECT_EQ(chain.revert_of(chain.by_person(0, WithdrawUnstaked{key})), Revert::StillUnbonding);
    chain.end_epoch();
    EXPECT_EQ(chain.revert_of(chain.by_person(0, Unstake{key, flk(100)})), Revert::None);
    EXPECT_EQ(chain.node(0).unbonding, (Unbonding{flk(300), Epoch(3)}));
    chain.end_epoch();
    EXPECT_EQ(chain.revert_of(chain.by_person(0, WithdrawUnstaked{key})), Revert::StillUnbonding);
    EXPECT_EQ(chain.revert_of(chain.by_person(1, WithdrawUnstaked{key})), Revert::NotTheOwner);
    chain.end_epoch();
    const FlkAmount before = chain.account(0).flk;
    const Bytes withdraw = chain.by_person(0, WithdrawUnstaked{key});
    EXPECT_EQ(chain.revert_of(withdraw), Revert::None);
    EXPECT_EQ(chain.account(0).flk, before.plus(flk(300))->minus(chain.fee(withdraw)));
    EXPECT_FALSE(chain.node(0).unbonding.has_value());
}

}  // namespace
}  // namespace draco::application::testing
