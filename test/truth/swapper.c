// Loads two libraries in turn, again and again: each lands where the other was. Usage: swapper A.so B.so
// [seconds] [milliseconds each]; prints what each part really used, and how often a library took the other's
// address.
#include <dlfcn.h>

#include "truth.h"

static const char *paths[2];
static double milliseconds = 200;
static uintptr_t last_address;
static uint64_t same_address;

static void swap_run(const char *path) {
    void *library = dlopen(path, RTLD_NOW);
    if (!library) exit((fprintf(stderr, "%s\n", dlerror()), 1));
    void (*burn)(uint64_t);
    *(void **)&burn = dlsym(library, "swap_burn");
    if (!burn) exit(1);
    same_address += (uintptr_t)burn >> 12 == last_address;
    last_address = (uintptr_t)burn >> 12;
    uint64_t until = thread_cpu_ns() + (uint64_t)(milliseconds * 1e6);
    while (thread_cpu_ns() < until)
        burn(50000);
    dlclose(library);
}
NOINLINE static uint64_t a_part(uint64_t unit) {
    swap_run(paths[0]);
    return unit * 0;
}
NOINLINE static uint64_t b_part(uint64_t unit) {
    swap_run(paths[1]);
    return unit * 0;
}

int main(int argc, char **argv) {
    end_with_parent();
    if (argc < 3) return 2;
    paths[0] = argv[1];
    paths[1] = argv[2];
    milliseconds = seconds_argument(argc, argv, 4, 200);
    struct part parts[] = {{"a", a_part, 0}, {"b", b_part, 0}};
    run_parts(parts, 2, 1, seconds_argument(argc, argv, 3, 10));
    fprintf(stderr, "same_address %llu\n", (unsigned long long)same_address);
    return 0;
}
