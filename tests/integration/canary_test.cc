// Names, addresses and texts go in by every way there is, and must be found nowhere but sealed: not
// in a file under the data directory, not in the log lines, not in metrics, not in an answer to
// somebody who may not see them.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "hilo/v1/customer_service.pb.h"
#include "hilo/v1/event_service.pb.h"
#include "tests/integration/hub_process.h"

namespace hilo {
namespace {

using testing::HubProcess;
using testing::kAdminToken;
using testing::kAgentToken;
using testing::kChannelToken;

// A letter sequence that no id, hash or program text holds.
const std::vector<std::string> kCanaries = {
    "Quizapuhu",   "canary.ana", "+34600777111",  "600777111",   "Calle Xilofono", "tornazul",
    "noteQuokka",  "factQuokka", "promiseQuokka", "caseQuokka",  "reasonQuokka",   "queryQuokka",
    "errorQuokka", "callQuokka", "traitQuokka",   "u-canary-77", "anon-canary-77"};
// Declared open, so it must be found: proof that the search sees what is there.
constexpr char kOpen[] = "product-open-4711";

std::string Base64(std::string_view bytes) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i + 2 < bytes.size(); i += 3) {
    const uint32_t bits = static_cast<unsigned char>(bytes[i]) << 16 |
                          static_cast<unsigned char>(bytes[i + 1]) << 8 |
                          static_cast<unsigned char>(bytes[i + 2]);
    for (int shift = 18; shift >= 0; shift -= 6) text += kAlphabet[bits >> shift & 63];
  }
  return text;
}

std::string Utf16(std::string_view text) {
  std::string wide;
  for (const char c : text) {
    wide += c;
    wide += '\0';
  }
  return wide;
}

// The forms in which a canary may hide.
std::vector<std::string> Forms(const std::string& canary) {
  return {canary, Utf16(canary), Base64(canary)};
}

