#include "tests/scenario/claim.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>

#include "state/types/money.h"

namespace hilo::scenario {
namespace {

std::string Quoted(std::string_view text) { return '"' + std::string(text) + '"'; }
std::string ChannelWord(v1::Channel channel) {
  return WordOf(v1::Channel_Name(channel), "CHANNEL_");
}
std::string ConsentChannelWord(v1::Channel channel) {
  return channel == v1::CHANNEL_UNSPECIFIED ? "every" : ChannelWord(channel);
}

// Looks for one of `all` that `fits`; tells all of them, as `tell` puts them, when none does.
template <typename All, typename Fits, typename Tell>
Finding OneOf(const All& all, const Fits& fits, const Tell& tell) {
  Finding finding;
  for (const auto& one : all) {
    finding.holds = finding.holds || fits(one);
    finding.found += (finding.found.empty() ? "" : "; ") + tell(one);
  }
  if (finding.found.empty()) finding.found = "nothing";
  return finding;
}

Claim Told(Sentence& sentence) {
  const std::string kind = sentence.Word("a kind of fact");
  const std::optional<std::string> value =
      sentence.AtText() ? std::optional(sentence.Word("")) : std::nullopt;
  const std::string channel = sentence.Take("from") ? sentence.Word("a channel") : "";
  return [=](const v1::Context& context) {
    return OneOf(
        context.facts(),
        [&](const v1::Fact& fact) {
          return fact.kind() == kind && (!value || fact.value() == *value) &&
                 (channel.empty() || ChannelWord(fact.channel()) == channel);
        },
        [](const v1::Fact& fact) {
          return "told " + fact.kind() + " " + Quoted(fact.value()) + " from " +
                 ChannelWord(fact.channel());
        });
  };
}

Claim Promised(Sentence& sentence) {
  const std::string text = sentence.Word("a promise");
  std::string state;
  for (std::string_view word : {"open", "overdue", "kept", "cancelled"}) {
    if (sentence.Take(word)) state = word;
  }
  return [=](const v1::Context& context) {
    const auto word = [](const v1::Promise& promise) {
      return WordOf(v1::PromiseState_Name(promise.state()), "PROMISE_STATE_");
    };
    return OneOf(
        context.promises(),
        [&](const v1::Promise& promise) {
          return promise.text() == text && (state.empty() || word(promise) == state);
        },
        [&](const v1::Promise& promise) {
          return "promised " + Quoted(promise.text()) + " " + word(promise);
        });
  };
}

Claim CaseOf(Sentence& sentence) {
  const std::string kind = sentence.Word("a kind of case");
  const std::string state = sentence.Word("open or closed");
  const std::string title = sentence.AtText() ? sentence.Word("") : "";
  return [=](const v1::Context& context) {
    const auto word = [](const v1::Case& c) {
      return WordOf(v1::CaseState_Name(c.state()), "CASE_STATE_");
    };
    return OneOf(
        context.cases(),
        [&](const v1::Case& c) {
          return c.kind() == kind && word(c) == state && (title.empty() || c.title() == title);
        },
        [&](const v1::Case& c) {
          return "case " + c.kind() + " " + word(c) + " " + Quoted(c.title());
        });
  };
}

Claim Timeline(Sentence& sentence) {
  const std::string text = sentence.Word("an entry's title or type");
  const bool once = sentence.Take("once");
  return [=](const v1::Context& context) {
    int count = 0;
    Finding finding = OneOf(
        context.timeline(),
        [&](const v1::TimelineEntry& entry) {
          const bool fits = entry.title() == text || entry.type() == text;
          count += fits ? 1 : 0;
          return fits;
        },
        [](const v1::TimelineEntry& entry) {
          return entry.type() + (entry.title().empty() ? "" : " " + Quoted(entry.title()));
        });
    finding.holds = finding.holds && (!once || count == 1);
    return finding;
  };
}

Claim InteractionOf(Sentence& sentence) {
  const std::string channel = sentence.Word("a channel");
  const std::string state = sentence.Word("an interaction's state");
  const std::string assurance = sentence.Take("assurance") ? sentence.Word("an assurance") : "";
  return [=](const v1::Context& context) {
    const auto state_of = [](const v1::Interaction& i) {
      return WordOf(v1::InteractionState_Name(i.state()), "INTERACTION_STATE_");
    };
    const auto assurance_of = [](const v1::Interaction& i) {
      return WordOf(v1::Assurance_Name(i.assurance()), "ASSURANCE_");
    };
    return OneOf(
        context.interactions(),
        [&](const v1::Interaction& i) {
          return ChannelWord(i.channel()) == channel && state_of(i) == state &&
                 (assurance.empty() || assurance_of(i) == assurance);
        },
        [&](const v1::Interaction& i) {
          return "interaction " + ChannelWord(i.channel()) + " " + state_of(i) + " assurance " +
                 assurance_of(i);
        });
  };
}

Claim SuggestionOf(Sentence& sentence, const NameOf& name_of) {
  const std::string reason = sentence.Word("a suggestion's reason");
  const std::optional<Token> other =
      sentence.Take("with") ? std::optional(sentence.Field("an identifier")) : std::nullopt;
  return [=](const v1::Context& context) {
    const auto with = other ? name_of(*other) : std::nullopt;
    return OneOf(
        context.suggestions(),
        [&](const v1::Suggestion& suggestion) {
          return suggestion.reason() == reason &&
                 (!other || (with && suggestion.other_customer() == *with));
        },
        [](const v1::Suggestion& suggestion) { return "suggestion " + suggestion.reason(); });
  };
}

Claim Orders(Sentence& sentence) {
  const std::string count = sentence.Word("how many orders");
  if (!sentence.Take("total")) sentence.Fail("expected total, an amount and a currency");
  const std::string amount = sentence.Word("an amount");
  const std::string code = sentence.Word("a currency");
  const auto currency = Currency::Parse(code);
  const auto money = currency ? Money::Parse(amount, *currency) : std::nullopt;
  if (!money) sentence.Fail("expected an amount and a currency, such as 89.90 EUR");
  return [=](const v1::Context& context) {
    return OneOf(
        context.purchases(),
        [&](const v1::PurchaseSummary& summary) {
          return std::to_string(summary.orders()) == count && summary.total().currency() == code &&
                 summary.total().minor() == money->minor;
        },
        [](const v1::PurchaseSummary& summary) {
          return "orders " + std::to_string(summary.orders()) + " total " +
                 std::to_string(summary.total().minor()) + " minor units " +
                 summary.total().currency();
        });
  };
}

Claim ConsentOf(Sentence& sentence) {
  const std::string purpose = sentence.Word("a purpose");
  const std::string status = sentence.Word("granted or denied");
  const std::string channel = sentence.Take("on") ? sentence.Word("a channel") : "";
  const std::string mechanism = sentence.Take("by") ? sentence.Word("a mechanism") : "";
  const bool proven = sentence.Take("with") && sentence.Take("evidence");
  return [=](const v1::Context& context) {
    const auto status_of = [](const v1::Consent& consent) {
      return WordOf(v1::ConsentStatus_Name(consent.status()), "CONSENT_STATUS_");
    };
    return OneOf(
        context.consents(),
        [&](const v1::Consent& consent) {
          return consent.purpose() == purpose && status_of(consent) == status &&
                 (channel.empty() || ConsentChannelWord(consent.channel()) == channel) &&
                 (mechanism.empty() || consent.proof().mechanism() == mechanism) &&
                 (!proven || !consent.proof().evidence_hash().empty());
        },
        [&](const v1::Consent& consent) {
          return "consent " + consent.purpose() + " " + status_of(consent) + " on " +
                 ConsentChannelWord(consent.channel()) + " by " + consent.proof().mechanism();
        });
  };
}

Claim GroupOf(Sentence& sentence) {
  const std::string kind = sentence.Word("a kind of group");
  const std::string name = sentence.Word("its id");
  return [=](const v1::Context& context) {
    return OneOf(
        context.groups(),
        [&](const v1::GroupMembership& group) {
          return group.kind() == kind && group.display_name() == name;
        },
        [](const v1::GroupMembership& group) {
          return "group " + group.kind() + " " + Quoted(group.display_name());
        });
  };
}

Claim Named(Sentence& sentence) {
  const std::string name = sentence.Word("a name");
  return [=](const v1::Context& context) {
    return Finding{.holds = context.customer().display_name() == name,
                   .found = "named " + Quoted(context.customer().display_name())};
  };
}

Claim KnownBy(Sentence& sentence) {
  const Token identifier = sentence.Field("an identifier");
  return [=](const v1::Context& context) {
    return OneOf(
        context.customer().identifiers(),
        [&](const v1::KnownIdentifier& known) {
          return known.identifier().kind() == KindOf(identifier.key) &&
                 known.identifier().value() == identifier.text;
        },
        [](const v1::KnownIdentifier& known) {
          return WordOf(v1::IdentifierKind_Name(known.identifier().kind()), "IDENTIFIER_KIND_") +
                 " " + Quoted(known.identifier().value());
        });
  };
}

Claim AlreadyKnown(Sentence& sentence) {
  const std::string kind = sentence.Word("a kind of fact");
  const std::optional<std::string> value =
      sentence.AtText() ? std::optional(sentence.Word("")) : std::nullopt;
  return [=](const v1::Context& context) {
    Finding asked = OneOf(
        context.questions(),
        [&](const v1::Question& question) {
          return question.kind() == kind && question.already_on_record();
        },
        [](const v1::Question& question) {
          return "asked " + question.kind() +
                 (question.already_on_record() ? ", already known" : ", not known yet");
        });
    const bool told = !value || std::any_of(context.facts().begin(), context.facts().end(),
                                            [&](const v1::Fact& fact) {
                                              return fact.kind() == kind && fact.value() == *value;
                                            });
    asked.holds = asked.holds && told;
    return asked;
  };
}

}  // namespace

std::optional<Claim> TakeClaim(Sentence& sentence, const NameOf& name_of) {
  if (sentence.Take("told")) return Told(sentence);
  if (sentence.Take("promised")) return Promised(sentence);
  if (sentence.Take("case")) return CaseOf(sentence);
  if (sentence.Take("timeline")) return Timeline(sentence);
  if (sentence.Take("interaction")) return InteractionOf(sentence);
  if (sentence.Take("suggestion")) return SuggestionOf(sentence, name_of);
  if (sentence.Take("orders")) return Orders(sentence);
  if (sentence.Take("consent")) return ConsentOf(sentence);
  if (sentence.Take("group")) return GroupOf(sentence);
  if (sentence.Take("named")) return Named(sentence);
  if (sentence.Take("known")) {
    if (!sentence.Take("by")) sentence.Fail("expected known by and an identifier");
    return KnownBy(sentence);
  }
  if (sentence.Take("already")) {
    if (!sentence.Take("known")) sentence.Fail("expected already known and a kind of fact");
    return AlreadyKnown(sentence);
  }
  return std::nullopt;
}

v1::IdentifierKind KindOf(std::string_view key) {
  static const std::map<std::string_view, v1::IdentifierKind> kKinds = {
      {"user", v1::IDENTIFIER_KIND_USER_ID},
      {"email", v1::IDENTIFIER_KIND_EMAIL},
      {"phone", v1::IDENTIFIER_KIND_PHONE},
      {"anonymous", v1::IDENTIFIER_KIND_ANONYMOUS_ID},
      {"device", v1::IDENTIFIER_KIND_DEVICE_ID}};
  const auto found = kKinds.find(key);
  return found == kKinds.end() ? v1::IDENTIFIER_KIND_UNSPECIFIED : found->second;
}

std::string WordOf(std::string_view enum_name, std::string_view prefix) {
  std::string word(enum_name.substr(std::min(prefix.size(), enum_name.size())));
  std::transform(word.begin(), word.end(), word.begin(), [](char c) {
    return c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return word;
}

}  // namespace hilo::scenario
