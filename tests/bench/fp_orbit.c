/* Planets around a star: scalar double arithmetic and square roots. */
#include "bench.h"
#include <math.h>
struct body {
    double x, y, z, vx, vy, vz, mass;
};
int main(void) {
    struct body bodies[5];
    for (int i = 0; i < 5; i++)
        bodies[i] = (struct body){i * 1.5 + 1, i * 0.3, i * -0.2, 0.1 * i, 1.0 / (i + 1), 0.01 * i, i ? 0.001 * i : 40};
    for (int step = 0; step < 250000; step++) {
        for (int i = 0; i < 5; i++)
            for (int j = i + 1; j < 5; j++) {
                struct body *a = &bodies[i], *b = &bodies[j];
                double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
                double squared = dx * dx + dy * dy + dz * dz + 0.01;
                double force = 0.0001 / (squared * sqrt(squared));
                a->vx -= dx * b->mass * force, a->vy -= dy * b->mass * force, a->vz -= dz * b->mass * force;
                b->vx += dx * a->mass * force, b->vy += dy * a->mass * force, b->vz += dz * a->mass * force;
            }
        for (int i = 0; i < 5; i++) {
            bodies[i].x += 0.0001 * bodies[i].vx;
            bodies[i].y += 0.0001 * bodies[i].vy;
            bodies[i].z += 0.0001 * bodies[i].vz;
        }
    }
    uint64_t bits;
    memcpy(&bits, &bodies[1].x, 8);
    return report(bits);
}
