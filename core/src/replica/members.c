/* Who belongs to the network: status, requests, grants and their invitations. */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "history_internal.h"
#include "pack.h"
#include "replica_internal.h"
#include "schema.h"
#include "scope_log.h"

/* ---- status -------------------------------------------------------------------------------- */

static enum cairn_status count_grants(void *context, struct cairn_context *ctx,
                                      const struct cairn_ref *ref, const struct cairn_grant *grant)
{
    struct cairn_status_report *report = context;

    (void)ctx;
    (void)ref;
    (void)grant;
    report->grant_count++;
    return CAIRN_OK;
}

static enum cairn_status count_waiting(void *context, struct cairn_replica *replica,
                                       const struct cairn_log *log, uint32_t index)
{
    struct cairn_status_report *report = context;
    struct cairn_verdict verdict;

    CAIRN_TRY(cairn_verdict_get(&replica->ctx, log->no, index, &verdict));
    if (verdict.validity != CAIRN_WAITING)
        return CAIRN_OK;
    report->newer_count += verdict.reason == CAIRN_WHY_NEWER;
    report->awaiting_count += verdict.reason != CAIRN_WHY_NEWER;
    return CAIRN_OK;
}

static enum cairn_status count_own(struct cairn_replica *replica,
                                   struct cairn_status_report *report)
{
    CAIRN_TRY(cairn_unreceived_count(&replica->ctx, &report->unreceived_count));
    CAIRN_TRY(cairn_verdicts_visit(replica, count_waiting, report));
    return cairn_refused_count(replica, &report->refused_count);
}

static enum cairn_status describe_network(struct cairn_replica *replica,
                                          struct cairn_status_report *report)
{
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_root_statement root;
    struct cairn_standing standing;
    struct cairn_sequencer_info server;

    CAIRN_TRY(cairn_root_get(ctx, &root, NULL));
    cairn_fingerprint(&root.network, report->root_fingerprint);
    cairn_text_copy(report->root_name, sizeof report->root_name, root.name);
    CAIRN_TRY(cairn_standing_get(ctx, &replica->under, &standing));
    cairn_device_describe(&standing, &report->self);
    report->is_root = standing.is_root;
    enum cairn_status status = cairn_sequencer_for(ctx, standing.scope, &server);
    if (status == CAIRN_OK) {
        cairn_text_copy(report->server_tag, sizeof report->server_tag,
                        cairn_bytes_of_text(server.standing.tag));
        cairn_text_copy(report->server_address, sizeof report->server_address,
                        cairn_bytes_of_text(server.address));
    }
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

static enum cairn_status status_gather(struct cairn_replica *replica,
                                       struct cairn_status_report *report)
{
    struct cairn_context *ctx = &replica->ctx;
    const struct cairn_key revoked = cairn_key(CAIRN_TABLE_REVOKED);

    report->is_joined = replica->is_joined;
    if (replica->is_joined)
        CAIRN_TRY(describe_network(replica, report));
    CAIRN_TRY(cairn_grants_visit(ctx, count_grants, report));
    CAIRN_TRY(cairn_keys_count(ctx, &revoked, &report->revocation_count));
    CAIRN_TRY(cairn_records_count(ctx, &report->record_count, &report->conflict_count));
    CAIRN_TRY(count_own(replica, report));
    CAIRN_TRY(cairn_meta_number(ctx, "contact", &report->last_contact_s));
    return cairn_meta_number(ctx, "parked", &report->parked_count);
}

static void request_describe(const struct cairn_replica *replica,
                             struct cairn_request_statement *out_request)
{
    out_request->name = cairn_bytes_of_text(replica->keys.name);
    out_request->keys = replica->keys.open;
}

enum cairn_status cairn_status_get(struct cairn_replica *replica,
                                   struct cairn_status_report *out_report, struct cairn_err *err)
{
    struct cairn_status_report report = {.was_restored = replica->was_restored};
    struct cairn_request_statement request;

    cairn_replica_fresh(replica, err);
    CAIRN_TRY(cairn_replica_read(replica, err));
    CAIRN_TRY(cairn_replica_done(replica, status_gather(replica, &report), err));
    if (replica->has_keys) {
        request_describe(replica, &request);
        const struct cairn_hash hash = cairn_request_hash(&request);
        cairn_fingerprint(&hash, report.self.fingerprint);
        cairn_text_copy(report.self.name, sizeof report.self.name, request.name);
    }
    *out_report = report;
    return CAIRN_OK;
}

enum cairn_status cairn_request_export(struct cairn_replica *replica, struct cairn_writer *out,
                                       struct cairn_err *err)
{
    struct cairn_request_statement request;

