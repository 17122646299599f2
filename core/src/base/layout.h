/*
 * layout.h: every key of the store, in one place. A key begins with the letter of its table;
 * numbers are big endian, so that ranges are in order. Every value begins with a format byte (0:
 * plain).
 *
 *   M name                         one value of the replica itself
 *   L log                          a log: what names it, its basis, its head
 *   l log id                       -> log
 *   b log index                    a basis that a later one has replaced
 *   B log first                    a blob: the entries [first, first + count) as received
 *   V log index                    verdict of an entry that is not valid
 *   W log index log' index'        entry (log', index') waits until log holds index
 *   a log number index             the announcement of log' that stands in entry (log, index)
 *   A log size log' number index   an announcement of log to be checked when it holds size
 *   R scope bucket log index       a record's state
 *   I counter check log index      records by counter and check character of their label (bucket
 *                                  >> 3) -> bucket; without the check: of an earlier version
 *   i type field scope value log index   records by an indexed value (index.h); of an alias the
 *                                  value stands before the scope -> bucket, counter
 *   k flag scope log index         records with a flag (index.h) -> bucket, counter
 *   d scope channel                which buckets of the digest are stale
 *   D scope channel                256 bucket hashes
 *   C scope channel log            logs of a scope
 *   S scope channel                a scope log: its head
 *   s scope channel leaf           a leaf of it
 *   c scope channel size           a verified checkpoint of it
 *   o scope channel ordinal        -> log;  O scope channel log -> ordinal
 *   E ref                          evidence of an authority entry (a link)
 *   N noise key                    -> ref of the grant
 *   K seal key                     -> ref of the grant
 *   Q scope                        the sequencer of a scope
 *   T version                      a schema table
 *   Y ref log-id index             a revoked grant, and the entry that revoked it
 *   X log-id log-id index          a cut of a log, by the entry that made it: size, root, grant
 *   J log-id from ref              an adopted range
 *   F log leaf                     evidence of a fork
 *   P log-id first seal            a parked run: waits for a grant, schema or gap, or behind a cut
 *   U log index                    where a valid step left its record
 *   Z log index                    entries that repeat (log, index)
 *   m name                         what a program remembers for itself: generation, value
 */

#ifndef CAIRN_LAYOUT_H
#define CAIRN_LAYOUT_H

#include "cairn/identity.h"

enum cairn_table {
    CAIRN_TABLE_META = 'M',
    CAIRN_TABLE_LOG = 'L',
    CAIRN_TABLE_LOG_ID = 'l',
    CAIRN_TABLE_BASIS = 'b',
    CAIRN_TABLE_BLOB = 'B',
    CAIRN_TABLE_VERDICT = 'V',
    CAIRN_TABLE_WAITING = 'W',
    CAIRN_TABLE_ANNOUNCED = 'a',
    CAIRN_TABLE_ANNOUNCED_BY = 'A',
    CAIRN_TABLE_RECORD = 'R',
    CAIRN_TABLE_COUNTER = 'I',
    CAIRN_TABLE_INDEX = 'i',
    CAIRN_TABLE_FLAG = 'k',
    CAIRN_TABLE_DIRTY = 'd',
    CAIRN_TABLE_DIGEST = 'D',
    CAIRN_TABLE_SCOPE_LOGS = 'C',
    CAIRN_TABLE_SCOPE = 'S',
    CAIRN_TABLE_SCOPE_LEAF = 's',
    CAIRN_TABLE_CHECKPOINT = 'c',
    CAIRN_TABLE_ORDINAL = 'o',
    CAIRN_TABLE_ORDINAL_OF = 'O',
    CAIRN_TABLE_EVIDENCE = 'E',
    CAIRN_TABLE_NOISE = 'N',
    CAIRN_TABLE_SEAL_KEY = 'K',
    CAIRN_TABLE_SEQUENCER = 'Q',
    CAIRN_TABLE_SCHEMA = 'T',
    CAIRN_TABLE_REVOKED = 'Y',
    CAIRN_TABLE_CUT = 'X',
    CAIRN_TABLE_ADOPTED = 'J',
    CAIRN_TABLE_FORK = 'F',
    CAIRN_TABLE_PARKED = 'P',
    CAIRN_TABLE_STEP = 'U',
    CAIRN_TABLE_REPEAT = 'Z',
    CAIRN_TABLE_MEMO = 'm'
};

/* A key being built: begin with the table, add parts in the order of the list above. */
struct cairn_key {
    uint8_t bytes[128];
    size_t size;
};

struct cairn_key cairn_key(enum cairn_table table);
void cairn_key_u8(struct cairn_key *key, uint8_t value);
void cairn_key_u32(struct cairn_key *key, uint32_t value);
/* Scope and channel: 8 bytes and 1 byte. */
void cairn_key_scope(struct cairn_key *key, struct cairn_scope scope);
void cairn_key_hash(struct cairn_key *key, const struct cairn_hash *hash);
void cairn_key_text(struct cairn_key *key, const char *text);
/* log id, index, leaf */
void cairn_key_ref(struct cairn_key *key, const struct cairn_ref *ref);
struct cairn_bytes cairn_key_bytes(const struct cairn_key *key);

/* Keys that many modules need. */
struct cairn_key cairn_key_meta(const char *name);
struct cairn_key cairn_key_scope_channel(enum cairn_table table, struct cairn_scope scope,
                                         enum cairn_channel channel);
struct cairn_key cairn_key_log_index(enum cairn_table table, uint32_t log, uint32_t index);

#endif
