// hosa-load [-v] [--json] OBJ...: loads every program of each object alone, prints one JSON line per object, keeps
// nothing. Exit codes: 0 all loaded, 1 something did not, 2 usage.
#include <fcntl.h>

#include "loader/sys/file.h"
#include "tools/hosa_load/load_object.h"

int main(int count, char** words) {
  hosa::Output out(1), errors(2);
  hosa::LoadOptions options;
  int objects = 0;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "-v")
      options.verbose = true;
    else if (word != "--json" && word.size() > 1 && word[0] == '-')
      objects = -count;
    else if (word != "--json")
      ++objects;
  }
  if (objects <= 0) {
    errors.text("usage: hosa-load [-v] [--json] OBJ...\n");
    return 2;
  }
  hosa::raise_memlock_limit();
  const auto types = hosa::open_directory(AT_FDCWD, "/sys/kernel/btf");
  hosa::KernelTypes kernel(types ? types->get() : -1);
  bool good = true;
  for (int i = 1; i < count; ++i)
    if (words[i][0] != '-') good = hosa::load_object(words[i], kernel, options, out, errors) && good;
  return good ? 0 : 1;
}
