/* Products of matrices. */
#include "bench.h"
enum { N = 96 };
static double a[N][N], b[N][N], c[N][N];
int main(void) {
    uint64_t state = 7, bits;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = (double)(next_random(&state) % 1000) / 1000;
            b[i][j] = (double)(next_random(&state) % 1000) / 1000;
        }
    for (int round = 0; round < 8; round++) {
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                double sum = 0;
                for (int k = 0; k < N; k++) sum += a[i][k] * b[k][j];
                c[i][j] = sum / N;
            }
        memcpy(a, c, sizeof a);
    }
    memcpy(&bits, &a[3][4], 8);
    return report(bits);
}
