// Why the verifier refused a program: the line of its log that matters, and the source line it speaks of.
#include <algorithm>

#include "loader/load.h"
#include "loader/sys/mapping.h"
#include "loader/sys/text.h"
#include "tools/hosa_load/loading.h"

namespace hosa {
namespace {

constexpr std::size_t kFirstLog = std::size_t{64} << 10, kLargestLog = std::size_t{64} << 20;

// The last instruction that the verifier's log speaks of ("12: (85) call ...").
std::optional<uint32_t> last_instruction(std::string_view log) {
  std::optional<uint32_t> last;
  while (!log.empty()) {
    std::string_view line = take_line(log);
    const std::string_view number = take_until(line, ':');
    if (slice(line, 0, 2) == " (") last = to_number<uint32_t>(number);
  }
  return last;
}

// The source line of an instruction; nothing when the object says none.
const ImageLine* source_of(const ObjectImage& image, const LinkedProgram& program, uint32_t instruction) {
  for (const LinkedPiece& piece : program.pieces) {
    const ImageFunction& function = image.functions[piece.function];
    if (instruction < piece.at || instruction - piece.at >= function.size / 8) continue;
    const uint64_t at = function.start + uint64_t{instruction - piece.at} * 8;
    const auto* next =
        std::upper_bound(image.lines.begin(), image.lines.end(), at, [&](uint64_t b, const ImageLine& a) {
          return a.section != function.section ? function.section < a.section : b < a.offset;
        });
    // What the compiler made up has no line; what is before it does.
    while (next != image.lines.begin()) {
      --next;
      if (next->section != function.section || next->offset < function.start) return nullptr;
      if (next->place >> 10 != 0) return next;
    }
    return nullptr;
  }
  return nullptr;
}

void find_source(const Loading& loading, const LinkedProgram& program, std::string_view log, ProgramReport& report) {
  const auto instruction = last_instruction(log);
  const ImageLine* const line = instruction ? source_of(loading.image, program, *instruction) : nullptr;
  if (line == nullptr) return;
  const BtfName file = loading.image.btf.name(line->file), text = loading.image.btf.name(line->text);
  report.source.append("instruction ").append_unsigned(*instruction).append(", ").append(file.view()).append(":");
  report.source.append_unsigned(line->place >> 10).append(": ").append(trim(text.view()));
}

}  // namespace

Result<Fd> explain_refusal(Loading& loading, const LinkedProgram& program, const ProgramText& text,
                           const Error& refused, ProgramReport& report) {
  Error error = refused;
  for (std::size_t bytes = kFirstLog; bytes <= kLargestLog; bytes *= 8) {
    auto log = Mapping::of_memory(bytes);
    if (!log) break;
    const std::span<char> room(reinterpret_cast<char*>(log->data()), log->size());
    auto again = bpf_load_program(text, room);
    if (again) return again;  // it was refused for want of something that is there now
    const std::string_view all(room.data(), ::strnlen(room.data(), room.size()));
    const bool cut = again.error().code == ENOSPC;
    if (cut && (loading.options.verbose || all.find("\nprocessed ") == std::string_view::npos)) continue;
    if (loading.options.verbose) loading.errors.text(all).text("\n");
    error.subject = verifier_complaint(all);
    find_source(loading, program, all, report);
    return error;
  }
  return error;
}

}  // namespace hosa
