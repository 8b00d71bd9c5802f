// Loads a library while it runs and burns in its `plugin_burn`. Usage: loader PATH [seconds] [delay seconds]
#include <dlfcn.h>

#include "truth.h"

NOINLINE static void before_load(uint64_t until) {
    while (wall_ns() < until)
        SPIN(20000);
}

int main(int argc, char **argv) {
    end_with_parent();
    if (argc < 2) return 2;
    uint64_t start = wall_ns();
    before_load(start + (uint64_t)(seconds_argument(argc, argv, 3, 0.3) * 1e9));
    void *library = dlopen(argv[1], RTLD_NOW);
    if (!library) return fprintf(stderr, "%s\n", dlerror()), 1;
    void (*burn)(uint64_t);
    *(void **)&burn = dlsym(library, "plugin_burn");
    if (!burn) return 1;
    puts("loaded");
    fflush(stdout);
    uint64_t deadline = wall_ns() + (uint64_t)(seconds_argument(argc, argv, 2, 3) * 1e9);
    while (wall_ns() < deadline)
        burn(100000);
    return 0;
}
