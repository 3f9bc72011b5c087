#pragma once

#include <string_view>

#include "connectors/serving/principals.h"

namespace hilo::serving {

// What a call does with customers, for the audit.
enum class Touch { kNothing, kView, kWrite, kOperate };

// What is known about a method beforehand. A unary call that views or
// writes must have been audited before it is answered (Chain).
struct MethodRights {
  std::string_view method;  // "/hilo.v1.CustomerService/GetContext"
  bool roles[5];            // by Role, in its order
  Touch touch;
};

// The one table of rights. nullptr for a method that is not in it: nobody may call it.
const MethodRights* RightsOf(std::string_view method);

inline bool MayCall(const MethodRights* rights, Role role) {
  return rights != nullptr && rights->roles[static_cast<size_t>(role)];
}

}  // namespace hilo::serving
