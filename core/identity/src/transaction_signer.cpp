#include "draco/identity/transaction_signer.hpp"

#include "signer_object.hpp"

#include <utility>

namespace draco::identity {
namespace {

using affair::Address;

class Observer final : public interfaces::LedgerObserver {
public:
    explicit Observer(Address<BlockSeen> signer) : signer_(std::move(signer)) {}

    void on_block(const std::shared_ptr<const interfaces::LedgerBlock>& block) override {
        // If there is no room, the next block or the next submission shows what this one would.
        (void)signer_.tell(BlockSeen{block});
    }

    void on_certificate(const types::BlockCertificate& /*certificate*/) override {}

private:
    Address<BlockSeen> signer_;
};

class Signer final : public TransactionSigner {
public:
    Signer(SignerParts parts,
           std::shared_ptr<SignerShared> shared,
           affair::Owner<SignerObject> owner)
        : executor_(parts.executor),
          ledger_(parts.ledger),
          shared_(std::move(shared)),
          owner_(std::move(owner)),
          observer_(owner_.address()) {
        ledger_.add_observer(observer_);
        // What was executed before the observer was there.
        (void)owner_.address().tell(BlockSeen{});
    }

    ~Signer() override { ledger_.remove_observer(observer_); }

    Signer(const Signer&) = delete;
    Signer& operator=(const Signer&) = delete;

    void execute(types::Method method, Done done) override {
        execute(std::move(method), types::FlkAmount{}, std::move(done));
    }

    void execute(types::Method method, types::FlkAmount fee_max, Done done) override {
        auto told = owner_.address().tell(
            ExecuteMethod{std::move(method), fee_max, DoneOnce(executor_, std::move(done))});
        if (told) return;
        auto rejected = std::move(told).error();
        rejected.message.done.call(std::unexpected(std::move(rejected.error)));
    }

    interfaces::SignerStatus status() const override { return shared_->status(); }

private:
    Executor& executor_;
    interfaces::Ledger& ledger_;
    std::shared_ptr<SignerShared> shared_;
    affair::Owner<SignerObject> owner_;
    Observer observer_;
};

// Beyond the methods, the mailbox has room for blocks.
constexpr std::size_t kBlocksWaitingMax = 64;
constexpr std::uint32_t kRestartsMax = 3;

Result<> check(const SignerOptions& options) {
    if (options.queue_max == 0 || options.nonces_ahead_max == 0 ||
        options.nonces_ahead_max > kJournalEntriesMax)
        return fail(Errc::InvalidArgument,
                    "a signer has queue_max > 0 and 0 < nonces_ahead_max <= " +
                        std::to_string(kJournalEntriesMax));
    if (options.backoff_first <= Duration{0} || options.backoff_max < options.backoff_first ||
        options.resend_after <= Duration{0} || options.submit_timeout <= Duration{0})
        return fail(Errc::InvalidArgument,
                    "a signer's times are positive, and backoff_max is the larger one");
    return {};
}

}  // namespace

Result<std::unique_ptr<TransactionSigner>> TransactionSigner::open(SignerParts parts,
                                                                   SecretKey key,
                                                                   std::string journal_path,
                                                                   MissingJournal missing,
                                                                   SignerOptions options,
                                                                   std::string name) {
    DRACO_TRY_VOID(check(options));
    const auto view = parts.ledger.view();
    auto shared = std::make_shared<SignerShared>(
        parts, TransactionKey(view->chain(), std::move(key)), view->genesis(), options);
    affair::ObjectOptions object{.name = std::move(name),
                                 .capacity = options.queue_max + kBlocksWaitingMax,
                                 // Answers, late ones too, and the timer before and after it is
                                 // set anew.
                                 .turns_max = 4 * options.nonces_ahead_max + 2,
                                 .supervision = {.restarts_max = kRestartsMax}};
    auto make =
        [shared, path = std::move(journal_path), missing, first = true](
            affair::Self<SignerObject> self) mutable -> Result<std::unique_ptr<SignerObject>> {
        const JournalOwner owner{shared->key().chain(), shared->genesis(), shared->key().sender()};
        DRACO_TRY(journal,
                  SigningJournal::open(
                      shared->parts().disk, path, owner, first ? missing : MissingJournal::Refuse));
        first = false;
        return std::make_unique<SignerObject>(std::move(self), shared, std::move(journal));
    };
    DRACO_TRY(owner, parts.registry.spawn<SignerObject>(std::move(object), std::move(make)));
    return std::make_unique<Signer>(parts, std::move(shared), std::move(owner));
}

}  // namespace draco::identity
