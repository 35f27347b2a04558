#include "loader/inflate.h"

#include "loader/list.h"

namespace hosa {
namespace {

constexpr std::size_t kWindow = 32768;  // how far back a copy may reach (RFC 1951, 2)
constexpr uint32_t kMostBits = 15;      // of a code
constexpr uint32_t kEndOfBlock = 256;

// Codes of a block: how many there are of each length, and what they stand for, shortest first (RFC 1951, 3.2.2).
struct Codes {
  uint16_t count[kMostBits + 1] = {};
  uint16_t symbols[288] = {};

  void build(const uint8_t* lengths, uint32_t size) {
    for (uint16_t& number : count) number = 0;
    for (uint32_t i = 0; i < size; ++i) ++count[lengths[i]];
    count[0] = 0;
    uint16_t next[kMostBits + 2] = {};
    for (uint32_t bits = 1; bits <= kMostBits; ++bits) next[bits + 1] = static_cast<uint16_t>(next[bits] + count[bits]);
    for (uint32_t i = 0; i < size; ++i)
      if (lengths[i] != 0) symbols[next[lengths[i]]++] = static_cast<uint16_t>(i);
  }
};

struct Extra {
  uint16_t base;
  uint8_t bits;
};
constexpr Extra kLengths[29] = {{3, 0},   {4, 0},   {5, 0},   {6, 0},   {7, 0},  {8, 0},  {9, 0},  {10, 0},
                                {11, 1},  {13, 1},  {15, 1},  {17, 1},  {19, 2}, {23, 2}, {27, 2}, {31, 2},
                                {35, 3},  {43, 3},  {51, 3},  {59, 3},  {67, 4}, {83, 4}, {99, 4}, {115, 4},
                                {131, 5}, {163, 5}, {195, 5}, {227, 5}, {258, 0}};
constexpr Extra kDistances[30] = {{1, 0},     {2, 0},     {3, 0},     {4, 0},      {5, 1},      {7, 1},
                                  {9, 2},     {13, 2},    {17, 3},    {25, 3},     {33, 4},     {49, 4},
                                  {65, 5},    {97, 5},    {129, 6},   {193, 6},    {257, 7},    {385, 7},
                                  {513, 8},   {769, 8},   {1025, 9},  {1537, 9},   {2049, 10},  {3073, 10},
                                  {4097, 11}, {6145, 11}, {8193, 12}, {12289, 12}, {16385, 13}, {24577, 13}};

class Inflating {
 public:
  Inflating(Bytes input, TakePiece take, void* context) : input_(input), take_(take), context_(context) {}

  bool run() {
    if (!window_.reserve(kWindow)) return false;
    for (bool last = false; !last && !broken_;) {
      last = bits(1) != 0;
      const uint32_t kind = bits(2);
      if (kind == 0)
        stored();
      else if (kind == 1)
        fixed();
      else if (kind == 2)
        described();
      else
        broken_ = true;
    }
    flush();
    return !broken_;
  }

 private:
  uint32_t bits(uint32_t wanted) {
    while (held_ < wanted) {
      if (at_ >= input_.size()) {
        broken_ = true;
        return 0;
      }
      hold_ |= static_cast<uint32_t>(input_.data()[at_++]) << held_;
      held_ += 8;
    }
    const uint32_t value = hold_ & ((1U << wanted) - 1);
    hold_ >>= wanted;
    held_ -= wanted;
    return value;
  }

