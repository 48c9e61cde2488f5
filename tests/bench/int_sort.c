/* Sorting and searching: branches that cannot be foreseen. */
#include "bench.h"
enum { COUNT = 300000 };
static int compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}
int main(void) {
    uint32_t *values = malloc(COUNT * sizeof *values);
    uint64_t state = 1, sum = 0;
    for (int i = 0; i < COUNT; i++) values[i] = (uint32_t)next_random(&state);
    qsort(values, COUNT, sizeof *values, compare);
    for (int i = 0; i < COUNT; i++) {
        uint32_t wanted = (uint32_t)next_random(&state);
        int low = 0, high = COUNT;
        while (low < high) {
            int middle = (low + high) / 2;
            if (values[middle] < wanted) low = middle + 1;
            else high = middle;
        }
        sum = sum * 31 + (uint64_t)low;
    }
    return report(sum);
}
