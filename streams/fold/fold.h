#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hilo/store/v1/records.pb.h"
#include "hilo/store/v1/rows.pb.h"
#include "ops/base/status.h"
#include "state/store/store.h"
#include "state/types/ids.h"
#include "state/types/time.h"
#include "streams/log/log.h"

namespace hilo::fold {

// A record as a fold sees it.
struct FoldRecord {
  const log::TopicPartition& from;
  log::Offset offset;
  int64_t append_micros;  // by the log's clock; the same for whoever folds it
  const store::v1::RecordHeader& header;
  const store::v1::Record& record;
};

// What an application came to. A refusal is typed and becomes a dead letter; a failure (disk,
// memory) aborts the batch and stops the partition; nothing else exists.
class Outcome {
 public:
  static Outcome Ok() { return Outcome(OkStatus(), false); }
  // `reason` is a machine word (`event_too_late`); `message` holds nothing personal.
  static Outcome Refused(std::string_view reason, std::string_view message) {
    return Outcome(Error(StatusCode::kInvalidArgument, reason, message), true);
  }
  static Outcome Failed(Status status) { return Outcome(std::move(status), false); }

  bool ok() const { return status_.ok(); }
  bool refused() const { return refused_; }
  const Status& status() const { return status_; }

 private:
  Outcome(Status status, bool refused) : status_(std::move(status)), refused_(refused) {}
  Status status_;
  bool refused_;
};

// What happens to a timer that fell due while the partition was closed or silent: all of its
// occurrences fire, only the latest, or none.
enum class CatchUp : uint8_t { kAll = 0, kLatest = 1, kSkip = 2 };

struct Timer {
  std::string name;  // unique in the partition, at most 64 bytes; setting it again moves it
  LogTime due;
  std::string payload;  // at most 256 bytes
  CatchUp catch_up = CatchUp::kAll;
  Micros period{0};  // > 0: it is set again by itself
  // Nobody moves or cancels it before it fires: it has one row instead of two. Setting its name
  // again is another timer.
  bool fixed = false;
};

// Something for whoever listens to this node: not a record, not durable, given out only after the
// batch is written.
struct Notice {
  enum class Kind {
    kMemberChanged,
    kAgentCall,
    kCatalogue,
    kDue,     // a journey's run waits for its owner's decision
    kMessage  // a message came to another state
  } kind = Kind::kMemberChanged;
  MemberId member;
  CustomerId customer;
  std::string agent;          // kAgentCall: the agent whose calls changed
  InteractionId interaction;  // kAgentCall
  bool began_ringing = false;
  int64_t receive_micros = 0;  // when the edge took in what caused it; 0: nothing did
  std::string run;             // kDue: 16 bytes
  uint32_t channel = 0;        // kMessage: hilo.v1.Channel; 0: not said
  uint32_t state = 0;          // kMessage: hilo.v1.MessageState
  std::string reason;          // kMessage: a machine word
};

// What a fold may do while it applies one record. Reads see what was staged before, also by earlier
// records of the batch.
// **Threads**: confined to the partition's thread. **Lifetime**: one call of Apply or Fire.
class Context {
 public:
  virtual ~Context() = default;

  // Log time; it moves only with ticks.
  virtual LogTime Now() const = 0;
  // Clocks disagree: nothing may be reserved or sent.
  virtual bool Closed() const = 0;
  // Behaviour version to fold with.
  virtual uint32_t Version() const = 0;
  virtual const store::v1::Parameters& Parameters() const = 0;

  // State. Keys begin with the table's tag (state/store/tables.h).
  virtual StatusOr<std::optional<std::string>> Get(std::string_view key) = 0;
  virtual void Put(std::string_view key, std::string_view value) = 0;
  // Put of a row that is surely not there, because its key names the record that makes it: what was
  // there before need not be read for the digest. A row that is there all the same spoils the
  // digest.
  virtual void Insert(std::string_view key, std::string_view value) { Put(key, value); }
  virtual void Delete(std::string_view key) = 0;
  // Rows of `range` in order, until `visit` returns false. `visit` must not change state.
  virtual Status Scan(
      const store::KeyRange& range,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) = 0;

  // Sends a record on the lane to that partition. At most kMaxEmissions a record.
  virtual void Emit(const log::TopicPartition& to, const store::v1::Record& record) = 0;
  virtual void SetTimer(const Timer& timer) = 0;
  virtual void CancelTimer(std::string_view name) = 0;
  // The answer to a command, for a caller who waits on this node; the fold itself stores it in
  // state.
  virtual void Answer(std::string_view caller, RequestId request,
                      const store::v1::AnswerRow& answer) = 0;
  virtual void Tell(const Notice& notice) = 0;
};

// A deterministic function from a partition's records, in order, to state. It reads no clock, no
// random source, no file, no setting, and opens nothing sealed. Ticks, time, lanes, versions and
// dead letters are the runtime's: Apply never sees them.
// **Threads**: confined to its partition's thread.
class Fold {
 public:
  static constexpr int kMaxEmissions = 1'000;

  virtual ~Fold() = default;
  // The rows that Apply will surely read for this record, of the fold's own tables: the runtime
  // reads those of a whole batch at once, which is much cheaper. A hint: it decides nothing, and
  // reads no state.
  virtual void Prefetch(const FoldRecord& record, std::vector<std::string>& keys) {}
  virtual Outcome Apply(const FoldRecord& record, Context& context) = 0;
  // A timer that is due, in order of (due, name).
  virtual Outcome Fire(const Timer& timer, Context& context) { return Outcome::Ok(); }
  // After each tick, once its timers have fired: for bounded housekeeping such as forgetting old
  // event ids.
  virtual Outcome Ticked(Context& context) { return Outcome::Ok(); }
  // The batch was not written, or a record that Apply took was refused by the runtime (an emission
  // too large, too many of them): forget whatever is cached.
  virtual void Forget() {}
};

// Row and payload encoding: one format byte, then the message, serialised deterministically.
std::string Encode(const google::protobuf::MessageLite& message);
// `schema_unknown` for another format byte, `undecodable` for broken bytes.
Status Decode(std::string_view bytes, google::protobuf::MessageLite* message);

}  // namespace hilo::fold
