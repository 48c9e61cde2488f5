#include "second.h"
#include "trials.h"

iw_ref second_make(iw_runtime *heap)
{
    return second_Thing_new(heap);
}

/* Calls a unit that started before. */
iw_status second_start(iw_runtime *heap)
{
    trial_body("second");
    second_state_block.kept = first_make(heap);
    return second_state_block.kept == 0 ? iw_allocation_status(heap) : IW_OK;
}
