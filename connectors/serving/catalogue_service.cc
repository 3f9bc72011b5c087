#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "connectors/serving/services.h"
#include "connectors/serving/views.h"
#include "hilo/v1/catalogue_service.pb.h"
#include "state/types/ids.h"
#include "streams/fold/fold.h"

namespace hilo::serving {
namespace {

using ApplyReply = Reply<v1::ApplyCatalogueResponse>;

v1::GetCatalogueResponse GetCatalogue(const Parts& parts) {
  const CatalogueInForce::Current current = parts.catalogue.Get();
  v1::GetCatalogueResponse response;
  response.set_revision(static_cast<int64_t>(current.catalogue->revision()));
  for (const catalogue::File& file : current.catalogue->files()) {
    v1::CatalogueFile* shown = response.add_files();
    shown->set_path(file.path);
    shown->set_content(file.content);
  }
  if (current.record.apply_micros() != 0) {
    response.mutable_apply_time()->set_seconds(current.record.apply_micros() / 1'000'000);
  }
  response.set_applied_by(current.record.principal());
  return response;
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
  Publication(const Parts& parts, uint64_t revision, MonotonicTime deadline, ApplyReply reply)
      : parts_(parts),
        revision_(revision),
        deadline_(deadline),
        reply_(std::move(reply)),
        open_(parts.node.CustomerPartitions()) {}

  void Run(const store::v1::CatalogueRevision& revision) {
    store::v1::Record record;
    *record.mutable_catalogue() = revision;
    store::v1::RecordHeader header;
    const log::Record entry{"", header.SerializeAsString(), fold::Encode(record)};
    const uint32_t partitions = parts_.node.CustomerPartitions();
    for (uint32_t partition = 0; partition < partitions; ++partition) {
      const log::TopicPartition to = CustomersPartition(partition);
      parts_.log.Append(to, {entry}, [self = shared_from_this(), to](StatusOr<log::Offset> offset) {
        if (!offset.ok()) return self->Ended(offset.status());
        self->parts_.commands.WaitFor({to, *offset + 1}, self->deadline_,
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
    v1::ApplyCatalogueResponse response;
    response.set_revision(static_cast<int64_t>(revision_));
    reply_(std::move(response));
  }

  const Parts parts_;
  const uint64_t revision_;
  const MonotonicTime deadline_;
  const ApplyReply reply_;
  std::mutex mutex_;
  uint32_t open_;
  Status status_;
};

void ApplyCatalogue(const Parts& parts, std::shared_ptr<std::atomic<uint64_t>> last,
                    const Call& call, const v1::ApplyCatalogueRequest& request,
                    const ApplyReply& reply) {
  if (!request.validate_only() && !RequestId::FromHex(request.request_id())) {
    return reply(Error(StatusCode::kInvalidArgument, "request_id_invalid",
                       "'request_id' is required: a UUIDv7, new for each write"));
  }
  std::vector<catalogue::File> files;
  for (const v1::CatalogueFile& file : request.files())
    files.push_back({file.path(), file.content()});
  const CatalogueInForce::Current current = parts.catalogue.Get();
  const auto parsed = catalogue::Catalogue::Parse(files, current.catalogue->revision() + 1);
  v1::ApplyCatalogueResponse response;
  for (const catalogue::Problem& problem : parsed.problems) {
    v1::CatalogueProblem* shown = response.add_problems();
    shown->set_path(problem.path);
    shown->set_line(problem.line);
    shown->set_column(problem.column);
    shown->set_message(problem.message);
  }
  response.set_revision(static_cast<int64_t>(current.catalogue->revision()));
  // A repeat, also one whose answer was lost, finds its own files in force and changes nothing.
  if (parsed.catalogue == nullptr || request.validate_only() ||
      SameFiles(files, current.catalogue->files())) {
    return reply(std::move(response));
  }
  // Two at once get different numbers; the higher one stays.
  uint64_t seen = last->load();
  uint64_t next = 0;
  do {
    next = std::max(seen, current.catalogue->revision()) + 1;
  } while (!last->compare_exchange_weak(seen, next));
  if (Status audited = call.Audit("", "catalogue"); !audited.ok()) return reply(std::move(audited));
  store::v1::CatalogueRevision revision;
  revision.set_revision(next);
  for (const catalogue::File& file : files) {
    store::v1::CatalogueFile* stored = revision.add_files();
    stored->set_path(file.path);
    stored->set_content(file.content);
  }
  revision.set_principal(call.principal().name);
  revision.set_apply_micros(parts.clock.Wall().time_since_epoch().count());
  if (revision.ByteSizeLong() > log::Log::kMaxRecordBytes / 2) {
    return reply(Error(StatusCode::kInvalidArgument, "catalogue_too_large",
                       "all files together are at most 512 KiB"));
  }
  std::make_shared<Publication>(parts, next, call.deadline(), reply)->Run(revision);
}

}  // namespace

void AddCatalogueService(const Parts& parts, Endpoints& endpoints) {
  endpoints.Unary<v1::GetCatalogueRequest, v1::GetCatalogueResponse>(
      "/hilo.v1.CatalogueService/GetCatalogue",
      [parts](std::shared_ptr<Call>, const v1::GetCatalogueRequest&, auto reply) {
        reply(GetCatalogue(parts));
      });
  endpoints.Unary<v1::ApplyCatalogueRequest, v1::ApplyCatalogueResponse>(
      "/hilo.v1.CatalogueService/ApplyCatalogue",
      [parts, last = std::make_shared<std::atomic<uint64_t>>(0)](
          std::shared_ptr<Call> call, const v1::ApplyCatalogueRequest& request, ApplyReply reply) {
        ApplyCatalogue(parts, last, *call, request, reply);
      });
}

}  // namespace hilo::serving
