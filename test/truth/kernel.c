// Spends its time inside the kernel. Usage: kernel [seconds]; clears large buffers by reading /dev/zero in
// `read_zeros`, called from `outer`; prints its user and system time.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "truth.h"

enum { BUFFER_BYTES = 1 << 20 };

static char buffer[BUFFER_BYTES];

// read(2) without the C library, whose wrapper has no frame pointer and would hide its caller.
static inline long raw_read(int fd, void *to, unsigned long bytes) {
#if defined(__aarch64__)
    register long number __asm__("x8") = 63;
    register long result __asm__("x0") = fd;
    register void *second __asm__("x1") = to;
    register unsigned long third __asm__("x2") = bytes;
    __asm__ volatile("svc 0" : "+r"(result) : "r"(number), "r"(second), "r"(third) : "memory");
    return result;
#else
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(0), "D"(fd), "S"(to), "d"(bytes)
                     : "rcx", "r11", "memory");
    return result;
#endif
}

NOINLINE static long read_zeros(int fd) {
    long sum = 0;
    SPIN(1);
    for (int i = 0; i < 16; i++)
        sum += raw_read(fd, buffer, sizeof buffer);
    return sum;
}

NOINLINE static long outer(int fd) {
    return read_zeros(fd) + 1;
}

int main(int argc, char **argv) {
    end_with_parent();
    uint64_t deadline = wall_ns() + (uint64_t)(seconds_argument(argc, argv, 1, 3) * 1e9);
    int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 1;
    long sum = 0;
    while (wall_ns() < deadline)
        sum += outer(fd);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"bytes\":%ld,\"user\":%.0f,\"system\":%.0f}\n", sum,
           (double)usage.ru_utime.tv_sec * 1e9 + (double)usage.ru_utime.tv_usec * 1e3,
           (double)usage.ru_stime.tv_sec * 1e9 + (double)usage.ru_stime.tv_usec * 1e3);
    return 0;
}
