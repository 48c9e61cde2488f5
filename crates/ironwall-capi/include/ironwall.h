/*
 * The Ironwall runtime's interface for C and C++; docs/ironwall/c-api.md explains it.
 *
 * Every call takes a heap: null, which is refused, or one of iw_create that is not destroyed and not in another call.
 * A heap belongs to one thread at a time. Functions answer with a status, IW_OK or why nothing was done.
 *
 * Generated from the definitions in crates/ironwall-capi: UPDATE_EXPECT=1 cargo test -p ironwall-capi header
 */

#ifndef IRONWALL_H
#define IRONWALL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A heap: only its address is known outside. */
typedef struct iw_runtime iw_runtime;

/*
 * The version of this interface: major in the upper half, minor in the lower. Programs and library agree if the
 * major ones are equal and the library's minor one is not smaller.
 */
#define IW_ABI_VERSION (1 << 16)

/*
 * Collect at every host point and at every `iw_may_collect`.
 */
#define IW_ZEAL_POINTS 1

/*
 * Collect at every allocation too, before the object is made.
 */
#define IW_ZEAL_ALLOCATIONS 2

/*
 * Leave dead objects as they are, and fill memory with zeros when it is used again.
 */
#define IW_NO_WIPE 4

/*
 * The caller's heap region holds zeros.
 */
#define IW_HEAP_IS_ZEROED 8

/*
 * The program itself asked for the collection.
 */
#define IW_ORIGIN_PROGRAM 1

/*
 * The program's host asked for it.
 */
#define IW_ORIGIN_HOST 2

/*
 * A heap object.
 */
#define IW_KIND_HEAP 1

/*
 * A shadow frame.
 */
#define IW_KIND_FRAME 2

/*
 * A global block.
 */
#define IW_KIND_GLOBAL 3

/*
 * Explain with lines for people.
 */
#define IW_EXPLAIN_TEXT 1

/*
 * Explain with JSON.
 */
#define IW_EXPLAIN_JSON 2

/*
 * The reason of the collections that zeal makes: "zeal".
 */
#define IW_REASON_ZEAL 1818322298

/*
 * What zeal fills dead objects with. It is no reference, no odd word, and no address of anything.
 */
#define IW_POISON 16045747055631397354ull

/*
 * Done.
 */
#define IW_OK 0

/*
 * No room in the heap for this object. No collection was made: only the program asks for one.
 */
#define IW_OUT_OF_MEMORY 1

/*
 * A fault sealed the heap.
 */
#define IW_SEALED 2

/*
 * A region is unaligned, too small or too large, or the bookkeeping memory is too small.
 */
#define IW_BAD_REGION 3

/*
 * A table's image breaks a rule; the message tells which, and at which byte.
 */
#define IW_BAD_IMAGE 4

/*
 * No room for another table, entry, slot offset or global block.
 */
#define IW_TOO_MANY_TABLES 5

/*
 * A table with this identity is attached.
 */
#define IW_DUPLICATE_TABLE 6

/*
 * An entry with the same three tags is attached.
 */
#define IW_TAGS_TAKEN 7

/*
 * A global block does not carry the tags of a global of its own table, is too short, or is not aligned to 16.
 */
#define IW_BAD_GLOBAL 8

/*
 * An attached unit imports a unit that is not there.
 */
#define IW_MISSING_IMPORT 9

/*
 * An attached unit was compiled for another layout of an imported structure.
 */
#define IW_LAYOUT_MISMATCH 10

/*
 * Units import each other in a circle.
 */
#define IW_IMPORT_CYCLE 11

/*
 * The unit is not attached, or its initialisation has not begun.
 */
#define IW_UNIT_NOT_ATTACHED 12

/*
 * A unit's body has run, or is running.
 */
#define IW_INIT_TWICE 13

/*
 * A unit's body may not run before those of the units it imports.
 */
#define IW_INIT_OUT_OF_ORDER 14

/*
 * There is no such entry, or it is of another kind.
 */
#define IW_NO_SUCH_ENTRY 15

/*
 * The entry does not allow this extent.
 */
#define IW_BAD_EXTENT 16

/*
 * The word does not name a block.
 */
#define IW_NOT_A_BLOCK 17

/*
 * The offset is not in the block, or not a multiple of eight.
 */
#define IW_BAD_OFFSET 18

/*
 * No room for another shadow frame.
 */
#define IW_FRAMES_FULL 19

/*
 * The frame is not the newest.
 */
#define IW_NOT_NEWEST_FRAME 20

/*
 * No room for another handle.
 */
#define IW_HANDLES_FULL 21

/*
 * The handle was given up.
 */
#define IW_STALE_HANDLE 22

/*
 * A pointer is null, or a number is not one of those that the header names.
 */
#define IW_BAD_ARGUMENT 100

/*
 * The size in a structure is not the one that this library knows.
 */
#define IW_BAD_SIZE 101

/*
 * The system gave no memory, or did not tell where the thread's stack is.
 */
#define IW_NO_MEMORY 102

/*
 * There is no more to enumerate.
 */
#define IW_END 103

/*
 * The unit is used by another heap whose entries have other numbers.
 */
#define IW_UNIT_IN_USE 104

/*
 * A refusal that this version of the interface has no number for.
 */
#define IW_REFUSED 105

/*
 * The heap is damaged, as a collection would find too.
 */
#define IW_DAMAGED 110

/*
 * Reading or writing a file failed.
 */
#define IW_IO 111

/*
 * The buffer is too small; the length that it needs has been told.
 */
