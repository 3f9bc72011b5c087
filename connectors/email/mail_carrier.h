#pragma once

#include <memory>
#include <string>

#include "connectors/dispatch/carrier.h"
#include "connectors/email/dkim.h"
#include "connectors/email/smtp_client.h"
#include "ops/base/clock.h"
#include "ops/base/logger.h"
#include "state/types/hash.h"

namespace hilo::email {

// Who writes.
struct SenderOptions {
  std::string from_address;  // "hello@shop.example"
  std::string from_name;     // "The shop"; may be empty
  // May be empty. In both, "{token}" becomes the token of the message, so that what comes back says
  // what it answers.
  std::string reply_to;
  std::string bounce_address;  // MAIL FROM; empty: from_address
  std::string message_domain;  // right side of Message-ID; empty: that of from_address
  HashKey token_key;
};

// `address_invalid` where an address could not be written or, with a token in it, has a local part
// of over 64 bytes.
Status CheckSender(const SenderOptions& options);

// Carries messages as e-mail: composes, signs and submits.
//
// **Guarantees**: those of Carrier; every attempt of one message has the same Message-ID. What
// cannot be composed is PERMANENT.
// **Threads**: thread-safe. **Lifetime**: client, clock and signer outlive it.
class MailCarrier final : public dispatch::Carrier {
 public:
  // `signer` may be null: unsigned.
  MailCarrier(SenderOptions options, SmtpClient& client, const DkimSigner* signer,
              const Clock& clock, Logger logger)
      : options_(std::move(options)),
        client_(client),
        signer_(signer),
        clock_(clock),
        logger_(std::move(logger)) {}

  void Send(dispatch::Outgoing message, std::function<bool()> may_still_send, Done done) override;

 private:
  StatusOr<SmtpMessage> Write(const dispatch::Outgoing& message) const;

  const SenderOptions options_;
  SmtpClient& client_;
  const DkimSigner* const signer_;
  const Clock& clock_;
  const Logger logger_;
};

// What a mail server's answer means for a dispatcher.
dispatch::Delivery DeliveryOf(const SmtpOutcome& outcome);

}  // namespace hilo::email
