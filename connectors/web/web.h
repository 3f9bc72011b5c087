#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "connectors/http/router.h"
#include "connectors/kit/intake.h"
#include "connectors/kit/source_keys.h"
#include "ops/base/clock.h"
#include "ops/base/metrics.h"
#include "ops/base/status.h"

namespace hilo::web {

struct WebOptions {
  // Who may send.
  std::vector<kit::KeyedSource> sources;
  // Where the npm package @segment/analytics-next lies ("dist/umd" of it): served as
  // /analytics.js/v1/{key}/analytics.min.js. Empty: not served.
  std::string analytics_js_directory;
  // Of one IPv4 address or IPv6 /64, whatever its key; none by default, as a shop's own servers
  // send everybody's events from one address. A source's own rate is in KeyedSource.
  kit::Rate rate_per_address;
};

// An event that was refused, for its source to look up. Nothing of the event itself.
struct Rejection {
  WallTime time;
  std::string type;  // "track"
  std::string code;  // "identifier_blocked"
};

// Events from web pages, apps and servers: the tracking API that the Segment and RudderStack SDKs
// speak, and CloudEvents 1.0 over HTTP.
//
//   POST /v1/{identify|track|page|screen|group|alias}, /v1/{i|t|p|s|g|a}    one event
//   POST /v1/{batch|b|import}, /beacon/v1/batch                           up to 5,000
//   POST /v1/m                                              the SDK's own metrics: swallowed
//   GET  /v1/projects/{key}/settings, /sourceConfig/        what the SDKs ask before they start
//   GET  /analytics.js/v1/{key}/analytics.min.js, /analytics-next/bundles/*
//   POST, OPTIONS /v1/events                                CloudEvents and their handshake
//   GET  /v1/rejected                                       a source's last refusals
//
// **Guarantees**: 200 only when every event is durable; never a redirect, and never a 4xx other
// than 429 for what may succeed later, because the SDKs throw events away on those. Nothing that
// came in is repeated in an answer.
// **Errors**: 401 `bad_key`, one text for every cause; 403 `origin_denied`; 429 `rate_limited` with
// Retry-After, nothing of the request taken in; 400 `json_…`,
// `batch_size`, `event_type`, and those of kit::Intake; 207 with a code per refused event of a
// batch.
// **Threads**: thread-safe. **Lifetime**: outlives the server whose router holds its routes;
// intake, clock and registry outlive it.
// **Source**: Segment's HTTP tracking API; SDK reactions read in analytics-node 3.1.0 and
// analytics-next 1.84.3.
class Web {
 public:
  static constexpr size_t kMaxBatch = 5'000;
  static constexpr size_t kMaxRejections = 100;  // remembered per source

  static StatusOr<std::shared_ptr<Web>> Create(WebOptions options, kit::Intake& intake,
                                               const Clock& clock, Registry& registry);
  virtual ~Web() = default;

  virtual void AddRoutes(http::Router& router) = 0;
  // Newest first; empty for a source that is not known.
  virtual std::vector<Rejection> LastRejections(std::string_view source) const = 0;
};

}  // namespace hilo::web
