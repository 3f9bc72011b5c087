#include <gtest/gtest.h>

#include <random>
#include <set>

#include "oracle.h"
#include "state/types/bucket.h"
#include "world.h"

namespace hilo::identity {
namespace {

constexpr int64_t kWeek = 7 * kDay;

// A record of events, or a tick.
struct Input {
  std::optional<EventSpec> event;
  int64_t now = 0;  // log time at which it is folded
};

// What a run came to.
struct Folded {
  std::shared_ptr<const store::MapStore::Rows> rows;
  std::vector<std::string> emitted;
  std::vector<std::string> reasons;  // by input; "" is accepted
};

std::vector<std::string> Pool(std::mt19937_64& random) {
  std::vector<std::string> pool;
  const int each = std::uniform_int_distribution(2, 7)(random);
  for (const char* kind : {"user", "email", "phone", "anon", "device", "weak email info"}) {
    const int count = std::string(kind) == "anon" ? 2 * each : each;
    for (int i = 0; i < count; ++i) pool.push_back(std::string(kind) + " " + std::to_string(i));
  }
  return pool;
}

std::vector<Input> History(uint64_t seed, const std::vector<std::string>& pool) {
  std::mt19937_64 random(seed);
  const auto upto = [&](int64_t most) {
    return std::uniform_int_distribution<int64_t>(0, most)(random);
  };
  const int64_t steps = 40 + upto(260);
  std::vector<Input> inputs;
  int64_t now = upto(9) == 0 ? 0 : kNewYear;
  for (int64_t i = 0; i < steps; ++i) {
    if (upto(9) == 0) {
      now = std::max(now, kNewYear) + (upto(19) == 0 ? upto(5 * kDay) : upto(kHour));
      inputs.push_back({.now = now});
      continue;
    }
    const Input& old =
        inputs.empty() ? Input{}
                       : inputs[static_cast<size_t>(upto(static_cast<int64_t>(inputs.size()) - 1))];
    if (old.event && upto(11) == 0) {
      inputs.push_back({.event = old.event, .now = now});  // a connector repeats itself
      if (upto(4) == 0) inputs.back().event->body += " changed";
      continue;
    }
    EventSpec event{.id = std::to_string(i), .micros = std::max(now, kNewYear)};
    if (upto(5) == 0) event.micros -= upto(8 * kDay);
    if (upto(5) == 0) event.micros += upto(kHour);
    for (int64_t n = 1 + upto(upto(7) == 0 ? 7 : 2); n > 0; --n) {
      event.identifiers.push_back(
          pool[static_cast<size_t>(upto(static_cast<int64_t>(pool.size()) - 1))]);
    }
    if (upto(3) == 0)
      event.groups.push_back({"company", std::to_string(upto(3)), upto(1) ? "boss" : ""});
    inputs.push_back({.event = event, .now = now});
  }
  return inputs;
}

struct FoldingOptions {
  size_t batch = 1;
  size_t cached = 64;
  bool restart = false;       // after each batch
  uint64_t abandon_seed = 0;  // > 0: batches fail at random and are folded again
};

Folded FoldAll(const std::vector<Input>& inputs, const FoldingOptions& options) {
  const log::TopicPartition from{"events", 0};
  store::MapStore store;
  StagedContext context(store);
  const auto fresh = [&options] {
    return NewIdentityFold({.id_key = TestKey(),
                            .cached_identifiers = options.cached,
                            .cached_customers = options.cached,
                            .cached_places = options.cached});
  };
  std::unique_ptr<fold::Fold> fold = fresh();
  std::mt19937_64 random(options.abandon_seed);
  Folded run;
  for (size_t begin = 0; begin < inputs.size();) {
    const size_t end = std::min(inputs.size(), begin + options.batch);
    std::vector<std::string> reasons;
    const size_t emitted = context.emitted.size();
    for (size_t at = begin; at < end; ++at) {
      context.now = {inputs[at].now};
      fold::Outcome outcome = fold::Outcome::Ok();
      if (inputs[at].event) {
        const store::v1::RecordHeader header;
        const store::v1::Record record = RecordOf(EventOf(*inputs[at].event));
        outcome = fold->Apply({.from = from,
                               .offset = static_cast<log::Offset>(at),
                               .append_micros = kNewYear,
                               .header = header,
                               .record = record},
                              context);
      } else {
        outcome = fold->Ticked(context);
      }
      EXPECT_TRUE(outcome.ok() || outcome.refused()) << outcome.status();
      reasons.push_back(Reason(outcome.status()));
    }
    if (options.abandon_seed > 0 && random() % 2 == 0) {
      context.Drop();
      context.emitted.resize(emitted);
      fold->Forget();
      continue;
    }
    context.Write();
    run.reasons.insert(run.reasons.end(), reasons.begin(), reasons.end());
    if (options.restart) fold = fresh();
    begin = end;
  }
  run.rows = store.AllRows();
  for (const Emission& emission : context.emitted) {
    run.emitted.push_back(emission.to.topic + std::to_string(emission.to.partition) +
                          emission.record.SerializeAsString());
  }
  return run;
}

TEST(IdentityProperty, BatchesRestartsAndFailuresChangeNothing) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const std::vector<Input> inputs = History(seed, Pool(random));
    const Folded first = FoldAll(inputs, {});
    for (const FoldingOptions& options :
         {FoldingOptions{.batch = 7}, FoldingOptions{.batch = 1'000, .cached = 1},
          FoldingOptions{.batch = 1, .restart = true},
          FoldingOptions{.batch = 5, .restart = true, .abandon_seed = seed},
          FoldingOptions{.batch = 13, .abandon_seed = seed}}) {
      const Folded other = FoldAll(inputs, options);
      ASSERT_EQ(*first.rows, *other.rows) << "batch " << options.batch;
      ASSERT_EQ(first.emitted, other.emitted) << "batch " << options.batch;
      ASSERT_EQ(first.reasons, other.reasons) << "batch " << options.batch;
    }
  }
}

Oracle::Name NameOf(const std::string& text) {
  const store::v1::Identifier identifier = IdentifierOf(text);
  static const char* const kKinds[] = {"", "0user", "1email", "1phone", "2anon", "2device"};
  std::string kind = kKinds[identifier.kind()];
  // A role address stands among the weak ones before them, as an e-mail address does by its kind.
  if (identifier.weak()) kind = "20email";
  return {.kind = kind, .hash = identifier.hash(), .text = text};
}

// Follows one run of the fold record by record with the oracle beside it.
class Judge {
 public:
  explicit Judge(std::vector<std::string> pool) : pool_(std::move(pool)) {}

