#include "state/expression/checker.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "ops/base/zone.h"
#include "state/expression/equality.h"
#include "state/expression/evaluation.h"
#include "state/expression/overloads.h"
#include "state/expression/text.h"

namespace hilo::expression {
namespace {

constexpr uint64_t kFoldSteps = 2000;

struct Part {
  uint32_t node = 0;
  Type type;
};
using Checked = std::optional<Part>;

struct Local {
  std::string_view name;
  uint32_t place;
  Type type;
};

std::string_view SymbolOf(Form form) {
  switch (form) {
    case Form::kIn:
      return "in";
    case Form::kEqual:
      return "==";
    case Form::kNotEqual:
      return "!=";
    case Form::kLess:
      return "<";
    case Form::kLessEqual:
      return "<=";
    case Form::kGreater:
      return ">";
    case Form::kGreaterEqual:
      return ">=";
    case Form::kAdd:
      return "+";
    case Form::kSubtract:
      return "-";
    case Form::kMultiply:
      return "*";
    case Form::kDivide:
      return "/";
    case Form::kModulo:
      return "%";
    default:
      return "";
  }
}

Op OpOf(Form form) {
  switch (form) {
    case Form::kIn:
      return Op::kIn;
    case Form::kEqual:
      return Op::kEqual;
    case Form::kNotEqual:
      return Op::kNotEqual;
    case Form::kLess:
      return Op::kLess;
    case Form::kLessEqual:
      return Op::kLessEqual;
    case Form::kGreater:
      return Op::kGreater;
    case Form::kGreaterEqual:
      return Op::kGreaterEqual;
    case Form::kAdd:
      return Op::kAdd;
    case Form::kSubtract:
      return Op::kSubtract;
    case Form::kMultiply:
      return Op::kMultiply;
    case Form::kDivide:
      return Op::kDivide;
    case Form::kModulo:
      return Op::kModulo;
    case Form::kAnd:
      return Op::kAnd;
    case Form::kOr:
      return Op::kOr;
    default:
      return Op::kConstant;
  }
}

Macro MacroOf(std::string_view name) {
  if (name == "all") return Macro::kAll;
  if (name == "exists") return Macro::kExists;
  if (name == "exists_one" || name == "existsOne") return Macro::kExistsOne;
  if (name == "filter") return Macro::kFilter;
  if (name == "transformList") return Macro::kTransformList;
  if (name == "transformMap") return Macro::kTransformMap;
  return Macro::kMap;
}

class Checker {
 public:
  Checker(const Syntax& syntax, std::string_view source, const Schema& schema,
          const Options& options)
      : syntax_(syntax),
        schema_(schema),
        options_(options),
        program_(std::make_shared<Expression::Program>()) {
    program_->source = std::string(source);
    program_->pattern_program = options.limits.pattern_program;
  }

  std::shared_ptr<const Expression::Program> Run(Problem& problem) {
    const Checked root = Visit(syntax_.root);
    if (root && Result(*root)) {
      program_->root = root->node;
      program_->type = root->type;
      std::sort(program_->variables.begin(), program_->variables.end());
      return program_;
    }
    problem = problem_.value_or(Problem{0, "expression_type", "this does not fit"});
    return nullptr;
  }

 private:
  const SyntaxNode& At(FormId form) const { return syntax_.nodes[form]; }

  std::nullopt_t Fail(uint32_t at, std::string message,
                      std::string_view reason = "expression_type") {
    if (!problem_) problem_ = Problem{at, reason, std::move(message)};
    return std::nullopt;
  }

  bool Result(const Part& root) {
    if (options_.result.any() || root.type.any() || root.type == options_.result) return true;
    std::string hint;
    if (options_.result.kind() == Kind::kBool && IsNumber(root.type.kind())) {
      hint = "; compare it, e.g. … > 0";
    } else if (IsNumber(options_.result.kind()) && IsNumber(root.type.kind())) {
      hint = "; write " + options_.result.Text() + "(…)";
    }
    Fail(At(syntax_.root).begin,
         "this is " + A(root.type) + ", but " + A(options_.result) + " is needed" + hint);
    return false;
  }