#define IW_BUFFER_TOO_SMALL 112

/*
 * The heap has a socket already.
 */
#define IW_LISTENING 113

/*
 * The heap has no socket.
 */
#define IW_NOT_LISTENING 114

/*
 * The text has no names of fields; the message tells what is wrong and where.
 */
#define IW_BAD_NAMES 115

/*
 * There is no shadow stack with this number.
 */
#define IW_NO_SUCH_STACK 116

/*
 * The shadow stack is in use, or is the heap's own.
 */
#define IW_STACK_IN_USE 117

/*
 * A unit was compiled for a version of this interface that the library does not have.
 */
#define IW_OTHER_VERSION 118

/*
 * What a call answers: zero, or why nothing was done.
 */
typedef int32_t iw_status;

/*
 * What a heap is made of. `iw_config_init` fills in what is usual.
 */
typedef struct iw_config {
  /*
   * The size of this structure.
   */
  uint32_t size;
  /*
   * `IW_ZEAL_POINTS` and the other flags.
   */
  uint32_t flags;
  /*
   * The heap, aligned to 16; null to have it reserved between guard pages, with one behind each large object.
   */
  void *heap;
  /*
   * Its length in bytes, of which whole blocks of 64 KiB are used; at most 64 GiB. Untouched pages take no memory.
   */
  uint64_t heap_len;
  /*
   * Memory beside the heap, aligned to 8; null to have it reserved.
   */
  void *bookkeeping;
  /*
   * Its length in bytes, at least `iw_bookkeeping_len`.
   */
  uint64_t bookkeeping_len;
  /*
   * Where shadow frames are, aligned to 8; null for the stack of the calling thread.
   */
  void *frames;
  /*
   * Its length in bytes.
   */
  uint64_t frames_len;
  /*
   * The most tables.
   */
  uint32_t max_tables;
  /*
   * The most entries of all tables.
   */
  uint32_t max_entries;
  /*
   * The most slot offsets of all entries.
   */
  uint32_t max_offsets;
  /*
   * The most global blocks.
   */
  uint32_t max_globals;
  /*
   * The most handles at a time.
   */
  uint32_t max_handles;
  /*
   * Zero.
   */
  uint32_t reserved;
} iw_config;

/*
 * What stands before every payload: three tags, and the extent of the payload in bytes. In a frame the last word
 * is the address of the frame before.
 */
typedef struct iw_prefix {
  /*
   * A hash of the structure and its confirmation.
   */
  uint64_t tag1;
  /*
   * Another hash of the structure.
   */
  uint64_t tag2;
  /*
   * A hash of the table.
   */
  uint64_t tag3;
  /*
   * The extent of the payload; in a frame, the frame before.
   */
  uint64_t word;
} iw_prefix;

/*
 * The global blocks of a unit: what `PREFIXGlobalTable` names.
 */
typedef struct iw_global_table {
  /*
   * The size of this structure.
   */
  uint32_t size;
  /*
   * How many blocks there are.
   */
  uint32_t count;
  /*
   * Their addresses; null if there are none. Each begins with its prefix and is aligned to 16.
   */
  struct iw_prefix *const *blocks;
} iw_global_table;

/*
 * What `PREFIXRuntimeInit` names: the body of a unit. It answers `IW_OK`, or why the program cannot run.
 */
typedef iw_status (*iw_init_fn)(iw_runtime *heap);

/*
 * A unit: its three symbols.
 */
typedef struct iw_unit {
  /*
   * The size of this structure.
   */
  uint32_t size;
  /*
   * Zero.
   */
  uint32_t reserved;
  /*
   * `PREFIXMetadataTable`: the table's image, which tells its own length.
   */
  const uint8_t *metadata;
  /*
   * `PREFIXGlobalTable`; null stands for an empty one.
   */
  const struct iw_global_table *globals;
  /*
   * `PREFIXRuntimeInit`; null if the unit has no body.
   */
  iw_init_fn init;
} iw_unit;

/*
 * A reference: the address of a block's prefix, or zero. It is what slots hold.
 */
typedef uint64_t iw_ref;

/*
 * The number of an attached entry in a heap; zero is none.
 */
typedef uint32_t iw_entry;

/*
 * A counted root that the host holds; zero is none.
 */
typedef uint64_t iw_handle;

/*
 * One collection.
 */
typedef struct iw_report {
  /*
   * The size of this structure, set by the caller.
   */
  uint32_t size;
  /*
   * Who asked: `IW_ORIGIN_PROGRAM` or `IW_ORIGIN_HOST`.
   */
  uint32_t origin;
  /*
   * How many collections there have been, this one included.
   */
  uint64_t sequence;
  /*
   * The caller's reason, uninterpreted.
   */
  uint64_t reason;
  /*
   * How many shadow frames were walked.
   */
  uint32_t frames;
  /*
   * How many global blocks were walked.
   */
  uint32_t globals;
  /*
   * How many handles are held.
   */
  uint32_t handles;
  /*
   * Zero.
   */
  uint32_t reserved;
  /*
   * Objects that live.
   */
  uint64_t live;
  /*
   * Bytes of their payloads.
   */
  uint64_t live_bytes;
  /*
   * Objects that were reclaimed.
   */
  uint64_t dead;
  /*
   * Bytes of their slots.
   */
  uint64_t dead_bytes;
  /*
   * The SHA-256 of what lives, by table and structure, and of the counts; equal on all machines.
   */
  uint8_t digest[32];
} iw_report;

/*
 * Damage that was found.
 */
