/* What the units of the trials and their program have of each other. */
#ifndef TRIALS_H
#define TRIALS_H

#include "ironwall.h"

/* Of the program: hears of a body, and says whether bodies shall call units that start later. */
void trial_body(const char *unit);
int trial_calls_later(void);

/* Objects of the units; zero if they are refused. */
iw_ref first_make(iw_runtime *heap);
iw_ref second_make(iw_runtime *heap);

#endif
