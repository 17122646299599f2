/*
 * cairn/replica.h: the facade. One replica is one store folder with the device key that writes into
 * it: create it, join a network, put and read records, sync, carry bundles, audit.
 *
 * Programs include this header and nothing below it; core/examples/hello.c is a whole program.
 *
 * Values go in and come out as text in the schema's own notation (an integer as "4150", a date as
 * "2020-12-03", a choice as its listed text, flags as "1100.."). Texts are UTF-8 and
 * NUL-terminated. Sentences for people are left in `err`, in the language of err->translate.
 *
 * Memory:  what a visitor is given is borrowed until it returns, what a result holds until the next
 *          call on the replica or the named _free; what is passed in, during the call only.
 * Threads: one at a time on a replica, but for the cairn_serve_* calls: see there.
 * Status:  every call may also answer IO, NO_SPACE, NO_MEMORY, CORRUPT (the store is unwell) and
 *          CONFLICT (others write: try again); those that write LOCKED, where the replica was
 *          opened for reading. After any failure the store is as before the call, unless the call
 *          says otherwise.
 */

#ifndef CAIRN_REPLICA_H
#define CAIRN_REPLICA_H

#include "cairn/base.h"
#include "cairn/bytes.h"
#include "cairn/history.h"
#include "cairn/ports.h"
#include "cairn/query.h"
#include "cairn/schema_file.h"
#include "cairn/store.h"
#include "cairn/workflow.h"

struct cairn_replica;

/* ---- opening ------------------------------------------------------------------------------- */

struct cairn_replica_config {
    const char *path;              /* the store's folder */
    struct cairn_bytes passphrase; /* of the key file; {NULL, 0}: the key is not sealed */
    bool is_writer;                /* takes the folder's write lock until close */
    const char *owner; /* the program's name, for whoever finds the lock taken; NULL: "cairn" */
    /* For simulators and tests: both or none; borrowed, must outlive the replica. path may then be
     * NULL. NULL: LMDB in `path` and this machine's ports. */
    struct cairn_store *store;
    struct cairn_ports *ports;
};

/* What `init` is told. */
struct cairn_init {
    const char *name;       /* "Shama village 1", at most 128 bytes */
    const char *root_scope; /* digits, or NULL: not a root */
    const char *root_tag;   /* with root_scope: 1 to 4 ASCII letters or digits */
    /* With root_scope: the schema table to sign (SPEC.md section 4.2); empty: the default one. */
    struct cairn_bytes schema;
};

/*
 * Make a new device: a key (sealed with config->passphrase if any) and an empty store; with a root
 * scope also the root statement, its log, and the schema of this version. EXISTS when the folder
 * holds anything of ours already; BAD_INPUT for a bad name, scope, tag or schema: nothing is
 * touched. The replica is open for writing.
 */
CAIRN_NODISCARD
enum cairn_status cairn_replica_init(const struct cairn_replica_config *config,
                                     const struct cairn_init *init,
                                     struct cairn_replica **out_replica, struct cairn_err *err);

/*
 * Open what init made. Without a passphrase a sealed key stays shut and the replica can be read,
 * but what needs the key answers NO_KEY (see cairn_key_is_sealed). A wrong passphrase is
 * NO_KEY. NOT_FOUND: no store there. LOCKED: another process writes; err names it.
 */
CAIRN_NODISCARD
enum cairn_status cairn_replica_open(const struct cairn_replica_config *config,
                                     struct cairn_replica **out_replica, struct cairn_err *err);
void cairn_replica_close(struct cairn_replica *replica); /* NULL is allowed */

/* True when the key in the store's folder is sealed by a passphrase. NOT_FOUND when there
 * is none. */
CAIRN_NODISCARD
enum cairn_status cairn_key_is_sealed(const char *path, bool *out_is_sealed, struct cairn_err *err);

/* ---- who and where ------------------------------------------------------------------------- */

