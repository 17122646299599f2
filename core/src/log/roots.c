/* The roots that a log had at earlier sizes. Blobs keep those at their ends; what lies inside is
 * worked out from the entries, and kept until the unit of work ends: whoever asks for a thousand
 * roots of one log pays for its entries once. */

#include <stdlib.h>
#include <string.h>

#include "log.h"

/* What is remembered at most, beside the log that is being asked about: 64 MiB over all logs. A
 * device knows no more logs than its reach has, so that it takes all of a county to reach this. */
#define ROOTS_LEAVES_MAX (1u << 21)

struct cairn_roots {
    struct cairn_roots *next;
    uint32_t log;              /* no */
    struct cairn_tree tree;    /* as far as it was worked out: to the end of a blob */
    struct cairn_buffer peaks; /* for each leaf, the highest peak that it completed */
};

/* ---- what is remembered -------------------------------------------------------------------- */

static void roots_reset(struct cairn_roots *roots)
{
    cairn_tree_init(&roots->tree);
    cairn_buffer_reset(&roots->peaks);
}

void cairn_roots_free(struct cairn_roots *roots)
{
    while (roots != NULL) {
        struct cairn_roots *next = roots->next;
        cairn_buffer_release(&roots->peaks);
        free(roots);
        roots = next;
    }
}

void cairn_roots_forget(struct cairn_roots *roots, const struct cairn_key *blob)
{
    struct cairn_reader reader;

    cairn_reader_init(&reader, cairn_key_bytes(blob));
    cairn_read_u8(&reader);
    uint32_t log = cairn_read_u32be(&reader);
    uint32_t first = cairn_read_u32be(&reader);
    for (; roots != NULL; roots = roots->next)
        if (roots->log == log && first < roots->tree.size)
            roots_reset(roots);
}

/* Those of the log, which then stand first; NULL: none yet. */
static struct cairn_roots *roots_find(struct cairn_context *ctx, uint32_t log)
{
    struct cairn_roots **at = &ctx->roots;

    while (*at != NULL && (*at)->log != log)
        at = &(*at)->next;
    struct cairn_roots *roots = *at;
    if (roots == NULL)
        return NULL;
    *at = roots->next;
    roots->next = ctx->roots;
    ctx->roots = roots;
    return roots;
}

/* The same, begun where there are none: NULL when memory is short. */
static struct cairn_roots *roots_get(struct cairn_context *ctx, uint32_t log)
{
    struct cairn_roots *roots = roots_find(ctx, log);

    if (roots != NULL)
        return roots;
    roots = malloc(sizeof *roots);
    if (roots == NULL)
        return NULL;
    *roots = (struct cairn_roots){.next = ctx->roots, .log = log};
    cairn_buffer_init(&roots->peaks, SIZE_MAX);
    roots_reset(roots);
    ctx->roots = roots;
    return roots;
}

/* The others go when all of them together are too much. */
static void others_bound(struct cairn_roots *roots)
{
    uint64_t leaves = 0;

    for (const struct cairn_roots *other = roots->next; other != NULL; other = other->next)
        leaves += other->tree.size + sizeof *other / sizeof(struct cairn_hash);
    if (leaves <= ROOTS_LEAVES_MAX)
        return;
    cairn_roots_free(roots->next);
    roots->next = NULL;
}

/* ---- working them out ---------------------------------------------------------------------- */

static enum cairn_status blob_append(const struct cairn_blob *blob, struct cairn_blinder *blinder,
                                     struct cairn_roots *roots)
{
    struct cairn_reader entries;

    cairn_reader_init(&entries, blob->entries);
    for (uint32_t i = 0; i < blob->count; i++) {
        struct cairn_entry entry;
        struct cairn_hash leaf;
        CAIRN_TRY(cairn_entry_read(cairn_cbor_skip(&entries), &entry));
        CAIRN_TRY(cairn_leaf(blinder, blob->first + i, &entry, &leaf, NULL));
        cairn_tree_append(&roots->tree, &leaf);
        unsigned peak = cairn_tree_peak_count(&roots->tree) - 1;
        cairn_buffer_add(&roots->peaks, &roots->tree.peaks[peak], sizeof leaf);
    }
    return cairn_buffer_status(&roots->peaks);
}

/* On to the end of the blob that holds entry `size` - 1. */
static enum cairn_status roots_extend(struct cairn_context *ctx, const struct cairn_log *log,
                                      uint32_t size, struct cairn_roots *roots)
{
    struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);
    struct cairn_blinder blinder;
    enum cairn_status status = CAIRN_OK;

    cairn_log_blinder(log, &blinder);
    while (roots->tree.size < size && status == CAIRN_OK) {
        struct cairn_blob blob;
        status = cairn_blob_at(ctx, log->no, (uint32_t)roots->tree.size, &blob);
        if (status == CAIRN_OK && blob.first != roots->tree.size)
            status = CAIRN_CORRUPT;
        if (status == CAIRN_OK)
            status = blob_append(&blob, &blinder, roots);
        cairn_arena_rewind(&ctx->arena, mark);
    }
    cairn_blinder_release(&blinder);
    if (status != CAIRN_OK)
        roots_reset(roots);
    return status == CAIRN_MALFORMED ? CAIRN_CORRUPT : status;
}

/* A tree of that size consists of one peak for each of its one bits, from the highest on. */
static void tree_pick(const struct cairn_roots *roots, uint32_t size, struct cairn_tree *out_tree)
{
    uint64_t end = 0;
    unsigned peak = 0;

    cairn_tree_init(out_tree);
    out_tree->size = size;
    for (unsigned level = 32; level-- > 0;) {
        if ((size >> level & 1) == 0)
            continue;
        end += UINT64_C(1) << level;
        memcpy(out_tree->peaks[peak++].bytes, roots->peaks.data + (end - 1) * 32, 32);
    }
}

enum cairn_status cairn_tree_at(struct cairn_context *ctx, const struct cairn_log *log,
                                uint32_t size, struct cairn_tree *out_tree)
{
    struct cairn_roots *roots = roots_get(ctx, log->no);

    if (roots == NULL)
        return CAIRN_NO_MEMORY;
    if (roots->tree.size < size) {
        others_bound(roots);
        CAIRN_TRY(roots_extend(ctx, log, size, roots));
    }
    tree_pick(roots, size, out_tree);
    return CAIRN_OK;
}

enum cairn_status cairn_log_root_at(struct cairn_context *ctx, const struct cairn_log *log,
                                    uint32_t size, struct cairn_hash *out_root)
{
    const struct cairn_roots *roots = roots_find(ctx, log->no);
    struct cairn_tree tree;
    struct cairn_blob blob;

    if (size > cairn_log_size(log))
        return CAIRN_NOT_FOUND;
    if (size > 0 && (roots == NULL || roots->tree.size < size)) {
        CAIRN_TRY(cairn_blob_head_at(ctx, log->no, size - 1, &blob));
        if (blob.first + blob.count == size) {
            *out_root = blob.root;
            return CAIRN_OK;
        }
    }
    cairn_tree_init(&tree);
    if (size > 0)
        CAIRN_TRY(cairn_tree_at(ctx, log, size, &tree));
    *out_root = cairn_tree_root(&tree);
    return CAIRN_OK;
}
