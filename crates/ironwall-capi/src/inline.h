
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

