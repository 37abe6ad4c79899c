/*
 * Loaded into all processes of a sweep by LD_PRELOAD (Linux, glibc): records each change of the disk below TORTURE_ROOT, and makes
 * the faults of a plan happen at one of them. All writes of Node, Python, SQLite, Arrow and Rust come through these functions.
 *
 * TORTURE_FOLDER has
 *   plan    one fault a line, separated by tabs: role of the process, call, pattern of the path below the root, number of the match,
 *           what (kill, kill-parent, kill-cli, full, read-only, clock), when (before, half, after), argument
 *   board   64-bit numbers that all processes share: errno of every further change, seconds that the clock is off, pid of the CLI,
 *           then two for each fault: matches so far, whether it has happened
 *   trace   all changes; fired: the faults that have happened. Lines of role, call and path.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MAX_FAULTS 16
#define MAX_PATTERN 512

struct fault {
    char role[16], call[16], path[MAX_PATTERN], what[16], when[16];
    long number;
    long argument;
};

struct board {
    atomic_long error;
    atomic_long clock_s;
    atomic_long cli_pid;
    struct {
        atomic_long matches;
        atomic_long fired;
    } faults[MAX_FAULTS];
};

/* What happens at a change. */
struct verdict {
    int error;
    const struct fault *fault; /* to be carried out in the middle of the change, or after it */
};

static struct board *board;
static struct fault faults[MAX_FAULTS];
static int num_faults;
static const char *role = "other";
static char root[PATH_MAX];
static size_t root_length;
static int trace_fd = -1, fired_fd = -1;

#define REAL(name) \
    static __typeof__(&name) real; \
    if (real == NULL) \
    real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static int raw_open(const char *path, int flags) {
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0644);
}

/* Python closes descriptors that it does not know, so they are opened high, and again when they are gone. */
static void append(int *fd, const char *name, const char *line, size_t length) {
    if (syscall(SYS_write, *fd, line, length) == (long)length) return;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", getenv("TORTURE_FOLDER") ?: "", name);
    *fd = raw_open(path, O_WRONLY | O_CREAT | O_APPEND);
    syscall(SYS_write, *fd, line, length);
}

static void find_role(void) {
    char exe[PATH_MAX] = "", line[8192] = "";
    ssize_t length = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (length < 0) return;
    exe[length] = '\0';
    const char *name = strrchr(exe, '/') != NULL ? strrchr(exe, '/') + 1 : exe;
    bool is_python = strncmp(name, "python", 6) == 0;
    if (!is_python && strcmp(name, "node") != 0) return;
    int fd = raw_open("/proc/self/cmdline", O_RDONLY);
    length = syscall(SYS_read, fd, line, sizeof line - 1);
    syscall(SYS_close, fd);
    for (ssize_t i = 0; i < length; i++)
        if (line[i] == '\0') line[i] = ' ';
    if (is_python && strstr(line, "/worker/survivor.py ") != NULL) role = "survivor";
    else if (is_python && strstr(line, " cliprpn.worker ") == NULL) role = "python";
    else if (is_python) role = strstr(line, " --queue ") != NULL ? "pilot" : "child";
    else if (strstr(line, "worker-main") != NULL) role = "worker";
    else if (strstr(line, "decoder-main") != NULL) role = "decoder";
    else if (strstr(line, "cliprpn.js worker ") != NULL) role = "join";
    else if (strstr(line, "cliprpn.js") != NULL) role = "cli";
}

static void read_plan(const char *folder) {
    char path[PATH_MAX], text[16384];
    snprintf(path, sizeof path, "%s/plan", folder);
    int fd = raw_open(path, O_RDONLY);
    if (fd < 0) return;
    ssize_t length = syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    text[length > 0 ? length : 0] = '\0';
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line != NULL && num_faults < MAX_FAULTS; line = strsep(&rest, "\n")) {
        struct fault *fault = &faults[num_faults];
        if (sscanf(line, "%15[^\t]\t%15[^\t]\t%511[^\t]\t%ld\t%15[^\t]\t%15[^\t]\t%ld", fault->role, fault->call,
                   fault->path, &fault->number, fault->what, fault->when, &fault->argument) == 7)
            num_faults++;
    }
}

__attribute__((constructor)) static void start(void) {
    const char *folder = getenv("TORTURE_FOLDER"), *below = getenv("TORTURE_ROOT");
    if (folder == NULL || below == NULL) return;
    snprintf(root, sizeof root, "%s/", below);
    root_length = strlen(root);
    find_role();
    read_plan(folder);
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/board", folder);
    int fd = raw_open(path, O_RDWR);
    if (fd < 0) return;
    void *shared = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    if (shared == MAP_FAILED) return;
    board = shared;
    if (strcmp(role, "cli") == 0) atomic_store(&board->cli_pid, getpid());
}

