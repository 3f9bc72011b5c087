#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/kit/incoming_event.h"
#include "ops/base/clock.h"
#include "ops/base/metrics.h"
#include "ops/base/status.h"
#include "ops/keys/key_store.h"
#include "ops/keys/sealer.h"
#include "state/catalogue/catalogue.h"
#include "state/types/ids.h"
#include "streams/log/log.h"

namespace hilo::kit {

// What became of one event.
struct Accepted {
  Status status;            // ok: it is durable, now or since an earlier time
  EventId event_id;         // zero when it was refused before it got one
  log::Offset offset = -1;  // in the events partition; -1 when it is not there, or not known where
  bool repeated = false;    // the same event was durable before; nothing was appended
};
// One per event, in the order given. Called once, on any thread.
using AcceptDone = std::function<void(std::vector<Accepted>)>;

// How an HTTP edge answers an error of intake.
struct Overload {
  int status = 503;  // 503, or 429 once it lasts: tracking SDKs read Retry-After on 429 only
  int retry_after_seconds = 1;
};

// The one way into the log for events of every channel: normalises identifiers, extracts by the
// catalogue, makes sure the subjects have keys, seals, appends, and answers when the events are
// durable.
//
// **Guarantees**: an event answered with OK is durable in the log; one answered with an error of
// the first group below is not and never will be; after an error of the second group nobody knows,
// and sending it again is safe, because the event id is a function of (channel, source, provider's
// id). Events of one Accept keep their order, and so do Accepts of one thread. Nothing personal is
// in a key, header or open part.
// **Errors**, per event. Refused, do not send again: INVALID_ARGUMENT with `identifier_blocked`,
// `identifier_format`, `identifier_too_long`, `identifier_missing`, `bad_time`, `event_type`,
// `event_name`, `event_id`, `event_too_large`, `too_many_identifiers`; ALREADY_EXISTS
// `event_id_conflict` (the id came lately with another body). Unknown, send again:
// RESOURCE_EXHAUSTED `intake_overloaded`, UNAVAILABLE `intake_paused`, and those of the key store
// and the log.
// **Threads**: thread-safe. Normalising and extraction run on the caller's thread; keys, sealing
// and the append on a thread of the intake's own, which takes what has gathered in one go. With
// `worker = false` everything runs on the caller's thread.
// **Lifetime**: log, key store, clock and registry outlive it. The destructor answers what waits
// with `intake_stopped`.
// **Cost**: about 10 µs of CPU an event; new subjects share one sync of the key store per batch,
// all share the log's group commit.
class Intake {
 public:
  static constexpr size_t kMaxPendingEvents = 50'000;   // taken in and not answered yet
  static constexpr size_t kMaxPendingBytes = 64 << 20;  // of them
  static constexpr size_t kRecentEvents =
      100'000;  // ids remembered to tell repeats and conflicts early
  static constexpr size_t kMaxEventBytes = 32 << 10;  // of one event's JSON

  struct Options {
    log::TopicPartition to{"events", 0};
    bool worker = true;
    size_t max_pending_events = kMaxPendingEvents;
    size_t max_pending_bytes = kMaxPendingBytes;
    size_t recent_events = kRecentEvents;
    // How far ahead of arrival an event may claim to be before it is set back.
    std::chrono::microseconds ahead = std::chrono::minutes(10);
    // After how long an error that lasts is answered with 429 instead of 503.
    std::chrono::milliseconds patience{5'000};
  };

  static StatusOr<std::unique_ptr<Intake>> Create(Options options, log::Log& log,
                                                  keys::KeyStore& keys, const Clock& clock,
                                                  Registry& registry);
  virtual ~Intake() = default;

  virtual void Accept(std::vector<IncomingEvent> events, AcceptDone done) = 0;
  void Accept(IncomingEvent event, std::function<void(Accepted)> done);

  // The catalogue whose rules are used from now on; the built-in one until then.
  virtual void UseCatalogue(std::shared_ptr<const catalogue::Catalogue> catalogue) = 0;
  virtual std::shared_ptr<const catalogue::Catalogue> CatalogueInUse() const = 0;

  // Refuses everything with `intake_paused` until resumed: the disk is nearly full, an outbox is.
  // `reason` is a machine word.
  virtual void Pause(std::string_view reason) = 0;
  virtual void Resume(std::string_view reason) = 0;
  // Empty while nothing is paused.
  virtual std::string PausedReason() const = 0;

  // How to answer a retryable error now.
  virtual Overload AnswerTo(const Status& status) const = 0;

  // The keyed hash that folds see of an identifier, and serving looks up by; normalises first, so
  // it has the errors of the first group. `default_region` as in Source.
  virtual StatusOr<IdentifierHash> HashIdentifier(const RawIdentifier& identifier,
                                                  std::string_view default_region) const = 0;
  // The same for a group: trimmed id, hashed with its kind. `group_invalid` for an unknown kind or
  // an empty or too long id.
  virtual StatusOr<GroupId> HashGroup(std::string_view kind, std::string_view id) const = 0;
};

// The HTTP status of an event that was refused or not taken: 400, 409, 422; 429 or 503 by
// `overload`.
int HttpStatusOf(const Status& status, const Overload& overload);

}  // namespace hilo::kit
