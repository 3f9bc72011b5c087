#include "connectors/serving/render.h"

#include <gtest/gtest.h>

#include <string>

#include "hilo/store/v1/records.pb.h"
#include "ops/base/metrics.h"
#include "ops/keys/memory_key_store.h"

namespace hilo::serving {
namespace {

TEST(Renderer, ShowsWhatStandsOpenAndSealedOnce) {
  keys::MemoryKeyStore keys;
  Registry registry;
  const keys::Sealer sealer(keys, registry);
  const SubjectId subject = *SubjectId::FromBytes("0123456789abcdef");
  ASSERT_TRUE(keys.EnsureKey(subject).ok());

  store::v1::EventBody body;
  body.set_type("call.answered");
  body.mutable_call()->set_agent("marta");
  auto* open = body.add_open();
  open->set_name("size");
  open->set_value("42");
  body.set_sealed_properties(
      *sealer.Seal(subject, "properties", R"({"agent":"marta","size":43,"from":"+34600111222"})"));
  store::v1::Event event;
  body.SerializeToString(event.mutable_body());
  store::v1::TimelineRow row;
  event.SerializeToString(row.mutable_event());

  const Renderer renderer(sealer, catalogue::Catalogue::BuiltIn(), LogTime{});
  const v1::TimelineEntry entry = renderer.Entry("0123456789abcdef", std::string(32, 'p'), row);
  std::string shown;
  for (const v1::Property& property : entry.properties())
    shown += property.property() + "=" + property.value() + ";";
  // Of two that differ both are shown.
  EXPECT_EQ(shown, "agent=marta;size=42;size=43;from=+34600111222;");
}

}  // namespace
}  // namespace hilo::serving