void ExpectNoCanary(const std::string& bytes, const std::string& where) {
  for (const std::string& canary : kCanaries) {
    for (const std::string& form : Forms(canary)) {
      if (form.size() < 8) continue;
      EXPECT_EQ(bytes.find(form), std::string::npos) << canary << " stands in " << where;
    }
  }
}

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Canaries, AreFoundNowhereButSealed) {
  ::testing::internal::CaptureStderr();
  std::string metrics;
  std::string answers;
  std::string directory_copy;
  bool open_found = false;
  {
    HubProcess hub;
    const std::string basic = "Authorization: Basic d2stc2hvcDo=";  // wk-shop:
    // By the tracking API: traits, properties, undeclared details, context.
    const auto batch =
        hub.Http("POST", "/v1/batch", {basic, "Content-Type: application/json"}, R"({"batch":[
      {"type":"identify","messageId":"m1","userId":"u-canary-77",
       "anonymousId":"anon-canary-77","traits":{"first_name":"Quizapuhu",
       "email":"canary.ana@example.com","phone":"+34 600 777 111","address":"Calle Xilofono 1","note":"traitQuokka"}},
      {"type":"track","messageId":"m2","userId":"u-canary-77","event":"Return Requested",
       "properties":{"product_id":"product-open-4711","reason":"tornazul","secret":"reasonQuokka"},
       "context":{"page":{"url":"https://shop.example/?q=queryQuokka"}}}]})");
    EXPECT_EQ(batch.status, 200) << batch.body;
    // Refused input must not echo or log its values.
    for (
        const std::string& body :
        {std::string(R"({"type":"track","userId":"errorQuokka)"),
         std::string(
             R"({"type":"identify","messageId":"m3","userId":"u","traits":{"email":"errorQuokka"},)"
             R"("timestamp":"errorQuokka"})"),
         std::string(R"({"batch":"errorQuokka"})")}) {
      answers +=
          hub.Http("POST", "/v1/batch", {basic, "Content-Type: application/json"}, body).body;
    }
    answers += hub.Http("POST", "/v1/errorQuokka", {basic}, "errorQuokka").body;
    // By the call centre.
    const auto call = hub.Http(
        "POST", "/v1/calls/events",
        {"Authorization: Bearer wk-switch", "Content-Type: application/cloudevents+json"},
        R"({"specversion":"1.0","id":"callQuokka-1","source":"/switch","type":"call.agent_ringing",
                                   "data":{"call_id":"callQuokka","from":"+34600777111",
                                           "to":"+34910000000","agent":"marta"}})");
    EXPECT_LT(call.status, 300) << call.status << call.body;
    // By gRPC.
    v1::SendEventRequest send;
    send.mutable_event()->set_id("canary-1");
    send.mutable_event()->set_type("crm.updated");
    send.mutable_event()->set_channel(v1::CHANNEL_SYSTEM);
    auto* identifier = send.mutable_event()->add_identifiers();
    identifier->set_kind(v1::IDENTIFIER_KIND_EMAIL);
    identifier->set_value("canary.ana@example.com");
    (*send.mutable_event()->mutable_properties()->mutable_fields())["secret"].set_string_value(
        "reasonQuokka");
    v1::SendEventResponse sent;
    const Status accepted =
        hub.Client(kChannelToken)->Call("/hilo.v1.EventService/SendEvent", send, &sent);
    ASSERT_TRUE(accepted.ok()) << accepted;
    // Found, and written about.
    v1::FindCustomersRequest find;
    *find.mutable_identifier() = *identifier;
    v1::FindCustomersResponse found;
    const auto agent = hub.Client(kAgentToken);
    ASSERT_TRUE(HubProcess::Eventually([&] {
      found.Clear();
      return agent->Call("/hilo.v1.CustomerService/FindCustomers", find, &found).ok() &&
             found.customers_size() == 1;
    }));
    const std::string customer = found.customers(0).customer().name();
    const auto write = [&](const std::string& method, const std::string& fields) {
      const auto answer =
          hub.Connect("/hilo.v1.CustomerService/" + method, kAgentToken,
                      "{\"customer\":\"" + customer + "\"," + fields +
                          ",\"write\":{\"requestId\":\"" + HubProcess::NewRequestId() + "\"}}");
      EXPECT_EQ(answer.status, 200) << method << answer.body;
    };
    write("AddNote", R"("text":"noteQuokka")");
    write("RecordFact", R"("kind":"likes","value":"factQuokka")");
    write("MakePromise", R"("text":"promiseQuokka","dueTime":"2030-01-01T00:00:00Z")");
    write("OpenCase", R"("kind":"complaint","title":"caseQuokka")");
    // Who may see, sees.
    v1::GetContextRequest request;
    request.set_customer(customer);
    v1::GetContextResponse context;
    ASSERT_TRUE(agent->Call("/hilo.v1.CustomerService/GetContext", request, &context).ok());
    EXPECT_NE(context.DebugString().find("noteQuokka"), std::string::npos);
    EXPECT_EQ(context.context().customer().display_name(), "Quizapuhu");
    // Who may not, gets an error that tells nothing.
    answers += hub.Connect("/hilo.v1.CustomerService/GetContext", "errorQuokka-token",
                           "{\"customer\":\"errorQuokka\"}")
                   .body;
    answers += hub.Connect("/hilo.v1.CustomerService/GetContext", kAgentToken,
                           "{\"customer\":\"errorQuokka\"}")
                   .body;
    metrics = hub.Http("GET", "/metrics", {}, "").body;
    hub.Stop();
    size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(hub.data_directory())) {
      if (!entry.is_regular_file()) continue;
      ++files;
      const std::string bytes = ReadAll(entry.path());
      ExpectNoCanary(bytes, std::filesystem::relative(entry.path(), hub.data_directory()).string());
      open_found = open_found || bytes.find(kOpen) != std::string::npos;
    }
    EXPECT_GT(files, 10u);
  }
  EXPECT_TRUE(open_found) << "the search must see what is declared open";
  EXPECT_GT(metrics.size(), 1'000u);
  ExpectNoCanary(metrics, "the metrics");
  ExpectNoCanary(answers, "an error");
  ExpectNoCanary(::testing::internal::GetCapturedStderr(), "the log lines");
}

}  // namespace
}  // namespace hilo
