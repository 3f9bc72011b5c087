#include "state/expression/syntax.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "state/expression/lexer.h"
#include "state/expression/text.h"

namespace hilo::expression {
namespace {

struct Binary {
  Form form;
  int strength;
};

std::optional<Binary> BinaryOf(const Lexer& lexer) {
  switch (lexer.token()) {
    case Token::kOr:
      return Binary{Form::kOr, 1};
    case Token::kAnd:
      return Binary{Form::kAnd, 2};
    case Token::kEqual:
      return Binary{Form::kEqual, 3};
    case Token::kNotEqual:
      return Binary{Form::kNotEqual, 3};
    case Token::kLess:
      return Binary{Form::kLess, 3};
    case Token::kLessEqual:
      return Binary{Form::kLessEqual, 3};
    case Token::kGreater:
      return Binary{Form::kGreater, 3};
    case Token::kGreaterEqual:
      return Binary{Form::kGreaterEqual, 3};
    case Token::kName:
      if (lexer.text() == "in") return Binary{Form::kIn, 3};
      return std::nullopt;
    case Token::kPlus:
      return Binary{Form::kAdd, 4};
    case Token::kMinus:
      return Binary{Form::kSubtract, 4};
    case Token::kStar:
      return Binary{Form::kMultiply, 5};
    case Token::kSlash:
      return Binary{Form::kDivide, 5};
    case Token::kPercent:
      return Binary{Form::kModulo, 5};
    default:
      return std::nullopt;
  }
}

size_t MacroVariables(std::string_view name, size_t arguments) {
  const auto is = [&](auto... names) { return ((name == names) || ...); };
  if (is("all", "exists", "exists_one", "existsOne")) {
    return arguments == 2 ? 1 : arguments == 3 ? 2 : 0;
  }
  if (name == "filter") return arguments == 2 ? 1 : 0;
  if (name == "map") return arguments == 2 || arguments == 3 ? 1 : 0;
  if (is("transformList", "transformMap")) return arguments == 3 || arguments == 4 ? 2 : 0;
  return 0;
}

bool IsMacro(std::string_view name) {
  for (const size_t arguments : {2, 3}) {
    if (MacroVariables(name, arguments) != 0) return true;
  }
  return false;
}

class Parser {
 public:
  Parser(std::string_view source, const Limits& limits) : limits_(limits), lexer_(source) {}

  std::optional<Syntax> Run(Problem& problem) {
    const FormId root = Expression();
    if (root != kNoForm && lexer_.token() != Token::kEnd) Unexpected("the end");
    if (!problem_ && lexer_.problem()) problem_ = lexer_.problem();
    if (problem_ || root == kNoForm) {
      problem = problem_.value_or(Problem{0, "expression_syntax", "this is no expression"});
      return std::nullopt;
    }
    syntax_.root = root;
    return std::move(syntax_);
  }

 private:
  // Every recursive step stands for one bracket, operator or call inside another.
  class Level {
   public:
    explicit Level(Parser& parser) : parser_(parser) { ++parser_.level_; }
    ~Level() { --parser_.level_; }
    bool fits() const {
      if (parser_.level_ <= parser_.limits_.depth) return true;
      parser_.TooDeep(parser_.lexer_.begin());
      return false;
    }

   private:
    Parser& parser_;
  };

  void TooDeep(uint32_t at) {
    Fail(at, "expression_limit",
         "more than " + std::to_string(limits_.depth) +
             " brackets, operators or calls lie inside one another; split the condition");
  }

  FormId Fail(uint32_t at, std::string_view reason, std::string message) {
    if (!problem_) {
      problem_ = lexer_.problem() ? *lexer_.problem() : Problem{at, reason, std::move(message)};
    }
    return kNoForm;
  }
  FormId Fail(std::string message) {
    return Fail(lexer_.begin(), "expression_syntax", std::move(message));
  }

  FormId Unexpected(std::string_view wanted) {
    if (lexer_.token() == Token::kEnd) {
      return Fail("the condition ends here; expected " + std::string(wanted));
    }
    const std::string_view found = lexer_.text();
    std::string hint;
    if (lexer_.token() == Token::kName) {
      std::string lower(found);
      for (char& c : lower) c = static_cast<char>(c | 0x20);
      if (lower == "and") hint = "; write && for 'and'";
      if (lower == "or") hint = "; write || for 'or'";
      if (lower == "not") hint = "; write ! for 'not'";
      if (lower == "is") hint = "; write == to compare";
      if (lower == "if" || lower == "then") hint = "; write condition ? a : b";
    }
    return Fail("found '" + std::string(found.substr(0, 40)) + "', expected " +
                std::string(wanted) + hint);
  }

