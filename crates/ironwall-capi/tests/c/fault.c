/*
 * Damages a heap in the way that the first argument names, and collects. The callback prints the record, with names
 * instead of addresses, and the program aborts. With `alone` there is no callback; with `quiet` the runtime's own line
 * on standard error, which has addresses, is not seen.
 */
#include "fault.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static iw_ref holder, victim, frame_address;
static uint8_t table[16], pair[16], locals[16];

static const char *name_of(uint64_t word)
{
    return word == 0                ? "none"
           : word == holder         ? "holder"
           : word == victim         ? "victim"
           : word == frame_address  ? "frame"
                                    : "another";
}

static const char *structure_of(const iw_fault *fault)
{
    static const uint8_t none[16];

    if (memcmp(fault->structure, none, 16) == 0) {
        return memcmp(fault->table, none, 16) == 0 ? "none" : "a table alone";
    }
    if (memcmp(fault->table, table, 16) != 0) {
        return "another table's";
    }
    return memcmp(fault->structure, pair, 16) == 0 ? "Pair" : memcmp(fault->structure, locals, 16) == 0 ? "locals" : "?";
}

static void tell(void *user, const iw_fault *fault)
{
    printf("%s: size %s, code %" PRIu32 ", phase %" PRIu32 ", reserved %" PRIu32 "\n", (const char *)user,
           fault->size == sizeof *fault ? "right" : "wrong", fault->code, fault->phase, fault->reserved);
    printf("address %s, referrer %s, offset %" PRIu64 ", root %" PRIu64 ", structure %s\n", name_of(fault->address),
           name_of(fault->referrer), fault->offset, fault->root, structure_of(fault));
    fflush(stdout);
}

static iw_runtime *start(void)
{
    iw_unit unit = fault_unit();
    iw_entry_info info = {0};
    iw_runtime *heap = NULL;
    iw_config config;

    iw_config_init(&config, 1u << 20);
    if (iw_create(&config, &heap) != IW_OK || iw_attach(heap, &unit, NULL) != IW_OK ||
        iw_finish_attach(heap) != IW_OK || iw_run_init(heap) != IW_OK) {
        fprintf(stderr, "no heap: %s\n", iw_message(heap));
        exit(1);
    }
    info.size = sizeof info;
    iw_entry_at(heap, fault_Pair_ENTRY, &info);
    memcpy(table, info.table, 16);
    memcpy(pair, info.structure, 16);
    iw_entry_at(heap, fault_locals_ENTRY, &info);
    memcpy(locals, info.structure, 16);
    return heap;
}

IW_FRAMED static void inner(iw_runtime *heap, const char *what, const fault_locals *outer)
{
    fault_locals frame;

    fault_locals_push(heap, &frame);
    frame_address = (iw_ref)(uintptr_t)&frame;
    if (strcmp(what, "pop") == 0) {
        fault_locals_pop(heap, outer);
    } else if (strcmp(what, "frame-bounds") == 0) {
        frame.iw.word = 64;
    } else if (strcmp(what, "frame-order") == 0) {
        frame.iw.word = frame_address;
    } else if (strcmp(what, "frame-tag") == 0) {
        frame.iw.tag2 ^= 1;
    } else if (strcmp(what, "root") == 0) {
        frame.held = 16;
    }
    iw_collect(heap, IW_ORIGIN_PROGRAM, 0, NULL);
    fault_locals_pop(heap, &frame);
}

IW_FRAMED static void damage(iw_runtime *heap, const char *what)
{
    fault_locals frame;
    iw_prefix *prefix;

    fault_locals_push(heap, &frame);
    frame.held = holder = fault_Pair_new(heap);
    victim = fault_Pair_new(heap);
    prefix = &fault_Pair_at(victim)->iw;
    if (strcmp(what, "stale") == 0) {
        iw_collect(heap, IW_ORIGIN_PROGRAM, 0, NULL);
    }
    fault_Pair_at(holder)->rest = victim;
    if (strcmp(what, "outside") == 0) {
        fault_Pair_at(holder)->first = 16;
    } else if (strcmp(what, "misaligned") == 0) {
        fault_Pair_at(holder)->first = victim + 8;
    } else if (strcmp(what, "tag") == 0) {
        prefix->tag1 ^= 1;
    } else if (strcmp(what, "kind") == 0) {
        prefix->tag1 = fault_locals_TAG1;
        prefix->tag2 = fault_locals_TAG2;
    } else if (strcmp(what, "extent") == 0) {
        prefix->word += 16;
    }
    inner(heap, what, &frame);
    fault_locals_pop(heap, &frame);
}

int main(int argc, char **argv)
{
    iw_runtime *heap = start();

    if (argc == 3 && strcmp(argv[2], "quiet") == 0 && freopen("/dev/null", "w", stderr) == NULL) {
        return 1;
    }
    if (argc == 2 || (argc == 3 && strcmp(argv[2], "alone") != 0)) {
        iw_set_fault_callback(heap, tell, argv[1]);
    }
    damage(heap, argc > 1 ? argv[1] : "nothing");
    puts("the heap is whole");
    iw_destroy(heap);
    return 0;
}