typedef struct iw_fault {
  /*
   * The size of this structure.
   */
  uint32_t size;
  /*
   * What is wrong: 1 outside the heap, 2 misaligned, 3 not allocated, 4 `tag1` not confirmed, 5 unknown, 6 `tag3`
   * wrong, 7 `tag2` wrong, 8 another kind, 9 extent wrong, 10 frame out of bounds, 11 frames out of order.
   */
  uint32_t code;
  /*
   * When it was found: 1 in frames, 2 in global blocks, 3 in handles, 4 while marking.
   */
  uint32_t phase;
  /*
   * Zero.
   */
  uint32_t reserved;
  /*
   * The address of the block, or the word that was to be one.
   */
  uint64_t address;
  /*
   * The object that refers to it; zero for a root, and where none was found.
   */
  uint64_t referrer;
  /*
   * The offset of the referring slot in the referrer's payload.
   */
  uint64_t offset;
  /*
   * The number of the frame from the newest, of the global block, or of the handle.
   */
  uint64_t root;
  /*
   * The table of the referrer or the root; zeros if unknown.
   */
  uint8_t table[16];
  /*
   * The structure of the referrer or the root; zeros if unknown.
   */
  uint8_t structure[16];
} iw_fault;

/*
 * Hears of the first fault, just before the program aborts. It must not unwind.
 */
typedef void (*iw_fault_fn)(void *user, const struct iw_fault *fault);

/*
 * Serves the host at a host point. It may use the heap, collect too, and must not unwind.
 */
typedef void (*iw_host_fn)(void *user, iw_runtime *heap);

/*
 * An attached table. Names are not terminated by a zero.
 */
typedef struct iw_unit_info {
  /*
   * The size of this structure, set by the caller.
   */
  uint32_t size;
  /*
   * The number of its first entry; zero if it has none.
   */
  uint32_t first_entry;
  /*
   * How many entries it has.
   */
  uint32_t entries;
  /*
   * Zero.
   */
  uint32_t reserved;
  /*
   * Its UUID.
   */
  uint8_t table[16];
  /*
   * The package's name.
   */
  const char *package;
  /*
   * Its length in bytes.
   */
  uint64_t package_len;
  /*
   * The unit's name.
   */
  const char *unit;
  /*
   * Its length in bytes.
   */
  uint64_t unit_len;
} iw_unit_info;

/*
 * An attached entry. The name is not terminated by a zero.
 */
typedef struct iw_entry_info {
  /*
   * The size of this structure, set by the caller.
   */
  uint32_t size;
  /*
   * `IW_KIND_HEAP`, `IW_KIND_FRAME` or `IW_KIND_GLOBAL`.
   */
  uint32_t kind;
  /*
   * The number of the entry.
   */
  uint32_t entry;
  /*
   * The bytes of the fixed part of the payload.
   */
  uint32_t fixed;
  /*
   * The UUID of the table.
   */
  uint8_t table[16];
  /*
   * The UUID of the structure.
   */
  uint8_t structure[16];
  /*
   * The tags.
   */
  uint64_t tag1;
  /*
   * The second.
   */
  uint64_t tag2;
  /*
   * The third.
   */
  uint64_t tag3;
  /*
   * The name of the structure.
   */
  const char *name;
  /*
   * Its length in bytes.
   */
  uint64_t name_len;
  /*
   * Objects that lived at the last collection.
   */
  uint64_t live;
  /*
   * Bytes of their payloads.
   */
  uint64_t live_bytes;
} iw_entry_info;

/*
 * A block.
 */
typedef struct iw_block_info {
  /*
   * The size of this structure, set by the caller.
   */
  uint32_t size;
  /*
   * The number of its entry.
   */
  uint32_t entry;
  /*
   * The block.
   */
  iw_ref block;
  /*
   * The bytes of its payload.
   */
  uint64_t extent;
  /*
   * The UUID of its table.
   */
  uint8_t table[16];
  /*
   * The UUID of its structure.
   */
  uint8_t structure[16];
} iw_block_info;

/*
 * The number of a shadow stack of a heap; zero is the heap's own.
 */
typedef uint32_t iw_stack;

/*
 * What allocation has to know of an entry.
 */
typedef struct iw_shape {
  /*
   * The tags of the prefix.
   */
  uint64_t tag1;
  /*
   * The second.
   */
  uint64_t tag2;
  /*
   * The third.
   */
  uint64_t tag3;
  /*
   * The extent of an object without a tail.
   */
  uint64_t fixed;
  /*
   * The bytes of its slot; zero if it has to be allocated by a call.
   */
  uint32_t slot;
  /*
   * The number of its cursor.
   */
  uint32_t size_class;
} iw_shape;

/*
 * Where the next object of a size goes.
 */
typedef struct iw_cursor {
  /*
   * The address of the next object.
   */
  uint64_t next;
  /*
   * The end of the hole.
   */
  uint64_t end;
} iw_cursor;

/*
 * What every heap begins with; the inline functions use it, and nothing else should.
 */
typedef struct iw_fast {
  /*
   * The newest shadow frame.
   */
  uint64_t newest_frame;
  /*
   * The shapes of all entries, by number.
   */
  const struct iw_shape *shapes;
  /*
   * The distance from one shape to the next in bytes.
   */
  uint64_t shape_size;
  /*
   * The cursors by size.
   */
  struct iw_cursor cursors[64];
} iw_fast;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 * What a status means, in a constant string.
 */
const char *iw_status_text(int32_t status);

/*
 * The version of the interface that the library has: compare it with `IW_ABI_VERSION`.
 */
