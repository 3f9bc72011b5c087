#include "connectors/desk/desk.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace hilo::desk {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFiles = 32;
constexpr uintmax_t kMaxFileBytes = 4 << 20;
constexpr std::string_view kDocument = "index.html";
// Served without their ending: an address that people type.
constexpr std::string_view kOperations = "operations.html";

// Also read by the page's tests, so that the page is tried under the policy that is served.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'; require-trusted-types-for "
    "'script'";

struct MediaType {
  std::string_view ending;
  std::string_view type;
};
constexpr std::array<MediaType, 4> kMediaTypes{{
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
}};

// A file as it is served.
struct File {
  std::string name;
  std::string_view media_type;
  std::string body;
  std::string etag;
};

bool IsPlainName(std::string_view name) {
  return !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

std::string_view MediaTypeOf(std::string_view name) {
  for (const MediaType& known : kMediaTypes) {
    if (name.ends_with(known.ending)) return known.type;
  }
  return {};
}

// FNV-1a and the length: tells builds apart, guards nothing.
std::string ETagOf(std::string_view body) {
  uint64_t hash = 14'695'981'039'346'656'037ull;
  for (const char c : body) hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211ull;
  std::string tag = "\"";
  for (int shift = 60; shift >= 0; shift -= 4) tag += "0123456789abcdef"[(hash >> shift) & 0xf];
  return tag + "-" + std::to_string(body.size()) + "\"";
}

StatusOr<File> ReadFile(const fs::path& path, std::string name) {
  std::error_code error;
  const uintmax_t size = fs::file_size(path, error);
  if (!error && size > kMaxFileBytes) {
    return Error(StatusCode::kInvalidArgument, "desk_page_too_large",
                 "a file of the desk's page is over 4 MiB; build it anew");
  }
  std::ifstream in(path, std::ios::binary);
  std::string body{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in.is_open() || in.bad()) {
    return Error(
        StatusCode::kFailedPrecondition, "desk_page_missing",
        "cannot read \"" + path.string() + "\" of the desk's page; build the target desk_page");
  }
  std::string etag = ETagOf(body);
  const std::string_view type = MediaTypeOf(name);
  return File{std::move(name), type, std::move(body), std::move(etag)};
}

StatusOr<std::vector<File>> ReadPage(const fs::path& directory) {
  std::vector<File> files;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    std::string name = at->path().filename().string();
    std::error_code ignored;
    if (!at->is_regular_file(ignored) || !IsPlainName(name) || MediaTypeOf(name).empty()) continue;
    if (files.size() == kMaxFiles) {
      return Error(StatusCode::kInvalidArgument, "desk_page_too_large",
                   "the desk's page has more than 32 files; build it anew");
    }
    HILO_ASSIGN_OR_RETURN(File file, ReadFile(at->path(), std::move(name)));
    files.push_back(std::move(file));
  }
  const bool whole = std::any_of(files.begin(), files.end(),
                                 [](const File& file) { return file.name == kDocument; });
  if (error || !whole) {
    return Error(StatusCode::kFailedPrecondition, "desk_page_missing",
                 "no index.html in \"" + directory.string() +
                     "\"; build the target desk_page or set the page's directory");
  }
  return files;
}

bool Names(std::optional<std::string_view> if_none_match, std::string_view etag) {
  return if_none_match &&
         (*if_none_match == "*" || if_none_match->find(etag) != std::string_view::npos);
}

http::Response Answer(const File& file, const http::Request& request) {
  http::Response response;
  const bool document = file.name.ends_with(".html");
  response.headers.Add("Content-Security-Policy", std::string(kContentSecurityPolicy));
  response.headers.Add("X-Content-Type-Options", "nosniff");
  response.headers.Add("Referrer-Policy", "no-referrer");
  response.headers.Add("Cross-Origin-Opener-Policy", "same-origin");
  response.headers.Add("Cross-Origin-Resource-Policy", "same-origin");
  response.headers.Add("Permissions-Policy",
                       "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
  response.headers.Add("Cache-Control", document ? "no-store" : "no-cache");
  if (!document) {
    response.headers.Add("ETag", file.etag);
    if (Names(request.headers.Find("If-None-Match"), file.etag)) {
      response.status = 304;
      return response;
    }
  }
  response.headers.Add("Content-Type", std::string(file.media_type));
  response.body = file.body;
  return response;
}

}  // namespace

Status AddDesk(const DeskOptions& options, http::Router& router) {
  HILO_ASSIGN_OR_RETURN(std::vector<File> files, ReadPage(options.page_directory));
  http::RouteOptions route;
  route.max_body_bytes = 0;  // nobody has anything to say to a file
  for (File& read : files) {
    const auto file = std::make_shared<const File>(std::move(read));
    const http::Handler handler = [file](std::shared_ptr<http::Exchange> exchange) {
      exchange->Respond(Answer(*file, exchange->request()));
    };
    if (file->name == kDocument) router.Add("GET", "/", route, handler);
    if (file->name == kOperations) router.Add("GET", "/operations", route, handler);
    router.Add("GET", "/" + file->name, route, handler);
  }
  return OkStatus();
}

}  // namespace hilo::desk
