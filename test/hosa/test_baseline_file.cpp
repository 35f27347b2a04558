#include <memory>
#include <string>
#include <vector>

#include "test/catch.h"
#include "tools/hosa/baseline_file.h"
#include "tools/hosa/dimension_table.h"

using namespace hosa;

namespace {

std::unique_ptr<SavedBaseline> learned(std::size_t n = 40) {
  auto saved = std::make_unique<SavedBaseline>();
  saved->written_s = 1'790'000'000;
  saved->board = {4, 4096, 8e9};
  detect::Baseline& b = saved->learned;
  b.n = n;
  b.learned_seconds = 4000;
  b.effective_samples = 11999;
  b.evidence = {7200, 60, 1.5, 0.4, 72001, {1, 3, 4, 5, 9}, {1, 3600, 68401, 70000, 72001}};
  for (std::size_t j = 0; j < n; ++j) {
    saved->dimensions.push_back(describe_dimension(dimension_table()[j].dimension));
    b.scale.median[j] = 0.1 * static_cast<double>(j);
    b.scale.spread[j] = 0.05;
    b.mean[j] = -0.2;
    b.tail[j] = 1.5;
    for (std::size_t i = 0; i < j; ++i) b.covariance[j][i] = 0.3;
    b.covariance[j][j] = 1;
  }
  for (std::size_t i = 0; i < 3; ++i) saved->sizes.push_back({i + 1, 1e8, 1'790'000'000});
  return saved;
}

std::vector<unsigned char> encoded(const SavedBaseline& saved) {
  std::vector<unsigned char> bytes(64 * 1024);
  bytes.resize(encode_baseline(saved, bytes));
  return bytes;
}

std::string refusal(const std::vector<unsigned char>& bytes) {
  static SavedBaseline out;
  const auto decoded = decode_baseline(Bytes(bytes.data(), bytes.size()), out);
  return decoded ? "" : std::string(decoded.error().text().view());
}

// Bytes changed on purpose, with a checksum that fits: what somebody who knows the format would send.
std::vector<unsigned char> forged(std::vector<unsigned char> bytes, std::size_t at, auto value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
  uint64_t sum = 0xcbf29ce484222325;
  for (std::size_t i = 24; i < bytes.size(); ++i) sum = (sum ^ bytes[i]) * 0x100000001b3;
  std::memcpy(bytes.data() + 16, &sum, sizeof sum);
  return bytes;
}

constexpr std::size_t kDimensions = 192, kDimension = 120;
}  // namespace

TEST_CASE("a baseline that was written is read back number for number") {
  const auto saved = learned();
  const auto bytes = encoded(*saved);
  static SavedBaseline back;
  REQUIRE(decode_baseline(Bytes(bytes.data(), bytes.size()), back));
  CHECK(back.written_s == saved->written_s);
  CHECK(back.board.ram_bytes == saved->board.ram_bytes);
  REQUIRE(back.dimensions.size() == 40);
  CHECK(back.dimensions[7].name == saved->dimensions[7].name);
  CHECK(back.learned.scale.median == saved->learned.scale.median);
  CHECK(back.learned.covariance == saved->learned.covariance);
  CHECK(back.learned.tail == saved->learned.tail);
  CHECK(back.learned.evidence.excursions == 60);
  CHECK(back.learned.evidence.heights == saved->learned.evidence.heights);
  CHECK(back.sizes[2].key == 3);
  CHECK(encoded(back) == bytes);
}

TEST_CASE("the largest baseline there can be has room where it is kept") {
  auto saved = learned(dimension_table().size());
  saved->sizes.clear();
  for (std::size_t i = 0; i < kKnownSizes; ++i) saved->sizes.push_back({i, 1e8, 1});
  const auto bytes = encoded(*saved);
  CHECK(bytes.size() > 0);
  const std::size_t most = bytes.size() + (64 - saved->learned.n) * kDimension +
                           (64 * 65 - saved->learned.n * (saved->learned.n + 1)) / 2 * 8;
  CHECK(most <= 32 * 1024);
}

TEST_CASE("every cut and every changed byte of a baseline is refused with its reason") {
  const auto bytes = encoded(*learned(5));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK(refusal({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}) != "");
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto changed = bytes;
    changed[at] ^= 0x10;
    CHECK(refusal(changed) != "");
  }
  CHECK(refusal({}) == "it is no baseline of hosa");
  auto longer = bytes;
  longer.push_back(0);
  CHECK(refusal(longer).find("it was cut or grew") == 0);
}

TEST_CASE("a field out of its range is refused although the checksum fits") {
  const auto good = encoded(*learned(5));
  CHECK(refusal(forged(good, 24, uint64_t{5})) == "");
  CHECK(refusal(forged(good, 8, uint32_t{1})) == "this hosa reads version 3, not 1");
  CHECK(refusal(forged(good, 48, uint32_t{0})).find("1 to 64 dimensions") == 0);
  CHECK(refusal(forged(good, 48, uint32_t{4'000'000'000})).find("1 to 64 dimensions") == 0);
  CHECK(refusal(forged(good, 48, uint32_t{6})).find("its length does not fit") == 0);
  CHECK(refusal(forged(good, 52, uint32_t{257})).find("at most 256 known sizes") == 0);
  CHECK(refusal(forged(good, 56, -1.0)).find("it says that it has learned") == 0);
  CHECK(refusal(forged(good, 64, __builtin_nan(""))).find("it says that it has learned") == 0);
  CHECK(refusal(forged(good, 72 + 4 * 8, 100.0)).find("the tail of its scores") == 0);
  CHECK(refusal(forged(good, kDimensions + 104, -1.0)).find("median, spread, mean") == 0);
  CHECK(refusal(forged(good, kDimensions + 96, -1.0)).find("median, spread, mean, tail, reach and finest") == 0);
  CHECK(refusal(forged(good, kDimensions, '\n')).find("a name is printable") == 0);
  CHECK(refusal(forged(good, kDimensions, '\0')).find("a name has 1 to 47") == 0);
  CHECK(refusal(forged(good, kDimensions + 48, uint8_t{9})).find("a kind is 0 to 4") == 0);
  CHECK(refusal(forged(good, kDimensions + 49, int8_t{5})).find("a sign is") == 0);
  CHECK(refusal(forged(good, kDimensions + 56, 0.0)).find("scale and floor") == 0);
  CHECK(refusal(forged(good, kDimensions + 80, 0.0)).find("median, spread, mean, tail, reach and finest") == 0);
  CHECK(refusal(forged(good, kDimensions + 88, __builtin_inf())).find("median, spread, mean, tail, reach and finest") ==
        0);
  const std::size_t covariance = kDimensions + 5 * kDimension;
  CHECK(refusal(forged(good, covariance, -1.0)).find("a variance is") == 0);
  CHECK(refusal(forged(good, covariance + 8, 5.0)).find("a covariance exceeds") == 0);
  CHECK(refusal(forged(good, covariance + 15 * 8 + 8, -5.0)).find("8 MB to 1 PB") == 0);
  auto twice = good;
  std::copy_n(good.begin() + kDimensions, 48, twice.begin() + kDimensions + kDimension);
  CHECK(refusal(forged(twice, 24, uint64_t{5})).find("a name stands once") == 0);
}

TEST_CASE("a baseline of another board is refused and says which") {
  const BoardIdentity here{4, 4096, 8e9};
  CHECK(same_board({4, 4096, 7.9e9}, here));
  CHECK_FALSE(same_board({2, 4096, 8e9}, here));
  CHECK_FALSE(same_board({4, 16384, 8e9}, here));
  CHECK_FALSE(same_board({4, 4096, 0}, here));
  CHECK_FALSE(same_board({4, 4096, __builtin_nan("")}, here));
  CHECK(same_board({2, 4096, 4e9}, here).error().text().view() ==
        "it was learned on another machine: 2 CPUs, 3814 MB, pages of 4096; this one has 4 CPUs, 7629 MB, pages of "
        "4096 bytes");
}

TEST_CASE("dimensions are found by name and by how they are measured") {
  const auto saved = learned(5);
  detect::Dimension now[6];
  for (std::size_t j = 0; j < 6; ++j) now[j] = dimension_table()[5 - j].dimension;
  detect::Places place;
  CHECK(place_dimensions(*saved, now, place) == 1);
  CHECK(place[0] == -1);
  CHECK(place[5] == 0);
  now[5].scale = 7;
  CHECK(place_dimensions(*saved, now, place) == 2);
}
