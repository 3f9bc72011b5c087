#include "connectors/serving/hub.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "connectors/serving/access.h"
#include "connectors/serving/names.h"
#include "connectors/serving/views.h"
#include "ops/base/metric_names.h"
#include "streams/customer/reader.h"
#include "streams/identity/lookup.h"

namespace hilo::serving {
namespace {

constexpr std::string_view kTokenPrefix = "w1";
constexpr int kMaxOthers = 10;

// A resume token: how far each partition had been told.
std::string MakeToken(const std::vector<int64_t>& positions) {
  std::string token(kTokenPrefix);
  for (const int64_t position : positions) token += "." + std::to_string(position);
  return token;
}

std::optional<std::vector<int64_t>> ParseToken(std::string_view token, size_t partitions) {
  if (!token.starts_with(kTokenPrefix)) return std::nullopt;
  token.remove_prefix(kTokenPrefix.size());
  std::vector<int64_t> positions;
  while (!token.empty()) {
    if (token.front() != '.') return std::nullopt;
    token.remove_prefix(1);
    int64_t position = 0;
    size_t digits = 0;
    for (; digits < token.size() && token[digits] >= '0' && token[digits] <= '9' && digits < 18;
         ++digits) {
      position = position * 10 + (token[digits] - '0');
    }
    if (digits == 0) return std::nullopt;
    token.remove_prefix(digits);
    positions.push_back(position);
  }
  if (positions.size() != partitions) return std::nullopt;
  return positions;
}

void SetNow(const Clock& clock, google::protobuf::Timestamp* time) {
  const int64_t micros = clock.Wall().time_since_epoch().count();
  time->set_seconds(micros / 1'000'000);
  time->set_nanos(static_cast<int32_t>(micros % 1'000'000 * 1'000));
}

}  // namespace

// One live stream. Notices mark it; a task on the worker sends what is marked.
class Subscription final : public std::enable_shared_from_this<Subscription> {
 public:
  Subscription(Hub& hub, std::shared_ptr<Call> call, std::shared_ptr<MessageSink> sink,
               std::vector<CustomerId> customers, size_t timeline_size)
      : hub_(hub),
        call_(std::move(call)),
        sink_(std::move(sink)),
        customers_(std::move(customers)),
        timeline_size_(timeline_size),
        ends_(hub.options_.clock.Monotonic() + Hub::kShortestLife + Jitter()),
        last_sent_(hub.options_.clock.Monotonic()) {}

  const std::vector<CustomerId>& customers() const { return customers_; }
  const std::string& agent() const { return call_->principal().agent; }

  // Begins: from `token` when it is usable, else with a snapshot.
  void Begin(const std::optional<std::vector<int64_t>>& token) HILO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    resume_ = token;
    snapshot_due_ = true;
    Schedule();
  }

  void MarkCustomer(CustomerId customer, int64_t receive_micros) HILO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    int64_t& received = customers_changed_[customer];
    received = std::max(received, receive_micros);
    Schedule();
  }

  void MarkCall(const fold::Notice& notice) HILO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    CallMark& mark = calls_changed_[notice.interaction];
    mark.customer = notice.customer;
    mark.began_ringing = mark.began_ringing || notice.began_ringing;
    Schedule();
  }

  // Once a second.
  void Beat() HILO_EXCLUDES(mutex_) {
    const MonotonicTime now = hub_.options_.clock.Monotonic();
    if (now >= ends_) {
      return Finish(Error(StatusCode::kUnavailable, "stream_too_old",
                          "this stream is long enough; come back with the last resume token"));
    }
    MutexLock lock(mutex_);
    if (now - last_sent_ < Hub::kHeartbeat) return;
    heartbeat_due_ = true;
    Schedule();
  }

  void Finish(const Status& status) {
    sink_->Finish(status);
    hub_.Remove(this);
  }

 private:
  struct CallMark {
    CustomerId customer;
    bool began_ringing = false;
  };
  struct Work {
    bool snapshot = false;
    bool heartbeat = false;
    bool overflowed = false;
    std::optional<std::vector<int64_t>> resume;
    std::map<CustomerId, int64_t> customers;
    std::map<InteractionId, CallMark> calls;
  };

  std::chrono::seconds Jitter() const {
    // Spread by who it is; it need not be random, only different.
    return std::chrono::seconds(reinterpret_cast<uintptr_t>(this) / 64 % 1'800);
  }

  void Schedule() HILO_REQUIRES(mutex_) {
    if (scheduled_ || stuck_) return;
    scheduled_ = hub_.options_.worker.Post([self = shared_from_this()] { self->Flush(); });
  }

  Work Take() HILO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    scheduled_ = false;
    Work work;
    work.snapshot = std::exchange(snapshot_due_, false);
    work.heartbeat = std::exchange(heartbeat_due_, false);
    work.overflowed = std::exchange(overflowed_, false);
    work.resume = std::exchange(resume_, std::nullopt);
    work.customers.swap(customers_changed_);
    work.calls.swap(calls_changed_);
    return work;
  }

