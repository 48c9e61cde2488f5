#include "first.h"
#include "trials.h"

iw_ref first_make(iw_runtime *heap)
{
    return first_Thing_new(heap);
}

/* Collects, with an object that only its frame holds. */
IW_FRAMED iw_status first_start(iw_runtime *heap)
{
    first_locals frame;
    iw_report report = {.size = sizeof report};
    iw_status status;
    trial_body("first");
    if (trial_calls_later() && second_make(heap) == 0) {
        return iw_allocation_status(heap);
    }
    first_locals_push(heap, &frame);
    frame.thing = first_make(heap);
    (void)first_make(heap);
    status = iw_collect(heap, IW_ORIGIN_PROGRAM, 0, &report);
    if (status == IW_OK && (report.live != 1 || report.dead != 1 || report.frames != 1)) {
        status = IW_BAD_ARGUMENT;
    }
    first_state_block.kept = frame.thing;
    first_locals_pop(heap, &frame);
    return status;
}
