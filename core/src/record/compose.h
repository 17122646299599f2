/*
 * compose.h: writing changes. Turns records and versions of this store into the numbers that an
 * entry of one log uses, announcing other logs where it must (SPEC.md section 5).
 */

#ifndef CAIRN_COMPOSE_H
#define CAIRN_COMPOSE_H

#include "log.h"
#include "record.h"

#define CAIRN_COMPOSE_LOGS_MAX 64

/* Entries for one log, not appended yet. */
struct cairn_composer {
    struct cairn_context *ctx;
    struct cairn_log log;
    uint64_t now_s;
    uint32_t entry_count;
    struct cairn_buffer entries;
    /* What entries composed here announce. */
    size_t announced_count;
    struct {
        uint32_t log, number, size;
    } announced[CAIRN_COMPOSE_LOGS_MAX];
    /* The entry being composed. */
    size_t item_count;
    struct cairn_buffer announcements, items;
};
void cairn_composer_init(struct cairn_composer *composer, struct cairn_context *ctx,
                         const struct cairn_log *log, uint64_t now_s);
void cairn_composer_release(struct cairn_composer *composer);
/* Begin an entry; then items; then end. */
void cairn_compose_begin(struct cairn_composer *composer);
/* How the entry names `dot`; announces its log if need be. LIMIT, in words: too many such logs. */
CAIRN_NODISCARD
enum cairn_status cairn_compose_dot(struct cairn_composer *composer, struct cairn_dot dot,
                                    struct cairn_local_dot *out_local);
/* Room for one item of at most `size` bytes; give it back with cairn_compose_item_end. */
struct cairn_writer cairn_compose_item(struct cairn_composer *composer, size_t size);
void cairn_compose_item_end(struct cairn_composer *composer, const struct cairn_writer *writer);
/* A value as it stands in the entry: where it is a record of this store (value->dot is then a log
 * of this store and an index), its log is announced if need be. LIMIT, in words. */
CAIRN_NODISCARD
enum cairn_status cairn_compose_value(struct cairn_composer *composer,
                                      const struct cairn_value *value,
                                      struct cairn_value *out_value);
/* A set, settle, delete, add, remove or count that replaces `named`; value NULL for those without.
 */
CAIRN_NODISCARD
enum cairn_status cairn_compose_write(struct cairn_composer *composer, uint64_t number,
                                      struct cairn_dot record, uint64_t field,
                                      const struct cairn_value *value,
                                      const struct cairn_dot *named, size_t named_count);
/* A step to `position` that follows named[0], if any, and replaces all of them. */
CAIRN_NODISCARD
enum cairn_status cairn_compose_step(struct cairn_composer *composer, struct cairn_dot record,
                                     uint64_t field, const struct cairn_position *position,
                                     const uint8_t seen[static CAIRN_SEEN_BYTES],
                                     const struct cairn_dot *named, size_t named_count);
void cairn_compose_reason(struct cairn_composer *composer, const char *reason);
/* The entry's index in the log. BAD_INPUT, in words: too large for an entry. */
CAIRN_NODISCARD
enum cairn_status cairn_compose_end(struct cairn_composer *composer, uint32_t *out_index);

#endif