  // Sends what is marked. Runs on the worker only.
  void Flush() HILO_EXCLUDES(mutex_) {
    if (call_->Cancelled()) return hub_.Remove(this);
    // Positions first, marks second: what a position covers has been marked by then.
    std::vector<int64_t> positions;
    for (const auto& position : hub_.folded_)
      positions.push_back(position.load(std::memory_order_acquire));
    const Work work = Take();
    token_ = MakeToken(positions);
    bool open = true;
    if (work.overflowed) open = SendResync("overflow");
    if (open && work.snapshot) open = SendSnapshot(work.resume, positions);
    for (const auto& [customer, receive_micros] : work.customers) {
      if (open) open = SendChange(customer, receive_micros);
    }
    for (const auto& [interaction, mark] : work.calls) {
      if (open) open = SendCall(interaction, mark);
    }
    if (open && work.heartbeat) {
      v1::WatchDesktopResponse message;
      SetNow(hub_.options_.clock, message.mutable_heartbeat()->mutable_time());
      Send(std::move(message));
    }
  }

  // False when the stream cannot go on now.
  bool Send(v1::WatchDesktopResponse message) HILO_EXCLUDES(mutex_) {
    message.set_resume_token(token_);
    switch (sink_->Send(message)) {
      case MessageSink::Result::kTaken: {
        MutexLock lock(mutex_);
        last_sent_ = hub_.options_.clock.Monotonic();
        return true;
      }
      case MessageSink::Result::kFull: {
        {
          MutexLock lock(mutex_);
          stuck_ = true;
        }
        sink_->OnWritable([weak = weak_from_this()] {
          if (const auto self = weak.lock()) self->Recover();
        });
        return false;
      }
      case MessageSink::Result::kClosed:
        break;
    }
    hub_.Remove(this);
    return false;
  }