struct cairn_device {
    char tag[8];
    char name[132];
    char fingerprint[20]; /* of the request; empty where not known */
    char scope[24];       /* digits; "0": everything */
    char role[16];        /* "root" "prefecture" "county" "township" "station" "server" "auditor" */
    bool may_delegate;
    unsigned channels; /* bits: 1 authority, 2 records, 4 funds */
};

struct cairn_status_report {
    bool is_root;
    bool is_joined;            /* root or holds a grant */
    struct cairn_device self;  /* tag, scope and role only when joined */
    char root_fingerprint[20]; /* when joined */
    char root_name[132];
    char server_tag[8]; /* empty: no server known */
    char server_address[132];
    uint64_t grant_count, revocation_count;
    uint64_t record_count;     /* not deleted */
    uint64_t unreceived_count; /* own edits (bases not counted) that no receipt covers */
    uint64_t last_contact_s;   /* 0: never */
    uint64_t conflict_count;
    uint64_t refused_count;  /* own entries without effect that nothing answers */
    uint64_t newer_count;    /* entries from a newer version, kept and waiting */
    uint64_t awaiting_count; /* entries that name what has not arrived yet, kept and waiting */
    uint64_t parked_count;   /* batches waiting for a grant or schema */
    bool was_restored; /* this open found a restored or copied store and began a new incarnation */
};
CAIRN_NODISCARD
enum cairn_status cairn_status_get(struct cairn_replica *replica,
                                   struct cairn_status_report *out_report, struct cairn_err *err);

/* The request file of this device / the root statement file, into `out` (at most 1,100 bytes).
 * NO_RIGHT: no grant yet, so no root. */
CAIRN_NODISCARD
enum cairn_status cairn_request_export(struct cairn_replica *replica, struct cairn_writer *out,
                                       struct cairn_err *err);
CAIRN_NODISCARD
enum cairn_status cairn_root_export(struct cairn_replica *replica, struct cairn_writer *out,
                                    struct cairn_err *err);

/* Did this open find a restored or copied store and begin a new incarnation? */
bool cairn_replica_was_restored(const struct cairn_replica *replica);

/* ---- grants -------------------------------------------------------------------------------- */

/* Name and fingerprint of a request file, for a person to compare. MALFORMED, BAD_SIGNATURE. */
CAIRN_NODISCARD
enum cairn_status cairn_request_inspect(struct cairn_bytes request, struct cairn_device *out_device,
                                        struct cairn_err *err);

struct cairn_grant_input {
    struct cairn_bytes request;
    const char *role;  /* as in cairn_device */
    const char *scope; /* digits */
    const char *tag;
    const char *address; /* server only: tcp://IP:PORT; else NULL */
};
/*
 * Write the grant (for a server the sequencer entry with it, one commit) and make the invitation,
 * which only that device can open. NO_RIGHT when this device may not delegate or the scope is not
 * inside its own; EXISTS when the scope has another server; BAD_INPUT for the rest; nothing was
 * written. Any other failure may leave the grant written: to ask again for the same request, role,
 * scope and tag makes the invitation of the grant that stands, and never a second grant.
 */
CAIRN_NODISCARD
enum cairn_status
cairn_grant_device(struct cairn_replica *replica, const struct cairn_grant_input *input,
                   struct cairn_bytes *out_invitation, /* free with cairn_bytes_free */
                   struct cairn_device *out_device, struct cairn_err *err);
void cairn_bytes_free(struct cairn_bytes bytes);

struct cairn_join_report {
    char root_name[132];
    char root_fingerprint[20];
    struct cairn_device self;
    char server_tag[8]; /* empty: none yet */
    char server_address[132];
};
/* Open an invitation and say what it holds, changing nothing. NO_KEY: it is for another device. */
CAIRN_NODISCARD
enum cairn_status cairn_join_inspect(struct cairn_replica *replica, struct cairn_bytes invitation,
                                     struct cairn_join_report *out_report, struct cairn_err *err);
/* Join. EXISTS when this store already belongs to a network. */
CAIRN_NODISCARD
enum cairn_status cairn_join(struct cairn_replica *replica, struct cairn_bytes invitation,
                             struct cairn_join_report *out_report, struct cairn_err *err);