uint32_t iw_abi_version(void);

/*
 * Fills in a configuration: a heap of `heap_len` bytes reserved from the system, wiped, with frames on the stack of
 * the thread that creates the heap, and room for 64 tables, 4096 entries, 16384 slot offsets, 256 global blocks and
 * 1024 handles.
 *
 * What the caller owes:
 * `config` is null, which is refused, or can be written.
 */
iw_status iw_config_init(struct iw_config *config,
                         uint64_t heap_len);

/*
 * The bytes of bookkeeping memory for a configuration; zero if it is none. An eighth of the heap and some more, but
 * most of it stays untouched.
 *
 * What the caller owes:
 * `config` is null or can be read.
 */
uint64_t iw_bookkeeping_len(const struct iw_config *config);

/*
 * Makes a heap, and puts it into `*heap`; null if it is refused.
 *
 * What the caller owes:
 * `config` is null or can be read, `heap` is null or can be written. The regions that are named can be read and
 * written, by the heap alone, until it is destroyed. The heap is used by one thread at a time; frames, if they are
 * not named, by the thread that makes this call.
 */
iw_status iw_create(const struct iw_config *config,
                    iw_runtime **heap);

/*
 * Destroys a heap; null is none. Its socket is closed as by `iw_host_close`. Its handles, references and frames must not be used any more.
 *
 * What the caller owes:
 * `heap` is null, or of `iw_create` and in no call.
 */
void iw_destroy(iw_runtime *heap);

/*
 * Attaches a unit: phase one. Its number, for `iw_start_unit`, is put into `*number` unless that is null.
 *
 * What the caller owes:
 * `heap` is as for every call. `unit` and what it points to are as the header says; image and global blocks stay
 * where they are until the heap is destroyed.
 */
iw_status iw_attach(iw_runtime *heap,
                    const struct iw_unit *unit,
                    uint32_t *number);

/*
 * Ends phase one: compares what units use of each other, and puts them in order, imports first.
 *
 * What the caller owes:
 * `heap` is as for every call.
 */
iw_status iw_finish_attach(iw_runtime *heap);

/*
 * Phase two: runs the bodies of all units that have not run, in their order, and stops at the first that does not
 * answer `IW_OK`; that is the answer then.
 *
 * What the caller owes:
 * `heap` is as for every call, and bodies are what the header says.
 */
iw_status iw_run_init(iw_runtime *heap);

/*
 * Puts the number of the unit whose body is the next to run into `*number`; `IW_END` when all have.
 *
 * What the caller owes:
 * `heap` is as for every call; `number` is null, which is refused, or can be written.
 */
iw_status iw_next_unit(iw_runtime *heap, uint32_t *number);

/*
 * Lets a unit allocate, for programs that run bodies themselves: to be called just before the body.
 *
 * What the caller owes:
 * `heap` is as for every call.
 */
iw_status iw_start_unit(iw_runtime *heap, uint32_t number);

/*
 * Puts the number of the first entry of an attached image into `*entry`: add the place of a structure in its table.
 *
 * What the caller owes:
 * `heap` is as for every call. `metadata` is null or an image; `entry` is null, which is refused, or can be written.
 */
iw_status iw_first_entry(iw_runtime *heap,
                         const uint8_t *metadata,
                         uint32_t *entry);

/*
 * What the last call that was refused has to say; empty before. It stays until the next refusal.
 *
 * What the caller owes:
 * `heap` is as for every call.
 */
const char *iw_message(const iw_runtime *heap);

/*
 * What `iw_new` does where the hole is used up or the entry takes a call. The answer is zero if it is refused; then
 * `iw_allocation_status` tells why.
 *
 * What the caller owes:
 * `heap` is as for every call.
 */
iw_ref iw_new_slow(iw_runtime *heap,
                   iw_entry entry);

/*
 * What `iw_allocate` does where it takes a call.
 *
 * What the caller owes:
 * `heap` is as for every call.
 */
iw_ref iw_allocate_slow(iw_runtime *heap, iw_entry entry, uint64_t extent);

/*
 * Why the last allocation that answered zero did.
 *
 * What the caller owes:
 * `heap` is as for every call.
 */
iw_status iw_allocation_status(const iw_runtime *heap);

/*
 * What `iw_pop` does with a frame that is not the newest: it says so and aborts, because frames that are popped in
 * another order than they were pushed lose roots.
 */
void iw_pop_misplaced(iw_runtime *_heap);

/*
 * Reads a word of a block's payload, after all checks.
 *
 * What the caller owes:
 * `heap` is as for every call; `word` is null, which is refused, or can be written.
 */
iw_status iw_load(iw_runtime *heap, iw_ref block, uint64_t offset, uint64_t *word);

/*
 * Writes a word of a block's payload, after all checks.
 *
 * What the caller owes:
 * `heap` is as for every call.
 */
iw_status iw_store(iw_runtime *heap, iw_ref block, uint64_t offset, uint64_t word);

/*
 * Makes a handle on a block, with count one: a root until it is released as often as it was made and retained.
 *
 * What the caller owes:
 * `heap` is as for every call; `handle` is null, which is refused, or can be written.
 */
iw_status iw_handle_new(iw_runtime *heap,
                        iw_ref block,
                        iw_handle *handle);

/*
 * Adds one to a handle's count.
 *
 * What the caller owes:
 * `heap` is as for every call.
 */
iw_status iw_handle_retain(iw_runtime *heap, iw_handle handle);

