#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ops/base/check.h"
#include "state/expression/expression.h"

// A shop's schema as conditions of the tests see it, and a customer in it.
namespace hilo::expression {

enum CustomerField : size_t {
  kOpenComplaints,
  kDaysSinceOrder,
  kSpend,
  kName,
  kLastOrder,
  kTags,
  kVip,
  kAddress,
};

inline Schema ShopSchema(bool labels = false) {
  Schema schema;
  HILO_CHECK(
      schema.AddStruct({"Address", {{"city", Type::String()}, {"zone", Type::String()}}}).ok(),
      "new name");
  std::vector<Field> fields = {{"open_complaints", Type::Int()},
                               {"days_since_order", Type::Int()},
                               {"spend", Type::Double()},
                               {"name", Type::String()},
                               {"last_order", Type::Timestamp()},
                               {"tags", Type::List(Type::String())},
                               {"vip", Type::Bool()},
                               {"address", Type::Struct("Address")}};
  if (labels) {
    fields[kOpenComplaints].label = {"open complaints", "reclamaciones abiertas"};
    fields[kDaysSinceOrder].label = {"days since the last order", "días desde el último pedido"};
    fields[kLastOrder].label = {"last order", "último pedido"};
    fields[kTags].label = {"tags", "etiquetas"};
    fields[kVip].label = {"VIP", "VIP"};
    fields[kName].label = {"name", "nombre"};
  }
  HILO_CHECK(schema.AddStruct({"Customer", std::move(fields)}).ok(), "new name");
  HILO_CHECK(schema.AddVariable("customer", Type::Struct("Customer")).ok(), "new name");
  HILO_CHECK(schema.AddVariable("facts", Type::Map(Type::String(), Type::String())).ok(),
             "new name");
  HILO_CHECK(schema.AddVariable("now", Type::Timestamp()).ok(), "new name");
  HILO_CHECK(schema.AddVariable("any", Type::Any()).ok(), "new name");
  return schema;
}

inline constexpr int64_t kNowSeconds = 1'780'000'000;  // 2026-05-28T20:26:40Z

// One complaint open, ordered 45 days ago; `last_order` and the city's zone are not known.
struct ShopCustomer {
  ShopCustomer() {
    std::vector<Value> values = {
        Value::Int(1),
        Value::Int(45),
        Value::Double(120.5),
        Value::StringView("Ana"),
        Value(),
        Value::ListOf({Value::StringView("shoes"), Value::StringView("red")}),
        Value::Bool(false),
        Value::Own(std::unique_ptr<const Struct>(std::make_unique<Fields>(
            "Address", std::vector<Value>{Value::StringView("Sevilla")})))};
    customer = std::make_unique<Fields>("Customer", std::move(values));
    variables.Set(0, Value::StructView(*customer));
    variables.Set(1, Value::MapOf({{Value::StringView("size"), Value::StringView("38")}}));
    variables.Set(2, Value::Timestamp(Span{kNowSeconds, 0}));
  }
  std::unique_ptr<Fields> customer;
  Variables variables{{}};
};

// What `source` yields for the shop's customer, as text; "error: <reason>" when it fails.
inline std::string Yield(std::string_view source) {
  const auto expression = Expression::Compile(source, ShopSchema(), {.result = Type::Any()});
  if (!expression.ok()) return "compile: " + Reason(expression.status());
  const ShopCustomer shop;
  Budget budget;
  const auto value = expression->Evaluate(shop.variables, budget);
  if (!value.ok()) return "error: " + Reason(value.status());
  return ToText(*value);
}

// The message of Compile for a condition; "" when it compiles.
inline std::string Refusal(std::string_view source, const Options& options = {}) {
  const auto expression = Expression::Compile(source, ShopSchema(), options);
  return expression.ok() ? "" : std::string(expression.status().message());
}

}  // namespace hilo::expression
