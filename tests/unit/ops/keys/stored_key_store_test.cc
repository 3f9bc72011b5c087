#include "ops/keys/stored_key_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "ops/base/metric_names.h"
#include "ops/keys/master_key.h"
#include "ops/keys/sealer.h"
#include "tests/testing/temporary_directory.h"
#include "tests/unit/ops/keys/key_fixtures.h"

namespace hilo::keys {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class StoredKeyStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(CreateMasterKey(folder_.Sub("master")).ok()); }

  StoredKeyStoreOptions Options() {
    return {.directory = folder_.Sub("keys"), .master_key_file = folder_.Sub("master")};
  }
  void Open() { Open(Options()); }
  void Open(const StoredKeyStoreOptions& options) {
    store_.reset();
    auto opened = OpenStoredKeyStore(options, clock_, registry_);
    ASSERT_TRUE(opened.ok()) << Describe(opened.status());
    store_ = *std::move(opened);
  }
  std::string OpenReason() {
    return Reason(OpenStoredKeyStore(Options(), clock_, registry_).status());
  }

  // Works on the files as RocksDB sees them while the store is closed.
  void WithFiles(const std::function<void(rocksdb::DB&)>& work) {
    store_.reset();
    rocksdb::DB* db = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open({}, folder_.Sub("keys"), &db).ok());
    work(*db);
    delete db;
  }
  // The wrapped key of a subject, as it lies in the files.
  std::string WrappedOf(SubjectId subject) {
    std::string value;
    WithFiles(
        [&](rocksdb::DB& db) { db.Get({}, std::string("s").append(subject.Bytes()), &value); });
    return value.substr(3);
  }
  // Whether any file holds the wrapped key. A log may break it in two where its blocks end, so
  // either half counts.
  bool FilesHold(const std::string& wrapped) {
    EXPECT_EQ(wrapped.size(), kWrappedSize);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.Sub("keys"))) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), {}};
      const size_t half = wrapped.size() / 2;
      if (bytes.find(wrapped.substr(0, half)) != std::string::npos) return true;
      if (bytes.find(wrapped.substr(half)) != std::string::npos) return true;
    }
    return false;
  }
  void Ensure(uint64_t from, uint64_t to) {
    std::vector<SubjectId> subjects;
    for (uint64_t i = from; i < to; ++i) subjects.push_back(Subject(i));
    ASSERT_TRUE(store_->EnsureKeys(subjects).ok());
  }
  uint64_t Misses() { return registry_.Get(metric::kKeysCacheMisses).Value(); }

  hilo::testing::TemporaryDirectory folder_;
  ManualClock clock_{WallTime{}};
  Registry registry_;
  std::unique_ptr<KeyStore> store_;
};

TEST_F(StoredKeyStoreTest, KeepsKeysOverARestart) {
  Open();
  const Secret secret = store_->EnsureKey(Subject(1))->secret;
  const HashKey identifier = *store_->IdentifierKey();
  ASSERT_TRUE(store_->EnsureKey(Subject(2)).ok());
  ASSERT_TRUE(store_->DestroyKey(Subject(2)).ok());
  Open();
  EXPECT_TRUE(store_->FindKey(Subject(1))->secret == secret);
  EXPECT_EQ(store_->IdentifierKey()->bytes, identifier.bytes);
  EXPECT_EQ(Reason(store_->FindKey(Subject(2)).status()), "key_destroyed");
}

TEST_F(StoredKeyStoreTest, HasWhatItHandedOutInItsFilesWithoutBeingClosed) {
  Open();
  const Secret secret = store_->EnsureKey(Subject(1))->secret;
  // What a crash at this moment leaves behind.
  std::filesystem::copy(folder_.Sub("keys"), folder_.Sub("crashed"));
  StoredKeyStoreOptions options = Options();
  options.directory = folder_.Sub("crashed");
  Open(options);
  EXPECT_TRUE(store_->FindKey(Subject(1))->secret == secret);
}

