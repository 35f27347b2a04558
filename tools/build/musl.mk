# How the shipped file is compiled and linked: static musl, libstdc++ as headers only, no libgcc_eh, no pthread.
# (Measured: static glibc's floor is 674 KB; this way a comparable program is 26 KB.) ARCH=aarch64 cross-builds with
# Debian's arm64 musl unpacked under build/. LIBC=glibc links the same sources against glibc instead.
GCC_MAJOR := $(shell g++ -dumpversion 2>/dev/null | cut -d. -f1)
HOST_TRIPLE := $(shell uname -m)-linux-gnu
ifeq ($(ARCH),aarch64)
  SHIP_CXX := $(if $(filter aarch64,$(shell uname -m)),g++,aarch64-linux-gnu-g++)
  CXXINC   := $(firstword $(wildcard /usr/aarch64-linux-gnu/include/c++/$(GCC_MAJOR)) /usr/include/c++/$(GCC_MAJOR))
  CXXCFG   := $(firstword $(wildcard /usr/aarch64-linux-gnu/include/c++/$(GCC_MAJOR)/aarch64-linux-gnu) /usr/include/aarch64-linux-gnu/c++/$(GCC_MAJOR))
  MUSLROOT := $(if $(wildcard /usr/lib/aarch64-linux-musl/libc.a),,$(B)/musl-arm64)
  MUSLINC  := $(MUSLROOT)/usr/include/aarch64-linux-musl
  MUSLLIB  := $(MUSLROOT)/usr/lib/aarch64-linux-musl
  UAPISRC  := $(if $(wildcard /usr/aarch64-linux-gnu/include/asm),/usr/aarch64-linux-gnu/include,)
  UAPIASM  := $(if $(UAPISRC),$(UAPISRC)/asm,/usr/include/aarch64-linux-gnu/asm)
else
  SHIP_CXX := g++
  CXXINC   := /usr/include/c++/$(GCC_MAJOR)
  CXXCFG   := /usr/include/$(HOST_TRIPLE)/c++/$(GCC_MAJOR)
  MUSLINC  := /usr/include/$(shell uname -m)-linux-musl
  MUSLLIB  := /usr/lib/$(shell uname -m)-linux-musl
  UAPISRC  :=
  UAPIASM  := /usr/include/$(HOST_TRIPLE)/asm
endif
UAPIDIR := $(B)/uapi-$(ARCH)
UAPI    := $(UAPIDIR)/asm
# The builtin directory and libgcc are asked for late: on a bare machine the compiler comes with the first command.
SHIP_FLAGS = -fno-asynchronous-unwind-tables -fno-unwind-tables -fno-stack-protector -ffunction-sections -fdata-sections -fno-pie -D_GLIBCXX_OS_DEFINES=1 -DHOSA_SHIPPED=1 -nostdinc -nostdinc++ -isystem $(CXXINC) -isystem $(CXXCFG) -isystem $(MUSLINC) -isystem $$($(SHIP_CXX) -print-file-name=include) -isystem $(UAPIDIR)
SHIP_LD    = $(SHIP_CXX) -static -no-pie -nostdlib -Wl,--gc-sections -Wl,--build-id=none -s
SHIP_CRT1  = $(MUSLLIB)/crt1.o $(MUSLLIB)/crti.o
SHIP_LIBS  = -Wl,--start-group $(MUSLLIB)/libc.a $$($(SHIP_CXX) -print-libgcc-file-name) -Wl,--end-group $(MUSLLIB)/crtn.o
ifeq ($(LIBC),glibc)
  SHIP_FLAGS = -fno-asynchronous-unwind-tables -fno-unwind-tables -ffunction-sections -fdata-sections -fno-pie
  SHIP_LD    = $(SHIP_CXX) -static -no-pie -nostdlib -nostartfiles -Wl,--gc-sections -s
  SHIP_CRT1  = $$($(SHIP_CXX) -print-file-name=crt1.o) $$($(SHIP_CXX) -print-file-name=crti.o) $$($(SHIP_CXX) -print-file-name=crtbeginT.o)
  SHIP_LIBS  = -Wl,--start-group -lm -lc -lgcc -lgcc_eh -Wl,--end-group $$($(SHIP_CXX) -print-file-name=crtend.o) $$($(SHIP_CXX) -print-file-name=crtn.o)
endif
$(UAPI):
	$(Q)mkdir -p $(UAPIDIR) && ln -sfn $(if $(UAPISRC),$(UAPISRC),/usr/include)/linux $(UAPIDIR)/linux && ln -sfn $(if $(UAPISRC),$(UAPISRC),/usr/include)/asm-generic $(UAPIDIR)/asm-generic && ln -sfn $(UAPIASM) $(UAPIDIR)/asm
