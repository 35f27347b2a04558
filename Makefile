# hosa: `make help` lists what can be made. Everything made lands under build/.
ARCH     ?= $(shell uname -m)
LIBC     ?= musl
JOBS     ?= $(shell nproc)
.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules $(if $(filter 0,$(MAKELEVEL)),-j$(JOBS))
Q         = $(if $(V),,@)
say       = $(if $(V),,@printf '  %-8s %s\n' $(1) $(2);)
B        := build
comma    := ,
ROOMS    := loader/sys loader detect proprioception actuate tools/hosa
BUILDS   := $(filter-out help clean,$(or $(MAKECMDGOALS),all))

# Under sudo everything is made by the user who asked; what needs root asks sudo again (tools/build/as-root).
ifneq ($(filter-out root,$(SUDO_USER)),)
ifeq ($(shell id -u),0)
  export HOME := $(shell getent passwd $(SUDO_USER) | cut -d: -f6)
  SHELL       := $(shell command -v runuser)
  .SHELLFLAGS := -u $(SUDO_USER) -- /bin/sh -c
endif
endif

# What follows asks the compiler where its headers are, so on a bare machine it is installed before anything else.
$(if $(BUILDS),$(shell command -v g++ >/dev/null 2>&1 || tools/build/deps build >&2))

# ---- the two compilations: what ships (musl, libstdc++ as headers only) and what is tested (glibc, sanitizers)
WARN     := -Wall -Wextra -Wshadow -Wconversion -Wno-missing-field-initializers -Werror
BASE     := -std=c++20 -O2 -g -fno-exceptions -fno-rtti -ffp-contract=off -D_GNU_SOURCE -I. $(WARN) -MMD -MP
CXX      := g++
CLANG    ?= clang
include tools/build/musl.mk

# The reader of whole objects allocates by their size: it is hosa-load's, and the agent, which has no malloc, goes without.
WHOLE    := $(wildcard $(foreach f,btf btf_features btf_names btf_walk core core_compare core_path core_value format_types \
  image_externs image_maps image_operations image_records image_symbols image_tags inflate kernel_btf kernel_config \
  kernel_symbols kernel_types link_program map_definitions program_image section_kinds user_types,loader/$(f).cpp))
