#include "csv_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "i18n.h"

#define PIECE_BYTES 65536

bool csv_encoding_named(const char *name, enum csv_encoding *out_encoding)
{
    static const struct {
        const char *name;
        enum csv_encoding encoding;
    } encodings[] = {{"utf-8", CSV_UTF_8},
                     {"utf8", CSV_UTF_8},
                     {"gb18030", CSV_GB18030},
                     {"gbk", CSV_GB18030},
                     {"gb2312", CSV_GB18030}};

    for (size_t i = 0; i < sizeof encodings / sizeof encodings[0]; i++)
        if (strcasecmp(name, encodings[i].name) == 0) {
            *out_encoding = encodings[i].encoding;
            return true;
        }
    return false;
}

/* ---- opening ---- */

/* Bytes behind start, as many as fit one more piece. */
static enum cairn_status fill(struct csv_file *file, struct cairn_err *err)
{
    size_t room = CSV_ROW_BYTES_MAX - file->end;

    if (room < file->piece_bytes && file->start > 0) {
        memmove(file->buffer, file->buffer + file->start, file->end - file->start);
        file->end -= file->start;
        file->start = 0;
        room = CSV_ROW_BYTES_MAX - file->end;
    }
    size_t wanted = room < file->piece_bytes ? room : file->piece_bytes;
    size_t got = fread(file->buffer + file->end, 1, wanted, file->stream);
    file->end += got;
    if (got < wanted && ferror(file->stream) != 0)
        return cairn_fail(err, CAIRN_IO, N_("the file cannot be read on: %s"), strerror(errno));
    file->is_ended = got < wanted;
    return CAIRN_OK;
}

static void consume(struct csv_file *file, size_t size)
{
    crypto_generichash_update(&file->digest, (const uint8_t *)file->buffer + file->start, size);
    file->start += size;
    file->offset += size;
}

/* A byte order mark is no part of the first field, not even before a quote. */
static enum cairn_status skip_mark(struct csv_file *file, struct cairn_err *err)
{
    static const char utf_8[] = "\xef\xbb\xbf", gb18030[] = "\x84\x31\x95\x33";
    const char *mark = file->encoding == CSV_UTF_8 ? utf_8 : gb18030;
    enum cairn_status status = CAIRN_OK;

    while (status == CAIRN_OK && file->end < strlen(gb18030) && !file->is_ended)
        status = fill(file, err);
    if (status == CAIRN_OK && file->end >= strlen(mark) &&
        memcmp(file->buffer, mark, strlen(mark)) == 0)
        consume(file, strlen(mark));
    return status;
}

static enum cairn_status open_stream(struct csv_file *file, const char *path, struct cairn_err *err)
{
    struct stat about;

    file->stream = fopen(path, "rbe");
    if (file->stream == NULL || fstat(fileno(file->stream), &about) != 0)
        return cairn_fail(err, CAIRN_BAD_INPUT, N_("cannot read %s: %s"), path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          N_("%s is no regular file; an import reads it twice, so save it as one"),
                          path);
    file->size_bytes = (uint64_t)about.st_size;
    return CAIRN_OK;
}

enum cairn_status csv_file_open(struct csv_file *file, const char *path, enum csv_encoding encoding,
                                struct cairn_err *err)
{
    *file = (struct csv_file){.line = 1, .piece_bytes = PIECE_BYTES, .encoding = encoding};
    enum cairn_status status = open_stream(file, path, err);
    if (status == CAIRN_OK) {
        crypto_generichash_init(&file->digest, NULL, 0, CSV_DIGEST_BYTES);
        file->buffer = malloc(CSV_ROW_BYTES_MAX);
        if (file->buffer == NULL)
            status = cairn_fail(err, CAIRN_NO_MEMORY, N_("out of memory for %s"), path);
    }
    if (status == CAIRN_OK && encoding == CSV_GB18030) {
        file->converter = iconv_open("UTF-8", "GB18030");
        file->converts = file->converter != (iconv_t)-1;
        if (!file->converts)
            status = cairn_fail(err, CAIRN_BAD_INPUT,
                                N_("this system cannot convert GB18030 (%s); save the file as "
                                   "\"CSV UTF-8\""),
                                strerror(errno));
    }
    if (status == CAIRN_OK)
        status = skip_mark(file, err);
    if (status != CAIRN_OK)
        csv_file_close(file);
    return status;
}

void csv_file_close(struct csv_file *file)
{
    if (file->stream != NULL)
        fclose(file->stream);
    if (file->converts)
        iconv_close(file->converter);
    free(file->buffer);
    *file = (struct csv_file){.stream = NULL};
}