    cairn_replica_fresh(replica, err);
    if (!replica->has_keys)
        return cairn_fail(err, CAIRN_NO_KEY,
                          "The key of this device is locked: give its passphrase.");
    request_describe(replica, &request);
    cairn_request_file_write(out, &request, &replica->keys.seal);
    return CAIRN_OK;
}

enum cairn_status cairn_root_export(struct cairn_replica *replica, struct cairn_writer *out,
                                    struct cairn_err *err)
{
    struct cairn_root_statement root;
    struct cairn_bytes bytes;

    cairn_replica_fresh(replica, err);
    CAIRN_TRY(cairn_replica_read(replica, err));
    enum cairn_status status = cairn_root_get(&replica->ctx, &root, &bytes);
    if (status == CAIRN_OK)
        cairn_write_bytes(out, bytes.data, bytes.size);
    else if (status == CAIRN_NOT_FOUND)
        status = cairn_fail(err, CAIRN_NO_RIGHT,
                            "This device has no grant yet, so it knows no root key. Send its "
                            "request to the office above, then join.");
    return cairn_replica_done(replica, status, err);
}

/* ---- grants -------------------------------------------------------------------------------- */

enum cairn_status cairn_request_inspect(struct cairn_bytes request, struct cairn_device *out_device,
                                        struct cairn_err *err)
{
    struct cairn_verifier verifier;
    struct cairn_request_statement statement;

    cairn_verifier_init(&verifier);
    enum cairn_status status = cairn_request_file_read(&verifier, request, &statement);
    if (status != CAIRN_OK)
        return cairn_fail(err, status,
                          "This is not a request, or it was damaged. Nothing was written; ask for "
                          "it again.");
    memset(out_device, 0, sizeof *out_device);
    cairn_text_copy(out_device->name, sizeof out_device->name, statement.name);
    cairn_fingerprint(&statement.hash, out_device->fingerprint);
    return CAIRN_OK;
}

struct grant_work {
    const struct cairn_grant_input *input;
    struct cairn_request_statement request;
    uint64_t role;
    struct cairn_scope scope;
    struct cairn_device *device;
    struct cairn_bytes invitation; /* on the heap, when done */
};

bool cairn_tag_is_good(const char *tag)
{
    size_t size = strlen(tag);

    return size >= 1 && size <= CAIRN_TAG_MAX &&
           strspn(tag, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == size;
}

static enum cairn_status grant_check(struct cairn_replica *replica, struct grant_work *work,
                                     struct cairn_err *err)
{
    const struct cairn_grant_input *input = work->input;

    if (!replica->is_joined)
        return cairn_fail(err, CAIRN_NO_RIGHT, "This device cannot grant: it has no grant itself.");
    if (!replica->has_keys)
        return cairn_fail(err, CAIRN_NO_KEY,
                          "The key of this device is locked: give its passphrase.");
    if (cairn_request_file_read(&replica->verifier, input->request, &work->request) != CAIRN_OK)
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "This is not a request, or it was damaged. Nothing was "
                          "written; ask for it again.");
    work->role = cairn_role_number(input->role);
    if (work->role == 0)
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "There is no role %s. Roles: prefecture, county, township, station, "
                          "server, auditor, approver. Nothing was written.",
                          input->role);
    if (!cairn_scope_parse(input->scope, &work->scope))
        return cairn_fail(
            err, CAIRN_BAD_INPUT,
            "%s is not an administrative code: 2, 4, 6, 9 or 12 digits. Nothing was written.",
            input->scope);
    if (!cairn_tag_is_good(input->tag))
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "A tag has 1 to 4 letters or digits, not \"%s\". Nothing was written.",
                          input->tag);
    if ((work->role == CAIRN_ROLE_SERVER) != (input->address != NULL))
        return cairn_fail(
            err, CAIRN_BAD_INPUT,
            "A server, and only a server, is granted with --address tcp://IP:PORT. Nothing was "
            "written.");
    if (input->address != NULL && strlen(input->address) > CAIRN_ADDRESS_MAX)
        return cairn_fail(err, CAIRN_BAD_INPUT, "The address is too long. Nothing was written.");
    return CAIRN_OK;
}

