#include "connectors/kit/intake.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <random>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "connectors/kit/draft.h"
#include "connectors/kit/identifiers.h"
#include "connectors/kit/recent_events.h"
#include "ops/base/kill_point.h"
#include "ops/base/metric_names.h"
#include "ops/base/mutex.h"
#include "ops/base/thread.h"
#include "streams/fold/fold.h"

namespace hilo::kit {
namespace {

// Events that the worker takes in one go: bounds what one sync of the key store waits for.
constexpr size_t kMaxGatheredEvents = 4'096;
// An error longer ago than this is another one.
constexpr std::chrono::seconds kForgetErrorsAfter{30};
constexpr int kRetryAfterLastingSeconds = 5;

// One Accept on its way.
struct Job {
  std::vector<Draft> drafts;
  std::vector<size_t> places;  // of each draft, in `results`
  std::vector<std::pair<size_t, size_t>>
      followers;  // place of a repeat within the batch, and of the event it repeats
  std::vector<Accepted> results;
  AcceptDone done;
  size_t bytes = 0;
};

// What outlives the intake while appends are under way.
struct Shared {
  Shared(const Intake::Options& options, const Clock& clock, Registry& registry)
      : options(options),
        clock(clock),
        pending(registry.Get(metric::kIntakePending)),
        recent(options.recent_events) {}

  const Intake::Options options;
  const Clock& clock;
  Gauge& pending;

  mutable Mutex mutex;
  RecentEvents recent HILO_GUARDED_BY(mutex);
  size_t pending_events HILO_GUARDED_BY(mutex) = 0;
  size_t pending_bytes HILO_GUARDED_BY(mutex) = 0;
  std::set<std::string, std::less<>> paused HILO_GUARDED_BY(mutex);
  std::optional<MonotonicTime> failing_since HILO_GUARDED_BY(mutex);
  MonotonicTime last_failure HILO_GUARDED_BY(mutex);

  void NoteFailure() HILO_REQUIRES(mutex) {
    const MonotonicTime now = clock.Monotonic();
    if (!failing_since || now - last_failure > kForgetErrorsAfter) failing_since = now;
    last_failure = now;
  }

  // Gives the room back and answers. Without the lock, as `done` may accept again.
  void Finish(Job& job) HILO_EXCLUDES(mutex) {
    for (const auto& [follower, leader] : job.followers) {
      job.results[follower] = job.results[leader];
      job.results[follower].repeated = true;
    }
    {
      MutexLock lock(mutex);
      pending_events -= job.places.size();
      pending_bytes -= job.bytes;
      pending.Set(static_cast<double>(pending_events));
    }
    job.done(std::move(job.results));
  }
};

class StoredIntake final : public Intake {
 public:
  StoredIntake(const Options& options, log::Log& log, keys::KeyStore& keys, const Clock& clock,
               Registry& registry, const HashKey& key)
      : log_(log),
        keys_(keys),
        sealer_(keys, registry),
        key_(key),
        catalogue_(catalogue::Catalogue::BuiltIn()),
        shared_(std::make_shared<Shared>(options, clock, registry)) {
    std::random_device device;
    for (uint8_t& byte : unnamed_key_.bytes) byte = static_cast<uint8_t>(device());
    if (options.worker)
      worker_ = StartThread("intake", [this](std::stop_token stop) { Work(stop); });
  }

  ~StoredIntake() override {
    if (worker_.joinable()) {
      worker_.request_stop();
      worker_.join();
    }
    while (std::optional<Job> job = Next()) {
      FailAll(*job, Error(StatusCode::kUnavailable, "intake_stopped",
                          "the process is stopping; send it again"));
      shared_->Finish(*job);
    }
  }