  bool Eat(Token token) {
    if (lexer_.token() != token) return false;
    lexer_.Next();
    return true;
  }
  bool Expect(Token token, std::string_view wanted) {
    if (Eat(token)) return true;
    Unexpected(wanted);
    return false;
  }

  FormId Add(SyntaxNode node) {
    if (syntax_.nodes.size() >= limits_.nodes) {
      return Fail(
          node.begin, "expression_limit",
          "the condition has more than " + std::to_string(limits_.nodes) + " parts; split it");
    }
    for (const FormId part : node.parts) {
      node.depth = std::max(node.depth, syntax_.nodes[part].depth + 1);
    }
    if (node.depth > limits_.depth) {
      TooDeep(node.name_at);
      return kNoForm;
    }
    syntax_.nodes.push_back(std::move(node));
    return static_cast<FormId>(syntax_.nodes.size() - 1);
  }

  uint32_t BeginOf(FormId form) const { return syntax_.nodes[form].begin; }

  FormId Expression() {
    const Level level(*this);
    if (!level.fits()) return kNoForm;
    const FormId condition = Operators(1);
    if (condition == kNoForm || lexer_.token() != Token::kQuestion) return condition;
    const uint32_t at = lexer_.begin();
    lexer_.Next();
    const FormId yes = Operators(1);
    if (yes == kNoForm || !Expect(Token::kColon, "':' and what it is otherwise")) return kNoForm;
    const FormId no = Expression();
    if (no == kNoForm) return kNoForm;
    return Add({.form = Form::kChoice,
                .begin = BeginOf(condition),
                .end = lexer_.last_end(),
                .name_at = at,
                .parts = {condition, yes, no}});
  }

  FormId Operators(int strength) {
    FormId left = Unary();
    // `a && b && c` becomes one node, so that its length is no depth.
    bool open_chain = false;
    while (left != kNoForm) {
      const std::optional<Binary> binary = BinaryOf(lexer_);
      if (!binary || binary->strength < strength) return left;
      const uint32_t at = lexer_.begin();
      lexer_.Next();
      const FormId right = Operators(binary->strength + 1);
      if (right == kNoForm) return kNoForm;
      const bool chain = binary->form == Form::kAnd || binary->form == Form::kOr;
      SyntaxNode& before = syntax_.nodes[left];
      if (chain && open_chain && before.form == binary->form) {
        before.parts.push_back(right);
        before.depth = std::max(before.depth, syntax_.nodes[right].depth + 1);
        before.end = lexer_.last_end();
        if (before.depth > limits_.depth) {
          TooDeep(at);
          return kNoForm;
        }
        continue;
      }
      left = Add({.form = binary->form,
                  .begin = BeginOf(left),
                  .end = lexer_.last_end(),
                  .name_at = at,
                  .parts = {left, right}});
      open_chain = chain;
    }
    return kNoForm;
  }

  FormId Unary() {
    const Token token = lexer_.token();
    if (token != Token::kNot && token != Token::kMinus) return Member();
    const Level level(*this);
    if (!level.fits()) return kNoForm;
    const uint32_t at = lexer_.begin();
    lexer_.Next();
    if (token == Token::kMinus && lexer_.token() == Token::kLiteral &&
        (lexer_.is_magnitude() || lexer_.literal().kind() == Kind::kDouble)) {
      return Member(at);
    }
    const FormId operand = Unary();
    if (operand == kNoForm) return kNoForm;
    return Add({.form = token == Token::kNot ? Form::kNot : Form::kNegate,
                .begin = at,
                .end = lexer_.last_end(),
                .name_at = at,
                .parts = {operand}});
  }

