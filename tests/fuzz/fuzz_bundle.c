/*
 * An auditor's bundle with any bytes as its parts: the header is a true one, the input is a list of
 * parts (two bytes of size, then as many bytes, the first of which says whether the others are
 * packed). The audit ends, whatever they say.
 * With a first byte of 255 the rest is the whole file instead, header and all.
 */

#include <stdlib.h>

#include "cairn/cbor.h"
#include "cairn/message.h"
#include "fuzz_net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_finding(void *context, uint64_t number, const char *text, const char *affects)
{
    (void)affects;
    CAIRN_ASSERT(text != NULL && text[0] != '\0');
    CAIRN_ASSERT(number == ++*(uint64_t *)context);
}

static void audit(struct cairn_bytes file)
{
    const struct fuzz_net *start = fuzz_net();
    const char *name = "bundle";
    uint64_t findings = 0;
    const struct cairn_audit_visitor visitor = {.finding = on_finding, .context = &findings};
    struct cairn_audit_report report;
    struct cairn_bytes notes;

    const struct cairn_audit_given given = {.root_statement = net_bytes(start->root_statement),
                                            .files = &file,
                                            .file_names = &name,
                                            .file_count = 1};
    enum cairn_status status = cairn_audit_files(&given, &visitor, &report, &notes, &net_err);
    CAIRN_ASSERT(status == CAIRN_OK || net_err.text[0] != '\0');
    if (status != CAIRN_OK)
        return;
    CAIRN_ASSERT(report.finding_count == findings);
    cairn_bytes_free(notes);
}

static struct net_bytes true_bundle(void)
{
    static struct net_bytes bundle;
    struct net_node office;

    if (bundle.data == NULL) {
        fuzz_node_copy(&fuzz_net()->net.office, &office);
        bundle = net_bundle(&office, true);
        net_node_close(&office);
    }
    return bundle;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct net_bytes bundle = true_bundle();
    struct cairn_bundle_header header;
    struct cairn_reader reader;
    struct cairn_writer writer;

    if (size > 0 && data[0] == 255) {
        audit((struct cairn_bytes){data + 1, size - 1});
        return 0;
    }
    net_must(cairn_bundle_header_read(net_bytes(bundle), &header));
    size_t capacity = header.header_bytes + 2 * size + 64;
    uint8_t *file = malloc(capacity);
    CAIRN_ASSERT(file != NULL);
    cairn_writer_init(&writer, file, capacity);
    cairn_write_bytes(&writer, bundle.data, header.header_bytes);
    cairn_reader_init(&reader, (struct cairn_bytes){data, size});
    while (cairn_reader_left(&reader) > 2 && !reader.failed) {
        size_t wanted = cairn_read_u16be(&reader);
        size_t left = cairn_reader_left(&reader);
        struct cairn_bytes part = cairn_read_bytes(&reader, wanted < left ? wanted : left);
        if (part.size > 0) /* an empty one would be the end */
            cairn_cbor_write_bytes(&writer, part.data, part.size);
    }
    cairn_cbor_write_bytes(&writer, NULL, 0);
    audit(cairn_writer_bytes(&writer));
    free(file);
    return 0;
}
