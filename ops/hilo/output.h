#pragma once

#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>

#include <string>

#include "hilo/v1/customer.pb.h"

namespace hilo::cli {

// How results are written: data to stdout, talk to stderr.
struct Output {
  bool json = false;
  bool quiet = false;
  bool color = false;
};

// One JSON document a line.
void PrintJson(const google::protobuf::Message& message);
// "2026-11-24 10:05:00" in UTC; "-" when unset.
std::string TimeText(const google::protobuf::Timestamp& time);
// For terminals: control characters of customers' texts do nothing.
std::string Clean(const std::string& text);
void PrintContext(const v1::Context& context, const Output& output);
void PrintEntry(const v1::TimelineEntry& entry);
void PrintCustomer(const v1::Customer& customer, const Output& output);
// "CHANNEL_WEB" → "web".
std::string Word(const std::string& enum_name);

}  // namespace hilo::cli
