#include "index_library.h"
#include "index.h"
#include "words_library.h"

#include "trace.h"

/* Where a word is or would be. Slots are found by plain loads; nothing here allocates. */
static iw_ref *place(iw_ref word)
{
    iw_ref *slot = &index_state_block.root;
    while (*slot != 0) {
        index_Node *node = index_Node_at(*slot);
        int order = words_compare(word, node->word);
        if (order == 0) {
            return slot;
        }
        slot = order < 0 ? &node->less : &node->more;
    }
    return slot;
}

IW_FRAMED iw_status index_add(iw_runtime *heap, const char *text, uint64_t length)
{
    index_locals frame;
    iw_status status = IW_OK;
    index_locals_push(heap, &frame);
    frame.word = length == 0 ? words_empty() : words_make(heap, text, length);
    if (frame.word == 0) {
        status = iw_allocation_status(heap);
    }
    if (status == IW_OK) {
        /* The host, or zeal, may collect here: the word is held by the frame alone. */
        status = iw_host_point(heap);
    }
    if (status == IW_OK) {
        iw_ref *slot = place(frame.word);
        if (*slot == 0) {
            iw_ref node = index_Node_new(heap);
            if (node == 0) {
                status = iw_allocation_status(heap);
            } else {
                index_Node_at(node)->word = frame.word;
                *slot = node;
            }
        }
        if (*slot != 0) {
            index_Node_at(*slot)->count++;
        }
    }
    index_locals_pop(heap, &frame);
    return status;
}

static void walk(iw_ref node, void (*each)(void *user, iw_ref word, uint64_t count), void *user)
{
    while (node != 0) {
        walk(index_Node_at(node)->less, each, user);
        each(user, index_Node_at(node)->word, index_Node_at(node)->count);
        node = index_Node_at(node)->more;
    }
}

void index_walk(void (*each)(void *user, iw_ref word, uint64_t count), void *user)
{
    walk(index_state_block.root, each, user);
}

iw_status index_start(iw_runtime *heap)
{
    trace("index");
    /* The imported unit's body has run: its word is there, and it allocates. */
    return index_add(heap, "", 0);
}
