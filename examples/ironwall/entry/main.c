/*
 * The entry of the collector is a function like any other: it is called from assembly, from C, and through a pointer,
 * and what is dead is gone when it returns.
 */
#include "start.h"
#include "entry.h"

#include <inttypes.h>

typedef iw_status collect_fn(iw_runtime *heap, uint32_t origin, uint64_t reason, iw_report *report);

iw_status collect_here(iw_runtime *heap, iw_report *report);

static void check(iw_runtime *heap, const char *what, iw_status status, const iw_report *report, iw_ref dead)
{
    uint64_t word = 0;

    if (status != IW_OK) {
        example_fail(heap, what, status);
    }
    printf("%s: live %" PRIu64 ", dead %" PRIu64 ", reason %" PRIu64 ", %s\n", what, report->live, report->dead,
           report->reason, iw_load(heap, dead, 0, &word) == IW_NOT_A_BLOCK ? "gone" : "still there");
}

int main(void)
{
    iw_unit unit = entry_unit();
    iw_runtime *heap = example_start(1u << 20, 0, &unit, 1);
    collect_fn *volatile through = iw_collect;
    iw_report report = {0};
    iw_handle handle = 0;
    iw_ref dead;

    report.size = sizeof report;
    if (iw_handle_new(heap, entry_Cell_new(heap), &handle) != IW_OK) {
        example_fail(heap, "root", iw_allocation_status(heap));
    }
    dead = entry_Cell_new(heap);
    check(heap, "assembly", collect_here(heap, &report), &report, dead);
    dead = entry_Cell_new(heap);
    check(heap, "C", iw_collect(heap, IW_ORIGIN_PROGRAM, 8, &report), &report, dead);
    dead = entry_Cell_new(heap);
    check(heap, "a pointer", through(heap, IW_ORIGIN_HOST, 9, &report), &report, dead);
    iw_destroy(heap);
    return 0;
}
