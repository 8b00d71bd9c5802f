// Stacks that no table describes. Usage: wild KIND [seconds], KIND one of
//   own-stack   burns on memory of its own, which it made the stack by hand
//   low, text, kernel, noncanonical   burns with the stack pointer at such an address
//   unmapped    runs code that unmaps itself
// Prints the CPU time it used. All burning is done below `wild_main`.
#include <setjmp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "truth.h"

enum { STACK_BYTES = 65536, PAGE = 4096 };

static sigjmp_buf escape;

NOINLINE static void wild_burn(void) {
    BURN(2000000);
}

#if defined(__x86_64__)
// The compiler's tables know nothing of this switch.
NOINLINE static void wild_own_stack(void) {
    static char *stack;
    if (!stack) stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED) exit(1);
    memset(stack, 0x5a, STACK_BYTES); // a zero would pass for the end of the stack
    __asm__ volatile(
        "mov %%rsp, %%rbx\n mov %0, %%rsp\n call *%1\n mov %%rbx, %%rsp" ::"r"(stack + STACK_BYTES - 64),
        "r"(wild_burn)
        : "rbx", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
}

NOINLINE static void wild_pointer(uint64_t stack_pointer) {
    __asm__ volatile("mov %%rsp, %%rbx\n mov %0, %%rsp\n mov $2000000, %%ecx\n 1: dec %%ecx\n jnz 1b\n"
                     "mov %%rbx, %%rsp" ::"r"(stack_pointer)
                     : "rbx", "rcx", "memory", "cc");
}

// mov $2000000, %ecx; 1: dec %ecx; jnz 1b; syscall (munmap of this page); nop
static const unsigned char self_unmapping[] = {0xb9, 0x80, 0x84, 0x1e, 0x00, 0xff,
                                               0xc9, 0x75, 0xfc, 0x0f, 0x05, 0x90};

NOINLINE static void wild_unmapped(void) {
    char *code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED) exit(1);
    memcpy(code, self_unmapping, sizeof self_unmapping);
    if (sigsetjmp(escape, 1) == 0)
        __asm__ volatile("call *%0" ::"r"(code), "a"((uint64_t)SYS_munmap), "D"(code), "S"((uint64_t)PAGE)
                         : "rcx", "r11", "memory", "cc");
}
#else
NOINLINE static void wild_own_stack(void) {
    exit(2);
}
NOINLINE static void wild_pointer(uint64_t stack_pointer) {
    exit(stack_pointer ? 2 : 2);
}
NOINLINE static void wild_unmapped(void) {
    exit(2);
}
#endif

static void handle_fault(int signal) {
    (void)signal;
    siglongjmp(escape, 1);
}

NOINLINE static void wild_main(const char *kind) {
    if (strcmp(kind, "own-stack") == 0) wild_own_stack();
    else if (strcmp(kind, "low") == 0) wild_pointer(0x10);
    else if (strcmp(kind, "text") == 0) wild_pointer((uint64_t)(uintptr_t)&wild_main & ~15ull);
    else if (strcmp(kind, "kernel") == 0) wild_pointer(0xffff888000001000u);
    else if (strcmp(kind, "noncanonical") == 0) wild_pointer(0x8000000000000000u);
    else if (strcmp(kind, "unmapped") == 0) wild_unmapped();
    else exit(2);
}

int main(int argc, char **argv) {
    end_with_parent();
    if (argc < 2) return 2;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handle_fault;
    sigaction(SIGSEGV, &action, NULL);
    uint64_t deadline = wall_ns() + (uint64_t)(seconds_argument(argc, argv, 2, 10) * 1e9);
    while (wall_ns() < deadline)
        wild_main(argv[1]);
    printf("{\"total\":%llu}\n", (unsigned long long)thread_cpu_ns());
    return 0;
}
