/*
 * cairn/message.h: what two replicas say to each other: evidence links, runs, groups, request,
 * reply, invitation, bundle header and part (SPEC.md sections 7 to 10).
 *
 * A `_read` function checks the whole shape and every limit at once; the `_next` iterators over
 * the lists inside it therefore cannot fail, they only end. Payload packing (zstd), encryption and
 * meaning are core's.
 *
 * Memory: everything read is borrowed from the input. Threads: pure but for the object passed.
 */

#ifndef CAIRN_MESSAGE_H
#define CAIRN_MESSAGE_H

#include "cairn/checkpoint.h"
#include "cairn/identity.h"

/* What a message, or a part of a bundle, may come to when unpacked: more is refused unread. */
#define CAIRN_MESSAGE_UNPACKED_MAX ((size_t)1 << 20)
#define CAIRN_ENTRY_MAX 16384 /* bytes of an entry with every slot open */
#define CAIRN_SLOTS_MAX 64    /* of one entry */
/* The same with every slot closed: a commitment takes 34 bytes, the smallest value 1. What carries
 * entries checks this; cairn_entry_read() judges the exact limit. */
#define CAIRN_ENTRY_CLOSED_MAX (CAIRN_ENTRY_MAX + CAIRN_SLOTS_MAX * 33)
#define CAIRN_RUN_ENTRIES_MAX 4096
#define CAIRN_MESSAGE_ITEMS_MAX 4096 /* groups of a message, and runs in all its groups */
#define CAIRN_LINKS_MAX 512
#define CAIRN_PATH_MAX 32
#define CAIRN_REPLY_TEXT_MAX 256
#define CAIRN_ADDRESS_MAX 128

/* Items yet to be read of an array that was checked whole. Copy it to iterate again. */
struct cairn_list {
    struct cairn_reader reader;
    size_t left;
};

/* Evidence of one authority entry (section 7). */
struct cairn_link {
    struct cairn_bytes entry; /* closed; at most CAIRN_ENTRY_CLOSED_MAX */
    struct cairn_hash blinding;
    struct cairn_incarnation incarnation;
    uint32_t index;
    size_t path_count;
    struct cairn_hash path[CAIRN_PATH_MAX];
    struct cairn_signature seal;
};
CAIRN_NODISCARD enum cairn_status cairn_link_read(struct cairn_bytes bytes,
                                                  struct cairn_link *out_link);
void cairn_link_write(struct cairn_writer *writer, const struct cairn_link *link);
/* Next link of a checked list. */
bool cairn_link_next(struct cairn_list *links, struct cairn_link *out_link);

/* How a run or a scope-log leaf names its log (section 8). Which logs have a number is core's. */
struct cairn_log_name {
    bool is_numbered; /* else device and incarnation name the log */
    uint32_t log_number;
    struct cairn_sign_public device;
    struct cairn_incarnation incarnation;
};

enum cairn_run_secret { CAIRN_RUN_NO_SECRET, CAIRN_RUN_SECRET, CAIRN_RUN_BLIND_SEED };

/* Consecutive entries of one log that end in a seal (section 8). */
struct cairn_run {
    struct cairn_log_name log;
    uint32_t first;
    uint32_t entry_count;       /* at least 1 */
    struct cairn_bytes entries; /* `entry_count` CBOR items, one after the other */
    struct cairn_signature seal;
    enum cairn_run_secret secret_kind; /* NO_SECRET exactly when first > 0 */
    struct cairn_hash secret;          /* s or the blind seed */
};
void cairn_run_write(struct cairn_writer *writer, const struct cairn_run *run);
bool cairn_run_next(struct cairn_list *runs, struct cairn_run *out_run);
/* The next entry's bytes of run.entries; false at the end. Start with a reader over run.entries. */
bool cairn_run_entry_next(struct cairn_reader *entries, struct cairn_bytes *out_entry);