  // `minus_at`: the sign of the number that comes first.
  FormId Member(std::optional<uint32_t> minus_at = std::nullopt) {
    FormId operand = Primary(minus_at);
    while (operand != kNoForm) {
      if (Eat(Token::kDot)) {
        operand = Selection(operand);
      } else if (lexer_.token() == Token::kLeftBracket) {
        const uint32_t at = lexer_.begin();
        lexer_.Next();
        const FormId index = Expression();
        if (index == kNoForm || !Expect(Token::kRightBracket, "']'")) return kNoForm;
        operand = Add({.form = Form::kIndex,
                       .begin = BeginOf(operand),
                       .end = lexer_.last_end(),
                       .name_at = at,
                       .parts = {operand, index}});
      } else if (lexer_.token() == Token::kLeftBrace) {
        return Fail("values of a struct cannot be written here; compare its fields one by one");
      } else {
        return operand;
      }
    }
    return kNoForm;
  }

  FormId Selection(FormId operand) {
    SyntaxNode node{.form = Form::kSelect, .begin = BeginOf(operand), .name_at = lexer_.begin()};
    if (lexer_.token() == Token::kName) {
      node.name = lexer_.text();
      if (node.name == "in" || node.name == "true" || node.name == "false" || node.name == "null") {
        return Fail("'" + std::string(node.name) + "' cannot be the name of a field; write [\"" +
                    std::string(node.name) + "\"]");
      }
    } else if (lexer_.token() == Token::kQuotedName) {
      node.name = lexer_.quoted();
    } else {
      return Unexpected("the name of a field after '.'");
    }
    const bool quoted = lexer_.token() == Token::kQuotedName;
    lexer_.Next();
    node.parts.push_back(operand);
    if (!quoted && lexer_.token() == Token::kLeftParen) {
      node.form = Form::kMethod;
      if (!Arguments(node)) return kNoForm;
      return Receive(std::move(node));
    }
    node.end = lexer_.last_end();
    return Add(std::move(node));
  }

  // A call with a receiver; a macro when it has that name.
  FormId Receive(SyntaxNode node) {
    const size_t arguments = node.parts.size() - 1;
    if (!IsMacro(node.name)) return Add(std::move(node));
    const size_t variables = MacroVariables(node.name, arguments);
    if (variables == 0) {
      return Fail(node.name_at, "expression_syntax",
                  "'" + std::string(node.name) +
                      "' needs a variable and what to do with it, e.g. list." +
                      std::string(node.name) + "(x, x > 0)");
    }
    node.form = Form::kMacro;
    for (size_t i = 1; i <= variables; ++i) {
      const SyntaxNode& variable = syntax_.nodes[node.parts[i]];
      if (variable.form != Form::kName || variable.global) {
        return Fail(variable.begin, "expression_syntax",
                    "'" + std::string(node.name) + "' needs a simple name here, e.g. x");
      }
      if (i == 2 && variable.name == node.variables.front()) {
        return Fail(variable.begin, "expression_syntax", "the two variables need different names");
      }
      node.variables.push_back(variable.name);
    }
    node.parts.erase(node.parts.begin() + 1,
                     node.parts.begin() + 1 + static_cast<std::ptrdiff_t>(variables));
    return Add(std::move(node));
  }

  // At '('. Appends the arguments to `node` and sets its end.
  bool Arguments(SyntaxNode& node) {
    lexer_.Next();
    if (!Eat(Token::kRightParen)) {
      while (true) {
        const FormId argument = Expression();
        if (argument == kNoForm) return false;
        node.parts.push_back(argument);
        if (Eat(Token::kComma)) continue;
        if (!Expect(Token::kRightParen, "',' or ')'")) return false;
        break;
      }
    }
    node.end = lexer_.last_end();
    return true;
  }

  FormId Primary(std::optional<uint32_t> minus_at) {
    switch (lexer_.token()) {
      case Token::kLiteral:
        return Literal(minus_at);
      case Token::kName:
        return Name(false, lexer_.begin());
      case Token::kDot: {
        const uint32_t at = lexer_.begin();
        lexer_.Next();
        if (lexer_.token() != Token::kName) return Unexpected("a name");
        return Name(true, at);
      }
      case Token::kLeftParen: {
        const uint32_t at = lexer_.begin();
        lexer_.Next();
        const FormId inside = Expression();
        if (inside == kNoForm || !Expect(Token::kRightParen, "')'")) return kNoForm;
        syntax_.nodes[inside].begin = at;
        syntax_.nodes[inside].end = lexer_.last_end();
        return inside;
      }
      case Token::kLeftBracket:
        return List();
      case Token::kLeftBrace:
        return Map();
      default:
        return Unexpected("a value");
    }
  }

