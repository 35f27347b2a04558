#include "tools/hosa/boot_remedy.h"

#include <unistd.h>

#include "loader/sys/text.h"

namespace hosa {
namespace {

// The word of the running kernel's command line with this key ("psi="); empty: none.
std::string_view word_with(const Surroundings& s, std::string_view key) {
  std::string_view rest = s.boot_words.view();
  while (!rest.empty()) {
    const std::string_view word = take_word(rest);
    if (word.starts_with(key)) return word;
    if (word.empty()) break;
  }
  return {};
}

bool there(const char* root, const char* path) {
  return ::access(FixedString<300>(root).append(path).c_str(), F_OK) == 0;
}

}  // namespace

// The first that is there. Debian has update-grub, Fedora and its like grubby, which writes every boot entry by itself;
// U-Boot's boards have a file of their own.
BootLine find_boot_line(const char* root) {
  for (const char* file : {"/boot/firmware/cmdline.txt", "/boot/cmdline.txt"})
    if (there(root, file)) return {file, ": at the end of its one line", ""};
  if (there(root, "/boot/armbianEnv.txt")) return {"/boot/armbianEnv.txt", ": in extraargs=", ""};
  if (there(root, "/boot/extlinux/extlinux.conf")) return {"/boot/extlinux/extlinux.conf", ": in the line append", ""};
  if (!there(root, "/etc/default/grub")) return {};
  if (there(root, "/usr/sbin/update-grub")) return {"/etc/default/grub", ": in GRUB_CMDLINE_LINUX", "update-grub"};
  if (there(root, "/usr/sbin/grubby")) return {"/etc/default/grub", ": in GRUB_CMDLINE_LINUX", "grubby"};
  return {"/etc/default/grub", ": in GRUB_CMDLINE_LINUX", "grub-mkconfig -o /boot/grub/grub.cfg"};
}

FixedString<200> boot_argument(const Surroundings& s, std::string_view argument) {
  FixedString<200> line;
  const std::size_t equals = argument.find('=');
  const std::string_view key = slice(argument, 0, equals + 1);
  const std::string_view old = key == "psi=" || key == "lockdown=" ? word_with(s, key) : std::string_view();
  if (s.boot_line.then == std::string_view("grubby")) {
    line.append("sudo grubby --update-kernel=ALL");
    if (!old.empty()) line.append(" --remove-args=").append(old);
    return line.append(" --args=").append(argument).append("   (then restart)");
  }
  line.append(old.empty() ? "add " : "change ").append(old).append(old.empty() ? "" : " to ").append(argument);
  line.append(old.empty() ? " to the kernel command line" : " on the kernel command line");
  if (*s.boot_line.file == 0) return line.append("; restart");
  line.append(", ").append(s.boot_line.file).append(s.boot_line.where);
  if (*s.boot_line.then != 0) line.append("; ").append(s.boot_line.then);
  return line.append("; restart");
}

FixedString<200> lockdown_remedy(const Surroundings& s) {
  if (!word_with(s, "lockdown=").empty()) return boot_argument(s, "lockdown=integrity");
  return "a kernel without CONFIG_LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY, or nobody who writes to "
         "/sys/kernel/security/lockdown";
}

FixedString<200> psi_remedy(const Surroundings& s) {
  if (s.no_psi.view().starts_with("--without")) return "leave out --without";
  if (!s.psi_built_in) return "a kernel built with CONFIG_PSI=y";
  return boot_argument(s, "psi=1");
}

}  // namespace hosa
