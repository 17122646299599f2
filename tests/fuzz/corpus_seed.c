/*
 * Writes the first files of the corpora: corpus_seed FOLDER, which has the folders cbor and
 * message. Run by hand when a kind of message is new; what fuzzers find is added beside.
 */

#include <stdio.h>
#include <stdlib.h>

#include "cairn/cbor.h"
#include "message_sample.h"

static const char *kind_name(enum message_kind kind)
{
    switch (kind) {
    case MESSAGE_REQUEST:
        return "request";
    case MESSAGE_REPLY:
        return "reply";
    case MESSAGE_PART:
        return "part";
    case MESSAGE_INVITATION:
        return "invitation";
    case MESSAGE_INVITATION_FILE:
        return "invitation_file";
    case MESSAGE_HEADER:
        return "header";
    case MESSAGE_LINK:
        return "link";
    case MESSAGE_KIND_COUNT:
        break;
    }
    abort();
}

static void file_write(const char *folder, const char *name, struct cairn_bytes bytes)
{
    char path[4096];
    FILE *file;

    CAIRN_ASSERT(snprintf(path, sizeof(path), "%s/%s", folder, name) < (int)sizeof(path));
    file = fopen(path, "wb");
    CAIRN_ASSERT(file != NULL);
    CAIRN_ASSERT(fwrite(bytes.data, 1, bytes.size, file) == bytes.size);
    CAIRN_ASSERT(fclose(file) == 0);
}

static void message_seed(const char *folder, enum message_kind kind)
{
    uint8_t data[SAMPLE_BYTES_MAX + 1];
    char name[64];
    struct cairn_writer writer;

    cairn_writer_init(&writer, data, sizeof(data));
    cairn_write_u8(&writer, (uint8_t)kind);
    sample_write(&writer, kind);
    CAIRN_ASSERT(!writer.overflowed);
    snprintf(name, sizeof(name), "message/%s", kind_name(kind));
    file_write(folder, name, cairn_writer_bytes(&writer));
    /* The same, cut in the middle: a start for the paths that refuse. */
    snprintf(name, sizeof(name), "message/%s_cut", kind_name(kind));
    file_write(folder, name, (struct cairn_bytes){data, writer.size / 2});
}

static void cbor_seed(const char *folder)
{
    static const uint8_t deepest[] = {0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x80};
    static const uint8_t too_deep[] = {0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x80};
    static const uint8_t long_head[] = {0x82, 0x18, 0x17, 0x00};
    static const uint8_t least_int[] = {0x3b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t bad_text[] = {0x63, 0xed, 0xa0, 0x80};
    static const uint8_t huge_string[] = {0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint8_t data[64];
    struct cairn_writer writer;

    cairn_writer_init(&writer, data, sizeof(data));
    sample_entry_write(&writer, 3);
    file_write(folder, "cbor/entry", cairn_writer_bytes(&writer));
    file_write(folder, "cbor/deepest", (struct cairn_bytes){deepest, sizeof(deepest)});
    file_write(folder, "cbor/too_deep", (struct cairn_bytes){too_deep, sizeof(too_deep)});
    file_write(folder, "cbor/long_head", (struct cairn_bytes){long_head, sizeof(long_head)});
    file_write(folder, "cbor/least_int", (struct cairn_bytes){least_int, sizeof(least_int)});
    file_write(folder, "cbor/bad_text", (struct cairn_bytes){bad_text, sizeof(bad_text)});
    file_write(folder, "cbor/huge_string", (struct cairn_bytes){huge_string, sizeof(huge_string)});
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: corpus_seed FOLDER\n", stderr);
        return 1;
    }
    for (int kind = 0; kind < MESSAGE_KIND_COUNT; kind++)
        message_seed(argv[1], (enum message_kind)kind);
    cbor_seed(argv[1]);
    return 0;
}
