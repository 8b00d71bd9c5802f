/*
 * Publishes a process context (OTEP 4719) as its tests want it, honest or not. Commands on stdin, one a line,
 * each answered with a line: `publish <hex>`, `size N`, `pointer N`, `time N`, `version N`, `signature`,
 * `absent` (the payload is in a page that blocks whoever touches it), `flicker` (such a page is there for a
 * moment, then not until long after somebody waits for it), `race` (the time never stands still), `drop`.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096

struct header {
    char signature[8];
    uint32_t version;
    uint32_t size;
    _Atomic uint64_t published_ns;
    uint64_t payload;
};

static struct header *header;
static unsigned char payload[1 << 17];

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct header *map_header(const char *kind) {
    int rights = PROT_READ | PROT_WRITE | (strcmp(kind, "exec") == 0 ? PROT_EXEC : 0);
    int fd = -1, flags = MAP_PRIVATE | MAP_ANONYMOUS;
    void *at;

    if (strcmp(kind, "anon") != 0) {
        fd = memfd_create("OTEL_CTX", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0 || ftruncate(fd, PAGE) != 0) return NULL;
        flags = MAP_PRIVATE;
    }
    at = mmap(NULL, PAGE, rights, flags, fd, 0);
    if (at == MAP_FAILED) return NULL;
    madvise(at, PAGE, MADV_DONTFORK);
    if (strcmp(kind, "anon") == 0 && prctl(0x53564d41, 0, at, PAGE, "OTEL_CTX") != 0)
        return NULL; /* PR_SET_VMA_ANON_NAME: not in every kernel */
    return at;
}

static void publish(const char *hex) {
    uint32_t size = 0;
    unsigned int byte;

    atomic_store(&header->published_ns, 0);
    for (; size < sizeof(payload) && sscanf(hex + 2 * (size_t)size, "%2x", &byte) == 1; size++)
        payload[size] = (unsigned char)byte;
    memcpy(header->signature, "OTEL_CTX", 8);
    header->version = 2;
    header->size = size;
    header->payload = (uint64_t)(uintptr_t)payload;
    atomic_store(&header->published_ns, now_ns());
}

static int faults = -1;

/* A page nobody fills in: reading it waits for us, and we do nothing. */
static int absent_page(void) {
    struct uffdio_api api = {.api = UFFD_API};
    struct uffdio_register range = {.mode = UFFDIO_REGISTER_MODE_MISSING};
    void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || at == MAP_FAILED || ioctl(fd, UFFDIO_API, &api) != 0) return -1;
    range.range.start = (uint64_t)(uintptr_t)at;
    range.range.len = PAGE;
    if (ioctl(fd, UFFDIO_REGISTER, &range) != 0) return -1;
    faults = fd;
    header->payload = range.range.start;
    return 0;
}

static void *flicker(void *unused) {
    static unsigned char content[PAGE];
    struct uffdio_copy copy = {.dst = header->payload, .src = (uint64_t)(uintptr_t)content, .len = PAGE};

    (void)unused;
    memcpy(content, payload, header->size);
    for (;;) {
        struct pollfd waits = {.fd = faults, .events = POLLIN};
        struct uffd_msg message;

        ioctl(faults, UFFDIO_COPY, &copy);
        usleep(50);
        madvise((void *)(uintptr_t)header->payload, PAGE, MADV_DONTNEED);
        if (poll(&waits, 1, 1) <= 0 || read(faults, &message, sizeof(message)) <= 0) continue;
        usleep(3000000); /* somebody waits: let him, for longer than a reader should */
    }
    return NULL;
}

static void *race(void *unused) {
    (void)unused;
    for (uint64_t time = now_ns();; time++)
        atomic_store(&header->published_ns, time);
    return NULL;
}

int main(int argc, char **argv) {
    static char line[1 << 19];

    header = map_header(argc > 1 ? argv[1] : "memfd");
    puts(header ? "ready" : "unsupported");
    fflush(stdout);
    while (header && fgets(line, sizeof(line), stdin)) {
        char *argument = strchr(line, ' ');
        uint64_t number = argument ? strtoull(argument + 1, NULL, 0) : 0;
        const char *answer = "ok";
        pthread_t thread;

        if (strncmp(line, "publish ", 8) == 0) publish(line + 8);
        else if (strncmp(line, "size ", 5) == 0) header->size = (uint32_t)number;
        else if (strncmp(line, "pointer ", 8) == 0) header->payload = number;
        else if (strncmp(line, "time ", 5) == 0) atomic_store(&header->published_ns, number);
        else if (strncmp(line, "version ", 8) == 0) header->version = (uint32_t)number;
        else if (strncmp(line, "signature", 9) == 0) memcpy(header->signature, "OTEL_XXX", 8);
        else if (strncmp(line, "absent", 6) == 0) answer = absent_page() == 0 ? "ok" : "unsupported";
        else if (strncmp(line, "flicker", 7) == 0) {
            answer = absent_page() == 0 ? "ok" : "unsupported";
            if (faults >= 0) pthread_create(&thread, NULL, flicker, NULL);
        } else if (strncmp(line, "race", 4) == 0) pthread_create(&thread, NULL, race, NULL);
        else if (strncmp(line, "drop", 4) == 0) munmap(header, PAGE);
        else answer = "unknown";
        puts(answer);
        fflush(stdout);
    }
    return 0;
}
