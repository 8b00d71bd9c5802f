// A busy program for `npm start`: two threads that decode, sort and compress made-up records until the time
// is up, so that the flame graph shows stages by name, helpers the compiler inlined, and two threads side by
// side. Usage: busy [seconds]. It also ends with the process that started it.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

enum { RECORDS = 4096, RECORD_BYTES = 16, WINDOW = 16 };

struct record {
    uint32_t key;
    uint32_t checksum;
};

struct worker {
    uint8_t input[RECORDS * RECORD_BYTES];
    uint8_t packed[2 * RECORDS * sizeof(struct record)];
    struct record records[RECORDS];
    uint32_t seed;
    uint64_t packed_bytes;
};

static time_t deadline;

static inline uint32_t next_random(uint32_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    return *seed ^= *seed << 5;
}

__attribute__((noinline)) static void read_input(struct worker *worker) {
    for (size_t i = 0; i < sizeof worker->input; i++)
        worker->input[i] = (uint8_t)('a' + next_random(&worker->seed) % 6);
}

static inline uint32_t checksum(const uint8_t *bytes) {
    uint32_t sum = 1;
    for (int round = 0; round < 6; round++)
        for (int i = 0; i < RECORD_BYTES; i++)
            sum = (sum ^ bytes[i]) * 16777619u;
    return sum;
}

static inline uint32_t parse_key(const uint8_t *bytes) {
    uint32_t key = 0;
    for (int i = 0; i < RECORD_BYTES; i++)
        key = key * 7 + (bytes[i] - 'a');
    return key;
}

__attribute__((noinline)) static void decode_records(struct worker *worker) {
    for (int i = 0; i < RECORDS; i++) {
        const uint8_t *bytes = worker->input + i * RECORD_BYTES;
        worker->records[i] = (struct record){parse_key(bytes), checksum(bytes)};
    }
}

static inline bool is_before(const struct record *a, const struct record *b) {
    return a->key < b->key || (a->key == b->key && a->checksum < b->checksum);
}

__attribute__((noinline)) static void sift_down(struct record *heap, int at, int count) {
    struct record moved = heap[at];
    for (int child = 2 * at + 1; child < count; at = child, child = 2 * at + 1) {
        if (child + 1 < count && is_before(&heap[child], &heap[child + 1])) child++;
        if (!is_before(&moved, &heap[child])) break;
        heap[at] = heap[child];
    }
    heap[at] = moved;
}

// A heap sort of our own: the C library's sort keeps no frame pointers, which would cut the stacks below it.
__attribute__((noinline)) static void sort_records(struct worker *worker) {
    struct record *heap = worker->records;
    for (int i = RECORDS / 2; i-- > 0;)
        sift_down(heap, i, RECORDS);
    for (int last = RECORDS - 1; last > 0; last--) {
        struct record largest = heap[0];
        heap[0] = heap[last];
        heap[last] = largest;
        sift_down(heap, 0, last);
    }
}

static inline size_t match_length(const uint8_t *a, const uint8_t *b, const uint8_t *end) {
    size_t length = 0;
    while (b + length < end && a[length] == b[length])
        length++;
    return length;
}

// The longest earlier match within the window is written as two bytes, anything else as one literal.
__attribute__((noinline)) static size_t compress_records(struct worker *worker) {
    const uint8_t *start = (const uint8_t *)worker->records, *end = start + sizeof worker->records;
    uint8_t *out = worker->packed;
    for (const uint8_t *at = start; at < end;) {
        size_t best = 0, distance = 0;
        for (size_t back = 1; back <= WINDOW && back <= (size_t)(at - start); back++) {
            size_t length = match_length(at - back, at, end);
            if (length > best) best = length, distance = back;
        }
        if (best > 2) *out++ = (uint8_t)distance, *out++ = (uint8_t)best, at += best;
        else *out++ = *at++;
    }
    return (size_t)(out - worker->packed);
}

static void *run_worker(void *argument) {
    struct worker *worker = argument;
    while (time(NULL) < deadline) {
        read_input(worker);
        decode_records(worker);
        sort_records(worker);
        worker->packed_bytes += compress_records(worker);
    }
    return NULL;
}

int main(int argc, char **argv) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    deadline = time(NULL) + (argc > 1 ? atoi(argv[1]) : 10);
    struct worker *workers = calloc(2, sizeof *workers);
    if (!workers) return 1;
    workers[0].seed = 1, workers[1].seed = 2;
    pthread_t second;
    if (pthread_create(&second, NULL, run_worker, &workers[1]) != 0) return 1;
    pthread_setname_np(second, "busy-helper");
    run_worker(&workers[0]);
    pthread_join(second, NULL);
    printf("%llu bytes packed\n", (unsigned long long)(workers[0].packed_bytes + workers[1].packed_bytes));
    free(workers);
    return 0;
}