  uint32_t symbol(const Codes& codes) {
    int code = 0, first = 0, index = 0;
    for (uint32_t length = 1; length <= kMostBits && !broken_; ++length) {
      code |= static_cast<int>(bits(1));
      const int count = codes.count[length];
      if (code - count < first) return codes.symbols[index + (code - first)];
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    broken_ = true;
    return kEndOfBlock;
  }

  void put(unsigned char byte) {
    window_.data()[filled_++] = byte;
    ++written_;
    if (filled_ == kWindow) flush();
  }
  void flush() {
    if (filled_ > 0) take_(context_, Bytes(window_.data(), filled_));
    filled_ = 0;
  }

  void stored() {
    hold_ = held_ = 0;
    const auto size = input_.read<uint16_t>(at_);
    if (!size || !input_.holds(at_ + 4, *size)) {
      broken_ = true;
      return;
    }
    at_ += 4;
    for (uint32_t i = 0; i < *size; ++i) put(input_.data()[at_++]);
  }

  void fixed() {
    uint8_t lengths[288 + 30];
    for (uint32_t i = 0; i < 288; ++i) lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    for (uint32_t i = 288; i < 288 + 30; ++i) lengths[i] = 5;
    literals_.build(lengths, 288);
    distances_.build(lengths + 288, 30);
    decode();
  }

  void described() {
    static constexpr uint8_t kOrder[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    const uint32_t literals = bits(5) + 257, distances = bits(5) + 1, given = bits(4) + 4;
    uint8_t lengths[288 + 32] = {};
    for (uint32_t i = 0; i < given; ++i) lengths[kOrder[i]] = static_cast<uint8_t>(bits(3));
    literals_.build(lengths, 19);
    for (uint8_t& length : lengths) length = 0;
    for (uint32_t i = 0; i < literals + distances && !broken_;) {
      const uint32_t code = symbol(literals_);
      if (code < 16) {
        lengths[i++] = static_cast<uint8_t>(code);
        continue;
      }
      const uint8_t value = code == 16 && i > 0 ? lengths[i - 1] : 0;
      uint32_t times = code == 16 ? 3 + bits(2) : code == 17 ? 3 + bits(3) : 11 + bits(7);
      if (i + times > literals + distances || (code == 16 && i == 0)) broken_ = true;
      while (!broken_ && times-- > 0) lengths[i++] = value;
    }
    if (broken_ || literals > 286 || distances > 30) {
      broken_ = true;
      return;
    }
    literals_.build(lengths, literals);
    distances_.build(lengths + literals, distances);
    decode();
  }

  void decode() {
    while (!broken_) {
      const uint32_t code = symbol(literals_);
      if (code == kEndOfBlock) return;
      if (code < kEndOfBlock) {
        put(static_cast<unsigned char>(code));
        continue;
      }
      if (code - 257 >= 29) break;
      uint32_t length = kLengths[code - 257].base + bits(kLengths[code - 257].bits);
      const uint32_t far = symbol(distances_);
      if (far >= 30) break;
      const uint32_t distance = kDistances[far].base + bits(kDistances[far].bits);
      if (distance > written_) break;
      while (length-- > 0) put(window_.data()[(filled_ + kWindow - distance) % kWindow]);
    }
    broken_ = true;
  }

  Bytes input_;
  TakePiece take_;
  void* context_;
  uint64_t at_ = 0;
  uint32_t hold_ = 0, held_ = 0;
  bool broken_ = false;
  List<unsigned char> window_;
  std::size_t filled_ = 0;
  uint64_t written_ = 0;
  Codes literals_, distances_;
};

}  // namespace

Result<void> inflate_gzip(Bytes file, TakePiece take, void* context) {
  constexpr uint8_t kChecked = 2, kMore = 4, kName = 8, kComment = 16;
  const auto magic = file.read<uint16_t>(0);
  const auto flags = file.read<uint8_t>(3);
  if (!magic || *magic != 0x8b1f || !flags) return make_error(0, "not a gzip file");
  uint64_t at = 10;
  if ((*flags & kMore) != 0) at += 2 + uint64_t{file.read<uint16_t>(at).value_or(0)};
  for (const uint8_t text : {kName, kComment}) {
    if ((*flags & text) == 0) continue;
    const auto words = file.text(at);
    if (!words) return make_error(0, "gzip file is cut off");
    at += words->size() + 1;
  }
  if ((*flags & kChecked) != 0) at += 2;
  const auto body = file.part(at, file.size() < at ? 0 : file.size() - at);
  if (!body) return make_error(0, "gzip file is cut off");
  Inflating inflating(*body, take, context);
  if (!inflating.run()) return make_error(0, "gzip file is broken");
  return {};
}

}  // namespace hosa
