// bench HOSA [ROUNDS]: what watching costs (ROUNDS=0: only the agent). The loops are run without an agent, beside one,
// without ...: each run beside one is compared with the mean of its two neighbours, so that what else happens on the
// machine hits both alike; of the rounds' differences the median is printed, with the quartiles beside it. Then the
// agent alone: its CPU time, wake-ups, memory, descriptors.
//
// The agent is started with --shadow and a long warm-up: calm, it holds nobody. Needs root.
#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "tools/bench/latency.h"
#include "tools/bench/measures.h"

namespace {

std::string hosa, state;

std::string ask() {
  std::string answer;
  FILE* const pipe = ::popen((hosa + " status --json --state " + state + " 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return answer;
  char buffer[4096];
  for (std::size_t got; (got = ::fread(buffer, 1, sizeof buffer, pipe)) > 0;) answer.append(buffer, got);
  ::pclose(pipe);
  return answer;
}

double figure(const std::string& json, const char* key) {
  const std::size_t at = json.find("\"" + std::string(key) + "\":");
  return at == std::string::npos ? -1 : std::atof(json.c_str() + at + std::strlen(key) + 3);
}

pid_t start_agent() {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // who is interrupted leaves no agent behind
    (void)!::freopen("/dev/null", "w", stdout);
    ::execl(hosa.c_str(), "hosa", "run", "--shadow", "--warmup", "1h", "--duration", "10m", "--baseline", "none",
            "--state", state.c_str(), "--audit", (state + "/audit.jsonl").c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  for (int i = 0; i < 100 && ask().empty(); ++i) ::usleep(50'000);
  ::sleep(1);  // its first census and its tripwires' first trips are over
  return pid;
}

void stop_agent(pid_t pid) {
  ::kill(pid, SIGTERM);
  ::waitpid(pid, nullptr, 0);
}

int descriptors(pid_t pid) {
  DIR* const directory = ::opendir(("/proc/" + std::to_string(pid) + "/fd").c_str());
  int count = 0;
  while (directory != nullptr && ::readdir(directory) != nullptr) ++count;
  if (directory != nullptr) ::closedir(directory);
  return count - 2;
}

double cpu_seconds(pid_t pid) {
  clockid_t clock;
  timespec t{};
  if (::clock_getcpuclockid(pid, &clock) == 0) ::clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

// How often it went to sleep, that is how often it was woken.
double sleeps(pid_t pid) {
  FILE* const file = ::fopen(("/proc/" + std::to_string(pid) + "/status").c_str(), "r");
  char line[256];
  long count = 0;
  while (file != nullptr && ::fgets(line, sizeof line, file) != nullptr)
    if (std::sscanf(line, "voluntary_ctxt_switches: %ld", &count) == 1) break;
  if (file != nullptr) ::fclose(file);
  return static_cast<double>(count);
}

struct Row {
  const char* name;
  double bench::Figures::*figure;
  const char* promise;
};
constexpr Row kRows[] = {
    {"getppid", &bench::Figures::getppid_ns, "unchanged (+-1 %)"},
    {"page fault", &bench::Figures::fault_ns, "+110 ns or less"},
    {"raw counter", &bench::Figures::switch_ns, "+100 ns or less (a wake-up; beside: the switch it makes)"},
    {"hackbench-like", &bench::Figures::hackbench_ns, "+5 % or less"}};

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

void print(const Row& row, const std::vector<bench::Figures>& without, const std::vector<bench::Figures>& with) {
  std::vector<double> base, more, ratio;
  for (std::size_t i = 0; i < with.size(); ++i) {
    base.push_back((without[i].*row.figure + without[i + 1].*row.figure) / 2);  // before and after: drift cancels
    more.push_back(with[i].*row.figure - base[i]);
    ratio.push_back(with[i].*row.figure / base[i]);
  }
  std::printf("%-15s %8.1f ns  %+7.1f ns (%+.1f .. %+.1f)  ratio %.3f (%.3f .. %.3f)  promised: %s\n", row.name,
              quantile(base, 0.5), quantile(more, 0.5), quantile(more, 0.25), quantile(more, 0.75),
              quantile(ratio, 0.5), quantile(ratio, 0.25), quantile(ratio, 0.75), row.promise);
}

void print_agent(pid_t agent) {
  constexpr int kSeconds = 8, kBirths = 10'000;
  const int before = descriptors(agent);
  bench::births(kBirths);
  const int after = descriptors(agent);
  ::sleep(8);  // what the births have raised settles
  // Not by `status`: its answer costs more than ten ticks. A machine that is busy raises suspicion, and that costs: the
  // quietest of four windows counts.
  double cpu = 1e9, wakeups = 0;
  for (int window = 0; window < 4; ++window) {
    const double cpu_before = cpu_seconds(agent), wakeups_before = sleeps(agent);
    ::sleep(kSeconds);
    const double used = (cpu_seconds(agent) - cpu_before) / kSeconds;
    if (used > cpu) continue;
    cpu = used;
    wakeups = (sleeps(agent) - wakeups_before) / kSeconds;
  }
  const std::string answer = ask();
  std::printf(
      "agent           %.2f %% of a CPU (promised when calm: 0.1), %.1f wake-ups a second (2.5), %.1f MB, level %.0f\n",
      cpu * 100, wakeups, figure(answer, "rss_bytes") / 1048576, figure(answer, "level"));
  std::printf("descriptors     %d before, %d after %d processes born and gone (promised: the same)\n", before, after,
              kBirths);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 9;
  char directory[] = "/tmp/hosa-bench.XXXXXX";
  if (argc < 2 || ::geteuid() != 0 || rounds < 0 || ::mkdtemp(directory) == nullptr) {
    std::fprintf(stderr, "usage (as root): bench HOSA [ROUNDS]\n");
    return 2;
  }
  hosa = argv[1];
  state = directory;
  std::vector<bench::Figures> without, with;
  if (rounds > 0) {
    (void)bench::measure();  // the first one warms caches
    without.push_back(bench::measure());
  }
  for (int i = 0; i < rounds; ++i) {
    const pid_t agent = start_agent();
    with.push_back(bench::measure());
    stop_agent(agent);
    without.push_back(bench::measure());
  }
  if (rounds > 0) std::printf("                without    with hosa, median of %d rounds (quartiles)\n", rounds);
  for (const Row& row : kRows)
    if (rounds > 0) print(row, without, with);
  std::fflush(stdout);
  const pid_t agent = start_agent();
  bench::print_onset(20, ask);
  std::fflush(stdout);
  bench::print_record_to_loop("when calm", 0, 100, ask);
  bench::print_record_to_loop("beside 3 CPU hogs", 3, 100, ask);
  std::fflush(stdout);
  print_agent(agent);
  stop_agent(agent);
  const std::string clean = "rm -rf " + state;
  return std::system(clean.c_str()) == 0 ? 0 : 1;
}
