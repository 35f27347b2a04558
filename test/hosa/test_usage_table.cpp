// The probes' tables, read whole, and what they drop.
#include "test/hosa/kernel_child.h"
#include "tools/hosa/usage_table.h"

TEST_CASE("more processes than the table holds: what is dropped is counted") {
  if (!probes_can_run()) HOSA_SKIP("BPF needs root and a kernel with it");
  Opened opened;
  constexpr unsigned kMany = 3 * HOSA_PROCESSES;
  for (unsigned i = 0; i < kMany; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {  // one fork: enough for an entry of its own
      const pid_t child = ::fork();
      if (child == 0) ::_exit(0);
      ::waitpid(child, nullptr, 0);
      ::_exit(0);
    }
    ::waitpid(pid, nullptr, 0);
  }
  const Counters now = opened.side.totals();
  CHECK(now.made_processes >= kMany);
  const KernelSide::Forgotten forgotten = opened.side.forgotten();
  CHECK(forgotten.processes >= now.made_processes - HOSA_PROCESSES);
  CHECK(forgotten.processes <= now.made_processes);
  CHECK(forgotten.samples == now.unattributed);
}

TEST_CASE("the tables are read whole, in batches as key by key, and never beyond the room that was given") {
  if (!may_use_bpf()) HOSA_SKIP("BPF needs root");
  raise_memlock_limit();
  const auto map = bpf_create_map("table", {BPF_MAP_TYPE_LRU_HASH, 4, sizeof(hosa_usage), 4096, 0});
  REQUIRE(map);
  for (uint32_t key = 1; key <= 1000; ++key) {
    hosa_usage usage{};
    usage.anon_bytes = key;
    REQUIRE(bpf_update(map->get(), &key, &usage));
  }
  const auto fill = [](uint32_t key, const hosa_usage& usage) { return ProcessShare{key, usage}; };
  std::array<ProcessShare, 4096> table;
  const auto sum = [&](std::size_t count) {
    uint64_t total = 0;
    for (std::size_t i = 0; i < count; ++i) total += table[i].usage.anon_bytes;
    return total;
  };
  const std::span<ProcessShare> all(table);
  const auto batched = read_usage<uint32_t>(map->get(), all, fill);
  REQUIRE(batched);
  CHECK(*batched == 1000);
  CHECK(sum(*batched) == 500500);
  const auto walked = read_usage_by_key<uint32_t>(map->get(), all, fill);
  REQUIRE(walked);
  CHECK(*walked == 1000);
  CHECK(sum(*walked) == 500500);
  const auto few = read_usage<uint32_t>(map->get(), all.first(10), fill);
  REQUIRE(few);
  CHECK(*few <= 10);
  CHECK(*read_usage_by_key<uint32_t>(map->get(), all.first(10), fill) == 10);
}
