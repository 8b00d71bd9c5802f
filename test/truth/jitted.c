// Code made at run time, without tables: it burns, then calls back into this program. Usage: jitted
// framed|bare [seconds]; `framed` code keeps frame pointers, `bare` code does not. Prints what each part
// really used.
#include <string.h>
#include <sys/mman.h>

#include "truth.h"

typedef void (*callback)(void);
typedef void (*jit_function)(callback back, uint64_t iterations);

#if defined(__x86_64__)
static const unsigned char framed_code[] = {
    0x55,             // push %rbp
    0x48, 0x89, 0xe5, // mov %rsp, %rbp
    0x48, 0x89, 0xf8, // mov %rdi, %rax
    0x48, 0xff, 0xce, // 1: dec %rsi
    0x75, 0xfb,       // jnz 1b
    0xff, 0xd0,       // call *%rax
    0x5d, 0xc3,       // pop %rbp; ret
};
static const unsigned char bare_code[] = {
    0x48, 0x83, 0xec, 0x08, // sub $8, %rsp
    0x48, 0x89, 0xf8,       // mov %rdi, %rax
    0x48, 0xff, 0xce,       // 1: dec %rsi
    0x75, 0xfb,             // jnz 1b
    0xff, 0xd0,             // call *%rax
    0x48, 0x83, 0xc4, 0x08, // add $8, %rsp
    0xc3,                   // ret
};
#else
static const unsigned char framed_code[] = {0}, bare_code[] = {0};
#endif

static uint64_t unit_now;
static jit_function jit;

NOINLINE static void back_burn(void) {
    BURN(unit_now);
}
NOINLINE static void back_nothing(void) {
    __asm__ volatile("" ::: "memory");
}
// In the code itself.
NOINLINE static uint64_t inside_part(uint64_t unit) {
    jit(back_nothing, 3 * unit);
    return 0;
}
// In what it calls.
NOINLINE static uint64_t back_part(uint64_t unit) {
    unit_now = 2 * unit;
    jit(back_burn, 1);
    return 0;
}

static void make_code(const unsigned char *bytes, size_t count) {
    void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED) exit(1);
    memcpy(code, bytes, count);
    if (mprotect(code, 4096, PROT_READ | PROT_EXEC) != 0) exit(1);
    memcpy(&jit, &code, sizeof jit);
}

int main(int argc, char **argv) {
    end_with_parent();
    if (argc < 2 || sizeof framed_code == 1) return 2;
    if (strcmp(argv[1], "framed") == 0) make_code(framed_code, sizeof framed_code);
    else make_code(bare_code, sizeof bare_code);
    struct part parts[] = {{"inside", inside_part, 0}, {"back", back_part, 0}};
    run_parts(parts, 2, 1000000, seconds_argument(argc, argv, 2, 10));
    return 0;
}
