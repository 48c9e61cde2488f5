/*
 * A Lisp: numbers of 63 bits, symbols, lists, closures, tail calls. Memory is reclaimed where a program says (gc), and
 * nowhere else.
 *
 * Rooting: only (gc) collects, and only `eval` leads there. So `eval` keeps what it needs in a frame, and all that does
 * not call it, the reader too, has none. Symbols are found from the unit's global block.
 *
 * usage: lisp FILE [--zeal]
 */
#include "start.h"
#include "lisp.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>

/* A number times two plus one, an object, or zero for the empty list, which is also what is false. */
typedef iw_ref value;

enum { QUOTE, IF, DEFINE, LAMBDA, BEGIN, T };
static const char *const words[] = {"quote", "if", "define", "lambda", "begin", "t"};
enum { MAX_NESTING = 1000, MAX_CALLS = 5000, MAX_NAME = 64 };

#define HEAP_LEN (4u << 20)
#define WORD(which) (lisp_state_block.word[which])
#define IS(what, v) ((v) != 0 && ((v) & 1) == 0 && lisp_##what##_at(v)->iw.tag2 == lisp_##what##_TAG2)

static iw_runtime *heap;
static jmp_buf recover;
static const char *at, *end;
static unsigned line = 1, form_line = 1, calls, errors;
static int is_reading;

static void print(value v, unsigned nesting);

/* Says what is wrong, and goes on with the next form of the program. */
__attribute__((noreturn)) static void fail(const char *what, value v)
{
    printf("line %u: %s", form_line, what);
    if (v != 0) {
        fputs(": ", stdout);
        print(v, 0);
    }
    putchar('\n');
    errors++;
    longjmp(recover, 1);
}

static iw_ref made(iw_ref block)
{
    if (block == 0) {
        /* Reading needs room too, so this is the end: the program has to say (gc) earlier. */
        at = end;
        fail(iw_status_text(iw_allocation_status(heap)), 0);
    }
    return block;
}

static value number(int64_t n)
{
    if (n > INT64_MAX / 2 || n < INT64_MIN / 2) {
        fail("the number needs more than 63 bits", 0);
    }
    return (value)n << 1 | 1;
}

static int64_t integer(value v)
{
    if ((v & 1) == 0) {
        fail("no number", v);
    }
    return (int64_t)v >> 1;
}

static value cons(value first, value rest)
{
    value pair = made(lisp_Pair_new(heap));
    lisp_Pair_at(pair)->first = first;
    lisp_Pair_at(pair)->rest = rest;
    return pair;
}

static lisp_Pair *pair(value v)
{
    if (!IS(Pair, v)) {
        fail("no pair", v);
    }
    return lisp_Pair_at(v);
}

static value nth(value list, unsigned n)
{
    while (n-- > 0) {
        list = pair(list)->rest;
    }
    return pair(list)->first;
}

static value symbol(const char *name, size_t length)
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

static void print(value v, unsigned nesting)
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
static int peek(void)
{
    int in_comment = 0;

    for (; at < end && (in_comment || *at == ';' || isspace((unsigned char)*at)); at++) {
        in_comment = (in_comment || *at == ';') && *at != '\n';
        line += *at == '\n';
    }
    return at < end ? (unsigned char)*at : EOF;
}

static value read_atom(void)
{
    char text[MAX_NAME + 1], *rest = NULL;
    size_t length = 0;
    long long n;

    while (at < end && !isspace((unsigned char)*at) && strchr("();'", *at) == NULL) {
        if (length == MAX_NAME) {
            fail("a name has more than 64 characters", 0);
        }
        text[length++] = *at++;
    }
    text[length] = '\0';
    errno = 0;
    n = strtoll(text, &rest, 10);
    if (rest != text && *rest == '\0') {
        return number(errno == ERANGE ? INT64_MAX : n);
    }
    return memchr(text, '\0', length) != NULL ? (fail("a name has a zero byte", 0), 0) : symbol(text, length);
}

static value read_form(unsigned nesting)
{
    value list = 0, last = 0, next;
    int c = peek();

    if (c == EOF || nesting == MAX_NESTING) {
        at = end;
        fail(c == EOF ? "the program ends within a form" : "lists are nested too deeply", 0);
    }
    if (c != '(' && c != ')' && c != '\'') {
        return read_atom();
    }
    at++;
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
    at++;
    return list;
}

