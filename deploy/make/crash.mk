# crash.mk - the store on a disk that loses power, fails and runs full; memory that is not there.
#
#   make crash                       build/tide-crash
#   build/tide-crash cut --points 20000
#
# The program is the store as it is, linked so that its calls to the system (CRASH_WRAPS) reach a
# disk in memory. A call of daemon/store that could touch a file, the clock or memory and is not
# turned over fails the build.

CRASH_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/crash/*.c))
CRASH_WRAPS := open close read write pread pwrite lseek ftruncate fsync fdatasync flock rename \
    unlink access stat fopen clock_gettime nanosleep pthread_cond_timedwait malloc calloc realloc
CRASH_CALLS := creat open.* fopen.* freopen.* close read readv write writev pread.* pwrite.* \
    lseek.* f?truncate.* fsync fdatasync syncfs sync_file_range fallocate.* posix_fallocate.* \
    flock fcntl.* lockf.* rename.* unlink.* remove link.* symlink.* access faccessat f?stat.* \
    lstat.* mkstemp.* sendfile.* mmap.* copy_file_range clock_gettime nanosleep usleep \
    pthread_cond_timedwait malloc calloc realloc reallocarray strdup strndup v?asprintf
CRASH_OTHERS := $(filter-out %/main.o,$(SIM)) $(BUILD)/libtideall.a

crash: $(BUILD)/tide-crash

$(BUILD)/tide-crash: $(CRASH_OBJ) $(CRASH_OTHERS)
	@nm -u --format=posix $(STORE) | sed -n 's/^\([A-Za-z_0-9]*\)\(@[^ ]*\)\{0,1\} U.*/\1/p' | \
	    sort -u | grep -Ex "$$(echo '$(CRASH_CALLS)' | tr -s ' ' '|')" | \
	    grep -vFx "$$(printf '%s\n' $(CRASH_WRAPS))" | \
	    sed 's/$$/: the store calls it, tests\/crash does not know it/' | (! grep .)
	@echo "  LD   $@"
	@$(CC) $(ALL_LDFLAGS) $(addprefix -Wl$(comma)--wrap=,$(CRASH_WRAPS)) -o $@ $(CRASH_OBJ) \
	    -Wl,--start-group $(CRASH_OTHERS) -Wl,--end-group $(LIBS)

.PHONY: crash
