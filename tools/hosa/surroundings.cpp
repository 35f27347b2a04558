#include "tools/hosa/surroundings.h"

#include <sys/utsname.h>
#include <unistd.h>

#include "loader/sys/text.h"
#include "loader/tracefs.h"
#include "proprioception/directory.h"
#include "proprioception/kernel_text.h"
#include "tools/hosa/boot_remedy.h"
#include "tools/hosa/options.h"

namespace hosa {
namespace {

uint64_t effective_capabilities(const Fd& proc) {
  char buffer[8192];
  const auto text = read_text(proc, "self/status", buffer);
  if (!text) return 0;
  std::string_view rest = *text;
  while (!rest.empty()) {
    std::string_view line = take_line(rest);
    if (take_word(line) == "CapEff:") return to_number(take_word(line), 16).value_or(0);
  }
  return 0;
}

// "none [integrity] confidentiality"
FixedString<32> parse_lockdown(std::string_view text) {
  take_until(text, '[');
  return take_until(text, ']');
}

// Where securityfs is not mounted (no systemd), it is asked without mounting it for anybody else.
FixedString<32> read_lockdown(const Fd& sys) {
  char buffer[128];
  if (const auto text = read_word(sys, "kernel/security/lockdown", buffer)) return parse_lockdown(*text);
  const auto security = mount_privately("securityfs");
  if (!security) return {};
  const auto text = read_word(*security, "lockdown", buffer);
  return text ? parse_lockdown(*text) : FixedString<32>();
}

// A file that is there may still refuse to be read: 5.10 with psi=0 answers EOPNOTSUPP.
FixedString<200> why_no_psi(const Fd& proc, bool without) {
  if (without) return "--without psi";
  auto file = open_file(proc.get(), "pressure/memory");
  if (!file) return file.error().text().view();
  char buffer[256];
  const auto text = read_at_start(file->get(), buffer);
  return text ? FixedString<200>() : FixedString<200>(text.error().text().view());
}

bool has_freezer(const Fd& root) {
  if (!root) return false;
  DirectoryReader children(root.get());
  while (const auto child = children.next()) {
    if (child->type != 4 /* DT_DIR */) continue;
    FixedString<300> path(child->name);
    path.append("/cgroup.freeze");
    return ::faccessat(root.get(), path.c_str(), F_OK, 0) == 0;
  }
  return true;  // nobody to ask; the room's own file will tell
}

// psi=1 helps where the kernel has it at all (4.20+): one of its functions is among its symbols then. Kernels without
// /proc/kallsyms are believed to have it. 25-75 ms, a second or two on a 125 MIPS board.
bool has_psi_code(const Fd& proc) {
  const auto table = open_file(proc.get(), "kallsyms");
  if (!table) return true;
  LineReader lines(table->get());
  while (const auto line = lines.next()) {
    std::string_view rest = *line;
    take_word(rest), take_word(rest);  // address and kind
    if (take_word(rest) == "psi_task_change") return true;
  }
  return false;
}

}  // namespace

Controller parse_controller(std::string_view proc_cgroups, std::string_view v2_controllers, std::string_view name,
                            std::string_view v1_name) {
  Controller controller;
  while (!proc_cgroups.empty()) {
    std::string_view line = take_line(proc_cgroups);
    if (take_word(line) != (v1_name.empty() ? name : v1_name)) continue;
    const auto hierarchy = to_number(take_word(line));
    take_word(line);  // number of cgroups
    controller.built_in = true;
    controller.on_v1 = hierarchy.value_or(0) != 0;
    controller.disabled = to_number(take_word(line)) == uint64_t{0};
  }
  controller.available = has_word(v2_controllers, name);
  if (controller.available) controller.on_v1 = false;  // there the number is that of the v2 hierarchy
  return controller;
}

Surroundings read_surroundings(const Fd& proc, const Fd& sys, const ForcedRungs& without) {
  Surroundings s;
  utsname name{};
  if (::uname(&name) == 0) s.architecture = static_cast<const char*>(name.machine);
  s.root = ::geteuid() == 0;
  s.capabilities = effective_capabilities(proc);
  s.lockdown = read_lockdown(sys);
  s.btf = open_file(sys.get(), "kernel/btf/vmlinux").has_value() && !without.btf;
  if (without.tracefs)
    s.no_tracefs = "--without tracefs";
  else if (const auto tracefs = open_tracefs("/proc"); !tracefs)
    s.no_tracefs = tracefs.error().text().view();
  s.no_psi = why_no_psi(proc, without.psi);
  if (without.cgroup)
    s.cgroup.reason = "--without cgroup";
  else
    s.cgroup = open_cgroup_home(proc, s.root);
  char cgroups[4096], controllers[512];
  const auto lines = read_text(proc, "cgroups", cgroups);
  const auto available = read_word(s.cgroup.directory, "cgroup.controllers", controllers);
  const auto controller = [&](std::string_view which, std::string_view v1_name = {}) {
    return parse_controller(lines.value_or(std::string_view()), available.value_or(std::string_view()), which, v1_name);
  };
  s.memory = controller("memory");
  if (without.memcg) s.memory.available = false;
  s.cpu = controller("cpu");
  s.pids = controller("pids");
  s.io = controller("io", "blkio");
  s.freezer = has_freezer(s.cgroup.directory);
  char words[2048];
  s.boot_words = read_word(proc, "cmdline", words).value_or(std::string_view());
  if (!s.no_psi.empty() && !without.psi) s.psi_built_in = has_psi_code(proc);
  s.boot_line = find_boot_line();
  s.machine = read_machine(proc, sys, s.cgroup.directory);
  return s;
}

}  // namespace hosa