/* Whether a path is below the root; sets the rest of it. */
static bool is_below(const char *path, const char **rest) {
    if (strncmp(path, root, root_length) != 0) return false;
    *rest = path + root_length;
    return true;
}

static bool path_at(int folder, const char *path, char *full) {
    if (board == NULL || path == NULL) return false;
    if (path[0] == '/') return snprintf(full, PATH_MAX, "%s", path) < PATH_MAX;
    char link[64], base[PATH_MAX];
    if (folder == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t length = readlink(link, base, sizeof base - 1);
    if (length < 0) return false;
    base[length] = '\0';
    return snprintf(full, PATH_MAX, "%s/%s", base, path) < PATH_MAX;
}

static bool path_of(int fd, char *full) {
    if (board == NULL) return false;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, full, PATH_MAX - 1);
    if (length < 0) return false;
    full[length] = '\0';
    return true;
}

/* The parent of Python is the Node worker, that of a pilot's Python the pilot. */
static void carry_out(const struct fault *fault) {
    if (strcmp(fault->what, "full") == 0) atomic_store(&board->error, ENOSPC);
    else if (strcmp(fault->what, "read-only") == 0) atomic_store(&board->error, EROFS);
    else if (strcmp(fault->what, "clock") == 0) atomic_store(&board->clock_s, fault->argument);
    else if (strcmp(fault->what, "kill-parent") == 0) kill(getppid(), SIGKILL);
    else if (strcmp(fault->what, "kill-cli") == 0) kill((pid_t)atomic_load(&board->cli_pid), SIGKILL);
    else kill(getpid(), SIGKILL);
}

/* On a full disk names can still change; on a read-only one nothing can. */
static bool is_hindered(const char *call, long error) {
    if (error == 0) return false;
    return error == EROFS || strcmp(call, "write") == 0 || strcmp(call, "mkdir") == 0 || strcmp(call, "grow") == 0;
}

static struct verdict look(const char *call, const char *full) {
    struct verdict verdict = {0, NULL};
    const char *path;
    if (!is_below(full, &path)) return verdict;
    int before = errno;
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%s\t%s\t%s\n", role, call, path);
    append(&trace_fd, "trace", line, (size_t)length);
    for (int i = 0; i < num_faults; i++) {
        const struct fault *fault = &faults[i];
        if (strcmp(fault->role, role) != 0 || strcmp(fault->call, call) != 0) continue;
        if (fnmatch(fault->path, path, 0) != 0) continue;
        if (atomic_fetch_add(&board->faults[i].matches, 1) + 1 != fault->number) continue;
        atomic_store(&board->faults[i].fired, 1);
        char fired[PATH_MAX + 96];
        length = snprintf(fired, sizeof fired, "%d\t%s", i, line);
        append(&fired_fd, "fired", fired, (size_t)length);
        if (strcmp(fault->when, "before") == 0) carry_out(fault);
        else verdict.fault = fault;
    }
    long error = atomic_load(&board->error);
    if (is_hindered(call, error)) verdict.error = (int)error;
    errno = before;
    return verdict;
}

/* The body of a function that makes one change, which has no middle. */
#define CHANGE(call, has_path, change) \
    char full[PATH_MAX]; \
    if (!(has_path)) return change; \
    struct verdict verdict = look(call, full); \
    if (verdict.error != 0) { \
        errno = verdict.error; \
        return -1; \
    } \
    __typeof__(change) result = change; \
    if (verdict.fault != NULL) carry_out(verdict.fault); \
    return result

/*
 * The body of a function that writes bytes or parts, of which only half are written if a fault happens in the middle. A process that
 * survives the fault is told so, as of any short write, and has to write the rest itself.
 */
#define WRITE(fd, change, half) \
    char full[PATH_MAX]; \
    if (!path_of(fd, full)) return change; \
    struct verdict verdict = look("write", full); \
    if (verdict.error != 0) { \
        errno = verdict.error; \
        return -1; \
    } \
    if (verdict.fault != NULL && strcmp(verdict.fault->when, "half") == 0) { \
        ssize_t written = half; \
        carry_out(verdict.fault); \
        if (written != 0) return written; \
        return change; \
    } \
    ssize_t result = change; \
    if (verdict.fault != NULL) carry_out(verdict.fault); \
    return result

