#pragma once

#include "connectors/http/router.h"
#include "connectors/serving/chain.h"
#include "connectors/serving/endpoints.h"

namespace hilo::serving {

// Serves every method of Endpoints to browsers by the Connect protocol: unary and server streaming
// over HTTP/1.1, JSON and binary, on the same chain and handlers as gRPC.
//
// Requests must carry `Connect-Protocol-Version: 1` (a page of another origin cannot send it
// without a preflight, which is never granted) and, when they carry `Sec-Fetch-Site`, be of the
// same origin.
// **Errors**: the protocol's own; `csrf` (permission_denied) for a request without the header.
// **Threads**: handlers run on the HTTP server's threads. **Lifetime**: chain and endpoints outlive
// the router.
// **Source**: the Connect protocol, connectrpc.com/docs/protocol.
void AddConnectRoutes(const Chain& chain, const Endpoints& endpoints, http::Router& router);

}  // namespace hilo::serving
