#include "tests/bench/web_events.h"

#include <utility>

#include "ops/base/check.h"

namespace hilo::bench {

WebEvents::WebEvents(uint64_t seed, uint64_t identifiers)
    : state_(seed * 0x9e3779b97f4a7c15 + 1), identifiers_(identifiers) {}

// xorshift64*
uint64_t WebEvents::Random() {
  state_ ^= state_ >> 12;
  state_ ^= state_ << 25;
  state_ ^= state_ >> 27;
  return state_ * 0x2545f4914f6cdd1d;
}

std::string WebEvents::UserId(uint64_t identifier) { return "u-" + std::to_string(identifier); }

kit::IncomingEvent WebEvents::Next() { return Of((Random() >> 11) % identifiers_); }

kit::IncomingEvent WebEvents::Of(uint64_t identifier) {
  const uint64_t random = Random() >> 11;
  const std::string product = std::to_string(random % 10'000);
  const uint64_t kind = (random >> 20) % 20;
  kit::IncomingEvent event;
  event.source.name = "shop";
  event.source.default_region = "ES";
  event.channel = v1::CHANNEL_WEB;
  event.assurance = v1::ASSURANCE_MATCHED;
  event.id = std::to_string(++count_) + "-" + std::to_string(state_);
  event.type = "web.track";
  event.received = WallTime(std::chrono::duration_cast<WallTime::duration>(
      std::chrono::system_clock::now().time_since_epoch()));
  event.identifiers.push_back({v1::IDENTIFIER_KIND_USER_ID, UserId(identifier)});
  std::string properties;
  if (kind < 17) {
    event.event = kind < 15 ? "Product Viewed" : "Product Added";
    properties =
        R"({"product_id":")" + product + R"(","name":"Trail shoe )" + product +
        R"(","category":"shoes","price":89.90,"currency":"EUR","url":"https://shop.example/p/)" +
        product + R"("})";
  } else if (kind < 18) {
    event.event = "Return Requested";
    properties = R"({"order_id":"1)" + product +
                 R"(","reason":"arrived torn","size":"42","product_id":")" + product + R"("})";
  } else {
    event.event = kind < 19 ? "Order Completed" : "Product Added";
    properties = R"({"order_id":"2)" + product +
                 R"(","total":119.80,"currency":"EUR","products":[{"product_id":")" + product +
                 R"(","quantity":1,"price":119.80}]})";
  }
  auto document = kit::json::Document::Parse(std::move(properties));
  HILO_CHECK(document.ok(), "the bench writes JSON");
  event.document = *std::move(document);
  event.properties = event.document->root();
  event.body = event.id;
  return event;
}

void KeptRecords::Append(const log::TopicPartition& to, std::vector<log::Record> records,
                         log::AppendDone done) {
  const auto first = static_cast<log::Offset>(records_.size());
  for (log::Record& record : records) records_.push_back(std::move(record));
  done(first);
}

StatusOr<std::unique_ptr<log::Cursor>> KeptRecords::OpenCursor(const log::TopicPartition& of,
                                                               log::Offset from) {
  return Error(StatusCode::kUnimplemented, "not_found", "what is kept here is taken as a whole");
}

}  // namespace hilo::bench