  // -------------------------------------------------------------------------------- emitting
  uint32_t Constant(Value value) {
    program_->constants.push_back(std::move(value));
    return static_cast<uint32_t>(program_->constants.size() - 1);
  }

  uint32_t Label(const expression::Label& label) {
    if (label.en.empty() && label.es.empty()) return 0;
    program_->labels.push_back(label);
    return static_cast<uint32_t>(program_->labels.size());
  }

  uint32_t Emit(const SyntaxNode& from, Node node, const std::vector<uint32_t>& operands = {},
                uint32_t label = 0) {
    node.first = static_cast<uint32_t>(program_->operands.size());
    node.count = static_cast<uint16_t>(operands.size());
    program_->operands.insert(program_->operands.end(), operands.begin(), operands.end());
    program_->nodes.push_back(node);
    program_->sources.push_back({from.begin, from.end, label});
    return static_cast<uint32_t>(program_->nodes.size() - 1);
  }

  bool IsConstant(uint32_t node) const { return program_->nodes[node].op == Op::kConstant; }
  const Value& ConstantOf(uint32_t node) const {
    return program_->constants[program_->nodes[node].a];
  }

  // What has only constants below it is computed here, once. What fails stays as it is: an error
  // that `||` may absorb.
  uint32_t Fold(uint32_t node) {
    const Node& at = program_->nodes[node];
    for (uint32_t i = 0; i < at.count; ++i) {
      if (!IsConstant(program_->operands[at.first + i])) return node;
    }
    Evaluation evaluation(*program_, nullptr, kFoldSteps);
    Value value = evaluation.Run(node);
    if (value.kind() == Kind::kError) return node;
    // Out of a list or map of constants come views of them: they must last as long as the program.
    const uint32_t constant = Constant(std::move(value));
    program_->nodes[node] = {.op = Op::kConstant, .a = constant};
    return node;
  }

  // -------------------------------------------------------------------------------- visiting
  Checked Visit(FormId form) {
    const SyntaxNode& node = At(form);
    switch (node.form) {
      case Form::kLiteral:
        return Literal(node);
      case Form::kName:
        return Name(node);
      case Form::kSelect:
        return Select(form);
      case Form::kHas:
        return Has(node);
      case Form::kIndex:
        return Index(node);
      case Form::kCall:
        return Call(node, false);
      case Form::kMethod:
        return Method(form);
      case Form::kMacro:
        return VisitMacro(node);
      case Form::kList:
        return List(node);
      case Form::kMap:
        return Map(node);
      case Form::kAnd:
      case Form::kOr:
        return Logic(node);
      case Form::kNot:
      case Form::kNegate:
        return Unary(node);
      case Form::kChoice:
        return Choice(node);
      case Form::kIn:
        return In(node);
      case Form::kEqual:
      case Form::kNotEqual:
      case Form::kLess:
      case Form::kLessEqual:
      case Form::kGreater:
      case Form::kGreaterEqual:
        return Compare(node);
      default:
        return Arithmetic(node);
    }
  }

  Checked Literal(const SyntaxNode& node) {
    Type type = TypeOfKind(node.literal.kind());
    const uint32_t constant = Constant(node.literal);
    return Part{Emit(node, {.op = Op::kConstant, .a = constant}), std::move(type)};
  }

  const Local* FindLocal(std::string_view name) const {
    for (auto local = locals_.rbegin(); local != locals_.rend(); ++local) {
      if (local->name == name) return &*local;
    }
    return nullptr;
  }

  Checked Variable(const SyntaxNode& node, size_t number) {
    auto& used = program_->variables;
    if (std::find(used.begin(), used.end(), number) == used.end()) used.push_back(number);
    const Field& variable = schema_.variables()[number];
    return Part{Emit(node, {.op = Op::kVariable, .a = static_cast<uint32_t>(number)}, {},
                     Label(variable.label)),
                variable.type};
  }

