/* Vector arithmetic on integers and floats, by the compiler's vector types. */
#include "bench.h"
typedef uint8_t bytes __attribute__((vector_size(16)));
typedef int32_t ints __attribute__((vector_size(16)));
typedef float floats __attribute__((vector_size(16)));
int main(void) {
    static bytes data[4096];
    uint8_t *raw = (uint8_t *)data;
    uint64_t state = 3, sum = 0;
    for (size_t i = 0; i < sizeof data; i++) raw[i] = (uint8_t)next_random(&state);
    ints total = {0, 0, 0, 0};
    floats scale = {1.5f, 0.25f, 3.0f, 0.125f}, weighted = {0, 0, 0, 0};
    for (int round = 0; round < 300; round++)
        for (int i = 0; i < 4096; i++) {
            bytes mixed = data[i] + (data[(i + 1) & 4095] ^ data[(i + 7) & 4095]);
            ints words;
            memcpy(&words, &mixed, 16);
            total += words >> 3;
            weighted += __builtin_convertvector(words & 255, floats) * scale;
            bytes larger = (bytes)(mixed > data[i]);
            data[i] = (data[i] & larger) | (mixed & ~larger);
        }
    for (int i = 0; i < 4; i++) sum = sum * 1000003 + (uint32_t)total[i] + (uint64_t)weighted[i];
    return report(sum);
}
