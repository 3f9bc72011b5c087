#include "ops/keys/opened_bytes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <string>
#include <utility>

namespace {

// What was freed last of this size: whether it was wiped is only seen from below.
constexpr size_t kWatched = 12'345;
void* watched = nullptr;
int wiped = 0;
int unwiped = 0;

}  // namespace

void* operator new[](size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  if (size == kWatched) watched = memory;
  return memory;
}
void operator delete[](void* memory) noexcept {
  if (memory != nullptr && memory == watched) {
    const char* bytes = static_cast<const char*>(memory);
    const bool zero = std::all_of(bytes, bytes + kWatched, [](char byte) { return byte == 0; });
    ++(zero ? wiped : unwiped);
    watched = nullptr;
  }
  std::free(memory);
}
void operator delete[](void* memory, size_t) noexcept { operator delete[](memory); }

namespace hilo::keys {
namespace {

TEST(OpenedBytes, AreWipedWhenTheyGo) {
  wiped = unwiped = 0;
  const std::string text(kWatched, 'x');
  {
    OpenedBytes bytes(text);
    OpenedBytes moved(std::move(bytes));
    EXPECT_EQ(moved.view(), text);
    EXPECT_EQ(bytes.view(), "");  // NOLINT: moved from is empty
    OpenedBytes assigned("other");
    assigned = std::move(moved);
    EXPECT_EQ(assigned.view(), text);
    EXPECT_EQ(wiped + unwiped, 0);
    assigned = OpenedBytes();
    EXPECT_EQ(wiped, 1);
  }
  { const OpenedBytes bytes(text); }
  EXPECT_EQ(wiped, 2);
  EXPECT_EQ(unwiped, 0);
}

}  // namespace
}  // namespace hilo::keys