/*
 * Takes one off a handle's count; at zero it is no root any more, and stale.
 *
 * What the caller owes:
 * `heap` is as for every call.
 */
iw_status iw_handle_release(iw_runtime *heap, iw_handle handle);

/*
 * The block of a handle; zero if the handle is stale.
 *
 * What the caller owes:
 * `heap` is as for every call.
 */
iw_ref iw_handle_get(iw_runtime *heap, iw_handle handle);

/*
 * Collects, now and completely. The report goes to `*report`, whose size is set, unless that is null.
 *
 * A fault calls the callback of the heap and aborts.
 *
 * What the caller owes:
 * `heap` is as for every call; `report` is null or can be read and written. Frames that were pushed are still there.
 */
iw_status iw_collect(iw_runtime *heap,
                     uint32_t origin,
                     uint64_t reason,
                     struct iw_report *report);

/*
 * Names a point at which the program can be collected and inspected: does what clients of its socket wait for, calls
 * the host's callback, if one is set, and collects if zeal asks for it. It waits for nobody. Nothing else in this
 * interface but `iw_collect` and `iw_host_serve` ever collects.
 *
 * What the caller owes:
 * As `iw_collect`.
 */
iw_status iw_host_point(iw_runtime *heap);

/*
 * Says that a collection could happen here, as before a call of a function that may collect. It collects only if
 * zeal was chosen, and finds the roots that are missing.
 *
 * What the caller owes:
 * As `iw_collect`.
 */
iw_status iw_may_collect(iw_runtime *heap);

/*
 * Sets what hears of a fault before the program aborts; null for nothing.
 *
 * What the caller owes:
 * `heap` is as for every call, and the callback can be called with `user` as long as the heap lives.
 */
iw_status iw_set_fault_callback(iw_runtime *heap, iw_fault_fn callback, void *user);

/*
 * Sets what serves the host at host points; null for nothing.
 *
 * What the caller owes:
 * `heap` is as for every call, and the callback can be called with `user` as long as the heap lives.
 */
iw_status iw_set_host_callback(iw_runtime *heap, iw_host_fn callback, void *user);

/*
 * How many collections there have been.
 *
 * What the caller owes:
 * `heap` is as for every call.
 */
uint64_t iw_collections(const iw_runtime *heap);

/*
 * Tells of the attached table with an index, from zero, in the order of their UUIDs; `IW_END` behind the last.
 *
 * What the caller owes:
 * `heap` is as for every call; `info` is null, which is refused, or can be read and written.
 */
iw_status iw_unit_at(iw_runtime *heap,
                     uint32_t index,
                     struct iw_unit_info *info);

/*
 * Tells of the entry with a number.
 *
 * What the caller owes:
 * `heap` is as for every call; `info` is null, which is refused, or can be read and written.
 */
iw_status iw_entry_at(iw_runtime *heap, uint32_t entry, struct iw_entry_info *info);

/*
 * Tells of the global block with an index, from zero; `IW_END` behind the last.
 *
 * What the caller owes:
 * `heap` is as for every call; `info` is null, which is refused, or can be read and written.
 */
iw_status iw_global_at(iw_runtime *heap, uint32_t index, struct iw_block_info *info);

/*
 * Tells of a block: an object, a global block, or a pushed frame.
 *
 * What the caller owes:
 * `heap` is as for every call; `info` is null, which is refused, or can be read and written.
 */
iw_status iw_block_at(iw_runtime *heap, iw_ref block, struct iw_block_info *info);

/*
 * Tells of the first object behind `after`, which is zero to begin; `IW_END` behind the last. Objects that died and
 * were not collected yet are told of too.
 *
 * What the caller owes:
 * `heap` is as for every call; `info` is null, which is refused, or can be read and written.
 */
iw_status iw_next_block(iw_runtime *heap,
                        iw_ref after,
                        struct iw_block_info *info);

/*
 * Writes what the heap holds now to a file, as JSON that `vambrace unit explain` reads. Contents of objects are not
 * in it, but what they refer to. Nothing is collected, and the heap is not changed. The file is there in full or not
 * at all; `IW_DAMAGED` and `IW_IO` say why not, and the message says more.
 *
 * What the caller owes:
 * `heap` is as for every call; `path` is null, which is refused, or a string.
 */
iw_status iw_snapshot(iw_runtime *heap,
                      const char *path);

/*
 * Listens on a UNIX socket with mode 0600 at `path`, or at `/run/ironwall/PID.sock` if it is null, for
 * `vambrace gc` and other clients of the protocol in `docs/ironwall/host.md`. They are answered at host points:
 * `iw_host_point` and `iw_host_serve`. A client says how long it waits for one; what is not served until then is
 * withdrawn and never done. A stale socket is replaced, anything else that is there is not.
 *
 * `IW_LISTENING` says that this heap has a socket already, `IW_IO` that the system refuses this one; the message says
 * why. After a `fork` the socket is the parent's, and the child has to call `iw_host_close` before its next host
 * point; that leaves the parent's socket alone.
 *
 * What the caller owes:
 * `heap` is as for every call; `path` is null or a string.
 */
iw_status iw_host_listen(iw_runtime *heap,
                         const char *path);

/*
 * Closes the socket and removes it. Clients that wait are told, which takes up to a second if they do not read.
 * `iw_destroy` does the same. `IW_NOT_LISTENING` says that there is none.
 *
 * What the caller owes:
 * `heap` is as for every call.
 */
iw_status iw_host_close(iw_runtime *heap);

