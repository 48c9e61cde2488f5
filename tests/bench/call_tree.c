/* Calls: recursion, and through pointers. */
#include "bench.h"
typedef uint64_t operation(uint64_t);
static uint64_t increment(uint64_t x) { return x + 1; }
static uint64_t triple(uint64_t x) { return x * 3; }
static uint64_t fold(uint64_t x) { return x ^ x >> 7; }
static uint64_t turn(uint64_t x) { return x << 5 | x >> 59; }
static __attribute__((noinline)) uint64_t fibonacci(unsigned n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
int main(void) {
    static operation *const operations[] = {increment, triple, fold, turn};
    uint64_t value = fibonacci(30), state = 11;
    for (int i = 0; i < 6000000; i++) value = operations[next_random(&state) & 3](value);
    return report(value);
}