TEST_F(StoredKeyStoreTest, LeavesNoByteOfADestroyedKeyInAnyFile) {
  Open();
  Ensure(0, 2000);
  const std::string wrapped =
      WrappedOf(Subject(7));  // closes the store: the keys now lie in files of a level
  const std::string neighbour = WrappedOf(Subject(8));
  Open();
  Ensure(2000, 3000);
  ASSERT_TRUE(FilesHold(wrapped));
  ASSERT_TRUE(store_->DestroyKey(Subject(7)).ok());
  EXPECT_FALSE(FilesHold(wrapped));
  EXPECT_TRUE(FilesHold(neighbour));
  EXPECT_TRUE(store_->FindKey(Subject(8)).ok());
}

TEST_F(StoredKeyStoreTest, LeavesNoByteOfAKeyThatWasOnlyInTheWriteAheadLog) {
  Open();
  // The wrapped bytes of a fresh key are not known before the store is closed, so a copy of the
  // open files tells.
  ASSERT_TRUE(store_->EnsureKey(Subject(7)).ok());
  std::filesystem::copy(folder_.Sub("keys"), folder_.Sub("copy"));
  rocksdb::DB* db = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open({}, folder_.Sub("copy"), &db).ok());
  std::string value;
  ASSERT_TRUE(db->Get({}, std::string("s").append(Subject(7).Bytes()), &value).ok());
  delete db;
  ASSERT_TRUE(FilesHold(value.substr(3)));
  ASSERT_TRUE(store_->DestroyKey(Subject(7)).ok());
  EXPECT_FALSE(FilesHold(value.substr(3)));
}

TEST_F(StoredKeyStoreTest, LeavesNoByteOfAKeyInTheLastLevel) {
  Open();
  Ensure(0, 2000);
  std::string wrapped;
  WithFiles([&](rocksdb::DB& db) {
    std::string value;
    ASSERT_TRUE(db.CompactRange({}, nullptr, nullptr).ok());
    ASSERT_TRUE(db.Get({}, std::string("s").append(Subject(7).Bytes()), &value).ok());
    wrapped = value.substr(3);
  });
  Open();
  ASSERT_TRUE(FilesHold(wrapped));
  ASSERT_TRUE(store_->DestroyKeys(std::vector{Subject(7), Subject(8)}).ok());
  EXPECT_FALSE(FilesHold(wrapped));
}

TEST_F(StoredKeyStoreTest, LeavesNoByteEachTimeWhileOthersWrite) {
  Open();
  std::jthread other([&](std::stop_token stop) {
    for (uint64_t i = 1000000; !stop.stop_requested(); ++i) (void)store_->EnsureKey(Subject(i));
  });
  int checked = 0;
  for (int round = 0; checked < 10 && round < 500; ++round) {
    const SubjectId subject = Subject(static_cast<uint64_t>(round));
    const std::string marker = std::string("s").append(subject.Bytes());
    ASSERT_TRUE(store_->EnsureKey(subject).ok());
    // The log holds the row's key, three bytes of head and their lengths, and then the wrapped key.
    std::string wrapped;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.Sub("keys"))) {
      if (entry.path().extension() != ".log") continue;
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), {}};
      if (const size_t at = bytes.find(marker);
          at != std::string::npos && bytes.size() > at + 128) {
        wrapped = bytes.substr(at + marker.size() + 1 + 3, kWrappedSize);
      }
    }
    if (wrapped.empty()) continue;  // a flush, or the end of a block, came between
    ++checked;
    ASSERT_TRUE(FilesHold(wrapped));
    ASSERT_TRUE(store_->DestroyKey(subject).ok());
    EXPECT_FALSE(FilesHold(wrapped)) << "round " << round;
  }
  EXPECT_EQ(checked, 10);
}

TEST_F(StoredKeyStoreTest, FinishesADestructionThatACrashCutShort) {
  Open();
  Ensure(0, 100);
  const std::string wrapped = WrappedOf(Subject(7));
  WithFiles([&](rocksdb::DB& db) {
    ASSERT_TRUE(db.Flush({}).ok());
    // What DestroyKeys writes before it rewrites files.
    ASSERT_TRUE(
        db.Put({}, std::string("s").append(Subject(7).Bytes()), std::string("\x01\x01\x00", 3))
            .ok());
    ASSERT_TRUE(db.Put({}, std::string("d").append(Subject(7).Bytes()), "").ok());
  });
  ASSERT_TRUE(FilesHold(wrapped));
  Open();
  EXPECT_FALSE(FilesHold(wrapped));
  EXPECT_EQ(Reason(store_->FindKey(Subject(7)).status()), "key_destroyed");
  WithFiles([&](rocksdb::DB& db) {
    std::string value;
    EXPECT_TRUE(db.Get({}, std::string("d").append(Subject(7).Bytes()), &value).IsNotFound());
  });
}

