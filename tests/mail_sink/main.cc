// hilo_mail_sink: a mail server for tests that fails where a plan says (tests/mail_sink/plan.h). It
// prints "port N" when it listens, and ends when its standard input does.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "tests/mail_sink/mail_sink.h"

namespace {

constexpr const char* kUsage =
    "usage: hilo_mail_sink [--port N] [--log FILE] [--keep FOLDER] [--plan FILE]\n"
    "                      [--certificate FILE --key FILE] [--user NAME --password-file FILE]\n";

std::string Content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

int main(int count, char** words) {
  hilo::mail_sink::MailSink::Options options;
  for (int i = 1; i < count; i += 2) {
    const std::string flag = words[i];
    if (i + 1 == count) return std::fputs(kUsage, stderr), 2;
    const std::string value = words[i + 1];
    if (flag == "--port") {
      options.port = static_cast<uint16_t>(std::strtoul(value.c_str(), nullptr, 10));
    } else if (flag == "--log") {
      options.log_file = value;
    } else if (flag == "--keep") {
      options.keep_folder = value;
    } else if (flag == "--certificate") {
      options.certificate_file = value;
    } else if (flag == "--key") {
      options.key_file = value;
    } else if (flag == "--user") {
      options.user = value;
    } else if (flag == "--password-file") {
      options.password = Content(value);
      while (options.password.ends_with('\n')) options.password.pop_back();
    } else if (flag == "--plan") {
      auto plan = hilo::mail_sink::ParsePlan(Content(value));
      if (!plan.ok()) return std::fprintf(stderr, "%s\n", hilo::Describe(plan.status()).c_str()), 2;
      options.plan = *std::move(plan);
    } else {
      return std::fputs(kUsage, stderr), 2;
    }
  }
  auto sink = hilo::mail_sink::MailSink::Start(std::move(options));
  if (!sink.ok()) return std::fprintf(stderr, "%s\n", hilo::Describe(sink.status()).c_str()), 1;
  std::printf("port %u\n", (*sink)->port());
  std::fflush(stdout);
  std::string ignored;
  while (std::getline(std::cin, ignored)) continue;
  return 0;
}
