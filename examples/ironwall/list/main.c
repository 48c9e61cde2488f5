/*
 * A list of ten million cells, built, collected and checked on a thread with a stack of 64 KiB: marking does not
 * recurse, so the depth of a structure costs no stack.
 *
 * usage: list [CELLS] [--zeal]
 */
#define _GNU_SOURCE
#include "start.h"
#include "list.h"

#include <alloca.h>
#include <inttypes.h>
#include <pthread.h>

#define STACK ((size_t)64 << 10)
/* What a cell takes: its prefix and two words. The list is made twice, and once again in what became free. */
#define CELL_BYTES 48

static uint64_t cells = 10 * 1000 * 1000;
static uint32_t flags;

/* Makes a list, the last number first. Allocation does not collect, so the list needs no frame while it grows. */
static iw_ref make(iw_runtime *heap, uint64_t count)
{
    iw_ref head = 0;
    uint64_t number;

    for (number = count; number > 0; number--) {
        iw_ref cell = list_Cell_new(heap);
        if (cell == 0) {
            example_fail(heap, "allocate", iw_allocation_status(heap));
        }
        list_Cell_at(cell)->number = number;
        list_Cell_at(cell)->next = head;
        head = cell;
    }
    return head;
}

/* Whether the numbers of a list are 1 to `count`. */
static int is_whole(iw_ref head, uint64_t count)
{
    uint64_t number = 0;

    for (; head != 0; head = list_Cell_at(head)->next) {
        if (list_Cell_at(head)->number != ++number) {
            return 0;
        }
    }
    return number == count;
}

static void tell(const char *what, const iw_report *report)
{
    printf("%s: live %" PRIu64 ", dead %" PRIu64 "\n", what, report->live, report->dead);
}

/* The frame holds the list; a second list that nothing holds is reclaimed, and its room used again. */
IW_FRAMED static int run(iw_runtime *heap)
{
    list_locals frame;
    iw_report report;
    int is_good;

    list_locals_push(heap, &frame);
    frame.head = make(heap, cells);
    iw_may_collect(heap);
    make(heap, cells);
    report = example_collect(heap);
    tell("one list is held", &report);
    is_good = report.live == cells && is_whole(frame.head, cells);

    list_Cell_at(frame.head)->next = 0;
    report = example_collect(heap);
    tell("one cell is held", &report);
    is_good = is_good && report.live == 1 && is_whole(frame.head, 1);

    frame.head = make(heap, cells);
    report = example_collect(heap);
    tell("another list is held", &report);
    is_good = is_good && report.live == cells && is_whole(frame.head, cells);
    list_locals_pop(heap, &frame);
    return is_good;
}

__attribute__((noinline)) static void *on_small_stack(void *result)
{
    iw_unit unit = list_unit();
    iw_runtime *heap = example_start((2 * cells + 4096) * CELL_BYTES + (1u << 20), flags, &unit, 1);

    *(int *)result = run(heap);
    iw_destroy(heap);
    return NULL;
}

/* C libraries for ARM64 demand larger stacks: what is more than 64 KiB is used up before anything else happens. */
static void *on_thread(void *result)
{
    pthread_attr_t attributes;
    void *base = NULL;
    size_t len = 0, left;
    volatile unsigned char *filler;

    if (pthread_getattr_np(pthread_self(), &attributes) != 0 || pthread_attr_getstack(&attributes, &base, &len) != 0) {
        fprintf(stderr, "the system does not tell where the stack is\n");
        exit(1);
    }
    pthread_attr_destroy(&attributes);
    left = (size_t)((uintptr_t)&attributes - (uintptr_t)base);
    if (left > STACK) {
        filler = alloca(left - STACK);
        filler[0] = 0;
    }
    return on_small_stack(result);
}

int main(int argc, char **argv)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int i, is_good = 0;

    for (i = 1; i < argc; i++) {
        char *end = NULL;
        if (strcmp(argv[i], "--zeal") == 0) {
            flags = IW_ZEAL_POINTS;
            continue;
        }
        cells = strtoull(argv[i], &end, 10);
        if (*end != '\0' || cells == 0 || cells > 100 * 1000 * 1000) {
            fprintf(stderr, "usage: list [CELLS] [--zeal], with 1 to 100,000,000 cells\n");
            return 2;
        }
    }
    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, STACK) != 0) {
        pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN);
    }
    if (pthread_create(&thread, &attributes, on_thread, &is_good) != 0 || pthread_join(thread, NULL) != 0) {
        fprintf(stderr, "cannot start a thread\n");
        return 1;
    }
    puts(is_good ? "all cells are there" : "cells are missing");
    return is_good ? 0 : 1;
}
