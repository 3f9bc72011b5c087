#include <algorithm>
#include <atomic>
#include <charconv>
#include <mutex>
#include <utility>
#include <vector>

#include "connectors/serving/catalogue_uploads.h"
#include "connectors/serving/names.h"
#include "connectors/serving/services.h"
#include "connectors/serving/views.h"
#include "hilo/v1/catalogue_service.pb.h"
#include "state/catalogue/difference.h"
#include "state/types/ids.h"
#include "streams/command/command.h"
#include "streams/customer/catalogue_rows.h"
#include "streams/fold/fold.h"

namespace hilo::serving {
namespace {

using ApplyReply = Reply<v1::ApplyCatalogueResponse>;

constexpr size_t kPageBytes = 512 << 10;  // of files in one answer, or one file

template <typename Response>
void Give(StatusOr<Response> response, const Reply<Response>& reply) {
  if (!response.ok()) return reply(response.status());
  reply(*std::move(response));
}

void SetTime(int64_t micros, google::protobuf::Timestamp* time) {
  time->set_seconds(micros / 1'000'000);
  time->set_nanos(static_cast<int32_t>(micros % 1'000'000) * 1'000);
}

std::vector<catalogue::File> FilesOf(
    const google::protobuf::RepeatedPtrField<store::v1::CatalogueFile>& files) {
  std::vector<catalogue::File> out;
  out.reserve(static_cast<size_t>(files.size()));
  for (const auto& file : files) out.push_back({file.path(), file.content()});
  return out;
}

// A page of files: `token` is the number of the first.
StatusOr<v1::GetCatalogueResponse> ShowFiles(const std::vector<catalogue::File>& files,
                                             const store::v1::CatalogueRevision& record,
                                             const std::string& token) {
  const std::string made_for = "catalogue files " + std::to_string(record.revision());
  HILO_ASSIGN_OR_RETURN(const std::string place, ParsePageToken(token, made_for));
  size_t at = 0;
  if (!place.empty()) {
    const auto [end, error] = std::from_chars(place.data(), place.data() + place.size(), at);
    if (error != std::errc() || end != place.data() + place.size() || at >= files.size()) {
      return Error(StatusCode::kInvalidArgument, "page_token_invalid",
                   "'page_token' is not one that this revision gave; begin without it");
    }
  }
  v1::GetCatalogueResponse response;
  response.set_revision(static_cast<int64_t>(record.revision()));
  if (record.apply_micros() != 0) SetTime(record.apply_micros(), response.mutable_apply_time());
  response.set_applied_by(record.principal());
  for (size_t bytes = 0; at < files.size(); ++at) {
    bytes += files[at].path.size() + files[at].content.size();
    if (bytes > kPageBytes && response.files_size() > 0) {
      response.set_next_page_token(MakePageToken(made_for, std::to_string(at)));
      break;
    }
    v1::CatalogueFile* shown = response.add_files();
    shown->set_path(files[at].path);
    shown->set_content(files[at].content);
  }
  return response;
}

// As it was applied, whether or not this version of the program could read it now.
StatusOr<v1::GetCatalogueResponse> GetCatalogue(const Parts& parts,
                                                const v1::GetCatalogueRequest& request) {
  if (request.revision() < 0 || (request.built_in() && request.revision() != 0)) {
    return Error(StatusCode::kInvalidArgument, "revision_invalid",
                 "'revision' is 1, 2, 3, …, or left out; it does not go with 'built_in'");
  }
  if (request.built_in())
    return ShowFiles(catalogue::Catalogue::BuiltIn()->files(), {}, request.page_token());
  const CatalogueInForce::Current current = parts.catalogue.Get();
  const auto wanted = static_cast<uint64_t>(request.revision());
  if (wanted == 0 || wanted == current.catalogue->revision())
    return ShowFiles(current.catalogue->files(), current.record, request.page_token());
  HILO_ASSIGN_OR_RETURN(const auto past,
                        customer::ReadCatalogueRevision(parts.node.CustomersStore(0), wanted));
  if (!past.has_value()) {
    return Error(StatusCode::kNotFound, "revision_not_found",
                 "this revision is not kept; ListRevisions tells which are");
  }
  return ShowFiles(FilesOf(past->files()), *past, request.page_token());
}

StatusOr<v1::ListRevisionsResponse> ListRevisions(const Parts& parts,
                                                  const v1::ListRevisionsRequest& request) {
  constexpr std::string_view kMadeFor = "catalogue revisions";
  HILO_ASSIGN_OR_RETURN(const size_t size, PageSize(request.page_size(), 20, 100));
  HILO_ASSIGN_OR_RETURN(const std::string place, ParsePageToken(request.page_token(), kMadeFor));
  uint64_t below = 0;
  if (!place.empty()) {
    const auto [end, error] = std::from_chars(place.data(), place.data() + place.size(), below);
    if (error != std::errc() || end != place.data() + place.size() || below == 0) {
      return Error(StatusCode::kInvalidArgument, "page_token_invalid",
                   "'page_token' is not one that this list gave; begin without it");
    }
  }
  HILO_ASSIGN_OR_RETURN(const auto found, customer::ReadCatalogueRevisions(
                                              parts.node.CustomersStore(0), below, size + 1));
  v1::ListRevisionsResponse response;
  const uint64_t in_force = parts.catalogue.Get().catalogue->revision();
  for (const store::v1::CatalogueRevision& revision : found) {
    if (static_cast<size_t>(response.revisions_size()) == size) {
      const int64_t last = response.revisions(response.revisions_size() - 1).revision();
      response.set_next_page_token(MakePageToken(kMadeFor, std::to_string(last)));
      break;
    }
    v1::Revision* shown = response.add_revisions();
    shown->set_revision(static_cast<int64_t>(revision.revision()));
    SetTime(revision.apply_micros(), shown->mutable_apply_time());
    shown->set_applied_by(revision.principal());
    shown->set_in_force(revision.revision() == in_force);
  }
  return response;
}

void AddChanges(const std::vector<catalogue::File>& before,
                const std::vector<catalogue::File>& after, v1::ApplyCatalogueResponse& response) {
  for (const catalogue::Change& change : catalogue::Difference(before, after)) {
    v1::CatalogueChange* shown = response.add_changes();
    shown->set_type(change.type == catalogue::Change::Type::kAdded ? v1::CatalogueChange::TYPE_ADDED
                    : change.type == catalogue::Change::Type::kRemoved
                        ? v1::CatalogueChange::TYPE_REMOVED
                        : v1::CatalogueChange::TYPE_CHANGED);
    shown->set_kind(change.kind);
    shown->set_name(change.name);
    shown->set_path(change.path);
  }
}

bool SameFiles(const std::vector<catalogue::File>& a, const std::vector<catalogue::File>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const catalogue::File& x, const catalogue::File& y) {
                      return x.path == y.path && x.content == y.content;
                    });
}

// Publishes a revision in every customers partition, and answers when the last of them has it in
// force.
class Publication : public std::enable_shared_from_this<Publication> {
 public:
  Publication(const Parts& parts, v1::ApplyCatalogueResponse response, MonotonicTime deadline,
              ApplyReply reply)
      : parts_(parts),
        response_(std::move(response)),
        deadline_(deadline),
        reply_(std::move(reply)),
        open_(parts.node.CustomerPartitions()) {}

