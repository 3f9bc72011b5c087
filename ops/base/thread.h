#pragma once

#include <exception>
#include <string>
#include <thread>
#include <utility>

namespace hilo {

// Prints which thread let what type of exception through, without its text, and aborts.
[[noreturn]] void ThreadFailed(const std::string& name, const std::exception* exception);
// What `ps -T` and debuggers show: the first 15 bytes of `name`.
void NameThisThread(const std::string& name);
// Says that this thread works in short pieces that somebody waits for: when it wakes up it comes
// before threads that calculate at length, and its share of the CPU stays what it was. A wish: what
// it needs is in Linux 6.12 and later; elsewhere nothing changes.
// **Source**: EEVDF, whose deadlines come from the slice a thread asks for.
void PreferShortWaits();

// Starts a thread that debuggers know as `name`; `body` takes a std::stop_token and returns soon
// after it is asked to stop.
//
// **Guarantees**: an exception that a library lets out of `body` ends the process at once, with the
// thread's name: a part that has silently stopped working is worse than a restart. The exception's
// text is not printed, it may quote its input.
// **Lifetime**: the destructor of the result asks to stop and joins; never detach it.
template <typename Body>
[[nodiscard]] std::jthread StartThread(std::string name, Body body) {
  return std::jthread(
      [name = std::move(name), body = std::move(body)](std::stop_token stop) mutable {
        NameThisThread(name);
        try {
          body(std::move(stop));
        } catch (const std::exception& exception) {
          ThreadFailed(name, &exception);
        } catch (...) {
          ThreadFailed(name, nullptr);
        }
      });
}

}  // namespace hilo