static enum cairn_status entry_append(struct cairn_replica *replica, struct cairn_log *log,
                                      const struct cairn_writer *entry, struct cairn_ref *out_ref)
{
    struct cairn_author author = cairn_replica_author(replica);
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_entry read;
    struct cairn_blinder blinder;
    uint32_t index = cairn_log_size(log);

    if (entry->overflowed)
        return CAIRN_LIMIT;
    CAIRN_TRY(cairn_apply_own(ctx, &author, log, cairn_writer_bytes(entry), 1));
    CAIRN_TRY(cairn_entry_read(cairn_writer_bytes(entry), &read));
    out_ref->log = log->id;
    out_ref->index = index;
    cairn_log_blinder(log, &blinder);
    enum cairn_status status = cairn_leaf(&blinder, index, &read, &out_ref->leaf, NULL);
    cairn_blinder_release(&blinder);
    return status;
}

static void grant_describe(const struct grant_work *work, const struct cairn_standing *author,
                           const struct cairn_under *under, struct cairn_grant *grant)
{
    bool delegates = work->role == CAIRN_ROLE_PREFECTURE || work->role == CAIRN_ROLE_COUNTY ||
                     work->role == CAIRN_ROLE_TOWNSHIP;
    uint64_t all = CAIRN_BIT_AUTHORITY | CAIRN_BIT_RECORDS | CAIRN_BIT_FUNDS;

    memset(grant, 0, sizeof *grant);
    grant->under = *under;
    grant->scope = work->scope;
    grant->role = work->role;
    grant->rights = delegates ? CAIRN_RIGHT_DELEGATE : 0;
    grant->channels = delegates                          ? all
                      : work->role == CAIRN_ROLE_STATION ? CAIRN_BIT_RECORDS | CAIRN_BIT_FUNDS
                                                         : 0u;
    grant->channels &= author->channels;
    grant->tag = cairn_bytes_of_text(work->input->tag);
    grant->name = work->request.name;
    grant->keys = work->request.keys;
    grant->has_checkpoint_key = work->role == CAIRN_ROLE_SERVER;
}

/* What the new device needs: its chain, the schema, and the servers of its scope. */
static enum cairn_status invitation_links(struct cairn_replica *replica,
                                          const struct grant_work *work,
                                          const struct cairn_ref *grant, struct cairn_link_set *set)
{
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_sequencer_info server;
    struct cairn_ref schema;
    uint64_t version;

    CAIRN_TRY(cairn_link_set_entry(ctx, set, grant));
    CAIRN_TRY(cairn_schema_newest(ctx, &version));
    for (uint64_t v = 1; v <= version; v++) {
        CAIRN_TRY(cairn_schema_ref(ctx, v, &schema));
        CAIRN_TRY(cairn_link_set_entry(ctx, set, &schema));
    }
    enum cairn_status status = cairn_sequencer_for(ctx, work->scope, &server);
    if (status != CAIRN_OK)
        return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
    CAIRN_TRY(cairn_link_set_entry(ctx, set, &server.server));
    return cairn_link_set_entry(ctx, set, &server.ref);
}

static enum cairn_status invitation_seal(struct cairn_replica *replica, struct grant_work *work,
                                         const struct cairn_ref *grant, struct cairn_link_set *set)
{
    struct cairn_root_statement root;
    struct cairn_bytes statement;
    size_t capacity = set->bytes.size + CAIRN_STATEMENT_MAX + 256;

    CAIRN_TRY(cairn_root_get(&replica->ctx, &root, &statement));
    uint8_t *plain = cairn_arena_get(&replica->ctx.arena, capacity);
    uint8_t *sealed = cairn_arena_get(&replica->ctx.arena, capacity + crypto_box_SEALBYTES);
    uint8_t *file = malloc(capacity + crypto_box_SEALBYTES + 64);
    if (plain == NULL || sealed == NULL || file == NULL) {
        free(file);
        return CAIRN_NO_MEMORY;
    }
    struct cairn_writer writer;
    cairn_writer_init(&writer, plain, capacity);
    cairn_invitation_write(&writer, statement, cairn_buffer_bytes(&set->bytes), set->count, grant);
    CAIRN_ASSERT(!writer.overflowed);
    size_t plain_size = writer.size;
    if (crypto_box_seal(sealed, plain, plain_size, work->request.keys.bundle.bytes) != 0) {
        free(file);
        return cairn_fail(replica->ctx.err, CAIRN_BAD_INPUT,
                          "The request holds a key that is no good.");
    }
    cairn_writer_init(&writer, file, capacity + crypto_box_SEALBYTES + 64);
    cairn_invitation_file_write(&writer,
                                (struct cairn_bytes){sealed, plain_size + crypto_box_SEALBYTES});
    cairn_bytes_free(work->invitation);
    work->invitation = cairn_writer_bytes(&writer);
    return CAIRN_OK;
}