/* True when `text` is that fingerprint: lower case and I L O for 1 1 0 are allowed, dashes may be
 * missing or be spaces, but stand only between groups. */
bool cairn_fingerprint_is(const char *fingerprint, const char *text);

/* ---- schema -------------------------------------------------------------------------------- */

struct cairn_choice_info {
    const char *text; /* as it is written and shown in Chinese */
    const char *label_en;
};
/* What a form or a table needs to know of a field. */
struct cairn_field_info {
    const char *name, *label_zh, *label_en;
    bool is_integer; /* a quantity: programs may group its digits */
    bool is_personal, is_required;
    bool is_indexed, is_alias;
    bool is_retired;    /* shown, and not written any more */
    bool is_open;       /* a choice that takes other texts too */
    const char *type;   /* as in a schema file: "integer" "choices" "id-number"...; "?": newer */
    const char *merge;  /* "register" "set" "counter" "workflow"; "?": newer */
    const char *unit;   /* "" for none */
    const char *target; /* the type that a reference names; "" for none */
    const char *lowest, *highest; /* bounds as text; NULL for none */
    const struct cairn_choice_info *choices;
    size_t choice_count;
};
/* Fields of record type `type` (name) in order. BAD_INPUT: no such type; NO_RIGHT: no grant yet. */
CAIRN_NODISCARD
enum cairn_status cairn_schema_fields(struct cairn_replica *replica, const char *type,
                                      const struct cairn_field_info **out_fields, size_t *out_count,
                                      struct cairn_err *err);

/* ---- records ------------------------------------------------------------------------------- */

struct cairn_field_value {
    const char *name;
    const char *value; /* of a set that is set: its elements, separated by '|' */
};
struct cairn_change {
    const char *field, *old_value, *new_value; /* old NULL: there was none; new NULL: taken away */
    bool is_integer;
    bool is_element; /* of a set: added, or taken away; others stay */
};
enum cairn_put_operation {
    CAIRN_PUT_SET = 0, /* a set: exactly these elements; a counter: this sum */
    CAIRN_PUT_ADD,     /* an element of a set, an amount to a counter */
    CAIRN_PUT_REMOVE
};
/*
 * What a program remembers in this store for itself, under a name of its own (1 to
 * CAIRN_MEMO_NAME_MAX bytes): how far a long task has come. It stands in no log and goes nowhere.
 */
#define CAIRN_MEMO_NAME_MAX 100
#define CAIRN_MEMO_MAX 4096
struct cairn_memo {
    const char *name;
    struct cairn_bytes value; /* at most CAIRN_MEMO_MAX bytes */
};
struct cairn_put {
    const char *type;  /* "household" */
    const char *id;    /* label of the record to change ("A7-0042-K"), or NULL: create */
    const char *scope; /* digits of the village to create in; NULL: this device's own scope. With an
                          id it must be NULL or the record's own */
    const struct cairn_field_value *fields;
    size_t field_count;
    const enum cairn_put_operation *operations; /* one a field; NULL: all are set */
    const char *reason;                         /* may be NULL */
    /* Without an id: a record of the scope whose alias field shows the given value is changed, in
     * what is given and differs (empty values say nothing); only else one is created. Rows of one
     * call with the same alias, or the same id, are one record, in which the later row wins. */
    bool upserts;
    const struct cairn_memo *memo; /* kept in the same commit; NULL: none */
};
struct cairn_put_result {
    char id[32]; /* the record's label */
    bool is_created;
    const struct cairn_change *changes; /* borrowed until the next call on the replica */
    size_t change_count;
};
/*
 * Create or change `count` records in one commit, all or nothing. On a failure *out_failed (may be
 * NULL) is the number of the put that could not be done. Durable when it returns OK.
 *   BAD_INPUT  unknown field, value that does not fit, missing required field (create), wrong
 *              village code
 *   NOT_FOUND, AMBIGUOUS  the id (err lists candidates); AMBIGUOUS also an alias that several
 *              records of the scope show
 *   NO_RIGHT   no grant, or not for that scope; NO_KEY
 */