ssize_t write(int fd, const void *bytes, size_t size) {
    REAL(write);
    WRITE(fd, real(fd, bytes, size), real(fd, bytes, size / 2));
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) {
    REAL(pwrite);
    WRITE(fd, real(fd, bytes, size, at), real(fd, bytes, size / 2, at));
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
    REAL(pwrite64);
    WRITE(fd, real(fd, bytes, size, at), real(fd, bytes, size / 2, at));
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(writev);
    WRITE(fd, real(fd, parts, count), real(fd, parts, count / 2));
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
    REAL(pwritev);
    WRITE(fd, real(fd, parts, count, at), real(fd, parts, count / 2, at));
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
    REAL(pwritev64);
    WRITE(fd, real(fd, parts, count, at), real(fd, parts, count / 2, at));
}

ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t size, unsigned flags) {
    REAL(copy_file_range);
    WRITE(out, real(in, in_at, out, out_at, size, flags), real(in, in_at, out, out_at, size / 2, flags));
}

int fsync(int fd) {
    REAL(fsync);
    CHANGE("fsync", path_of(fd, full), real(fd));
}

int fdatasync(int fd) {
    REAL(fdatasync);
    CHANGE("fsync", path_of(fd, full), real(fd));
}

int ftruncate(int fd, off_t size) {
    REAL(ftruncate);
    CHANGE("grow", path_of(fd, full), real(fd, size));
}

int ftruncate64(int fd, off64_t size) {
    REAL(ftruncate64);
    CHANGE("grow", path_of(fd, full), real(fd, size));
}

int posix_fallocate64(int fd, off64_t at, off64_t size) {
    REAL(posix_fallocate64);
    CHANGE("grow", path_of(fd, full), real(fd, at, size));
}

int rename(const char *from, const char *to) {
    REAL(rename);
    CHANGE("rename", path_at(AT_FDCWD, to, full), real(from, to));
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    REAL(renameat);
    CHANGE("rename", path_at(to_folder, to, full), real(from_folder, from, to_folder, to));
}

int link(const char *from, const char *to) {
    REAL(link);
    CHANGE("link", path_at(AT_FDCWD, to, full), real(from, to));
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    REAL(linkat);
    CHANGE("link", path_at(to_folder, to, full), real(from_folder, from, to_folder, to, flags));
}

int unlink(const char *path) {
    REAL(unlink);
    CHANGE("unlink", path_at(AT_FDCWD, path, full), real(path));
}

int unlinkat(int folder, const char *path, int flags) {
    REAL(unlinkat);
    CHANGE("unlink", path_at(folder, path, full), real(folder, path, flags));
}

int rmdir(const char *path) {
    REAL(rmdir);
    CHANGE("unlink", path_at(AT_FDCWD, path, full), real(path));
}

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    CHANGE("mkdir", path_at(AT_FDCWD, path, full), real(path, mode));
}

int mkdirat(int folder, const char *path, mode_t mode) {
    REAL(mkdirat);
    CHANGE("mkdir", path_at(folder, path, full), real(folder, path, mode));
}

/* Opening a file is a change if it creates or empties the file; a read-only disk also refuses other writers. */
#define OPEN(name, folder, change) \
    REAL(name); \
    mode_t mode = 0; \
    if (flags & (O_CREAT | __O_TMPFILE)) { \
        va_list more; \
        va_start(more, flags); \
        mode = va_arg(more, mode_t); \
        va_end(more); \
    } \
    char full[PATH_MAX]; \
    if ((flags & O_ACCMODE) == O_RDONLY || !path_at(folder, path, full)) return change; \
    bool changes = (flags & O_TRUNC) || ((flags & O_CREAT) && access(full, F_OK) != 0); \
    struct verdict verdict = {0, NULL}; \
    const char *rest; \
    if (changes) verdict = look("open", full); \
    else if (is_below(full, &rest) && atomic_load(&board->error) == EROFS) verdict.error = EROFS; \
    if (verdict.error != 0) { \
        errno = verdict.error; \
        return -1; \
    } \
    int result = change; \
    if (verdict.fault != NULL) carry_out(verdict.fault); \
    return result

int open(const char *path, int flags, ...) { OPEN(open, AT_FDCWD, real(path, flags, mode)); }

int open64(const char *path, int flags, ...) { OPEN(open64, AT_FDCWD, real(path, flags, mode)); }

int openat(int folder, const char *path, int flags, ...) { OPEN(openat, folder, real(folder, path, flags, mode)); }

int openat64(int folder, const char *path, int flags, ...) { OPEN(openat64, folder, real(folder, path, flags, mode)); }

static long clock_offset(void) { return board == NULL ? 0 : atomic_load(&board->clock_s); }

int clock_gettime(clockid_t clock, struct timespec *now) {
    REAL(clock_gettime);
    int result = real(clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += clock_offset();
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    REAL(gettimeofday);
    int result = real(now, zone);
    if (result == 0) now->tv_sec += clock_offset();
    return result;
}

time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result != NULL) *result = now.tv_sec;
    return now.tv_sec;
}
