#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "state/catalogue/parameter.h"
#include "state/catalogue/predicate.h"
#include "state/expression/expression.h"

namespace hilo::catalogue {

// A predicate that was checked. Those of equal text within a catalogue are one.
class CompiledPredicate {
 public:
  CompiledPredicate(expression::Expression expression, uint32_t number)
      : expression_(std::move(expression)), number_(number) {}
  const expression::Expression& expression() const { return expression_; }
  // 0, 1, 2, … within its catalogue.
  uint32_t number() const { return number_; }

 private:
  expression::Expression expression_;
  uint32_t number_;
};

// The numbers of the variables that conditions see.
enum class ConditionVariable : size_t { kCustomer, kContext, kNow, kParameters };

// Fields of a message in the order in which conditions number them: as declared, but `segments`
// last, so that the conditions of segments do without it.
const std::vector<const google::protobuf::FieldDescriptor*>& ConditionFieldsOf(
    const google::protobuf::Descriptor& message);

// "Customer" for DecisionProfile, "Context" for DecisionContext, else the message's own name; lives
// for ever.
std::string_view ConditionStructNameOf(const google::protobuf::Descriptor& message);

// "verified" for ASSURANCE_VERIFIED, "" for what is unspecified.
std::string ConditionNameOf(const google::protobuf::EnumValueDescriptor& value);

// What conditions may name, made of the messages that they see: Timestamp is timestamp, integers
// are int, an enum its short lower-case name, a repeated field a list, a message a struct.
// **Threads**: thread-compatible.
class PredicateCompiler {
 public:
  explicit PredicateCompiler(const std::map<std::string, Parameter, std::less<>>& parameters);

  struct Compiled {
    std::shared_ptr<const CompiledPredicate> predicate;  // null when it is wrong
    size_t offset = 0;                                   // where it is wrong, bytes
    std::string message;                                 // what is wrong and what to write instead
  };
  Compiled Compile(const std::string& text) { return Compile(text, full_, seen_); }
  // Of a segment: its condition does not see segments.
  Compiled CompileForSegment(const std::string& text) {
    return Compile(text, without_segments_, seen_by_segments_);
  }
  // How many there are.
  uint32_t count() const { return count_; }

 private:
  using Seen = std::unordered_map<std::string, Compiled>;
  Compiled Compile(const std::string& text, const expression::Schema& schema, Seen& seen);

  expression::Schema full_;
  expression::Schema without_segments_;
  Seen seen_;
  Seen seen_by_segments_;
  uint32_t count_ = 0;
};

}  // namespace hilo::catalogue
