// Spends its time in the dynamic linker: loads two libraries, calls 256 functions that are bound at their
// first call, unloads them, and so on. Usage: lazy CALLEES.so CALLS.so [seconds]; prints what each part
// really used.
#include <dlfcn.h>

#include "truth.h"

static const char *paths[2];
static void *libraries[2];
static uint64_t (*call_all)(uint64_t);

NOINLINE static uint64_t load_part(uint64_t unit) {
    for (int i = 1; i >= 0; i--)
        if (libraries[i]) dlclose(libraries[i]);
    for (int i = 0; i < 2; i++) {
        libraries[i] = dlopen(paths[i], RTLD_LAZY | RTLD_GLOBAL);
        if (!libraries[i]) exit((fprintf(stderr, "%s\n", dlerror()), 1));
    }
    *(void **)&call_all = dlsym(libraries[1], "lazy_call_all");
    if (!call_all) exit(1);
    BURN(unit);
    return 0;
}
NOINLINE static uint64_t bind_part(uint64_t unit) {
    return call_all(unit / 10000) * 0;
}

int main(int argc, char **argv) {
    end_with_parent();
    if (argc < 3) return 2;
    paths[0] = argv[1];
    paths[1] = argv[2];
    struct part parts[] = {{"load", load_part, 0}, {"bind", bind_part, 0}};
    run_parts(parts, 2, 1000000, seconds_argument(argc, argv, 3, 10));
    return 0;
}
