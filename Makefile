# One makefile for all of it. `make help` lists the targets; V=1 shows the commands.
#
# A variant is a build folder with its own flags: make VARIANT=asan. Everything in the folder
# depends on a stamp of compiler, flags and sources, so that a change of any of them rebuilds what it
# must and nothing is left over.

VARIANT ?= release
B       ?= build/$(VARIANT)
IN      ?= *
ifeq ($(origin CC),default)
CC      := gcc
endif
LAYERS  := base crypto codec chain policy signer aws net store enclave gateway devcloud image cli
PROGS   := adyton-enclave adyton-gateway adyton-devcloud adyton
VERSION := 0.1.0

STD  := -std=gnu2x -D_GNU_SOURCE -DADY_VERSION='"$(VERSION)"'
WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wswitch-enum \
        -Wvla -Wundef -Wcast-qual -Wwrite-strings -Wformat=2 $(if $(WERROR),$(WERROR),-Werror)
HARD := -fPIE -fstack-protector-strong -fno-strict-overflow -fno-delete-null-pointer-checks \
        -fno-common -fstack-clash-protection -fcf-protection
# Each function in a section of its own, so that the enclave links those that it calls and no others.
SECTIONS := -ffunction-sections -fdata-sections
LDHARD := -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed

OPT_release  := -O2 -g -D_FORTIFY_SOURCE=2
OPT_debug    := -Og -g
# -DADY_UNFILTERED: the runtimes of these variants need system calls that the enclave has not.
OPT_asan     := -DADY_UNFILTERED -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT_tsan     := -DADY_UNFILTERED -O1 -g -fsanitize=thread
OPT_coverage := -DADY_UNFILTERED -DADY_COVERAGE -O0 -g --coverage -fprofile-update=atomic
OPT_ct       := -O2 -g -DADY_CT_TEST
# Benchmark only: the enclave keeps the first answer of KMS and says so; never to be deployed.
OPT_held     := $(OPT_release) -DADY_BENCH_HOLD_KMS
# Test only: the enclave leaves a copy of the key in memory, for the test that must find it.
OPT_leak     := $(OPT_release) -DADY_TEST_LEAK_KEY
OPT := $(OPT_$(VARIANT))
ifeq ($(OPT),)
$(error VARIANT=$(VARIANT) is not known: release debug asan tsan coverage ct held leak)
endif
SAN := $(filter -fsanitize% --coverage,$(OPT))

# blst: C and assembly sources out of an npm package (doc/decisions/0004). Its names for itself are
# fixed, so that the archive does not depend on where it was built.
BLST   ?= build/deps/node_modules/c-kzg/deps/blst
BLSTLIB = $B/lib/libblst.a
BLST_CFLAGS := -O2 -g -fno-builtin -fPIE -fno-common -fcf-protection -D__BLST_PORTABLE__ \
           -ffile-prefix-map=$(CURDIR)=. -ffile-prefix-map=$(BLST)=blst

DEPS    := libsecp256k1 libsodium openssl jansson libcurl sqlite3 libpq libutf8proc
CFLAGS_ := $(STD) $(WARN) $(HARD) $(SECTIONS) $(OPT) -Isrc -Itests/lib -isystem $(BLST)/bindings -ffile-prefix-map=$(CURDIR)=. \
           $(shell pkg-config --cflags $(DEPS)) $(CFLAGS)
LIBS    := $(shell pkg-config --libs $(DEPS)) -pthread
# The enclave is one static program: these libraries and no more.
ENCLAVE_LIBS := $(shell pkg-config --static --libs libsecp256k1 libsodium openssl) -pthread

