#include "test/catch.h"
#include "tools/hosa/config.h"
#include "tools/hosa/options.h"

using namespace hosa;

namespace {
Result<Options> parse(std::initializer_list<const char*> words) {
  char* argv[16];
  std::size_t count = 0;
  for (const char* word : words) argv[count++] = const_cast<char*>(word);
  return parse_options({argv, count});
}
}  // namespace

TEST_CASE("durations and sizes are numbers with a unit, nothing else") {
  CHECK(*parse_duration_s("60s") == 60);
  CHECK(*parse_duration_s("5m") == 300);
  CHECK(*parse_duration_s("250ms") == Approx(0.25));
  CHECK(*parse_duration_s("1.5h") == 5400);
  for (const char* bad : {"", "s", "-5s", "5x", "1e3", "5 s", "200h", "99999999999999999999s", "1.2.3s", "."}) {
    CHECK_FALSE(parse_duration_s(bad).has_value());
  }
  CHECK(*parse_size_bytes("64M") == 64.0 * 1024 * 1024);
  CHECK_FALSE(parse_size_bytes("64MB").has_value());
}

TEST_CASE("options may be written with a space or an equals sign, and a wrong one is named") {
  const auto options = parse({"hosa", "run", "--shadow", "--warmup=60s", "--only", "/lab", "--without", "bpf,psi"});
  REQUIRE(options);
  CHECK(options->shadow);
  CHECK(options->warmup_s == 60);
  CHECK(options->only == "/lab");
  CHECK(options->without.bpf);
  CHECK(options->without.psi);
  CHECK_FALSE(options->without.cgroup);
  CHECK(parse({"hosa", "run", "--wrmup", "5"}).error().text().view() == "unknown option --wrmup");
  CHECK_FALSE(parse({"hosa", "run", "--warmup"}).has_value());
  CHECK_FALSE(parse({"hosa", "run", "stray"}).has_value());
  CHECK_FALSE(parse({"hosa", "run", "--without", "bpf,foo"}).has_value());
  CHECK_FALSE(parse({"hosa", "run", "--room", "1M"}).has_value());
  CHECK_FALSE(parse({"hosa", "run", "--only", ""}).has_value());
}

TEST_CASE("a configuration is taken whole or not at all, and an error names file and line") {
  Config config;
  const char* good =
      "# comment\n[run]\nwarmup = \"90s\"\nshadow = true # watch\n[policy]\nceiling = 3\n"
      "[protection]\npatterns = [\"/system.slice/db.service\", \"cmd:postgres\"]\n";
  REQUIRE(parse_config(good, "hosa.toml", config));
  CHECK(config.warmup_s == 90);
  CHECK(config.shadow);
  CHECK(config.ceiling == 3);
  CHECK(config.protect.size() == 2);

  const char* half = "[policy]\nceiling = 2\nceilling = 2\n";
  const auto bad = parse_config(half, "hosa.toml", config);
  REQUIRE_FALSE(bad);
  CHECK(bad.error().text().view() == "unknown key at hosa.toml:3: policy.ceilling");
  CHECK(config.ceiling == 3);
  for (const char* text : {"[policy]\nceiling = 9", "[policy]\nceiling = x", "[run]\nwarmup = 5m",
                           "[run]\nwarmup = \"5m", "[run\n", "x", "[protection]\npatterns = [\"bad\"]",
                           "[protection]\npatterns = [\"/a\"", "[run]\nshadow = maybe", "[run]\nshadow = true true"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_config(text, "hosa.toml", config).has_value());
  }
}

TEST_CASE("no prefix and no flipped byte of a configuration crashes the parser") {
  const std::string text = "[run]\nwarmup = \"90s\"\nshadow = true\n[protection]\npatterns = [\"/a\", \"uid:1\"]\n";
  for (std::size_t n = 0; n <= text.size(); ++n) {
    Config config;
    (void)parse_config({text.data(), n}, "f", config);
    for (const char c : {'"', '[', '\0', '\xff', '\n'}) {
      std::string changed = text;
      if (n < text.size()) changed[n] = c;
      (void)parse_config(changed, "f", config);
    }
  }
  SUCCEED();
}
