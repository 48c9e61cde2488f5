/*
 * A program of three units, each compiled by itself, packed into an archive, locked and linked:
 * docs/ironwall/linking.md has the commands. This file knows no unit by name but the one that it runs.
 * With --zeal, every allocation collects.
 */
#include "ironwall_units.h"
#include "report_library.h"

#include "trace.h"

#include <stdio.h>

void trace(const char *unit)
{
    printf("body of %s\n", unit);
}

static int fail(iw_runtime *heap, const char *what, iw_status status)
{
    fprintf(stderr, "%s: %s; %s\n", what, iw_status_text(status), iw_message(heap));
    return 1;
}

/* Says what lives, by the units that the objects are of. */
static void show(iw_runtime *heap)
{
    iw_unit_info unit = {.size = sizeof unit};
    uint32_t i, entry;
    for (i = 0; iw_unit_at(heap, i, &unit) == IW_OK; i++) {
        for (entry = unit.first_entry; entry < unit.first_entry + unit.entries; entry++) {
            iw_entry_info info = {.size = sizeof info};
            if (iw_entry_at(heap, entry, &info) == IW_OK && info.kind == IW_KIND_HEAP) {
                printf("%.*s/%.*s %.*s: %u live\n", (int)unit.package_len, unit.package, (int)unit.unit_len, unit.unit,
                       (int)info.name_len, info.name, (unsigned)info.live);
            }
        }
    }
}

int main(int count, char **words)
{
    iw_config config;
    iw_runtime *heap = NULL;
    iw_report report = {.size = sizeof report};
    iw_status status;
    uint32_t unit = 0;
    size_t i;

    iw_config_init(&config, 16u << 20);
    ironwall_units_reserve(&config);
    if (count > 1 && strcmp(words[1], "--zeal") == 0) {
        config.flags = IW_ZEAL_POINTS | IW_ZEAL_ALLOCATIONS;
    }
    status = iw_create(&config, &heap);
    if (status != IW_OK) {
        return fail(heap, "create", status);
    }
    status = ironwall_units_init(heap, &unit);
    if (status != IW_OK) {
        fprintf(stderr, "unit %u of the plan: ", (unsigned)unit);
        return fail(heap, "initialise", status);
    }
    status = report_run(heap, "the cat and the dog and the other cat");
    if (status != IW_OK) {
        return fail(heap, "run", status);
    }
    status = iw_collect(heap, IW_ORIGIN_PROGRAM, 0, &report);
    if (status != IW_OK) {
        return fail(heap, "collect", status);
    }
    printf("live %u, globals %u, digest ", (unsigned)report.live, (unsigned)report.globals);
    for (i = 0; i < sizeof report.digest; i++) {
        printf("%02x", report.digest[i]);
    }
    printf("\n");
    show(heap);
    iw_destroy(heap);
    return 0;
}