  Checked Name(const SyntaxNode& node) {
    if (!node.global) {
      if (const Local* local = FindLocal(node.name)) {
        return Part{Emit(node, {.op = Op::kLocal, .a = local->place}), local->type};
      }
    }
    if (const std::optional<size_t> number = schema_.FindVariable(node.name)) {
      return Variable(node, *number);
    }
    if (const std::optional<Value> type = TypeNamed(node.name)) {
      return Part{Emit(node, {.op = Op::kConstant, .a = Constant(*type)}), Type::TypeOf()};
    }
    Closest closest(node.name);
    for (const Local& local : locals_) closest.Offer(local.name);
    for (const Field& variable : schema_.variables()) closest.Offer(variable.name);
    for (const std::string_view word : {"true", "false", "null"}) closest.Offer(word);
    std::string message = "unknown name '" + std::string(node.name) + "'" + closest.Hint();
    if (closest.best().empty()) {
      // Perhaps a field without what it belongs to.
      for (const Field& variable : schema_.variables()) {
        if (variable.type.kind() != Kind::kStruct) continue;
        const StructType* type = schema_.FindStruct(variable.type.struct_name());
        for (const Field& field : type->fields) {
          if (field.name != node.name) continue;
          message += "; did you mean '" + variable.name + "." + field.name + "'?";
          return Fail(node.begin, message);
        }
      }
      if (!schema_.variables().empty()) message += "; known are: " + Names(schema_.variables());
      message += "; a text needs quotes";
    }
    return Fail(node.begin, message);
  }

  static std::string Names(const std::vector<Field>& fields) {
    std::string names;
    for (size_t i = 0; i < fields.size(); ++i) {
      if (i == 12) return names + ", …";
      names += (i == 0 ? "" : ", ") + fields[i].name;
    }
    return names;
  }

  // "a.b.c" for a chain of plain names that does not begin with a macro's variable.
  std::optional<std::string> Qualified(FormId form) const {
    const SyntaxNode& node = At(form);
    if (node.form == Form::kName) {
      if (!node.global && FindLocal(node.name) != nullptr) return std::nullopt;
      return std::string(node.name);
    }
    if (node.form != Form::kSelect) return std::nullopt;
    std::optional<std::string> before = Qualified(node.parts[0]);
    if (!before) return std::nullopt;
    return *before + "." + std::string(node.name);
  }

  // "an int", "a string".
  static std::string A(const Type& type) {
    const std::string text = type.Text();
    return (text == "int" || text == "any" ? "an " : "a ") + text;
  }

  // The operand's text in messages: "customer.address".
  std::string Text(FormId form) const {
    const SyntaxNode& node = At(form);
    const std::string_view text =
        std::string_view(program_->source).substr(node.begin, node.end - node.begin);
    if (text.size() <= 40 && text.find('\n') == text.npos) return std::string(text);
    return "this";
  }

  Checked Select(FormId form) {
    const SyntaxNode& node = At(form);
    if (const std::optional<std::string> name = Qualified(form)) {
      if (const std::optional<size_t> number = schema_.FindVariable(*name)) {
        return Variable(node, *number);
      }
      if (const std::optional<Value> type = TypeNamed(*name)) {
        return Part{Emit(node, {.op = Op::kConstant, .a = Constant(*type)}), Type::TypeOf()};
      }
    }
    const Checked operand = Visit(node.parts[0]);
    if (!operand) return std::nullopt;
    const Type& type = operand->type;
    if (type.kind() == Kind::kStruct) {
      const std::optional<size_t> number = FieldNumber(node, type);
      if (!number) return std::nullopt;
      const Field& field = schema_.FindStruct(type.struct_name())->fields[*number];
      const auto place = static_cast<uint32_t>(*number);
      const uint32_t label = Label(field.label);
      const Node& below = program_->nodes[operand->node];
      if (below.op == Op::kVariable) {
        return Part{Emit(node, {.op = Op::kVariableField, .a = below.a, .b = place}, {}, label),
                    field.type};
      }
      return Part{Emit(node, {.op = Op::kField, .a = place}, {operand->node}, label), field.type};
    }
    if (type.any() || (type.kind() == Kind::kMap && MayEqual(type.key(), Type::String()))) {
      const uint32_t key = Constant(Value::String(std::string(node.name)));
      const uint32_t at = Emit(node, {.op = Op::kKey, .a = key}, {operand->node});
      return Part{Fold(at), type.any() ? Type::Any() : type.value()};
    }
    std::string hint;
    if (node.name == "length" || node.name == "size" || node.name == "count") {
      hint = "; write size(" + Text(node.parts[0]) + ")";
    }
    return Fail(node.name_at,
                "'" + Text(node.parts[0]) + "' is " + A(type) + " and has no fields" + hint);
  }