  void Run(const std::vector<store::v1::CatalogueRevision>& revisions) {
    std::vector<log::Record> entries;
    for (const store::v1::CatalogueRevision& revision : revisions) {
      store::v1::Record record;
      *record.mutable_catalogue() = revision;
      entries.push_back({"", store::v1::RecordHeader().SerializeAsString(), fold::Encode(record)});
    }
    const auto count = static_cast<log::Offset>(entries.size());
    const uint32_t partitions = parts_.node.CustomerPartitions();
    for (uint32_t partition = 0; partition < partitions; ++partition) {
      const log::TopicPartition to = CustomersPartition(partition);
      parts_.log.Append(to, entries,
                        [self = shared_from_this(), to, count](StatusOr<log::Offset> first) {
                          if (!first.ok()) return self->Ended(first.status());
                          self->parts_.commands.WaitFor(
                              {to, *first + count}, self->deadline_,
                              [self](Status folded) { self->Ended(std::move(folded)); });
                        });
    }
  }

 private:
  void Ended(Status status) {
    {
      std::lock_guard lock(mutex_);
      if (status_.ok()) status_ = std::move(status);
      if (--open_ > 0) return;
    }
    if (!status_.ok()) return reply_(status_);
    reply_(response_);
  }

  const Parts parts_;
  const v1::ApplyCatalogueResponse response_;
  const MonotonicTime deadline_;
  const ApplyReply reply_;
  std::mutex mutex_;
  uint32_t open_;
  Status status_;
};

// What the methods of one server share.
struct Shared {
  explicit Shared(const Clock& clock) : uploads(clock) {}
  CatalogueUploads uploads;
  std::atomic<uint64_t> last{0};  // the highest number that was given out
};

StatusOr<v1::UploadCatalogueFilesResponse> UploadCatalogueFiles(
    Shared& shared, const Call& call, const v1::UploadCatalogueFilesRequest& request) {
  if (!RequestId::FromHex(request.upload())) {
    return Error(StatusCode::kInvalidArgument, "upload_invalid",
                 "'upload' is required: a UUIDv7, new for each catalogue");
  }
  std::vector<catalogue::File> files;
  for (const v1::CatalogueFile& file : request.files())
    files.push_back({file.path(), file.content()});
  HILO_ASSIGN_OR_RETURN(
      const CatalogueUploads::Total total,
      shared.uploads.Add(call.principal().name, request.upload(), std::move(files)));
  v1::UploadCatalogueFilesResponse response;
  response.set_files(static_cast<int32_t>(total.files));
  response.set_bytes(static_cast<int64_t>(total.bytes));
  return response;
}

StatusOr<std::vector<catalogue::File>> FilesToApply(Shared& shared, const Call& call,
                                                    const v1::ApplyCatalogueRequest& request) {
  if (!request.upload().empty()) {
    if (request.files_size() > 0) {
      return Error(StatusCode::kInvalidArgument, "files_twice",
                   "'files' and 'upload' do not go together");
    }
    return shared.uploads.Find(call.principal().name, request.upload());
  }
  std::vector<catalogue::File> files;
  for (const v1::CatalogueFile& file : request.files())
    files.push_back({file.path(), file.content()});
  return files;
}

uint64_t NextRevision(std::atomic<uint64_t>& last, uint64_t in_force) {
  // Two at once get different numbers; the higher one stays.
  uint64_t seen = last.load();
  uint64_t next = 0;
  do {
    next = std::max(seen, in_force) + 1;
  } while (!last.compare_exchange_weak(seen, next));
  return next;
}

void CheckAndPublish(const Parts& parts, Shared& shared, const Call& call,
                     const v1::ApplyCatalogueRequest& request, const ApplyReply& reply) {
  const auto files = FilesToApply(shared, call, request);
  if (!files.ok()) return reply(files.status());
  const CatalogueInForce::Current current = parts.catalogue.Get();
  const uint64_t in_force = current.catalogue->revision();
  v1::ApplyCatalogueResponse response;
  response.set_revision(static_cast<int64_t>(in_force));
  const bool same = SameFiles(*files, current.catalogue->files());
  const bool only_check = request.validate_only() || same;
  const uint64_t next = only_check ? in_force + 1 : NextRevision(shared.last, in_force);
  const auto parsed = catalogue::Catalogue::Parse(*files, next);
  for (const catalogue::Problem& problem : parsed.problems) {
    v1::CatalogueProblem* shown = response.add_problems();
    shown->set_path(problem.path);
    shown->set_line(problem.line);
    shown->set_column(problem.column);
    shown->set_message(problem.message);
  }
  if (parsed.catalogue != nullptr) AddChanges(current.catalogue->files(), *files, response);
  // A repeat, also one whose answer was lost, finds its own files in force and changes nothing.
  if (parsed.catalogue == nullptr || only_check) return reply(std::move(response));
  store::v1::CatalogueRevision revision;
  revision.set_revision(next);
  for (const catalogue::File& file : *files) {
    store::v1::CatalogueFile* stored = revision.add_files();
    stored->set_path(file.path);
    stored->set_content(file.content);
  }
  revision.set_principal(call.principal().name);
  revision.set_apply_micros(parts.clock.Wall().time_since_epoch().count());
  const RequestId publication = command::NewRequestId(parts.clock.Wall());
  const auto cut = customer::CutCatalogue(revision, publication.Bytes());
  if (!cut.ok()) return reply(cut.status());
  if (Status audited = call.Audit("", "catalogue"); !audited.ok()) return reply(std::move(audited));
  parts.catalogue.Prepare(std::string(publication.Bytes()), parsed.catalogue);
  response.set_revision(static_cast<int64_t>(next));
  std::make_shared<Publication>(parts, std::move(response), call.deadline(), reply)->Run(*cut);
}

void ApplyCatalogue(const Parts& parts, const std::shared_ptr<Shared>& shared,
                    std::shared_ptr<Call> call, const v1::ApplyCatalogueRequest& request,
                    const ApplyReply& reply) {
  if (!request.validate_only() && !RequestId::FromHex(request.request_id())) {
    return reply(Error(StatusCode::kInvalidArgument, "request_id_invalid",
                       "'request_id' is required: a UUIDv7, new for each write"));
  }
  // Checking ten thousand actions takes seconds.
  const bool taken =
      parts.slow_worker.Post([parts, shared, call = std::move(call), request, reply] {
        CheckAndPublish(parts, *shared, *call, request, reply);
      });
  if (!taken) {
    reply(Error(StatusCode::kResourceExhausted, "serving_overloaded",
                "too many calls wait; try again shortly"));
  }
}

}  // namespace

