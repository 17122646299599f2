#include "schemas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book.h"
#include "couriers.h"

/* `text` is a file of the newest version: the one behind it, with one more field of a household,
 * whose states follow its last field. To be freed with free(). */
static char *file_next(const char *text, unsigned version, const struct book_field *field)
{
    const char *rest = strchr(text, '\n'), *states = strstr(text, "    states:\n");
    size_t capacity = strlen(text) + 200;
    char *file = malloc(capacity);

    CAIRN_ASSERT(file != NULL && rest != NULL && states != NULL);
    int size = snprintf(file, capacity,
                        "version: %u%.*s"
                        "      - {number: %u, name: %s, zh: 补充, en: %s, type: integer}\n%s",
                        version, (int)(states - rest), rest, field->number, field->name,
                        field->name, states);
    CAIRN_ASSERT(size > 0 && (size_t)size < capacity);
    return file;
}

static void problem_keep(void *context, size_t line, const char *text)
{
    struct world *world = context;

    world_fail(world, "schema", "line %zu of a schema: %s", line, text);
}

static bool publish(struct world *world, struct node *root)
{
    struct cairn_schema_summary summary;
    struct cairn_bytes yaml;

    if (!WORLD_MUST(world, cairn_schema_text(root->replica, 0, &yaml, &world->err)))
        return false;
    char *text = calloc(1, yaml.size + 1);
    CAIRN_ASSERT(text != NULL);
    memcpy(text, yaml.data, yaml.size);
    char *file = file_next(text, WORLD_FIRST_SCHEMA + world->schema_count + 1,
                           book_later_field(world->schema_count));
    free(text);
    bool is_published =
        WORLD_MUST(world, cairn_schema_publish(root->replica, cairn_bytes_of_text(file),
                                               problem_keep, world, &summary, &world->err));
    free(file);
    root->held_is_stale = true;
    world->schema_count += is_published;
    return is_published;
}

bool schemas_publish(struct world *world, struct dice *dice)
{
    struct node *root = &world->nodes[world->root], *office = &world->nodes[world->office];
    bool goes_at_once = dice_one_in(dice, 2);

    if (world->schema_count == WORLD_SCHEMAS_MAX || !publish(world, root))
        return false;
    trace_line(&world->trace, "#%llu the root publishes version %u of the schema",
               (unsigned long long)world->step, WORLD_FIRST_SCHEMA + world->schema_count);
    if (!goes_at_once || office->replica == NULL || node_may_fail(office))
        return couriers_write(world, root, false, dice) || world_is_well(world);
    struct bundle bundle = couriers_bundle(world, root, false);
    if (bundle.is_there)
        couriers_read_one(world, office, &bundle);
    free(bundle.data);
    return world_is_well(world);
}
