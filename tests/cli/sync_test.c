/*
 * When `cairn sync` says that the server is silent, and when it says what the server said: the
 * command between doubles of the replica, of the transport and of the screen.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "record_view.h"
#include "transport.h"

/* What the next exchange comes to, and what was seen of the command. */
static struct {
    enum cairn_status transport, reply;
    const char *reply_text;
    bool is_connected;
    unsigned exchanges, notes;
    char said[CAIRN_ERR_TEXT_BYTES];
} world;

/* ---- the replica --------------------------------------------------------------------------- */

static struct cairn_sync_report report;

enum cairn_status cairn_sync_begin(struct cairn_replica *replica, struct cairn_err *err)
{
    (void)replica;
    (void)err;
    return CAIRN_OK;
}

enum cairn_status cairn_sync_request(struct cairn_replica *replica, struct cairn_bytes *out_message,
                                     struct cairn_err *err)
{
    static const uint8_t request[] = {1};

    (void)replica;
    (void)err;
    *out_message = (struct cairn_bytes){request, sizeof request};
    return CAIRN_OK;
}

enum cairn_status cairn_sync_reply(struct cairn_replica *replica, struct cairn_bytes message,
                                   bool *out_again, struct cairn_err *err)
{
    (void)replica;
    (void)message;
    *out_again = false;
    return world.reply == CAIRN_OK ? CAIRN_OK
                                   : cairn_fail(err, world.reply, "%s", world.reply_text);
}

const struct cairn_sync_report *cairn_sync_report(const struct cairn_replica *replica)
{
    (void)replica;
    return &report;
}

enum cairn_status cairn_status_get(struct cairn_replica *replica,
                                   struct cairn_status_report *out_report, struct cairn_err *err)
{
    (void)replica;
    (void)err;
    *out_report = (struct cairn_status_report){
        .server_tag = "S", .server_address = "tcp://10.20.0.5:7340", .unreceived_count = 2};
    return CAIRN_OK;
}

/* ---- the transport ------------------------------------------------------------------------- */

enum cairn_status transport_open(const char *address, struct transport **out_transport,
                                 struct cairn_err *err)
{
    (void)address;
    (void)err;
    *out_transport = NULL;
    return CAIRN_OK;
}

void transport_set_progress(struct transport *transport, transport_progress_fn *progress,
                            void *context)
{
    (void)transport;
    (void)progress;
    (void)context;
}

enum cairn_status transport_exchange(struct transport *transport, struct cairn_bytes message,
                                     unsigned idle_timeout_s, struct cairn_bytes *out_reply,
                                     struct cairn_err *err)
{
    (void)transport;
    (void)idle_timeout_s;
    *out_reply = message;
    world.exchanges++;
    return world.transport == CAIRN_OK ? CAIRN_OK : cairn_fail(err, world.transport, "nothing");
}

bool transport_is_connected(const struct transport *transport)
{
    (void)transport;
    return world.is_connected;
}

void transport_close(struct transport *transport)
{
    (void)transport;
}

/* ---- the program --------------------------------------------------------------------------- */

const char *options_value(const struct options *options, enum option_id id)
{
    (void)options;
    (void)id;
    return NULL;
}

enum cli_exit cli_open(struct cli *cli, enum cli_mode mode)
{
    (void)cli;
    (void)mode;
    return CLI_DONE;
}

enum cli_exit cli_check_joined(struct cli *cli)
{
    (void)cli;
    return CLI_DONE;
}

enum cli_exit cli_report(struct cli *cli, enum cairn_status status)
{
    snprintf(world.said, sizeof world.said, "%s", cli->err.text);
    return status == CAIRN_OK ? CLI_DONE : CLI_COULD_NOT;
}

const char *cli_channel(const char *channel)
{
    return channel;
}

void output_line(struct output *output, const char *format, ...)
{
    (void)output;
    (void)format;
}

void output_note(struct output *output, const char *format, ...)
{
    (void)output;
    (void)format;
    world.notes++;
}

void output_progress(struct output *output, const char *format, ...)
{
    (void)output;
    (void)format;
}

json_t *output_json_text(const char *text)
{
    (void)text;
    return NULL;
}

void output_json(struct output *output, json_t *object)
{
    (void)output;
    (void)object;
}

json_t *count_json(uint64_t count)
{
    (void)count;
    return NULL;
}

/* ---- tests --------------------------------------------------------------------------------- */

static enum cli_exit run_sync(void)
{
    struct cli cli;

    memset(&cli, 0, sizeof cli);
    world.exchanges = world.notes = 0;
    world.said[0] = '\0';
    return command_sync.run(&cli);
}

static void a_silent_server_is_asked_once_more_and_then_called_silent(void **state)
{
    (void)state;
    world.transport = CAIRN_NO_ANSWER;
    for (unsigned i = 0; i < 2; i++) {
        world.is_connected = i == 1;
        assert_int_equal(run_sync(), CLI_COULD_NOT);
        assert_int_equal(world.exchanges, i + 1);
        assert_int_equal(world.notes, i);
        assert_non_null(strstr(world.said, "no answer from S tcp://10.20.0.5:7340 in 30 s"));
        assert_non_null(strstr(world.said, "2 edits wait"));
    }
}

static void a_server_that_is_busy_has_answered(void **state)
{
    (void)state;
    world.transport = CAIRN_OK;
    world.reply = CAIRN_NO_ANSWER;
    world.reply_text = "S is busy. Nothing is lost; try again: cairn sync";
    world.is_connected = true;
    assert_int_equal(run_sync(), CLI_COULD_NOT);
    assert_int_equal(world.exchanges, 1);
    assert_int_equal(world.notes, 0);
    assert_string_equal(world.said, world.reply_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_server_is_asked_once_more_and_then_called_silent),
        cmocka_unit_test(a_server_that_is_busy_has_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
