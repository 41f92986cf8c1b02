# crash.mk - the store on a disk that loses power, fails and runs full; memory that is not there.
#
#   make crash                       build/tide-crash
#   build/tide-crash cut --points 20000
#
# The program is the store as it is, linked so that its calls to the system (CRASH_WRAPS) reach a disk
# in memory. A call of daemon/store that could touch a file and is not turned over fails the build.

CRASH_SRC := $(wildcard tests/crash/*.c)
CRASH_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(CRASH_SRC))
CRASH_WRAPS := open close read write pread pwrite lseek ftruncate fsync fdatasync flock rename \
    unlink access stat fopen clock_gettime nanosleep pthread_cond_timedwait malloc calloc realloc
CRASH_FILES := creat|open.*|fopen.*|freopen.*|close|read|readv|write|writev|pread.*|pwrite.*|lseek.*
CRASH_FILES := $(CRASH_FILES)|f?truncate.*|fsync|fdatasync|syncfs|sync_file_range|fallocate.*
CRASH_FILES := $(CRASH_FILES)|posix_fallocate.*|flock|fcntl.*|lockf.*|rename.*|unlink.*|remove|link.*
CRASH_FILES := $(CRASH_FILES)|symlink.*|access|faccessat|f?stat.*|lstat.*|mkstemp.*|sendfile.*|mmap.*
CRASH_FILES := $(CRASH_FILES)|copy_file_range|clock_gettime|nanosleep|pthread_cond_timedwait
CRASH_FILES := $(CRASH_FILES)|malloc|calloc|realloc|reallocarray|strdup|strndup|asprintf

crash: $(BUILD)/tide-crash

$(BUILD)/tide-crash: $(CRASH_OBJ) $(filter-out %/main.o,$(SIM)) $(BUILD)/libtideall.a $(STORE)
	@nm -u --format=posix $(STORE) | sed -n 's/^\([A-Za-z_]*\)\(@[^ ]*\)\? U.*/\1/p' | sort -u | \
	    grep -Ex '$(CRASH_FILES)' | \
	    grep -vFx "$$(printf '%s\n' $(CRASH_WRAPS))" | sed 's/$$/: the store calls it, tests\/crash does not/' | \
	    (! grep .)
	@echo "  LD   $@"
	@$(CC) $(ALL_LDFLAGS) $(addprefix -Wl$(comma)--wrap=,$(CRASH_WRAPS)) -o $@ $(CRASH_OBJ) \
	    -Wl,--start-group $(filter-out %/main.o,$(SIM)) $(BUILD)/libtideall.a -Wl,--end-group $(LIBS)

.PHONY: crash
