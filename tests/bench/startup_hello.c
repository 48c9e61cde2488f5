/* The cost of starting a program. */
#include "bench.h"
int main(void) { return report(1); }
