/*
 * Coroutines with native stacks of their own, in one heap. Each has a shadow stack, where its frames are, and what they
 * hold lives also while the coroutine sleeps and another one collects.
 *
 * usage: coroutines [--zeal]
 */
#define _GNU_SOURCE
#include "start.h"
#include "coroutines.h"

#include <inttypes.h>
#include <ucontext.h>

enum { COROUTINES = 3, STEPS = 400, STACK = 64 << 10 };

typedef struct coroutine {
    ucontext_t context;
    iw_stack stack;
    unsigned char *memory;
    uint64_t first;
    int is_done, is_whole;
} coroutine;

static iw_runtime *heap;
static ucontext_t scheduler;
static coroutine all[COROUTINES];
static int current;

/* Goes back to the scheduler, and from there to the next coroutine. Which frames are used goes with the stack. */
static void yield(void)
{
    int mine = current;

    iw_stack_use(heap, 0);
    swapcontext(&all[mine].context, &scheduler);
    iw_stack_use(heap, all[mine].stack);
}

/* Makes a list of numbers, sleeping after each, and then looks whether all are there. */
IW_FRAMED static void work(coroutine *my)
{
    coroutines_locals frame;
    iw_ref cell;
    uint64_t i;

    coroutines_locals_push(heap, &frame);
    for (i = 0; i < STEPS; i++) {
        cell = coroutines_Cell_new(heap);
        if (cell == 0) {
            example_fail(heap, "allocate", iw_allocation_status(heap));
        }
        coroutines_Cell_at(cell)->number = my->first + i;
        coroutines_Cell_at(cell)->next = frame.list;
        frame.list = cell;
        coroutines_Cell_new(heap);
        iw_may_collect(heap);
        yield();
    }
    for (cell = frame.list; i > 0 && cell != 0; cell = coroutines_Cell_at(cell)->next) {
        if (coroutines_Cell_at(cell)->number != my->first + --i) {
            break;
        }
    }
    my->is_whole = i == 0 && cell == 0;
    coroutines_locals_pop(heap, &frame);
}

static void begin(void)
{
    coroutine *my = &all[current];

    iw_stack_use(heap, my->stack);
    work(my);
    my->is_done = 1;
    iw_stack_use(heap, 0);
}

/* Gives each coroutine its stacks. */
static void prepare(void)
{
    iw_status status;

    for (current = 0; current < COROUTINES; current++) {
        coroutine *my = &all[current];
        my->memory = malloc(STACK);
        if (my->memory == NULL || getcontext(&my->context) != 0) {
            fprintf(stderr, "no memory for a stack\n");
            exit(1);
        }
        status = iw_stack_create(heap, my->memory, STACK, &my->stack);
        if (status != IW_OK) {
            example_fail(heap, "make a stack", status);
        }
        my->first = 1000000u * (unsigned)current;
        my->context.uc_stack.ss_sp = my->memory;
        my->context.uc_stack.ss_size = STACK;
        my->context.uc_link = &scheduler;
        makecontext(&my->context, begin, 0);
    }
}

int main(int argc, char **argv)
{
    iw_unit unit = coroutines_unit();
    uint32_t flags = argc == 2 && strcmp(argv[1], "--zeal") == 0 ? IW_ZEAL_POINTS : 0;
    int round, running = COROUTINES;
    iw_report report;

    if (argc > 2 || (argc == 2 && flags == 0)) {
        fprintf(stderr, "usage: coroutines [--zeal]\n");
        return 2;
    }
    heap = example_start(4u << 20, flags, &unit, 1);
    prepare();
    for (round = 1; running > 0; round++) {
        running = 0;
        for (current = 0; current < COROUTINES; current++) {
            if (!all[current].is_done) {
                swapcontext(&scheduler, &all[current].context);
                running += !all[current].is_done;
            }
        }
        if (round % 100 == 0) {
            report = example_collect(heap);
            printf("after %d rounds: %" PRIu32 " frames hold %" PRIu64 " cells\n", round, report.frames, report.live);
        }
    }
    for (current = 0; current < COROUTINES; current++) {
        printf("coroutine %d: %s\n", current, all[current].is_whole ? "all cells are there" : "cells are missing");
        iw_stack_destroy(heap, all[current].stack);
        free(all[current].memory);
    }
    report = example_collect(heap);
    printf("at the end: %" PRIu32 " frames hold %" PRIu64 " cells\n", report.frames, report.live);
    iw_destroy(heap);
    return 0;
}
