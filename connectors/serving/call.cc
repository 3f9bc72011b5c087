#include "connectors/serving/call.h"

namespace hilo::serving {

Status Call::Audit(std::string_view customer_hex, std::string_view field_group,
                   std::string_view result) const {
  if (audit_ == nullptr) {
    audited_.store(true, std::memory_order_relaxed);
    return OkStatus();
  }
  audit::AuditEntry entry;
  entry.principal = principal_.name;
  entry.method = std::string(rights_.method.substr(1));
  entry.customer = std::string(customer_hex);
  entry.field_group = std::string(field_group);
  entry.reason = "request:" + request_id_;
  entry.result = std::string(result);
  HILO_RETURN_IF_ERROR(audit_->Record(std::move(entry)));
  audited_.store(true, std::memory_order_relaxed);
  return OkStatus();
}

}  // namespace hilo::serving
