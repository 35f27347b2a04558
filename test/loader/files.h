// Fixture files as bytes, and the one machine question the live tests ask.
#pragma once
#include <dirent.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "loader/bytes.h"

inline std::vector<unsigned char> fixture(const std::string& name) {
  std::ifstream file("test/fixtures/loader/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline std::string fixture_text(const std::string& name) {
  const auto bytes = fixture(name);
  return {bytes.begin(), bytes.end()};
}

inline hosa::Bytes bytes_of(const std::vector<unsigned char>& data) {
  return {data.data(), data.size()};
}

inline int open_descriptors() {
  int count = 0;
  DIR* const directory = ::opendir("/proc/self/fd");
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

inline bool may_use_bpf() {
  return ::geteuid() == 0;
}