  std::optional<size_t> FieldNumber(const SyntaxNode& node, const Type& type) {
    const StructType* declared = schema_.FindStruct(type.struct_name());
    for (size_t i = 0; i < declared->fields.size(); ++i) {
      if (declared->fields[i].name == node.name) return i;
    }
    Closest closest(node.name);
    for (const Field& field : declared->fields) closest.Offer(field.name);
    std::string message =
        "unknown field '" + std::string(node.name) + "' of " + Text(node.parts[0]) + closest.Hint();
    if (closest.best().empty()) message += "; it has: " + Names(declared->fields);
    return Fail(node.name_at, message);
  }

  Checked Has(const SyntaxNode& node) {
    const Checked operand = Visit(node.parts[0]);
    if (!operand) return std::nullopt;
    const Type& type = operand->type;
    if (type.kind() == Kind::kStruct) {
      const std::optional<size_t> number = FieldNumber(node, type);
      if (!number) return std::nullopt;
      const StructType* declared = schema_.FindStruct(type.struct_name());
      return Part{Emit(node, {.op = Op::kHasField, .a = static_cast<uint32_t>(*number)},
                       {operand->node}, Label(declared->fields[*number].label)),
                  Type::Bool()};
    }
    if (type.any() || (type.kind() == Kind::kMap && MayEqual(type.key(), Type::String()))) {
      const uint32_t key = Constant(Value::String(std::string(node.name)));
      return Part{Fold(Emit(node, {.op = Op::kHasKey, .a = key}, {operand->node})), Type::Bool()};
    }
    return Fail(node.name_at, "'" + Text(node.parts[0]) + "' is " + A(type) + " and has no fields");
  }

  Checked Index(const SyntaxNode& node) {
    const Checked operand = Visit(node.parts[0]);
    if (!operand) return std::nullopt;
    const Checked at = Visit(node.parts[1]);
    if (!at) return std::nullopt;
    const Type& type = operand->type;
    Type element;
    if (type.kind() == Kind::kList) {
      if (!at->type.any() && at->type.kind() != Kind::kInt) {
        return Fail(At(node.parts[1]).begin, "the place in a list is an int, not " + A(at->type));
      }
      element = type.element();
    } else if (type.kind() == Kind::kMap) {
      if (!MayEqual(type.key(), at->type)) {
        return Fail(At(node.parts[1]).begin, "the keys of '" + Text(node.parts[0]) + "' are " +
                                                 type.key().Text() + ", not " + at->type.Text());
      }
      element = type.value();
    } else if (!type.any()) {
      const std::string hint =
          type.kind() == Kind::kStruct ? "; write '.' and the name of a field" : "";
      return Fail(node.name_at, "'" + Text(node.parts[0]) + "' is " + A(type) +
                                    ": only lists and maps have [ ]" + hint);
    }
    return Part{Fold(Emit(node, {.op = Op::kIndex}, {operand->node, at->node})), element};
  }

  Checked Logic(const SyntaxNode& node) {
    std::vector<uint32_t> operands;
    for (const FormId form : node.parts) {
      const Checked operand = Visit(form);
      if (!operand) return std::nullopt;
      if (!operand->type.any() && operand->type.kind() != Kind::kBool) {
        return Fail(At(form).begin, "'" + Text(form) + "' is " + A(operand->type) +
                                        "; each side of && and || must be true or false");
      }
      operands.push_back(operand->node);
    }
    return Part{Fold(Emit(node, {.op = OpOf(node.form)}, operands)), Type::Bool()};
  }

