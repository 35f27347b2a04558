// What every verb says and complains with.
#include <unistd.h>

#include "tools/hosa/verbs.h"

namespace hosa {

void say(std::string_view text) {
  (void)!::write(STDOUT_FILENO, text.data(), text.size());
}
void complain(std::string_view text) {
  (void)!::write(STDERR_FILENO, text.data(), text.size());
}

int fail(const Error& error, int code) {
  FixedString<300> line("hosa: ");
  line.append(error.text().view()).append("\n");
  complain(line.view());
  return code;
}

}  // namespace hosa