  // The reader reads again: begin anew, since changes may have been passed over.
  void Recover() HILO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    stuck_ = false;
    overflowed_ = true;
    snapshot_due_ = true;
    Schedule();
  }

  bool SendResync(std::string_view reason) {
    hub_.options_.registry.Get(metric::kStreamResyncs).Increment();
    v1::WatchDesktopResponse message;
    message.mutable_resync()->set_reason(std::string(reason));
    return Send(std::move(message));
  }

  // nullopt also for a customer who is not, or no longer, this principal's to see.
  StatusOr<std::optional<v1::Context>> Read(CustomerId customer, size_t timeline_size) const {
    const Hub::Options& options = hub_.options_;
    const Status access = CheckAccess(options.node, call_->principal(), customer);
    if (access.code() == StatusCode::kPermissionDenied) return std::optional<v1::Context>();
    HILO_RETURN_IF_ERROR(access);
    return ReadContext(options.node, options.sealer, options.catalogue.Catalogue(), customer,
                       timeline_size, options.clock);
  }

  // Ends the stream with an error of ours.
  bool Fail(const Status& status) {
    Finish(status);
    return false;
  }

  bool Audit(CustomerId customer, std::string_view field_group) {
    if (Status audited = call_->Audit(customer.Hex(), field_group); !audited.ok())
      return Fail(audited);
    hub_.options_.registry.Get(metric::kViews).Increment();
    return true;
  }

  bool SendSnapshot(const std::optional<std::vector<int64_t>>& resume,
                    const std::vector<int64_t>& positions) {
    // What can go on from the token gets its new entries as changes behind the snapshot; the others
    // are whole in it.
    std::vector<v1::WatchDesktopResponse> resumed;
    v1::WatchDesktopResponse message;
    v1::DesktopSnapshot* snapshot = message.mutable_snapshot();
    for (const CustomerId& customer : customers_) {
      const uint32_t partition = PartitionOfCustomer(hub_.options_.node, customer);
      const bool may_resume = resume && (*resume)[partition] <= positions[partition];
      if (resume && !may_resume && !SendResync("restarted")) return false;
      auto context = Read(customer, may_resume ? Hub::kMaxResumedEntries : timeline_size_);
      if (!context.ok()) return Fail(context.status());
      sent_up_to_[customer] = positions[partition];
      if (!*context) continue;
      if (!Audit(customer, "context")) return false;
      if (!may_resume) {
        *snapshot->add_contexts() = **std::move(context);
        continue;
      }
      auto fresh = EntriesSince(customer, (*resume)[partition]);
      if (!fresh.ok()) return Fail(fresh.status());
      if (fresh->size() >= Hub::kMaxResumedEntries) {
        if (!SendResync("too_old")) return false;
        auto whole = Read(customer, timeline_size_);
        if (!whole.ok()) return Fail(whole.status());
        if (*whole) *snapshot->add_contexts() = **std::move(whole);
        continue;
      }
      v1::CustomerChange* change = resumed.emplace_back().mutable_change();
      *change->mutable_context() = **std::move(context);
      change->mutable_context()->clear_timeline();
      for (v1::TimelineEntry& entry : *fresh)
        *change->mutable_context()->add_timeline() = std::move(entry);
    }
    if (!AddCalls(snapshot)) return false;
    if (!Send(std::move(message))) return false;
    for (v1::WatchDesktopResponse& change : resumed) {
      if (!Send(std::move(change))) return false;
    }
    return true;
  }

  // Entries at or above `offset` in the customer's partition, newest first, at most
  // kMaxResumedEntries.
  StatusOr<std::vector<v1::TimelineEntry>> EntriesSince(CustomerId customer, int64_t offset) {
    const Hub::Options& options = hub_.options_;
    const uint32_t partition = PartitionOfCustomer(options.node, customer);
    const auto view = options.node.CustomersStore(partition).NewView();
    HILO_ASSIGN_OR_RETURN(const auto page,
                          customer::ReadTimeline(*view, customer, {BirthMember(customer)},
                                                 {.page_size = Hub::kMaxResumedEntries}));
    const Renderer renderer(
        options.sealer, options.catalogue.Catalogue(),
        ShownNow(options.node.StandingOf(CustomersPartition(partition)), options.clock));
    std::vector<v1::TimelineEntry> entries;
    int64_t& sent_up_to = sent_up_to_[customer];
    for (const auto& entry : page.entries) {
      if (entry.row.offset() < offset) continue;
      entries.push_back(renderer.Entry(customer.Bytes(), entry.place, entry.row));
      sent_up_to = std::max(sent_up_to, entry.row.offset() + 1);
    }
    return entries;
  }

  bool SendChange(CustomerId customer, int64_t receive_micros) {
    auto context = Read(customer, 0);
    if (!context.ok()) return Fail(context.status());
    if (!*context) return true;
    auto fresh = EntriesSince(customer, sent_up_to_[customer]);
    if (!fresh.ok()) return Fail(fresh.status());
    if (!Audit(customer, "change")) return false;
    v1::WatchDesktopResponse message;
    v1::CustomerChange* change = message.mutable_change();
    *change->mutable_context() = **std::move(context);
    for (v1::TimelineEntry& entry : *fresh)
      *change->mutable_context()->add_timeline() = std::move(entry);
    if (receive_micros != 0) {
      change->mutable_receive_time()->set_seconds(receive_micros / 1'000'000);
      change->mutable_receive_time()->set_nanos(
          static_cast<int32_t>(receive_micros % 1'000'000 * 1'000));
    }
    return Send(std::move(message));
  }

  // What is at this agent now, over all partitions.
  bool AddCalls(v1::DesktopSnapshot* snapshot) {
    if (agent().empty()) return true;
    for (uint32_t partition = 0; partition < hub_.options_.node.CustomerPartitions(); ++partition) {
      const auto view = hub_.options_.node.CustomersStore(partition).NewView();
      const auto calls = customer::CallsOfAgent(*view, agent());
      if (!calls.ok()) return Fail(calls.status());
      for (const auto& at_agent : *calls) {
        const auto call =
            BuildCall(*view, partition, at_agent.customer, at_agent.interaction.interaction());
        if (!call.ok()) return Fail(call.status());
        if (!*call) continue;
        if (!Audit(at_agent.customer, "call")) return false;
        *snapshot->add_calls() = **call;
      }
    }
    return true;
  }

  StatusOr<std::optional<v1::Call>> BuildCall(const store::Reader& reader, uint32_t partition,
                                              CustomerId customer,
                                              std::string_view interaction) const {
    const Hub::Options& options = hub_.options_;
    HILO_ASSIGN_OR_RETURN(const auto row, customer::ReadCustomer(reader, customer));
    if (!row) return std::optional<v1::Call>();
    const auto found =
        std::find_if(row->interactions().begin(), row->interactions().end(),
                     [&](const auto& candidate) { return candidate.interaction() == interaction; });
    if (found == row->interactions().end()) return std::optional<v1::Call>();
    const Renderer renderer(
        options.sealer, options.catalogue.Catalogue(),
        ShownNow(options.node.StandingOf(CustomersPartition(partition)), options.clock));
    v1::Call call;
    *call.mutable_interaction() = renderer.Interaction(row->customer(), *found);
    *call.mutable_customer() = renderer.Customer(*row);
    call.set_known(found->known_before());
    HILO_RETURN_IF_ERROR(AddOthers(*row, &call));
    return std::optional<v1::Call>(std::move(call));
  }

  // Persons of the same groups, who may be the one who calls.
  Status AddOthers(const store::v1::MemberRow& row, v1::Call* call) const {
    const Hub::Options& options = hub_.options_;
    std::set<CustomerId> seen{*CustomerId::FromBytes(row.customer())};
    const auto identity = options.node.IdentityStore().NewView();
    for (const auto& membership : row.groups()) {
      const auto group = GroupId::FromBytes(membership.group().group());
      if (!group) continue;
      HILO_ASSIGN_OR_RETURN(const auto page,
                            identity::FindByGroup(*identity, *group, std::nullopt, kMaxOthers + 1));
      for (const auto& member : page.members) {
        if (call->others_size() == kMaxOthers || !seen.insert(member.place.customer).second)
          continue;
        const Status access = CheckAccess(options.node, call_->principal(), member.place.customer);
        if (access.code() == StatusCode::kPermissionDenied) continue;
        HILO_RETURN_IF_ERROR(access);
        const uint32_t partition = PartitionOfCustomer(options.node, member.place.customer);
        HILO_ASSIGN_OR_RETURN(
            const auto other,
            customer::ReadCustomer(options.node.CustomersStore(partition), member.place.customer));
        if (!other) continue;
        const Renderer renderer(
            options.sealer, options.catalogue.Catalogue(),
            ShownNow(options.node.StandingOf(CustomersPartition(partition)), options.clock));
        *call->add_others() = renderer.Customer(*other);
      }
    }
    return OkStatus();
  }

  bool SendCall(InteractionId interaction, const CallMark& mark) {
    const uint32_t partition = PartitionOfCustomer(hub_.options_.node, mark.customer);
    const auto view = hub_.options_.node.CustomersStore(partition).NewView();
    auto call = BuildCall(*view, partition, mark.customer, interaction.Bytes());
    if (!call.ok()) return Fail(call.status());
    if (!*call) return true;
    if (!Audit(mark.customer, "call")) return false;
    v1::WatchDesktopResponse message;
    *message.mutable_call()->mutable_call() = **std::move(call);
    if (mark.began_ringing) {
      auto context = Read(mark.customer, timeline_size_);
      if (!context.ok()) return Fail(context.status());
      if (*context) *message.mutable_call()->mutable_context() = **std::move(context);
    }
    return Send(std::move(message));
  }

  Hub& hub_;
  const std::shared_ptr<Call> call_;
  const std::shared_ptr<MessageSink> sink_;
  const std::vector<CustomerId> customers_;
  const size_t timeline_size_;
  const MonotonicTime ends_;

  // Of the worker only.
  std::string token_;
  std::map<CustomerId, int64_t> sent_up_to_;

  Mutex mutex_;
  bool scheduled_ HILO_GUARDED_BY(mutex_) = false;
  bool stuck_ HILO_GUARDED_BY(mutex_) = false;
  bool snapshot_due_ HILO_GUARDED_BY(mutex_) = false;
  bool heartbeat_due_ HILO_GUARDED_BY(mutex_) = false;
  bool overflowed_ HILO_GUARDED_BY(mutex_) = false;
  MonotonicTime last_sent_ HILO_GUARDED_BY(mutex_);
  std::optional<std::vector<int64_t>> resume_ HILO_GUARDED_BY(mutex_);
  std::map<CustomerId, int64_t> customers_changed_ HILO_GUARDED_BY(mutex_);
  std::map<InteractionId, CallMark> calls_changed_ HILO_GUARDED_BY(mutex_);
};

Hub::Hub(Options options)
    : options_(options),
      ingest_to_context_(options.registry.Get(metric::kIngestToContext)),
      folded_(options.partitions) {}

Hub::~Hub() { Stop(); }

void Hub::Watch(std::shared_ptr<Call> call, const v1::WatchDesktopRequest& request,
                std::shared_ptr<MessageSink> sink) {
  if (request.customers_size() > kMaxWatched) {
    return sink->Finish(
        Error(StatusCode::kInvalidArgument, "too_many_watched", "'customers' are at most 16"));
  }
  std::vector<CustomerId> customers;
  for (const std::string& name : request.customers()) {
    const auto customer = ParseCustomer(name, "customers");
    if (!customer.ok()) return sink->Finish(customer.status());
    const Status access = CheckAccess(options_.node, call->principal(), *customer);
    if (!access.ok()) return sink->Finish(access);
    if (std::find(customers.begin(), customers.end(), *customer) == customers.end())
      customers.push_back(*customer);
  }
  const auto timeline_size = PageSize(request.timeline_size(), kStandardPage, kLargestPage);
  if (!timeline_size.ok()) return sink->Finish(timeline_size.status());
  std::optional<std::vector<int64_t>> token;
  if (!request.resume_token().empty()) {
    token = ParseToken(request.resume_token(), folded_.size());
    if (!token) {
      return sink->Finish(
          Error(StatusCode::kInvalidArgument, "resume_token_invalid",
                "'resume_token' is not one that this service gave; begin without it"));
    }
  }
  auto subscription = std::make_shared<Subscription>(*this, std::move(call), sink,
                                                     std::move(customers), *timeline_size);
  {
    MutexLock lock(mutex_);
    if (subscriptions_.size() >= kMaxSubscriptions) {
      return sink->Finish(Error(StatusCode::kResourceExhausted, "too_many_streams",
                                "this node has as many live streams as it may"));
    }
    subscriptions_.emplace(subscription.get(), subscription);
    for (const CustomerId& customer : subscription->customers())
      by_customer_[customer].push_back(subscription);
    if (!subscription->agent().empty()) by_agent_[subscription->agent()].push_back(subscription);
    count_.store(subscriptions_.size(), std::memory_order_release);
  }
  options_.registry.Get(metric::kStreamSubscribers).Add(1);
  sink->OnClosed([this, weak = std::weak_ptr<Subscription>(subscription)] {
    if (const auto held = weak.lock()) Remove(held.get());
  });
  subscription->Begin(token);
}

void Hub::Remove(const Subscription* subscription) {
  std::shared_ptr<Subscription> removed;
  MutexLock lock(mutex_);
  const auto found = subscriptions_.find(subscription);
  if (found == subscriptions_.end()) return;
  removed = std::move(found->second);
  subscriptions_.erase(found);
  const auto forget = [&](auto& index, const auto& key) {
    const auto entry = index.find(key);
    if (entry == index.end()) return;
    std::erase(entry->second, removed);
    if (entry->second.empty()) index.erase(entry);
  };
  for (const CustomerId& customer : removed->customers()) forget(by_customer_, customer);
  forget(by_agent_, removed->agent());
  count_.store(subscriptions_.size(), std::memory_order_release);
  options_.registry.Get(metric::kStreamSubscribers).Add(-1);
}

std::vector<std::shared_ptr<Subscription>> Hub::All() const {
  std::vector<std::shared_ptr<Subscription>> all;
  MutexLock lock(mutex_);
  for (const auto& [pointer, subscription] : subscriptions_) all.push_back(subscription);
  return all;
}

void Hub::Beat() {
  for (const auto& subscription : All()) subscription->Beat();
}

void Hub::Stop() {
  for (const auto& subscription : All()) {
    subscription->Finish(Error(StatusCode::kUnavailable, "stopping",
                               "this node stops; come back with the last resume token"));
  }
}

void Hub::OnNotice(const log::TopicPartition& of, const fold::Notice& notice) {
  if (notice.kind == fold::Notice::Kind::kMemberChanged && notice.receive_micros != 0) {
    ingest_to_context_.Observe(
        Micros(options_.clock.Wall().time_since_epoch().count() - notice.receive_micros));
  }
  if (count_.load(std::memory_order_acquire) == 0) return;
  std::vector<std::shared_ptr<Subscription>> concerned;
  {
    MutexLock lock(mutex_);
    if (notice.kind == fold::Notice::Kind::kMemberChanged) {
      if (const auto found = by_customer_.find(notice.customer); found != by_customer_.end())
        concerned = found->second;
    } else if (notice.kind == fold::Notice::Kind::kAgentCall) {
      if (const auto found = by_agent_.find(notice.agent); found != by_agent_.end())
        concerned = found->second;
    }
  }
  for (const auto& subscription : concerned) {
    notice.kind == fold::Notice::Kind::kAgentCall
        ? subscription->MarkCall(notice)
        : subscription->MarkCustomer(notice.customer, notice.receive_micros);
  }
}

void Hub::OnFolded(const log::TopicPartition& of, log::Offset position) {
  if (of.topic == "customers" && of.partition < folded_.size()) {
    folded_[of.partition].store(position, std::memory_order_release);
  }
}

}  // namespace hilo::serving