/*
 * Tells where the socket is. `buffer`, `capacity` and `length` are as for `iw_explain`.
 *
 * What the caller owes:
 * As `iw_explain`.
 */
iw_status iw_host_path(iw_runtime *heap, char *buffer, uint64_t capacity, uint64_t *length);

/*
 * A host point that waits: serves what clients ask for `milliseconds`, and tells in `*served` how many requests that
 * were, unless it is null. Then it collects if zeal asks for it. For programs with nothing else to do. `IW_NOT_LISTENING` says that there is no socket.
 *
 * What the caller owes:
 * As `iw_collect`; `served` is null or can be written.
 */
iw_status iw_host_serve(iw_runtime *heap,
                        uint32_t milliseconds,
                        uint32_t *served);

/*
 * Adds names of fields for `iw_explain` and for what clients are told: `text` is the description of a unit, as
 * `vambrace unit table` takes it, or of the format `ironwall-names`. `IW_BAD_NAMES` says that it is neither.
 *
 * What the caller owes:
 * `heap` is as for every call; `text` is null, which is refused, or `length` bytes can be read.
 */
iw_status iw_name_fields(iw_runtime *heap,
                         const char *text,
                         uint64_t length);

/*
 * Explains why a block is alive: as text for people if `format` is `IW_EXPLAIN_TEXT`, as the result of `gc.explain`
 * in `docs/ironwall/host.md` if it is `IW_EXPLAIN_JSON`. Nothing is collected, and the heap is not changed.
 *
 * `*length` is set to the bytes of the text, without the zero behind it, unless it is null. If `capacity` is larger
 * than that, the text and a zero are written to `buffer`; otherwise nothing is, and the answer is
 * `IW_BUFFER_TOO_SMALL`. So a null buffer of capacity zero asks for the length.
 *
 * What the caller owes:
 * `heap` is as for every call; `buffer` can be written for `capacity` bytes, `length` is null or can be written.
 */
iw_status iw_explain(iw_runtime *heap,
                     iw_ref block,
                     uint32_t format,
                     char *buffer,
                     uint64_t capacity,
                     uint64_t *length);

/*
 * Makes another shadow stack, and puts its number into `*stack`; the heap's own is number zero. `frames` is where its
 * frames are, aligned to 8: the native stack of a coroutine, or whatever frames are pushed in. Null stands for the
 * stack of the calling thread.
 *
 * What the caller owes:
 * `heap` is as for every call; `stack` is null, which is refused, or can be written. The region can be read and
 * written until the stack is destroyed, and so can those of frames that are pushed.
 */
iw_status iw_stack_create(iw_runtime *heap,
                          void *frames,
                          uint64_t frames_len,
                          iw_stack *stack);

/*
 * Uses another shadow stack from now on: frames are pushed on it and popped from it. The frames of the one before
 * stay where they are, and stay roots. To be called when the program goes to another native stack.
 *
 * What the caller owes:
 * `heap` is as for every call. Frames that are pushed afterwards are in the region of this stack.
 */
iw_status iw_stack_use(iw_runtime *heap,
                       iw_stack stack);

/*
 * The number of the shadow stack in use; zero if the heap is null.
 *
 * What the caller owes:
 * `heap` is as for every call.
 */
iw_stack iw_stack_in_use(const iw_runtime *heap);

/*
 * Destroys a shadow stack with whatever frames are on it. The heap's own and the one in use are refused with
 * `IW_STACK_IN_USE`.
 *
 * What the caller owes:
 * `heap` is as for every call.
 */
iw_status iw_stack_destroy(iw_runtime *heap,
                           iw_stack stack);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus


/*
 * Inline functions: the whole of what a program does without a call.
 */

#if defined(__cplusplus)
#define IW_STATIC_ASSERT(name, condition) static_assert(condition, #name)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define IW_STATIC_ASSERT(name, condition) _Static_assert(condition, #name)
#else
#define IW_STATIC_ASSERT(name, condition) typedef char iw_assert_##name[(condition) ? 1 : -1]
#endif

#if defined(__GNUC__)
#define IW_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define IW_ALIGNED(bytes) __attribute__((aligned(bytes)))
/*
 * Before every function that pushes a frame: inlined into another, its frame could lie above that of its caller,
 * and collections walk frames in the order of their addresses.
 */
#define IW_FRAMED __attribute__((noinline))
#else
#error "ironwall.h needs GCC, or a compiler that has its attributes"
#endif

#define IW_ASSERT_SIZE(type, bytes) IW_STATIC_ASSERT(size_of_##type, sizeof(type) == (bytes))
#define IW_ASSERT_OFFSET(type, field, bytes) IW_STATIC_ASSERT(type##_at_##field, offsetof(type, field) == (bytes))

/* The address of a block's payload. */
static inline void *iw_payload(iw_ref block)
{
    return (void *)(uintptr_t)(block + sizeof(iw_prefix));
}

/* The bytes of the payload of an object or a global block. */
static inline uint64_t iw_extent(iw_ref block)
{
    return ((const iw_prefix *)(uintptr_t)block)->word;
}

/* The shape of an entry. */
static inline const iw_shape *iw_shape_of(const iw_runtime *heap, iw_entry entry)
{
    const iw_fast *fast = (const iw_fast *)(const void *)heap;
    const unsigned char *shapes = (const unsigned char *)fast->shapes;
    return (const iw_shape *)(const void *)(shapes + (uint64_t)entry * fast->shape_size);
}

