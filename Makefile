# Nine Steps to a Container.  "make help" lists what can be made.
#
# How to read this file: a step is a directory stepNN-*; all its .c files are
# objects of its program, save for those in PROGRAMS, which are programs of their
# own.  A step's program links the modules of its own step and of all steps below
# it, never one from above.  All products go to build/.  A few words of make:
# $@ is the target, $^ all that it is made of, $< the first of these, $* what the
# % stood for; a text in "define" is written out once for every step.

## Build                                        CC=clang BUILD=DIR, SANITIZE=1
##   make               all programs, in build/
##   make clean         remove build/
## The steps                                    05 stands for 01 to 05
##   make step05        build the step and run its lab; PAUSE=1 waits between commands
##   make shell-05      a shell inside the container of that step
##   make lesson-05     what its main.c changes in that of the step before
##   make dist-step05   build/dist/step05.tar.gz: the step with all it needs, builds alone
##   make image         an OCI image of busybox, in build/busybox
## Tests                                        CK_RUN_CASE=NAME runs a part
##   make test          all suites; MUST=all makes a skipped test a failed one
##   make test-step05   those of one step; STEP05=./mine tests your own program
##   make stress        many runs, many at a time, many killed: nothing may be left
##   make vm-test       all suites in a virtual machine with a Debian kernel, cgroup v2
## This machine
##   make deps          install what building and testing need
##   make doctor        what the kernel and the host allow, and the remedy where not
##   make clean-host    remove what aborted runs left; DRY_RUN=1 only lists it
## The code
##   make fmt           format it; "make check-fmt" only looks
##   make lint          clang-format and shellcheck
##   make check-layers  prove that no step needs a later one
##   make budget        lines and function lengths beside their limits

BUILD   ?= build$(if $(SANITIZE),/sanitized)
CC      ?= cc
STEPS    := $(patsubst step%,%,$(foreach d,$(sort $(wildcard step*/main.c)),$(firstword $(subst -, ,$(d)))))
PROGRAMS := step01-chroot/escape step05-overlay/unpack

CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wshadow
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 $(WARN) -I. $(CFLAGS)
ifdef SANITIZE
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif

# The libraries that each step adds; step 1 to 4 need the C library alone.
LIBS-05            := -ljson-c -lnettle
LIBS-step05-unpack := -larchive -lnettle

# dir-03 is step03-pidns; upto-03 is 01 02 03; before-03 is 02.
$(foreach n,$(STEPS),$(eval dir-$(n) := $(patsubst %/,%,$(dir $(wildcard step$(n)-*/main.c)))))
before :=
$(foreach n,$(STEPS),$(eval before-$(n) := $(before))$(eval before := $(n)))
$(foreach n,$(STEPS),$(eval upto-$(n) := $(upto-$(before-$(n))) $(n)))

