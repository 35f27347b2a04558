// hosa-load [-v] [--json] [--type N] [--btf DIRECTORY] OBJ...: loads every program of each object alone, prints one
// JSON line per object, keeps nothing. --type: BPF_PROG_TYPE_* (a number) of programs whose section tells nothing.
// --btf: where the kernel's types are ("vmlinux" and a file for each module) instead of /sys/kernel/btf; "none" for a
// kernel without. Exit codes: 0 all loaded, 1 something did not, 2 usage.
#include <fcntl.h>

#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "tools/hosa_load/load_object.h"

namespace {

constexpr uint32_t kMostTypes = 255;  // Linux 6.18 has 33

// Options anywhere among the words; objects are moved to the front. The number of objects, -1 when a word is wrong.
int read_words(int count, char** words, hosa::LoadOptions& options) {
  int objects = 0;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "-v") {
      options.verbose = true;
    } else if (word == "--type") {
      const auto type = i + 1 < count ? hosa::to_number<uint32_t>(words[++i]) : std::nullopt;
      if (!type || *type == 0 || *type > kMostTypes) return -1;
      options.type = *type;
    } else if (word == "--btf") {
      if (++i == count) return -1;
      options.btf = words[i];
    } else if (word != "--json") {
      if (word.size() > 1 && word[0] == '-') return -1;
      words[objects++] = words[i];
    }
  }
  return objects;
}

}  // namespace

int main(int count, char** words) {
  hosa::Output out(1), errors(2);
  hosa::LoadOptions options;
  const int objects = read_words(count, words, options);
  if (objects <= 0) {
    errors.text("usage: hosa-load [-v] [--json] [--type 1-255] [--btf DIRECTORY|none] OBJ...\n");
    return 2;
  }
  hosa::raise_memlock_limit();
  const auto types = hosa::open_directory(AT_FDCWD, options.btf);
  hosa::KernelTypes kernel(types ? types->get() : -1);
  bool good = true;
  for (int i = 0; i < objects; ++i) good = hosa::load_object(words[i], kernel, options, out, errors) && good;
  return good ? 0 : 1;
}
