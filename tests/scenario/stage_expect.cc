#include <algorithm>
#include <utility>

#include "connectors/serving/render.h"
#include "connectors/serving/views.h"
#include "state/catalogue/catalogue.h"
#include "streams/customer/reader.h"
#include "streams/identity/lookup.h"
#include "tests/scenario/stage.h"

// The half of Stage that asks: what a story expects is read off what serving would show.
namespace hilo::scenario {
namespace {

constexpr size_t kTimelineEntries = 100;  // more than any story has of one customer

}  // namespace

void Stage::Expect(const Statement& statement) {
  auto check = ReadCheck(statement);
  if (!check.ok()) return Problem(statement, Describe(check.status()));
  Finding finding = (*check)();
  // What is expected must come true in time; what is not must stay away all the time.
  for (auto left = statement.within; left.count() > 0 && finding.holds == statement.negated;
       left -= std::chrono::seconds(1)) {
    if (Status passed = Advance(std::chrono::seconds(1)); !passed.ok())
      return Problem(statement, Describe(passed));
    finding = (*check)();
  }
  if (finding.holds == statement.negated) Problem(statement, "found: " + finding.found);
}

StatusOr<Stage::Check> Stage::ReadCheck(const Statement& statement) {
  Sentence sentence(statement);
  StatusOr<Check> check = [&]() -> StatusOr<Check> {
    if (sentence.Take("desk")) return ReadDeskCheck(sentence);
    if (sentence.Take("customer")) return ReadCustomerCheck(sentence, false);
    if (sentence.Take("second")) {
      if (!sentence.Take("customer")) sentence.Fail("expected second customer of");
      return ReadCustomerCheck(sentence, true);
    }
    if (sentence.Take("refused")) {
      const std::string reason = sentence.Word("a reason");
      const Finding finding{refused_ == reason, refused_.empty() ? "taken in" : refused_};
      refused_.clear();
      return Check([finding] { return finding; });
    }
    if (sentence.Take("dead")) {
      if (!sentence.Take("letter")) sentence.Fail("expected dead letter and a reason");
      const Finding finding = TakeLetter(sentence.Word("a reason"));
      return Check([finding] { return finding; });
    }
    return ReadClaimCheck(sentence);
  }();
  HILO_RETURN_IF_ERROR(check.status());
  HILO_RETURN_IF_ERROR(sentence.Finish());
  return check;
}

Finding Stage::TakeLetter(const std::string& reason) {
  Finding finding;
  for (const std::string& letter : letters_)
    finding.found += (finding.found.empty() ? "" : "; ") + letter;
  if (finding.found.empty()) finding.found = "no dead letter";
  const auto letter = std::find(letters_.begin(), letters_.end(), reason);
  finding.holds = letter != letters_.end();
  if (finding.holds) letters_.erase(letter);
  return finding;
}

// desk marta pops customer of user=u-ana assurance claimed; desk luis shows told …
StatusOr<Stage::Check> Stage::ReadDeskCheck(Sentence& sentence) {
  const std::string agent = sentence.Word("an agent");
  if (desks_.count(agent) == 0) sentence.Fail("nobody gave an agent of this name");
  if (sentence.Take("pops")) {
    if (!sentence.Take("customer") || !sentence.Take("of")) sentence.Fail("expected customer of");
    const Token identifier = sentence.Field("an identifier");
    const std::string assurance = sentence.Take("assurance") ? sentence.Word("an assurance") : "";
    subject_ = identifier;
    return Check([=, this] {
      Finding finding{.holds = false, .found = "no call"};
      const std::optional<CustomerId> expected = FindOne(identifier);
      if (!expected) finding.found = "no such customer, or several";
      for (const CallAt& call : CallsAt(agent)) {
        const std::string word =
            WordOf(v1::Assurance_Name(call.interaction.assurance()), "ASSURANCE_");
        const bool same = expected == call.customer;
        finding.holds = finding.holds || (same && desks_[agent].open == call.customer &&
                                          (assurance.empty() || assurance == word));
        finding.found =
            (same ? "the customer" : "another customer") + std::string(" calls, assurance ") + word;
      }
      return finding;
    });
  }
  if (sentence.Take("suggests")) {
    const std::string action = sentence.Word("an action");
    return Check([=, this] {
      const auto suggested = Suggested(agent);
      Finding finding;
      if (!suggested.ok()) {
        finding.found = Describe(suggested.status());
        return finding;
      }
      for (const std::string& name : *suggested) {
        finding.holds = finding.holds || name == action;
        finding.found += (finding.found.empty() ? "" : ", ") + name;
      }
      if (finding.found.empty()) finding.found = "nothing suggested";
      return finding;
    });
  }
  if (!sentence.Take("shows")) sentence.Fail("expected pops, shows or suggests");
  const auto claim = TakeClaim(sentence, [this](const Token& identifier) {
    const auto customer = FindOne(identifier);
    return customer ? std::optional("customers/" + customer->Hex()) : std::nullopt;
  });
  if (!claim) {
    sentence.Fail("expected what is shown, such as told, promised, case or timeline");
    return Check([] { return Finding(); });
  }
  return Check([=, this] { return OfCustomer(desks_[agent].open, *claim); });
}

// customer of phone=… [named …]; second customer of email=…
StatusOr<Stage::Check> Stage::ReadCustomerCheck(Sentence& sentence, bool second) {
  if (!sentence.Take("of")) sentence.Fail("expected of and an identifier");
  const Token identifier = sentence.Field("an identifier");
  if (KindOf(identifier.key) == v1::IDENTIFIER_KIND_UNSPECIFIED)
    sentence.Fail("an identifier is user, email, phone, anonymous or device");
  subject_ = identifier;
  const auto claim = TakeClaim(sentence, [](const Token&) { return std::nullopt; });
  return Check([=, this] {
    const std::vector<CustomerId> customers = Find(identifier);
    if (second) {
      return Finding{customers.size() > 1, std::to_string(customers.size()) + " customers"};
    }
    if (customers.empty()) return Finding{false, "no such customer"};
    return claim ? OfCustomer(customers.front(), *claim)
                 : Finding{true, std::to_string(customers.size()) + " customers"};
  });
}

// told shoe_size "42" [of user=u-ana], about the customer last spoken of.
StatusOr<Stage::Check> Stage::ReadClaimCheck(Sentence& sentence) {
  const auto claim = TakeClaim(sentence, [this](const Token& identifier) {
    const auto customer = FindOne(identifier);
    return customer ? std::optional("customers/" + customer->Hex()) : std::nullopt;
  });
  if (!claim) {
    sentence.Fail("not an expectation; tests/scenario/README.md lists them");
    return Check([] { return Finding(); });
  }
  if (sentence.Take("of")) subject_ = sentence.Field("an identifier");
  if (!subject_) sentence.Fail("of whom? Name a customer with of and an identifier");
  const Token subject = subject_.value_or(Token());
  return Check([=, this] { return OfCustomer(FindOne(subject), *claim); });
}

Finding Stage::OfCustomer(const std::optional<CustomerId>& customer, const Claim& claim) const {
  const auto context = customer ? ContextOf(*customer) : std::nullopt;
  return context ? claim(*context) : Finding{false, "no such customer, or several"};
}

std::vector<CustomerId> Stage::Find(const Token& identifier) const {
  const v1::IdentifierKind kind = KindOf(identifier.key);
  const auto hash = intake_->HashIdentifier({kind, identifier.text}, door_->region());
  if (!hash.ok()) return {};
  const auto view = shown_.IdentityStore().NewView();
  const auto found = identity::FindByIdentifier(*view, static_cast<uint32_t>(kind), *hash);
  if (!found.ok() || !*found) return {};
  std::vector<CustomerId> customers;
  if ((*found)->place) customers.push_back((*found)->place->customer);
  if ((*found)->home) customers.push_back((*found)->home->customer);
  for (const CustomerId& seen : (*found)->seen_with) {
    if ((*found)->shared && std::find(customers.begin(), customers.end(), seen) == customers.end())
      customers.push_back(seen);
  }
  return customers;
}

std::optional<CustomerId> Stage::FindOne(const Token& identifier) const {
  const std::vector<CustomerId> customers = Find(identifier);
  return customers.size() == 1 ? std::optional(customers.front()) : std::nullopt;
}

std::optional<v1::Context> Stage::ContextOf(CustomerId customer) const {
  auto context =
      serving::ReadContext(shown_, sealer_, catalogue::Catalogue::BuiltIn(), customer,
                           kTimelineEntries, const_cast<driver::FoldDriver&>(driver_).clock());
  return context.ok() ? *std::move(context) : std::nullopt;
}

std::vector<Stage::CallAt> Stage::CallsAt(const std::string& agent) const {
  std::vector<CallAt> calls;
  const serving::Renderer renderer(sealer_, catalogue::Catalogue::BuiltIn(), LogTime{});
  for (uint32_t partition = 0; partition < shown_.CustomerPartitions(); ++partition) {
    const auto found = customer::CallsOfAgent(shown_.CustomersStore(partition), agent);
    if (!found.ok()) continue;
    for (const customer::AgentCall& call : *found) {
      calls.push_back(
          {call.customer, renderer.Interaction(call.customer.Bytes(), call.interaction)});
    }
  }
  return calls;
}

}  // namespace hilo::scenario
