/* Random operations against a model that cannot be wrong: an array of what each key should hold. */

#include "store_suite.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MODEL_KEYS 300u
#define MODEL_VALUE_MAX 3000u
#define MODEL_STEPS 20000

static int bytes_order(struct cairn_bytes a, struct cairn_bytes b)
{
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);

    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

struct model {
    uint32_t seeds[MODEL_KEYS]; /* 0: absent; else what the value is made from */
};

struct random_run {
    struct cairn_store *store;
    const struct cairn_store_ops *ops;
    uint64_t random;
    struct model committed;
    struct model pending;
    struct model reader_saw;
    struct cairn_txn *writer;
    struct cairn_txn *reader;
};

static struct cairn_txn *begin(const struct random_run *run, enum cairn_txn_mode mode)
{
    struct cairn_txn *txn = NULL;

    CHECK_STATUS(run->ops->begin(run->store, mode, &txn), CAIRN_OK);
    return txn;
}

static uint32_t random_below(struct random_run *run, uint32_t bound)
{
    run->random = run->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(run->random >> 33) % bound;
}

/* Key lengths run from 1 to MODEL_KEYS / 2, so that prefixes of each other are common. */
static struct cairn_bytes model_key(uint32_t index, uint8_t out_key[static CAIRN_STORE_KEY_MAX])
{
    size_t size = 1 + index / 2;

    memset(out_key, 'k', size);
    out_key[size - 1] = (uint8_t)(index % 2 == 0 ? 'k' : 'm');
    return (struct cairn_bytes){out_key, size};
}

static struct cairn_bytes model_value(uint32_t seed, uint8_t out_value[static MODEL_VALUE_MAX])
{
    size_t size = seed % MODEL_VALUE_MAX;

    memset(out_value, (int)(seed >> 8 & 0xFF), size);
    return (struct cairn_bytes){out_value, size};
}

static void model_check_key(struct random_run *run, struct cairn_txn *txn,
                            const struct model *model, uint32_t index)
{
    uint8_t key[CAIRN_STORE_KEY_MAX];
    uint8_t want[MODEL_VALUE_MAX];
    struct cairn_bytes value;

    enum cairn_status status = run->ops->get(txn, model_key(index, key), &value);
    CHECK_STATUS(status, model->seeds[index] != 0 ? CAIRN_OK : CAIRN_NOT_FOUND);
    if (status == CAIRN_OK)
        store_check_bytes(value, model_value(model->seeds[index], want));
}

/* What the model has under that key. */
static uint32_t model_seed_of(const struct model *model, struct cairn_bytes key)
{
    for (uint32_t i = 0; i < MODEL_KEYS; i++) {
        uint8_t bytes[CAIRN_STORE_KEY_MAX];
        if (model->seeds[i] != 0 && bytes_order(model_key(i, bytes), key) == 0)
            return model->seeds[i];
    }
    fail_msg("a range gives a key that is not there");
    return 0;
}

/* Walk between two random keys; what comes must be what the model has, in order. */
static void model_check_range(struct random_run *run, struct cairn_txn *txn,
                              const struct model *model)
{
    const struct cairn_store_ops *ops = run->ops;
    uint8_t bounds[2][CAIRN_STORE_KEY_MAX];
    uint8_t last[CAIRN_STORE_KEY_MAX];
    size_t last_size = 0;
    uint8_t want_value[MODEL_VALUE_MAX];
    size_t got = 0;
    size_t want = 0;
    struct cairn_range *range;
    struct cairn_bytes key;
    struct cairn_bytes value;
    enum cairn_range_order order = random_below(run, 2) == 0 ? CAIRN_ASCENDING : CAIRN_DESCENDING;
    struct cairn_bytes first = model_key(random_below(run, MODEL_KEYS), bounds[0]);
    struct cairn_bytes end = model_key(random_below(run, MODEL_KEYS), bounds[1]);

    for (uint32_t i = 0; i < MODEL_KEYS; i++) {
        uint8_t bytes[CAIRN_STORE_KEY_MAX];
        key = model_key(i, bytes);
        want += model->seeds[i] != 0 && bytes_order(key, first) >= 0 && bytes_order(key, end) <= 0;
    }
    CHECK_STATUS(ops->range_open(txn, first, end, order, &range), CAIRN_OK);
    while (ops->range_next(range, &key, &value) == CAIRN_OK) {
        int step = bytes_order(key, (struct cairn_bytes){last, last_size});
        assert_true(last_size == 0 || (order == CAIRN_ASCENDING ? step > 0 : step < 0));
        memcpy(last, key.data, key.size);
        last_size = key.size;
        store_check_bytes(value, model_value(model_seed_of(model, key), want_value));
        got++;
    }
    ops->range_close(range);
    assert_int_equal(got, want);
}

static void model_write(struct random_run *run)
{
    uint8_t key[CAIRN_STORE_KEY_MAX];
    uint8_t value[MODEL_VALUE_MAX];
    uint32_t index = random_below(run, MODEL_KEYS);
    uint32_t seed = 1 + random_below(run, 1u << 24);

    if (run->writer == NULL) {
        run->writer = begin(run, CAIRN_TXN_WRITE);
        run->pending = run->committed;
    }
    if (random_below(run, 3) == 0) {
        CHECK_STATUS(run->ops->del(run->writer, model_key(index, key)),
                     run->pending.seeds[index] != 0 ? CAIRN_OK : CAIRN_NOT_FOUND);
        run->pending.seeds[index] = 0;
    } else {
        CHECK_STATUS(run->ops->put(run->writer, model_key(index, key), model_value(seed, value)),
                     CAIRN_OK);
        run->pending.seeds[index] = seed;
    }
    model_check_key(run, run->writer, &run->pending, random_below(run, MODEL_KEYS));
}

static void model_end_writer(struct random_run *run)
{
    if (run->writer == NULL)
        return;
    if (random_below(run, 4) == 0) {
        run->ops->abort(run->writer);
    } else {
        CHECK_STATUS(run->ops->commit(run->writer), CAIRN_OK);
        run->committed = run->pending;
    }
    run->writer = NULL;
}

static void model_turn_reader(struct random_run *run)
{
    if (run->reader != NULL)
        run->ops->abort(run->reader);
    run->reader = begin(run, CAIRN_TXN_READ);
    run->reader_saw = run->committed;
}

void store_model_run(struct cairn_store *store)
{
    const char *given = getenv("CAIRN_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    struct random_run *run = calloc(1, sizeof *run);

    assert_non_null(run);
    print_message("CAIRN_SEED=%llu replays this run\n", (unsigned long long)seed);
    run->store = store;
    run->ops = store->ops;
    run->random = seed;
    model_turn_reader(run);
    for (int step = 0; step < MODEL_STEPS; step++) {
        uint32_t dice = random_below(run, 100);
        if (dice < 80)
            model_write(run);
        else if (dice < 84)
            model_end_writer(run);
        else if (dice < 86)
            model_turn_reader(run);
        else if (dice < 92)
            model_check_key(run, run->reader, &run->reader_saw, random_below(run, MODEL_KEYS));
        else if (dice < 96 || run->writer == NULL)
            model_check_range(run, run->reader, &run->reader_saw);
        else
            model_check_range(run, run->writer, &run->pending);
    }
    model_end_writer(run);
    model_turn_reader(run);
    for (uint32_t i = 0; i < MODEL_KEYS; i++)
        model_check_key(run, run->reader, &run->committed, i);
    run->ops->abort(run->reader);
    free(run);
}
