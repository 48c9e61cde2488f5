/* A library of words: objects of a length and a text. */
#ifndef WORDS_LIBRARY_H
#define WORDS_LIBRARY_H

#include "ironwall.h"

/* A word of so many bytes; zero if there is no room for it. May not collect. */
iw_ref words_make(iw_runtime *heap, const char *text, uint64_t length);
/* The word without a letter, which is always there. */
iw_ref words_empty(void);
/* How two words are ordered: below zero, zero, above zero. */
int words_compare(iw_ref one, iw_ref two);

#endif
