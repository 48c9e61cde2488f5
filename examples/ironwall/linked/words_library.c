#include "words_library.h"
#include "words.h"

#include "trace.h"

iw_ref words_make(iw_runtime *heap, const char *text, uint64_t length)
{
    iw_ref word = words_Word_new(heap, length);
    if (word != 0) {
        words_Word_at(word)->length = length;
        memcpy(words_Word_text(word), text, length);
        words_state_block.made++;
    }
    return word;
}

iw_ref words_empty(void)
{
    return words_state_block.empty;
}

int words_compare(iw_ref one, iw_ref two)
{
    uint64_t a = words_Word_at(one)->length, b = words_Word_at(two)->length;
    int order = memcmp(words_Word_text(one), words_Word_text(two), a < b ? a : b);
    return order != 0 ? order : (a > b) - (a < b);
}

/* The part of the body that is written by hand: what it makes outlives the collection that it asks for. */
IW_FRAMED iw_status words_start(iw_runtime *heap)
{
    words_locals frame;
    iw_status status;
    trace("words");
    words_locals_push(heap, &frame);
    frame.word = words_make(heap, "", 0);
    status = frame.word == 0 ? iw_allocation_status(heap) : iw_collect(heap, IW_ORIGIN_PROGRAM, 1, NULL);
    words_state_block.empty = frame.word;
    words_locals_pop(heap, &frame);
    return status;
}