CAIRN_NODISCARD
enum cairn_status cairn_put_many(struct cairn_replica *replica, const struct cairn_put *puts,
                                 size_t count, struct cairn_put_result *out_results,
                                 size_t *out_failed, struct cairn_err *err);
/* Keep a memo in a commit of its own. BAD_INPUT: name or value is over its limit. */
CAIRN_NODISCARD
enum cairn_status cairn_memo_put(struct cairn_replica *replica, const struct cairn_memo *memo,
                                 struct cairn_err *err);
/*
 * The memo kept last under `name`, into `out`. NOT_FOUND when there is none; also for one from
 * before this store was restored from a backup: what it says was done came back without it, by
 * sync.
 */
CAIRN_NODISCARD
enum cairn_status cairn_memo_get(struct cairn_replica *replica, const char *name,
                                 struct cairn_writer *out, struct cairn_err *err);
/*
 * Check as put_many does, for every put, and write nothing: visit is told each failure, those of
 * rows that are one record last. The puts without one can be put together.
 */
typedef void cairn_bad_put_fn(void *context, size_t put_index, enum cairn_status status,
                              const char *text);
CAIRN_NODISCARD
enum cairn_status cairn_put_check(struct cairn_replica *replica, const struct cairn_put *puts,
                                  size_t count, cairn_bad_put_fn *visit, void *context,
                                  struct cairn_err *err);
/*
 * Delete a record of that type: lists show it no more, its history stays, and what somebody writes
 * to it unseen is in conflict with that. `reason` may be NULL. BAD_INPUT: it is of another type, or
 * was deleted; NOT_FOUND, AMBIGUOUS: the id; NO_RIGHT, NO_KEY as for a put.
 */
CAIRN_NODISCARD
enum cairn_status cairn_delete(struct cairn_replica *replica, const char *type, const char *id,
                               const char *reason, struct cairn_err *err);

/* One of the values that a field has. */
struct cairn_version {
    /* NULL: the record was deleted (field "deleted"); "(closed)" where withheld. */
    const char *value;
    const char *label_zh, *label_en; /* of a choice or a state; else NULL */
    char tag[8];                     /* who wrote it; empty: a new record's state */
    uint64_t time_s;
    bool is_shown;
    bool is_received;
    struct cairn_under_way under_way; /* of a workflow's state */
};
enum cairn_field_kind {
    CAIRN_FIELD_REGISTER, /* one version; more are a conflict, the shown one first */
    CAIRN_FIELD_SET,      /* one version an element */
    CAIRN_FIELD_COUNTER,  /* one version: the sum, by whoever counted last */
    CAIRN_FIELD_WORKFLOW  /* as a register */
};
struct cairn_field_state {
    const char *name, *label_zh, *label_en;
    enum cairn_field_kind kind;
    bool is_integer;
    bool is_personal;
    bool has_conflict;
    /* Written by somebody who had not seen what somebody else wrote to another field. */
    bool is_parallel;
    const struct cairn_version *versions;
    size_t version_count;
};
/* What a record must meet; without a value it does not. */
struct cairn_met {
    const char *name, *label_zh, *label_en;
    bool has_value; /* false: nobody wrote down whether */
    bool is_met;
};
struct cairn_record {
    char id[32];
    char type[64];
    char scope[24];
    bool is_deleted;
    bool has_conflict;         /* the same field written twice unseen: a person must settle it */
    bool is_parallel;          /* different fields written unseen: merged */
    uint64_t unreceived_count; /* live versions here that no receipt covers */
    const struct cairn_field_state *fields; /* those that have a value, in schema order */
    size_t field_count;
    const struct cairn_met *indicators; /* of the type */
    size_t indicator_count;
    const char *const *same; /* ids of the other records of its group; cairn_get only */
    size_t same_count;
};
/* NOT_FOUND, AMBIGUOUS. `out_record` is borrowed until the next call on the replica. */
CAIRN_NODISCARD
enum cairn_status cairn_get(struct cairn_replica *replica, const char *id,
                            const struct cairn_record **out_record, struct cairn_err *err);

