#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <utility>

namespace hilo {

// Rows keep their lists in an order. These change a list without disturbing it, nearly always at
// its end, where what is new belongs.

// Puts `item` behind everything that does not come after it. Returns where it stands.
template <typename T, typename Before>
T* InsertInOrder(google::protobuf::RepeatedPtrField<T>& list, T item, Before before) {
  *list.Add() = std::move(item);
  int at = list.size() - 1;
  for (; at > 0 && before(list[at], list[at - 1]); --at) list.SwapElements(at, at - 1);
  return list.Mutable(at);
}

// Takes one out; the others keep their order.
template <typename T>
void EraseAt(google::protobuf::RepeatedPtrField<T>& list, int at) {
  list.DeleteSubrange(at, 1);
}

}  // namespace hilo