sources  = $(filter-out %/main.c $(PROGRAMS:=.c),$(wildcard $(1)/*.c))
objects  = $(patsubst %.c,$(BUILD)/%.o,$(call sources,$(1)))
modules  = $(foreach n,$(upto-$(1)),$(call objects,$(dir-$(n))))
COMMON  := $(call objects,common) $(if $(SANITIZERS),$(BUILD)/tools/sanitize.o)

# build/step03; the first step also brings the breakout, the fifth the unpacker.
products-01 = $(BUILD)/escape $(BUILD)/unchroot
products-05 = $(BUILD)/step05-unpack
products = $(foreach n,$(upto-$(1)),$(BUILD)/step$(n) $(products-$(n)))

all: $(call products,$(lastword $(STEPS)))

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(SANITIZERS) -MMD -MP -c -o $@ $<

# build/step03: its main, the modules up to step 3, common, the libraries up to 3.
define program
$(BUILD)/step$(1): $(BUILD)/$(dir-$(1))/main.o $(call modules,$(1)) $(COMMON)
	$$(CC) $(ALL_CFLAGS) $(SANITIZERS) $(LDFLAGS) -o $$@ $$^ $(foreach n,$(upto-$(1)),$(LIBS-$(n)))
endef
$(foreach n,$(STEPS),$(eval $(call program,$(n))))

# The breakout runs inside jails that hold no library, so it is linked statically.
$(BUILD)/escape: SANITIZERS :=
$(BUILD)/escape: $(BUILD)/step01-chroot/escape.o
	$(CC) $(ALL_CFLAGS) -static $(LDFLAGS) -o $@ $^

# Labs and tests start in it: in a chroot, they too break out first.
$(BUILD)/unchroot: $(BUILD)/tools/unchroot.o
	$(CC) $(ALL_CFLAGS) $(SANITIZERS) $(LDFLAGS) -o $@ $^

# The unpacker reads what strangers packed: a process of its own, with its own libraries.
$(BUILD)/step05-unpack: $(BUILD)/step05-overlay/unpack.o $(BUILD)/step05-overlay/digest.o $(COMMON)
	$(CC) $(ALL_CFLAGS) $(SANITIZERS) $(LDFLAGS) -o $@ $^ $(LIBS-step05-unpack)

# ---- the steps -----------------------------------------------------------------

# make step05, lesson-05, shell-05: programs first, then what they are for.
lab-needs-05 = $(BUILD)/busybox/index.json
define step
step$(1): $(call products,$(1)) $(lab-needs-$(1))
	@BUILD='$(BUILD)' bash $(dir-$(1))/lab.sh
shell-$(1): $(call products,$(1))
	@BUILD='$(BUILD)' tools/shell.sh $(1)
lesson-$(1):
	@$(if $(before-$(1)),diff -u --color=auto $(dir-$(before-$(1)))/main.c $(dir-$(1))/main.c || true,cat $(dir-$(1))/main.c)
dist-step$(1): $(BUILD)/dist/step$(1).tar.gz
endef
$(foreach n,$(STEPS),$(eval $(call step,$(n))))

# All that one step needs; the Makefile finds there the steps that it finds.
dist-files = Makefile LICENSE .clang-format common tools tests/run $(wildcard tests/support*.[ch] tests/*.sh) \
             $(foreach n,$(upto-$(1)),$(dir-$(n)) $(wildcard docs/step$(n)-*.md) $(call suites,$(n)))
$(BUILD)/dist/step%.tar.gz: FORCE
	@mkdir -p $(@D)
	tar -czf $@ --owner=root:0 --group=root:0 --sort=name --transform='s,^,step$*/,' $(call dist-files,$*)

image: $(BUILD)/busybox/index.json
$(BUILD)/busybox/index.json: tools/image.sh
	tools/image.sh $(BUILD)/busybox

# ---- tests ---------------------------------------------------------------------

# tests/test_step05.c drives the program; tests/test_image.c, if a step has an
# image.c, drives that module.  The modules in common/ go with step 1.
suites  = $(wildcard $(sort tests/test_step$(1).c $(patsubst %,tests/test_%.c,$(basename $(notdir \
              $(call sources,$(dir-$(1))) $(if $(before-$(1)),,$(wildcard common/*.c)))))))
SUITES := $(foreach n,$(STEPS),$(call suites,$(n)))
$(foreach lost,$(filter-out $(SUITES),$(wildcard tests/test_*.c)), \
    $(warning $(lost) is not run: no step has a module of that name))

SUPPORT := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/support*.c))
binaries = $(patsubst %.c,$(BUILD)/%,$(1))

define suite
$(call binaries,$(call suites,$(1))): $(BUILD)/tests/%: $(BUILD)/tests/%.o $(SUPPORT) $(call modules,$(1)) $(COMMON)
	$$(CC) $(ALL_CFLAGS) $(SANITIZERS) $(LDFLAGS) -o $$@ $$^ $(foreach n,$(upto-$(1)),$(LIBS-$(n))) $$$$(pkg-config --libs check)
test-step$(1): $(call products,$(1)) $(call binaries,$(call suites,$(1)))
	@tests/run $(call binaries,$(call suites,$(1)))
endef
$(foreach n,$(STEPS),$(eval $(call suite,$(n))))

suites: all $(call binaries,$(SUITES))
test: suites
	@tests/run $(call binaries,$(SUITES))

stress: all
	@BUILD='$(BUILD)' tests/stress.sh

# Built here, run there: the guest sees this machine's files.  /tmp is the guest's own.
vm-test: suites $(BUILD)/busybox/index.json
	VM_TIMEOUT=$${VM_TIMEOUT:-1800} CK_TIMEOUT_MULTIPLIER=$${CK_TIMEOUT_MULTIPLIER:-5} \
	    tests/vm/run tests/run $(call binaries,$(SUITES))

# ---- the code and the machine ----------------------------------------------------

C_FILES := $(wildcard common/*.[ch] step*/*.[ch] tests/*.[ch] tools/*.c)
SCRIPTS := $(wildcard setup.sh .ci/run tools/*.sh tools/unchroot tests/*.sh tests/run tests/vm/run step*/*.sh)

fmt:
	clang-format -i $(C_FILES)
check-fmt:
	clang-format --dry-run -Werror $(C_FILES)
lint: check-fmt
	shellcheck -x $(SCRIPTS)

deps doctor clean-host budget check-layers:
	@BUILD='$(BUILD)' tools/$@.sh

help:
	@sed -n 's/^## \{0,1\}//p' Makefile

clean:
	rm -rf $(BUILD)

-include $(wildcard $(BUILD)/*/*.d)
FORCE:
.PHONY: all clean help image suites test stress vm-test fmt check-fmt lint deps doctor clean-host budget \
        check-layers $(foreach n,$(STEPS),step$(n) shell-$(n) lesson-$(n) dist-step$(n) test-step$(n))