TEST_F(StoredKeyStoreTest, HoldsNoKeyUnwrapped) {
  Open();
  const Secret secret = store_->EnsureKey(Subject(1))->secret;
  const HashKey identifier = *store_->IdentifierKey();
  store_.reset();
  for (const auto& entry : std::filesystem::directory_iterator(folder_.Sub("keys"))) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(bytes.find(std::string(secret.data(), secret.data() + Secret::kSize)),
              std::string::npos);
    EXPECT_EQ(bytes.find(std::string(identifier.bytes.begin(), identifier.bytes.end())),
              std::string::npos);
  }
}

TEST_F(StoredKeyStoreTest, NoticesAKeyThatWasMovedOrChanged) {
  Open();
  Ensure(1, 4);
  WithFiles([&](rocksdb::DB& db) {
    std::string value;
    ASSERT_TRUE(db.Get({}, std::string("s").append(Subject(1).Bytes()), &value).ok());
    ASSERT_TRUE(db.Put({}, std::string("s").append(Subject(2).Bytes()), value).ok());
    value[40] ^= 1;
    ASSERT_TRUE(db.Put({}, std::string("s").append(Subject(1).Bytes()), value).ok());
  });
  Open();
  EXPECT_EQ(Reason(store_->FindKey(Subject(1)).status()), "key_malformed");
  EXPECT_EQ(Reason(store_->FindKey(Subject(2)).status()), "key_malformed");
  // A damaged key is no reason for the others of a batch to fail, and can be destroyed.
  EXPECT_EQ(Reason(store_->EnsureKeys(std::vector{Subject(1)})), "key_malformed");
  EXPECT_TRUE(store_->EnsureKey(Subject(9)).ok());
  EXPECT_TRUE(store_->DestroyKey(Subject(1)).ok());
  EXPECT_EQ(store_->EnsureKey(Subject(1))->generation, 2);
}

TEST_F(StoredKeyStoreTest, RefusesAnotherMasterKey) {
  Open();
  store_.reset();
  std::filesystem::remove(folder_.Sub("master"));
  ASSERT_TRUE(CreateMasterKey(folder_.Sub("master")).ok());
  EXPECT_EQ(OpenReason(), "master_key_mismatch");
}

TEST_F(StoredKeyStoreTest, IsOpenedByOneAtATime) {
  Open();
  EXPECT_EQ(OpenReason(), "key_store_broken");
}

