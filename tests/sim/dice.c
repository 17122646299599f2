#include "dice.h"

#include <string.h>

/* splitmix64 (Steele, Lea and Flood, 2014). */
uint64_t dice_next(struct dice *dice)
{
    uint64_t z = dice->state += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

void dice_init(struct dice *dice, uint64_t seed, uint64_t stream)
{
    struct dice mix = {seed};

    dice->state = dice_next(&mix);
    mix.state = dice->state ^ stream;
    dice->state = dice_next(&mix);
}

uint32_t dice_below(struct dice *dice, uint32_t bound)
{
    return (uint32_t)((dice_next(dice) >> 32) * bound >> 32);
}

bool dice_one_in(struct dice *dice, uint32_t count)
{
    return dice_below(dice, count) == 0;
}

void dice_fill(struct dice *dice, void *out, size_t size)
{
    uint8_t *bytes = out;

    for (size_t done = 0; done < size; done += sizeof(uint64_t)) {
        uint64_t word = dice_next(dice);
        size_t part = size - done < sizeof word ? size - done : sizeof word;
        memcpy(bytes + done, &word, part);
    }
}