  Checked Unary(const SyntaxNode& node) {
    const Checked operand = Visit(node.parts[0]);
    if (!operand) return std::nullopt;
    const Type& type = operand->type;
    if (node.form == Form::kNot) {
      if (!type.any() && type.kind() != Kind::kBool) {
        return Fail(At(node.parts[0]).begin,
                    "'" + Text(node.parts[0]) + "' is " + A(type) + "; ! needs true or false");
      }
      return Part{Fold(Emit(node, {.op = Op::kNot}, {operand->node})), Type::Bool()};
    }
    if (!type.any() && type.kind() != Kind::kInt && type.kind() != Kind::kDouble) {
      return Fail(node.begin,
                  "- before '" + Text(node.parts[0]) + "' needs an int or double, not " + A(type));
    }
    return Part{Fold(Emit(node, {.op = Op::kNegate}, {operand->node})), type};
  }

  Checked Choice(const SyntaxNode& node) {
    const Checked condition = Visit(node.parts[0]);
    if (!condition) return std::nullopt;
    if (!condition->type.any() && condition->type.kind() != Kind::kBool) {
      return Fail(At(node.parts[0]).begin, "'" + Text(node.parts[0]) + "' is " +
                                               A(condition->type) +
                                               "; before '?' must be true or false");
    }
    const Checked yes = Visit(node.parts[1]);
    if (!yes) return std::nullopt;
    const Checked no = Visit(node.parts[2]);
    if (!no) return std::nullopt;
    const std::optional<Type> type = Unify(yes->type, no->type);
    if (!type) {
      return Fail(At(node.parts[2]).begin,
                  "both results of ? : must have one type; here they are " + yes->type.Text() +
                      " and " + no->type.Text());
    }
    return Part{Fold(Emit(node, {.op = Op::kChoice}, {condition->node, yes->node, no->node})),
                *type};
  }

  Checked In(const SyntaxNode& node) {
    const Checked element = Visit(node.parts[0]);
    if (!element) return std::nullopt;
    const Checked container = Visit(node.parts[1]);
    if (!container) return std::nullopt;
    const Type& type = container->type;
    if (type.kind() == Kind::kList || type.kind() == Kind::kMap) {
      const Type& inside = type.kind() == Kind::kList ? type.element() : type.key();
      if (!MayEqual(element->type, inside)) {
        return Fail(node.name_at, "'" + Text(node.parts[0]) + "' is " + A(element->type) +
                                      ", but '" + Text(node.parts[1]) + "' holds " + inside.Text());
      }
    } else if (!type.any()) {
      const std::string hint =
          type.kind() == Kind::kString
              ? "; write " + Text(node.parts[1]) + ".contains(" + Text(node.parts[0]) + ")"
              : "";
      return Fail(At(node.parts[1]).begin, "after 'in' comes a list or map, not " + A(type) + hint);
    }
    return Part{Fold(Emit(node, {.op = Op::kIn}, {element->node, container->node})), Type::Bool()};
  }

  Checked Compare(const SyntaxNode& node) {
    const Checked a = Visit(node.parts[0]);
    if (!a) return std::nullopt;
    const Checked b = Visit(node.parts[1]);
    if (!b) return std::nullopt;
    const bool equality = node.form == Form::kEqual || node.form == Form::kNotEqual;
    if (equality ? !MayEqual(a->type, b->type) : !MayOrder(a->type, b->type)) {
      return Fail(node.name_at, "cannot compare " + a->type.Text() + " " +
                                    std::string(SymbolOf(node.form)) + " " + b->type.Text() +
                                    CompareHint(node, a->type, b->type));
    }
    return Part{Fold(Emit(node, {.op = OpOf(node.form)}, {a->node, b->node})), Type::Bool()};
  }

