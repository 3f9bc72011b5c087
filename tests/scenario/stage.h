#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/kit/intake.h"
#include "connectors/serving/node.h"
#include "hilo/v1/customer.pb.h"
#include "ops/base/metrics.h"
#include "ops/keys/memory_key_store.h"
#include "ops/keys/sealer.h"
#include "state/types/ids.h"
#include "streams/command/command.h"
#include "tests/driver/fold_driver.h"
#include "tests/scenario/claim.h"
#include "tests/scenario/door.h"
#include "tests/scenario/story.h"

namespace hilo::scenario {

// Everything that came into the logs from outside, and when: a run told again to other folds.
struct Tape {
  struct Entry {
    std::chrono::microseconds advance{0};  // first, time passes
    log::TopicPartition to;                // then this is appended, unless the topic is empty
    log::Record record;
  };
  std::vector<Entry> entries;
};

// Plays a story on the real edges, folds and reads, without sockets, threads or files; time is
// moved by hand.
//
// A desk is what its agent would see: the calls at the agent and the context of the customer who is
// open. A call opens its customer where none is open, as on the page.
class Stage {
 public:
  // How the folds of the stage work. **Errors**: `story_invalid` for a `given` that cannot be
  // understood.
  static StatusOr<std::unique_ptr<Stage>> Create(const Story& story, driver::Refolding folding);

  // Plays the whole story. What did not come true, each with its place in the story and what is
  // found instead; empty when all did.
  std::vector<std::string> Play();

  const driver::FoldDriver& driver() const { return driver_; }
  const Tape& tape() const { return tape_; }

  // The same folds, without a story in them yet: for telling a tape again.
  static driver::FoldDriver::Options Folds(WallTime start, const HashKey& id_key,
                                           driver::Refolding folding);
  driver::FoldDriver::Options FoldsOfThis(driver::Refolding folding) const {
    return Folds(start_, id_key_, folding);
  }

 private:
  // Hands on what the folds tell to whoever listens by then.
  class Ear final : public fold::Listener {
   public:
    void OnAnswer(std::string_view caller, RequestId request,
                  const store::v1::AnswerRow& answer) override;
    void OnFolded(const log::TopicPartition& of, log::Offset position) override;
    fold::Listener* to = nullptr;
  };
  // Serving's view of the folds.
  class Shown final : public serving::Node {
   public:
    explicit Shown(driver::FoldDriver& driver) : driver_(driver) {}
    uint32_t CustomerPartitions() const override;
    const store::Store& CustomersStore(uint32_t partition) const override;
    const store::Store& IdentityStore() const override;
    fold::PartitionView View(const log::TopicPartition& of) const override;
    std::vector<log::TopicPartition> Folded() const override;

   private:
    driver::FoldDriver& driver_;
  };
  struct AgentDesk {
    std::optional<CustomerId> open;
    store::v1::DecisionRecord decision;  // as last suggested
  };

  Stage(const Story& story, WallTime start, driver::Refolding folding);
  Status SetUp();

  Status Do(const Statement& statement);
  Status DoAtDesk(Sentence& sentence);
  // Reads a write of a desk; what is personal is sealed.
  StatusOr<store::v1::Command> ReadWrite(Sentence& sentence, CustomerId customer);
  Status Write(const std::string& agent, CustomerId customer, store::v1::Command command);
  // Sends a command and waits for its answer; nothing follows from it yet.
  StatusOr<store::v1::AnswerRow> AskOf(const std::string& agent, CustomerId customer,
                                       store::v1::Command command);
  StatusOr<store::v1::AnswerRow> Ask(store::v1::Command command);
  std::string Seal(CustomerId customer, std::string_view field, std::string_view text) const;
  Status Advance(std::chrono::microseconds time);
  std::map<log::TopicPartition, log::Offset> Ends() const;
  // What was appended by hand since `before` goes on the tape, and is folded.
  Status Record(const std::map<log::TopicPartition, log::Offset>& before);
  // What owners and dispatchers do about it, until they have nothing more to do.
  Status Follow();
  StatusOr<bool> DecideDue(uint32_t partition);
  StatusOr<bool> SendNext(uint32_t partition);
  StatusOr<store::v1::AnswerRow> Dispatch(const store::v1::OutboundMessage& message,
                                          store::v1::Command command);
  // What the desk suggests now, best first.
  StatusOr<std::vector<std::string>> Suggested(const std::string& agent);
  // `accepts …`, `declines … reason=…`, `snoozes … for=7d`; empty for another sentence.
  StatusOr<store::v1::Command> ReadAnswer(const std::string& agent, Sentence& sentence);
  // Both.
  Status Settle(const std::map<log::TopicPartition, log::Offset>& before);
  // Desks without a customer open the one who rings.
  void OpenRinging();

  // What an expectation says; asked again while it may still come true.
  using Check = std::function<Finding()>;
  void Expect(const Statement& statement);
  StatusOr<Check> ReadCheck(const Statement& statement);
  StatusOr<Check> ReadDeskCheck(Sentence& sentence);
  StatusOr<Check> ReadCustomerCheck(Sentence& sentence, bool negated);
  StatusOr<Check> ReadClaimCheck(Sentence& sentence);
  Finding TakeLetter(const std::string& reason);

  std::vector<CustomerId> Find(const Token& identifier) const;
  std::optional<CustomerId> FindOne(const Token& identifier) const;
  std::optional<v1::Context> ContextOf(CustomerId customer) const;
  Finding OfCustomer(const std::optional<CustomerId>& customer, const Claim& claim) const;
  struct CallAt {
    CustomerId customer;
    v1::Interaction interaction;
  };
  std::vector<CallAt> CallsAt(const std::string& agent) const;

  void Problem(const Statement& statement, const std::string& problem);
  // What was refused, or became a dead letter, without anybody expecting it.
  void TellUnexpected();

  const Story& story_;
  const WallTime start_;
  const WallTime midnight_;
  Registry registry_;
  keys::MemoryKeyStore keys_;
  const HashKey id_key_;
  Ear ear_;
  driver::FoldDriver driver_;
  const keys::Sealer sealer_;
  Shown shown_;
  std::unique_ptr<kit::Intake> intake_;
  std::unique_ptr<command::Commands> commands_;
  std::unique_ptr<Door> door_;

  Tape tape_;
  std::chrono::microseconds passed_{0};  // since the last entry on the tape
  std::map<std::string, AgentDesk> desks_;
  std::optional<Token> subject_;  // whom expectations without `of` speak of
  const Statement* last_ = nullptr;
  std::string refused_;               // why the last `at` was refused
  std::vector<std::string> letters_;  // reasons of dead letters that nobody has expected yet
  size_t letters_read_ = 0;
  uint64_t requests_ = 0;
  std::map<uint32_t, log::Offset> dispatched_;  // by partition: the next outbound record
  std::vector<std::string> problems_;
};

}  // namespace hilo::scenario
