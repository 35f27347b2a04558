#include "tools/hosa/baseline_file.h"

#include <cstring>

#include "detect/arithmetic.h"

namespace hosa {
namespace {

constexpr char kMagic[8] = {'h', 'o', 's', 'a', 'b', 'a', 's', 'e'};
constexpr std::size_t kHeaderBytes = 72 + 15 * 8, kSummedFrom = 24, kNameBytes = 48,
                      kDimensionBytes = kNameBytes + 8 + 8 * 8;
constexpr double kMostSeconds = 1e9;  // 30 years of learning

uint64_t sum_of(const unsigned char* bytes, std::size_t count) {
  uint64_t sum = 0xcbf29ce484222325;
  for (std::size_t i = 0; i < count; ++i) sum = (sum ^ bytes[i]) * 0x100000001b3;
  return sum;
}

std::size_t file_bytes(std::size_t n, std::size_t sizes) {
  return kHeaderBytes + n * kDimensionBytes + n * (n + 1) / 2 * 8 + sizes * 24;
}

static_assert(sizeof(detect::TailEvidence) == 15 * 8);  // it is written as it lies

// Puts value after value into memory that was checked to hold them all.
struct Writer {
  unsigned char* at;
  template <class T>
  void put(T value) {
    std::memcpy(at, &value, sizeof value);
    at += sizeof value;
  }
};

// Takes value after value; behind the end everything is 0 (the length was checked before).
struct Reader {
  Bytes file;
  std::size_t at = 0;
  template <class T>
  T take() {
    const auto value = file.read<T>(at);
    at += sizeof(T);
    return value ? *value : T{};
  }
};

bool between(double value, double least, double most) {
  return detect::is_finite(value) && value >= least && value <= most;
}

Error wrong(const char* what, std::size_t index) {
  return make_error(0, what, FixedString<24>().append_unsigned(index).view());
}

Result<void> take_name(Reader& reader, FixedString<47>& name, std::size_t index) {
  const auto text = reader.file.part(reader.at, kNameBytes);
  reader.at += kNameBytes;
  std::size_t length = 0;
  while (text && length < kNameBytes && text->data()[length] != 0) ++length;
  if (!text || length == 0 || length == kNameBytes)
    return wrong("a name has 1 to 47 characters, unlike dimension", index);
  for (std::size_t i = 0; i < kNameBytes; ++i) {
    const unsigned char c = text->data()[i];
    const bool fits = i < length ? c > 0x20 && c < 0x7f && c != ',' : c == 0;
    if (!fits) return wrong("a name is printable and padded with zeros, unlike that of dimension", index);
  }
  name = std::string_view(reinterpret_cast<const char*>(text->data()), length);
  return {};
}

Result<void> take_dimension(Reader& reader, SavedBaseline& out, std::size_t j) {
  SavedDimension dimension;
  if (const auto named = take_name(reader, dimension.name, j); !named) return named;
  for (const SavedDimension& other : out.dimensions)
    if (other.name == dimension.name) return wrong("a name stands once, unlike that of dimension", j);
  const auto kind = reader.take<uint8_t>();
  dimension.sign = reader.take<int8_t>();
  const auto cumulative = reader.take<uint8_t>();
  bool zeros = true;
  for (int i = 0; i < 5; ++i) zeros = reader.take<uint8_t>() == 0 && zeros;
  if (kind > static_cast<uint8_t>(detect::Kind::number)) return wrong("a kind is 0 to 4, unlike that of dimension", j);
  if (dimension.sign < -1 || dimension.sign > 1 || cumulative > 1 || !zeros)
    return wrong("a sign is -1 to 1 and a flag 0 or 1, unlike those of dimension", j);
  dimension.kind = static_cast<detect::Kind>(kind);
  dimension.cumulative = cumulative == 1;
  dimension.scale = reader.take<double>();
  dimension.floor = reader.take<double>();
  out.learned.scale.median[j] = static_cast<float>(reader.take<double>());
  out.learned.scale.spread[j] = static_cast<float>(reader.take<double>());
  out.learned.mean[j] = reader.take<double>();
  out.learned.tail[j] = reader.take<double>();
  out.learned.reach[j] = reader.take<double>();
  out.learned.finest[j] = reader.take<double>();
  if (!between(dimension.scale, 1e-12, 1e15) || !between(dimension.floor, 1e-12, 1e6))
    return wrong("scale and floor are above 0, unlike those of dimension", j);
  if (!between(static_cast<double>(out.learned.scale.median[j]), -1e6, 1e6) ||
      !between(static_cast<double>(out.learned.scale.spread[j]), 1e-12, 1e6) ||
      !between(out.learned.mean[j], -1e6, 1e6) || !between(out.learned.tail[j], 0, 1e6) ||
      !between(out.learned.reach[j], 0, 1e6) || !between(out.learned.finest[j], 0, 1e6))
    return wrong("median, spread, mean, tail, reach and finest are no numbers of a normal: dimension", j);
  out.dimensions.push_back(dimension);
  return {};
}

// |c_ij| <= sqrt(c_ii c_jj) of a covariance; a little more for the rounding of what was merged.
Result<void> take_covariance(Reader& reader, SavedBaseline& out) {
  detect::Triangle<double>& c = out.learned.covariance;
  for (std::size_t i = 0; i < out.learned.n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) c[i][j] = reader.take<double>();
    if (!between(c[i][i], 0, 1e12)) return wrong("a variance is 0 to 1e12, unlike that of dimension", i);
  }
  for (std::size_t i = 0; i < out.learned.n; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double most = 1.001 * detect::square_root(c[i][i] * c[j][j]) + 1e-9;
      if (!between(c[i][j], -most, most)) return wrong("a covariance exceeds its variances in row", i);
    }
  }
  return {};
}