  FormId Literal(std::optional<uint32_t> minus_at) {
    SyntaxNode node{.form = Form::kLiteral, .begin = minus_at.value_or(lexer_.begin())};
    node.name_at = node.begin;
    node.literal = lexer_.literal();
    if (lexer_.is_magnitude()) {
      const uint64_t magnitude = node.literal.AsUint();
      const uint64_t most = uint64_t{1} << 63;
      if (magnitude > most - (minus_at ? 0 : 1)) {
        return Fail(
            "this number is too large for an int; write a decimal point to make it a double");
      }
      node.literal = Value::Int(static_cast<int64_t>(minus_at ? 0 - magnitude : magnitude));
    } else if (minus_at) {
      node.literal = Value::Double(-node.literal.AsDouble());
    }
    lexer_.Next();
    node.end = lexer_.last_end();
    return Add(std::move(node));
  }

  FormId Name(bool global, uint32_t begin) {
    SyntaxNode node{.form = Form::kName, .global = global, .begin = begin};
    node.name_at = lexer_.begin();
    node.name = lexer_.text();
    const auto constant = [&](Value value) {
      lexer_.Next();
      node.form = Form::kLiteral;
      node.literal = std::move(value);
      node.end = lexer_.last_end();
      return Add(std::move(node));
    };
    if (!global && node.name == "true") return constant(Value::Bool(true));
    if (!global && node.name == "false") return constant(Value::Bool(false));
    if (!global && node.name == "null") return constant(Value::Null());
    if (IsReserved(node.name)) {
      return Fail("'" + std::string(node.name) + "' is a reserved word and cannot be a name");
    }
    lexer_.Next();
    if (lexer_.token() == Token::kLeftParen) {
      node.form = Form::kCall;
      if (!Arguments(node)) return kNoForm;
      if (node.name == "has" && !global) return Has(std::move(node));
      return Add(std::move(node));
    }
    node.end = lexer_.last_end();
    return Add(std::move(node));
  }

  FormId Has(SyntaxNode node) {
    if (node.parts.size() != 1 || syntax_.nodes[node.parts[0]].form != Form::kSelect) {
      return Fail(node.begin, "expression_syntax", "has() needs a field, e.g. has(customer.name)");
    }
    const SyntaxNode& field = syntax_.nodes[node.parts[0]];
    node.form = Form::kHas;
    node.name = field.name;
    node.name_at = field.name_at;
    const FormId operand = field.parts[0];
    node.parts = {operand};
    return Add(std::move(node));
  }

  FormId List() {
    SyntaxNode node{.form = Form::kList, .begin = lexer_.begin(), .name_at = lexer_.begin()};
    lexer_.Next();
    while (!Eat(Token::kRightBracket)) {
      const FormId element = Expression();
      if (element == kNoForm) return kNoForm;
      node.parts.push_back(element);
      if (Eat(Token::kComma)) continue;
      if (!Expect(Token::kRightBracket, "',' or ']'")) return kNoForm;
      break;
    }
    node.end = lexer_.last_end();
    return Add(std::move(node));
  }

  FormId Map() {
    SyntaxNode node{.form = Form::kMap, .begin = lexer_.begin(), .name_at = lexer_.begin()};
    lexer_.Next();
    while (!Eat(Token::kRightBrace)) {
      const FormId key = Expression();
      if (key == kNoForm || !Expect(Token::kColon, "':' after a key")) return kNoForm;
      const FormId value = Expression();
      if (value == kNoForm) return kNoForm;
      node.parts.push_back(key);
      node.parts.push_back(value);
      if (Eat(Token::kComma)) continue;
      if (!Expect(Token::kRightBrace, "',' or '}'")) return kNoForm;
      break;
    }
    node.end = lexer_.last_end();
    return Add(std::move(node));
  }

  const Limits limits_;
  Lexer lexer_;
  Syntax syntax_;
  std::optional<Problem> problem_;
  size_t level_ = 0;
};

}  // namespace

std::optional<Syntax> Parse(std::string_view source, const Limits& limits, Problem& problem) {
  if (source.size() > limits.source_bytes) {
    problem = {
        0, "expression_limit",
        "the condition is longer than " + std::to_string(limits.source_bytes) + " bytes; split it"};
    return std::nullopt;
  }
  if (!IsUtf8(source)) {
    problem = {0, "expression_syntax", "the condition is no valid UTF-8"};
    return std::nullopt;
  }
  return Parser(source, limits).Run(problem);
}

}  // namespace hilo::expression