  std::string CompareHint(const SyntaxNode& node, const Type& a, const Type& b) const {
    const auto either = [&](Kind kind) { return a.kind() == kind || b.kind() == kind; };
    if (either(Kind::kNull)) {
      const FormId other = node.parts[a.kind() == Kind::kNull ? 1 : 0];
      return At(other).form == Form::kSelect
                 ? "; to ask whether it is known write has(" + Text(other) + ")"
                 : "";
    }
    if (either(Kind::kStruct)) return "; compare a field of it";
    if (either(Kind::kList) && !(a.kind() == b.kind())) return "; write 'in' or size(…)";
    const bool number = IsNumber(a.kind()) || IsNumber(b.kind());
    if (number && either(Kind::kString)) return "; write the number without quotes, or string(…)";
    if (number && either(Kind::kDuration)) return "; write a span as duration(\"36h\")";
    if (either(Kind::kTimestamp) && either(Kind::kString)) {
      return "; write timestamp(\"2026-01-31T00:00:00Z\")";
    }
    if (either(Kind::kDuration) && either(Kind::kString)) return "; write duration(\"36h\")";
    if (either(Kind::kBool) && a.kind() != b.kind()) {
      return "; a && or || may be missing, or brackets around a comparison";
    }
    return "";
  }

  Checked Arithmetic(const SyntaxNode& node) {
    const Checked a = Visit(node.parts[0]);
    if (!a) return std::nullopt;
    const Checked b = Visit(node.parts[1]);
    if (!b) return std::nullopt;
    const Op op = OpOf(node.form);
    const std::optional<Type> type = ArithmeticType(op, a->type, b->type);
    if (!type) {
      std::string hint;
      if (IsNumber(a->type.kind()) && IsNumber(b->type.kind()) && a->type != b->type) {
        hint = "; convert one of them, e.g. double(…)";
      } else if (a->type.kind() == Kind::kString || b->type.kind() == Kind::kString) {
        hint = "; write string(…) to join texts";
      } else if (IsNumber(b->type.kind()) &&
                 (a->type.kind() == Kind::kTimestamp || a->type.kind() == Kind::kDuration)) {
        hint = "; write a span as duration(\"36h\")";
      }
      return Fail(node.name_at, "there is no " + a->type.Text() + " " +
                                    std::string(SymbolOf(node.form)) + " " + b->type.Text() + hint);
    }
    return Part{Fold(Emit(node, {.op = op}, {a->node, b->node})), *type};
  }

  Checked List(const SyntaxNode& node) {
    std::vector<uint32_t> elements;
    std::optional<Type> type;
    for (const FormId form : node.parts) {
      const Checked element = Visit(form);
      if (!element) return std::nullopt;
      type = type ? Unify(*type, element->type).value_or(Type::Any()) : element->type;
      elements.push_back(element->node);
    }
    const uint32_t at = Fold(Emit(node, {.op = Op::kList}, elements));
    return Part{at, Type::List(type.value_or(Type::Any()))};
  }

  Checked Map(const SyntaxNode& node) {
    std::vector<uint32_t> operands;
    std::optional<Type> types[2];
    for (size_t i = 0; i < node.parts.size(); ++i) {
      const Checked part = Visit(node.parts[i]);
      if (!part) return std::nullopt;
      if (i % 2 == 0 && !MayBeKey(part->type)) {
        return Fail(At(node.parts[i]).begin,
                    "a key is a bool, int, uint or string, not " + A(part->type));
      }
      std::optional<Type>& type = types[i % 2];
      type = type ? Unify(*type, part->type).value_or(Type::Any()) : part->type;
      operands.push_back(part->node);
    }
    const uint32_t at = Fold(Emit(node, {.op = Op::kMap}, operands));
    return Part{at, Type::Map(types[0].value_or(Type::Any()), types[1].value_or(Type::Any()))};
  }

