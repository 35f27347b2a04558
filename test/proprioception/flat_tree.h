// A fixture tree in one file: a line "path<TAB>content" each, {0-3,8} in the path stands for each of these numbers,
// lines of the same path follow one another in it. Unpacked below the temporary directory, gone with the object.
#pragma once
#include <filesystem>
#include <fstream>
#include <string>

#include "loader/sys/cpu_list.h"

class FlatTree {
 public:
  explicit FlatTree(const std::string& fixture) {
    char name[] = "/tmp/hosa-tree.XXXXXX";
    root_ = ::mkdtemp(name);
    std::ifstream in("test/fixtures/topology/" + fixture);
    for (std::string line; std::getline(in, line);) {
      const std::size_t tab = line.find('\t');
      if (line.empty() || line[0] == '#' || tab == std::string::npos) continue;
      write_all(line.substr(0, tab), line.substr(tab + 1));
      ++files_;
    }
  }
  ~FlatTree() { std::filesystem::remove_all(root_); }
  FlatTree(const FlatTree&) = delete;
  FlatTree& operator=(const FlatTree&) = delete;

  hosa::Fd open() const { return std::move(*hosa::open_directory(AT_FDCWD, root_.c_str())); }
  std::size_t files() const { return files_; }
  void write(const std::string& path, const std::string& content) const {
    const std::filesystem::path whole = std::filesystem::path(root_) / path;
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(whole, std::ios::app) << content << "\n";
  }
  void replace(const std::string& path, const std::string& content) const {
    std::filesystem::remove(std::filesystem::path(root_) / path);
    write(path, content);
  }

 private:
  void write_all(const std::string& path, const std::string& content) {
    const std::size_t open = path.find('{'), close = path.find('}');
    if (open == std::string::npos) return write(path, content);
    hosa::for_each_range(path.substr(open + 1, close - open - 1), [&](uint32_t first, uint32_t last) {
      for (uint32_t n = first; n <= last; ++n)
        write(path.substr(0, open) + std::to_string(n) + path.substr(close + 1), content);
    });
  }
  std::string root_;
  std::size_t files_ = 0;
};
