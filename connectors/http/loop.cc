#include "connectors/http/loop.h"

#include <chrono>
#include <cstdio>
#include <utility>
#include <vector>

#include "connectors/http/connection.h"

namespace hilo::http {

void Loop::Add(std::shared_ptr<Connection> connection) {
  Connection& added = *connection;
  connections_.insert(std::move(connection));
  added.Start();
}

void Loop::Remove(const std::shared_ptr<Connection>& connection) {
  connections_.erase(connection);
  if (stopping_ && connections_.empty()) grace_.cancel();
}

void Loop::Stop() {
  if (stopping_) return;
  stopping_ = true;
  work_.reset();
  const std::vector<std::shared_ptr<Connection>> all(connections_.begin(), connections_.end());
  for (const auto& connection : all) connection->Stop();
  if (connections_.empty()) return;
  grace_.expires_after(shared_.limits.stop_grace);
  grace_.async_wait([this](error_code error) {
    if (error) return;
    const std::vector<std::shared_ptr<Connection>> left(connections_.begin(), connections_.end());
    for (const auto& connection : left) connection->Close();
  });
}

std::string_view Loop::Date() {
  const std::time_t now = std::chrono::system_clock::to_time_t(shared_.clock.Wall());
  if (now != date_second_) {
    date_second_ = now;
    std::tm parts{};
    gmtime_r(&now, &parts);
    // Not strftime: the names are English whatever the locale.
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[64];
    std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[parts.tm_wday],
                  parts.tm_mday, kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
                  parts.tm_min, parts.tm_sec);
    date_ = text;
  }
  return date_;
}

}  // namespace hilo::http
