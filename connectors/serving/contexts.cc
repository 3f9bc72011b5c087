#include "connectors/serving/contexts.h"

#include <google/protobuf/arena.h>
#include <google/protobuf/io/coded_stream.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "connectors/serving/names.h"
#include "connectors/serving/render.h"
#include "connectors/serving/views.h"
#include "hilo/v1/customer_service.pb.h"
#include "ops/base/metric_names.h"
#include "streams/customer/reader.h"
#include "streams/fold/fold.h"

namespace hilo::serving {
namespace {

using google::protobuf::io::CodedOutputStream;

constexpr uint32_t kLengthDelimited = 2;
// The tag of a field with a length; all of those used here take one byte.
constexpr char Tag(int field) {
  return static_cast<char>(static_cast<uint32_t>(field) << 3 | kLengthDelimited);
}
constexpr char kContextTag = Tag(v1::GetContextResponse::kContextFieldNumber);
constexpr char kTimelineTag = Tag(v1::Context::kTimelineFieldNumber);
constexpr char kNextPageTokenTag = Tag(v1::Context::kTimelineNextPageTokenFieldNumber);
constexpr char kFreshnessTag = Tag(v1::Context::kFreshnessFieldNumber);
constexpr char kEntriesTag = Tag(v1::ListTimelineResponse::kEntriesFieldNumber);
constexpr char kEntriesNextTag = Tag(v1::ListTimelineResponse::kNextPageTokenFieldNumber);
static_assert(v1::Context::kFreshnessFieldNumber < 16 &&
                  v1::ListTimelineResponse::kNextPageTokenFieldNumber < 16,
              "tags of one byte");
// What a rendered customer is kept as ends with the timeline: nothing may follow it but these.
static_assert(v1::Context::kTimelineFieldNumber < v1::Context::kTimelineNextPageTokenFieldNumber);

void AppendLength(size_t length, std::string* wire) {
  uint8_t bytes[5];
  const uint8_t* end =
      CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(length), bytes);
  wire->append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(end - bytes));
}

size_t FieldSize(size_t length) {
  return 1 + CodedOutputStream::VarintSize32(static_cast<uint32_t>(length)) + length;
}

void AppendField(char tag, std::string_view bytes, std::string* wire) {
  wire->push_back(tag);
  AppendLength(bytes.size(), wire);
  wire->append(bytes);
}

void AppendField(char tag, const google::protobuf::MessageLite& message, std::string* wire) {
  const size_t size = message.ByteSizeLong();
  wire->push_back(tag);
  AppendLength(size, wire);
  const size_t at = wire->size();
  wire->resize(at + size);
  message.SerializeWithCachedSizesToArray(reinterpret_cast<uint8_t*>(wire->data() + at));
}

// Where the newest `count` entries end in the bytes.
size_t EndOf(const RenderedCustomer& rendered, size_t count) {
  return count == 0 ? rendered.timeline_begin : rendered.entries[count - 1].end;
}

// The page token behind the newest `count` entries; empty when there are no more.
std::string TokenBehind(const RenderedCustomer& rendered, CustomerId customer, size_t count) {
  if (count == 0 || (count == rendered.entries.size() && rendered.next.empty())) return "";
  return MakePageToken(TimelineMadeFor(customer, 0), rendered.entries[count - 1].place);
}

// The entries of `before`, looked up by their place in the order of a timeline.
class Known {
 public:
  explicit Known(const RenderedCustomer* before) : before_(before) {}

  // The bytes of the entry at `place`, empty when there are none. Ask in the timeline's order.
  std::string_view Find(std::string_view place) {
    if (before_ == nullptr) return {};
    const std::vector<RenderedCustomer::Entry>& entries = before_->entries;
    // Places sort as the timeline does.
    while (at_ < entries.size() && entries[at_].place < place) ++at_;
    if (at_ == entries.size() || entries[at_].place != place) return {};
    const size_t begin = EndOf(*before_, at_);
    return before_->context.view().substr(begin, entries[at_].end - begin);
  }

 private:
  const RenderedCustomer* const before_;
  size_t at_ = 0;
};

}  // namespace

Contexts::Contexts(Options options)
    : options_(options),
      shown_again_(options.registry.Get(metric::kContextCacheReads, {"shown_again"})),
      brought_up_to_date_(options.registry.Get(metric::kContextCacheReads, {"brought_up_to_date"})),
      rendered_(options.registry.Get(metric::kContextCacheReads, {"rendered"})) {}

StatusOr<std::optional<std::string>> Contexts::ContextResponse(CustomerId customer,
                                                               size_t timeline_size) {
  // The position is read before the state, so that the answer is never older than its token says.
  const fold::Standing standing =
      options_.node.StandingOf(CustomersPartition(PartitionOfCustomer(options_.node, customer)));
  HILO_ASSIGN_OR_RETURN(const Rendered rendered, Current(customer, timeline_size, standing));
  if (rendered == nullptr) return std::optional<std::string>();
  const size_t count = std::min(timeline_size, rendered->entries.size());
  const std::string_view kept = rendered->context.view().substr(0, EndOf(*rendered, count));
  const std::string token = TokenBehind(*rendered, customer, count);
  const v1::Freshness freshness = FreshnessOf(standing, options_.clock);
  const size_t size = kept.size() + (token.empty() ? 0 : FieldSize(token.size())) +
                      FieldSize(freshness.ByteSizeLong());
  std::string wire;
  wire.reserve(FieldSize(size));
  wire.push_back(kContextTag);
  AppendLength(size, &wire);
  wire.append(kept);
  if (!token.empty()) AppendField(kNextPageTokenTag, token, &wire);
  AppendField(kFreshnessTag, freshness, &wire);
  return std::optional<std::string>(std::move(wire));
}