TEST_F(StoredKeyStoreTest, MakesItsFolderForItsOwnerAlone) {
  Open();
  struct stat about {};
  ASSERT_EQ(stat(folder_.Sub("keys").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0700u);
}

TEST_F(StoredKeyStoreTest, ReadsAKeyFromItsFilesOnce) {
  Open();
  Ensure(1, 2);
  const uint64_t before = Misses();
  ASSERT_TRUE(store_->FindKey(Subject(1)).ok());
  EXPECT_EQ(Misses(), before);
  Open();
  ASSERT_TRUE(store_->FindKey(Subject(1)).ok());
  ASSERT_TRUE(store_->FindKey(Subject(1)).ok());
  EXPECT_EQ(Misses(), before + 1);
}

TEST_F(StoredKeyStoreTest, ForgetsOpenedKeysAfterTheirAge) {
  Open();
  Ensure(1, 2);
  const uint64_t before = Misses();
  clock_.Advance(std::chrono::seconds(299));
  Ensure(2, 3);
  ASSERT_TRUE(store_->FindKey(Subject(1)).ok());
  EXPECT_EQ(Misses(), before + 1);  // the look for subject 2 alone
  clock_.Advance(std::chrono::seconds(1));
  ASSERT_TRUE(store_->FindKey(Subject(2)).ok());
  EXPECT_EQ(registry_.Get(metric::kKeysCached).Value(), 1);
  ASSERT_TRUE(store_->FindKey(Subject(1)).ok());
  EXPECT_EQ(Misses(), before + 2);
}

TEST_F(StoredKeyStoreTest, HoldsNoMoreOpenedKeysThanItsLimit) {
  StoredKeyStoreOptions options = Options();
  options.cached_keys = 3;
  Open(options);
  Ensure(0, 5);
  EXPECT_EQ(registry_.Get(metric::kKeysCached).Value(), 3);
  const uint64_t before = Misses();
  for (uint64_t i = 2; i < 5; ++i) ASSERT_TRUE(store_->FindKey(Subject(i)).ok());
  EXPECT_EQ(Misses(), before);
  for (uint64_t i = 0; i < 5; ++i) ASSERT_TRUE(store_->FindKey(Subject(i)).ok());
  EXPECT_EQ(registry_.Get(metric::kKeysCached).Value(), 3);
  ASSERT_TRUE(store_->DestroyKey(Subject(4)).ok());
  Ensure(5, 9);
  EXPECT_EQ(registry_.Get(metric::kKeysCached).Value(), 3);
}

TEST_F(StoredKeyStoreTest, CountsKeysMadeAndDestroyed) {
  Open();
  Ensure(0, 5);
  Ensure(0, 6);
  ASSERT_TRUE(store_->DestroyKeys(std::vector{Subject(1), Subject(2), Subject(77)}).ok());
  EXPECT_EQ(registry_.Get(metric::kKeysCreated).Value(), 6u);
  EXPECT_EQ(registry_.Get(metric::kKeysDestroyed).Value(), 2u);
}

TEST(MasterKey, IsMadeOnceForItsOwnerAlone) {
  hilo::testing::TemporaryDirectory folder;
  const std::string path = folder.Sub("master");
  ASSERT_TRUE(CreateMasterKey(path).ok());
  struct stat about {};
  ASSERT_EQ(stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777, 0400u);
  const StatusOr<Secret> key = ReadMasterKey(path);
  ASSERT_TRUE(key.ok());
  EXPECT_FALSE(*key == Secret());
  EXPECT_EQ(Reason(CreateMasterKey(path)), "secret_exists");
  EXPECT_TRUE(*ReadMasterKey(path) == *key);
}

TEST(MasterKey, IsRefusedWhenOthersMayUseIt) {
  hilo::testing::TemporaryDirectory folder;
  const std::string path = folder.Sub("master");
  ASSERT_TRUE(CreateMasterKey(path).ok());
  for (mode_t mode : {0440, 0404, 0410, 0420, 0402, 0644}) {
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
    const Status status = ReadMasterKey(path).status();
    EXPECT_EQ(Reason(status), "secret_readable") << std::oct << mode;
    EXPECT_THAT(Describe(status), HasSubstr(path));
  }
  ASSERT_EQ(chmod(path.c_str(), 0600), 0);
  EXPECT_TRUE(ReadMasterKey(path).ok());
}

TEST(MasterKey, IsRefusedWhenItIsMissingOrNoKey) {
  hilo::testing::TemporaryDirectory folder;
  EXPECT_EQ(Reason(ReadMasterKey(folder.Sub("none")).status()), "secret_missing");
  for (size_t size : {0u, 31u, 33u}) {
    const std::string path = folder.Sub("master" + std::to_string(size));
    std::ofstream(path) << std::string(size, 's');
    ASSERT_EQ(chmod(path.c_str(), 0400), 0);
    const Status status = ReadMasterKey(path).status();
    EXPECT_EQ(Reason(status), "secret_malformed") << size;
    EXPECT_THAT(Describe(status), Not(HasSubstr("sss")));
  }
  ASSERT_EQ(mkdir(folder.Sub("folder").c_str(), 0700), 0);
  EXPECT_EQ(Reason(ReadMasterKey(folder.Sub("folder")).status()), "secret_malformed");
  ASSERT_EQ(mkfifo(folder.Sub("pipe").c_str(), 0400), 0);
  EXPECT_EQ(Reason(ReadMasterKey(folder.Sub("pipe")).status()), "secret_malformed");
}

}  // namespace
}  // namespace hilo::keys