  void Follow(const Input& input) {
    const int64_t offset = world_.offset();
    world_.SetNow(input.now);
    if (!input.event) {
      world_.Tick(input.now);
      // A tick takes an offset in the property's other runs too; here ids need only be consistent.
      return;
    }
    const EventSpec& event = *input.event;
    world_.context().emitted.clear();
    const fold::Outcome outcome = world_.Apply(event);
    const bool late = input.now > 0 && event.micros < input.now - 7 * kDay;
    const auto known = accepted_.find(event.id);
    if (known != accepted_.end()) {
      // Known or, once it is forgotten, too late: never again.
      EXPECT_TRUE(world_.emitted().empty()) << "event " << event.id << " came twice";
      if (outcome.ok()) {
        EXPECT_EQ(known->second, event.body);
      } else if (!late) {
        EXPECT_EQ(Reason(outcome.status()), "event_id_conflict");
        EXPECT_NE(known->second, event.body);
      }
      return;
    }
    if (late) {
      EXPECT_EQ(Reason(outcome.status()), "event_too_late");
      return;
    }
    std::vector<Oracle::Name> names;
    for (const std::string& text : event.identifiers) names.push_back(NameOf(text));
    const std::optional<Oracle::Told> want = oracle_.Event(offset, input.now / kWeek, names);
    if (!want) {
      EXPECT_EQ(Reason(outcome.status()), "strong_conflict");
      return;
    }
    accepted_[event.id] = event.body;
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    Compare(*want, event);
  }

