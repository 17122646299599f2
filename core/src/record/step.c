/* Steps of a workflow (SPEC.md section 5.4); declared in judge.h. */

#include "judge.h"

static struct cairn_key step_key(struct cairn_dot dot)
{
    return cairn_key_log_index(CAIRN_TABLE_STEP, dot.log, dot.index);
}

enum cairn_status cairn_step_keep(struct cairn_context *ctx, struct cairn_dot dot,
                                  const struct cairn_judged_change *change)
{
    struct cairn_key key = step_key(dot);
    uint8_t bytes[64];
    struct cairn_writer writer;

    for (size_t i = 0; i < change->write_count; i++) {
        const struct cairn_position *position = &change->writes[i].value.position;
        if (change->writes[i].number != CAIRN_ITEM_STEP)
            continue;
        cairn_writer_init(&writer, bytes, sizeof bytes);
        cairn_write_varint(&writer, change->record.log);
        cairn_write_varint(&writer, change->record.index);
        cairn_write_varint(&writer, position->state);
        cairn_write_varint(&writer, position->move);
        cairn_write_varint(&writer, position->stage);
        CAIRN_TRY(cairn_kv_put(ctx, &key, cairn_writer_bytes(&writer)));
    }
    return CAIRN_OK;
}

enum cairn_status cairn_step_forget(struct cairn_context *ctx, struct cairn_dot dot)
{
    struct cairn_key key = step_key(dot);

    return cairn_kv_del(ctx, &key);
}

enum cairn_status cairn_step_find(struct cairn_context *ctx, struct cairn_dot dot,
                                  struct cairn_dot record, struct cairn_position *out_position)
{
    struct cairn_key key = step_key(dot);
    struct cairn_position position;
    struct cairn_bytes value;
    struct cairn_reader reader;

    CAIRN_TRY(cairn_kv_get(ctx, &key, &value));
    cairn_reader_init(&reader, value);
    uint64_t log = cairn_read_varint(&reader);
    uint64_t index = cairn_read_varint(&reader);
    position.state = cairn_read_varint(&reader);
    position.move = cairn_read_varint(&reader);
    position.stage = cairn_read_varint(&reader);
    if (cairn_reader_end(&reader) != CAIRN_OK)
        return CAIRN_CORRUPT;
    if (log != record.log || index != record.index)
        return CAIRN_NOT_FOUND;
    *out_position = position;
    return CAIRN_OK;
}

struct cairn_position cairn_position_first(const struct cairn_type *type)
{
    return (struct cairn_position){.state = type->state_count > 0 ? type->states[0].number : 0};
}

bool cairn_position_is_still(const struct cairn_type *type, const struct cairn_position *position)
{
    const struct cairn_move *move = cairn_type_move(type, position->move);

    return move == NULL || position->stage + 1 >= move->step_count;
}

bool cairn_move_begins(const struct cairn_move *move, uint64_t state)
{
    for (size_t i = 0; i < move->from_count; i++)
        if (move->from[i] == state)
            return true;
    return false;
}

/* Whoever has a part in the move that is under way may give it up. */
static enum cairn_reason give_up_judge(const struct cairn_type *type, uint64_t role,
                                       const struct cairn_position *from,
                                       const struct cairn_position *to)
{
    const struct cairn_move *move = cairn_type_move(type, from->move);

    if (cairn_position_is_still(type, from) || to->stage != 0 || to->state != from->state)
        return CAIRN_WHY_STEP_ORDER;
    for (size_t i = 0; i < move->step_count; i++)
        if (move->roles[i] == role)
            return CAIRN_WHY_NONE;
    return CAIRN_WHY_STEP_ROLE;
}

enum cairn_reason cairn_step_judge(const struct cairn_type *type, uint64_t role,
                                   const struct cairn_position *from,
                                   const struct cairn_position *to)
{
    /* What a newer schema began goes on under that schema. */
    if (from->move != 0 && cairn_type_move(type, from->move) == NULL)
        return CAIRN_WHY_NEWER;
    if (to->move == 0)
        return give_up_judge(type, role, from, to);
    const struct cairn_move *move = cairn_type_move(type, to->move);
    if (move == NULL)
        return CAIRN_WHY_NEWER;
    bool begins = cairn_position_is_still(type, from);
    uint64_t stage = begins ? 0 : from->stage + 1;
    if (begins ? !cairn_move_begins(move, from->state) : from->move != to->move)
        return CAIRN_WHY_STEP_ORDER;
    if (to->stage != stage || stage >= move->step_count ||
        to->state != (stage + 1 == move->step_count ? move->to : from->state))
        return CAIRN_WHY_STEP_ORDER;
    return move->roles[stage] == role ? CAIRN_WHY_NONE : CAIRN_WHY_STEP_ROLE;
}
