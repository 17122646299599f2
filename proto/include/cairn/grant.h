/*
 * cairn/grant.h: the bodies of authority entries (SPEC.md section 4.1). Each reader answers false
 * for a body that does not fit its kind; each writer writes the whole entry.
 *
 * Memory: borrowed from the entry. Threads: pure functions.
 */

#ifndef CAIRN_GRANT_H
#define CAIRN_GRANT_H

#include "cairn/entry.h"

enum cairn_role {
    CAIRN_ROLE_PREFECTURE = 1,
    CAIRN_ROLE_COUNTY = 2,
    CAIRN_ROLE_TOWNSHIP = 3,
    CAIRN_ROLE_STATION = 4,
    CAIRN_ROLE_SERVER = 5,
    CAIRN_ROLE_AUDITOR = 6,
    CAIRN_ROLE_APPROVER = 7
};
enum cairn_channel_bit { CAIRN_BIT_AUTHORITY = 1, CAIRN_BIT_RECORDS = 2, CAIRN_BIT_FUNDS = 4 };
enum cairn_grant_right { CAIRN_RIGHT_DELEGATE = 1 };

struct cairn_grant {
    struct cairn_under under;
    struct cairn_scope scope;
    uint64_t role;
    uint64_t channels; /* CAIRN_BIT_* */
    uint64_t rights;   /* CAIRN_RIGHT_* */
    struct cairn_bytes tag;
    struct cairn_bytes name;
    bool has_checkpoint_key;
    struct cairn_device_keys keys;
    uint64_t least_version;
};
bool cairn_grant_read(const struct cairn_entry *entry, struct cairn_grant *out_grant);
void cairn_grant_write(struct cairn_writer *writer, uint64_t time_s,
                       const struct cairn_grant *grant);

struct cairn_revocation {
    struct cairn_under under;
    struct cairn_ref grant;
    struct cairn_items cuts; /* left counts cuts */
};
bool cairn_revocation_read(const struct cairn_entry *entry,
                           struct cairn_revocation *out_revocation);
/* Next cut; false at the end (the shape was checked by the reader). */
bool cairn_cut_next(struct cairn_items *cuts, struct cairn_head *out_cut);
void cairn_revocation_write(struct cairn_writer *writer, uint64_t time_s,
                            const struct cairn_under *under, const struct cairn_ref *grant,
                            const struct cairn_head *cuts, size_t cut_count);

struct cairn_close {
    struct cairn_under under;
    struct cairn_head cut;
};
bool cairn_close_read(const struct cairn_entry *entry, struct cairn_close *out_close);
void cairn_close_write(struct cairn_writer *writer, uint64_t time_s,
                       const struct cairn_close *close);

struct cairn_adopt {
    struct cairn_under under;
    struct cairn_hash log;
    uint32_t from, to; /* indices from <= i < to */
    struct cairn_hash root;
};
bool cairn_adopt_read(const struct cairn_entry *entry, struct cairn_adopt *out_adopt);
void cairn_adopt_write(struct cairn_writer *writer, uint64_t time_s,
                       const struct cairn_adopt *adopt);

struct cairn_sequencer {
    struct cairn_under under;
    struct cairn_scope scope;
    uint64_t epoch; /* from 1 */
    struct cairn_ref server;
    struct cairn_bytes address; /* text, may be empty */
    struct cairn_items starts;  /* left counts starts */
};
struct cairn_start {
    struct cairn_scope scope;
    enum cairn_channel channel;
    uint64_t size;
    struct cairn_hash root;
};
bool cairn_sequencer_read(const struct cairn_entry *entry, struct cairn_sequencer *out_sequencer);
bool cairn_start_next(struct cairn_items *starts, struct cairn_start *out_start);
/* Epoch 1 has no starts; later epochs are written by the server room. */
void cairn_sequencer_write(struct cairn_writer *writer, uint64_t time_s,
                           const struct cairn_sequencer *sequencer,
                           const struct cairn_start *starts, size_t start_count);

struct cairn_schema_entry {
    struct cairn_under under;
    uint64_t version;
    struct cairn_hash previous; /* H of the table before; zeros for version 1 */
    struct cairn_bytes table;
};
bool cairn_schema_entry_read(const struct cairn_entry *entry,
                             struct cairn_schema_entry *out_schema);
void cairn_schema_entry_write(struct cairn_writer *writer, uint64_t time_s,
                              const struct cairn_schema_entry *schema);

struct cairn_redaction {
    struct cairn_under under;
    struct cairn_hash log;
    uint32_t index;
    uint32_t slot;
};
bool cairn_redaction_read(const struct cairn_entry *entry, struct cairn_redaction *out_redaction);
void cairn_redaction_write(struct cairn_writer *writer, uint64_t time_s,
                           const struct cairn_redaction *redaction);

#endif
