/* What the two parts of the Lisp share: values, and how a form ends that makes no sense. */
#ifndef LISP_VALUE_H
#define LISP_VALUE_H

#include "start.h"
#include "lisp.h"

#include <inttypes.h>

/* A number times two plus one, an object, or zero for the empty list, which is also what is false. */
typedef iw_ref value;

enum { QUOTE, IF, DEFINE, LAMBDA, BEGIN, T, MAX_NESTING = 1000 };

#define WORD(which) (lisp_state_block.word[which])
#define IS(what, v) ((v) != 0 && ((v) & 1) == 0 && lisp_##what##_at(v)->iw.tag2 == lisp_##what##_TAG2)

extern iw_runtime *heap;

/* Says what is wrong, and goes on with the next form of the program. */
__attribute__((noreturn)) void fail(const char *what, value v);

/* In text.c, where the program is: what is left of it, the line of its form, and whether one is being read. */
extern struct reader { const char *at, *end; unsigned line, form_line; int is_reading; } reader;
/* The new object; the end of the program if there is no room for it. */
iw_ref made(iw_ref block);
value number(int64_t n);
value cons(value first, value rest);
value symbol(const char *name, size_t length);
int peek(void);
value read_form(unsigned nesting);
void print(value v, unsigned nesting);

#endif
