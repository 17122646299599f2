#include "arena.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK_BYTES 65536

struct arena_block {
    struct arena_block *next;
    size_t used, capacity;
    _Alignas(max_align_t) uint8_t data[];
};

void cairn_arena_init(struct cairn_arena *arena)
{
    arena->blocks = NULL;
}

static void blocks_free(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void cairn_arena_reset(struct cairn_arena *arena)
{
    if (arena->blocks == NULL)
        return;
    struct arena_block *kept = arena->blocks;
    while (kept->next != NULL) {
        struct arena_block *next = kept->next;
        free(kept);
        kept = next;
    }
    kept->used = 0;
    arena->blocks = kept;
}

void cairn_arena_release(struct cairn_arena *arena)
{
    blocks_free(arena->blocks);
    arena->blocks = NULL;
}

void *cairn_arena_get(struct cairn_arena *arena, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    struct arena_block *block = arena->blocks;

    if (size > SIZE_MAX - ARENA_BLOCK_BYTES)
        return NULL;
    size = (size + align - 1) / align * align;
    if (block == NULL || block->capacity - block->used < size) {
        size_t capacity = size > ARENA_BLOCK_BYTES ? size : ARENA_BLOCK_BYTES;
        block = malloc(sizeof *block + capacity);
        if (block == NULL)
            return NULL;
        block->next = arena->blocks;
        block->used = 0;
        block->capacity = capacity;
        arena->blocks = block;
    }
    void *out = block->data + block->used;
    block->used += size;
    return out;
}

struct cairn_arena_mark cairn_arena_mark(const struct cairn_arena *arena)
{
    size_t used = arena->blocks == NULL ? 0 : arena->blocks->used;

    return (struct cairn_arena_mark){arena->blocks, used};
}

void cairn_arena_rewind(struct cairn_arena *arena, struct cairn_arena_mark mark)
{
    while (arena->blocks != mark.block) {
        struct arena_block *next = arena->blocks->next;
        /* The very first block stays, so that a loop over small things does not come and go. */
        if (next == NULL) {
            arena->blocks->used = 0;
            return;
        }
        free(arena->blocks);
        arena->blocks = next;
    }
    if (arena->blocks != NULL)
        arena->blocks->used = mark.used;
}

void cairn_arena_swap(struct cairn_arena *a, struct cairn_arena *b)
{
    struct cairn_arena kept = *a;

    *a = *b;
    *b = kept;
}

struct cairn_bytes cairn_arena_copy(struct cairn_arena *arena, struct cairn_bytes bytes)
{
    uint8_t *copy = cairn_arena_get(arena, bytes.size + 1);

    if (copy == NULL)
        return (struct cairn_bytes){NULL, 0};
    if (bytes.size > 0)
        memcpy(copy, bytes.data, bytes.size);
    copy[bytes.size] = '\0';
    return (struct cairn_bytes){copy, bytes.size};
}

void cairn_buffer_init(struct cairn_buffer *buffer, size_t max)
{
    *buffer = (struct cairn_buffer){.max = max};
}

void cairn_buffer_release(struct cairn_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct cairn_buffer){.max = buffer->max};
}

void cairn_buffer_reset(struct cairn_buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = buffer->is_full = false;
}

static bool buffer_reserve(struct cairn_buffer *buffer, size_t size)
{
    if (buffer->failed)
        return false;
    if (size > buffer->max - buffer->size) {
        buffer->failed = buffer->is_full = true;
        return false;
    }
    if (size <= buffer->capacity - buffer->size)
        return true;
    size_t capacity = buffer->capacity < 256 ? 256 : buffer->capacity;
    while (capacity - buffer->size < size)
        capacity = capacity > buffer->max / 2 ? buffer->max : capacity * 2;
    uint8_t *data = realloc(buffer->data, capacity);
    if (data == NULL) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void cairn_buffer_add(struct cairn_buffer *buffer, const void *data, size_t size)
{
    if (size == 0 || !buffer_reserve(buffer, size))
        return;
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

struct cairn_writer cairn_buffer_room(struct cairn_buffer *buffer, size_t size)
{
    struct cairn_writer writer;

    if (buffer_reserve(buffer, size))
        cairn_writer_init(&writer, buffer->data + buffer->size, buffer->capacity - buffer->size);
    else
        cairn_writer_init(&writer, NULL, 0);
    return writer;
}

void cairn_buffer_take(struct cairn_buffer *buffer, const struct cairn_writer *writer)
{
    if (buffer->failed)
        return;
    if (writer->overflowed)
        buffer->failed = buffer->is_full = true;
    else
        buffer->size += writer->size;
}

enum cairn_status cairn_buffer_status(const struct cairn_buffer *buffer)
{
    if (!buffer->failed)
        return CAIRN_OK;
    return buffer->is_full ? CAIRN_LIMIT : CAIRN_NO_MEMORY;
}

struct cairn_bytes cairn_buffer_bytes(const struct cairn_buffer *buffer)
{
    return (struct cairn_bytes){buffer->data, buffer->size};
}
