#include "shuffled.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LOG_PIECES_MAX 512

unsigned random_below(uint64_t *state, size_t bound)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (unsigned)((z ^ (z >> 31)) % bound);
}

static void log_pieces(const struct pieces *all, const struct cairn_hash *log, uint64_t *state,
                       struct pieces *out)
{
    const struct piece *own[LOG_PIECES_MAX];
    size_t count = 0;

    for (size_t i = 0; i < all->count; i++)
        if (cairn_hash_equal(&all->list[i].log, log)) {
            assert_true(count < LOG_PIECES_MAX);
            own[count++] = &all->list[i];
        }
    for (size_t from = 0; from < count;) {
        size_t to = from + random_below(state, count - from < 4 ? count - from : 4);
        pieces_join(own, from, to, out);
        from = to + 1;
    }
    for (unsigned i = 0; i < 3; i++) {
        size_t from = random_below(state, count);
        pieces_join(own, from, from + random_below(state, count - from), out);
    }
}

void pieces_shuffle(struct pieces *pieces, uint64_t *state)
{
    for (size_t i = pieces->count; i > 1; i--) {
        size_t j = random_below(state, i);
        struct piece swap = pieces->list[i - 1];
        pieces->list[i - 1] = pieces->list[j];
        pieces->list[j] = swap;
    }
}

struct pieces pieces_shuffled(const struct pieces *all, const struct cairn_hash *const *logs,
                              size_t log_count, uint64_t *state)
{
    struct pieces order = {.count = 0};

    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].channel == CAIRN_CHANNEL_AUTHORITY)
            pieces_add(&order, &all->list[i]);
    for (size_t i = 0; i < log_count; i++)
        log_pieces(all, logs[i], state, &order);
    pieces_shuffle(&order, state);
    return order;
}
