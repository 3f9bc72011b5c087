#pragma once

#include <string_view>

#include "ops/base/status.h"

// What every key store answers in the same words.
namespace hilo::keys {

Status KeyUnknown();
Status KeyDestroyed();
Status BadPurpose();
Status TooManyGenerations();
// Whether it may name a key of the space.
bool IsPurpose(std::string_view purpose);

}  // namespace hilo::keys
