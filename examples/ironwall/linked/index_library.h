/* A library that counts words, in a tree. */
#ifndef INDEX_LIBRARY_H
#define INDEX_LIBRARY_H

#include "ironwall.h"

/* Counts a word of so many bytes. May collect. */
iw_status index_add(iw_runtime *heap, const char *text, uint64_t length);
/* Calls `each` for every word in order; it may not collect. */
void index_walk(void (*each)(void *user, iw_ref word, uint64_t count), void *user);

#endif
