// Stacks that begin elsewhere than in `_start`, or are shared: children of vfork, clones on a stack of their
// own, threads. Usage: clones [seconds]; prints what each part really used.
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "truth.h"

enum { STACK_BYTES = 65536 };

NOINLINE static void child_burn(uint64_t unit) {
    BURN(unit);
}

// CPU that an ended child used.
static uint64_t reap(pid_t child) {
    struct rusage usage;
    int status;
    if (child < 0 || wait4(child, &status, __WALL, &usage) != child) exit(1);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000u +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000u;
}

NOINLINE static uint64_t vfork_part(uint64_t unit) {
    pid_t child = vfork();
    if (child == 0) {
        child_burn(unit);
        _exit(0);
    }
    return reap(child);
}

static int clone_child(void *unit) {
    child_burn(*(uint64_t *)unit);
    return 0;
}
NOINLINE static uint64_t clone_part(uint64_t unit) {
    static char *stack;
    if (!stack) stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED) exit(1);
    return reap(clone(clone_child, stack + STACK_BYTES, CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD, &unit));
}

static void *thread_child(void *unit) {
    child_burn(*(uint64_t *)unit);
    *(uint64_t *)unit = thread_cpu_ns();
    return NULL;
}
NOINLINE static uint64_t thread_part(uint64_t unit) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, thread_child, &unit) != 0) exit(1);
    pthread_join(thread, NULL);
    return unit;
}

int main(int argc, char **argv) {
    end_with_parent();
    struct part parts[] = {{"vfork", vfork_part, 0}, {"clone", clone_part, 0}, {"thread", thread_part, 0}};
    run_parts(parts, 3, 4000000, seconds_argument(argc, argv, 1, 10));
    return 0;
}
