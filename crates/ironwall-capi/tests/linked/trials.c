/* Programs that start their units rightly and wrongly; the first argument says which. */
#include "ironwall_units.h"
#include "trials.h"

#include <stdio.h>

static int calls_later;

void trial_body(const char *unit)
{
    printf("body of %s\n", unit);
}

int trial_calls_later(void)
{
    return calls_later;
}

/* Prints of which table a block is, as the runtime has it. */
static void provenance(iw_runtime *heap, iw_ref block)
{
    iw_block_info info = {.size = sizeof info};
    size_t i;
    if (iw_block_at(heap, block, &info) == IW_OK) {
        for (i = 0; i < sizeof info.table; i++) {
            printf("%02x", info.table[i]);
        }
    }
    printf("\n");
}

static void say(const char *what, iw_status status)
{
    printf("%s: %d\n", what, (int)status);
}

int main(int count, char **words)
{
    const char *trial = count > 1 ? words[1] : "";
    iw_config config;
    iw_runtime *heap = NULL;
    uint32_t unit = 99;

    iw_config_init(&config, 1u << 20);
    /* No room but that which the units ask for. */
    config.max_tables = config.max_entries = config.max_offsets = config.max_globals = 0;
    ironwall_units_reserve(&config);
    say("create", iw_create(&config, &heap));
    if (strcmp(trial, "skipped") == 0) {
        say("attach", ironwall_units_attach(heap, &unit));
        say("finish", iw_finish_attach(heap));
        printf("made %d", first_make(heap) != 0);
        say(", because", iw_allocation_status(heap));
        say("run", iw_run_init(heap));
        printf("made %d\n", first_make(heap) != 0);
    } else {
        calls_later = strcmp(trial, "later") == 0;
        say("init", ironwall_units_init(heap, &unit));
        printf("unit %u of %u\n", (unsigned)unit, (unsigned)IRONWALL_UNITS);
        if (strcmp(trial, "provenance") == 0) {
            provenance(heap, first_make(heap));
            provenance(heap, second_make(heap));
        }
        if (strcmp(trial, "twice") == 0) {
            say("again", ironwall_units_init(heap, NULL));
            say("start", iw_start_unit(heap, 0));
            say("run", iw_run_init(heap));
        }
    }
    say("collect", iw_collect(heap, IW_ORIGIN_PROGRAM, 0, NULL));
    iw_destroy(heap);
    return 0;
}