Result<void> take_sizes(Reader& reader, SavedBaseline& out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    KnownSize size;
    size.key = reader.take<uint64_t>();
    size.bytes = reader.take<double>();
    size.seen_s = reader.take<uint64_t>();
    if (!between(size.bytes, KnownSizes::kLeastBytes, 1e15)) return wrong("8 MB to 1 PB is a known size, unlike", i);
    out.sizes.push_back(size);
  }
  return {};
}

}  // namespace

std::size_t encode_baseline(const SavedBaseline& baseline, std::span<unsigned char> out) {
  const std::size_t n = baseline.learned.n, bytes = file_bytes(n, baseline.sizes.size());
  if (bytes > out.size() || n != baseline.dimensions.size()) return 0;
  std::memset(out.data(), 0, bytes);
  std::memcpy(out.data(), kMagic, sizeof kMagic);
  Writer writer{out.data() + sizeof kMagic};
  writer.put(SavedBaseline::kVersion);
  writer.put(static_cast<uint32_t>(bytes));
  writer.put(uint64_t{0});
  writer.put(baseline.written_s);
  writer.put(baseline.board.cpus);
  writer.put(baseline.board.page_bytes);
  writer.put(baseline.board.ram_bytes);
  writer.put(static_cast<uint32_t>(n));
  writer.put(static_cast<uint32_t>(baseline.sizes.size()));
  writer.put(baseline.learned.learned_seconds);
  writer.put(baseline.learned.effective_samples);
  writer.put(baseline.learned.evidence);
  for (std::size_t j = 0; j < n; ++j) {
    const SavedDimension& dimension = baseline.dimensions[j];
    std::memcpy(writer.at, dimension.name.c_str(), dimension.name.size());
    writer.at += kNameBytes;
    writer.put(static_cast<uint8_t>(dimension.kind));
    writer.put(static_cast<int8_t>(dimension.sign));
    writer.put(static_cast<uint8_t>(dimension.cumulative));
    writer.at += 5;
    for (const double value : {dimension.scale, dimension.floor, static_cast<double>(baseline.learned.scale.median[j]),
                               static_cast<double>(baseline.learned.scale.spread[j]), baseline.learned.mean[j],
                               baseline.learned.tail[j], baseline.learned.reach[j], baseline.learned.finest[j]})
      writer.put(value);
  }
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j <= i; ++j) writer.put(baseline.learned.covariance[i][j]);
  for (const KnownSize& size : baseline.sizes) {
    writer.put(size.key);
    writer.put(size.bytes);
    writer.put(size.seen_s);
  }
  const uint64_t sum = sum_of(out.data() + kSummedFrom, bytes - kSummedFrom);
  std::memcpy(out.data() + 16, &sum, sizeof sum);
  return bytes;
}

