/*
 * cairn/leaf.h: how an entry becomes a leaf: blinding, personal slots and their commitments
 * (SPEC.md section 4). The salts are leaves of a binary (GGM) tree, so that one can be deleted
 * for ever without the others (Goldreich, Goldwasser, Micali 1986; punctured as in RFC-less use
 * by redactable logs).
 *
 * Memory:  caller-owned; a blinder holds secrets, wipe with cairn_blinder_release().
 * Threads: one at a time per object.
 */

#ifndef CAIRN_LEAF_H
#define CAIRN_LEAF_H

#include "cairn/entry.h"

struct cairn_secret {
    uint8_t bytes[32];
};

/* H(0x15 || s): what a basis announces. */
struct cairn_hash cairn_secret_hash(const struct cairn_secret *secret);
/* H(0x13 || s). */
struct cairn_hash cairn_blind_seed(const struct cairn_secret *secret);

/* Makes blindings and salts of one log. Going up by one is cheap (two hashes on average). */
struct cairn_blinder {
    struct cairn_hash blind_seed;
    bool has_salts;            /* false: only closed entries can be hashed */
    uint32_t path_index;       /* ggm[] is the path to this leaf */
    struct cairn_hash ggm[33]; /* ggm[0] is the root */
};
void cairn_blinder_init(struct cairn_blinder *blinder, const struct cairn_secret *secret);
void cairn_blinder_init_closed(struct cairn_blinder *blinder, const struct cairn_hash *blind_seed);
void cairn_blinder_release(struct cairn_blinder *blinder);

struct cairn_hash cairn_blinding(const struct cairn_blinder *blinder, uint32_t index);
/* salt of slot k of entry `index`; has_salts is asserted. */
struct cairn_hash cairn_salt(struct cairn_blinder *blinder, uint32_t index, uint32_t slot);
/* H(0x02 || salt || value's CBOR) */
struct cairn_hash cairn_commitment(const struct cairn_hash *salt, struct cairn_bytes value_cbor);

/*
 * Write the entry with every slot closed, at most CAIRN_ENTRY_CLOSED_MAX bytes. The commitments, in
 * slot order, go to out_commitments[entry->slot_count], which may be NULL when nobody wants them.
 * MALFORMED when an open slot is met and the blinder has no salts.
 */
CAIRN_NODISCARD
enum cairn_status cairn_entry_close(struct cairn_blinder *blinder, uint32_t index,
                                    const struct cairn_entry *entry,
                                    struct cairn_writer *out_closed,
                                    struct cairn_hash *out_commitments);
/* The leaf hash of an entry as it stands, open or closed. As above. */
CAIRN_NODISCARD
enum cairn_status cairn_leaf(struct cairn_blinder *blinder, uint32_t index,
                             const struct cairn_entry *entry, struct cairn_hash *out_leaf,
                             struct cairn_hash *out_commitments);
/* H(0x00 || blinding || closed entry) */
struct cairn_hash cairn_leaf_closed(const struct cairn_hash *blinding,
                                    struct cairn_bytes closed_entry);

#endif
