// hilod as a program: what it does not start with. It ends with 78 (EX_CONFIG), names the file or
// the key, and never the value.
#include <gtest/gtest.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fstream>
#include <string>

#include "tests/integration/hub_process.h"
#include "tests/testing/temporary_directory.h"

namespace hilo {
namespace {

class RefusedStart : public ::testing::Test {
 protected:
  struct Ended {
    int code = -1;
    std::string talk;
  };

  void Write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    std::ofstream(directory_.Sub(name)) << text;
    ::chmod(directory_.Sub(name).c_str(), mode);
  }

  Ended Start(const std::string& settings, const std::string& http, const std::string& grpc) {
    const bool own = settings.find("data_directory") != std::string::npos;
    Write("hilo.yaml", (own ? "" : "data_directory: " + directory_.Sub("data") + "\n") +
                           "http: {port: 0" + http + "}\ngrpc: {address: '127.0.0.1:0'" + grpc +
                           "}\n" + settings);
    const char* build = ::getenv("HILO_BUILD");
    // A hub that starts after all is ended, and its code is not 78.
    const std::string command = "timeout 20 " + std::string(build == nullptr ? "." : build) +
                                "/bin/hilod --config " + directory_.Sub("hilo.yaml") +
                                " 2>&1 >/dev/null";
    Ended ended;
    FILE* pipe = ::popen(command.c_str(), "r");
    char buffer[1024];
    for (size_t n; (n = ::fread(buffer, 1, sizeof buffer, pipe)) > 0;) ended.talk.append(buffer, n);
    const int status = ::pclose(pipe);
    ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return ended;
  }

  void ExpectRefused(const std::string& settings, const std::string& named,
                     const std::string& http = "", const std::string& grpc = "") {
    const Ended ended = Start(settings, http, grpc);
    EXPECT_EQ(ended.code, 78) << ended.talk;
    EXPECT_NE(ended.talk.find(named), std::string::npos) << ended.talk;
    EXPECT_EQ(ended.talk.find("secret-value"), std::string::npos) << ended.talk;
  }

  testing::TemporaryDirectory directory_;
};

TEST_F(RefusedStart, UnknownKey) { ExpectRefused("colour: secret-value\n", "colour"); }

TEST_F(RefusedStart, MissingPrincipals) {
  ExpectRefused("principals_file: " + directory_.Sub("nowhere.yaml") + "\n", "nowhere.yaml");
}

TEST_F(RefusedStart, PrincipalsThatOthersMayRead) {
  Write("principals.yaml", "principals: []\n", 0644);
  ExpectRefused("principals_file: " + directory_.Sub("principals.yaml") + "\n", "principals.yaml");
}

TEST_F(RefusedStart, APrincipalThatTheAuditCannotName) {
  Write("token", "secret-value-0123456789");
  Write("principals.yaml", "principals: [{name: 'two words', role: agent, token_file: " +
                               directory_.Sub("token") + "}]\n");
  ExpectRefused("principals_file: " + directory_.Sub("principals.yaml") + "\n", "name");
}

TEST_F(RefusedStart, AMasterKeyThatOthersMayRead) {
  Write("open.key", "secret-value-secret-value-secret", 0644);
  ExpectRefused("master_key_file: " + directory_.Sub("open.key") + "\n", "open.key");
}

TEST_F(RefusedStart, ACertificateThatIsNone) {
  Write("certificate.pem", "secret-value");
  Write("key.pem", "secret-value");
  const std::string files = ", tls_certificate_file: " + directory_.Sub("certificate.pem") +
                            ", tls_key_file: " + directory_.Sub("key.pem");
  ExpectRefused("", "certificate.pem", files, "");
  ExpectRefused("", "certificate.pem", "", files);
}

TEST_F(RefusedStart, ASecondNodeOnOneDirectory) {
  testing::HubProcess first;
  ExpectRefused("data_directory: " + first.data_directory() + "\n", "data_directory");
}

}  // namespace
}  // namespace hilo