static enum cairn_status grant_write(struct cairn_replica *replica, struct grant_work *work,
                                     const struct cairn_standing *standing,
                                     struct cairn_ref *out_grant)
{
    struct cairn_author author = cairn_replica_author(replica);
    struct cairn_grant grant;
    struct cairn_log log;
    uint8_t bytes[1024];
    struct cairn_writer writer;
    struct cairn_ref ref;

    CAIRN_TRY(
        cairn_own_log(&replica->ctx, &author, standing->scope, CAIRN_CHANNEL_AUTHORITY, &log));
    grant_describe(work, standing, &replica->under, &grant);
    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_grant_write(&writer, author.now_s, &grant);
    CAIRN_TRY(entry_append(replica, &log, &writer, out_grant));
    if (work->role != CAIRN_ROLE_SERVER)
        return CAIRN_OK;
    struct cairn_sequencer sequencer = {.under = replica->under,
                                        .scope = work->scope,
                                        .epoch = 1,
                                        .server = *out_grant,
                                        .address = cairn_bytes_of_text(work->input->address)};
    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_sequencer_write(&writer, author.now_s, &sequencer, NULL, 0);
    return entry_append(replica, &log, &writer, &ref);
}

/* Among the grants that this device gave: one that is asked for again in the same words, as its
 * invitation may never have left, or one to another device whose tag is wanted now. */
struct grant_search {
    struct cairn_replica *replica;
    const struct grant_work *work;
    struct cairn_under found;
    bool is_found;
};

/* Only a server's grant names its checkpoint key. */
static bool keys_equal(const struct cairn_device_keys *a, const struct cairn_device_keys *b,
                       bool with_checkpoint)
{
    return memcmp(&a->seal, &b->seal, sizeof a->seal) == 0 &&
           memcmp(&a->noise, &b->noise, sizeof a->noise) == 0 &&
           memcmp(&a->bundle, &b->bundle, sizeof a->bundle) == 0 &&
           (!with_checkpoint || memcmp(&a->checkpoint, &b->checkpoint, sizeof a->checkpoint) == 0);
}

static enum cairn_status grant_match(void *context, struct cairn_context *ctx,
                                     const struct cairn_ref *ref, const struct cairn_grant *grant)
{
    struct grant_search *search = context;
    const struct grant_work *work = search->work;
    const struct cairn_under under = {.is_root = false, .grant = *ref};
    bool in_force,
        is_same = keys_equal(&grant->keys, &work->request.keys, grant->has_checkpoint_key);

    if (!cairn_under_equal(&grant->under, &search->replica->under) ||
        !cairn_bytes_equal(grant->tag, cairn_bytes_of_text(work->input->tag)))
        return CAIRN_OK;
    CAIRN_TRY(cairn_standing_in_force(ctx, &under, &in_force));
    if (in_force && !keys_equal(&grant->keys, &work->request.keys, false))
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "Tag %s stands for %.*s already. Choose another. Nothing was written.",
                          work->input->tag, (int)grant->name.size, (const char *)grant->name.data);
    if (in_force && is_same && grant->role == work->role && grant->scope.code == work->scope.code) {
        search->found = under;
        search->is_found = true;
    }
    return CAIRN_OK;
}

/* May this device give what is asked for? */
static enum cairn_status right_check(struct cairn_context *ctx, const struct grant_work *work,
                                     const struct cairn_standing *standing)
{
    char own[CAIRN_SCOPE_TEXT_BYTES], asked[CAIRN_SCOPE_TEXT_BYTES];

    cairn_scope_text(standing->scope, own);
    cairn_scope_text(work->scope, asked);
    if ((standing->rights & CAIRN_RIGHT_DELEGATE) == 0)
        return cairn_fail(ctx->err, CAIRN_NO_RIGHT,
                          "%s may not grant: ask the office above. Nothing was written.",
                          standing->tag);
    if (!cairn_scope_contains(standing->scope, work->scope))
        return cairn_fail(
            ctx->err, CAIRN_NO_RIGHT,
            "cannot grant %s: this authority holds %s, and %s is not inside it. Nothing was "
            "written.",
            asked, own, asked);
    if (!cairn_standing_may_make(standing, work->role))
        return cairn_fail(ctx->err, CAIRN_NO_RIGHT,
                          "cannot grant the role %s: %s has the role %s. Ask the office above. "
                          "Nothing was written.",
                          cairn_role_name(work->role), standing->tag,
                          cairn_role_name(standing->role));
    return CAIRN_OK;
}

