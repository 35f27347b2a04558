#include "loader/load.h"

#include <cstring>

#include "loader/sys/mapping.h"
#include "loader/sys/text.h"

namespace hosa {
namespace {

// Before 6.4 a log that does not fit is cut at its end, where the complaint is; hosa's programs need under 200 KB.
constexpr std::size_t kLogBytes = std::size_t{1} << 20;

constexpr std::string_view kStatistics[] = {"processed ", "verification time ", "stack depth ", "max_states_per_insn ",
                                            "peak_states "};

bool is_statistic(std::string_view line) {
  for (const std::string_view start : kStatistics)
    if (slice(line, 0, start.size()) == start) return true;
  return false;
}

// Copies the instructions out of the object and writes map descriptors into the loads that want one.
Result<std::size_t> patched(const ObjectSpec& object, const ProgramSpec& program, Maps& maps, std::span<bpf_insn> out) {
  const std::size_t count = program.instructions.size() / sizeof(bpf_insn);
  if (count > out.size()) return make_error(E2BIG, "program is too long:", program.name.view());
  std::memcpy(out.data(), program.instructions.data(), count * sizeof(bpf_insn));
  for (const MapUse& use : program.map_uses) {
    if (use.instruction + 1 >= count || use.map >= object.maps.size())
      return make_error(0, "use of a map is out of range in", program.name.view());
    const auto fd = maps.create(object.maps[use.map]);
    if (!fd) return fd.error();
    out[use.instruction].src_reg = BPF_PSEUDO_MAP_FD;
    out[use.instruction].imm = *fd;
    out[use.instruction + 1].imm = 0;
  }
  return count;
}

Error explained(const ProgramText& text, const Error& error, std::span<char> log) {
  Mapping own;
  if (log.empty()) {
    auto mapping = Mapping::of_memory(kLogBytes);
    if (!mapping) return error;
    own = std::move(*mapping);
    log = {reinterpret_cast<char*>(own.data()), own.size()};
  }
  const auto again = bpf_load_program(text, log);
  if (again) return error;
  Error told = error;
  const std::string_view complaint = verifier_complaint({log.data(), ::strnlen(log.data(), log.size())});
  if (!complaint.empty()) told.subject.append(": ").append(complaint);
  return told;
}

}  // namespace

std::string_view verifier_complaint(std::string_view log) {
  std::string_view complaint;
  while (!log.empty()) {
    const std::string_view line = trim(take_line(log));
    if (!line.empty() && !is_statistic(line)) complaint = line;
  }
  return complaint;
}

Result<int> Maps::create(const MapSpec& spec, uint32_t max_entries) {
  MapSpec wanted = spec;
  if (wanted.shape.max_entries == 0) wanted.shape.max_entries = max_entries;
  for (std::size_t i = 0; i < count_; ++i) {
    if (!(maps_[i].spec.name == wanted.name)) continue;
    if (wanted.shape.max_entries == 0) wanted.shape.max_entries = maps_[i].spec.shape.max_entries;
    if (maps_[i].spec.shape == wanted.shape) return maps_[i].fd.get();
    return make_error(0, "two objects disagree about the shape of map", wanted.name.view());
  }
  if (count_ == maps_.size()) return make_error(0, "too many maps");
  auto fd = bpf_create_map(wanted.name.view(), wanted.shape);
  if (!fd) return fd.error();
  maps_[count_] = {wanted, std::move(*fd)};
  return maps_[count_++].fd.get();
}

int Maps::find(std::string_view name) const {
  for (std::size_t i = 0; i < count_; ++i)
    if (maps_[i].spec.name == name) return maps_[i].fd.get();
  return -1;
}

void Maps::clear() {
  for (std::size_t i = 0; i < count_; ++i) maps_[i].fd.reset();
  count_ = 0;
}

Result<Fd> load_program(const ObjectSpec& object, const ProgramSpec& program, Maps& maps, std::span<char> full_log,
                        const FieldPlaces& places) {
  std::array<bpf_insn, kMaxInstructions> instructions;  // 32 KiB of stack, at start-up only
  const auto count = patched(object, program, maps, instructions);
  if (!count) return count.error();
  if (const auto placed = place_fields({instructions.data(), *count}, places); !placed) return placed.error();
  ProgramText text;
  text.name = program.name.view();
  text.type = program.type;
  text.instructions = {instructions.data(), *count};
  text.licence = object.licence.c_str();
  auto fd = bpf_load_program(text);
  if (fd) return fd;
  return explained(text, fd.error(), full_log);
}

}  // namespace hosa