  Checked VisitMacro(const SyntaxNode& node) {
    const Macro macro = MacroOf(node.name);
    const Checked range = Visit(node.parts[0]);
    if (!range) return std::nullopt;
    const Type& type = range->type;
    if (!type.any() && type.kind() != Kind::kList && type.kind() != Kind::kMap) {
      return Fail(node.name_at,
                  "'" + std::string(node.name) + "' goes through a list or map, not " + A(type));
    }
    const size_t most = std::min(options_.limits.nested_macros, kMaxNestedMacros);
    if (++macros_ > most) {
      return Fail(node.name_at,
                  "more than " + std::to_string(most) +
                      " of all, exists, filter, map lie inside one another; split the condition",
                  "expression_limit");
    }
    const size_t before = locals_.size();
    const auto place = static_cast<uint32_t>(before);
    const bool two = node.variables.size() == 2;
    const bool over_map = type.kind() == Kind::kMap;
    const Type key = type.any() ? Type::Any() : over_map ? type.key() : Type::Int();
    const Type element = type.any() ? Type::Any() : over_map ? type.value() : type.element();
    if (two) {
      locals_.push_back({node.variables[0], place, key});
      locals_.push_back({node.variables[1], place + 1, element});
    } else {
      locals_.push_back({node.variables[0], place, over_map ? key : element});
    }
    program_->locals = std::max(program_->locals, static_cast<uint32_t>(locals_.size()));
    const Type bound = locals_[before].type;

    std::vector<uint32_t> operands = {range->node};
    Type last;
    const bool tests = macro == Macro::kAll || macro == Macro::kExists ||
                       macro == Macro::kExistsOne || macro == Macro::kFilter;
    for (size_t i = 1; i < node.parts.size(); ++i) {
      const Checked part = Visit(node.parts[i]);
      if (!part) return std::nullopt;
      const bool condition = tests || (node.parts.size() == 3 && i == 1);
      if (condition && !part->type.any() && part->type.kind() != Kind::kBool) {
        return Fail(At(node.parts[i]).begin, "the condition of '" + std::string(node.name) +
                                                 "' must be true or false, not " + A(part->type));
      }
      operands.push_back(part->node);
      last = part->type;
    }
    locals_.resize(before);
    --macros_;
    const uint32_t at = Emit(node,
                             {.op = Op::kMacro,
                              .detail = static_cast<uint8_t>(macro),
                              .a = place,
                              .b = static_cast<uint32_t>(node.variables.size())},
                             operands);
    switch (macro) {
      case Macro::kFilter:
        return Part{at, Type::List(bound)};
      case Macro::kMap:
      case Macro::kTransformList:
        return Part{at, Type::List(last)};
      case Macro::kTransformMap:
        return Part{at, Type::Map(key, last)};
      default:
        return Part{at, Type::Bool()};
    }
  }

  // -------------------------------------------------------------------------------- functions
  Checked Method(FormId form) {
    const SyntaxNode& node = At(form);
    if (const std::optional<std::string> name = Qualified(node.parts[0]);
        name && !schema_.FindVariable(*name) && IsFunctionSpace(*name)) {
      return Fail(node.name_at, "unknown function '" + *name + "." + std::string(node.name) + "'");
    }
    return Call(node, true);
  }
  static bool IsFunctionSpace(std::string_view name) {
    return name == "math" || name == "strings" || name == "optional" || name == "base64";
  }

  Checked Call(const SyntaxNode& node, bool method) {
    if (node.name == "dyn" && !method) {
      if (node.parts.size() != 1) return Fail(node.begin, "dyn() takes one value");
      Checked operand = Visit(node.parts[0]);
      if (operand) operand->type = Type::Any();
      return operand;
    }
    const Overload* overload = FindOverload(node.name, method, node.parts.size());
    if (overload == nullptr) return UnknownFunction(node, method);
    std::vector<uint32_t> operands;
    std::vector<Type> types;
    for (const FormId form : node.parts) {
      const Checked part = Visit(form);
      if (!part) return std::nullopt;
      operands.push_back(part->node);
      types.push_back(part->type);
    }
    for (size_t i = 0; i < types.size(); ++i) {
      if (Accepts(*overload, i, types[i])) continue;
      return Fail(At(node.parts[i]).begin,
                  std::string(node.name) + "() cannot take " + A(types[i]) +
                      (i == 0 && overload->accepts[0] == kTextOnly ? "; it needs a string" : ""));
    }
    Node call{.op = Op::kCall, .detail = static_cast<uint8_t>(overload->function)};
    if (!Prepare(node, *overload, operands, call)) return std::nullopt;
    const uint32_t at = Fold(Emit(node, call, operands));
    if (!IsConstant(at) && !CheckText(node, *overload, operands)) return std::nullopt;
    return Part{at, overload->result};
  }