/* Whether an object of this shape has room in the hole of its size. A slot of no bytes never has: it takes a call. */
static inline int iw_has_room(iw_runtime *heap, const iw_shape *shape)
{
    const iw_cursor *cursor = &((iw_fast *)(void *)heap)->cursors[shape->size_class];
    return cursor->end - cursor->next > (uint64_t)shape->slot - 1;
}

/* Takes a slot that has room, and writes the prefix. The payload is zero already. */
static inline iw_ref iw_take(iw_runtime *heap, const iw_shape *shape)
{
    iw_cursor *cursor = &((iw_fast *)(void *)heap)->cursors[shape->size_class];
    iw_ref made = cursor->next;
    iw_prefix *prefix = (iw_prefix *)(uintptr_t)made;
    cursor->next = made + shape->slot;
    prefix->tag1 = shape->tag1;
    prefix->tag2 = shape->tag2;
    prefix->tag3 = shape->tag3;
    prefix->word = shape->fixed;
    return made;
}

/*
 * A new object of an entry without a tail, with a payload of zeros. Zero if it is refused; iw_allocation_status
 * tells why. It never collects, except under zeal that was asked for at allocations.
 */
static inline iw_ref iw_new(iw_runtime *heap, iw_entry entry)
{
    const iw_shape *shape = iw_shape_of(heap, entry);
    return IW_UNLIKELY(!iw_has_room(heap, shape)) ? iw_new_slow(heap, entry) : iw_take(heap, shape);
}

/* A new object with a payload of `extent` bytes, all zero; as iw_new. */
static inline iw_ref iw_allocate(iw_runtime *heap, iw_entry entry, uint64_t extent)
{
    const iw_shape *shape = iw_shape_of(heap, entry);
    if (IW_UNLIKELY(shape->fixed != extent || !iw_has_room(heap, shape))) {
        return iw_allocate_slow(heap, entry, extent);
    }
    return iw_take(heap, shape);
}

/*
 * Whether the library fits what was compiled with this header. A unit's initialisation asks first: what is inline here
 * relies on the layout of a heap.
 */
static inline iw_status iw_check_version(void)
{
    uint32_t has = iw_abi_version();
    return has >> 16 == IW_ABI_VERSION >> 16 && has >= IW_ABI_VERSION ? IW_OK : IW_OTHER_VERSION;
}

/*
 * Pushes a frame: a structure on the native stack that begins with a prefix, followed by `fixed` bytes. Its slots
 * are emptied. What they hold is a root until the frame is popped, which must be before the function returns.
 */
static inline void iw_push(iw_runtime *heap, iw_prefix *frame, uint64_t tag1, uint64_t tag2, uint64_t tag3,
                           uint64_t fixed)
{
    iw_fast *fast = (iw_fast *)(void *)heap;
    memset(frame + 1, 0, (size_t)fixed);
    frame->tag1 = tag1;
    frame->tag2 = tag2;
    frame->tag3 = tag3;
    frame->word = fast->newest_frame;
    fast->newest_frame = (uint64_t)(uintptr_t)frame;
}

/* Pops a frame. One that is not the newest is told on standard error, and the program aborts. */
static inline void iw_pop(iw_runtime *heap, const iw_prefix *frame)
{
    iw_fast *fast = (iw_fast *)(void *)heap;
    if (IW_UNLIKELY(fast->newest_frame != (uint64_t)(uintptr_t)frame)) {
        iw_pop_misplaced(heap);
    }
    fast->newest_frame = frame->word;
}

/* The newest frame, to be given to iw_unwind_to after a longjmp that left others behind. */
static inline uint64_t iw_newest_frame(const iw_runtime *heap)
{
    return ((const iw_fast *)(const void *)heap)->newest_frame;
}

/* Pops every frame pushed since iw_newest_frame answered `frame`. */
static inline void iw_unwind_to(iw_runtime *heap, uint64_t frame)
{
    ((iw_fast *)(void *)heap)->newest_frame = frame;
}

