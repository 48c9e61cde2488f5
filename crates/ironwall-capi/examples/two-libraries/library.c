#include "library.h"

int library_keep(iw_runtime *heap, iw_ref text)
{
    iw_ref entry = names_Entry_new(heap);
    if (entry == 0) {
        return 0;
    }
    names_Entry_at(entry)->text = text;
    names_Entry_at(entry)->next = names_state_block.kept;
    names_state_block.kept = entry;
    return 1;
}

iw_ref library_kept(void)
{
    return names_Entry_at(names_state_block.kept)->text;
}

int library_litter(iw_runtime *heap, int count)
{
    int made = 0;
    while (made < count && names_Entry_new(heap) != 0) {
        made++;
    }
    return made;
}
