#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "ops/base/clock.h"
#include "ops/base/logger.h"
#include "ops/base/metrics.h"
#include "ops/base/status.h"
#include "ops/keys/signer.h"

namespace hilo::audit {

// One view or write of a customer. Nothing of the customer but its opaque id: a principal's name is
// printable ASCII without spaces, quotes and backslashes, every other text a word of ours (letters,
// digits and "_.:/-"), all at most kMaxFieldBytes.
struct AuditEntry {
  static constexpr size_t kMaxFieldBytes = 128;
  // Who: the principal's name ("agent:7").
  std::string principal;
  // What was called ("hilo.v1.CustomerService/GetContext").
  std::string method;
  // Whose: the customer id, 32 hexadecimal digits; empty when none was found.
  std::string customer;
  // Which part was seen or written ("context", "timeline").
  std::string field_group;
  // Why: a code ("interaction:4f…", "break_glass").
  std::string reason;
  // How it ended ("OK", "PermissionDenied").
  std::string result;
};

struct AuditOptions {
  // The entries, appended for ever; one process writes it.
  std::string path;
  // The signed heads, best kept on another disk or shipped elsewhere. `path` + ".heads" when empty.
  std::string heads_path;
  // Entries taken and not yet on disk; more are refused.
  size_t max_queued = 16'384;
  // How long the first of a batch waits for others that share its sync.
  std::chrono::milliseconds gather{5};
  std::chrono::seconds head_interval{60};
};

// Who looked at whom, when, and why: an append-only file that cannot be changed unseen.
//
// One JSON object a line; each holds the BLAKE2b hash over the hash before it and its own text.
// Every head_interval, and at the end, the last hash is signed into a second file: whoever edits,
// removes, reorders or cuts lines that lie before the last signed head is found by Verify, also
// when they can compute hashes. What was appended after the last head (at most head_interval) is
// protected by the chain alone.
//
// **Guarantees**: no audit, no view: OK means that the entry is in the queue of a working writer;
// when the queue is full or a write or sync has once failed, Record refuses and its call must be
// refused. A killed process may lose what is queued, a power cut what is not synced: both at most
// what arrived during one sync and `gather` before it; Flush waits for it, and does not wait to
// gather.
// **Errors**: `audit_unavailable` (unavailable); `audit_field` (invalid_argument) names the field.
// **Threads**: thread-safe; one thread of its own writes and syncs, many entries a sync.
// **Lifetime**: clock, logger's output, registry and signer outlive it. Its destructor writes what
// is queued and signs.
// **Cost**: Record takes a lock and copies the entry; 300 bytes on disk an entry.
class Audit {
 public:
  // Opens or begins the files. The end of an existing file is checked against its last signed head:
  // `audit_cut` or `audit_broken` (data_loss) when it does not hold, and an operator must set the
  // files aside. A line that a crash left half written is removed. Every opening is an entry
  // itself.
  static StatusOr<std::unique_ptr<Audit>> Open(AuditOptions options, const keys::Signer& signer,
                                               const Clock& clock, Logger logger,
                                               Registry& registry);
  ~Audit();
  Audit(const Audit&) = delete;
  Audit& operator=(const Audit&) = delete;

  Status Record(AuditEntry entry);
  // Waits until everything recorded before is on disk.
  Status Flush();
  // Flushes and signs the head now.
  Status SignHead();

 private:
  class Writer;
  explicit Audit(std::unique_ptr<Writer> writer);
  std::unique_ptr<Writer> writer_;
};

// What a check of the files found.
struct Verification {
  uint64_t entries = 0;
  // How many of them lie before the last signed head.
  uint64_t signed_entries = 0;
};

// Checks the whole file: its chain, its numbering, and every signed head against it. Errors
// (data_loss) name the line: `audit_edited` (a line's hash or form is wrong), `audit_reordered`
// (numbers out of order or missing), `audit_cut` (it is shorter than a signed head), `audit_head`
// (a head's signature is not by `key`, or another chain was signed).
StatusOr<Verification> VerifyFile(const std::string& path, const std::string& heads_path,
                                  const keys::PublicKey& key);

}  // namespace hilo::audit
