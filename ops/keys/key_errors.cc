#include "ops/keys/key_errors.h"

#include <algorithm>

namespace hilo::keys {

bool IsPurpose(std::string_view purpose) {
  return !purpose.empty() && purpose.size() <= 32 &&
         std::all_of(purpose.begin(), purpose.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

Status KeyUnknown() {
  return Error(StatusCode::kNotFound, "key_unknown",
               "this key store never had a key of that subject; was the value sealed elsewhere?");
}

Status KeyDestroyed() {
  return Error(StatusCode::kNotFound, "key_destroyed",
               "the subject's key was destroyed: the value is gone for ever");
}

Status BadPurpose() {
  return Error(StatusCode::kInvalidArgument, "key_purpose",
               "a purpose is 1 to 32 characters of a-z and \"_\"");
}

Status TooManyGenerations() {
  return Error(StatusCode::kResourceExhausted, "key_generations",
               "the subject's keys were destroyed 65,535 times");
}

}  // namespace hilo::keys