/* Records of a type whose shown values equal all of `filter`, by place and id, deleted ones left
 * out: cairn_query_run (cairn/query.h) with the least to say. */
CAIRN_NODISCARD
enum cairn_status cairn_list(struct cairn_replica *replica, const char *type,
                             const struct cairn_field_value *filter, size_t filter_count,
                             cairn_record_fn *visit, void *context, struct cairn_err *err);
/* Records with a conflict, same order. */
CAIRN_NODISCARD
enum cairn_status cairn_conflicts(struct cairn_replica *replica, cairn_record_fn *visit,
                                  void *context, struct cairn_err *err);

/* Records whose fields were written side by side, merged: nobody must settle them. Same order. */
CAIRN_NODISCARD
enum cairn_status cairn_parallels(struct cairn_replica *replica, cairn_record_fn *visit,
                                  void *context, struct cairn_err *err);

/*
 * Settle a conflict: keep version `keep` (from 1, as cairn_conflicts orders them) or, when keep is
 * 0, write `value`. `field` "deleted" settles a deletion against edits: keep 1 deletes, keep 2
 * restores. BAD_INPUT: no conflict there, no such version, no reason, a value that does not fit;
 * NOT_FOUND, AMBIGUOUS: the id; NO_RIGHT, NO_KEY as for a put. *out_value is what holds now, as
 * text, or "deleted" or "restored"; borrowed until the next call on the replica.
 */
CAIRN_NODISCARD
enum cairn_status cairn_settle(struct cairn_replica *replica, const char *id, const char *field,
                               unsigned keep, const char *value, const char *reason,
                               const char **out_value, struct cairn_err *err);

/* ---- sync: the client's side --------------------------------------------------------------- */

/*
 * One exchange: request -> bytes to send; reply <- bytes received. Sans I/O: the program moves the
 * bytes. A replica has at most one exchange under way.
 */
struct cairn_sync_report {
    char server_tag[8];
    uint64_t sent_count;     /* own entries sent in this run of exchanges, but for those that begin
                                a log */
    uint64_t received_count; /* of all own entries that were waiting: now covered by a checkpoint */
    uint64_t waiting_count;  /* ... not covered yet */
    uint64_t got_count;      /* entries that came in */
    uint64_t checkpoint_count;
    uint64_t conflict_count; /* conflicts that came in */
    uint64_t refused_count;  /* own entries that the server says have no effect */
    const char *refused_why; /* the first one's reason, a msgid; NULL: none */
    uint64_t round_trips;
    uint64_t up_bytes, down_bytes; /* of the messages given out and taken in */
    char scope[24];                /* the last checkpoint's */
    const char *channel;           /* "authority" "records" "funds" */
    uint64_t scope_size;
};
/* Begin: NO_RIGHT when there is no grant or no server is known, NO_KEY. Zeroes the report. */
CAIRN_NODISCARD
enum cairn_status cairn_sync_begin(struct cairn_replica *replica, struct cairn_err *err);
/* The next message to send, borrowed until the next call. The high-water mark is on disk before.
 * One that was not answered is given up by asking for the next. REFUSED: the server asked again
 * 100,000 times; begin anew. */
CAIRN_NODISCARD
enum cairn_status cairn_sync_request(struct cairn_replica *replica, struct cairn_bytes *out_message,
                                     struct cairn_err *err);
/*
 * Take the answer. *out_again: another request is needed (more waits, or something was asked).
 *   BAD_SIGNATURE, MALFORMED  not from whom it should be, or damaged on the way: nothing was kept,
 *              and the exchange still waits for the true answer
 *   MALFORMED  also: from the server, in a form that this program does not know; nothing was kept
 *   REFUSED    the server refused, err says why; nothing was kept
 *   NO_ANSWER  the server is busy, or no answer is waited for; nothing was kept
 *   BAD_SIGNATURE, GAP, FORKED  a checkpoint, sent in full, is not the server's, lacks entries, or
 *              is of another history than the one held: nothing of it was kept, no evidence
 *              either; what else the answers brought was. FORKED also where the server finds so
 *   CORRUPT    also: the state worked out here is not the signed one; the entries were kept
 * After any failure but a damaged answer begin again: until then every further one is NO_ANSWER.
 */
