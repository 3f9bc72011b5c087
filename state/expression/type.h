#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ops/base/status.h"
#include "state/expression/value.h"

namespace hilo::expression {

// What an expression may be at the time it is checked: a kind, and what is inside a list, map or
// struct. Cheap to copy.
class Type {
 public:
  Type() = default;  // any kind: decided when it is evaluated
  static Type Any() { return Type(); }
  static Type Null() { return Type(Kind::kNull); }
  static Type Bool() { return Type(Kind::kBool); }
  static Type Int() { return Type(Kind::kInt); }
  static Type Uint() { return Type(Kind::kUint); }
  static Type Double() { return Type(Kind::kDouble); }
  static Type String() { return Type(Kind::kString); }
  static Type Bytes() { return Type(Kind::kBytes); }
  static Type Timestamp() { return Type(Kind::kTimestamp); }
  static Type Duration() { return Type(Kind::kDuration); }
  static Type TypeOf() { return Type(Kind::kType); }
  static Type List(Type element);
  static Type Map(Type key, Type value);
  static Type Struct(std::string_view name);

  bool any() const { return kind_ == Kind::kAbsent; }
  Kind kind() const { return kind_; }
  const Type& element() const { return inside_->front(); }  // of a list
  const Type& key() const { return inside_->front(); }      // of a map
  const Type& value() const { return inside_->back(); }     // of a map
  const std::string& struct_name() const { return *name_; }

  // "int", "list(string)", "map(string, any)", "Customer", "any".
  std::string Text() const;
  friend bool operator==(const Type& a, const Type& b);

 private:
  explicit Type(Kind kind) : kind_(kind) {}

  Kind kind_ = Kind::kAbsent;
  std::shared_ptr<const std::vector<Type>> inside_;
  std::shared_ptr<const std::string> name_;
};

// How a field or variable is called in an explanation: "open complaints". Empty: its name.
struct Label {
  std::string en;
  std::string es;
};

struct Field {
  std::string name;
  Type type;
  Label label = {};
};

struct StructType {
  std::string name;  // "Customer"
  std::vector<Field> fields;
};

// What an expression may name: variables, and structs with their fields. Built once by whoever
// evaluates; variables and fields are numbered in the order in which they are declared, and those
// numbers are what Activation and Struct are asked for.
// **Errors** `expression_schema`: a name that is no identifier, is reserved or is declared twice;
// a struct that is not declared. **Threads** thread-compatible; const after it is built.
// **Lifetime** an Expression keeps nothing of it.
class Schema {
 public:
  // Declare structs before what refers to them; a struct may refer to itself.
  Status AddStruct(StructType type);
  // The variable's number is variables().size() - 1 afterwards. A name may have parts: "a.b.c".
  Status AddVariable(std::string_view name, Type type, Label label = {});

  const std::vector<Field>& variables() const { return variables_; }
  std::optional<size_t> FindVariable(std::string_view name) const;
  const StructType* FindStruct(std::string_view name) const;  // null when there is none

 private:
  Status CheckType(const Type& type, std::string_view itself) const;

  std::vector<StructType> structs_;
  std::vector<Field> variables_;
};

// A struct whose fields are already at hand.
class Fields final : public Struct {
 public:
  // `values` by field number; what is missing at the end is absent. `name` outlives this.
  Fields(std::string_view name, std::vector<Value> values)
      : name_(name), values_(std::move(values)) {}
  Value Field(size_t number) const override {
    return number < values_.size() ? values_[number] : Value();
  }
  std::string_view type_name() const override { return name_; }
  void Set(size_t number, Value value) {
    if (number >= values_.size()) values_.resize(number + 1);
    values_[number] = std::move(value);
  }

 private:
  std::string_view name_;
  std::vector<Value> values_;
};

}  // namespace hilo::expression
