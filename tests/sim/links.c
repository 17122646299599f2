#include "links.h"

#include <stdlib.h>
#include <string.h>

#include "inspect.h"

#define ROUNDS_MAX 200
#define GROUP_MAX 8

struct link_bytes link_copy(struct cairn_bytes bytes)
{
    struct link_bytes copy = {malloc(bytes.size + 1), bytes.size};

    CAIRN_ASSERT(copy.data != NULL);
    if (bytes.size > 0)
        memcpy(copy.data, bytes.data, bytes.size);
    return copy;
}

struct cairn_bytes link_bytes(struct link_bytes bytes)
{
    return (struct cairn_bytes){bytes.data, bytes.size};
}

/* ---- a bad link ---------------------------------------------------------------------------- */

void links_damage(struct world *world, struct link_bytes *bytes, struct dice *dice)
{
    if (bytes->data == NULL || bytes->size == 0)
        return;
    if (dice_one_in(dice, 2)) {
        bytes->size = dice_below(dice, (uint32_t)bytes->size);
        world_saw(world, SEEN_LETTER_TRUNCATED);
        return;
    }
    for (uint32_t flips = 1 + dice_below(dice, 3); flips > 0; flips--)
        bytes->data[dice_below(dice, (uint32_t)bytes->size)] ^=
            (uint8_t)(1u << dice_below(dice, 8));
    world_saw(world, SEEN_LETTER_CORRUPTED);
}

enum passage { PASSES, PASSES_TWICE, PASSES_DAMAGED, PASSES_LATE, IS_LOST };

static enum passage passage_draw(struct world *world, struct dice *dice, bool is_good)
{
    static const enum passage troubles[] = {PASSES_TWICE, PASSES_DAMAGED, PASSES_LATE, IS_LOST};

    if (is_good || !world->traits.has_link_faults || !dice_one_in(dice, world->traits.link_quality))
        return PASSES;
    return troubles[dice_below(dice, 4)];
}

/* A letter takes the place of the oldest where the mail is full. */
static void letter_post(struct world *world, struct node *node, bool is_reply,
                        struct cairn_bytes bytes, uint64_t due_step)
{
    struct letter *letter = &world->letters[0];

    for (size_t i = 0; i < WORLD_LETTERS_MAX && letter->is_there; i++)
        if (!world->letters[i].is_there || world->letters[i].due_step < letter->due_step)
            letter = &world->letters[i];
    free(letter->data);
    *letter = (struct letter){.is_there = true,
                              .is_reply = is_reply,
                              .node = node_number(world, node),
                              .due_step = due_step};
    letter->data = link_copy(bytes).data;
    letter->size = bytes.size;
}

void links_drop_all(struct world *world)
{
    for (size_t i = 0; i < WORLD_LETTERS_MAX; i++) {
        free(world->letters[i].data);
        world->letters[i] = (struct letter){.is_there = false};
    }
}

/* ---- the server ---------------------------------------------------------------------------- */

static void server_failed(struct world *world, struct node *server, enum cairn_status status,
                          const char *call)
{
    if (node_has_failed(server, status))
        world_saw(world, SEEN_SERVER_DISK);
    else
        world_fail(world, "server-status", "%s answers %s: %s", call, cairn_status_name(status),
                   world->err.text);
}

/* Open one request; NULL: refused, which is right for what is damaged or from a stranger. */
static struct cairn_serve *request_open(struct world *world, struct node *server,
                                        struct cairn_bytes request, bool is_honest)
{
    struct cairn_serve *serve = NULL;

    if (server->replica == NULL)
        return NULL;
    trace_bytes(&world->trace, request);
    enum cairn_status status = cairn_serve_open(server->replica, request, &serve, &world->err);
    if (status == CAIRN_OK)
        return serve;
    if (status == CAIRN_REFUSED)
        world_saw(world, SEEN_SERVER_UNKNOWN_KEY);
    else if (cairn_status_actor(status) == CAIRN_ACTOR_PEER)
        world_saw(world, SEEN_SERVER_BAD_REQUEST);
    else
        server_failed(world, server, status, "cairn_serve_open");
    if (is_honest && cairn_status_actor(status) == CAIRN_ACTOR_PEER)
        world_fail(world, "honest-request", "the server refuses an honest request: %s: %s",
                   cairn_status_name(status), world->err.text);
    return NULL;
}

/* Commit what the requests brought. False: nobody may be answered. */
static bool requests_commit(struct world *world, struct node *server, struct cairn_serve **serves,
                            size_t count)
{
    struct cairn_serve_commit commit;

    if (count == 0)
        return true;
    server->held_is_stale = true;
    enum cairn_status status =
        cairn_serve_commit(server->replica, serves, count, &commit, &world->err);
    if (status != CAIRN_OK) {
        server_failed(world, server, status, "cairn_serve_commit");
        return false;
    }
    if (count > 1)
        world_saw(world, SEEN_SERVER_GROUP);
    world->tally.seen[SEEN_SERVER_RUN_REFUSED] += commit.refused_count;
    return true;
}

