#include "state/expression/trace.h"

#include <algorithm>
#include <utility>

namespace hilo::expression {
namespace {

struct Words {
  std::string_view is_false, holds, it_is, is, known, not_known, is_known, is_not_known, yes, no,
      must_be, must_not_be, must_be_in, must_not_be_in, must_hold, must_not_hold, must_be_known,
      must_not_be_known, must_be_yes, must_be_no, for_element, none, all_do, because, cannot_tell,
      yields;
};

constexpr Words kEnglish = {
    .is_false = " is false",
    .holds = " is true",
    .it_is = "it is ",
    .is = " is ",
    .known = "known",
    .not_known = "not known",
    .is_known = " is known",
    .is_not_known = " is not known",
    .yes = "yes",
    .no = "no",
    .must_be = "must be ",
    .must_not_be = "must not be ",
    .must_be_in = "must be one of ",
    .must_not_be_in = "must not be one of ",
    .must_hold = "must include ",
    .must_not_hold = "must not include ",
    .must_be_known = "must be known",
    .must_not_be_known = "must not be known",
    .must_be_yes = "must be yes",
    .must_be_no = "must be no",
    .for_element = "because of ",
    .none = "nothing in it fits",
    .all_do = "everything in it fits",
    .because = "because ",
    .cannot_tell = "cannot tell: ",
    .yields = " yields ",
};

constexpr Words kSpanish = {
    .is_false = " no se cumple",
    .holds = " se cumple",
    .it_is = "es ",
    .is = " es ",
    .known = "consta",
    .not_known = "no consta",
    .is_known = " consta",
    .is_not_known = " no consta",
    .yes = "sí",
    .no = "no",
    .must_be = "debe ser ",
    .must_not_be = "no debe ser ",
    .must_be_in = "debe ser uno de ",
    .must_not_be_in = "no debe ser uno de ",
    .must_hold = "debe incluir ",
    .must_not_hold = "no debe incluir ",
    .must_be_known = "debe constar",
    .must_not_be_known = "no debe constar",
    .must_be_yes = "debe ser sí",
    .must_be_no = "debe ser no",
    .for_element = "por ",
    .none = "nada en ella encaja",
    .all_do = "todo en ella encaja",
    .because = "porque ",
    .cannot_tell = "no se puede saber: ",
    .yields = " da ",
};

// "more than 3", and "before 2026-…" for moments.
std::string_view Relation(std::string_view op, bool moment, bool spanish) {
  struct Named {
    std::string_view op, en, es, moment_en, moment_es;
  };
  constexpr Named kNamed[] = {
      {"<", "less than ", "menos de ", "before ", "antes de "},
      {"<=", "at most ", "como mucho ", "at the latest ", "como tarde "},
      {">", "more than ", "más de ", "after ", "después de "},
      {">=", "at least ", "al menos ", "at the earliest ", "como pronto "},
  };
  for (const Named& named : kNamed) {
    if (named.op != op) continue;
    if (moment) return spanish ? named.moment_es : named.moment_en;
    return spanish ? named.es : named.en;
  }
  return "";
}

std::string_view Flipped(std::string_view op) {
  if (op == "<") return ">";
  if (op == "<=") return ">=";
  if (op == ">") return "<";
  if (op == ">=") return "<=";
  return op;
}

// A value as one says it: without the wrapper that the language needs.
std::string Plain(const std::string& text) {
  for (const std::string_view wrapper : {"timestamp(\"", "duration(\""}) {
    if (text.substr(0, wrapper.size()) == wrapper && text.size() > wrapper.size() + 2) {
      return text.substr(wrapper.size(), text.size() - wrapper.size() - 2);
    }
  }
  return text;
}
bool IsMoment(const std::string& text) { return text.rfind("timestamp(", 0) == 0; }

bool HasOutcome(const Trace& trace) {
  return trace.outcome != Outcome::kNotNeeded && trace.outcome != Outcome::kError;
}

class Teller {
 public:
  explicit Teller(Language language)
      : spanish_(language == Language::kSpanish), words_(spanish_ ? kSpanish : kEnglish) {}

  // Goes down to the parts that made the outcome. `blames`: they are reasons against; otherwise
  // for.
  void Collect(const Trace& trace, bool blames) {
    switch (trace.part) {
      case Part::kAnd:
      case Part::kOr:
        for (const Trace& part : trace.parts) {
          if (part.outcome == trace.outcome) Collect(part, blames);
        }
        return;
      case Part::kNot:
        if (trace.outcome == Outcome::kError) break;
        Collect(trace.parts.front(), blames);
        return;
      case Part::kChoice:
        for (size_t i = 1; i < trace.parts.size(); ++i) {
          const Trace& branch = trace.parts[i];
          if (branch.outcome == trace.outcome && branch.part != Part::kConstant) {
            Collect(branch, blames);
          }
        }
        if (HasOutcome(trace.parts.front())) Condition(trace.parts.front());
        if (trace.parts.front().outcome == Outcome::kError) Collect(trace.parts.front(), blames);
        return;
      default:
        break;
    }
    Put(Sentence(trace, blames));
  }

