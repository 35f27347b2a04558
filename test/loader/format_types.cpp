// Kernels without BTF: members of tracepoints' contexts lie where the format files say.
#include "loader/format_types.h"

#include "loader/core.h"
#include "loader/user_types.h"
#include "test/catch.h"
#include "test/loader/files.h"

using namespace hosa;

namespace {

// The object's program fitted to what a format file says of its context.
struct Fitted {
  std::vector<unsigned char> bytes = fixture("contexts/contexts.bpf.o");
  ObjectImage image;
  List<unsigned char> made;
  KernelTypes kernel{-1};
  LinkedProgram program;
  Result<void> applied;

  Fitted(std::string_view name, const char* structure, const std::string& format_text) {
    REQUIRE(read_image(bytes_of(bytes), "contexts", image));
    REQUIRE(want_core_types(image, kernel));
    CHECK_FALSE(kernel.gather());
    FormatTypes types;
    const auto format = parse_format(format_text);
    REQUIRE(format);
    const auto id = image.btf.find(structure, BTF_KIND_STRUCT);
    REQUIRE(id);
    REQUIRE(types.add(image.btf, *image.btf.type(*id), *format));
    REQUIRE(types.finish(made));
    auto btf = Btf::of_bytes(Bytes(made.data(), made.size()));
    REQUIRE(btf);
    REQUIRE(kernel.stand_in(std::move(*btf)));
    for (uint32_t i = 0; i < image.functions.size(); ++i)
      if (image.functions[i].name == name) REQUIRE(link_program(image, i, program));
    applied = apply_core(image, kernel, program);
  }
  // Where and how wide the loads from the context (r1) are, in order.
  std::string loads() const {
    std::string text;
    for (const bpf_insn& insn : program.instructions)
      if (BPF_CLASS(insn.code) == BPF_LDX && insn.src_reg == 1)
        text += std::to_string(insn.off) + (BPF_SIZE(insn.code) == BPF_DW ? "q " : "l ");
    return text;
  }
};

}  // namespace

TEST_CASE("without kernel BTF a context's members are found where the format file of 5.10 and of 6.18 has them") {
  const Fitted old("pages", "trace_event_raw_mm_page_alloc", fixture_text("format/mm_page_alloc-5.10"));
  CHECK(old.applied);
  CHECK(old.loads() == "20l 8q ");
  const Fitted now("pages", "trace_event_raw_mm_page_alloc", fixture_text("format/mm_page_alloc-6.18"));
  CHECK(now.applied);
  CHECK(now.loads() == "24q 8q ");
}

TEST_CASE("what all tracepoints have in common is a structure in the context") {
  const Fitted head("head", "trace_event_raw_mm_page_alloc", fixture_text("format/mm_page_alloc-6.18"));
  CHECK(head.applied);
  CHECK(head.loads() == "4l ");
}

TEST_CASE("the four bytes that say where a text lies are found by its name") {
  const Fitted fork("fork", "trace_event_raw_sched_process_fork", fixture_text("format/sched_process_fork-6.18"));
  CHECK(fork.applied);
  CHECK(fork.loads() == "16l 20l ");
}

TEST_CASE("what no format file tells needs kernel BTF, and says so") {
  const Fitted task("task", "trace_event_raw_mm_page_alloc", fixture_text("format/mm_page_alloc-6.18"));
  REQUIRE_FALSE(task.applied);
  CHECK(task.applied.error().text() == "needs kernel BTF: type task_struct: no such file or directory (ENOENT)");
}

TEST_CASE("a context belongs to its program's event, that of a system call to all system calls") {
  CHECK(event_of_context("trace_event_raw_sched_switch___old", "sched/sched_switch") == "sched/sched_switch");
  CHECK(event_of_context("trace_event_raw_sys_enter", "syscalls/sys_enter_brk") == "raw_syscalls/sys_enter");
  CHECK(event_of_context("syscall_trace_exit", "syscalls/sys_exit_brk") == "raw_syscalls/sys_exit");
  CHECK(event_of_context("task_struct", "sched/sched_switch").empty());
}

TEST_CASE("registers and packets answer for themselves, parts of them do not") {
  CHECK(promised_to_user_space("iphdr", 20));
  CHECK_FALSE(promised_to_user_space("iphdr", 4));
  CHECK_FALSE(promised_to_user_space("pt_regs", 8));
  CHECK_FALSE(promised_to_user_space("task_struct", 9000));
}
