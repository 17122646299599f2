#include "registry_net.h"

#include "kinds_table.h"

struct net net;
struct net_node station, peer, township;
static uint8_t table_bytes[4096];

void registry_sync_all(void)
{
    struct net_node *all[] = {&station, &peer, &township, &net.office};

    for (unsigned round = 0; round < 2; round++)
        for (size_t i = 0; i < 4; i++)
            net_sync(all[i], &net.server);
}

int registry_setup(void **state)
{
    struct cairn_writer table;

    (void)state;
    cairn_writer_init(&table, table_bytes, sizeof table_bytes);
    kinds_table_write(&table);
    assert_false(table.overflowed);
    net_open_with(&net, 17, cairn_writer_bytes(&table));
    net_sync(&net.office, &net.server);
    net_join(&net, &station, &net.office, "station", NET_VILLAGE, "A7");
    net_join(&net, &peer, &net.office, "station", NET_VILLAGE, "A8");
    net_join(&net, &township, &net.office, "township", "513332100", "T");
    registry_sync_all();
    return 0;
}

int registry_teardown(void **state)
{
    (void)state;
    net_node_close(&township);
    net_node_close(&peer);
    net_node_close(&station);
    net_close(&net);
    return 0;
}

/* ---- writing and reading ------------------------------------------------------------------- */

void registry_create(struct net_node *node, const char *type, const char *field, const char *value,
                     char out_id[32])
{
    const struct cairn_field_value fields[] = {{field, value}};
    const struct cairn_put put = {
        .type = type, .scope = NET_VILLAGE, .fields = fields, .field_count = 1};
    struct cairn_put_result result;

    net_must(cairn_put_many(node->replica, &put, 1, &result, NULL, &net_err));
    memcpy(out_id, result.id, 32);
}

enum cairn_status registry_change(struct net_node *node, const char *id, const char *field,
                                  const char *value, enum cairn_put_operation operation)
{
    const struct cairn_field_value fields[] = {{field, value}};
    const struct cairn_put put = {.type = "household",
                                  .id = id,
                                  .fields = fields,
                                  .field_count = 1,
                                  .operations = &operation};
    struct cairn_put_result result;

    return cairn_put_many(node->replica, &put, 1, &result, NULL, &net_err);
}

void registry_add(struct net_node *node, const char *id, const char *field, const char *value)
{
    net_must(registry_change(node, id, field, value, CAIRN_PUT_ADD));
}

void registry_count_up(struct net_node *node, const char *id, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        registry_add(node, id, "points", "1");
}

void registry_take(struct net_node *node, const char *id, const char *field, const char *value)
{
    net_must(registry_change(node, id, field, value, CAIRN_PUT_REMOVE));
}

const struct cairn_field_state *registry_field_get(struct net_node *node, const char *id,
                                                   const char *field)
{
    const struct cairn_record *record;

    net_must(cairn_get(node->replica, id, &record, &net_err));
    for (size_t i = 0; i < record->field_count; i++)
        if (strcmp(record->fields[i].name, field) == 0)
            return &record->fields[i];
    return NULL;
}

static int text_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The elements of a set in order, with a bar between them; of another field the shown value. */
void registry_expect_shown(struct net_node *node, const char *id, const char *field,
                           const char *expected)
{
    const struct cairn_field_state *found = registry_field_get(node, id, field);
    const char *values[64];
    char text[512] = "";
    size_t count = found == NULL ? 0 : found->kind == CAIRN_FIELD_SET ? found->version_count : 1;

    assert_in_range(count, 0, 64);
    for (size_t i = 0; i < count; i++)
        values[i] = found->versions[i].value;
    qsort(values, count, sizeof values[0], text_compare);
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(text);
        snprintf(text + size, sizeof text - size, "%s%s", i > 0 ? "|" : "", values[i]);
    }
    assert_string_equal(text, expected);
}

void registry_expect_everywhere(const char *id, const char *field, const char *expected)
{
    struct net_node *all[] = {&station, &peer, &township, &net.office, &net.server};

    for (size_t i = 0; i < 5; i++)
        registry_expect_shown(all[i], id, field, expected);
    for (size_t i = 0; i < 4; i++)
        net_agree(all[i], &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 1);
}

enum cairn_status registry_step(struct net_node *node, const char *id, const char *move,
                                unsigned keep, struct cairn_version *out_standing)
{
    const struct cairn_step one = {.id = id, .move = move, .keep = keep};
    const struct cairn_version *standing;
    enum cairn_status status = cairn_step(node->replica, &one, &standing, &net_err);

    if (status == CAIRN_OK)
        *out_standing = *standing;
    return status;
}

void registry_step_to(struct net_node *node, const char *id, const char *move, const char *state,
                      const char *next_role)
{
    struct cairn_version standing;

    net_must(registry_step(node, id, move, 0, &standing));
    assert_string_equal(standing.value, state);
    if (next_role == NULL)
        assert_null(standing.under_way.move);
    else
        assert_string_equal(standing.under_way.role, next_role);
}

void registry_expect_refused(enum cairn_status status, enum cairn_status expected)
{
    net_expect(status, expected);
    assert_non_null(strstr(net_err.text, "Nothing was written."));
}

void registry_carry(struct net_node *from, struct net_node *to)
{
    struct net_bytes bundle = net_bundle(from, false);

    net_bundle_read(to, bundle);
    free(bundle.data);
}

const struct cairn_record *registry_get(struct net_node *node, const char *id)
{
    const struct cairn_record *record;

    net_must(cairn_get(node->replica, id, &record, &net_err));
    return record;
}