  std::string Sentence(const Trace& trace, bool blames) const {
    if (trace.outcome == Outcome::kError) return Failure(trace);
    if (trace.outcome == Outcome::kValue) {
      return trace.source + std::string(words_.yields) + Plain(trace.text);
    }
    switch (trace.part) {
      case Part::kCompare:
        return Comparison(trace, blames);
      case Part::kIn:
        return Membership(trace, blames);
      case Part::kHas:
        return Knowledge(trace, blames);
      case Part::kName:
        return Flag(trace, blames);
      case Part::kMacro:
        return Elements(trace);
      case Part::kConstant:
        return trace.source + std::string(Verdict(trace));
      default:
        return trace.source + std::string(Verdict(trace)) + ValuesBelow(trace);
    }
  }

  std::vector<std::string> Take() { return std::move(sentences_); }

 private:
  void Put(std::string sentence) {
    if (std::find(sentences_.begin(), sentences_.end(), sentence) == sentences_.end()) {
      sentences_.push_back(std::move(sentence));
    }
  }

  void Condition(const Trace& condition) {
    if (condition.part != Part::kConstant)
      Put(std::string(words_.because) + Sentence(condition, false));
  }

  std::string_view Verdict(const Trace& trace) const {
    return trace.outcome == Outcome::kTrue ? words_.holds : words_.is_false;
  }

  const std::string& LabelOf(const Trace& trace) const {
    return spanish_ ? trace.label_es : trace.label_en;
  }

  // "label: value", and in brackets what it must be when that is why not.
  std::string Labelled(const std::string& label, const std::string& value, bool blames,
                       const std::string& demand) const {
    return label + ": " + value + (blames ? " (" + demand + ")" : "");
  }

  // "cannot tell: last order is not known": of the innermost part that failed.
  std::string Failure(const Trace& trace) const {
    const Trace* origin = &trace;
    for (bool deeper = true; deeper;) {
      deeper = false;
      for (const Trace& part : origin->parts) {
        if (part.outcome != Outcome::kError) continue;
        origin = &part;
        deeper = true;
        break;
      }
    }
    const std::string& label = LabelOf(*origin);
    const std::string& name = label.empty() ? origin->source : label;
    return std::string(words_.cannot_tell) + name + std::string(FailureWords(origin->reason));
  }

  std::string_view FailureWords(std::string_view reason) const {
    struct Named {
      std::string_view reason, en, es;
    };
    constexpr Named kNamed[] = {
        {"not_known", " is not known", " no consta"},
        {"no_such_key", " is not there", " no está"},
        {"no_such_index", " is not there", " no está"},
        {"division_by_zero", " divides by zero", " divide entre cero"},
        {"overflow", " is out of range", " se sale de su rango"},
        {"expression_budget", " takes too many steps", " necesita demasiados pasos"},
    };
    for (const Named& named : kNamed) {
      if (named.reason == reason) return spanish_ ? named.es : named.en;
    }
    return spanish_ ? " no se puede calcular" : " cannot be worked out";
  }

  std::string Comparison(const Trace& trace, bool blames) const {
    const Trace& left = trace.parts[0];
    const Trace& right = trace.parts[1];
    const bool constant_left = left.part == Part::kConstant;
    const Trace& subject = constant_left ? right : left;
    const Trace& other = constant_left ? left : right;
    if (other.part != Part::kConstant || !HasOutcome(subject)) {
      return trace.source + std::string(Verdict(trace)) + ValuesOf(trace);
    }
    const std::string& label = LabelOf(subject);
    if (label.empty()) {
      return trace.source + std::string(Verdict(trace)) + ": " + std::string(words_.it_is) +
             Plain(subject.text);
    }
    const std::string_view op = constant_left ? Flipped(trace.op) : std::string_view(trace.op);
    // What must be: the comparison, or its opposite when its truth is the reason against.
    bool negative = trace.outcome == Outcome::kTrue;
    if (op == "!=") negative = !negative;
    std::string demand(negative ? words_.must_not_be : words_.must_be);
    demand.append(Relation(op, IsMoment(subject.text), spanish_)).append(Plain(other.text));
    return Labelled(label, Plain(subject.text), blames, demand);
  }

