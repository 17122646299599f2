/* arena.h: memory of one unit of work. Everything it gave is freed at once by reset or release. */

#ifndef CAIRN_ARENA_H
#define CAIRN_ARENA_H

#include "cairn/bytes.h"

struct arena_block;
struct cairn_arena {
    struct arena_block *blocks; /* newest first */
};

void cairn_arena_init(struct cairn_arena *arena);
/* Keeps the first block for the next unit of work. */
void cairn_arena_reset(struct cairn_arena *arena);
void cairn_arena_release(struct cairn_arena *arena);
/* `size` bytes aligned for any type, not cleared; NULL when memory is short. */
void *cairn_arena_get(struct cairn_arena *arena, size_t size);
/* Where the arena stands: what is got after a mark goes again with cairn_arena_rewind. */
struct cairn_arena_mark {
    struct arena_block *block;
    size_t used;
};
struct cairn_arena_mark cairn_arena_mark(const struct cairn_arena *arena);
void cairn_arena_rewind(struct cairn_arena *arena, struct cairn_arena_mark mark);
/* Each takes over what the other one has. */
void cairn_arena_swap(struct cairn_arena *a, struct cairn_arena *b);
/* A copy with a NUL behind it; {NULL, 0} when memory is short (an empty input gives data
 * != NULL). */
struct cairn_bytes cairn_arena_copy(struct cairn_arena *arena, struct cairn_bytes bytes);

/* Bytes that grow on the heap, up to `max`. */
struct cairn_buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t max;
    bool failed;  /* memory was short, or max was passed: `size` is of no use */
    bool is_full; /* it failed because max was passed */
};
void cairn_buffer_init(struct cairn_buffer *buffer, size_t max);
void cairn_buffer_release(struct cairn_buffer *buffer);
void cairn_buffer_reset(struct cairn_buffer *buffer);
void cairn_buffer_add(struct cairn_buffer *buffer, const void *data, size_t size);
/* A writer over at least `size` free bytes at the end; commit with cairn_buffer_take. */
struct cairn_writer cairn_buffer_room(struct cairn_buffer *buffer, size_t size);
/* Count what was written through the writer of cairn_buffer_room. */
void cairn_buffer_take(struct cairn_buffer *buffer, const struct cairn_writer *writer);
/* Why it failed: LIMIT or NO_MEMORY; OK while it has not. */
CAIRN_NODISCARD enum cairn_status cairn_buffer_status(const struct cairn_buffer *buffer);
struct cairn_bytes cairn_buffer_bytes(const struct cairn_buffer *buffer);

#endif
