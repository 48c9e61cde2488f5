/* The program's own unit: what it says of an index. */
#ifndef REPORT_LIBRARY_H
#define REPORT_LIBRARY_H

#include "ironwall.h"

/* Counts the words of a text and prints them. May collect. */
iw_status report_run(iw_runtime *heap, const char *text);

#endif