/* One leaf of a scope log as it travels in a group (section 8). */
struct cairn_scope_leaf {
    struct cairn_log_name log; /* in full where the log first stands in the scope log */
    uint32_t size;             /* at least 1 */
};
void cairn_scope_leaf_write(struct cairn_writer *writer, const struct cairn_scope_leaf *leaf);
bool cairn_scope_leaf_next(struct cairn_list *leaves, struct cairn_scope_leaf *out_leaf);

struct cairn_group {
    struct cairn_scope scope;
    enum cairn_channel channel;
    uint64_t epoch;
    uint64_t first_leaf;
    struct cairn_list leaves; /* cairn_scope_leaf; left counts leaves, not items */
    struct cairn_list runs;
    uint64_t time_s;
    bool has_checkpoint; /* signature not empty */
    struct cairn_signature signature;
    bool is_explicit; /* root, digest and held are given */
    struct cairn_hash root;
    struct cairn_hash digest;
    size_t held_count;
    struct cairn_held held[CAIRN_HELD_MAX];
};
bool cairn_group_next(struct cairn_list *groups, struct cairn_group *out_group);

/*
 * Writing a group: `leaves` and `runs` are bytes written before (cairn_scope_leaf_write and
 * cairn_run_write results) with their counts.
 */
struct cairn_group_parts {
    struct cairn_bytes leaves;
    size_t leaf_count;
    struct cairn_bytes runs;
    size_t run_count;
};
/* `group->leaves` and `group->runs` are not read. */
void cairn_group_write(struct cairn_writer *writer, const struct cairn_group *group,
                       const struct cairn_group_parts *parts);

enum cairn_request_flag {
    CAIRN_REQUEST_EXPLICIT = 1,  /* give checkpoints in full */
    CAIRN_REQUEST_ROOTS = 2,     /* roots are a list */
    CAIRN_REQUEST_HEADS = 4,     /* heads are a list */
    CAIRN_REQUEST_GIVES_BACK = 8 /* groups are what a restored server signed once and lost */
};

struct cairn_scope_size {
    struct cairn_scope scope;
    enum cairn_channel channel;
    uint64_t epoch;
    uint64_t size;
};
void cairn_scope_size_write(struct cairn_writer *writer, const struct cairn_scope_size *scope_size);
bool cairn_scope_size_next(struct cairn_list *scopes, struct cairn_scope_size *out_scope_size);
bool cairn_hash_next(struct cairn_list *hashes, struct cairn_hash *out_hash);
bool cairn_held_next(struct cairn_list *heads, struct cairn_held *out_held);

struct cairn_request {
    uint64_t flags;
    struct cairn_list scopes;        /* cairn_scope_size, strictly ascending by (scope, channel) */
    struct cairn_bytes roots_digest; /* 16 bytes, unless the flag says list */
    struct cairn_list roots;         /* cairn_hash, as many as scopes, if the flag says so */
    struct cairn_bytes heads_digest; /* 0 or 8 bytes, unless the flag says list */
    struct cairn_list heads;         /* cairn_held, if the flag says so */
    struct cairn_list groups;
    struct cairn_list links;
};
CAIRN_NODISCARD
enum cairn_status cairn_request_read(struct cairn_bytes bytes, struct cairn_request *out_request);

/* Pieces written before, with their counts. */
struct cairn_request_parts {
    uint64_t flags;
    struct cairn_bytes scopes; /* cairn_scope_size_write results */
    size_t scope_count;
    struct cairn_bytes roots; /* the 16 bytes, or with the flag CBOR hashes (scope_count of them) */
    struct cairn_bytes heads; /* 0 or 8 bytes, or with the flag CBOR (log id, size) pairs */
    size_t head_count;        /* pairs */
    struct cairn_bytes groups;
    size_t group_count;
    struct cairn_bytes links;
    size_t link_count;
};
void cairn_request_write(struct cairn_writer *writer, const struct cairn_request_parts *parts);

