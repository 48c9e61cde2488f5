/*
 * A program and a library, compiled apart, with one heap: what the library drops is reclaimed by the program's
 * collection, and what only an object of the library refers to survives it.
 */
#include "app.h"
#include "library.h"

#include <stdio.h>

static int fail(iw_runtime *heap, const char *what, iw_status status)
{
    fprintf(stderr, "%s: %s; %s\n", what, iw_status_text(status), iw_message(heap));
    return 1;
}

int main(void)
{
    static const char greeting[] = "held by the library alone";
    iw_unit units[2];
    iw_config config;
    iw_runtime *heap = NULL;
    iw_report report = {0};
    iw_status status;
    iw_ref text;
    int i;

    iw_config_init(&config, 16u << 20);
    status = iw_create(&config, &heap);
    if (status != IW_OK) {
        return fail(heap, "create", status);
    }
    units[0] = app_unit();
    units[1] = names_unit();
    for (i = 0; i < 2; i++) {
        status = iw_attach(heap, &units[i], NULL);
        if (status != IW_OK) {
            return fail(heap, "attach", status);
        }
    }
    status = iw_finish_attach(heap);
    if (status == IW_OK) {
        status = iw_run_init(heap);
    }
    if (status != IW_OK) {
        return fail(heap, "initialise", status);
    }

    text = app_Text_new(heap, sizeof greeting);
    if (text == 0 || !library_keep(heap, text) || library_litter(heap, 1000) != 1000) {
        return fail(heap, "allocate", iw_allocation_status(heap));
    }
    memcpy(app_Text_bytes(text), greeting, sizeof greeting);

    report.size = sizeof report;
    status = iw_collect(heap, IW_ORIGIN_PROGRAM, 0, &report);
    if (status != IW_OK) {
        return fail(heap, "collect", status);
    }
    printf("live %u, dead %u, globals %u\n", (unsigned)report.live, (unsigned)report.dead, report.globals);
    printf("%s\n", (const char *)app_Text_bytes(library_kept()));
    iw_destroy(heap);
    return 0;
}