  void Accept(std::vector<IncomingEvent> events, AcceptDone done) override {
    Job job;
    job.results.resize(events.size());
    job.done = std::move(done);
    MakeDrafts(events, job);
    if (job.drafts.empty()) {
      job.done(std::move(job.results));
      return;
    }
    if (Status status = Admit(job); !status.ok()) {
      FailAll(job, status);
      for (const auto& [follower, leader] : job.followers)
        job.results[follower] = job.results[leader];
      job.done(std::move(job.results));
      return;
    }
    if (!shared_->options.worker) {
      std::vector<Job> jobs;
      jobs.push_back(std::move(job));
      Process(std::move(jobs));
      return;
    }
    {
      MutexLock lock(queue_mutex_);
      queue_.push_back(std::move(job));
    }
    woken_.notify_one();
  }

  void UseCatalogue(std::shared_ptr<const catalogue::Catalogue> catalogue) override {
    MutexLock lock(catalogue_mutex_);
    catalogue_ = std::move(catalogue);
  }
  std::shared_ptr<const catalogue::Catalogue> CatalogueInUse() const override {
    MutexLock lock(catalogue_mutex_);
    return catalogue_;
  }

  void Pause(std::string_view reason) override {
    MutexLock lock(shared_->mutex);
    shared_->paused.emplace(reason);
  }
  void Resume(std::string_view reason) override {
    MutexLock lock(shared_->mutex);
    if (const auto found = shared_->paused.find(reason); found != shared_->paused.end())
      shared_->paused.erase(found);
  }
  std::string PausedReason() const override {
    MutexLock lock(shared_->mutex);
    return shared_->paused.empty() ? std::string() : *shared_->paused.begin();
  }

  Overload AnswerTo(const Status& status) const override {
    if (status.code() == StatusCode::kResourceExhausted) return {429, 1};
    const MonotonicTime now = shared_->clock.Monotonic();
    MutexLock lock(shared_->mutex);
    const std::optional<MonotonicTime> since = shared_->failing_since;
    if (since && now - *since >= shared_->options.patience) return {429, kRetryAfterLastingSeconds};
    return {503, 1};
  }

  StatusOr<IdentifierHash> HashIdentifier(const RawIdentifier& identifier,
                                          std::string_view default_region) const override {
    HILO_ASSIGN_OR_RETURN(const NormalisedIdentifier normalised,
                          Normalise(identifier, default_region));
    return HashOf(key_, normalised.kind, normalised.value);
  }

  StatusOr<GroupId> HashGroup(std::string_view kind, std::string_view id) const override {
    const auto normalised = NormaliseGroup(kind, id);
    if (!normalised) {
      return Error(StatusCode::kInvalidArgument, "group_invalid",
                   "a group has a kind (household, company, account, loyalty_card) and an id of 1 "
                   "to 512 bytes");
    }
    return HashOfGroup(key_, kind, *normalised);
  }

 private:
  void MakeDrafts(std::vector<IncomingEvent>& events, Job& job) {
    const auto catalogue = CatalogueInUse();
    std::unordered_map<EventId, size_t> in_batch;  // place in drafts
    for (size_t i = 0; i < events.size(); ++i) {
      IncomingEvent& event = events[i];
      if (event.id.empty()) event.id = UnnamedId();
      StatusOr<Draft> draft = MakeDraft(event, *catalogue, key_, shared_->options.ahead);
      if (!draft.ok()) {
        job.results[i].status = draft.status();
        continue;
      }
      job.results[i].event_id = draft->event_id;
      const auto [first, fresh] = in_batch.emplace(draft->event_id, job.drafts.size());
      if (!fresh) {
        if (job.drafts[first->second].event->body_hash() == draft->event->body_hash()) {
          job.followers.emplace_back(i, job.places[first->second]);
        } else {
          job.results[i].status = Conflict();
        }
        continue;
      }
      if (IsKnown(*draft, job.results[i])) {
        in_batch.erase(draft->event_id);
        continue;
      }
      job.bytes += draft->bytes;
      job.places.push_back(i);
      job.drafts.push_back(*std::move(draft));
    }
  }