SHIP_SRC := $(filter-out $(WHOLE),$(sort $(foreach r,$(ROOMS),$(wildcard $(r)/*.cpp))))
PROBES   := $(sort $(wildcard probes/*.bpf.c))
BPF      := $(PROBES:%.c=$(B)/%.o)
# One directory per libc and architecture: objects of one are never linked with another's.
OUT      := $(B)/$(LIBC)$(if $(filter glibc,$(LIBC)),-static)$(if $(filter $(shell uname -m),$(ARCH)),,-$(ARCH))
SHIP_OBJ := $(SHIP_SRC:%.cpp=$(OUT)/%.o) $(OUT)/probes/embedded.o
LOAD_SRC := $(sort $(foreach r,loader/sys loader tools/hosa_load,$(wildcard $(r)/*.cpp)))
# The tool is measured by its size: its objects are its own.
LOAD_OBJ := $(LOAD_SRC:%.cpp=$(OUT)/small/%.o)
SMALL    := -Oz
$(OUT)/small/loader/btf_walk.o $(OUT)/small/loader/btf_names.o: SMALL := -O2  # the pass over all kernel types
LOAD     := $(B)/hosa-load$(if $(filter $(shell uname -m),$(ARCH)),,-$(ARCH:aarch64=arm64))$(if $(filter glibc,$(LIBC)),-glibc)
HOSA     := $(B)/hosa$(if $(filter $(shell uname -m),$(ARCH)),,-$(ARCH:aarch64=arm64))$(if $(filter glibc,$(LIBC)),-glibc)

# What is linked must be linked anew when a file comes or goes.
ALL_SRC  := $(SHIP_SRC) $(LOAD_SRC) $(sort $(wildcard test/*/*.cpp))
$(if $(BUILDS),$(shell mkdir -p $(B); echo $(ALL_SRC) | cmp -s - $(B)/sources || echo $(ALL_SRC) >$(B)/sources))

.PHONY: all cross run demo test test-unit test-cli lab soak bench bench-step lint format asan fuzz size help clean reproducible dist eval
all: $(HOSA) $(LOAD)
$(SHIP_OBJ) $(LOAD_OBJ) $(BPF): | deps-build
$(LOAD): $(LOAD_OBJ) $(B)/sources
	$(call say,LINK,$@)$(SHIP_LD) -Wl,-z,noseparate-code,-z,norelro,-z,common-page-size=64 $(SHIP_CRT1) $(LOAD_OBJ) $(SHIP_LIBS) -o $@
$(HOSA): $(SHIP_OBJ) $(B)/sources
	$(call say,LINK,$@)$(SHIP_LD) $(SHIP_CRT1) $(SHIP_OBJ) $(SHIP_LIBS) -Wl,-Map=$@.map -o $@
$(OUT)/%.o: %.cpp $(UAPI) Makefile tools/build/musl.mk
	$(call say,CXX,$@)mkdir -p $(@D) && $(SHIP_CXX) $(BASE) $(SHIP_FLAGS) -c $< -o $@
$(OUT)/small/%.o: %.cpp $(UAPI) Makefile tools/build/musl.mk
	$(call say,CXX,$@)mkdir -p $(@D) && $(SHIP_CXX) $(BASE:-O2=$(SMALL)) -Wno-maybe-uninitialized $(SHIP_FLAGS) -c $< -o $@
$(OUT)/probes/embedded.o: probes/embedded.S $(BPF)
	$(call say,AS,$@)mkdir -p $(@D) && $(SHIP_CXX) -I$(B) -c $< -o $@
$(B)/probes/%.bpf.o: probes/%.bpf.c $(wildcard probes/*.h) Makefile
	$(call say,BPF,$@)mkdir -p $(@D) && $(CLANG) -target bpf -mcpu=v2 -O2 -Wall -Werror -I. -isystem /usr/include/$(HOST_TRIPLE) -c $< -o $@ && llvm-strip -g $@
cross: deps-cross
	$(Q)$(MAKE) --no-print-directory ARCH=aarch64 all

# ---- tests: one program per room, so that a room can be built and tested alone
TESTED   := loader detect proprioception actuate hosa
need_loader         := loader/sys loader proprioception
need_detect         := detect
need_proprioception := loader/sys proprioception
need_actuate        := loader/sys loader detect proprioception actuate
need_hosa           := loader/sys loader detect proprioception actuate tools/hosa
G        := $(B)/glibc$(SAN)
SANFLAGS := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
GFLAGS   := $(BASE) $(SANFLAGS)
# g++ 12 sees uninitialised values inside its own <regex> under the sanitizers (GCC bug 105562).
TFLAGS   := $(filter-out -fno-exceptions -fno-rtti -Wconversion -Wshadow,$(BASE)) $(SANFLAGS) $(if $(SAN),-Wno-maybe-uninitialized)
$(G)/%.o: %.cpp Makefile | deps-test
	$(call say,CXX,$@)mkdir -p $(@D) && $(CXX) $(if $(filter test/%,$<),$(TFLAGS),$(GFLAGS)) -c $< -o $@
$(G)/probes/embedded.o: probes/embedded.S $(BPF)
	$(call say,AS,$@)mkdir -p $(@D) && $(CXX) -I$(B) -c $< -o $@
define room_tests
$(1)_obj := $$(patsubst %.cpp,$$(G)/%.o,$$(filter-out tools/hosa/main.cpp,$$(sort $$(foreach r,$$(need_$(1)),$$(wildcard $$(r)/*.cpp)))) $$(sort $$(wildcard test/$(1)/*.cpp)) test/main.cpp)
$$(G)/test-$(1): $$($(1)_obj) $$(if $$(filter loader actuate hosa,$(1)),$$(G)/probes/embedded.o) $$(B)/sources
	$$(call say,LINK,$$@)$$(CXX) $$(SANFLAGS) $$(filter %.o,$$^) -o $$@
test-$(1): $$(G)/test-$(1)
	$$(Q)$$(G)/test-$(1)
.PHONY: test-$(1)
endef
$(foreach r,$(TESTED),$(eval $(call room_tests,$(r))))
UNIT     := $(foreach r,$(TESTED),$(if $(wildcard test/$(r)/*.cpp),$(G)/test-$(r)))
test-unit: $(UNIT)
	$(Q)tools/build/run-tests $(UNIT)
test: deps-test all
	+$(Q)tools/build/test-all
test-cli: deps-test all
	+$(Q)tools/build/test-all cli
asan:
	$(Q)$(MAKE) --no-print-directory SAN=-asan test-unit
fuzz: deps-fuzz
	$(Q)tools/build/fuzz $(FUZZ_SECONDS)
lab: deps-lab all
	$(Q)tools/lab/run S="$(S)" P="$(P)" K="$(K)" N="$(N)" PEERS="$(PEERS)"
soak: deps-lab all
	$(Q)tools/lab/soak P="$(P)" HOURS="$(HOURS)"

# ---- what watching costs, paired in one run
$(B)/bench: $(wildcard tools/bench/*.cpp) $(wildcard tools/bench/*.h) Makefile
	$(call say,CXX,$@)$(CXX) $(filter-out -MMD -MP,$(BASE)) $(filter %.cpp,$^) -o $@
# ... and what one step of the detector costs; beside plain Eigen where that is there or can be had
EIGEN ?= /usr/include/eigen3
$(B)/bench-step: tools/bench_step/main.cpp tools/bench_step/plain.h $(patsubst %.cpp,$(G)/%.o,$(sort $(wildcard detect/*.cpp))) Makefile
	$(Q)[ -d $(EIGEN) ] || tools/build/deps bench || :
	$(call say,CXX,$@)$(CXX) $(filter-out -MMD -MP,$(BASE)) -isystem $(EIGEN) $(filter %.cpp %.o,$^) -o $@
bench-step: $(B)/bench-step
	$(Q)$(B)/bench-step $(ROWS)
bench: all $(B)/bench
	$(Q)tools/build/as-root $(B)/bench $(HOSA) $(ROUNDS)

# ---- seeing it work
run: all
	$(Q)tools/build/run-hosa
demo: all
	$(Q)tools/build/as-root $(HOSA) demo

# DATA: a directory with recordings/, public/ and eval/score.py (tools/eval/table tells how the figures are made)
eval: all
	$(Q)[ -n "$(DATA)" ] || { echo 'make eval DATA=DIRECTORY: where recordings/, public/ and eval/ are' >&2; exit 2; }
	$(Q)tools/eval/table $(HOSA) $(DATA)
	$(Q)tools/eval/recordings $(HOSA) $(DATA)/eval/score.py test/fixtures/recordings/*.csv.gz

# ---- keeping the house
SOURCES  := $(shell git ls-files '*.cpp' '*.h' '*.bpf.c' 2>/dev/null)
CLANG_OK := $(patsubst %.cpp,$(B)/clang/%.ok,$(sort $(SHIP_SRC) $(LOAD_SRC)))
lint: deps-lint
	$(Q)tools/build/lint $(SOURCES)
	$(Q)$(MAKE) --no-print-directory all $(CLANG_OK)
	$(Q)echo 'lint: clean'
$(B)/clang/%.ok: %.cpp Makefile
	$(Q)mkdir -p $(@D) && clang++ -fsyntax-only $(filter-out -MMD -MP,$(BASE)) -MMD -MF $(@:.ok=.d) -MT $@ $< && touch $@
format:
	$(Q)clang-format -i $(SOURCES)
size: all
	$(Q)size $(HOSA) && ls -l $(HOSA) | awk '{print $$5, "bytes", $$9}'
reproducible: all
	$(Q)cp $(HOSA) $(B)/hosa.first && rm -rf $(OUT) $(HOSA) $(BPF) && $(MAKE) --no-print-directory all && cmp $(HOSA) $(B)/hosa.first && echo reproducible
dist:
	$(Q)mkdir -p $(B) && git archive --prefix=hosa/ -o $(B)/hosa.tar.gz HEAD && ls -l $(B)/hosa.tar.gz
deps-%:
	$(Q)tools/build/deps $*
clean:
	rm -rf $(B)
help:
	@sed 's/^## //; s/@ROOMS@/$(TESTED)/' tools/build/help

-include $(shell find $(B) -name '*.d' -type f 2>/dev/null)
