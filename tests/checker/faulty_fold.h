#pragma once

#include <memory>
#include <string>
#include <vector>

#include "streams/fold/fold.h"

namespace hilo::checker {

// Faults that a fold can have, wrapped around a real one: each must be found by the checker.
//
// apply_twice        an event counts twice now and then
// skip_event         an event that reached its customer is not applied now and then
// entry_lost         the timeline misses an entry now and then
// memory_in_fold     a row depends on what happened since the process began
// bytes_changed      identity passes an event on with another byte
// wrong_partition    identity sends a customer's event to the next partition now and then
// dedup_forgets      event ids are not remembered
// answer_forgotten   answers to commands are not remembered
// refusal_swallowed  what is refused leaves no dead letter
// refused_counts     an event that is too late counts all the same
// member_swapped     identity gives an event to the customer of the event before
std::vector<std::string> FoldFaults();

// `fold` with the fault of that name; the fold itself when it is empty.
std::unique_ptr<fold::Fold> WithFault(std::unique_ptr<fold::Fold> fold, const std::string& fault);

}  // namespace hilo::checker
