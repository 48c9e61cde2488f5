/*
 * A Lisp: numbers of 63 bits, symbols, lists, closures, tail calls. Memory is reclaimed where a program says (gc), and
 * nowhere else.
 *
 * Rooting: only (gc) collects, and only `eval` leads there. So `eval` keeps what it needs in a frame, and what does not
 * call it, the reader in text.c too, has none. Symbols are found from the unit's global block.
 *
 * usage: lisp FILE [--zeal]
 */
#include "value.h"

#include <setjmp.h>

static const char *const words[] = {"quote", "if", "define", "lambda", "begin", "t"};
enum { MAX_CALLS = 5000, HEAP_LEN = 4 << 20 };

iw_runtime *heap;
static jmp_buf recover;
static unsigned calls, errors;

void fail(const char *what, value v)
{
    printf("line %u: %s", reader.form_line, what);
    if (v != 0) {
        fputs(": ", stdout);
        print(v, 0);
    }
    putchar('\n');
    errors++;
    longjmp(recover, 1);
}

static int64_t integer(value v)
{
    if ((v & 1) == 0) fail("no number", v);
    return (int64_t)v >> 1;
}

static lisp_Pair *pair(value v)
{
    if (!IS(Pair, v)) fail("no pair", v);
    return lisp_Pair_at(v);
}

static value rest_of(value list, unsigned n)
{
    return n == 0 ? list : rest_of(pair(list)->rest, n - 1);
}

static value nth(value list, unsigned n)
{
    return pair(rest_of(list, n))->first;
}

/* Primitives take an array of two arguments; those that are not there are empty lists. */
#define TRUTH(condition) ((condition) ? WORD(T) : 0)
#define ARITHMETIC(name, operation)                                                                                    \
    static value name(const value *of)                                                                                 \
    {                                                                                                                  \
        int64_t result = 0;                                                                                            \
        return number(operation(integer(of[0]), integer(of[1]), &result) ? INT64_MAX : result);                        \
    }

ARITHMETIC(add, __builtin_add_overflow)
ARITHMETIC(subtract, __builtin_sub_overflow)
ARITHMETIC(multiply, __builtin_mul_overflow)

static int64_t divisor(value v)
{
    return integer(v) != 0 ? integer(v) : (fail("division by zero", 0), 1);
}

static value quotient(const value *of) { return number(integer(of[0]) / divisor(of[1])); }
static value remainder_of(const value *of) { return number(integer(of[0]) % divisor(of[1])); }
static value equal(const value *of) { return TRUTH(integer(of[0]) == integer(of[1])); }
static value less(const value *of) { return TRUTH(integer(of[0]) < integer(of[1])); }
static value make_pair(const value *of) { return cons(of[0], of[1]); }
static value first(const value *of) { return pair(of[0])->first; }
static value rest(const value *of) { return pair(of[0])->rest; }
static value is_null(const value *of) { return TRUTH(of[0] == 0); }
static value is_same(const value *of) { return TRUTH(of[0] == of[1]); }
static value show(const value *of) { print(of[0], 0); putchar('\n'); return of[0]; }
static value collect(const value *of) { (void)of; return number((int64_t)example_collect(heap).live); }

static const struct { const char *name; unsigned arguments; value (*call)(const value *of); } primitives[] = {
    {"+", 2, add},          {"-", 2, subtract},     {"*", 2, multiply}, {"/", 2, quotient}, {"rem", 2, remainder_of},
    {"=", 2, equal},        {"<", 2, less},         {"cons", 2, make_pair}, {"first", 1, first}, {"rest", 1, rest},
    {"null?", 1, is_null},  {"eq?", 2, is_same},    {"print", 1, show}, {"gc", 0, collect},
};

static value call(value primitive, value arguments)
{
    uint64_t which = lisp_Primitive_at(primitive)->number;
    value of[2] = {0, 0};
    unsigned count = 0;

    for (; arguments != 0; arguments = pair(arguments)->rest, count++) {
        if (count < 2) of[count] = pair(arguments)->first;
    }
    if (count != primitives[which].arguments) {
        fail("wrong number of arguments", symbol(primitives[which].name, strlen(primitives[which].name)));
    }
    return primitives[which].call(of);
}

