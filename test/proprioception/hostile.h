// What the parsers' tests share: fixture roots, texts from fixture files, and deterministic damage to them.
#pragma once
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "loader/sys/file.h"

inline hosa::Fd fixture(const std::string& path) {
  auto fd = hosa::open_directory(AT_FDCWD, ("test/fixtures/proprioception/" + path).c_str());
  return fd ? std::move(*fd) : hosa::Fd();
}

inline std::string fixture_text(const std::string& path) {
  std::ifstream in("test/fixtures/proprioception/" + path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// Calls parse with the text cut at every length, with bytes flipped, and with hostile words in place of its own. Each
// text lies in a block of memory of exactly its size, so that the address sanitizer sees one byte too many.
template <class Parse>
void damage(const std::string& text, Parse parse, unsigned rounds = 3000) {
  const char* const words[] = {"-1",
                               "18446744073709551615",
                               "18446744073709551616",
                               "99999999999999999999999",
                               "0x10",
                               "",
                               " ",
                               "\n",
                               ":",
                               "max",
                               "\\777",
                               "\\",
                               "->",
                               ")",
                               "(",
                               "\xff\xfe",
                               "1.5"};
  uint64_t state = 20261121;
  const auto random = [&state](std::size_t below) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::size_t>((state >> 33) % (below == 0 ? 1 : below));
  };
  const auto run = [&](const std::string& damaged) {
    const std::vector<char> exact(damaged.begin(), damaged.end());
    parse(std::string_view(exact.data(), exact.size()));
  };
  const std::size_t step = text.size() / 600 + 1;
  for (std::size_t size = 0; size <= text.size(); size += step) run(text.substr(0, size));
  for (unsigned i = 0; i < rounds; ++i) {
    std::string damaged = text;
    for (std::size_t hits = 1 + random(4); hits > 0 && !damaged.empty(); --hits) {
      const std::size_t at = random(damaged.size());
      if (random(2) == 0)
        damaged[at] = static_cast<char>(random(256));
      else
        damaged.replace(at, random(12), words[random(sizeof words / sizeof *words)]);
    }
    run(damaged);
  }
}
