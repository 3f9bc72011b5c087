#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connectors/callcenter/call_center.h"
#include "connectors/http/router.h"
#include "connectors/kit/intake.h"
#include "connectors/kit/source_keys.h"
#include "connectors/web/web.h"
#include "ops/base/clock.h"
#include "ops/base/metrics.h"
#include "tests/scenario/story.h"

namespace hilo::scenario {

// The edges without sockets: what a page, a system or a telephone switch does in a story becomes a
// request, and the connectors' own routes take it in.
class Door {
 public:
  struct Sources {
    std::vector<kit::KeyedSource> pages;     // given source
    std::vector<kit::KeyedSource> switches;  // given switch
  };
  static StatusOr<std::unique_ptr<Door>> Create(Sources sources, kit::Intake& intake,
                                                const Clock& clock, Registry& registry);

  // `web …`, `system …` and `call …`. The reason of a refusal; "" when everything was taken in.
  // **Errors**: `story_invalid` for a sentence that cannot be understood.
  StatusOr<std::string> Web(Sentence& sentence, const std::string& id);
  StatusOr<std::string> System(Sentence& sentence, const std::string& id);
  StatusOr<std::string> Call(Sentence& sentence, const std::string& id);

  // Region of the first source: for identifiers in expectations.
  const std::string& region() const { return region_; }

 private:
  explicit Door(const Clock& clock) : clock_(clock) {}
  StatusOr<std::string> Post(const std::string& path, const std::string& content_type,
                             const std::vector<kit::KeyedSource>& from, std::string body);

  const Clock& clock_;
  Sources sources_;
  std::string region_;
  std::shared_ptr<web::Web> web_;
  std::shared_ptr<callcenter::CallCenter> calls_;
  http::Router router_;
};

}  // namespace hilo::scenario
