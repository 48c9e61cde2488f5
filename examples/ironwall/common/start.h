/* What the examples share: making a heap with some units, and saying why something did not work. */
#ifndef EXAMPLE_START_H
#define EXAMPLE_START_H

#include "ironwall.h"

#include <stdio.h>
#include <stdlib.h>

/* Says what was refused and why, and ends the program. */
static inline void example_fail(iw_runtime *heap, const char *what, iw_status status)
{
    fprintf(stderr, "%s: %s (%s)\n", what, iw_status_text(status), iw_message(heap));
    exit(1);
}

/*
 * A heap of `heap_len` bytes in which the bodies of these units have run. Its frames are on the stack of the calling
 * thread. `flags` may ask for zeal.
 */
static inline iw_runtime *example_start(uint64_t heap_len, uint32_t flags, const iw_unit *units, unsigned count)
{
    iw_config config;
    iw_runtime *heap = NULL;
    iw_status status;
    unsigned i;

    iw_config_init(&config, heap_len);
    config.flags = flags;
    status = iw_create(&config, &heap);
    if (status != IW_OK) {
        example_fail(heap, "create", status);
    }
    for (i = 0; i < count; i++) {
        status = iw_attach(heap, &units[i], NULL);
        if (status != IW_OK) {
            example_fail(heap, "attach", status);
        }
    }
    status = iw_finish_attach(heap);
    if (status == IW_OK) {
        status = iw_run_init(heap);
    }
    if (status != IW_OK) {
        example_fail(heap, "initialise", status);
    }
    return heap;
}

/* Collects, and ends the program if that is refused. */
static inline iw_report example_collect(iw_runtime *heap)
{
    iw_report report = {0};
    iw_status status;

    report.size = sizeof report;
    status = iw_collect(heap, IW_ORIGIN_PROGRAM, 0, &report);
    if (status != IW_OK) {
        example_fail(heap, "collect", status);
    }
    return report;
}

/* The text of a file, which ends at `*end`; the program ends if it cannot be read. */
static inline char *example_load(const char *path, const char **end)
{
    FILE *file = fopen(path, "rb");
    long length = file != NULL && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    char *text = length >= 0 ? (char *)malloc((size_t)length + 1) : NULL;

    if (text == NULL || fseek(file, 0, SEEK_SET) != 0 || fread(text, 1, (size_t)length, file) != (size_t)length) {
        perror(path);
        exit(66);
    }
    fclose(file);
    *end = text + length;
    return text;
}

#endif