  void Compare(const Oracle::Told& want, const EventSpec& event) {
    ASSERT_EQ(world_.emitted().size(), 1 + want.suggestions.size());
    const store::v1::CustomerEvent& told = world_.emitted()[0].record.customer_event();
    const CustomerId customer = Id(want.person);
    EXPECT_EQ(told.customer(), customer.Bytes());
    EXPECT_EQ(told.member(), customer.Bytes());
    EXPECT_EQ(told.begins(), want.begins);
    EXPECT_EQ(told.event(), EventOf(event).SerializeAsString());
    ASSERT_EQ(told.suggestions_size(), static_cast<int>(want.suggestions.size()));
    for (size_t i = 0; i < want.suggestions.size(); ++i) {
      const auto& [other, reason] = want.suggestions[i];
      const store::v1::SuggestionNote& mine = told.suggestions(static_cast<int>(i));
      EXPECT_EQ(mine.other(), Id(other).Bytes());
      EXPECT_EQ(mine.reason(), reason);
      const Emission& sent = world_.emitted()[1 + i];
      EXPECT_EQ(sent.to.partition, PartitionOf(Id(other), 4));
      EXPECT_EQ(sent.record.customer_event().customer(), Id(other).Bytes());
      EXPECT_EQ(sent.record.customer_event().suggestions(0).other(), customer.Bytes());
    }
    std::set<uint32_t> bound(told.bound().begin(), told.bound().end());
    for (size_t i = 0; i < event.identifiers.size(); ++i) {
      const auto first =
          std::find(event.identifiers.begin(), event.identifiers.end(), event.identifiers[i]);
      const bool repeated = first - event.identifiers.begin() != static_cast<long>(i);
      EXPECT_EQ(bound.contains(static_cast<uint32_t>(i)),
                !repeated && oracle_.Owner(NameOf(event.identifiers[i])) == want.person)
          << event.identifiers[i];
    }
  }

  // Identifiers never change hands: they are bound once, and at most become shared.
  void CheckIdentifiers(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      const Oracle::Name name = NameOf(text);
      const std::optional<IdentifierFound> found = world_.Find(text);
      const int64_t owner = oracle_.Owner(name);
      ASSERT_EQ(found.has_value(), owner >= 0 || oracle_.Shared(name)) << text;
      if (!found) continue;
      ASSERT_EQ(found->shared, oracle_.Shared(name)) << text;
      ASSERT_EQ(found->place.has_value(), owner >= 0) << text;
      if (!found->place) continue;
      ASSERT_EQ(found->place->customer, Id(owner)) << text;
      const auto [before, first] = bound_.try_emplace(text, found->place->customer);
      ASSERT_EQ(before->second, found->place->customer) << text << " changed hands";
    }
  }

  void CheckCustomers() {
    EXPECT_EQ(world_.RowsIn(store::Table::kCustomer), oracle_.persons().size());
    EXPECT_EQ(world_.RowsIn(store::Table::kSuggestion), oracle_.pairs());
    EXPECT_EQ(world_.RowsIn(store::Table::kSuggestionPair), 2 * oracle_.pairs());
    std::map<CustomerId, std::set<std::string>> users;
    for (const std::string& text : pool_) {
      const std::optional<IdentifierFound> found = world_.Find(text);
      if (text.starts_with("user") && found) users[found->place->customer].insert(text);
    }
    for (const auto& [customer, names] : users) EXPECT_EQ(names.size(), 1u) << customer.Hex();
    for (const auto& [born, person] : oracle_.persons()) {
      const auto bytes = world_.store().Get(CustomerKey(Id(born)));
      ASSERT_TRUE(bytes.ok() && bytes->has_value());
      const StatusOr<CustomerState> row = DecodeCustomer(**bytes);
      ASSERT_TRUE(row.ok());
      EXPECT_EQ(row->birth, born);
      EXPECT_EQ(row->Identifiers(), person.ids.size());
      EXPECT_EQ(row->suggestions, static_cast<uint32_t>(person.suggestions));
    }
  }

  size_t accepted() const { return accepted_.size(); }
  const Oracle& oracle() const { return oracle_; }

 private:
  CustomerId Id(int64_t born) const { return CustomerIdAt(TestKey(), {"events", 0}, born, 0); }

  const std::vector<std::string> pool_;
  World world_;
  Oracle oracle_;
  std::map<std::string, std::string> accepted_;  // event id -> body
  std::map<std::string, CustomerId> bound_;
};

TEST(IdentityProperty, AgreesWithTheOracle) {
  size_t accepted = 0;
  size_t pairs = 0;
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const std::vector<std::string> pool = Pool(random);
    Judge judge(pool);
    for (const Input& input : History(seed, pool)) {
      judge.Follow(input);
      judge.CheckIdentifiers(input.event ? input.event->identifiers : pool);
      if (HasFailure()) return;
    }
    judge.CheckIdentifiers(pool);
    judge.CheckCustomers();
    if (HasFailure()) return;
    accepted += judge.accepted();
    pairs += judge.oracle().pairs();
  }
  // The histories reach what they are for.
  EXPECT_GT(accepted, 30'000u);
  EXPECT_GT(pairs, 2'000u);
}

}  // namespace
}  // namespace hilo::identity
