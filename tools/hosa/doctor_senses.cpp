// Each sense and the rung it stands on, for `hosa doctor`.
#include "tools/hosa/boot_remedy.h"
#include "tools/hosa/doctor.h"

namespace hosa {
namespace {

const Rung* find_rung(const RungReport& rungs, std::string_view sensor) {
  for (const Rung& rung : rungs)
    if (rung.sensor == sensor) return &rung;
  return nullptr;
}

// The row of the probes' own report that a source stands and falls with.
const char* sensor_of(Need need) {
  switch (need) {
    case Need::memory_probe: return "memory";
    case Need::wakeup_probe: return "wakeups";
    case Need::fault_probe: return "page faults";
    case Need::brk_probe: return "brk";
    case Need::block_probe: return "block io";
    case Need::fork_probe: return "forks";
    default: return "";
  }
}

FixedString<200> probe_remedy(const Surroundings& s, std::string_view why) {
  if (why.starts_with("--without")) return "leave out --without";
  const bool permitted = s.may(kCapSysAdmin) || (s.may(kCapBpf) && s.may(kCapPerfmon));
  if (!permitted)
    return s.root ? "grant this service or container CAP_BPF and CAP_PERFMON (before 5.8: CAP_SYS_ADMIN)"
                  : "sudo hosa doctor   (or give the service CAP_BPF and CAP_PERFMON)";
  if (s.lockdown == "confidentiality") return lockdown_remedy(s);
  if (why.find("ENOSYS") != std::string_view::npos) return "a kernel built with CONFIG_BPF_SYSCALL=y";
  return "";
}

void explain(const DimensionSource& source, const RungReport& rungs, const Surroundings& s, Diagnosis& d) {
  switch (source.need) {
    case Need::file: d.why = "the kernel does not show it in this file"; break;
    case Need::psi:
      d.why = s.no_psi.view();
      d.improve = psi_remedy(s);
      break;
    case Need::swap: d.why = "no swap"; break;
    case Need::board: d.why = "the board has no such sensor, or no driver for it"; break;
    case Need::several: d.why = "only one"; break;
    default: {
      const Rung* const rung = find_rung(rungs, sensor_of(source.need));
      d.why = rung != nullptr ? rung->why_not_better.view() : std::string_view("absent");
      d.improve = probe_remedy(s, d.why.view());
    }
  }
}

Diagnosis diagnose(const DimensionRow& row, const Readings& readings, const RungReport& rungs, const Surroundings& s) {
  Diagnosis d;
  d.name = row.dimension.name;
  d.unit = row.dimension.unit;
  d.sign = row.dimension.sign;
  d.resource = detect::resource_name(row.dimension.resource);
  bool explained = false;
  for (const DimensionSource& source : row.chain) {
    if (source.name == nullptr) break;
    d.chain.append(d.chain.empty() ? "" : " -> ").append(source.name);
    if (!d.rung.empty()) continue;
    if (source.exists(readings)) {
      d.rung = source.name;
      if (explained) d.costs = source.loses;
    } else if (!explained) {
      explain(source, rungs, s, d);
      explained = true;
    }
  }
  d.chain.append(" -> absent");
  if (d.rung.empty() && row.chain[0].need != Need::several) d.costs = "not sensed";
  return d;
}

}  // namespace

void diagnose_senses(const Senses& senses, const RungReport& rungs, const Surroundings& s, Diagnoses& out) {
  for (const DimensionRow& row : dimension_table()) {
    const Diagnosis d = diagnose(row, senses.readings(), rungs, s);
    if (d.rung.empty() && row.chain[0].need == Need::several) continue;  // the machine's facts say so
    out.push_back(d);
  }
}

}  // namespace hosa
