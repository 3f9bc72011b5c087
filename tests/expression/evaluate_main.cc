// Evaluates conditions for tests that are not written in C++: one JSON object a line in, one JSON
// array a line out.
//
// In: {"expression", "structs": [[name, [[field, type]…]]…], "variables": [[name, type, value]…]};
// a variable without a value is not known. Types: "int", ["list", type], ["map", type, type],
// ["struct", name], "any" … Values: ["int", "5"],
// ["string", "…"], ["bytes", hex], ["double", "1.5"], ["timestamp" | "duration", seconds, nanos],
// ["list", [value…]],
// ["map", [[key, value]…]], ["struct", name, [value…]], ["null"], ["absent"].
// Out: ["value", value], ["compile", reason, message] or ["evaluate", reason, message].
#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ops/base/check.h"
#include "ops/base/json_text.h"
#include "ops/base/text_encoding.h"
#include "state/expression/expression.h"

namespace hilo::expression {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;

constexpr uint64_t kSteps = 1'000'000;

std::string_view Text(element json) { return json.get_string().value(); }
array Parts(element json) { return json.get_array().value(); }
element At(element json, size_t index) { return json.get_array().value().at(index).value(); }

template <typename T>
T Number(std::string_view text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  HILO_CHECK(error == std::errc() && end == text.data() + text.size(), "the tests write numbers");
  return value;
}

std::string Unhex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    int byte = 0;
    std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

Type ReadType(element json) {
  if (json.is_string()) {
    const std::string_view name = Text(json);
    const std::pair<std::string_view, Type> kTypes[] = {
        {"null", Type::Null()},   {"bool", Type::Bool()},           {"int", Type::Int()},
        {"uint", Type::Uint()},   {"double", Type::Double()},       {"string", Type::String()},
        {"bytes", Type::Bytes()}, {"timestamp", Type::Timestamp()}, {"duration", Type::Duration()},
        {"type", Type::TypeOf()}};
    for (const auto& [known, type] : kTypes) {
      if (known == name) return type;
    }
    return Type::Any();
  }
  const std::string_view kind = Text(At(json, 0));
  if (kind == "list") return Type::List(ReadType(At(json, 1)));
  if (kind == "map") return Type::Map(ReadType(At(json, 1)), ReadType(At(json, 2)));
  return Type::Struct(Text(At(json, 1)));
}

// Struct names that outlive the values.
using Names = std::set<std::string, std::less<>>;

Value ReadValue(element json, Names& names) {
  const std::string_view kind = Text(At(json, 0));
  if (kind == "null") return Value::Null();
  if (kind == "absent") return Value();
  const element content = At(json, 1);
  if (kind == "bool") return Value::Bool(content.get_bool().value());
  if (kind == "int") return Value::Int(Number<int64_t>(Text(content)));
  if (kind == "uint") return Value::Uint(Number<uint64_t>(Text(content)));
  if (kind == "double")
    return Value::Double(std::strtod(std::string(Text(content)).c_str(), nullptr));
  if (kind == "string") return Value::String(std::string(Text(content)));
  if (kind == "bytes") return Value::Bytes(Unhex(Text(content)));
  if (kind == "timestamp" || kind == "duration") {
    const Span span{Number<int64_t>(Text(content)),
                    static_cast<int32_t>(At(json, 2).get_int64().value())};
    return kind == "timestamp" ? Value::Timestamp(span) : Value::Duration(span);
  }
  if (kind == "list") {
    std::vector<Value> elements;
    for (const element part : Parts(content)) elements.push_back(ReadValue(part, names));
    return Value::ListOf(std::move(elements));
  }
  if (kind == "map") {
    std::vector<std::pair<Value, Value>> entries;
    for (const element entry : Parts(content)) {
      entries.emplace_back(ReadValue(At(entry, 0), names), ReadValue(At(entry, 1), names));
    }
    return Value::MapOf(std::move(entries));
  }
  HILO_CHECK(kind == "struct", "the tests write known kinds");
  std::vector<Value> fields;
  for (const element part : Parts(At(json, 2))) fields.push_back(ReadValue(part, names));
  return Value::Own(std::unique_ptr<const Struct>(
      std::make_unique<Fields>(*names.emplace(Text(content)).first, std::move(fields))));
}

std::string DoubleText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  char buffer[40];
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

void WriteValue(const Value& value, std::string& out) {
  const auto tagged = [&](std::string_view kind, std::string_view text) {
    out.append("[\"").append(kind).append("\",");
    AppendJsonString(text, out);
    out += "]";
  };
  switch (value.kind()) {
    case Kind::kNull:
      out += "[\"null\"]";
      return;
    case Kind::kBool:
      out += value.AsBool() ? "[\"bool\",true]" : "[\"bool\",false]";
      return;
    case Kind::kInt:
      return tagged("int", std::to_string(value.AsInt()));
    case Kind::kUint:
      return tagged("uint", std::to_string(value.AsUint()));
    case Kind::kDouble:
      return tagged("double", DoubleText(value.AsDouble()));
    case Kind::kString:
      return tagged("string", value.AsText());
    case Kind::kBytes:
      return tagged("bytes", Hex(value.AsText()));
    case Kind::kType:
      return tagged("type", value.AsText());
    case Kind::kTimestamp:
    case Kind::kDuration:
      out += value.kind() == Kind::kTimestamp ? "[\"timestamp\",\"" : "[\"duration\",\"";
      out += std::to_string(value.AsSpan().seconds) + "\"," + std::to_string(value.AsSpan().nanos) +
             "]";
      return;
    case Kind::kList: {
      out += "[\"list\",[";
      const List& list = value.AsList();
      for (size_t i = 0; i < list.size(); ++i) {
        if (i != 0) out += ",";
        WriteValue(list.At(i), out);
      }
      out += "]]";
      return;
    }
    case Kind::kMap: {
      out += "[\"map\",[";
      const Map& map = value.AsMap();
      for (size_t i = 0; i < map.size(); ++i) {
        const Value key = map.KeyAt(i);
        out += i != 0 ? ",[" : "[";
        WriteValue(key, out);
        out += ",";
        WriteValue(map.Find(key), out);
        out += "]";
      }
      out += "]]";
      return;
    }
    default:
      tagged("other", NameOf(value.kind()));
      return;
  }
}

std::string Refused(std::string_view stage, const Status& status) {
  std::string out = "[\"" + std::string(stage) + "\",";
  AppendJsonString(Reason(status), out);
  out += ",";
  AppendJsonString(std::string(status.message()), out);
  return out + "]";
}

std::string Answer(element request) {
  Schema schema;
  for (const element json : Parts(request["structs"].value())) {
    StructType type{std::string(Text(At(json, 0))), {}};
    for (const element field : Parts(At(json, 1))) {
      type.fields.push_back({std::string(Text(At(field, 0))), ReadType(At(field, 1))});
    }
    if (const Status added = schema.AddStruct(std::move(type)); !added.ok())
      return Refused("compile", added);
  }
  Names names;
  Variables variables({});
  size_t number = 0;
  for (const element json : Parts(request["variables"].value())) {
    const Status added = schema.AddVariable(Text(At(json, 0)), ReadType(At(json, 1)));
    if (!added.ok()) return Refused("compile", added);
    if (json.get_array().value().size() > 2) variables.Set(number, ReadValue(At(json, 2), names));
    ++number;
  }
  const Options options{.result = Type::Any(), .limits = {.source_bytes = 16'384}};
  const auto expression = Expression::Compile(Text(request["expression"].value()), schema, options);
  if (!expression.ok()) return Refused("compile", expression.status());
  Budget budget(kSteps);
  const auto value = expression->Evaluate(variables, budget);
  if (!value.ok()) return Refused("evaluate", value.status());
  std::string out = "[\"value\",";
  WriteValue(*value, out);
  return out + "]";
}

}  // namespace
}  // namespace hilo::expression

int main() {
  std::ios::sync_with_stdio(false);
  simdjson::dom::parser parser;
  std::string line;
  while (std::getline(std::cin, line)) {
    std::cout << hilo::expression::Answer(parser.parse(line).value()) << "\n";
  }
}
