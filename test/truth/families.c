// Families of processes. Usage:
//   families server COUNT MS   a server whose children burn MS of CPU each, one after the other, and exit
//   families chain STEPS MS    burns MS, then becomes itself again by exec, STEPS times, each under another
//   name
// Prints the number of children and the CPU they used. Burning is done in `child_burn` and `stage_burn`.
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "truth.h"

NOINLINE static void child_burn(uint64_t until_ns) {
    while (thread_cpu_ns() < until_ns)
        SPIN(200000);
}

NOINLINE static void stage_burn(uint64_t until_ns) {
    while (thread_cpu_ns() < until_ns)
        SPIN(200000);
}

static int serve(int count, double ms) {
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        if (child < 0) return 1;
        if (child == 0) {
            child_burn((uint64_t)(ms * 1e6));
            _exit(0);
        }
        if (waitpid(child, NULL, 0) < 0) return 1;
    }
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    double used = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e9 +
                  (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e3;
    printf("{\"children\":%d,\"total\":%.0f}\n", count, used);
    return 0;
}

static int chain(int steps, const char *ms) {
    stage_burn(thread_cpu_ns() + (uint64_t)(atof(ms) * 1e6));
    if (steps <= 1) {
        printf("{\"total\":%llu}\n", (unsigned long long)clock_ns(CLOCK_PROCESS_CPUTIME_ID));
        return 0;
    }
    char left[16], name[32];
    snprintf(left, sizeof left, "%d", steps - 1);
    snprintf(name, sizeof name, "stage-%d", steps - 1);
    execl("/proc/self/exe", name, "chain", left, ms, NULL);
    return 1;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    // An exec keeps this setting, and a chain's later steps have the same parent.
    end_with_parent();
    if (strcmp(argv[1], "server") == 0) return serve(atoi(argv[2]), atof(argv[3]));
    return chain(atoi(argv[2]), argv[3]);
}
