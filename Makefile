# hosa: `make help` lists what can be made. Everything made lands under build/.
ARCH     ?= $(shell uname -m)
LIBC     ?= musl
JOBS     ?= $(shell nproc)
.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules -j$(JOBS)
Q         = $(if $(V),,@)
say       = $(if $(V),,@printf '  %-8s %s\n' $(1) $(2);)
B        := build
comma    := ,
ROOMS    := loader/sys loader detect proprioception actuate tools/hosa

# ---- the two compilations: what ships (musl, libstdc++ as headers only) and what is tested (glibc, sanitizers)
WARN     := -Wall -Wextra -Wshadow -Wconversion -Wno-missing-field-initializers -Werror
BASE     := -std=c++20 -O2 -g -fno-exceptions -fno-rtti -ffp-contract=off -D_GNU_SOURCE -I. $(WARN) -MMD -MP
CXX      := g++
CLANG    ?= clang
include tools/build/musl.mk

SHIP_SRC := $(sort $(foreach r,$(ROOMS),$(wildcard $(r)/*.cpp)))
PROBES   := $(sort $(wildcard probes/*.bpf.c))
BPF      := $(PROBES:%.c=$(B)/%.o)
OUT      := $(B)/$(if $(filter x86_64 amd64,$(ARCH)),musl,$(ARCH))
SHIP_OBJ := $(SHIP_SRC:%.cpp=$(OUT)/%.o) $(OUT)/probes/embedded.o
HOSA     := $(B)/hosa$(if $(filter aarch64,$(ARCH)),-arm64)

.PHONY: all cross run demo test test-unit test-cli test-kernel lab lint format asan fuzz size help clean deps-% reproducible
all: $(HOSA)
$(SHIP_OBJ) $(BPF): | deps-build
$(HOSA): $(SHIP_OBJ)
	$(call say,LINK,$@)$(SHIP_LD) $(SHIP_CRT1) $(SHIP_OBJ) $(SHIP_LIBS) -o $@
$(OUT)/%.o: %.cpp $(UAPI) Makefile tools/build/musl.mk
	$(call say,CXX,$@)mkdir -p $(@D) && $(SHIP_CXX) $(BASE) $(SHIP_FLAGS) -c $< -o $@
$(OUT)/probes/embedded.o: probes/embedded.S $(BPF)
	$(call say,AS,$@)mkdir -p $(@D) && $(SHIP_CXX) -I$(B) -c $< -o $@
$(B)/probes/%.bpf.o: probes/%.bpf.c $(wildcard probes/*.h) Makefile
	$(call say,BPF,$@)mkdir -p $(@D) && $(CLANG) -target bpf -mcpu=v2 -O2 -g -Wall -Werror -I. -isystem /usr/include/$(HOST_TRIPLE) -c $< -o $@ && llvm-strip -g $@
cross: deps-cross
	$(Q)$(MAKE) --no-print-directory ARCH=aarch64 all

# ---- tests: one program per room, so that a room can be built and tested alone
TESTED   := loader detect proprioception actuate hosa
need_loader         := loader/sys loader
need_detect         := detect
need_proprioception := loader/sys proprioception
need_actuate        := loader/sys loader detect proprioception actuate
need_hosa           := loader/sys loader detect proprioception actuate tools/hosa
G        := $(B)/glibc$(SAN)
SANFLAGS := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
GFLAGS   := $(BASE) $(SANFLAGS)
# g++ 12 sees uninitialised values inside its own <regex> under the sanitizers (GCC bug 105562).
TFLAGS   := $(filter-out -fno-exceptions -fno-rtti -Wconversion -Wshadow,$(BASE)) $(SANFLAGS) $(if $(SAN),-Wno-maybe-uninitialized)
$(G)/%.o: %.cpp Makefile
	$(call say,CXX,$@)mkdir -p $(@D) && $(CXX) $(if $(filter test/%,$<),$(TFLAGS),$(GFLAGS)) -c $< -o $@
$(G)/probes/embedded.o: probes/embedded.S $(BPF)
	$(call say,AS,$@)mkdir -p $(@D) && $(CXX) -I$(B) -c $< -o $@
define room_tests
$(1)_obj := $$(patsubst %.cpp,$$(G)/%.o,$$(filter-out tools/hosa/main.cpp,$$(sort $$(foreach r,$$(need_$(1)),$$(wildcard $$(r)/*.cpp)))) $$(sort $$(wildcard test/$(1)/*.cpp)) test/main.cpp)
$$(G)/test-$(1): $$($(1)_obj) $$(if $$(filter loader actuate hosa,$(1)),$$(G)/probes/embedded.o)
	$$(call say,LINK,$$@)$$(CXX) $$(SANFLAGS) $$^ -o $$@
test-$(1): $$(G)/test-$(1)
	$$(Q)$$(G)/test-$(1)
.PHONY: test-$(1)
endef
$(foreach r,$(TESTED),$(eval $(call room_tests,$(r))))
UNIT     := $(foreach r,$(TESTED),$(if $(wildcard test/$(r)/*.cpp),$(G)/test-$(r)))
test-unit: deps-test $(UNIT)
	$(Q)tools/build/run-tests $(UNIT)
test: deps-test all
	$(Q)tools/build/test-all
asan: deps-test
	$(Q)$(MAKE) --no-print-directory SAN=-asan test-unit
fuzz: deps-test
	$(Q)tools/build/fuzz $(FUZZ_SECONDS)
lab: deps-lab all
	$(Q)tools/lab/run S="$(S)" P="$(P)" K="$(K)" N="$(N)" PEERS="$(PEERS)"

# ---- seeing it work
run: all
	$(Q)tools/build/run-hosa
demo: all
	$(Q)tools/build/as-root $(HOSA) demo

# ---- keeping the house
SOURCES  := $(shell git ls-files '*.cpp' '*.h' '*.bpf.c' 2>/dev/null)
lint: deps-build
	$(Q)clang-format --dry-run -Werror $(SOURCES)
	$(Q)awk -f tools/build/includes.awk $(SOURCES)
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(MAKE) --no-print-directory $(patsubst %.cpp,$(B)/clang/%.ok,$(SHIP_SRC))
	$(Q)echo 'lint: clean'
$(B)/clang/%.ok: %.cpp
	$(Q)mkdir -p $(@D) && clang++ -fsyntax-only -std=c++20 -fno-exceptions -fno-rtti -D_GNU_SOURCE -I. -Wall -Wextra -Werror -Wno-missing-field-initializers $< && touch $@
format:
	$(Q)clang-format -i $(SOURCES)
size: all
	$(Q)size $(HOSA) && ls -l $(HOSA) | awk '{print $$5, "bytes", $$9}'
reproducible: all
	$(Q)cp $(HOSA) $(B)/hosa.first && rm -rf $(OUT) $(HOSA) && $(MAKE) --no-print-directory all && cmp $(HOSA) $(B)/hosa.first && echo reproducible
deps-%:
	$(Q)tools/build/deps $*
clean:
	rm -rf $(B)
help:
	@printf '%s\n' 'make            build/hosa, one static file' 'make run        build, show the demo, then watch (ACT=1 acts, FOR=60s ends by itself)' \
	'make demo       a leak and a spinner, held before your eyes' 'make test       everything; ends with: N passed, N failed, N skipped' \
	'make test-ROOM  the unit tests of one room ($(TESTED))' 'make lab S=leak K=6.1 [P=profile] [N=runs] [PEERS=1]   scenarios in QEMU' \
	'make lint       format, warnings, who-includes-whom' 'make format     clang-format in place' 'make asan       unit tests under address and undefined-behaviour sanitizers' \
	'make fuzz       fuzz the parsers (FUZZ_SECONDS=30 each)' 'make size       sizes of the shipped file' 'make cross      build/hosa-arm64' 'make reproducible  build twice, compare' 'V=1 shows commands'

-include $(shell find $(B) -name '*.d' -type f 2>/dev/null)