  bool IsKnown(const Draft& draft, Accepted& result) {
    MutexLock lock(shared_->mutex);
    const auto known = shared_->recent.Find(draft.event_id);
    if (!known) return false;
    if (known->body_hash == draft.event->body_hash()) {
      result.offset = known->offset;
      result.repeated = true;
    } else {
      result.status = Conflict();
    }
    return true;
  }

  static Status Conflict() {
    return Error(StatusCode::kAlreadyExists, "event_id_conflict",
                 "an event of this id came before with other content; the first one is kept");
  }

  // An id for an event whose source gave none: random, so that no two are taken for one.
  std::string UnnamedId() {
    const uint64_t count = unnamed_.fetch_add(1, std::memory_order_relaxed);
    std::string bytes(reinterpret_cast<const char*>(&count), sizeof count);
    return "unnamed:" + EventId(KeyedHash(unnamed_key_, "unnamed", bytes)).Hex();
  }

  Status Admit(const Job& job) {
    MutexLock lock(shared_->mutex);
    if (!shared_->paused.empty()) {
      shared_->NoteFailure();
      return Error(StatusCode::kUnavailable, "intake_paused",
                   "no events are taken in at the moment; send it again later");
    }
    // One batch of any size is taken when nothing waits.
    if (shared_->pending_events > 0 &&
        (shared_->pending_events + job.drafts.size() > shared_->options.max_pending_events ||
         shared_->pending_bytes + job.bytes > shared_->options.max_pending_bytes)) {
      return Error(StatusCode::kResourceExhausted, "intake_overloaded",
                   "too many events are waiting; send it again later");
    }
    shared_->pending_events += job.drafts.size();
    shared_->pending_bytes += job.bytes;
    shared_->pending.Set(static_cast<double>(shared_->pending_events));
    return OkStatus();
  }

  static void FailAll(Job& job, const Status& status) {
    for (size_t place : job.places) job.results[place].status = status;
  }

  std::optional<Job> Next() {
    MutexLock lock(queue_mutex_);
    if (queue_.empty()) return std::nullopt;
    Job job = std::move(queue_.front());
    queue_.pop_front();
    return job;
  }

  void Work(const std::stop_token& stop) {
    PreferShortWaits();
    for (;;) {
      {
        MutexLock lock(queue_mutex_);
        woken_.wait(queue_mutex_, stop,
                    [this]() HILO_REQUIRES(queue_mutex_) { return !queue_.empty(); });
      }
      if (stop.stop_requested()) return;
      std::vector<Job> jobs;
      for (size_t events = 0; events < kMaxGatheredEvents;) {
        std::optional<Job> job = Next();
        if (!job) break;
        events += job->drafts.size();
        jobs.push_back(*std::move(job));
      }
      if (!jobs.empty()) Process(std::move(jobs));
    }
  }

  // Makes sure of the keys of all jobs together, then seals and appends each.
  void Process(std::vector<Job> jobs) {
    std::unordered_set<SubjectId> unique;
    for (const Job& job : jobs) {
      for (const Draft& draft : job.drafts) unique.insert(draft.subject);
    }
    const std::vector<SubjectId> subjects(unique.begin(), unique.end());
    const Status ensured = keys_.EnsureKeys(subjects);
    KillPoint("intake_after_keys");
    for (Job& job : jobs) {
      if (!ensured.ok()) {
        FailAll(job, ensured);
        MutexLock lock(shared_->mutex);
        shared_->NoteFailure();
      } else {
        SealAndAppend(std::move(job));
        continue;
      }
      shared_->Finish(job);
    }
  }

  void SealAndAppend(Job job) {
    std::vector<log::Record> records;
    std::vector<size_t> appended;  // drafts whose record is in `records`
    for (size_t i = 0; i < job.drafts.size(); ++i) {
      StatusOr<log::Record> record = ToRecord(job.drafts[i]);
      if (record.ok()) {
        records.push_back(*std::move(record));
        appended.push_back(i);
      } else {
        job.results[job.places[i]].status = record.status();
      }
    }
    if (records.empty()) {
      shared_->Finish(job);
      return;
    }
    // The log keeps what it is given in a std::function, which copies.
    auto kept = std::make_shared<Job>(std::move(job));
    log_.Append(
        shared_->options.to, std::move(records),
        [shared = shared_, kept, appended = std::move(appended)](StatusOr<log::Offset> offset) {
          OnAppended(*shared, *kept, appended, offset);
        });
  }