static struct link_bytes reply_take(struct world *world, struct node *server,
                                    struct cairn_serve *serve)
{
    struct cairn_bytes reply;
    enum cairn_status status = cairn_serve_reply(server->replica, serve, &reply, &world->err);

    if (status != CAIRN_OK) {
        server_failed(world, server, status, "cairn_serve_reply");
        return (struct link_bytes){NULL, 0};
    }
    trace_bytes(&world->trace, reply);
    return link_copy(reply);
}

struct link_bytes links_answer(struct world *world, struct cairn_bytes request, bool is_honest)
{
    struct node *server = &world->nodes[world->server];
    struct cairn_serve *serve = request_open(world, server, request, is_honest);
    struct link_bytes reply = {NULL, 0};

    if (serve == NULL)
        return reply;
    if (cairn_serve_is_read_only(serve) || requests_commit(world, server, &serve, 1))
        reply = reply_take(world, server, serve);
    cairn_serve_free(serve);
    return reply;
}

/* ---- the station --------------------------------------------------------------------------- */

static enum link_end station_failed(struct world *world, struct node *node,
                                    enum cairn_status status, const char *call)
{
    if (node_has_failed(node, status)) {
        world_saw(world, SEEN_SYNC_DISK);
        return LINK_DISK;
    }
    if (status == CAIRN_NO_RIGHT) {
        world_saw(world, SEEN_SYNC_NO_SERVER);
        return LINK_NO_SERVER;
    }
    world_fail(world, "station-status", "%s of %s answers %s: %s", call, node->tag,
               cairn_status_name(status), world->err.text);
    return LINK_REFUSED;
}

/* Give a message to a station that waits for one. */
static enum link_end reply_give(struct world *world, struct node *node, struct cairn_bytes reply,
                                bool is_true, bool *out_again)
{
    *out_again = false;
    node->held_is_stale = true;
    enum cairn_status status = cairn_sync_reply(node->replica, reply, out_again, &world->err);
    if (status == CAIRN_OK) {
        node->awaits_reply = false;
        return LINK_DONE;
    }
    if (!is_true && (status == CAIRN_BAD_SIGNATURE || status == CAIRN_MALFORMED)) {
        world_saw(world, SEEN_REPLY_DAMAGED);
        return LINK_NO_ANSWER; /* the true one may still come */
    }
    node->awaits_reply = false;
    if (status == CAIRN_REFUSED || status == CAIRN_FORKED)
        return status == CAIRN_FORKED ? LINK_FORKED : LINK_REFUSED;
    return station_failed(world, node, status, "cairn_sync_reply");
}

/* What becomes of a request on a bad link: the answer, or nothing. */
static struct link_bytes request_send(struct world *world, struct node *node,
                                      struct cairn_bytes request, struct dice *dice, bool is_good)
{
    struct link_bytes copy = link_copy(request), reply = {NULL, 0}, again;
    bool is_honest = !node->is_hostile;

    switch (passage_draw(world, dice, is_good)) {
    case PASSES:
        reply = links_answer(world, link_bytes(copy), is_honest);
        break;
    case PASSES_TWICE:
        world_saw(world, SEEN_LETTER_REPEATED);
        again = links_answer(world, link_bytes(copy), is_honest);
        reply = links_answer(world, link_bytes(copy), is_honest);
        free(again.data);
        break;
    case PASSES_DAMAGED:
        links_damage(world, &copy, dice);
        reply = links_answer(world, link_bytes(copy), false);
        break;
    case PASSES_LATE:
        world_saw(world, SEEN_LETTER_DELAYED);
        letter_post(world, node, false, request, world->step + 1 + dice_below(dice, 300));
        break;
    case IS_LOST:
        world_saw(world, SEEN_LETTER_LOST);
        break;
    }
    free(copy.data);
    return reply;
}

/* One round trip. */
static enum link_end round_trip(struct world *world, struct node *node, struct dice *dice,
                                bool is_good, bool *out_again)
{
    struct cairn_bytes request;
    enum link_end end = LINK_NO_ANSWER;

    *out_again = false;
    enum cairn_status status = cairn_sync_request(node->replica, &request, &world->err);
    if (status != CAIRN_OK)
        return station_failed(world, node, status, "cairn_sync_request");
    node->awaits_reply = true;
    struct link_bytes reply = request_send(world, node, request, dice, is_good);
    if (reply.data == NULL)
        return LINK_NO_ANSWER;
    switch (passage_draw(world, dice, is_good)) {
    case PASSES:
    case PASSES_TWICE:
        end = reply_give(world, node, link_bytes(reply), true, out_again);
        break;
    case PASSES_DAMAGED:
        links_damage(world, &reply, dice);
        end = reply_give(world, node, link_bytes(reply), false, out_again);
        break;
    case PASSES_LATE:
        world_saw(world, SEEN_LETTER_DELAYED);
        letter_post(world, node, true, link_bytes(reply), world->step + 1 + dice_below(dice, 300));
        break;
    case IS_LOST:
        world_saw(world, SEEN_LETTER_LOST);
        break;
    }
    free(reply.data);
    return end;
}