/* A scope has one server. The one that `search` found may be asked for again, at its address. */
static enum cairn_status server_check(struct cairn_context *ctx, const struct grant_work *work,
                                      const struct grant_search *search)
{
    struct cairn_sequencer_info server;
    char asked[CAIRN_SCOPE_TEXT_BYTES];

    enum cairn_status status = cairn_sequencer_for(ctx, work->scope, &server);
    if (status != CAIRN_OK)
        return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
    if (work->role != CAIRN_ROLE_SERVER || server.scope.code != work->scope.code)
        return CAIRN_OK;
    if (search->is_found && cairn_ref_equal(&server.server, &search->found.grant) &&
        strcmp(server.address, work->input->address) == 0)
        return CAIRN_OK;
    cairn_scope_text(work->scope, asked);
    return cairn_fail(ctx->err, CAIRN_EXISTS,
                      "%s has a server already: %s %s. Nothing was written.", asked,
                      server.standing.tag, server.address);
}

static enum cairn_status invitation_make(struct cairn_replica *replica, struct grant_work *work,
                                         const struct cairn_ref *grant)
{
    struct cairn_link_set *set = malloc(sizeof *set);

    if (set == NULL)
        return CAIRN_NO_MEMORY;
    cairn_link_set_init(set);
    enum cairn_status status = invitation_links(replica, work, grant, set);
    if (status == CAIRN_OK)
        status = invitation_seal(replica, work, grant, set);
    cairn_link_set_release(set);
    free(set);
    return status;
}

static enum cairn_status grant_apply(struct cairn_replica *replica, void *context)
{
    struct grant_work *work = context;
    struct grant_search search = {.replica = replica, .work = work};
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_standing standing, granted;

    CAIRN_TRY(cairn_standing_get(ctx, &replica->under, &standing));
    CAIRN_TRY(right_check(ctx, work, &standing));
    CAIRN_TRY(cairn_grants_visit(ctx, grant_match, &search));
    CAIRN_TRY(server_check(ctx, work, &search));
    if (!search.is_found)
        CAIRN_TRY(grant_write(replica, work, &standing, &search.found.grant));
    CAIRN_TRY(invitation_make(replica, work, &search.found.grant));
    CAIRN_TRY(cairn_standing_get(ctx, &search.found, &granted));
    cairn_device_describe(&granted, work->device);
    cairn_fingerprint(&work->request.hash, work->device->fingerprint);
    return CAIRN_OK;
}

enum cairn_status cairn_grant_device(struct cairn_replica *replica,
                                     const struct cairn_grant_input *input,
                                     struct cairn_bytes *out_invitation,
                                     struct cairn_device *out_device, struct cairn_err *err)
{
    struct cairn_device device = {.tag = ""};
    struct grant_work work = {.input = input, .device = &device};

    cairn_replica_fresh(replica, err);
    CAIRN_TRY(grant_check(replica, &work, err));
    enum cairn_status status = cairn_replica_write(replica, grant_apply, &work, err);
    /* An invitation is sealed with our word: the mark is on disk before it leaves. */
    if (status == CAIRN_OK)
        status = cairn_replica_mark(replica, true, err);
    if (status != CAIRN_OK) {
        cairn_bytes_free(work.invitation);
        return status;
    }
    *out_invitation = work.invitation;
    *out_device = device;
    return CAIRN_OK;
}

/* What a reader takes `digit` for: capitals, and the digits that the letters look like. */
static char read_digit(char digit)
{
    char capital = digit >= 'a' && digit <= 'z' ? (char)(digit - 'a' + 'A') : digit;

    if (capital == 'I' || capital == 'L')
        return '1';
    return capital == 'O' ? '0' : capital;
}

bool cairn_fingerprint_is(const char *fingerprint, const char *text)
{
    for (; *fingerprint != '\0'; fingerprint++) {
        if (*fingerprint == '-')
            text += *text == '-' || *text == ' ';
        else if (read_digit(*text++) != *fingerprint)
            return false;
    }
    return *text == '\0';
}