void AddCatalogueService(const Parts& parts, Endpoints& endpoints) {
  endpoints.Unary<v1::GetCatalogueRequest, v1::GetCatalogueResponse>(
      "/hilo.v1.CatalogueService/GetCatalogue",
      [parts](std::shared_ptr<Call>, const v1::GetCatalogueRequest& request, auto reply) {
        Give(GetCatalogue(parts, request), reply);
      });
  endpoints.Unary<v1::ListRevisionsRequest, v1::ListRevisionsResponse>(
      "/hilo.v1.CatalogueService/ListRevisions",
      [parts](std::shared_ptr<Call>, const v1::ListRevisionsRequest& request, auto reply) {
        Give(ListRevisions(parts, request), reply);
      });
  const auto shared = std::make_shared<Shared>(parts.clock);
  endpoints.Unary<v1::UploadCatalogueFilesRequest, v1::UploadCatalogueFilesResponse>(
      "/hilo.v1.CatalogueService/UploadCatalogueFiles",
      [shared](std::shared_ptr<Call> call, const v1::UploadCatalogueFilesRequest& request,
               auto reply) { Give(UploadCatalogueFiles(*shared, *call, request), reply); });
  endpoints.Unary<v1::ApplyCatalogueRequest, v1::ApplyCatalogueResponse>(
      "/hilo.v1.CatalogueService/ApplyCatalogue",
      [parts, shared](std::shared_ptr<Call> call, const v1::ApplyCatalogueRequest& request,
                      ApplyReply reply) {
        ApplyCatalogue(parts, shared, std::move(call), request, reply);
      });
}

}  // namespace hilo::serving
