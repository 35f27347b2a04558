#include "tools/hosa/doctor.h"

#include "tools/hosa/json.h"
#include "tools/hosa/verbs.h"

namespace hosa {
namespace {

using Page = FixedString<64 * 1024>;

// What hosa cannot do anywhere yet, so that nobody expects it.
constexpr const char* kCannot[] = {
    "block io and network are sensed and named, but nobody is held in them",
    "one system call that fills memory (MAP_POPULATE, fallocate, a huge write to tmpfs) is not stopped halfway",
    "PID 1, sessions, sshd, container runtimes and whom the configuration protects are never held",
};

void column(Page& page, std::string_view text, std::size_t width) {
  page.append(text);
  for (std::size_t i = text.size(); i < width; ++i) page.append(" ");
}

// One line: name, unit and sign, rung; then, only if it is not the best, why, what it costs and what would improve it.
void show(Page& page, const Diagnosis& d) {
  page.append("  ");
  column(page, d.name.view(), 28);
  if (!d.unit.empty()) column(page, FixedString<40>(d.unit.view()).append(d.sign > 0 ? " (+)" : " (-)").view(), 13);
  page.append(d.rung.empty() ? "absent" : d.rung.view());
  if (!d.why.empty()) page.append(" | why: ").append(d.why.view());
  if (!d.costs.empty()) page.append(" | costs: ").append(d.costs.view());
  if (!d.improve.empty()) page.append(" | better: ").append(d.improve.view());
  page.append("\n");
}

std::size_t used(const Diagnoses& all) {
  std::size_t count = 0;
  for (const Diagnosis& d : all) count += d.rung.empty() ? 0 : 1;
  return count;
}

void show_page(const Facts& facts, const Diagnoses& senses, const Diagnoses& means) {
  static Page page;
  page.append("machine\n");
  for (const Fact& fact : facts) {
    page.append("  ");
    column(page, fact.name.view(), 28);
    page.append(fact.value.view()).append("\n");
  }
  page.append("senses: ").append_unsigned(used(senses)).append(" of ").append_unsigned(senses.size());
  page.append(" (name, unit and load sign, rung in use)\n");
  for (const Diagnosis& d : senses) show(page, d);
  page.append("means of holding\n");
  for (const Diagnosis& d : means) show(page, d);
  page.append("what hosa does not do\n");
  for (const char* line : kCannot) page.append("  ").append(line).append("\n");
  say(page.view());
}

void write_rows(JsonLine& line, const char* key, const Diagnoses& all) {
  line.open(key, '[');
  for (const Diagnosis& d : all) {
    line.open("", '{').text("name", d.name.view());
    if (d.sign != 0) line.text("unit", d.unit.view()).integer("sign", d.sign).text("resource", d.resource);
    line.text("rung", d.rung.empty() ? "absent" : d.rung.view()).text("chain", d.chain.view());
    line.text("why_not_better", d.why.view()).text("costs", d.costs.view()).text("improve", d.improve.view());
    line.close('}');
  }
  line.close(']');
}

void show_json(const Facts& facts, const Surroundings& s, const Diagnoses& senses, const Diagnoses& means,
               const RungReport& rungs) {
  JsonLine line;
  line.open("machine", '{');
  for (const Fact& fact : facts) line.text(fact.name.view(), fact.value.view());
  line.integer("page_bytes", static_cast<int64_t>(s.machine.page_bytes));
  line.integer("online_cpus", s.machine.online_cpus).flag("memory_controller", s.memory.available);
  line.flag("cpu_controller", s.cpu.available).flag("psi", s.no_psi.empty()).flag("btf", s.btf);
  line.flag("tracefs", s.no_tracefs.empty()).flag("root", s.root).close('}');
  write_rows(line, "senses", senses);
  write_rows(line, "means", means);
  line.open("rungs", '[');
  for (const Rung& rung : rungs)
    line.open("", '{')
        .text("sensor", rung.sensor.view())
        .text("rung", rung.rung.view())
        .text("why_not_better", rung.why_not_better.view())
        .close('}');
  line.close(']');
  say(line.finish());
}

// The documentation of the state vector, from the table that senses: a line each, in Markdown.
int show_table() {
  static Page page;
  page.append("| dimension | resource | unit | load | what it is | sources, best first |\n|---|---|---|---|---|---|\n");
  for (const DimensionRow& row : dimension_table()) {
    const detect::Dimension& d = row.dimension;
    page.append("| ").append(d.name).append(" | ").append(detect::resource_name(d.resource)).append(" | ");
    page.append(d.unit).append(d.sign > 0 ? " | + | " : " | - | ").append(row.means).append(" | ");
    for (const DimensionSource& source : row.chain) {
      if (source.name == nullptr) break;
      page.append(&source == row.chain ? "" : " -> ").append(source.name);
      if (*source.loses != 0) page.append(" (").append(source.loses).append(")");
    }
    page.append(" |\n");
  }
  say(page.view());
  return kExitOk;
}

// Of the resources that every machine has: nothing at all is sensed.
bool is_blind(const Diagnoses& senses) {
  for (const char* resource : {"cpu", "tasks", "memory"}) {
    bool any = false;
    for (const Diagnosis& d : senses) any = any || (std::string_view(d.resource) == resource && !d.rung.empty());
    if (!any) return true;
  }
  return false;
}

// Without the keeper nobody may be held at all (doctor_means.cpp).
bool is_helpless(const Diagnoses& means) {
  for (const Diagnosis& d : means)
    if (d.rung == "nobody is held") return true;
  return false;
}

alignas(Senses) unsigned char senses_storage[sizeof(Senses)];

}  // namespace

int doctor_verb(const Options& given) {
  if (given.table) return show_table();
  auto proc = open_directory(AT_FDCWD, "/proc");
  if (!proc) return fail(proc.error(), kExitPrerequisite);
  auto sys_directory = open_directory(AT_FDCWD, "/sys");
  const Fd sys = sys_directory ? std::move(*sys_directory) : Fd();
  const Surroundings s = read_surroundings(*proc, sys, given.without);
  Options options = given;
  options.warmup_s = 0;
  static RungReport rungs;
  auto* const senses = new (senses_storage) Senses;
  senses->open(*proc, sys, s.machine, options, rungs);
  static Diagnoses of_senses, of_means;
  static Facts facts;
  describe_machine(s, senses->topology(), facts);
  diagnose_senses(*senses, rungs, s, of_senses);
  diagnose_means(senses->kernel(), s, of_means);
  if (given.json)
    show_json(facts, s, of_senses, of_means, rungs);
  else
    show_page(facts, of_senses, of_means);
  return is_blind(of_senses) || is_helpless(of_means) ? kExitPrerequisite : kExitOk;
}

}  // namespace hosa
