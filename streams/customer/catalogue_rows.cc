#include "streams/customer/catalogue_rows.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/gzip_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <utility>

#include "state/store/keys.h"
#include "state/types/hash.h"

namespace hilo::customer {
namespace {

using store::v1::CataloguePart;
using store::v1::CatalogueRevision;

constexpr size_t kPublicationBytes = 16;

std::string CurrentKey() {
  return store::KeyBuilder(store::Table::kCatalogue).Raw("current").Build();
}
// The publication that is under way: its last part so far.
std::string PendingKey() {
  return store::KeyBuilder(store::Table::kCatalogue).Raw("pending").Build();
}
std::string RevisionKey(uint64_t revision) {
  return store::KeyBuilder(store::Table::kCatalogueRevision).U64(revision).Build();
}
std::string PartKey(std::string_view publication, uint32_t number) {
  return store::KeyBuilder(store::Table::kCataloguePart).Raw(publication).U32(number).Build();
}

std::string Pack(const CatalogueRevision& revision) {
  store::v1::CatalogueFiles files;
  *files.mutable_files() = revision.files();
  std::string packed;
  {
    google::protobuf::io::StringOutputStream out(&packed);
    google::protobuf::io::GzipOutputStream gzip(&out);
    google::protobuf::io::CodedOutputStream coded(&gzip);
    coded.SetSerializationDeterministic(true);
    files.SerializeToCodedStream(&coded);
  }
  return packed;
}

Status Unreadable(const CatalogueRevision& revision) {
  return Error(StatusCode::kDataLoss, "catalogue_unreadable",
               "the files of revision " + std::to_string(revision.revision()) +
                   " of the catalogue cannot be read; apply them again");
}

Status Unpack(const std::string& packed, CatalogueRevision& revision) {
  google::protobuf::io::ArrayInputStream in(packed.data(), static_cast<int>(packed.size()));
  google::protobuf::io::GzipInputStream gzip(&in, google::protobuf::io::GzipInputStream::GZIP);
  store::v1::CatalogueFiles files;
  google::protobuf::io::CodedInputStream coded(&gzip);
  coded.SetTotalBytesLimit(kMaxUnpackedCatalogueBytes);
  if (!files.ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage())
    return Unreadable(revision);
  *revision.mutable_files() = std::move(*files.mutable_files());
  return OkStatus();
}

StatusOr<std::optional<CatalogueRevision>> ReadHead(const store::Reader& reader,
                                                    const std::string& key) {
  HILO_ASSIGN_OR_RETURN(const auto bytes, reader.Get(key));
  if (!bytes.has_value()) return std::optional<CatalogueRevision>();
  CatalogueRevision head;
  HILO_RETURN_IF_ERROR(fold::Decode(*bytes, &head));
  return std::make_optional(std::move(head));
}

StatusOr<std::optional<CatalogueRevision>> ReadWhole(const store::Reader& reader,
                                                     const std::string& key) {
  HILO_ASSIGN_OR_RETURN(auto revision, ReadHead(reader, key));
  if (!revision.has_value() || !revision->has_part()) return revision;
  std::vector<std::string> keys;
  for (uint32_t number = 0; number < revision->part().count(); ++number)
    keys.push_back(PartKey(revision->part().publication(), number));
  std::string packed;
  for (auto& part : reader.MultiGet(keys)) {
    HILO_RETURN_IF_ERROR(part.status());
    if (!part->has_value()) return Unreadable(*revision);
    packed += **part;
  }
  // The stream below takes an end that comes too early for the end.
  if (Bytes(Hash(packed)) != revision->part().digest()) return Unreadable(*revision);
  revision->clear_part();
  HILO_RETURN_IF_ERROR(Unpack(packed, *revision));
  return revision;
}

StatusOr<std::optional<CatalogueRevision>> Find(const std::string& key, fold::Context& context) {
  HILO_ASSIGN_OR_RETURN(const auto bytes, context.Get(key));
  if (!bytes.has_value()) return std::optional<CatalogueRevision>();
  CatalogueRevision head;
  HILO_RETURN_IF_ERROR(fold::Decode(*bytes, &head));
  return std::make_optional(std::move(head));
}

bool CanBePart(const CataloguePart& part) {
  return part.publication().size() == kPublicationBytes && part.count() >= 1 &&
         part.count() <= kMaxCatalogueParts && part.number() < part.count() &&
         !part.packed().empty() && part.packed().size() <= kMaxCataloguePartBytes;
}

void DropParts(const CataloguePart& part, uint32_t count, fold::Context& context) {
  for (uint32_t number = 0; number < count; ++number)
    context.Delete(PartKey(part.publication(), number));
}

CatalogueRevision WithoutBytes(const CatalogueRevision& offered) {
  CatalogueRevision head = offered;
  head.mutable_part()->clear_packed();
  return head;
}

// Whether it was the last one.
StatusOr<bool> TakePart(const CatalogueRevision& offered, fold::Context& context) {
  const CataloguePart& part = offered.part();
  HILO_ASSIGN_OR_RETURN(const auto pending, Find(PendingKey(), context));
  const bool known = pending.has_value() && pending->part().publication() == part.publication();
  if (known
          ? part.number() != pending->part().number() + 1 ||
                part.count() != pending->part().count() || offered.revision() != pending->revision()
          : part.number() != 0) {
    return false;
  }
  if (pending.has_value() && !known)
    DropParts(pending->part(), pending->part().number() + 1, context);
  context.Put(PartKey(part.publication(), part.number()), part.packed());
  if (part.number() + 1 < part.count()) {
    context.Put(PendingKey(), fold::Encode(WithoutBytes(offered)));
    return false;
  }
  if (pending.has_value()) context.Delete(PendingKey());
  return true;
}

// What falls out of the kept ones; mostly one, never more than there are.
Status ForgetPast(uint64_t newest, uint64_t next, fold::Context& context) {
  uint64_t past = newest < kMaxCatalogueRevisions ? 1 : newest - kMaxCatalogueRevisions + 1;
  for (; past <= newest && past + kMaxCatalogueRevisions <= next; ++past) {
    HILO_ASSIGN_OR_RETURN(const auto gone, Find(RevisionKey(past), context));
    if (!gone.has_value()) continue;
    if (gone->has_part()) DropParts(gone->part(), gone->part().count(), context);
    context.Delete(RevisionKey(past));
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::vector<CatalogueRevision>> CutCatalogue(const CatalogueRevision& revision,
                                                      std::string_view publication) {
  const std::string packed = Pack(revision);
  const size_t count = (packed.size() + kMaxCataloguePartBytes - 1) / kMaxCataloguePartBytes;
  if (count > kMaxCatalogueParts) {
    return Error(StatusCode::kInvalidArgument, "catalogue_too_large",
                 "all files together pack to " + std::to_string(packed.size()) +
                     " bytes; at most " +
                     std::to_string(kMaxCatalogueParts * kMaxCataloguePartBytes) +
                     ": shorten texts or leave out what is no longer used");
  }
  const Hash16 digest = Hash(packed);
  std::vector<CatalogueRevision> parts(count);
  for (size_t number = 0; number < count; ++number) {
    parts[number].set_revision(revision.revision());
    parts[number].set_principal(revision.principal());
    parts[number].set_apply_micros(revision.apply_micros());
    CataloguePart* part = parts[number].mutable_part();
    part->set_publication(std::string(publication));
    part->set_number(static_cast<uint32_t>(number));
    part->set_count(static_cast<uint32_t>(count));
    part->set_digest(std::string(Bytes(digest)));
    part->set_packed(packed.substr(number * kMaxCataloguePartBytes, kMaxCataloguePartBytes));
  }
  return parts;
}

fold::Outcome ApplyCatalogue(const CatalogueRevision& offered, fold::Context& context) {
  if (offered.has_part() && !CanBePart(offered.part())) {
    return fold::Outcome::Refused("record_malformed", "this cannot be a part of a catalogue");
  }
  const auto current = Find(CurrentKey(), context);
  if (!current.ok()) return fold::Outcome::Failed(current.status());
  const uint64_t newest = current->has_value() ? (*current)->revision() : 0;
  if (offered.revision() <= newest) return fold::Outcome::Ok();
  if (offered.has_part()) {
    const auto complete = TakePart(offered, context);
    if (!complete.ok()) return fold::Outcome::Failed(complete.status());
    if (!*complete) return fold::Outcome::Ok();
  }
  if (Status forgotten = ForgetPast(newest, offered.revision(), context); !forgotten.ok())
    return fold::Outcome::Failed(std::move(forgotten));
  const std::string head = fold::Encode(offered.has_part() ? WithoutBytes(offered) : offered);
  context.Put(CurrentKey(), head);
  context.Put(RevisionKey(offered.revision()), head);
  fold::Notice notice;
  notice.kind = fold::Notice::Kind::kCatalogue;
  context.Tell(notice);
  return fold::Outcome::Ok();
}

StatusOr<std::optional<CatalogueRevision>> ReadCatalogueHead(const store::Reader& reader) {
  HILO_ASSIGN_OR_RETURN(auto head, ReadHead(reader, CurrentKey()));
  if (head.has_value()) head->clear_files();
  return head;
}

StatusOr<std::optional<CatalogueRevision>> ReadCatalogue(const store::Reader& reader) {
  return ReadWhole(reader, CurrentKey());
}

StatusOr<std::optional<CatalogueRevision>> ReadCatalogueRevision(const store::Reader& reader,
                                                                 uint64_t revision) {
  return ReadWhole(reader, RevisionKey(revision));
}

StatusOr<std::vector<CatalogueRevision>> ReadCatalogueRevisions(const store::Reader& reader,
                                                                uint64_t below, size_t most) {
  std::vector<CatalogueRevision> revisions;
  HILO_ASSIGN_OR_RETURN(const auto current, ReadCatalogueHead(reader));
  if (!current.has_value()) return revisions;
  uint64_t next = below == 0 ? current->revision() : std::min(below - 1, current->revision());
  const uint64_t oldest = current->revision() < kMaxCatalogueRevisions
                              ? 1
                              : current->revision() - kMaxCatalogueRevisions + 1;
  for (; next >= oldest && revisions.size() < most; --next) {
    HILO_ASSIGN_OR_RETURN(auto revision, ReadHead(reader, RevisionKey(next)));
    if (!revision.has_value()) continue;  // two that were applied at once leave a number out
    revision->clear_files();
    revision->clear_part();
    revisions.push_back(*std::move(revision));
  }
  return revisions;
}

}  // namespace hilo::customer
