#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "connectors/serving/endpoints.h"

namespace hilo::serving {

// Answers one question of server reflection. Both versions of the protocol share their messages'
// form, so that bytes of one are read as the other's. Source: grpc's server reflection protocol,
// v1.
class Reflection {
 public:
  explicit Reflection(const Endpoints& endpoints) : endpoints_(endpoints) {}
  // The name of a reflection method of either version.
  static bool IsMethod(std::string_view method);
  // Serialised ServerReflectionRequest → serialised ServerReflectionResponse; nullopt when it
  // cannot be read.
  std::optional<std::string> Answer(std::string_view question) const;

 private:
  const Endpoints& endpoints_;
};

}  // namespace hilo::serving
