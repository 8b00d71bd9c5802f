// Many busy threads at some stack depth. Usage: threads COUNT SECONDS [DEPTH]; prints the CPU time they used
// together, and how much of it was before the first and after the last loop (start-up, joining).
#include <pthread.h>

#include "truth.h"

enum { THREADS_MAX = 256, SPIN_UNIT = 20000 };

static uint64_t deadline_ns;
static int depth = 3;
static uint64_t used_ns[THREADS_MAX];

NOINLINE static void dig(int levels) {
    if (levels > 0) dig(levels - 1);
    else SPIN(SPIN_UNIT);
    SPIN(1);
}

static void *work(void *argument) {
    while (wall_ns() < deadline_ns)
        dig(depth);
    *(uint64_t *)argument = thread_cpu_ns();
    return NULL;
}

int main(int argc, char **argv) {
    end_with_parent();
    int count = argc > 1 ? atoi(argv[1]) : 16;
    if (count < 1 || count > THREADS_MAX) return 2;
    deadline_ns = wall_ns() + (uint64_t)(seconds_argument(argc, argv, 2, 5) * 1e9);
    if (argc > 3) depth = atoi(argv[3]);
    pthread_t threads[THREADS_MAX];
    for (int i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, work, &used_ns[i]) != 0) return 1;
    uint64_t sum = 0;
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        sum += used_ns[i];
    }
    printf("{\"threads\":%llu,\"total\":%llu}\n", (unsigned long long)sum,
           (unsigned long long)clock_ns(CLOCK_PROCESS_CPUTIME_ID));
    return 0;
}
