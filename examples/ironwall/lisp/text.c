/* Values, reading and printing. Nothing here collects, so nothing here needs a frame. */
#include "value.h"

#include <ctype.h>
#include <errno.h>

enum { MAX_NAME = 64 };

struct reader reader = {NULL, NULL, 1, 1, 0};

iw_ref made(iw_ref block)
{
    if (block == 0) {
        /* Reading needs room too, so this is the end: the program has to say (gc) earlier. */
        reader.at = reader.end;
        fail(iw_status_text(iw_allocation_status(heap)), 0);
    }
    return block;
}

value number(int64_t n)
{
    if (n > INT64_MAX / 2 || n < INT64_MIN / 2) fail("the number needs more than 63 bits", 0);
    return (value)n << 1 | 1;
}

value cons(value first, value rest)
{
    value pair = made(lisp_Pair_new(heap));
    lisp_Pair_at(pair)->first = first;
    lisp_Pair_at(pair)->rest = rest;
    return pair;
}

value symbol(const char *name, size_t length)
{
    value found = lisp_state_block.symbols;

    for (; found != 0; found = lisp_Symbol_at(found)->next) {
        if (lisp_Symbol_at(found)->length == length && memcmp(lisp_Symbol_name(found), name, length) == 0) {
            return found;
        }
    }
    found = made(lisp_Symbol_new(heap, length));
    memcpy(lisp_Symbol_name(found), name, length);
    lisp_Symbol_at(found)->length = length;
    lisp_Symbol_at(found)->next = lisp_state_block.symbols;
    lisp_state_block.symbols = found;
    return found;
}

void print(value v, unsigned nesting)
{
    const char *before = "(";

    if (v & 1) {
        printf("%" PRId64, (int64_t)v >> 1);
    } else if (IS(Symbol, v)) {
        printf("%.*s", (int)lisp_Symbol_at(v)->length, (const char *)lisp_Symbol_name(v));
    } else if (v != 0 && !IS(Pair, v)) {
        fputs(IS(Closure, v) ? "<closure>" : "<primitive>", stdout);
    } else if (nesting == MAX_NESTING) {
        fputs("...", stdout);
    } else {
        for (; IS(Pair, v); v = lisp_Pair_at(v)->rest, before = " ") {
            fputs(before, stdout);
            print(lisp_Pair_at(v)->first, nesting + 1);
        }
        if (v != 0) {
            fputs(" . ", stdout);
            print(v, nesting + 1);
        }
        fputs(*before == '(' ? "()" : ")", stdout);
    }
}

/* The next character that is neither blank nor in a comment; EOF at the end. */
int peek(void)
{
    int in_comment = 0;

    for (; reader.at < reader.end; reader.at++) {
        if (!in_comment && *reader.at != ';' && !isspace((unsigned char)*reader.at)) {
            return (unsigned char)*reader.at;
        }
        in_comment = (in_comment || *reader.at == ';') && *reader.at != '\n';
        reader.line += *reader.at == '\n';
    }
    return EOF;
}

static value read_atom(void)
{
    char text[MAX_NAME + 1], *rest = NULL;
    size_t length = 0;
    long long n;

    while (reader.at < reader.end && !isspace((unsigned char)*reader.at) && memchr("();'", *reader.at, 4) == NULL) {
        if (length == MAX_NAME) {
            fail("a name has more than 64 characters", 0);
        }
        text[length++] = *reader.at++;
    }
    text[length] = '\0';
    errno = 0;
    n = strtoll(text, &rest, 10);
    if (rest != text && *rest == '\0') {
        return number(errno == ERANGE ? INT64_MAX : n);
    }
    return memchr(text, '\0', length) != NULL ? (fail("a name has a zero byte", 0), 0) : symbol(text, length);
}

value read_form(unsigned nesting)
{
    value list = 0, last = 0, next;
    int c = peek();

    if (c == EOF || nesting == MAX_NESTING) {
        reader.at = reader.end;
        fail(c == EOF ? "the program ends within a form" : "lists are nested too deeply", 0);
    }
    if (c != '(' && c != ')' && c != '\'') {
        return read_atom();
    }
    reader.at++;
    if (c == ')') {
        fail("a parenthesis closes nothing", 0);
    }
    if (c == '\'') {
        return cons(WORD(QUOTE), cons(read_form(nesting + 1), 0));
    }
    while (peek() != ')') {
        next = cons(read_form(nesting + 1), 0);
        if (list == 0) {
            list = next;
        } else {
            lisp_Pair_at(last)->rest = next;
        }
        last = next;
    }
    reader.at++;
    return list;
}