  static void OnAppended(Shared& shared, Job& job, const std::vector<size_t>& appended,
                         const StatusOr<log::Offset>& first) {
    KillPoint("intake_after_append");
    {
      MutexLock lock(shared.mutex);
      if (first.ok()) {
        shared.failing_since.reset();
      } else {
        shared.NoteFailure();
      }
      for (size_t i = 0; i < appended.size(); ++i) {
        const Draft& draft = job.drafts[appended[i]];
        Accepted& result = job.results[job.places[appended[i]]];
        if (!first.ok()) {
          result.status = first.status();
          continue;
        }
        result.offset = *first + static_cast<log::Offset>(i);
        shared.recent.Add(draft.event_id, {draft.event->body_hash(), result.offset});
      }
    }
    shared.Finish(job);
  }

  StatusOr<log::Record> ToRecord(Draft& draft) const {
    for (Draft::ToSeal& part : draft.to_seal) {
      HILO_ASSIGN_OR_RETURN(*part.into, sealer_.Seal(draft.subject, part.field, part.value));
    }
    draft.to_seal.clear();
    if (!draft.body->SerializeToString(draft.event->mutable_body())) {
      return Error(StatusCode::kInternal, "unencodable", "an event could not be encoded");
    }
    draft.body.reset();
    store::v1::Record record;
    record.set_event(draft.event->SerializeAsString());
    draft.event->clear_body();
    return log::Record{
        .key = std::string(draft.event_id.Bytes()), .header = {}, .payload = fold::Encode(record)};
  }

  log::Log& log_;
  keys::KeyStore& keys_;
  const keys::Sealer sealer_;
  const HashKey key_;
  HashKey unnamed_key_;
  std::atomic<uint64_t> unnamed_{0};

  mutable Mutex catalogue_mutex_;
  std::shared_ptr<const catalogue::Catalogue> catalogue_ HILO_GUARDED_BY(catalogue_mutex_);

  const std::shared_ptr<Shared> shared_;

  Mutex queue_mutex_;
  ConditionVariable woken_;
  std::deque<Job> queue_ HILO_GUARDED_BY(queue_mutex_);  // bounded by max_pending_events
  std::jthread worker_;
};

}  // namespace

void Intake::Accept(IncomingEvent event, std::function<void(Accepted)> done) {
  std::vector<IncomingEvent> events;
  events.push_back(std::move(event));
  Accept(std::move(events), [done = std::move(done)](std::vector<Accepted> results) {
    done(std::move(results.front()));
  });
}

StatusOr<std::unique_ptr<Intake>> Intake::Create(Options options, log::Log& log,
                                                 keys::KeyStore& keys, const Clock& clock,
                                                 Registry& registry) {
  if (log.PartitionCount(options.to.topic) <= options.to.partition) {
    return Error(StatusCode::kNotFound, "not_found",
                 "the log has no such topic or partition for events");
  }
  HILO_ASSIGN_OR_RETURN(const HashKey key, keys.IdentifierKey());
  return std::unique_ptr<Intake>(
      std::make_unique<StoredIntake>(options, log, keys, clock, registry, key));
}

int HttpStatusOf(const Status& status, const Overload& overload) {
  if (status.ok()) return 200;
  const std::string reason = Reason(status);
  if (reason.starts_with("identifier_") || reason.starts_with("cti_")) return 422;
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
      return 400;
    case StatusCode::kAlreadyExists:
      return 409;
    default:
      // Whatever else went wrong is ours: nothing that makes an SDK throw the events away.
      return overload.status;
  }
}

}  // namespace hilo::kit
