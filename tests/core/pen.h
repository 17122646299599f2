/*
 * pen.h: device logs written by hand. A pen signs whatever it is told, right or wrong, so that a
 * test can hold what no honest device writes: forks, invalid entries, borrowed grants.
 *
 * Each call of pen_write makes one piece, a run under one seal as it would arrive from a peer.
 *
 * Memory:  pieces own their bytes until pieces_free(); a copied pen is a fork of its log.
 * Effects: fails the running cmocka test.
 */

#ifndef CAIRN_TESTS_PEN_H
#define CAIRN_TESTS_PEN_H

#include "cairn/grant.h"
#include "cairn/keys.h"
#include "cairn/leaf.h"
#include "cairn/merkle.h"

#define PEN_TIME 1700000000u
#define PEN_ENTRY_BYTES CAIRN_ENTRY_MAX

struct piece {
    struct cairn_scope scope;
    enum cairn_channel channel;
    struct cairn_run run;
    struct cairn_hash log; /* id */
};
struct pieces {
    struct piece *list;
    size_t count, capacity;
};
void pieces_add(struct pieces *pieces, const struct piece *piece); /* copies the entries */
/* Add pieces [from, to] of one log as one run: only the last seal of a batch travels. */
void pieces_join(const struct piece *const *own, size_t from, size_t to, struct pieces *out);
void pieces_free(struct pieces *pieces);

struct pen {
    const struct cairn_keys *keys;
    struct pieces *out;
    struct cairn_scope scope;
    enum cairn_channel channel;
    struct cairn_incarnation incarnation;
    struct cairn_secret secret;
    struct cairn_hash id;
    struct cairn_under under;
    struct cairn_tree tree;
    uint64_t time_s; /* goes up by one an entry */
};
/* Begins the log with its basis under `schema_version`. `seed` makes incarnation and secret. */
void pen_begin(struct pen *pen, const struct cairn_keys *keys, const struct cairn_hash *network,
               uint64_t scope, enum cairn_channel channel, const struct cairn_under *under,
               uint64_t schema_version, uint64_t seed, struct pieces *out);
/* The same without a basis: the test writes entry 0 itself. */
void pen_blank(struct pen *pen, const struct cairn_keys *keys, const struct cairn_hash *network,
               uint64_t scope, enum cairn_channel channel, const struct cairn_under *under,
               uint64_t seed, struct pieces *out);
/* A basis as pen_begin writes it, for any place in the log. */
void pen_basis(struct pen *pen, const struct cairn_under *under, uint64_t schema_version);
/* `count` entries under one seal; the ref of the last. */
struct cairn_ref pen_write(struct pen *pen, struct cairn_bytes entries, uint32_t count);
uint32_t pen_size(const struct pen *pen);
struct cairn_head pen_head(const struct pen *pen);
/* The first piece of this log that begins at `first`, of the `nth` written so (a fork has two). */
const struct piece *piece_at(const struct pieces *pieces, const struct cairn_hash *log,
                             uint32_t first, unsigned nth);

/* ---- entries ---- */

/* A writer over a buffer of its own, for one entry. */
struct draft {
    struct cairn_writer writer;
    uint8_t bytes[PEN_ENTRY_BYTES];
};
/* A change with `item_count` items, which the caller writes after it. */
void draft_change(struct draft *draft, struct pen *pen, size_t item_count);
/* The head of an authority entry of any kind, whose body begins with the pen's `under`; the caller
 * writes the `more` elements after it. */
void draft_authority(struct draft *draft, struct pen *pen, uint64_t kind, size_t more);
/* The same with an empty body. */
void draft_bare(struct draft *draft, struct pen *pen, uint64_t kind);
void draft_revocation(struct draft *draft, struct pen *pen, const struct cairn_ref *grant,
                      const struct cairn_head *cuts, size_t cut_count);
struct cairn_ref draft_write(struct draft *draft, struct pen *pen);
void draft_create(struct draft *draft, uint64_t type, uint32_t counter, uint64_t field,
                  int64_t value);
/* CAIRN_ITEM_SET, _SETTLE or _DELETE (then field and value are not read). */
void draft_item(struct draft *draft, uint64_t number, struct cairn_local_dot record, uint64_t field,
                int64_t value, const struct cairn_local_dot *named, size_t named_count);
void draft_reason(struct draft *draft);
void draft_announce_first(struct draft *draft, const struct cairn_head *head);
void draft_announce(struct draft *draft, uint32_t number, const struct cairn_head *head);

/* ---- whole entries: drafted and written ---- */

/* A household with one field. */
struct cairn_ref pen_create(struct pen *pen, uint32_t counter, uint64_t field, int64_t value);
/* One field of the record that entry `record` of this log created. */
struct cairn_ref pen_set(struct pen *pen, uint32_t record, uint64_t field, int64_t value);
struct cairn_ref pen_revoke(struct pen *pen, const struct cairn_ref *grant,
                            const struct cairn_head *cuts, size_t cut_count);
struct cairn_ref pen_close(struct pen *pen, const struct cairn_head *cut);
/* Entries [from, head->size) of the log of `head`. */
struct cairn_ref pen_adopt(struct pen *pen, const struct cairn_head *head, uint32_t from);

/* ---- a small network ---- */

#define VILLAGE 513332100201u
#define OTHER_VILLAGE 513332100202u
#define COUNTY 513332u
#define ROOT_SCOPE 51u
#define STATIONS 4
#define TYPE_HOUSEHOLD 1u

/* Root, county office, and stations of one village; each with its keys and grant. */
struct land {
    uint8_t statement_bytes[CAIRN_STATEMENT_MAX];
    struct cairn_bytes statement;
    struct cairn_hash network;
    struct cairn_keys root_keys, office_keys, station_keys[STATIONS];
    struct cairn_under root, office, station[STATIONS];
    struct pen root_pen, office_pen; /* authority */
    struct pieces pieces;
};
void land_init(struct land *land);
/* The same under another table of version 1. */
typedef void land_table_fn(struct cairn_writer *writer);
void land_init_with(struct land *land, land_table_fn *table_write);
void land_free(struct land *land);
void land_keys(struct cairn_keys *keys, const char *name, uint64_t seed);
/* Write a grant for `keys` with `pen`. */
struct cairn_under land_grant(struct pen *pen, const struct cairn_keys *keys, uint64_t scope,
                              uint64_t role, uint64_t channels, uint64_t rights, const char *tag);
/* An office below `above`, with keys and an authority log of its own, begun; its grant. */
struct cairn_under land_office(struct land *land, struct pen *above, struct cairn_keys *keys,
                               struct pen *pen, uint64_t scope, uint64_t seed);
/* The records log of station `n` in the village, begun. */
void land_station_pen(struct land *land, struct pen *pen, unsigned n);

#endif