/* Codes on the wire: append-only. */
enum cairn_reply_code {
    CAIRN_REPLY_DONE = 0,
    CAIRN_REPLY_UNKNOWN_DEVICE = 1,
    CAIRN_REPLY_BUSY = 2,
    CAIRN_REPLY_MALFORMED = 3,
    CAIRN_REPLY_OTHER_NETWORK = 4,
    CAIRN_REPLY_REFUSED = 5,
    CAIRN_REPLY_BEHIND = 6,
    CAIRN_REPLY_ROOTS_DIFFER = 7
};
enum cairn_reply_flag {
    CAIRN_REPLY_MORE = 1,
    CAIRN_REPLY_SEND_ROOTS = 2,
    CAIRN_REPLY_SEND_HEADS = 4
};
struct cairn_refusal {
    struct cairn_hash log;
    uint32_t index;
    uint64_t reason;
};
bool cairn_refusal_next(struct cairn_list *refusals, struct cairn_refusal *out_refusal);
void cairn_refusal_write(struct cairn_writer *writer, const struct cairn_refusal *refusal);

struct cairn_reply {
    uint64_t code; /* an unknown one is treated as REFUSED, with its text */
    uint64_t flags;
    struct cairn_list groups;
    struct cairn_list links;
    struct cairn_list refusals;
    struct cairn_bytes text;
};
CAIRN_NODISCARD
enum cairn_status cairn_reply_read(struct cairn_bytes bytes, struct cairn_reply *out_reply);
struct cairn_reply_parts {
    uint64_t code, flags;
    struct cairn_bytes groups;
    size_t group_count;
    struct cairn_bytes links;
    size_t link_count;
    struct cairn_bytes refusals;
    size_t refusal_count;
    struct cairn_bytes text;
};
void cairn_reply_write(struct cairn_writer *writer, const struct cairn_reply_parts *parts);

/* What is inside an invitation's sealed box (section 10). */
struct cairn_invitation {
    struct cairn_bytes root_statement;
    struct cairn_list links;
    struct cairn_ref grant;
};
CAIRN_NODISCARD
enum cairn_status cairn_invitation_read(struct cairn_bytes bytes,
                                        struct cairn_invitation *out_invitation);
void cairn_invitation_write(struct cairn_writer *writer, struct cairn_bytes root_statement,
                            struct cairn_bytes links, size_t link_count,
                            const struct cairn_ref *grant);
/* The file around the sealed box. */
CAIRN_NODISCARD
enum cairn_status cairn_invitation_file_read(struct cairn_bytes file,
                                             struct cairn_bytes *out_sealed);
void cairn_invitation_file_write(struct cairn_writer *writer, struct cairn_bytes sealed);

enum cairn_bundle_kind { CAIRN_BUNDLE_SEALED = 0, CAIRN_BUNDLE_FULL = 1 };
struct cairn_bundle_reader { /* one who can open a sealed bundle */
    struct cairn_noise_key bundle_key;
    struct cairn_bytes sealed_key; /* box over the content key, 80 bytes */
};
struct cairn_bundle_header {
    struct cairn_bytes root_statement;
    enum cairn_bundle_kind kind;
    struct cairn_list readers;
    size_t header_bytes; /* the parts begin here */
};
CAIRN_NODISCARD
enum cairn_status cairn_bundle_header_read(struct cairn_bytes file,
                                           struct cairn_bundle_header *out_header);
bool cairn_bundle_reader_next(struct cairn_list *readers, struct cairn_bundle_reader *out_reader);
void cairn_bundle_reader_write(struct cairn_writer *writer,
                               const struct cairn_bundle_reader *reader);
void cairn_bundle_header_write(struct cairn_writer *writer, struct cairn_bytes root_statement,
                               enum cairn_bundle_kind kind, struct cairn_bytes readers,
                               size_t reader_count);
/* A part's content: [[link...], [group...]]. */
struct cairn_bundle_part {
    struct cairn_list links;
    struct cairn_list groups;
};
CAIRN_NODISCARD
enum cairn_status cairn_bundle_part_read(struct cairn_bytes bytes,
                                         struct cairn_bundle_part *out_part);
void cairn_bundle_part_write(struct cairn_writer *writer, struct cairn_bytes links,
                             size_t link_count, struct cairn_bytes groups, size_t group_count);

#endif
