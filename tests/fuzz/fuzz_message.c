/*
 * Any bytes as a message: the first byte picks the kind. What is accepted must come out of the
 * iterators and writers as it went in; anything else is a second encoding or a lost field.
 */

#include <stdlib.h>
#include <string.h>

#include "message_rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cairn_bytes input;
    struct cairn_writer writer;
    enum message_kind kind;
    uint8_t *rewritten;

    if (size < 1)
        return 0;
    kind = (enum message_kind)(data[0] % MESSAGE_KIND_COUNT);
    input = (struct cairn_bytes){data + 1, size - 1};
    rewritten = malloc(size);
    CAIRN_ASSERT(rewritten != NULL);
    cairn_writer_init(&writer, rewritten, size);
    if (message_rewrite(kind, input, &writer) == CAIRN_OK) {
        CAIRN_ASSERT(!writer.overflowed);
        CAIRN_ASSERT(kind == MESSAGE_HEADER || writer.size == input.size);
        CAIRN_ASSERT(memcmp(rewritten, input.data, writer.size) == 0);
    }
    free(rewritten);
    return 0;
}