Result<void> decode_baseline(Bytes file, SavedBaseline& out) {
  out.dimensions.clear();
  out.sizes.clear();
  if (file.size() < kHeaderBytes || std::memcmp(file.data(), kMagic, sizeof kMagic) != 0)
    return make_error(0, "it is no baseline of hosa");
  Reader reader{file, sizeof kMagic};
  const auto version = reader.take<uint32_t>();
  const auto bytes = reader.take<uint32_t>();
  const auto sum = reader.take<uint64_t>();
  if (version != SavedBaseline::kVersion) return wrong("this hosa reads version 3, not", version);
  if (bytes != file.size()) return wrong("it was cut or grew: by its header its bytes are", bytes);
  if (sum != sum_of(file.data() + kSummedFrom, file.size() - kSummedFrom))
    return make_error(0, "its checksum is not that of its content");
  out.written_s = reader.take<uint64_t>();
  out.board.cpus = reader.take<uint32_t>();
  out.board.page_bytes = reader.take<uint32_t>();
  out.board.ram_bytes = reader.take<double>();
  const auto n = reader.take<uint32_t>(), sizes = reader.take<uint32_t>();
  if (n < 1 || n > detect::kMaxDimensions) return wrong("1 to 64 dimensions can be read, not", n);
  if (sizes > kKnownSizes) return wrong("at most 256 known sizes can be read, not", sizes);
  if (bytes != file_bytes(n, sizes)) return wrong("its length does not fit its dimensions and sizes, bytes", bytes);
  out.learned = detect::Baseline{};
  out.learned.n = n;
  out.learned.learned_seconds = reader.take<double>();
  out.learned.effective_samples = reader.take<double>();
  if (!between(out.learned.learned_seconds, 1e-3, kMostSeconds) || !between(out.learned.effective_samples, 1, 1e12))
    return make_error(0, "it says that it has learned for no time, or for ever");
  out.learned.evidence = reader.take<detect::TailEvidence>();
  if (!detect::PeaksOverThreshold{}.resume(out.learned.evidence))
    return make_error(0, "the tail of its scores is none");
  for (std::size_t j = 0; j < n; ++j)
    if (const auto taken = take_dimension(reader, out, j); !taken) return taken;
  if (const auto taken = take_covariance(reader, out); !taken) return taken;
  return take_sizes(reader, out, sizes);
}

Result<void> same_board(const BoardIdentity& saved, const BoardIdentity& now) {
  const double ratio = now.ram_bytes > 0 ? saved.ram_bytes / now.ram_bytes : 0;
  if (saved.cpus == now.cpus && saved.page_bytes == now.page_bytes && ratio > 0.95 && ratio < 1.05) return {};
  FixedString<120> text;
  for (const BoardIdentity* board : {&saved, &now}) {
    text.append_unsigned(board->cpus).append(" CPUs, ");
    const double mb = board->ram_bytes / 1048576;
    text.append_unsigned(mb > 0 && mb < 1e12 ? static_cast<uint64_t>(mb) : 0).append(" MB, pages of ");
    text.append_unsigned(board->page_bytes).append(board == &saved ? "; this one has " : " bytes");
  }
  return make_error(0, "it was learned on another machine:", text.view());
}

SavedDimension describe_dimension(const detect::Dimension& dimension) {
  return {dimension.name, dimension.kind, dimension.sign, dimension.cumulative, dimension.scale, dimension.floor};
}

std::size_t place_dimensions(const SavedBaseline& saved, std::span<const detect::Dimension> now,
                             detect::Places& place) {
  std::size_t fresh = 0;
  for (std::size_t j = 0; j < now.size(); ++j) {
    const SavedDimension mine = describe_dimension(now[j]);
    place[j] = -1;
    for (std::size_t i = 0; i < saved.dimensions.size() && place[j] < 0; ++i) {
      const SavedDimension& its = saved.dimensions[i];
      const bool same = its.name == mine.name && its.kind == mine.kind && its.sign == mine.sign &&
                        its.cumulative == mine.cumulative && its.scale == mine.scale;
      if (same) place[j] = static_cast<int>(i);
    }
    if (place[j] < 0) ++fresh;
  }
  return fresh;
}

}  // namespace hosa