static value lookup(value name, value scope)
{
    for (; scope != 0; scope = pair(scope)->rest) {
        if (pair(pair(scope)->first)->first == name) return pair(pair(scope)->first)->rest;
    }
    if (!lisp_Symbol_at(name)->is_bound) fail("no such name", name);
    return lisp_Symbol_at(name)->value;
}

static value define(value name, value v)
{
    if (!IS(Symbol, name)) fail("no name", name);
    lisp_Symbol_at(name)->value = v;
    lisp_Symbol_at(name)->is_bound = 1;
    return name;
}

static value closure(value parameters, value forms, value scope)
{
    value function = made(lisp_Closure_new(heap));
    lisp_Closure_at(function)->parameters = parameters;
    lisp_Closure_at(function)->scope = scope;
    lisp_Closure_at(function)->body = cons(WORD(BEGIN), forms);
    return function;
}

/* The scope of a function's body. */
static value bind(value function, value arguments)
{
    value scope = lisp_Closure_at(function)->scope, names = lisp_Closure_at(function)->parameters;

    for (; IS(Pair, names) && arguments != 0; names = pair(names)->rest, arguments = pair(arguments)->rest) {
        scope = cons(cons(pair(names)->first, pair(arguments)->first), scope);
    }
    if (names != 0 || arguments != 0) fail("wrong number of arguments", lisp_Closure_at(function)->parameters);
    return scope;
}

/* The value of a form. What is last in a function is done in the same turn of the loop, so it needs no more stack. */
IW_FRAMED static value eval(value form, value scope)
{
    lisp_locals my;
    value head, forms, last = 0, result = 0;

    if (++calls > MAX_CALLS) fail("calls are nested too deeply", 0);
    lisp_locals_push(heap, &my);
    my.form = form;
    my.scope = scope;
    for (;;) {
        iw_may_collect(heap);
        if (!IS(Pair, my.form)) {
            result = IS(Symbol, my.form) ? lookup(my.form, my.scope) : my.form;
            break;
        }
        head = nth(my.form, 0);
        if (head == WORD(QUOTE)) {
            result = nth(my.form, 1);
            break;
        } else if (head == WORD(IF)) {
            nth(my.form, 3);
            my.form = nth(my.form, eval(nth(my.form, 1), my.scope) != 0 ? 2 : 3);
        } else if (head == WORD(DEFINE) && IS(Pair, nth(my.form, 1))) {
            forms = nth(my.form, 1);
            result = define(nth(forms, 0), closure(rest_of(forms, 1), rest_of(my.form, 2), my.scope));
            break;
        } else if (head == WORD(DEFINE)) {
            result = define(nth(my.form, 1), eval(nth(my.form, 2), my.scope));
            break;
        } else if (head == WORD(LAMBDA)) {
            result = closure(nth(my.form, 1), rest_of(my.form, 2), my.scope);
            break;
        } else if (head == WORD(BEGIN)) {
            for (forms = rest_of(my.form, 1); pair(forms)->rest != 0; forms = pair(forms)->rest) {
                eval(nth(forms, 0), my.scope);
            }
            my.form = nth(forms, 0);
        } else {
            my.function = eval(head, my.scope);
            my.arguments = 0;
            for (forms = rest_of(my.form, 1); forms != 0; forms = pair(forms)->rest) {
                value argument = cons(eval(nth(forms, 0), my.scope), 0);
                *(my.arguments == 0 ? &my.arguments : &pair(last)->rest) = argument;
                last = argument;
            }
            if (IS(Primitive, my.function)) {
                result = call(my.function, my.arguments);
                break;
            }
            if (!IS(Closure, my.function)) fail("no function", my.function);
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
        while (reader.is_reading && reader.at < reader.end && *reader.at != '\n') reader.at++;
    }
    while ((reader.is_reading = peek() != EOF)) {
        value form;
        reader.form_line = reader.line;
        form = read_form(0);
        reader.is_reading = 0;
        eval(form, 0);
    }
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
    reader.at = text = example_load(argv[1], &reader.end);
    heap = example_start(HEAP_LEN, argc == 3 ? IW_ZEAL_POINTS : 0, &unit, 1);
    for (i = 0; i < sizeof words / sizeof *words; i++) WORD(i) = symbol(words[i], strlen(words[i]));
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
