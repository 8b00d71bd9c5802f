// SPDX-License-Identifier: Apache-2.0
// The program that test/kernels profiles: built without frame pointers, its stacks are known from this text.
// It runs until it is killed.
//   known sort    main -> sort_for_ever -> (qsort) -> compare -> burn
//   known deep    main -> descend, DEPTH times -> burn
//   known forks   main -> breed -> in the child: child_work -> burn
//   known execs   main -> breed -> in the child, after exec: main -> burst -> burn
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEPTH 500
#define ROUNDS_OF_A_CHILD 2000000
#define KEPT __attribute__((noinline, noclone, noipa)) /* a frame of its own */

static volatile unsigned sink;

KEPT static void burn(unsigned rounds) {
    for (unsigned i = 0; i < rounds; i++)
        sink = sink * 1103515245 + 12345;
}

KEPT static int compare(const void *a, const void *b) {
    burn(1000);
    return *(const int *)a - *(const int *)b;
}

KEPT static void sort_for_ever(void) {
    int values[64];
    for (;;) {
        for (int i = 0; i < 64; i++)
            values[i] = (i * 37) % 64;
        qsort(values, 64, sizeof(values[0]), compare);
        sink += (unsigned)values[5];
    }
}

KEPT static void descend(int levels) {
    if (levels > 1) descend(levels - 1);
    burn(UINT_MAX); /* minutes at the bottom: every sample has the whole depth */
}

KEPT static void child_work(void) {
    burn(ROUNDS_OF_A_CHILD);
}

KEPT static void burst(void) {
    burn(ROUNDS_OF_A_CHILD);
}

KEPT static void breed(char *program) {
    for (;;) {
        pid_t child = fork();
        if (child > 0) {
            waitpid(child, NULL, 0);
        } else if (program) {
            execl(program, program, "burst", (char *)NULL);
            _exit(1);
        } else {
            child_work();
            _exit(0);
        }
    }
}

int main(int count, char **arguments) {
    const char *mode = count > 1 ? arguments[1] : "";
    if (!strcmp(mode, "sort")) sort_for_ever();
    else if (!strcmp(mode, "deep")) descend(DEPTH);
    else if (!strcmp(mode, "forks")) breed(NULL);
    else if (!strcmp(mode, "execs")) breed(arguments[0]);
    else if (!strcmp(mode, "burst")) burst();
    else return 2;
    return 0;
}