CAIRN_NODISCARD
enum cairn_status cairn_sync_reply(struct cairn_replica *replica, struct cairn_bytes message,
                                   bool *out_again, struct cairn_err *err);
/* The replica's own, as it stands. */
const struct cairn_sync_report *cairn_sync_report(const struct cairn_replica *replica);

/* ---- sync: the server's side --------------------------------------------------------------- */

/* One request on its way through the server; one thread at a time has it, whichever. Open, reply
 * and free may run in many threads at once, beside each other and beside a commit. */
struct cairn_serve;

/*
 * Decrypt and decode one message, which is not needed any more afterwards. Any thread, any number
 * at once. MALFORMED, BAD_SIGNATURE, REFUSED (unknown key without a chain), LIMIT: there is nothing
 * to answer; err says why, for the log.
 */
CAIRN_NODISCARD
enum cairn_status cairn_serve_open(struct cairn_replica *replica, struct cairn_bytes message,
                                   struct cairn_serve **out_serve, struct cairn_err *err);
struct cairn_serve_commit {
    uint64_t entry_count;   /* accepted */
    uint64_t refused_count; /* runs that were not */
    uint64_t checkpoint_count;
};
/*
 * Apply what the requests brought in one commit, sign the checkpoints, and have all of it on disk.
 * One thread at a time (the writer). On failure none of them may be answered; they may be tried
 * again.
 */
CAIRN_NODISCARD
enum cairn_status cairn_serve_commit(struct cairn_replica *replica, struct cairn_serve **serves,
                                     size_t count, struct cairn_serve_commit *out_commit,
                                     struct cairn_err *err);
/* The reply, borrowed until cairn_serve_free. Any thread, after the commit. */
CAIRN_NODISCARD
enum cairn_status cairn_serve_reply(struct cairn_replica *replica, struct cairn_serve *serve,
                                    struct cairn_bytes *out_message, struct cairn_err *err);
/* True when the request brought nothing to commit: reply at once. */
bool cairn_serve_is_read_only(const struct cairn_serve *serve);
/* Tag of the asking device ("" while unknown; borrowed until cairn_serve_free), and how many
 * entries it brought that were accepted: 0 before the commit. */
const char *cairn_serve_tag(const struct cairn_serve *serve);
uint64_t cairn_serve_entry_count(const struct cairn_serve *serve);
void cairn_serve_free(struct cairn_serve *serve); /* NULL is allowed */

/* ---- bundles ------------------------------------------------------------------------------- */

struct cairn_bundle_report {
    uint64_t entry_count, device_count, checkpoint_count, byte_count, conflict_count;
};
/* One piece, never empty. Return false to stop (the call then answers IO). */
typedef bool cairn_bundle_fn(void *context, struct cairn_bytes bytes);
/*
 * Everything held here: sealed to the devices that read these scopes, or `is_full`: for an auditor,
 * not sealed, personal values as commitments. `write` gets the file in pieces. The mark is on disk
 * before. NO_RIGHT: there is no grant yet, or nobody could open the bundle. After a failure what
 * `write` got is no bundle.
 */
CAIRN_NODISCARD
enum cairn_status cairn_bundle_write(struct cairn_replica *replica, bool is_full,
                                     cairn_bundle_fn *write, void *context,
                                     struct cairn_bundle_report *out_report, struct cairn_err *err);
/*
 * Take in a whole bundle file. Reading it twice is harmless. MALFORMED (err names the byte), NO_KEY
 * (sealed for others), BAD_SIGNATURE, FORKED (altered), REFUSED (another network, or an auditor's),
 * GAP (it rests on what has not arrived: sync first), NO_RIGHT (no grant yet): nothing was kept.
 */
CAIRN_NODISCARD
enum cairn_status cairn_bundle_read(struct cairn_replica *replica, struct cairn_bytes file,
                                    struct cairn_bundle_report *out_report, struct cairn_err *err);

