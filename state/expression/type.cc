#include "state/expression/type.h"

#include <algorithm>
#include <utility>

#include "state/expression/lexer.h"

namespace hilo::expression {
namespace {

Status Refuse(const std::string& message) {
  return Error(StatusCode::kInvalidArgument, "expression_schema", message);
}

Status CheckName(std::string_view name) {
  if (!IsIdentifier(name)) {
    return Refuse("'" + std::string(name) +
                  "' cannot be a name: use letters, digits and _, and no reserved word");
  }
  return OkStatus();
}

}  // namespace

Type Type::List(Type element) {
  Type type(Kind::kList);
  type.inside_ = std::make_shared<const std::vector<Type>>(std::vector<Type>{std::move(element)});
  return type;
}

Type Type::Map(Type key, Type value) {
  Type type(Kind::kMap);
  type.inside_ = std::make_shared<const std::vector<Type>>(
      std::vector<Type>{std::move(key), std::move(value)});
  return type;
}

Type Type::Struct(std::string_view name) {
  Type type(Kind::kStruct);
  type.name_ = std::make_shared<const std::string>(name);
  return type;
}

std::string Type::Text() const {
  switch (kind_) {
    case Kind::kAbsent:
      return "any";
    case Kind::kNull:
      return "null";
    case Kind::kTimestamp:
      return "timestamp";
    case Kind::kDuration:
      return "duration";
    case Kind::kList:
      return "list(" + element().Text() + ")";
    case Kind::kMap:
      return "map(" + key().Text() + ", " + value().Text() + ")";
    case Kind::kStruct:
      return *name_;
    default:
      return std::string(NameOf(kind_));
  }
}

bool operator==(const Type& a, const Type& b) {
  if (a.kind_ != b.kind_) return false;
  if (a.kind_ == Kind::kStruct) return *a.name_ == *b.name_;
  if (a.inside_ == nullptr) return true;
  return *a.inside_ == *b.inside_;
}

Status Schema::AddStruct(StructType type) {
  HILO_RETURN_IF_ERROR(CheckName(type.name));
  if (FindStruct(type.name) != nullptr) {
    return Refuse("struct " + type.name + " is declared twice");
  }
  for (size_t i = 0; i < type.fields.size(); ++i) {
    const Field& field = type.fields[i];
    HILO_RETURN_IF_ERROR(CheckName(field.name));
    for (size_t j = 0; j < i; ++j) {
      if (type.fields[j].name == field.name) {
        return Refuse("field " + field.name + " of " + type.name + " is declared twice");
      }
    }
    HILO_RETURN_IF_ERROR(CheckType(field.type, type.name));
  }
  structs_.push_back(std::move(type));
  return OkStatus();
}

Status Schema::AddVariable(std::string_view name, Type type, Label label) {
  std::string_view rest = name;
  while (true) {
    const size_t dot = rest.find('.');
    HILO_RETURN_IF_ERROR(CheckName(rest.substr(0, dot)));
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  if (FindVariable(name)) return Refuse("variable " + std::string(name) + " is declared twice");
  HILO_RETURN_IF_ERROR(CheckType(type, ""));
  variables_.push_back({std::string(name), std::move(type), std::move(label)});
  return OkStatus();
}

Status Schema::CheckType(const Type& type, std::string_view itself) const {
  switch (type.kind()) {
    case Kind::kStruct:
      if (type.struct_name() == itself || FindStruct(type.struct_name()) != nullptr) {
        return OkStatus();
      }
      return Refuse("struct " + type.struct_name() + " is not declared; declare it first");
    case Kind::kList:
      return CheckType(type.element(), itself);
    case Kind::kMap:
      HILO_RETURN_IF_ERROR(CheckType(type.key(), itself));
      return CheckType(type.value(), itself);
    default:
      return OkStatus();
  }
}

std::optional<size_t> Schema::FindVariable(std::string_view name) const {
  const auto found = std::find_if(variables_.begin(), variables_.end(),
                                  [&](const Field& field) { return field.name == name; });
  if (found == variables_.end()) return std::nullopt;
  return static_cast<size_t>(found - variables_.begin());
}

const StructType* Schema::FindStruct(std::string_view name) const {
  const auto found = std::find_if(structs_.begin(), structs_.end(),
                                  [&](const StructType& type) { return type.name == name; });
  return found == structs_.end() ? nullptr : &*found;
}

}  // namespace hilo::expression
