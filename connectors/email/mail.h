#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ops/base/clock.h"
#include "ops/base/status.h"

namespace hilo::email {

// A message to one person, before it is mail.
struct Mail {
  std::string from_address;
  std::string from_name;  // may be empty
  std::string reply_to;   // may be empty
  std::string to;
  std::string subject;  // one line
  std::string text;
  std::string html;        // empty: text alone
  std::string message_id;  // "local@domain", without angle brackets; the same in every attempt
  WallTime date;
  std::string language;  // BCP 47; empty: not said
  // Of RFC 8058: where one POST stops this kind of mail. Empty: it cannot be stopped by the reader.
  std::string unsubscribe_url;
  std::string unsubscribe_address;  // the older form, for readers that know no better; may be empty
  std::string feedback_id;          // for the receiver's statistics; may be empty
};

struct Composed {
  std::string bytes;      // lines end in CRLF
  bool smtputf8 = false;  // an address has a local part beyond ASCII: the server must know SMTPUTF8
};

// The mail as RFC 5322 and MIME have it: text in quoted-printable, with html as its alternative;
// headers beyond ASCII in encoded words; no line over 998 bytes. The same mail gives the same
// bytes.
//
// **Errors**: `header_injection` for a control character in a header; `header_invalid` for an id, a
// language or a link that could not be written as it is; `address_invalid` for one without exactly
// one part on each side of "@", or a domain beyond ASCII (write its A-label).
// **Source**: RFC 5322, 2045, 2047, 8058, 3834.
StatusOr<Composed> Compose(const Mail& mail);

// `address_invalid`, as above; `name` says whose address it is.
Status CheckAddress(std::string_view address, std::string_view name);

}  // namespace hilo::email