/* ---- audit --------------------------------------------------------------------------------- */

struct cairn_audit_report {
    char root_fingerprint[20];
    uint64_t device_count, grant_count, log_count, entry_count;
    uint64_t checkpoint_count, covered_count; /* a large scope comes with several checkpoints */
    uint64_t compared_count; /* of them: the state rebuilt up to it has the digest that it signs */
    uint64_t conflict_count, settled_count, fork_count;
    uint64_t newer_count;    /* entries from a newer version */
    uint64_t awaiting_count; /* entries that name what is not at hand */
    uint64_t finding_count;
    uint64_t earlier_count; /* checkpoints kept earlier that the history at hand goes on from */
    char server_tag[8];
    char digest[68]; /* hex: H over the digests of all scopes, in order */
};
struct cairn_audit_settled {
    char id[32];
    const char *field;
    char tag[8];
    const char *reason;
};
struct cairn_audit_visitor {
    /* What is wrong and what it affects, in whole sentences. */
    void (*finding)(void *context, uint64_t number, const char *text, const char *affects);
    void (*settled)(void *context, const struct cairn_audit_settled *settled);
    /* A device and when it was last heard: its newest entry's time. */
    void (*device)(void *context, const char *tag, uint64_t last_heard_s);
    /* Progress of long work; total may grow. */
    void (*progress)(void *context, uint64_t done, uint64_t total);
    void *context;
};
/*
 * Checkpoints that the auditor kept from earlier audits: files as *out_checkpoints below gives
 * them, each of one signed note (SPEC.md section 6) or more, blank lines between. All borrowed for
 * the call; `names` are what a message calls them.
 *
 * Each is checked against the checkpoint key of the server that had its scope in its epoch, as what
 * is audited says, and its root compared with that of the same scope log at the same size. Where
 * that log is shorter, or has another root there, it is a finding: the history was cut, or the
 * server signed two. So it is where what is audited does not know the server that signed it, or
 * lacks authority logs that it rests on. Those that fit are counted in report.earlier_count.
 */
struct cairn_audit_earlier {
    const struct cairn_bytes *files;
    const char *const *names;
    size_t count;
};
/* What is audited: bundles, names for messages beside them, and what was kept earlier. Borrowed. */
struct cairn_audit_given {
    struct cairn_bytes root_statement; /* root.pub */
    const struct cairn_bytes *files;
    const char *const *file_names;
    size_t file_count;
    struct cairn_audit_earlier earlier; /* count 0: nothing */
};
/*
 * Verify from the root key alone: chains, seals, gaps, forks, checkpoints and all that they rest
 * on, and the state rebuilt from logs. The files are read into a store in memory; nothing else is
 * trusted. OK with findings counted in the report: an audit that finds something has done its work.
 * `out_checkpoints` (may be NULL) gets the notes to keep for the next audit, free with
 * cairn_bytes_free.
 *
 * BAD_INPUT: the root key is none, a bundle is sealed, or a file of earlier checkpoints holds none.
 * MALFORMED: a file is no bundle, or an earlier checkpoint is no note. REFUSED: one of them is of
 * another network. BAD_SIGNATURE: the signature of an earlier checkpoint does not hold. err names
 * the file; findings may have been told by then, and nothing may be concluded from them.
 */
CAIRN_NODISCARD
enum cairn_status cairn_audit_files(const struct cairn_audit_given *given,
                                    const struct cairn_audit_visitor *visitor,
                                    struct cairn_audit_report *out_report,
                                    struct cairn_bytes *out_checkpoints, struct cairn_err *err);
/* The same for this store; `earlier` may be NULL. */
CAIRN_NODISCARD
enum cairn_status cairn_audit_replica(struct cairn_replica *replica,
                                      const struct cairn_audit_earlier *earlier,
                                      const struct cairn_audit_visitor *visitor,
                                      struct cairn_audit_report *out_report,
                                      struct cairn_bytes *out_checkpoints, struct cairn_err *err);

/* Names and versions of the libraries in use, one per line. */
void cairn_version_text(char *out_text, size_t size);

#endif
