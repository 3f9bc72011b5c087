#include "ops/hilod/settings.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace hilo::hilod {
namespace {

class SettingsTest : public testing::Test {
 protected:
  std::string Write(const std::string& text) {
    const std::string path =
        testing::TempDir() + "hilo_settings_" + std::to_string(getpid()) + ".yaml";
    std::ofstream(path) << text;
    return path;
  }
};

TEST_F(SettingsTest, ReadsWhatStandsThere) {
  const auto settings =
      LoadSettings(Write("data_directory: /tmp/x\nhttp: {port: 9000, threads: 3}\nsources:\n  - "
                         "{name: shop, write_key: wk, origins: [https://a.example]}\n"),
                   nullptr);
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->data_directory, "/tmp/x");
  EXPECT_EQ(settings->http_port, 9000);
  EXPECT_EQ(settings->http_threads, 3u);
  EXPECT_EQ(settings->master_key_file, "/tmp/x/master.key");
  ASSERT_EQ(settings->sources.size(), 1u);
  EXPECT_EQ(settings->sources[0].origins, std::vector<std::string>{"https://a.example"});
}

TEST_F(SettingsTest, RefusesMistakesAndNamesFileAndKeyButNeverTheValue) {
  const std::pair<const char*, const char*> rows[] = {
      {"http: {prot: 1}\n", "http.prot"},
      {"data_directory: a\ndata_directory: b\n", "data_directory"},
      {"http: {port: secret-value}\n", "http.port"},
      {"http: {port: 70000}\n", "http.port"},
      {"sources: {name: secret-value}\n", "sources"},
      {"sources: [{name: shop, write_key: k, colour: secret-value}]\n", "colour"},
      {"sources: [{name: shop, write_key: k}, {name: shop, write_key: l}]\n", "sources"},
      {"sources: [{name: shop}]\n", "write_key"},
      {"http: {tls_certificate_file: secret-value}\n", "tls_key_file"},
      {"log_format: secret-value\n", "log_format"},
      {"- a list\n", "keys and values"},
      {"a: [\n", "YAML"},
  };
  for (const auto& [text, named] : rows) {
    const auto settings = LoadSettings(Write(text), nullptr);
    ASSERT_FALSE(settings.ok()) << text;
    EXPECT_EQ(Reason(settings.status()), "config_invalid");
    const std::string message = Describe(settings.status());
    // Repeated keys are told by their line where the reader of YAML keeps only one of them.
    EXPECT_NE(message.find(named), std::string::npos) << text << " → " << message;
    EXPECT_EQ(message.find("secret-value"), std::string::npos) << message;
  }
  EXPECT_FALSE(LoadSettings("/nowhere/at/all.yaml", nullptr).ok());
}

TEST_F(SettingsTest, TheEnvironmentGoesBeforeTheFileAndIsNamedAsOrigin) {
  setenv("HILO_HTTP_PORT", "9100", 1);
  std::vector<std::pair<std::string, std::string>> origins;
  const auto settings = LoadSettings(Write("http: {port: 9000}\n"), &origins);
  unsetenv("HILO_HTTP_PORT");
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->http_port, 9100);
  const std::string text = PrintSettings(*settings, origins);
  EXPECT_NE(text.find("http.port: 9100  # HILO_HTTP_PORT"), std::string::npos) << text;
}

TEST_F(SettingsTest, MasksWriteKeys) {
  std::vector<std::pair<std::string, std::string>> origins;
  const auto settings =
      LoadSettings(Write("sources: [{name: shop, write_key: very-secret}]\n"), &origins);
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(PrintSettings(*settings, origins).find("very-secret"), std::string::npos);
}

}  // namespace
}  // namespace hilo::hilod
