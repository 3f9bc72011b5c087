#include "ops/hilo/catalogue_commands.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "hilo/v1/catalogue_service.pb.h"

namespace hilo::cli {
namespace {

constexpr int kProblems = 6;
constexpr char kApply[] = "/hilo.v1.CatalogueService/ApplyCatalogue";
constexpr char kUpload[] = "/hilo.v1.CatalogueService/UploadCatalogueFiles";
constexpr char kGet[] = "/hilo.v1.CatalogueService/GetCatalogue";
constexpr char kList[] = "/hilo.v1.CatalogueService/ListRevisions";
// Of files in one request; the hub takes 1 MiB.
constexpr size_t kOneRequestBytes = 900 << 10;

// Every .yaml file below a directory, by path.
StatusOr<v1::ApplyCatalogueRequest> ReadYamlFiles(const std::string& directory) {
  std::error_code error;
  std::vector<std::pair<std::string, std::string>> files;
  for (auto entry = std::filesystem::recursive_directory_iterator(directory, error);
       !error && entry != std::filesystem::recursive_directory_iterator(); entry.increment(error)) {
    if (!entry->is_regular_file() || entry->path().extension() != ".yaml") continue;
    std::ifstream file(entry->path());
    std::ostringstream text;
    text << file.rdbuf();
    files.emplace_back(std::filesystem::relative(entry->path(), directory).string(), text.str());
  }
  if (error)
    return Error(StatusCode::kNotFound, "directory_unreadable",
                 "'" + directory + "' cannot be read");
  if (files.empty())
    return Error(StatusCode::kNotFound, "no_files", "'" + directory + "' holds no .yaml file");
  std::sort(files.begin(), files.end());
  v1::ApplyCatalogueRequest request;
  for (auto& [path, content] : files) {
    v1::CatalogueFile* file = request.add_files();
    file->set_path(std::move(path));
    file->set_content(std::move(content));
  }
  return request;
}

// All files of a revision, page by page; of one revision, whichever is in force meanwhile.
StatusOr<v1::GetCatalogueResponse> FetchRevision(Session& session, v1::GetCatalogueRequest get) {
  v1::GetCatalogueResponse all;
  for (;;) {
    v1::GetCatalogueResponse page;
    HILO_RETURN_IF_ERROR(session.client->Call(kGet, get, &page));
    get.set_page_token(page.next_page_token());
    if (!get.built_in()) get.set_revision(page.revision());
    all.MergeFrom(page);
    if (get.page_token().empty()) return all;
  }
}

// The files of a revision that is still kept.
StatusOr<v1::ApplyCatalogueRequest> FetchFiles(Session& session, int64_t revision) {
  v1::GetCatalogueRequest get;
  if (revision == 0) {
    get.set_built_in(true);
  } else {
    get.set_revision(revision);
  }
  HILO_ASSIGN_OR_RETURN(v1::GetCatalogueResponse response, FetchRevision(session, get));
  v1::ApplyCatalogueRequest request;
  *request.mutable_files() = std::move(*response.mutable_files());
  return request;
}

// Puts files that are too many for one request there first, in several.
Status UploadFiles(Session& session, v1::ApplyCatalogueRequest& request) {
  if (request.ByteSizeLong() <= kOneRequestBytes) return OkStatus();
  const std::string upload = NewRequestId();
  v1::UploadCatalogueFilesRequest some;
  const auto send = [&]() -> Status {
    some.set_upload(upload);
    v1::UploadCatalogueFilesResponse ignored;
    HILO_RETURN_IF_ERROR(session.client->Call(kUpload, some, &ignored));
    some.Clear();
    return OkStatus();
  };
  size_t bytes = 0;
  for (v1::CatalogueFile& file : *request.mutable_files()) {
    const size_t more = file.ByteSizeLong();
    if (bytes > 0 && bytes + more > kOneRequestBytes) {
      HILO_RETURN_IF_ERROR(send());
      bytes = 0;
    }
    bytes += more;
    *some.add_files() = std::move(file);
  }
  HILO_RETURN_IF_ERROR(send());
  request.clear_files();
  request.set_upload(upload);
  return OkStatus();
}

// What to do with files, and how to tell of it.
enum class Deed { kCheck, kDiff, kApply, kDryRun };

void PrintChanges(const v1::ApplyCatalogueResponse& response) {
  for (const v1::CatalogueChange& change : response.changes()) {
    const char* sign = change.type() == v1::CatalogueChange::TYPE_ADDED     ? "+"
                       : change.type() == v1::CatalogueChange::TYPE_REMOVED ? "-"
                                                                            : "~";
    std::printf("%s %s %s (%s)\n", sign, Clean(change.kind()).c_str(), Clean(change.name()).c_str(),
                Clean(change.path()).c_str());
  }
}

int Do(Session& session, StatusOr<v1::ApplyCatalogueRequest> request, Deed deed) {
  if (!request.ok()) return Report(request.status());
  request->set_validate_only(deed != Deed::kApply);
  if (deed == Deed::kApply) request->set_request_id(NewRequestId());
  const int files = request->files_size();
  if (Status uploaded = UploadFiles(session, *request); !uploaded.ok()) return Report(uploaded);
  v1::ApplyCatalogueResponse response;
  if (Status status = session.client->Call(kApply, *request, &response); !status.ok())
    return Report(status);
  if (session.output.json) PrintJson(response);
  for (const v1::CatalogueProblem& problem : response.problems()) {
    std::fprintf(stderr, "%s:%d:%d: %s\n", Clean(problem.path()).c_str(), problem.line(),
                 problem.column(), Clean(problem.message()).c_str());
  }
  if (!response.problems().empty()) {
    if (!session.output.quiet) std::fprintf(stderr, "nothing was applied\n");
    return kProblems;
  }
  if (session.output.json) return 0;
  if (deed == Deed::kDiff || deed == Deed::kDryRun) PrintChanges(response);
  if (session.output.quiet) return 0;
  switch (deed) {
    case Deed::kCheck:
      std::printf("%d files are fine\n", files);
      break;
    case Deed::kDiff:
    case Deed::kDryRun:
      std::fprintf(stderr, "%d resources differ from revision %lld, which stays in force\n",
                   response.changes_size(), static_cast<long long>(response.revision()));
      break;
    case Deed::kApply:
      std::printf("revision %lld is in force\n", static_cast<long long>(response.revision()));
      break;
  }
  return 0;
}

// Whether a file of that path stays in the folder it is written into.
bool StaysBelow(const std::filesystem::path& path) {
  if (path.empty() || path.is_absolute()) return false;
  return std::none_of(path.begin(), path.end(), [](const auto& part) { return part == ".."; });
}

int Export(Session& session, const v1::GetCatalogueRequest& request, const std::string& into) {
  const auto fetched = FetchRevision(session, request);
  if (!fetched.ok()) return Report(fetched.status());
  const v1::GetCatalogueResponse& response = *fetched;
  for (const v1::CatalogueFile& file : response.files()) {
    const std::filesystem::path below = std::filesystem::path(file.path()).lexically_normal();
    if (!StaysBelow(below)) {
      return Report(Error(StatusCode::kInvalidArgument, "path_refused",
                          "the hub names a file outside the directory; nothing more was written"));
    }
    const std::filesystem::path path = std::filesystem::path(into) / below;
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    std::ofstream out(path, std::ios::binary);
    out << file.content();
    out.close();
    if (!out)
      return Report(Error(StatusCode::kUnknown, "file_unwritable",
                          "'" + path.string() + "' cannot be written"));
  }
  if (!session.output.quiet)
    std::fprintf(stderr, "revision %lld, %d files\n", static_cast<long long>(response.revision()),
                 response.files_size());
  return 0;
}

int ListRevisions(Session& session) {
  v1::ListRevisionsRequest request;
  do {
    v1::ListRevisionsResponse response;
    if (Status status = session.client->Call(kList, request, &response); !status.ok())
      return Report(status);
    Show(session, response, [](const v1::ListRevisionsResponse& page) {
      for (const v1::Revision& revision : page.revisions()) {
        std::printf("%lld  %s  %s%s\n", static_cast<long long>(revision.revision()),
                    TimeText(revision.apply_time()).c_str(), Clean(revision.applied_by()).c_str(),
                    revision.in_force() ? "  (in force)" : "");
      }
    });
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return 0;
}

// What the options of one command fill in.
struct Chosen {
  std::string directory;
  int64_t revision = 0;
  bool built_in = false;
  bool dry_run = false;
};

}  // namespace

void AddCatalogueCommands(CLI::App& root, Action* chosen) {
  CLI::App* catalogue = root.add_subcommand("catalogue", "The catalogue")->require_subcommand(1);
  const auto given = std::make_shared<Chosen>();

  CLI::App* check = catalogue->add_subcommand("check", "Check a directory of YAML files");
  check->add_option("directory", given->directory)->required();
  Run(check, chosen, [given](Session& session) {
    return Do(session, ReadYamlFiles(given->directory), Deed::kCheck);
  });

  CLI::App* diff = catalogue->add_subcommand(
      "diff", "What a directory, or a past revision, would change: + added, - removed, ~ changed");
  CLI::Option* directory = diff->add_option("directory", given->directory);
  CLI::Option* revision =
      diff->add_option("--revision", given->revision, "A past one")->check(CLI::PositiveNumber);
  revision->excludes(directory);
  Run(diff, chosen, [given](Session& session) {
    if (given->directory.empty() && given->revision == 0) {
      return Report(Error(StatusCode::kInvalidArgument, "nothing_to_compare",
                          "name a directory, or --revision and its number"));
    }
    return Do(session,
              given->directory.empty() ? FetchFiles(session, given->revision)
                                       : ReadYamlFiles(given->directory),
              Deed::kDiff);
  });

  CLI::App* apply = catalogue->add_subcommand(
      "apply", "Check and publish a directory of YAML files as the next revision");
  apply->add_option("directory", given->directory)->required();
  apply->add_flag("--dry-run", given->dry_run, "Only check, and tell what would change");
  Run(apply, chosen, [given](Session& session) {
    return Do(session, ReadYamlFiles(given->directory),
              given->dry_run ? Deed::kDryRun : Deed::kApply);
  });

  CLI::App* dump =
      catalogue->add_subcommand("export", "Write the files of a revision into a directory");
  dump->add_option("directory", given->directory, "Made when missing")->required();
  dump->add_option("--revision", given->revision, "A past one; without it the one in force")
      ->check(CLI::PositiveNumber);
  dump->add_flag("--built-in", given->built_in, "The one that the program carries");
  Run(dump, chosen, [given](Session& session) {
    v1::GetCatalogueRequest request;
    request.set_revision(given->revision);
    request.set_built_in(given->built_in);
    return Export(session, request, given->directory);
  });

  Run(catalogue->add_subcommand("list", "The revisions that are kept, newest first"), chosen,
      ListRevisions);

  CLI::App* rollback = catalogue->add_subcommand(
      "rollback", "Publish the files of a past revision as a new one; 0: the built-in one");
  rollback->add_option("revision", given->revision)->required()->check(CLI::NonNegativeNumber);
  rollback->add_flag("--dry-run", given->dry_run, "Only check, and tell what would change");
  Run(rollback, chosen, [given](Session& session) {
    return Do(session, FetchFiles(session, given->revision),
              given->dry_run ? Deed::kDryRun : Deed::kApply);
  });
}

}  // namespace hilo::cli
