// Many short processes, one after the other. Usage: storm MODE COUNT MS PAUSE_MS [PROGRAM...], MODE one of
//   fork      children that burn MS of CPU in `child_burn`
//   exec      children that become PROGRAM with the argument MS; the programs take turns
//   same-pid  the same, and every child has the number of the one before it
// Prints how many there were and the CPU time they used, as the kernel counted it.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "truth.h"

static uint64_t used_ns;
static pid_t number; // of the child before

NOINLINE static void child_burn(uint64_t until_ns) {
    while (thread_cpu_ns() < until_ns)
        BURN(20000);
}

static pid_t fork_as(pid_t pid) {
    if (pid == 0) return fork();
    struct clone_args arguments;
    memset(&arguments, 0, sizeof arguments);
    arguments.exit_signal = SIGCHLD;
    arguments.set_tid = (uint64_t)(uintptr_t)&pid;
    arguments.set_tid_size = 1;
    return (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
}

static void reap(pid_t child) {
    struct rusage usage;
    int status = 0;
    if (wait4(child, &status, 0, &usage) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) exit(3);
    used_ns += (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000u +
               (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000u;
}

static void run_child(const char *program, char *milliseconds) {
    if (!program) {
        child_burn((uint64_t)(atof(milliseconds) * 1e6));
        _exit(0);
    }
    execl(program, program, milliseconds, NULL);
    _exit(4);
}

int main(int argc, char **argv) {
    end_with_parent();
    if (argc < 5) return 2;
    int is_fork = strcmp(argv[1], "fork") == 0, is_same = strcmp(argv[1], "same-pid") == 0;
    int count = atoi(argv[2]), programs = argc - 5;
    if (!is_fork && programs == 0) return 2;
    for (int i = 0; i < count; i++) {
        pid_t child = fork_as(is_same ? number : 0);
        if (child == 0) run_child(is_fork ? NULL : argv[5 + i % programs], argv[3]);
        if (child < 0) return fprintf(stderr, "child %d: %s\n", i, strerror(errno)), 1;
        number = child;
        reap(child);
        usleep((useconds_t)(atof(argv[4]) * 1e3));
    }
    printf("{\"children\":%d,\"total\":%llu}\n", count, (unsigned long long)used_ns);
    return 0;
}
