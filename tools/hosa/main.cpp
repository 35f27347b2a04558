// hosa: keeps one Linux machine alive. This file is the table of contents: verbs, help, version.
#include "tools/hosa/verbs.h"

#ifndef HOSA_VERSION
#define HOSA_VERSION "0.1.0"
#endif

namespace hosa {
namespace {

struct Verb {
  const char* name;
  int (*handler)(const Options&);
  const char* help;
};

constexpr Verb kVerbs[] = {
    {"run", run_verb, "watch this machine and hold back what would bring it down (foreground)"},
    {"demo", demo_verb, "a leak and a spinner of its own, seen, held and released before your eyes (<= 40 s)"},
    {"selftest", selftest_verb, "each sense and means tried on processes of its own, one line each (--quick: 10 s)"},
    {"doctor", doctor_verb, "each sense and each means of holding: the rung it stands on, and what would improve it"},
    {"sense", sense_verb, "the state vector now, what is normal, and who carries it (--once, --for TIME)"},
    {"status", status_verb, "what the running agent sees and holds, and whom it protects"},
    {"why", why_verb, "the reason for the last decision in three sentences (of the running agent, or --audit FILE)"},
    {"release", release_verb, "give everything back (--all), with or without a running agent"},
    {"pause", pause_verb, "decide and log, but change nothing until `resume`"},
    {"resume", resume_verb, "act again"},
    {"record", record_verb, "what is sensed here, ten times a second, to FILE and FILE.schema (--for, --step, --size)"},
    {"replay", replay_verb,
     "a recording (CSV, .gz) through the detector that ships: one verdict per row, without root"},
};

constexpr const char* kOptionsHelp =
    "\noptions\n"
    "  --shadow             decide, log and count everything, change nothing\n"
    "  --only PATTERN       touch nothing outside: /cgroup/path, pid:N (its tree), or part of a path or command line\n"
    "  --warmup TIME        learn this long before the score may act (default 5m); the horizon acts from the start\n"
    "  --duration TIME      end by itself after this time\n"
    "  --room SIZE          play as if only so much memory were left (demo, trials)\n"
    "  --audit FILE         where the decisions are written, one JSON line each (default /var/log/hosa/audit.jsonl)\n"
    "  --state DIR          journal and control socket (default /run/hosa)\n"
    "  --baseline FILE      what was learned is kept there over restarts (default /var/lib/hosa/baseline; none: "
    "nowhere)\n"
    "  --config FILE        instead of /etc/hosa/hosa.toml and hosa.toml.d\n"
    "  --unprivileged       run without root, as far as that goes (with --only)\n"
    "  --without WORDS      force lower rungs: bpf,btf,tracefs,cgroup,memcg,psi\n"
    "  --schema FILE        replay: name,kind,scale,sign,floor of the columns; without, all are plain numbers\n"
    "  --warmup train       replay: learn on the rows whose column phase or split says train\n"
    "  --step TIME          replay: hand over a row every TIME; without a schema, the time one row stands for; record: "
    "a row every TIME\n"
    "  --step TIME          record, sense --csv: a row every TIME (default 100ms)\n"
    "  --size SIZE          record: end at so long a file (default 64M)\n"
    "  --strict             replay: end at the first malformed row instead of naming and skipping it\n"
    "  --json               machine-readable output (status, doctor, sense, release)\n"
    "  --once, --for TIME   one look; looks for so long (sense)\n"
    "  --top                sense: only who carries what\n"
    "  --csv                sense: the rows of a recording, ten a second, until interrupted (--step, --for)\n"
    "  --table              the state vector as a documentation table (doctor)\n"
    "\nexit codes: 0 ok, 1 run time, 2 usage, 3 configuration, 4 prerequisite (run needs root)\n";

int help(bool wanted) {
  FixedString<4096> text("usage: hosa VERB [options]\n\n");
  for (const Verb& verb : kVerbs) {
    FixedString<24> name(verb.name);
    while (name.size() < 10) name.append(" ");
    text.append("  ").append(name.view()).append(verb.help).append("\n");
  }
  text.append(kOptionsHelp);
  if (wanted)
    say(text.view());
  else
    complain(text.view());
  return wanted ? kExitOk : kExitUsage;
}

}  // namespace

int dispatch(std::span<char* const> argv) {
  const std::string_view word = argv.size() > 1 ? std::string_view(argv[1]) : std::string_view{};
  if (word == "-h" || word == "--help" || word == "help") return help(true);
  if (word == "--version") {
    say("hosa " HOSA_VERSION "\n");
    return kExitOk;
  }
  for (const Verb& verb : kVerbs) {
    if (word != verb.name) continue;
    for (const char* argument : argv.last(argv.size() - 2)) {
      if (std::string_view(argument) == "-h" || std::string_view(argument) == "--help") return help(true);
    }
    const auto options = parse_options(argv);
    return options ? verb.handler(*options) : fail(options.error(), kExitUsage);
  }
  if (word.empty()) return help(false);
  return fail(make_error(0, "unknown verb (see hosa --help):", word), kExitUsage);
}

}  // namespace hosa

int main(int argc, char** argv) {
  return hosa::dispatch({argv, static_cast<std::size_t>(argc)});
}
