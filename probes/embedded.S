/* The compiled probes inside the executable: bytes between hosa_probe_NAME_start and hosa_probe_NAME_end, declared for
 * C++ in probes/embedded.h. The assembler finds them in build/ (-Ibuild). Same text for every architecture. */
.section .rodata.hosa_probes, "a", %progbits

.macro probe name
  .balign 16
  .global hosa_probe_\name\()_start
  .global hosa_probe_\name\()_end
hosa_probe_\name\()_start:
  .incbin "probes/\name\().bpf.o"
hosa_probe_\name\()_end:
.endm

probe memory
probe sched
probe fault
probe block
probe network
probe brk
probe fork
probe reclaim
probe syscalls

.section .note.GNU-stack, "", %progbits
