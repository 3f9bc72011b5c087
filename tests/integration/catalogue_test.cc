// Managers change the catalogue of a running hub with the command line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>

#include "hilo/v1/catalogue_service.pb.h"
#include "ops/hilo/catalogue_commands.h"
#include "tests/integration/hub_process.h"
#include "tests/testing/temporary_directory.h"

namespace hilo {
namespace {

using ::testing::HasSubstr;
using testing::HubProcess;
using testing::kAdminToken;
using testing::kAgentToken;

constexpr char kList[] = "/hilo.v1.CatalogueService/ListRevisions";
constexpr char kApply[] = "/hilo.v1.CatalogueService/ApplyCatalogue";
constexpr char kUpload[] = "/hilo.v1.CatalogueService/UploadCatalogueFiles";
constexpr char kGet[] = "/hilo.v1.CatalogueService/GetCatalogue";

class CatalogueTest : public ::testing::Test {
 protected:
  struct Said {
    int exit_code = 0;
    std::string out;
    std::string error;
  };

  // `hilo catalogue …` as an administrator.
  Said Hilo(const std::string& arguments, const std::string& token = kAdminToken) {
    CLI::App root;
    cli::Session session;
    session.client = hub_.Client(token, /*timeout_seconds=*/60);
    cli::Action action;
    cli::AddCatalogueCommands(root, &action);
    root.parse("catalogue " + arguments);
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    Said said;
    said.exit_code = action(session);
    said.out = ::testing::internal::GetCapturedStdout();
    said.error = ::testing::internal::GetCapturedStderr();
    return said;
  }

  std::string Read(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  void Write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }
  void Replace(const std::string& path, const std::string& what, const std::string& by) {
    std::string text = Read(path);
    ASSERT_NE(text.find(what), std::string::npos);
    text.replace(text.find(what), what.size(), by);
    Write(path, text);
  }