/* ---- rows ---- */

/* Bring the whole next row into the buffer: its bytes begin at start. NOT_FOUND at the end. */
static enum cairn_status find_row(struct csv_file *file, size_t *out_size, size_t *out_lines,
                                  struct cairn_err *err)
{
    struct csv_scan scan = {CSV_AT_FIELD, 0};
    size_t scanned = 0, size = 0;

    for (;;) {
        size_t left = file->end - file->start;
        if (csv_scan_row(&scan, file->buffer + file->start + scanned, left - scanned, &size)) {
            *out_size = scanned + size;
            break;
        }
        scanned = left;
        if (left == CSV_ROW_BYTES_MAX) {
            /* Where the next row begins cannot be known: what follows is not read. */
            file->is_ended = true;
            file->start = file->end;
            return cairn_fail(err, CAIRN_BAD_INPUT,
                              N_("this row is longer than %zu bytes; a double quote in it is "
                                 "probably never closed"),
                              CSV_ROW_BYTES_MAX);
        }
        if (file->is_ended) {
            *out_size = left;
            break;
        }
        enum cairn_status status = fill(file, err);
        if (status != CAIRN_OK)
            return status;
    }
    *out_lines = scan.line_count;
    return *out_size == 0 ? CAIRN_NOT_FOUND : CAIRN_OK;
}

/* A copy of `size` bytes in UTF-8 with one spare byte behind. */
static enum cairn_status convert(struct csv_file *file, char *bytes, size_t size, char **out_text,
                                 size_t *out_size, struct cairn_err *err)
{
    size_t capacity = file->encoding == CSV_UTF_8 ? size : size * 2; /* 2 bytes become 3 */
    char *text = malloc(capacity + 1), *from = bytes, *to = text;
    size_t from_left = size, to_left = capacity;

    if (text == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, N_("out of memory for a row"));
    if (file->encoding == CSV_UTF_8) {
        memcpy(text, bytes, size);
        to_left = 0;
    } else if (iconv(file->converter, &from, &from_left, &to, &to_left) == (size_t)-1) {
        (void)iconv(file->converter, NULL, NULL, NULL, NULL);
        free(text);
        return cairn_fail(err, CAIRN_BAD_INPUT, N_("byte %zu of this row is not GB18030"),
                          size - from_left + 1);
    }
    *out_text = text;
    *out_size = capacity - to_left;
    return CAIRN_OK;
}

static enum cairn_status take_row(struct csv_file *file, size_t size, char **out_text,
                                  struct csv_row *out_row, struct cairn_err *err)
{
    char *text = NULL;
    size_t text_size = 0;
    enum cairn_status status =
        convert(file, file->buffer + file->start, size, &text, &text_size, err);

    if (status != CAIRN_OK)
        return status;
    status = csv_split(text, text_size, out_row, err);
    if (status == CAIRN_OK)
        *out_text = text;
    else
        free(text);
    return status;
}

enum cairn_status csv_file_next(struct csv_file *file, char **out_text, struct csv_row *out_row,
                                struct cairn_err *err)
{
    size_t size, lines;

    *out_text = NULL;
    out_row->field_count = 0;
    for (;;) {
        out_row->line = file->line;
        enum cairn_status status = find_row(file, &size, &lines, err);
        if (status != CAIRN_OK)
            return status;
        size_t text_size = size - csv_line_end(file->buffer + file->start, size);
        if (text_size > 0)
            status = take_row(file, text_size, out_text, out_row, err);
        if (status != CAIRN_OK && status != CAIRN_BAD_INPUT)
            return status;
        consume(file, size);
        file->line += lines;
        if (text_size > 0)
            return status;
    }
}

enum cairn_status csv_file_skip_to(struct csv_file *file, uint64_t offset, struct cairn_err *err)
{
    while (file->offset < offset) {
        size_t size, lines;
        enum cairn_status status = find_row(file, &size, &lines, err);
        if (status != CAIRN_OK)
            return status == CAIRN_BAD_INPUT ? CAIRN_NOT_FOUND : status;
        consume(file, size);
        file->line += lines;
    }
    return file->offset == offset ? CAIRN_OK : CAIRN_NOT_FOUND;
}

void csv_file_digest(const struct csv_file *file, uint8_t out_digest[static CSV_DIGEST_BYTES])
{
    crypto_generichash_state copy = file->digest;

    crypto_generichash_final(&copy, out_digest, CSV_DIGEST_BYTES);
}
