/* What the program defines for the units that it is linked of. */
#ifndef TRACE_H
#define TRACE_H

/* Hears that the body of a unit runs. */
void trace(const char *unit);

#endif
