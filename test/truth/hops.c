// Burns at the end of a recursion in which every frame lies in another file, and on another page of its
// table, than the one above. Usage: hops DEPTH SECONDS LIBRARY...; DEPTH frames lie in the libraries.
#include <dlfcn.h>

#include "truth.h"

typedef uint64_t hop_function(int levels, uint64_t unit);

enum { PAGES = 4, LIBRARIES_MAX = 64 };

static hop_function *functions[LIBRARIES_MAX][PAGES];
static int libraries;

hop_function *hop_next(int levels) {
    return functions[levels % libraries][levels / libraries % PAGES];
}
NOINLINE uint64_t hop_leaf(uint64_t unit) {
    BURN(unit);
    return unit;
}

static void load(const char *path) {
    void *library = dlopen(path, RTLD_NOW);
    if (!library) exit((fprintf(stderr, "%s\n", dlerror()), 1));
    for (int page = 0; page < PAGES; page++) {
        char name[8];
        snprintf(name, sizeof name, "hop_%d", page);
        *(void **)&functions[libraries][page] = dlsym(library, name);
        if (!functions[libraries][page]) exit(1);
    }
    libraries++;
}

int main(int argc, char **argv) {
    end_with_parent();
    if (argc < 4 || argc > 3 + LIBRARIES_MAX) return 2;
    for (int i = 3; i < argc; i++)
        load(argv[i]);
    uint64_t deadline = wall_ns() + (uint64_t)(atof(argv[2]) * 1e9);
    int depth = atoi(argv[1]);
    while (wall_ns() < deadline)
        hop_next(depth)(depth - 1, 5000000);
    printf("{\"total\":%llu}\n", (unsigned long long)thread_cpu_ns());
    return 0;
}
