/* A library with a unit of its own: it keeps objects of whoever calls it. */
#ifndef LIBRARY_H
#define LIBRARY_H

#include "names.h"

/* Keeps a reference in an object of the library; zero if there is no room for it. */
int library_keep(iw_runtime *heap, iw_ref text);
/* The reference that was kept last. */
iw_ref library_kept(void);
/* Makes objects of the library that nothing refers to; says how many. */
int library_litter(iw_runtime *heap, int count);

#endif