StatusOr<std::optional<std::string>> Contexts::TimelineResponse(CustomerId customer,
                                                                size_t page_size) {
  const fold::Standing standing =
      options_.node.StandingOf(CustomersPartition(PartitionOfCustomer(options_.node, customer)));
  HILO_ASSIGN_OR_RETURN(const Rendered rendered, Current(customer, page_size, standing));
  if (rendered == nullptr) return std::optional<std::string>();
  const size_t count = std::min(page_size, rendered->entries.size());
  const size_t begin = rendered->timeline_begin;
  const std::string token = TokenBehind(*rendered, customer, count);
  std::string wire;
  wire.reserve(EndOf(*rendered, count) - begin + FieldSize(token.size()));
  wire.append(rendered->context.view().substr(begin, EndOf(*rendered, count) - begin));
  // The same entries under another field.
  for (size_t i = 0; i < count; ++i) wire[EndOf(*rendered, i) - begin] = kEntriesTag;
  if (!token.empty()) AppendField(kEntriesNextTag, token, &wire);
  return std::optional<std::string>(std::move(wire));
}

StatusOr<Contexts::Rendered> Contexts::Current(CustomerId customer, size_t entries,
                                               const fold::Standing& standing) {
  const uint64_t epoch = options_.cache.Epoch();
  const LogTime now = ShownNow(standing, options_.clock);
  std::shared_ptr<const catalogue::Catalogue> catalogue = options_.catalogue.Catalogue();
  const Rendered kept = options_.cache.Find(customer);
  if (kept != nullptr && kept->Shows(entries)) {
    HILO_ASSIGN_OR_RETURN(
        const auto stored,
        customer::ReadCustomerBytes(options_.node.CustomersStore(standing.of.partition), customer));
    if (stored && kept->Holds(*stored, catalogue.get(), now)) {
      shown_again_.Increment();
      return kept;
    }
  }
  const bool may_take_over = kept != nullptr && kept->catalogue == catalogue;
  if (may_take_over) entries = std::max(entries, kept->entries.size());
  bool all_opened = true;
  HILO_ASSIGN_OR_RETURN(Rendered rendered,
                        Render(customer, entries, now, std::move(catalogue),
                               may_take_over ? kept.get() : nullptr, &all_opened));
  (may_take_over ? brought_up_to_date_ : rendered_).Increment();
  if (rendered != nullptr && all_opened) options_.cache.Put(customer, rendered, epoch);
  return rendered;
}

StatusOr<Contexts::Rendered> Contexts::Render(CustomerId customer, size_t entries, LogTime now,
                                              std::shared_ptr<const catalogue::Catalogue> catalogue,
                                              const RenderedCustomer* before, bool* all_opened) {
  const auto view =
      options_.node.CustomersStore(PartitionOfCustomer(options_.node, customer)).NewView();
  HILO_ASSIGN_OR_RETURN(auto stored, customer::ReadCustomerBytes(*view, customer));
  if (!stored) return Rendered();
  google::protobuf::Arena arena;
  auto& row = *google::protobuf::Arena::CreateMessage<store::v1::MemberRow>(&arena);
  HILO_RETURN_IF_ERROR(customer::DecodeCustomer(*stored, &row));

  Renderer::Took took;
  if (before != nullptr) took.subjects = before->subjects;
  const Renderer renderer(options_.sealer, catalogue, now, &took);
  auto rendered = std::make_shared<RenderedCustomer>();
  std::string wire = renderer.Context(row).SerializeAsString();
  rendered->timeline_begin = wire.size();

  Known known(before);
  // Both are used again for each entry.
  store::v1::TimelineRow entry_row;
  v1::TimelineEntry entry;
  const auto visit = [&](std::string_view place, std::string_view bytes) -> Status {
    if (const std::string_view same = known.Find(place); !same.empty()) {
      wire.append(same);
    } else {
      HILO_RETURN_IF_ERROR(fold::Decode(bytes, &entry_row));
      entry.Clear();
      renderer.AddEntry(row.customer(), place, entry_row, &entry);
      AppendField(kTimelineTag, entry, &wire);
    }
    rendered->entries.push_back({std::string(place), wire.size()});
    return OkStatus();
  };
  if (entries > 0) {
    HILO_ASSIGN_OR_RETURN(
        rendered->next,
        customer::VisitTimeline(*view, customer, {BirthMember(customer)}, entries, visit));
  } else {
    // Whether there are any was not looked at.
    rendered->next = "unknown";
  }
  rendered->stored = *std::move(stored);
  rendered->catalogue = std::move(catalogue);
  rendered->from = now;
  rendered->until_micros = took.until_micros;
  rendered->subjects = std::move(took.subjects);
  rendered->context = keys::OpenedBytes(wire);
  *all_opened = took.all_opened;
  return Rendered(std::move(rendered));
}

}  // namespace hilo::serving