  HubProcess hub_;
  testing::TemporaryDirectory directory_;
};

TEST_F(CatalogueTest, IsExportedChangedComparedAppliedAndRolledBack) {
  const std::string files = directory_.Sub("files");
  ASSERT_EQ(Hilo("export " + files).exit_code, 0);
  EXPECT_EQ(Hilo("check " + files).exit_code, 0);
  EXPECT_EQ(Hilo("diff " + files).out, "");

  Replace(files + "/parameters.yaml", "value: 3", "value: 2");
  Replace(files + "/products.yaml", "name: poles-2", "name: poles-3");
  const std::string changes =
      "~ Parameter loyal_orders (parameters.yaml)\n- Product poles-2 (products.yaml)\n"
      "+ Product poles-3 (products.yaml)\n";
  EXPECT_EQ(Hilo("diff " + files).out, changes);
  EXPECT_EQ(Hilo("apply --dry-run " + files).out, changes);
  EXPECT_EQ(Hilo("list").out, "");

  EXPECT_EQ(Hilo("apply " + files).out, "revision 1 is in force\n");
  EXPECT_EQ(Hilo("diff " + files).out, "");
  // The same files again change nothing.
  EXPECT_EQ(Hilo("apply " + files).out, "revision 1 is in force\n");

  EXPECT_EQ(Hilo("rollback 0").out, "revision 2 is in force\n");
  EXPECT_EQ(Hilo("diff --revision 1").out, changes);
  EXPECT_EQ(Hilo("rollback 1 --dry-run").out, changes);
  EXPECT_EQ(Hilo("rollback 1").out, "revision 3 is in force\n");
  const Said listed = Hilo("list");
  EXPECT_THAT(listed.out, HasSubstr("  ada  (in force)\n"));
  EXPECT_EQ(std::count(listed.out.begin(), listed.out.end(), '\n'), 3);

  const std::string again = directory_.Sub("again");
  ASSERT_EQ(Hilo("export --revision 1 " + again).exit_code, 0);
  EXPECT_EQ(Read(again + "/parameters.yaml"), Read(files + "/parameters.yaml"));
  ASSERT_EQ(Hilo("export --built-in " + again).exit_code, 0);
  EXPECT_NE(Read(again + "/parameters.yaml"), Read(files + "/parameters.yaml"));
}

TEST_F(CatalogueTest, ProblemsAreToldWithTheirPlaceAndChangeNothing) {
  const std::string files = directory_.Sub("files");
  ASSERT_EQ(Hilo("export " + files).exit_code, 0);
  Replace(files + "/segments.yaml", "customer.orders >=", "customer.ordrs >=");
  for (const char* command : {"check ", "diff ", "apply --dry-run ", "apply "}) {
    const Said said = Hilo(command + files);
    EXPECT_EQ(said.exit_code, 6) << command;
    EXPECT_THAT(said.error, HasSubstr("segments.yaml:7:23: Segment \"loyal\"'s \"condition\": "));
    EXPECT_THAT(said.error, HasSubstr("nothing was applied"));
  }
  EXPECT_EQ(Hilo("list").out, "");
}

TEST_F(CatalogueTest, OnlyAdministratorsApplyIt) {
  const std::string files = directory_.Sub("files");
  ASSERT_EQ(Hilo("export " + files).exit_code, 0);
  EXPECT_THAT(Hilo("apply " + files, kAgentToken).error, HasSubstr("permission_denied"));
}

TEST_F(CatalogueTest, RevisionsThatAreNotThereAreNotFound) {
  EXPECT_THAT(Hilo("rollback 7").error, HasSubstr("revision_not_found"));
  EXPECT_THAT(Hilo("diff").error, HasSubstr("nothing_to_compare"));
  const auto client = hub_.Client(kAdminToken);
  v1::GetCatalogueRequest get;
  get.set_revision(-1);
  v1::GetCatalogueResponse got;
  EXPECT_EQ(Reason(client->Call(kGet, get, &got)), "revision_invalid");
  v1::ListRevisionsRequest list;
  v1::ListRevisionsResponse listed;
  list.set_page_size(-1);
  EXPECT_EQ(Reason(client->Call(kList, list, &listed)), "page_size_invalid");
  list.set_page_size(0);
  list.set_page_token("x");
  EXPECT_EQ(Reason(client->Call(kList, list, &listed)), "page_token_invalid");
}

TEST_F(CatalogueTest, RevisionsComeInPages) {
  const std::string files = directory_.Sub("files");
  ASSERT_EQ(Hilo("export " + files).exit_code, 0);
  for (int i = 0; i < 3; ++i) {
    Write(files + "/more.yaml",
          "apiVersion: hilo/v1\nkind: Parameter\nmetadata: {name: more}\nspec: {kind: integer, "
          "value: " +
              std::to_string(i) + "}\n");
    ASSERT_EQ(Hilo("apply " + files).exit_code, 0);
  }
  const auto client = hub_.Client(kAdminToken);
  v1::ListRevisionsRequest request;
  request.set_page_size(2);
  v1::ListRevisionsResponse page;
  ASSERT_TRUE(client->Call(kList, request, &page).ok());
  ASSERT_EQ(page.revisions_size(), 2);
  EXPECT_EQ(page.revisions(0).revision(), 3);
  EXPECT_TRUE(page.revisions(0).in_force());
  EXPECT_EQ(page.revisions(0).applied_by(), "ada");
  request.set_page_token(page.next_page_token());
  page.Clear();
  ASSERT_TRUE(client->Call(kList, request, &page).ok());
  ASSERT_EQ(page.revisions_size(), 1);
  EXPECT_EQ(page.revisions(0).revision(), 1);
  EXPECT_EQ(page.next_page_token(), "");
}

// As a large shop's: every action says something else, in two languages.
void WriteActions(const std::string& directory, int actions) {
  constexpr int kPerFile = 150;
  std::mt19937_64 random(7);
  const auto words = [&random](int count) {
    std::string text;
    for (int i = 0; i < count; ++i)
      text += (i == 0 ? "W" : " w") + std::to_string(random() % 5'000);
    return text;
  };
  for (int file = 0; file * kPerFile < actions; ++file) {
    std::ofstream out(directory + "/many-" + std::to_string(file) + ".yaml");
    for (int i = file * kPerFile; i < std::min(actions, (file + 1) * kPerFile); ++i) {
      out << "apiVersion: hilo/v1\nkind: Action\nmetadata: {name: many-" << i << "}\nspec:\n"
          << "  group: many\n  class: default\n"
          << "  title: {en: " << words(5) << ", es: " << words(6) << "}\n"
          << "  talk_track:\n    en: " << words(30) << ".\n    es: " << words(30) << ".\n"
          << "  accept_label: {en: " << words(2) << ", es: " << words(2) << "}\n"
          << "  decline_label: {en: " << words(2) << ", es: " << words(2) << "}\n"
          << "  value: " << random() % 90 << ".50 EUR\n  expires_after: 14d\n"
          << "  channels: [desk]\n  applicability:\n"
          << "    - condition: customer.orders >= " << random() % 50 << " && 'fact"
          << random() % 100 << "' in customer.fact_kinds\n"
          << "      why: {en: " << words(6) << "., es: " << words(6) << ".}\n"
          << "      why_not: {en: " << words(6) << "., es: " << words(6) << ".}\n"
          << "  prior: {positives: 8, negatives: 92}\n---\n";
    }
  }
}

TEST_F(CatalogueTest, TenThousandActionsArePublishedAndComeBackAsTheyWere) {
  const std::string directory = directory_.Sub("many");
  ASSERT_EQ(Hilo("export " + directory + " --built-in").exit_code, 0);
  int actions_there = 0;
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    const std::string text = Read(file.path().string());
    for (size_t at = 0; (at = text.find("kind: Action\n", at)) != std::string::npos; ++at)
      ++actions_there;
  }
  WriteActions(directory, 10'000 - actions_there);
  const Said applied = Hilo("apply " + directory);
  ASSERT_EQ(applied.exit_code, 0) << applied.error;
  EXPECT_THAT(applied.out, HasSubstr("revision 1 is in force"));

  const std::string again = directory_.Sub("again");
  ASSERT_EQ(Hilo("export " + again).exit_code, 0);
  size_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    const std::string text = Read(file.path().string());
    bytes += text.size();
    EXPECT_EQ(Read(again + "/" + file.path().filename().string()), text) << file.path();
  }
  EXPECT_GT(bytes, size_t{6} << 20) << "it did not need several requests";
  const Said same = Hilo("diff " + again);
  EXPECT_EQ(same.exit_code, 0) << same.error;
  EXPECT_EQ(same.out, "");

  // The next process has it too, and it can be taken back and brought again.
  hub_.Stop();
  hub_.Start();
  EXPECT_EQ(Hilo("rollback 0").out, "revision 2 is in force\n");
  const Said back = Hilo("rollback 1");
  EXPECT_EQ(back.out, "revision 3 is in force\n") << back.error;
  EXPECT_EQ(Hilo("diff " + again).out, "");
}

TEST_F(CatalogueTest, WhatWasNotUploadedCannotBeApplied) {
  const auto admin = hub_.Client(kAdminToken);
  v1::ApplyCatalogueRequest request;
  v1::ApplyCatalogueResponse response;
  request.set_request_id(HubProcess::NewRequestId());
  request.set_upload(HubProcess::NewRequestId());
  EXPECT_EQ(Reason(admin->Call(kApply, request, &response)), "upload_unknown");
  request.add_files()->set_path("a.yaml");
  EXPECT_EQ(Reason(admin->Call(kApply, request, &response)), "files_twice");
  v1::UploadCatalogueFilesRequest upload;
  v1::UploadCatalogueFilesResponse total;
  EXPECT_EQ(Reason(admin->Call(kUpload, upload, &total)), "upload_invalid");
  upload.set_upload(HubProcess::NewRequestId());
  upload.add_files()->set_path("a.yaml");
  ASSERT_TRUE(admin->Call(kUpload, upload, &total).ok());
  ASSERT_TRUE(admin->Call(kUpload, upload, &total).ok());
  EXPECT_EQ(total.files(), 1);
  EXPECT_EQ(Reason(hub_.Client(kAgentToken)->Call(kUpload, upload, &total)), "not_permitted");
}

}  // namespace
}  // namespace hilo