  // Patterns and zones that are literals are made ready here; wrong ones are refused.
  bool Prepare(const SyntaxNode& node, const Overload& overload,
               const std::vector<uint32_t>& operands, Node& call) {
    if (operands.size() < 2 || !IsConstant(operands[1])) return true;
    const Value& constant = ConstantOf(operands[1]);
    if (constant.kind() != Kind::kString) return true;
    const uint32_t where = At(node.parts[1]).begin;
    if (overload.function == Function::kMatches) {
      auto pattern = CompilePattern(constant.AsText(), program_->pattern_program);
      if (pattern == nullptr) {
        Fail(where, "this pattern is malformed or too large; it is an RE2 pattern, in r\"…\"");
        return false;
      }
      program_->patterns.push_back(std::move(pattern));
      call.a = static_cast<uint32_t>(program_->patterns.size());
    } else if (overload.function >= Function::kYear) {
      const std::optional<Zone> zone = Zone::Find(constant.AsText());
      // On a machine without the data of zones the condition is right, and fails when evaluated.
      if (!zone && IsZone(constant.AsText())) return true;
      if (!zone) {
        Fail(where, "unknown time zone; write a name such as \"Europe/Madrid\", or \"+01:00\"");
        return false;
      }
      program_->zones.push_back(*zone);
      call.a = static_cast<uint32_t>(program_->zones.size());
    }
    return true;
  }

  // A literal that can never be converted is refused now rather than failing for ever.
  bool CheckText(const SyntaxNode& node, const Overload& overload,
                 const std::vector<uint32_t>& operands) {
    if (operands.size() != 1 || !IsConstant(operands[0])) return true;
    const uint32_t where = At(node.parts[0]).begin;
    if (ConstantOf(operands[0]).kind() != Kind::kString) return true;
    if (overload.function == Function::kToDuration) {
      Fail(where,
           "this is no duration; write e.g. \"36h\", \"90m\" or \"1h30m\" (30 days are \"720h\")");
      return false;
    }
    if (overload.function == Function::kToTimestamp) {
      Fail(where, "this is no timestamp; write e.g. \"2026-01-31T09:00:00Z\"");
      return false;
    }
    return true;
  }

  Checked UnknownFunction(const SyntaxNode& node, bool method) {
    const std::string name(node.name);
    const std::string written = method ? "." + name + "()" : name + "()";
    if (const Overload* other = FindOverload(node.name, !method, node.parts.size())) {
      (void)other;
      const std::string operand = node.parts.empty() ? "text" : Text(node.parts[0]);
      return Fail(node.name_at, method ? "write " + name + "(" + operand + ")"
                                       : "write " + operand + "." + name + "(…)");
    }
    if (IsFunction(node.name)) {
      const size_t given = node.parts.size() - (method ? 1 : 0);
      return Fail(node.name_at, written + " does not take " + std::to_string(given) +
                                    (given == 1 ? " value" : " values"));
    }
    if (name == "now" || name == "today") {
      return Fail(node.name_at, "there is no clock; the time is a variable: write now");
    }
    if (name == "len" || name == "length" || name == "count") {
      return Fail(node.name_at, "write size(…) instead of " + written);
    }
    Closest closest(node.name);
    for (const std::string_view known : FunctionNames()) closest.Offer(known);
    return Fail(node.name_at, "unknown function '" + written + "'" + closest.Hint());
  }

  const Syntax& syntax_;
  const Schema& schema_;
  const Options& options_;
  std::shared_ptr<Expression::Program> program_;
  std::vector<Local> locals_;
  size_t macros_ = 0;
  std::optional<Problem> problem_;
};

}  // namespace

std::shared_ptr<const Expression::Program> Check(const Syntax& syntax, std::string_view source,
                                                 const Schema& schema, const Options& options,
                                                 Problem& problem) {
  return Checker(syntax, source, schema, options).Run(problem);
}

}  // namespace hilo::expression