/* The layout that the library was compiled with. */
IW_ASSERT_SIZE(iw_prefix, 32);
IW_ASSERT_OFFSET(iw_prefix, tag1, 0);
IW_ASSERT_OFFSET(iw_prefix, tag2, 8);
IW_ASSERT_OFFSET(iw_prefix, tag3, 16);
IW_ASSERT_OFFSET(iw_prefix, word, 24);
IW_ASSERT_SIZE(iw_cursor, 16);
IW_ASSERT_OFFSET(iw_cursor, next, 0);
IW_ASSERT_OFFSET(iw_cursor, end, 8);
IW_ASSERT_SIZE(iw_shape, 40);
IW_ASSERT_OFFSET(iw_shape, tag1, 0);
IW_ASSERT_OFFSET(iw_shape, tag2, 8);
IW_ASSERT_OFFSET(iw_shape, tag3, 16);
IW_ASSERT_OFFSET(iw_shape, fixed, 24);
IW_ASSERT_OFFSET(iw_shape, slot, 32);
IW_ASSERT_OFFSET(iw_shape, size_class, 36);
IW_ASSERT_SIZE(iw_fast, 1048);
IW_ASSERT_OFFSET(iw_fast, newest_frame, 0);
IW_ASSERT_OFFSET(iw_fast, shapes, 8);
IW_ASSERT_OFFSET(iw_fast, shape_size, 16);
IW_ASSERT_OFFSET(iw_fast, cursors, 24);
IW_ASSERT_SIZE(iw_config, 80);
IW_ASSERT_OFFSET(iw_config, size, 0);
IW_ASSERT_OFFSET(iw_config, flags, 4);
IW_ASSERT_OFFSET(iw_config, heap, 8);
IW_ASSERT_OFFSET(iw_config, heap_len, 16);
IW_ASSERT_OFFSET(iw_config, bookkeeping, 24);
IW_ASSERT_OFFSET(iw_config, bookkeeping_len, 32);
IW_ASSERT_OFFSET(iw_config, frames, 40);
IW_ASSERT_OFFSET(iw_config, frames_len, 48);
IW_ASSERT_OFFSET(iw_config, max_tables, 56);
IW_ASSERT_OFFSET(iw_config, max_entries, 60);
IW_ASSERT_OFFSET(iw_config, max_offsets, 64);
IW_ASSERT_OFFSET(iw_config, max_globals, 68);
IW_ASSERT_OFFSET(iw_config, max_handles, 72);
IW_ASSERT_OFFSET(iw_config, reserved, 76);
IW_ASSERT_SIZE(iw_global_table, 16);
IW_ASSERT_OFFSET(iw_global_table, size, 0);
IW_ASSERT_OFFSET(iw_global_table, count, 4);
IW_ASSERT_OFFSET(iw_global_table, blocks, 8);
IW_ASSERT_SIZE(iw_unit, 32);
IW_ASSERT_OFFSET(iw_unit, size, 0);
IW_ASSERT_OFFSET(iw_unit, reserved, 4);
IW_ASSERT_OFFSET(iw_unit, metadata, 8);
IW_ASSERT_OFFSET(iw_unit, globals, 16);
IW_ASSERT_OFFSET(iw_unit, init, 24);
IW_ASSERT_SIZE(iw_report, 104);
IW_ASSERT_OFFSET(iw_report, size, 0);
IW_ASSERT_OFFSET(iw_report, origin, 4);
IW_ASSERT_OFFSET(iw_report, sequence, 8);
IW_ASSERT_OFFSET(iw_report, reason, 16);
IW_ASSERT_OFFSET(iw_report, frames, 24);
IW_ASSERT_OFFSET(iw_report, globals, 28);
IW_ASSERT_OFFSET(iw_report, handles, 32);
IW_ASSERT_OFFSET(iw_report, reserved, 36);
IW_ASSERT_OFFSET(iw_report, live, 40);
IW_ASSERT_OFFSET(iw_report, live_bytes, 48);
IW_ASSERT_OFFSET(iw_report, dead, 56);
IW_ASSERT_OFFSET(iw_report, dead_bytes, 64);
IW_ASSERT_OFFSET(iw_report, digest, 72);
IW_ASSERT_SIZE(iw_fault, 80);
IW_ASSERT_OFFSET(iw_fault, size, 0);
IW_ASSERT_OFFSET(iw_fault, code, 4);
IW_ASSERT_OFFSET(iw_fault, phase, 8);
IW_ASSERT_OFFSET(iw_fault, reserved, 12);
IW_ASSERT_OFFSET(iw_fault, address, 16);
IW_ASSERT_OFFSET(iw_fault, referrer, 24);
IW_ASSERT_OFFSET(iw_fault, offset, 32);
IW_ASSERT_OFFSET(iw_fault, root, 40);
IW_ASSERT_OFFSET(iw_fault, table, 48);
IW_ASSERT_OFFSET(iw_fault, structure, 64);
IW_ASSERT_SIZE(iw_unit_info, 64);
IW_ASSERT_OFFSET(iw_unit_info, size, 0);
IW_ASSERT_OFFSET(iw_unit_info, first_entry, 4);
IW_ASSERT_OFFSET(iw_unit_info, entries, 8);
IW_ASSERT_OFFSET(iw_unit_info, reserved, 12);
IW_ASSERT_OFFSET(iw_unit_info, table, 16);
IW_ASSERT_OFFSET(iw_unit_info, package, 32);
IW_ASSERT_OFFSET(iw_unit_info, package_len, 40);
IW_ASSERT_OFFSET(iw_unit_info, unit, 48);
IW_ASSERT_OFFSET(iw_unit_info, unit_len, 56);
IW_ASSERT_SIZE(iw_entry_info, 104);
IW_ASSERT_OFFSET(iw_entry_info, size, 0);
IW_ASSERT_OFFSET(iw_entry_info, kind, 4);
IW_ASSERT_OFFSET(iw_entry_info, entry, 8);
IW_ASSERT_OFFSET(iw_entry_info, fixed, 12);
IW_ASSERT_OFFSET(iw_entry_info, table, 16);
IW_ASSERT_OFFSET(iw_entry_info, structure, 32);
IW_ASSERT_OFFSET(iw_entry_info, tag1, 48);
IW_ASSERT_OFFSET(iw_entry_info, tag2, 56);
IW_ASSERT_OFFSET(iw_entry_info, tag3, 64);
IW_ASSERT_OFFSET(iw_entry_info, name, 72);
IW_ASSERT_OFFSET(iw_entry_info, name_len, 80);
IW_ASSERT_OFFSET(iw_entry_info, live, 88);
IW_ASSERT_OFFSET(iw_entry_info, live_bytes, 96);
IW_ASSERT_SIZE(iw_block_info, 56);
IW_ASSERT_OFFSET(iw_block_info, size, 0);
IW_ASSERT_OFFSET(iw_block_info, entry, 4);
IW_ASSERT_OFFSET(iw_block_info, block, 8);
IW_ASSERT_OFFSET(iw_block_info, extent, 16);
IW_ASSERT_OFFSET(iw_block_info, table, 24);
IW_ASSERT_OFFSET(iw_block_info, structure, 40);

#endif