typedef enum { ADD, SUB, MUL, DIV, REM, EQUAL, LESS, CONS, FIRST, REST, IS_PAIR, IS_NULL, IS_EQ, LIST, PRINT, GC } operation;
static const struct { const char *name; int arguments; } primitives[] = {
    {"+", 2}, {"-", 2}, {"*", 2}, {"/", 2}, {"rem", 2}, {"=", 2}, {"<", 2}, {"cons", 2}, {"first", 1}, {"rest", 1},
    {"pair?", 1}, {"null?", 1}, {"eq?", 2}, {"list", -1}, {"print", 1}, {"gc", 0},
};

static value arithmetic(operation what, int64_t a, int64_t b)
{
    int64_t result = 0;
    int is_too_large = 0;

    switch (what) {
    case ADD: is_too_large = __builtin_add_overflow(a, b, &result); break;
    case SUB: is_too_large = __builtin_sub_overflow(a, b, &result); break;
    case MUL: is_too_large = __builtin_mul_overflow(a, b, &result); break;
    case EQUAL: return a == b ? WORD(T) : 0;
    case LESS: return a < b ? WORD(T) : 0;
    default:
        if (b == 0) {
            fail("division by zero", 0);
        }
        result = what == DIV ? a / b : a % b;
    }
    return number(is_too_large ? INT64_MAX : result);
}

static value call(value primitive, value arguments)
{
    operation what = (operation)lisp_Primitive_at(primitive)->number;
    int expected = primitives[what].arguments, count = 0;
    value rest = arguments, a, b;

    for (; rest != 0; rest = pair(rest)->rest) {
        count++;
    }
    if (expected >= 0 && count != expected) {
        fail("wrong number of arguments", symbol(primitives[what].name, strlen(primitives[what].name)));
    }
    a = count > 0 ? nth(arguments, 0) : 0;
    b = count > 1 ? nth(arguments, 1) : 0;
    switch (what) {
    case CONS: return cons(a, b);
    case FIRST: return pair(a)->first;
    case REST: return pair(a)->rest;
    case IS_PAIR: return IS(Pair, a) ? WORD(T) : 0;
    case IS_NULL: return a == 0 ? WORD(T) : 0;
    case IS_EQ: return a == b ? WORD(T) : 0;
    case LIST: return arguments;
    case PRINT: print(a, 0); putchar('\n'); return a;
    case GC: return number((int64_t)example_collect(heap).live);
    default: return arithmetic(what, integer(a), integer(b));
    }
}

static value *lookup(value name, value scope)
{
    for (; scope != 0; scope = lisp_Pair_at(scope)->rest) {
        if (lisp_Pair_at(lisp_Pair_at(scope)->first)->first == name) {
            return &lisp_Pair_at(lisp_Pair_at(scope)->first)->rest;
        }
    }
    if (!lisp_Symbol_at(name)->is_bound) {
        fail("no such name", name);
    }
    return &lisp_Symbol_at(name)->value;
}

static value define(value name, value v)
{
    if (!IS(Symbol, name)) {
        fail("no name", name);
    }
    lisp_Symbol_at(name)->value = v;
    lisp_Symbol_at(name)->is_bound = 1;
    return name;
}

/* A function: its body is `rest`, behind the word `begin`. */
static value closure(value parameters, value rest, value scope)
{
    value made_closure = made(lisp_Closure_new(heap));
    lisp_Closure_at(made_closure)->parameters = parameters;
    lisp_Closure_at(made_closure)->scope = scope;
    lisp_Closure_at(made_closure)->body = cons(WORD(BEGIN), rest);
    return made_closure;
}

/* The scope of a function's body. */
static value bind(value function, value arguments)
{
    value scope = lisp_Closure_at(function)->scope, names = lisp_Closure_at(function)->parameters;

    for (; IS(Pair, names) && IS(Pair, arguments); names = pair(names)->rest, arguments = pair(arguments)->rest) {
        scope = cons(cons(pair(names)->first, pair(arguments)->first), scope);
    }
    if (names != 0 || arguments != 0) {
        fail("wrong number of arguments", lisp_Closure_at(function)->parameters);
    }
    return scope;
}