SRC   := $(sort $(wildcard $(LAYERS:%=src/%/*.c)))
TESTS := $(sort $(wildcard $(IN:%=tests/unit/%/test_*.c)))
FUZZ  := $(sort $(wildcard tests/fuzz/fuzz_*.c))
TOOLS := $(sort $(wildcard tests/tools/*.c))
PROOFS := $(sort $(wildcard tests/proof/*.c))
CTS   := $(sort $(wildcard tests/ct/ct_*.c))
HELP  := $(filter-out tests/lib/failing.c,$(sort $(wildcard tests/lib/*.c)))
comma := ,
# Unit tests: tests/lib/failing.c stands before the calls that it can let fail.
WRAP  := $(addprefix -Wl$(comma)--wrap=,calloc sodium_malloc sodium_mlock pthread_create getrandom \
         secp256k1_context_create secp256k1_context_randomize)
ID    := $(CC) $(CFLAGS_) | $(LDFLAGS) $(LIBS) $(ENCLAVE_LIBS) | $(WRAP) | $(BLST_CFLAGS) | $(SRC) $(HELP)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

# layers below and including $(1), lowest last for the linker
upto    = $(shell echo $(LAYERS) | sed 's/\<$(1)\>.*/$(1)/')
reverse = $(if $(1),$(call reverse,$(wordlist 2,99,$(1))) $(firstword $(1)))
archive = $(patsubst %,$B/lib/%.a,$(filter $(patsubst src/%/,%,$(sort $(dir $(SRC)))),$(1)))
common  := base crypto codec chain policy signer aws net
layers_adyton-enclave  := $(common) enclave
layers_adyton-gateway  := $(common) store gateway
layers_adyton-devcloud := $(common) devcloud
layers_adyton          := $(common) store image cli

.PHONY: all help progs tests tools proofs objects fuzz fuzz-replay clean format FORCE
.SECONDARY:
.SECONDEXPANSION:

all: progs
help:
	@echo "make [VARIANT=release|debug|asan|tsan|coverage|ct|held|leak] [CC=clang] [V=1] TARGET"
	@echo "  progs        the four programs in $B (default)"
	@echo "  tests        the unit tests in $B/tests (IN=\"base net\": of these layers);  script/test unit runs them"
	@echo "  fuzz         libFuzzer programs in build/fuzz (clang);  script/fuzz runs them"
	@echo "  fuzz-replay  the same code replaying tests/fuzz/corpus, as tests"
	@echo "  proofs       exhaustive models of the rules in $B/proof;  script/test proof runs them"
	@echo "  ct           constant-time tests for valgrind (VARIANT=ct)"
	@echo "  objects      compiles every source, links nothing"
	@echo "  image        build/image/adyton.eif, with KERNEL=bzImage CONFIG=enclave.json ROOTS='a.crt b.crt'"
	@echo "  lines        counts the lines of our source that the enclave links"
	@echo "  repro        builds program and image twice in two folders and compares the bytes"
	@echo "  check-source layers, format, contracts and sizes, without compiling"
	@echo "  tidy         clang-tidy and cppcheck"
	@echo "  format       clang-format all sources in place"
	@echo "  clean        remove build/"

progs: $(PROGS:%=$B/%)
tests: $(TESTS:tests/unit/%.c=$B/tests/%)
tools: $(TOOLS:tests/tools/%.c=$B/tools/%)
fuzz-replay: $(FUZZ:tests/fuzz/%.c=$B/replay/%)
proofs: $(PROOFS:tests/proof/%.c=$B/proof/%)
ct: $(CTS:tests/ct/%.c=$B/ct/%)
# ct_*.c compile in their own variant only.
objects: $(patsubst %.c,$B/%.o,$(SRC) $(wildcard prog/*.c) $(TESTS) $(FUZZ) tests/fuzz/replay.c $(TOOLS) $(HELP) tests/lib/failing.c)

$B/.stamp: FORCE
	@mkdir -p $B; printf '%s\n' '$(subst ','\'',$(ID))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(ID))' > $@

$B/%.o: %.c $B/.stamp
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$Q$(CC) $(CFLAGS_) -MMD -MP -c $< -o $@

# The description of the HTTP interface is part of the program (src/gateway/openapi.c).
$B/src/gateway/openapi.o: src/gateway/openapi.json

# Fetched here too when script/bootstrap has not been run since the lock file changed.
$(BLST)/bindings/blst.h $(BLST)/src/server.c $(BLST)/build/assembly.S &: deps/package-lock.json
	$(call say,FETCH,blst)
	$Qscript/fetch-deps && touch $(BLST)/bindings/blst.h $(BLST)/src/server.c $(BLST)/build/assembly.S

$B/blst/%.o: $(BLST)/src/%.c $B/.stamp
	@mkdir -p $(@D)
	$(call say,CC,blst/$*.c)
	$Q$(CC) $(BLST_CFLAGS) -c $< -o $@
$B/blst/%.o: $(BLST)/build/%.S $B/.stamp
	@mkdir -p $(@D)
	$(call say,CC,blst/$*.S)
	$Q$(CC) $(BLST_CFLAGS) -c $< -o $@
$(BLSTLIB): $B/blst/server.o $B/blst/assembly.o
	@mkdir -p $(@D); rm -f $@
	$(call say,AR,$@)
	$Q$(AR) rcsD $@ $^
$B/src/crypto/bls.o $B/src/crypto/sha256_pair.o: $(BLST)/bindings/blst.h

define layer_rule
$B/lib/$(1).a: $(patsubst %.c,$B/%.o,$(filter src/$(1)/%,$(SRC))) $B/.stamp
	@mkdir -p $$(@D); rm -f $$@
	$$(call say,AR,$$@)
	$$Q$$(AR) rcsD $$@ $$(filter %.o,$$^)
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rule,$(l))))

# libcrypto's archive refers to dlopen and to the resolver, and ld says of each that a static program
# needs glibc's shared files for it. The enclave has none of those files and calls neither: it loads
# no provider or engine, and the parent resolves names. These six lines are left out, no others.
STATIC_NOTES := -e "warning: Using '(dlopen|getaddrinfo|gethostbyname)' in statically linked" \
    -e "libcrypto\.a\(libcrypto-lib-(dso_dlfcn|bio_addr|bio_sock)\.o\): in function"

$B/adyton-enclave: $B/prog/adyton-enclave.o $$(call archive,$$(call reverse,$$(layers_adyton-enclave))) $(BLSTLIB)
	$(call say,LINK,$@)
	$Q$(CC) $(CFLAGS_) $(if $(SAN),$(LDHARD),-static-pie -Wl,-z,relro,-z,now,-z,noexecstack,--build-id=none,--gc-sections) \
	    -Wl,-Map=$@.map $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(ENCLAVE_LIBS) 2>$@.ld; \
	    rc=$$?; grep -vE $(STATIC_NOTES) $@.ld >&2; rm -f $@.ld; exit $$rc

$B/adyton-gateway $B/adyton-devcloud $B/adyton: $B/%: $B/prog/%.o \
    $$(call archive,$$(call reverse,$$(layers_$$(@F)))) $(BLSTLIB)
	$(call say,LINK,$@)
	$Q$(CC) $(CFLAGS_) $(LDHARD) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LIBS)

# A unit test links its own layer and those above it in the list, and nothing else: a call in the
# wrong direction does not link.
$B/tests/%: $B/tests/unit/%.o $(HELP:%.c=$B/%.o) $B/tests/lib/failing.o \
    $$(call archive,$$(call reverse,$$(call upto,$$(firstword $$(subst /, ,$$*))))) $(BLSTLIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$Q$(CC) $(CFLAGS_) $(LDHARD) $(WRAP) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LIBS)

$B/tools/%: $B/tests/tools/%.o $(HELP:%.c=$B/%.o) $$(call archive,$$(call reverse,$(common) store)) $(BLSTLIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$Q$(CC) $(CFLAGS_) $(LDHARD) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LIBS)

# Models and checkers of the rules themselves: tests/proof.
$B/proof/%: $B/tests/proof/%.o $(HELP:%.c=$B/%.o) $$(call archive,$$(call reverse,$(common))) $(BLSTLIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$Q$(CC) $(CFLAGS_) $(LDHARD) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LIBS)

$B/ct/%: $B/tests/ct/%.o $$(call archive,$$(call reverse,$(common))) $(BLSTLIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$Q$(CC) $(CFLAGS_) $(LDHARD) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LIBS)

$B/replay/%: $B/tests/fuzz/%.o $B/tests/fuzz/replay.o $(HELP:%.c=$B/%.o) \
    $$(call archive,$$(call reverse,$(common) store enclave gateway devcloud image)) $(BLSTLIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$Q$(CC) $(CFLAGS_) $(LDHARD) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LIBS)

# libFuzzer wants clang; its objects are kept apart.
fuzz:
	$Q$(MAKE) --no-print-directory B=build/fuzz VARIANT=asan CC=clang \
	    CFLAGS="-fsanitize=fuzzer-no-link" fuzz-programs
.PHONY: fuzz-programs
fuzz-programs: $(FUZZ:tests/fuzz/%.c=$B/bin/%)
$B/bin/%: $B/tests/fuzz/%.o $$(call archive,$$(call reverse,$(common) store enclave gateway devcloud image)) $(BLSTLIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$Q$(CC) $(CFLAGS_) $(LDHARD) -fsanitize=fuzzer -o $@ $(filter %.o %.a,$^) $(LIBS)

# The enclave image. It depends on its inputs alone: kernel, program, configuration, roots.
KERNEL ?= $(firstword $(wildcard build/kernel/bzImage ../shared/tools/enclave-vm/bzImage))
CONFIG ?= doc/enclave.json
ROOTS  ?= $(sort $(wildcard /usr/share/ca-certificates/mozilla/Amazon_Root_CA_*.crt))
IMAGE_OPTIONS ?=

.PHONY: image repro lines print-warnings
print-warnings: # for script/check-aarch64
	@echo '$(WARN)'
lines: $B/adyton-enclave
	$Qscript/lines --map $B/adyton-enclave.map
image: build/image/adyton.eif
	@sed 's/^/  /' build/image/measurements

build/image/init: $B/adyton-enclave
	@mkdir -p $(@D)
	$(call say,STRIP,$@)
	$Qstrip -s -o $@ $<

# Always anew: KERNEL, CONFIG, ROOTS and IMAGE_OPTIONS may name other files than the last time.
build/image/adyton.eif: build/image/init $B/adyton FORCE
	$(if $(KERNEL),,$(error no kernel: script/build-kernel makes one, or give KERNEL=bzImage))
	$(call say,IMAGE,$@)
	$Qcat /dev/null $(ROOTS) > build/image/roots.pem
	$Q$B/adyton image build --kernel $(KERNEL) --init build/image/init --config $(CONFIG) \
	    $(if $(ROOTS),--ca build/image/roots.pem) $(IMAGE_OPTIONS) -o $@ > build/image/measurements

repro:
	$Qscript/repro $(KERNEL)

.PHONY: check-source tidy
check-source:
	$Qscript/check-source
tidy:
	$Qscript/check-tidy
format:
	$Qclang-format -i $$(git ls-files '*.c' '*.h')
clean:
	rm -rf build

-include $(shell find $B -name '*.d' 2>/dev/null)
