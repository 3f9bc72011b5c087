#include "connectors/serving/health_watch.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <utility>

namespace hilo::serving {
namespace {

// HealthCheckResponse.ServingStatus.
constexpr char kServing = 1;
constexpr char kNotServing = 2;
constexpr char kServiceUnknown = 3;

// A HealthCheckResponse: its field 1, a varint.
std::string Response(char status) { return {'\x08', status}; }

}  // namespace

std::optional<std::string> HealthWatch::ServiceOf(std::string_view request) {
  using google::protobuf::internal::WireFormatLite;
  constexpr uint32_t kServiceTag =
      WireFormatLite::MakeTag(1, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  google::protobuf::io::CodedInputStream input(reinterpret_cast<const uint8_t*>(request.data()),
                                               static_cast<int>(request.size()));
  std::string service;
  while (const uint32_t tag = input.ReadTag()) {
    const bool read = tag == kServiceTag ? WireFormatLite::ReadString(&input, &service)
                                         : WireFormatLite::SkipField(&input, tag);
    if (!read) return std::nullopt;
  }
  return input.ConsumedEntireMessage() ? std::optional(service) : std::nullopt;
}

bool HealthWatch::Knows(std::string_view service) const {
  return service.empty() ||
         std::any_of(endpoints_.All().begin(), endpoints_.All().end(), [&](const auto& entry) {
           return entry.second.method->service()->full_name() == service;
         });
}

void HealthWatch::SetServing(bool serving) {
  MutexLock lock(mutex_);
  if (serving_ == serving) return;
  serving_ = serving;
  for (const auto& [watcher, send] : watchers_) send(Response(serving ? kServing : kNotServing));
}

std::optional<std::string> HealthWatch::Check(std::string_view service) const {
  if (!Knows(service)) return std::nullopt;
  MutexLock lock(mutex_);
  return Response(serving_ ? kServing : kNotServing);
}

std::optional<uint64_t> HealthWatch::Watch(std::string_view service,
                                           std::function<void(const std::string&)> send) {
  const bool known = Knows(service);
  MutexLock lock(mutex_);
  if (watchers_.size() >= kMaxWatchers) return std::nullopt;
  send(Response(!known ? kServiceUnknown : serving_ ? kServing : kNotServing));
  const uint64_t watcher = next_++;
  watchers_.emplace(
      watcher, known ? std::move(send) : [](const std::string&) {});
  return watcher;
}

void HealthWatch::Unwatch(uint64_t watcher) {
  MutexLock lock(mutex_);
  watchers_.erase(watcher);
}

}  // namespace hilo::serving