/* The value of a form. What is last in a function is done in the same turn of the loop, so it needs no more stack. */
IW_FRAMED static value eval(value form, value scope)
{
    lisp_locals my;
    value head, rest, last = 0, result = 0;

    if (++calls > MAX_CALLS) {
        fail("calls are nested too deeply", 0);
    }
    lisp_locals_push(heap, &my);
    my.form = form;
    my.scope = scope;
    for (;;) {
        iw_may_collect(heap);
        if (!IS(Pair, my.form)) {
            result = IS(Symbol, my.form) ? *lookup(my.form, my.scope) : my.form;
            break;
        }
        head = pair(my.form)->first;
        if (head == WORD(QUOTE)) {
            result = nth(my.form, 1);
            break;
        } else if (head == WORD(IF)) {
            nth(my.form, 3);
            my.form = nth(my.form, eval(nth(my.form, 1), my.scope) != 0 ? 2 : 3);
        } else if (head == WORD(DEFINE) && IS(Pair, nth(my.form, 1))) {
            rest = nth(my.form, 1);
            result = define(pair(rest)->first, closure(pair(rest)->rest, pair(pair(my.form)->rest)->rest, my.scope));
            break;
        } else if (head == WORD(DEFINE)) {
            result = define(nth(my.form, 1), eval(nth(my.form, 2), my.scope));
            break;
        } else if (head == WORD(LAMBDA)) {
            result = closure(nth(my.form, 1), pair(pair(my.form)->rest)->rest, my.scope);
            break;
        } else if (head == WORD(BEGIN)) {
            rest = pair(my.form)->rest;
            for (; pair(rest)->rest != 0; rest = pair(rest)->rest) {
                eval(pair(rest)->first, my.scope);
            }
            my.form = pair(rest)->first;
        } else {
            my.function = eval(head, my.scope);
            my.arguments = 0;
            for (rest = pair(my.form)->rest; rest != 0; rest = pair(rest)->rest) {
                value argument = cons(eval(pair(rest)->first, my.scope), 0);
                *(my.arguments == 0 ? &my.arguments : &lisp_Pair_at(last)->rest) = argument;
                last = argument;
            }
            if (!IS(Closure, my.function)) {
                result = IS(Primitive, my.function) ? call(my.function, my.arguments)
                                                    : (fail("no function", my.function), 0);
                break;
            }
            my.scope = bind(my.function, my.arguments);
            my.form = lisp_Closure_at(my.function)->body;
        }
    }
    lisp_locals_pop(heap, &my);
    calls--;
    return result;
}

/* Evaluates the forms of a program; an error leaves the frames of its form behind, which are popped then. */
static void run(void)
{
    uint64_t bottom = iw_newest_frame(heap);

    if (setjmp(recover) != 0) {
        iw_unwind_to(heap, bottom);
        calls = 0;
        /* What is left of a line with a form that cannot be read makes no sense. */
        while (is_reading && at < end && *at != '\n') {
            at++;
        }
    }
    while ((is_reading = peek() != EOF)) {
        value form;
        form_line = line;
        form = read_form(0);
        is_reading = 0;
        eval(form, 0);
    }
}

/* The text of a file; its end goes to `end`. */
static char *load(const char *path)
{
    FILE *file = fopen(path, "rb");
    long length = file != NULL && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    char *text = length >= 0 ? malloc((size_t)length + 1) : NULL;

    if (text == NULL || fseek(file, 0, SEEK_SET) != 0 || fread(text, 1, (size_t)length, file) != (size_t)length) {
        perror(path);
        exit(66);
    }
    fclose(file);
    end = text + length;
    return text;
}

int main(int argc, char **argv)
{
    iw_unit unit = lisp_unit();
    char *text;
    unsigned i;

    if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[2], "--zeal") != 0)) {
        fprintf(stderr, "usage: lisp FILE [--zeal]\n");
        return 2;
    }
    at = text = load(argv[1]);
    heap = example_start(HEAP_LEN, argc == 3 ? IW_ZEAL_POINTS : 0, &unit, 1);
    for (i = 0; i < sizeof words / sizeof *words; i++) {
        WORD(i) = symbol(words[i], strlen(words[i]));
    }
    define(WORD(T), WORD(T));
    for (i = 0; i < sizeof primitives / sizeof *primitives; i++) {
        value primitive = made(lisp_Primitive_new(heap));
        lisp_Primitive_at(primitive)->number = i;
        define(symbol(primitives[i].name, strlen(primitives[i].name)), primitive);
    }
    run();
    iw_destroy(heap);
    free(text);
    return errors == 0 ? 0 : 1;
}