static enum link_end sync_begin(struct world *world, struct node *node)
{
    enum cairn_status status = cairn_sync_begin(node->replica, &world->err);

    node->awaits_reply = false;
    return status == CAIRN_OK ? LINK_DONE : station_failed(world, node, status, "cairn_sync_begin");
}

enum link_end links_sync_stranger(struct world *world, struct node *node, struct dice *dice)
{
    bool was_hostile = node->is_hostile;

    node->is_hostile = true;
    enum link_end end = links_sync(world, node, dice, true);
    node->is_hostile = was_hostile;
    return end;
}

enum link_end links_sync(struct world *world, struct node *node, struct dice *dice, bool is_good)
{
    bool again = true;
    enum link_end end = sync_begin(world, node);
    unsigned rounds = 0;

    while (end == LINK_DONE && again && world_is_well(world)) {
        if (++rounds > ROUNDS_MAX) {
            world_fail(world, "sync-ends", "%s and the server go on for ever", node->tag);
            break;
        }
        end = round_trip(world, node, dice, is_good, &again);
    }
    if (end == LINK_DONE)
        world_saw(world, SEEN_SYNC_DONE);
    else if (end == LINK_NO_ANSWER)
        world_saw(world, SEEN_SYNC_NO_ANSWER);
    if (rounds > 1)
        world_saw(world, SEEN_SYNC_SEVERAL_ROUNDS);
    return end;
}

/* ---- the mail ------------------------------------------------------------------------------ */

void links_ask(struct world *world, struct node *node, struct dice *dice)
{
    struct cairn_bytes request;

    if (sync_begin(world, node) != LINK_DONE)
        return;
    enum cairn_status status = cairn_sync_request(node->replica, &request, &world->err);
    if (status != CAIRN_OK) {
        station_failed(world, node, status, "cairn_sync_request");
        return;
    }
    node->awaits_reply = true;
    /* In whole tens of steps, so that several come together. */
    letter_post(world, node, false, request, (world->step / 10 + 1 + dice_below(dice, 4)) * 10);
}

static void reply_deliver(struct world *world, const struct letter *letter)
{
    struct node *node = &world->nodes[letter->node];
    bool again;

    if (node->replica == NULL || !node->awaits_reply) {
        world_saw(world, SEEN_REPLY_LATE);
        return;
    }
    /* It may answer a request that was given up: then it must be refused. */
    enum link_end end =
        reply_give(world, node, (struct cairn_bytes){letter->data, letter->size}, false, &again);
    if (end == LINK_DONE)
        world_saw(world, SEEN_REPLY_BY_MAIL);
    else if (end == LINK_REFUSED || end == LINK_FORKED)
        world_fail(world, "late-reply", "%s: %s", node->tag, world->err.text);
}

static void requests_deliver(struct world *world, struct letter *const *letters, size_t count,
                             struct dice *dice)
{
    struct node *server = &world->nodes[world->server];
    struct cairn_serve *serves[GROUP_MAX];
    unsigned askers[GROUP_MAX];
    size_t opened = 0;

    for (size_t i = 0; i < count; i++) {
        struct cairn_bytes request = {letters[i]->data, letters[i]->size};
        serves[opened] = request_open(world, server, request, false);
        if (serves[opened] != NULL)
            askers[opened++] = letters[i]->node;
    }
    bool is_done = requests_commit(world, server, serves, opened);
    for (size_t i = 0; i < opened; i++) {
        struct link_bytes reply = {NULL, 0};
        if (is_done && world_is_well(world))
            reply = reply_take(world, server, serves[i]);
        if (reply.data != NULL)
            letter_post(world, &world->nodes[askers[i]], true, link_bytes(reply),
                        world->step + 1 + dice_below(dice, 40));
        free(reply.data);
        cairn_serve_free(serves[i]);
    }
}

void links_deliver(struct world *world, struct dice *dice)
{
    struct letter due[GROUP_MAX], *requests[GROUP_MAX];
    size_t count = 0, request_count = 0;

    for (size_t i = 0; i < WORLD_LETTERS_MAX && count < GROUP_MAX; i++) {
        struct letter *letter = &world->letters[i];
        if (!letter->is_there || letter->due_step > world->step)
            continue;
        due[count] = *letter;
        *letter = (struct letter){.is_there = false};
        if (!due[count].is_reply)
            requests[request_count++] = &due[count];
        count++;
    }
    for (size_t i = 0; i < count && world_is_well(world); i++)
        if (due[i].is_reply)
            reply_deliver(world, &due[i]);
    if (request_count > 0 && world_is_well(world))
        requests_deliver(world, requests, request_count, dice);
    for (size_t i = 0; i < count; i++)
        free(due[i].data);
}