  std::string Membership(const Trace& trace, bool blames) const {
    const Trace& element = trace.parts[0];
    const Trace& container = trace.parts[1];
    const bool negative = trace.outcome == Outcome::kTrue;
    if (container.part == Part::kConstant && !LabelOf(element).empty()) {
      return Labelled(
          LabelOf(element), Plain(element.text), blames,
          std::string(negative ? words_.must_not_be_in : words_.must_be_in) + container.text);
    }
    if (element.part == Part::kConstant && !LabelOf(container).empty()) {
      return Labelled(
          LabelOf(container), container.text, blames,
          std::string(negative ? words_.must_not_hold : words_.must_hold) + Plain(element.text));
    }
    return trace.source + std::string(Verdict(trace)) + ValuesOf(trace);
  }

  std::string Knowledge(const Trace& trace, bool blames) const {
    const bool known = trace.outcome == Outcome::kTrue;
    const std::string& label = LabelOf(trace);
    if (!label.empty()) {
      return Labelled(label, std::string(known ? words_.known : words_.not_known), blames,
                      std::string(known ? words_.must_not_be_known : words_.must_be_known));
    }
    std::string name = trace.source;
    if (name.rfind("has(", 0) == 0 && name.back() == ')') name = name.substr(4, name.size() - 5);
    return name + std::string(known ? words_.is_known : words_.is_not_known);
  }

  std::string Flag(const Trace& trace, bool blames) const {
    const bool yes = trace.outcome == Outcome::kTrue;
    const std::string& label = LabelOf(trace);
    if (label.empty()) return trace.source + std::string(Verdict(trace));
    return Labelled(label, std::string(yes ? words_.yes : words_.no), blames,
                    std::string(yes ? words_.must_be_no : words_.must_be_yes));
  }

  std::string Elements(const Trace& trace) const {
    std::string sentence = trace.source + std::string(Verdict(trace));
    if (!trace.witness.empty()) {
      return sentence + ": " + std::string(words_.for_element) + Plain(trace.witness);
    }
    if (trace.op == "exists" && trace.outcome == Outcome::kFalse) {
      return sentence + ": " + std::string(words_.none);
    }
    if (trace.op == "all" && trace.outcome == Outcome::kTrue) {
      return sentence + ": " + std::string(words_.all_do);
    }
    return sentence;
  }

  // ": it is 3", or ": a is 3, b is 5" when several parts were not fixed.
  std::string ValuesOf(const Trace& trace) const {
    std::vector<const Trace*> shown;
    for (const Trace& part : trace.parts) {
      if (part.part != Part::kConstant && HasOutcome(part)) shown.push_back(&part);
    }
    return Shown(shown);
  }

  std::string ValuesBelow(const Trace& trace) const {
    std::vector<const Trace*> shown;
    Names(trace, shown);
    return Shown(shown);
  }

  static void Names(const Trace& trace, std::vector<const Trace*>& shown) {
    for (const Trace& part : trace.parts) {
      if (part.part == Part::kName && HasOutcome(part) && shown.size() < 3) {
        shown.push_back(&part);
      } else {
        Names(part, shown);
      }
    }
  }

  std::string Shown(const std::vector<const Trace*>& shown) const {
    if (shown.empty()) return "";
    if (shown.size() == 1 && LabelOf(*shown[0]).empty()) {
      return ": " + std::string(words_.it_is) + Plain(shown[0]->text);
    }
    std::string text = ": ";
    for (size_t i = 0; i < shown.size(); ++i) {
      const std::string& label = LabelOf(*shown[i]);
      text += (i == 0 ? "" : ", ") + (label.empty() ? shown[i]->source : label) +
              std::string(words_.is) + Plain(shown[i]->text);
    }
    return text;
  }

  const bool spanish_;
  const Words& words_;
  std::vector<std::string> sentences_;
};

}  // namespace

std::vector<std::string> Reasons(const Trace& trace, Language language, size_t max_reasons) {
  Teller teller(language);
  teller.Collect(trace, trace.outcome == Outcome::kFalse);
  std::vector<std::string> sentences = teller.Take();
  if (sentences.empty()) sentences.push_back(teller.Sentence(trace, false));
  if (sentences.size() > std::max<size_t>(1, max_reasons)) {
    sentences.resize(std::max<size_t>(1, max_reasons));
  }
  return sentences;
}

std::string Why(const Trace& trace, Language language) {
  std::string text;
  for (const std::string& reason : Reasons(trace, language)) {
    text += (text.empty() ? "" : "; ") + reason;
  }
  return text;
}

}  // namespace hilo::expression
