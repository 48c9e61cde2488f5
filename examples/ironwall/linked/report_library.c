#include "report_library.h"
#include "index_library.h"
#include "report.h"

#include "trace.h"

#include <stdio.h>

static void print(void *user, iw_ref word, uint64_t count)
{
    iw_runtime *heap = (iw_runtime *)user;
    iw_ref line = report_Line_new(heap);
    if (line != 0) {
        report_Line_at(line)->word = word;
        report_Line_at(line)->next = report_state_block.lines;
        report_state_block.lines = line;
    }
    printf("%u words of %u letters\n", (unsigned)count, (unsigned)(iw_extent(word) - 8));
}

iw_status report_run(iw_runtime *heap, const char *text)
{
    const char *start = text;
    for (;; text++) {
        if (*text == ' ' || *text == 0) {
            iw_status status = index_add(heap, start, (uint64_t)(text - start));
            if (status != IW_OK) {
                return status;
            }
            if (*text == 0) {
                break;
            }
            start = text + 1;
        }
    }
    index_walk(print, heap);
    return IW_OK;
}

iw_status report_start(iw_runtime *heap)
{
    (void)heap;
    trace("report");
    return IW_OK;
}
