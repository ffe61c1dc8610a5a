// Proves that a call that sends or waits for a transaction is answered exactly once and rightly:
// by the block, by the refusal, by its deadline, or by the end of the service.

#include "draco/io/thread_pool.hpp"

#include "service_fixture.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <thread>

namespace draco::rpc::testing {
namespace {

using namespace std::chrono_literals;

std::string send_parameters(const SignedTransaction& transaction, std::string_view options = "") {
    std::string text = "[" + in_quotes(hex0x(bcs::encode(transaction)));
    if (!options.empty()) text += "," + std::string(options);
    return text + "]";
}

std::string wait_parameters(const TransactionHash& hash, std::uint64_t timeout_ms) {
    return "[" + in_quotes(hex0x(hash.view())) + "," + std::to_string(timeout_ms) + "]";
}

// What a forwarder at a member does: checks, and takes or refuses.
void forward(Node& node) {
    auto& submissions = node.parts->forwarder.submissions;
    while (!submissions.empty()) {
        auto [bytes, done] = std::move(submissions.front());
        submissions.pop_front();
        done(node.parts->chain.ledger->application().admit(bytes, 16));
    }
}

TEST(Transactions, SendingAnswersWithTheHash) {
    Node node;
    const auto transaction = node.parts->chain.transfer(0, 1, 5);
    const auto answer = node.begin(Node::call_text("flk_send_txn", send_parameters(transaction)));
    node.settle();
    EXPECT_FALSE(answer->has_value());
    ASSERT_EQ(node.parts->forwarder.submissions.size(), 1U);
    EXPECT_EQ(node.parts->forwarder.submissions[0].first, bcs::encode(transaction));
    forward(node);
    EXPECT_EQ(parsed(*answer).at("result"),
              json::value(hex0x(node.parts->chain.hash_of(transaction).view())));
}

TEST(Transactions, SendingAndWaitingAnswersWithTheReceipt) {
    Node node;
    auto& chain = node.parts->chain;
    const auto transaction = chain.transfer(0, 1, 5);
    const auto answer = node.begin(
        Node::call_text("flk_send_txn", send_parameters(transaction, R"({"wait":true})")));
    node.settle();
    forward(node);
    node.settle();
    EXPECT_FALSE(answer->has_value());
    chain.run(transaction);
    node.settle();
    const auto receipt = parsed(*answer).at("result");
    EXPECT_EQ(receipt.at("height"), 1);
    EXPECT_EQ(receipt.at("success"), true);
    EXPECT_EQ(receipt.at("hash"), json::value(hex0x(chain.hash_of(transaction).view())));
    EXPECT_EQ(receipt.at("fee_units"),
              json::value(std::to_string(10 + bcs::encode(transaction).size())));
    EXPECT_EQ(node.result("flk_get_transaction_receipt",
                          "[" + in_quotes(hex0x(chain.hash_of(transaction).view())) + "]"),
              receipt);
}

TEST(Transactions, RevertedOnesSaySo) {
    Node node;
    auto& chain = node.parts->chain;
    const auto transaction = chain.transfer(0, 1, 50'000'000);
    chain.run(transaction);
    const auto receipt =
        node.result("flk_wait_txn", wait_parameters(chain.hash_of(transaction), 1'000));
    EXPECT_EQ(receipt.at("success"), false);
    EXPECT_EQ(receipt.at("revert"), "the balance is too small");
}

TEST(Transactions, AReceiptThatExistsAnswersAtOnce) {
    Node node;
    auto& chain = node.parts->chain;
    const auto transaction = chain.transfer(0, 1, 5);
    chain.run(transaction);
    EXPECT_EQ(
        node.result("flk_wait_txn", wait_parameters(chain.hash_of(transaction), 0)).at("height"),
        1);
    // Sent again: no error, though its nonce is used.
    EXPECT_EQ(
        node.result("flk_send_txn", send_parameters(transaction, R"({"wait":true})")).at("height"),
        1);
    EXPECT_EQ(node.result("flk_send_txn", send_parameters(transaction)),
              json::value(hex0x(chain.hash_of(transaction).view())));
}

TEST(Transactions, RefusedAtAdmission) {
    Node node;
    const auto transaction = node.parts->chain.transfer(0, 900, 5);
    for (const std::string_view options : {"", R"({"wait":true})"}) {
        const auto answer =
            node.begin(Node::call_text("flk_send_txn", send_parameters(transaction, options)));
        node.settle();
        forward(node);
        const auto error = parsed(*answer).at("error");
        EXPECT_EQ(error.at("code"), -32002);
        EXPECT_EQ(error.at("data").at("where"), "admission");
        EXPECT_NE(error.at("data").at("reason").as_string().find("nonce 900"), json::string::npos);
    }
}

TEST(Transactions, RefusedInABlock) {
    Node node;
    auto& chain = node.parts->chain;
    const auto transaction = chain.transfer(0, 7, 5);
    const auto answer = node.begin(
        Node::call_text("flk_wait_txn", wait_parameters(chain.hash_of(transaction), 60'000)));
    node.settle();
    chain.run(transaction);
    node.settle();
    const auto error = parsed(*answer).at("error");
    EXPECT_EQ(error.at("code"), -32002);
    EXPECT_EQ(error.at("data").at("where"), "block");
    EXPECT_EQ(error.at("data").at("reason"), "the nonce is not the sender's next one");
    EXPECT_EQ(error.at("data").at("height"), 1);
}

TEST(Transactions, ACopyInTheSameBlockDoesNotCount) {
    Node node;
    auto& chain = node.parts->chain;
    const auto first = chain.transfer(0, 1, 5);
    const auto second = chain.transfer(0, 2, 5);
    const auto answer =
        node.begin(Node::call_text("flk_wait_txn", wait_parameters(chain.hash_of(second), 60'000)));
    node.settle();
    // Too early, then executed, then a copy too many.
    chain.run({bcs::encode(second), bcs::encode(first), bcs::encode(second), bcs::encode(second)});
    node.settle();
    EXPECT_EQ(parsed(*answer).at("result").at("index"), 2);
}

TEST(Transactions, BusyAndUnreachableCommittees) {
    Node node;
    const auto transaction = node.parts->chain.transfer(0, 1, 5);
    for (const auto& [errc, code] :
         {std::pair(Errc::Exhausted, -32001), std::pair(Errc::Unavailable, -32004)}) {
        const auto answer =
            node.begin(Node::call_text("flk_send_txn", send_parameters(transaction)));
        node.settle();
        node.parts->forwarder.submissions.front().second(fail(errc, "come back"));
        node.parts->forwarder.submissions.pop_front();
        const auto error = parsed(*answer).at("error");
        EXPECT_EQ(error.at("code"), code);
        EXPECT_EQ(error.at("data").at("retry_after_ms"), 1'000);
    }
}

TEST(Transactions, WaitingEndsAtTheDeadline) {
    Node node;
    auto& chain = node.parts->chain;
    const auto transaction = chain.transfer(0, 1, 5);
    const auto waiting = node.begin(
        Node::call_text("flk_wait_txn", wait_parameters(chain.hash_of(transaction), 500)));
    const auto sent = node.begin(Node::call_text("flk_send_txn", send_parameters(transaction)));
    ASSERT_TRUE(node.world.run_for(499ms).has_value());
    EXPECT_FALSE(waiting->has_value());
    ASSERT_TRUE(node.world.run_for(1ms).has_value());
    EXPECT_EQ(parsed(*waiting).at("error").at("code"), -32003);
    EXPECT_FALSE(sent->has_value());
    ASSERT_TRUE(node.world.run_for(10s).has_value());
    EXPECT_EQ(parsed(*sent).at("error").at("code"), -32003);
    // Too late: nobody is answered twice.
    forward(node);
    chain.run(transaction);
    node.settle();
    EXPECT_EQ(node.error("flk_wait_txn", wait_parameters({}, 60'001)).at("code"), -32602);
}

TEST(Transactions, ManyWaitersAndTheirBound) {
    constexpr std::uint64_t kWaiters = 300;
    Node node({.waiters_max = 2 * kWaiters});
    auto& chain = node.parts->chain;
    const auto first = chain.transfer(0, 1, 5);
    const auto second = chain.transfer(1, 1, 5);
    std::vector<std::shared_ptr<std::optional<std::string>>> answers;
    for (std::uint64_t i = 0; i < kWaiters; ++i)
        answers.push_back(node.begin(Node::call_text(
            "flk_wait_txn", wait_parameters(chain.hash_of(i % 2 == 0 ? first : second), 60'000))));
    node.settle();
    EXPECT_EQ(node.error("flk_wait_txn", wait_parameters({}, 10)).at("code"), -32001);
    chain.run(first);
    node.settle();
    for (std::size_t i = 0; i < answers.size(); ++i) EXPECT_EQ(answers[i]->has_value(), i % 2 == 0);
    chain.run(second);
    node.settle();
    for (const auto& answer : answers) EXPECT_TRUE(parsed(*answer).contains("result"));
    const auto room = node.begin(Node::call_text("flk_wait_txn", wait_parameters({}, 10)));
    node.settle();
    EXPECT_FALSE(room->has_value());
}

TEST(Transactions, WaitingCallsLeaveRoomForThoseThatSend) {
    // However many ask what became of a transaction, half of the places are for those that send.
    Node node({.waiters_max = 8});
    std::vector<std::shared_ptr<std::optional<std::string>>> answers;
    for (int i = 0; i < 10; ++i)
        answers.push_back(node.begin(Node::call_text("flk_wait_txn", wait_parameters({}, 60'000))));
    for (std::uint64_t i = 1; i <= 4; ++i)
        answers.push_back(node.begin(
            Node::call_text("flk_send_txn", send_parameters(node.parts->chain.transfer(0, i, 5)))));
    node.settle();
    const auto refused = [&](std::size_t from, std::size_t to) {
        return std::count_if(answers.begin() + static_cast<std::ptrdiff_t>(from),
                             answers.begin() + static_cast<std::ptrdiff_t>(to),
                             [](const auto& answer) { return answer->has_value(); });
    };
    EXPECT_EQ(refused(0, 10), 6);
    EXPECT_EQ(parsed(*answers[4]).at("error").at("code"), -32001);
    EXPECT_EQ(refused(10, 14), 0);
    EXPECT_EQ(node.parts->forwarder.submissions.size(), 4U);
}

TEST(Transactions, OneClientCannotTakeTheWaitingPlacesOfOthers) {
    // In one batch or in many bodies; an answer makes room again.
    Node node({.waiters_max = 100, .waiters_per_client_max = 5});
    const std::string wait = Node::call_text("flk_wait_txn", wait_parameters({}, 100));
    std::string batch = "[" + wait;
    for (int i = 0; i < 6; ++i) batch += "," + wait;
    const auto first = node.begin(batch + "]", {}, "192.0.2.1");
    const auto again = node.begin(wait, {}, "192.0.2.1");
    const auto other = node.begin(wait, {}, "192.0.2.2");
    node.settle();
    EXPECT_EQ(parsed(*again).at("error").at("code"), -32001);
    EXPECT_FALSE(other->has_value());
    ASSERT_TRUE(node.world.run_for(100ms).has_value());
    std::map<std::int64_t, int> codes;
    const auto answers = json::parse(first->value());
    for (const auto& answer : answers.as_array()) ++codes[answer.at("error").at("code").as_int64()];
    EXPECT_EQ(codes, (std::map<std::int64_t, int>{{-32003, 5}, {-32001, 2}}));
    const auto room = node.begin(wait, {}, "192.0.2.1");
    node.settle();
    EXPECT_FALSE(room->has_value());
}

TEST(Transactions, ManyAddressesCannotTakeTheWaitingPlacesOfOtherNetworks) {
    // However many addresses of some networks wait, a network that holds none gets a place; what is
    // answered makes room again.
    Node node({.waiters_max = 1'000, .waiters_per_client_max = 50});
    const std::string wait = Node::call_text("flk_wait_txn", wait_parameters({}, 1'000));
    const auto send = [&](std::uint64_t nonce) {
        return Node::call_text("flk_send_txn",
                               send_parameters(node.parts->chain.transfer(0, nonce, 5)));
    };
    std::vector<std::shared_ptr<std::optional<std::string>>> answers;
    for (int network = 0; network < 10; ++network)
        for (int address = 0; address < 200; ++address) {
            const std::string client =
                "192.0." + std::to_string(network) + "." + std::to_string(address);
            answers.push_back(node.begin(wait, {}, client));
            const auto last = static_cast<char>(address);
            answers.push_back(node.begin(
                wait, {}, {'\x20', '\1', '\xD', '\xB8', static_cast<char>(network), 0, 0, last}));
            node.settle();
        }
    const auto waiting =
        std::ranges::count_if(answers, [](const auto& answer) { return !answer->has_value(); });
    EXPECT_GT(waiting, 400);  // of the 500 places of those who only ask
    EXPECT_LT(waiting, 480);
    const auto newcomer = node.begin(wait, {}, "198.51.100.1");
    const auto sender = node.begin(send(1), {}, "198.51.100.2");
    const auto old = node.begin(wait, {}, "192.0.3.250");
    node.settle();
    EXPECT_FALSE(newcomer->has_value() || sender->has_value());
    EXPECT_EQ(parsed(*old).at("error").at("code"), -32001);
    ASSERT_TRUE(node.world.run_for(1s).has_value());
    const auto again = node.begin(wait, {}, "192.0.3.250");
    node.settle();
    EXPECT_FALSE(again->has_value());
}

TEST(Transactions, ALoneNetworkHoldsMostOfItsClientsPlaces) {
    // Where nobody else waits, the part for others costs one client little.
    Node node({.waiters_max = 4096, .waiters_per_client_max = 512});
    const std::string wait = Node::call_text("flk_wait_txn", wait_parameters({}, 1'000));
    std::vector<std::shared_ptr<std::optional<std::string>>> answers;
    for (int i = 0; i < 600; ++i) answers.push_back(node.begin(wait, {}, "192.0.2.1"));
    node.settle();
    const auto waiting =
        std::ranges::count_if(answers, [](const auto& answer) { return !answer->has_value(); });
    EXPECT_EQ(waiting, 228);  // of 2,048 for those who only ask
}

TEST(Transactions, StoppingAnswersEverybody) {
    Node node;
    auto& chain = node.parts->chain;
    const auto transaction = chain.transfer(0, 1, 5);
    std::vector<std::shared_ptr<std::optional<std::string>>> answers;
    answers.push_back(node.begin(
        Node::call_text("flk_wait_txn", wait_parameters(chain.hash_of(transaction), 60'000))));
    answers.push_back(node.begin(Node::call_text("flk_send_txn", send_parameters(transaction))));
    answers.push_back(node.begin(
        Node::call_text("flk_send_txn", send_parameters(transaction, R"({"wait":true})"))));
    answers.push_back(node.begin("[" + Node::call_text("flk_ping") + "," +
                                 Node::call_text("flk_wait_txn", wait_parameters({}, 60'000)) +
                                 "]"));
    node.settle();
    // One that is still in the mailbox.
    answers.push_back(node.begin(Node::call_text("flk_ping")));
    node.service->stop();
    EXPECT_EQ(chain.ledger->observers(), 0U);
    EXPECT_EQ(parsed(*answers[0]).at("error").at("code"), -32004);
    EXPECT_EQ(parsed(*answers[1]).at("error").at("code"), -32004);
    EXPECT_EQ(parsed(*answers[2]).at("error").at("code"), -32004);
    EXPECT_EQ(json::parse(answers[3]->value()).at(0).at("result"), "pong");
    EXPECT_EQ(json::parse(answers[3]->value()).at(1).at("error").at("code"), -32004);
    EXPECT_EQ(node.error("flk_ping").at("code"), -32004);
    node.service.reset();
    EXPECT_TRUE(answers[4]->has_value());
    // The forwarder answers a service that is gone.
    forward(node);
    node.settle();
}

TEST(Transactions, WhatDoesNotDecodeIsNoTransaction) {
    Node node;
    Bytes bytes = bcs::encode(node.parts->chain.transfer(0, 1, 5));
    bytes.push_back(0);
    EXPECT_EQ(node.error("flk_send_txn", "[" + in_quotes(hex0x(bytes)) + "]").at("code"), -32602);
    EXPECT_EQ(node.error("flk_send_txn", R"(["0x"])").at("code"), -32602);
    EXPECT_EQ(node.error("flk_send_txn",
                         "[" + in_quotes(std::string(2 * kTransactionBytesMax + 2, '0')) + "]")
                  .at("code"),
              -32602);
    const auto transaction = node.parts->chain.transfer(0, 1, 5);
    for (const std::string_view options : {R"({"wait":1})",
                                           R"({"timeout_ms":60001})",
                                           R"({"timeout_ms":"1"})",
                                           R"({"Wait":true})",
                                           "true"})
        EXPECT_EQ(node.error("flk_send_txn", send_parameters(transaction, options)).at("code"),
                  -32602)
            << options;
    EXPECT_TRUE(node.parts->forwarder.submissions.empty());
}

// On real threads: blocks, calls, and the end of the service at the same time.
TEST(Transactions, EachIsAnsweredOnceUnderThreads) {
    auto pool = io::ThreadPool::start({.thread_count = 4}).value();
    Parts parts(*pool);
    auto service = RpcService::start(parts.dependencies()).value();
    constexpr std::size_t kTransfers = 40;
    constexpr std::size_t kCallsEach = 8;
    std::vector<SignedTransaction> transfers;
    for (std::size_t i = 0; i < kTransfers; ++i)
        transfers.push_back(parts.chain.transfer(i % 4, 1 + i / 4, 1));
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t answered = 0;
    std::size_t receipts = 0;
    const auto done = [&](const std::string& text) {
        const std::scoped_lock lock(mutex);
        ++answered;
        if (text.find("\"success\":true") != std::string::npos) ++receipts;
        changed.notify_all();
    };
    {
        const std::jthread calls([&] {
            for (std::size_t i = 0; i < kTransfers * kCallsEach; ++i)
                service->handle(
                    Node::call_text(
                        "flk_wait_txn",
                        wait_parameters(parts.chain.hash_of(transfers[i % kTransfers]), 60'000)),
                    done);
        });
        for (const auto& transfer : transfers) parts.chain.run(transfer);
    }
    {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return answered == kTransfers * kCallsEach; });
        EXPECT_EQ(receipts, answered);
    }
    for (std::size_t i = 0; i < 50; ++i)
        service->handle(Node::call_text("flk_wait_txn", wait_parameters({}, 60'000)), done);
    service.reset();
    const std::scoped_lock lock(mutex);
    EXPECT_EQ(answered, kTransfers * kCallsEach + 50);
}

}  // namespace
}  // namespace draco::rpc::testing
