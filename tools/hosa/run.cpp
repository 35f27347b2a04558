// hosa run: the daemon, in the foreground.
#include "tools/hosa/agent.h"
#include "tools/hosa/verbs.h"

namespace hosa {
namespace {

// The agent is several megabytes of tables, most of them never touched: static storage costs nothing until it is used.
// Built in place, never destroyed: the process ends with it.
alignas(Agent) unsigned char agent_storage[sizeof(Agent)];

}  // namespace

int run_verb(const Options& given) {
  const auto config = load_config(given.config.c_str());
  if (!config) return fail(config.error(), kExitConfiguration);
  Options options = given;
  if (options.warmup_s < 0) options.warmup_s = config->warmup_s;
  if (options.audit.empty()) options.audit = config->audit.view();
  if (options.only.empty()) options.only = config->only.view();
  options.shadow = options.shadow || config->shadow;
  if (options.unprivileged && options.only.empty()) {
    return fail(make_error(0, "--unprivileged goes with --only"), kExitUsage);
  }
  auto* agent = new (agent_storage) Agent(options, *config);
  int exit_code = kExitRuntime;
  if (const auto opened = agent->open(exit_code); !opened) return fail(opened.error(), exit_code);
  return agent->loop();
}

}  // namespace hosa
