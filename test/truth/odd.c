// A process that is odd in one way while it burns. Usage: odd KIND [seconds], KIND one of
//   name       thread and process names with line feeds and escape sequences
//   mappings   60 000 executable mappings of the program's own file
//   jit        burns in anonymous executable memory
// Prints "ready" once it is odd.
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "truth.h"

enum { MAPPINGS = 60000 };

__attribute__((section("copied_code"), noinline)) static void copied_burn(uint64_t iterations) {
    SPIN(iterations);
}
extern const char __start_copied_code[], __stop_copied_code[];

typedef void (*burn_function)(uint64_t);

NOINLINE static void odd_burn(uint64_t iterations) {
    SPIN(iterations);
}

static burn_function as_function(void *address) {
    burn_function function;
    memcpy(&function, &address, sizeof function);
    return function;
}

// Neighbours differ in protection, so the kernel cannot merge them.
static int map_much(void) {
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    long page = sysconf(_SC_PAGESIZE);
    char *area = mmap(NULL, (size_t)(MAPPINGS * page), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (fd < 0 || area == MAP_FAILED) return 1;
    for (long i = 0; i < MAPPINGS; i++) {
        int protection = i % 2 ? PROT_READ | PROT_EXEC : PROT_READ;
        if (mmap(area + i * page, (size_t)page, protection, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED)
            return 1;
    }
    return 0;
}

static burn_function copy_code(void) {
    size_t bytes = (size_t)(__stop_copied_code - __start_copied_code);
    char *code = mmap(NULL, bytes, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED) exit(1);
    memcpy(code, __start_copied_code, bytes);
    __builtin___clear_cache(code, code + bytes);
    return as_function(code);
}

int main(int argc, char **argv) {
    end_with_parent();
    const char *kind = argc > 1 ? argv[1] : "";
    burn_function burn = odd_burn;
    if (strcmp(kind, "name") == 0) prctl(PR_SET_NAME, "a\nb\033[31mc\a\r\xff");
    else if (strcmp(kind, "mappings") == 0 && map_much() != 0) return 1;
    else if (strcmp(kind, "jit") == 0) burn = copy_code();
    printf("ready %p\n", *(void **)&burn);
    fflush(stdout);
    uint64_t deadline = wall_ns() + (uint64_t)(seconds_argument(argc, argv, 2, 10) * 1e9);
    while (wall_ns() < deadline)
        burn(100000);
    copied_burn(1);
    return 0;
}
