#include "trace.h"

#include <stdarg.h>
#include <string.h>

#define LINE_MAX_BYTES 512

void trace_init(struct trace *trace, FILE *out)
{
    *trace = (struct trace){.hash = 0xcbf29ce484222325u, .out = out};
}

/* FNV-1a over words: it need not resist anybody, only differ. */
void trace_bytes(struct trace *trace, struct cairn_bytes bytes)
{
    uint64_t hash = trace->hash ^ bytes.size;
    size_t at = 0;

    for (; bytes.size - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes.data + at, sizeof word);
        hash = (hash ^ word) * 0x100000001b3u;
        hash ^= hash >> 29;
    }
    for (; at < bytes.size; at++)
        hash = (hash ^ bytes.data[at]) * 0x100000001b3u;
    trace->hash = hash;
}

void trace_line(struct trace *trace, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list args;

    va_start(args, format);
    int size = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    size_t kept = size < 0 ? 0 : (size_t)size < sizeof line ? (size_t)size : sizeof line - 1;
    trace_bytes(trace, (struct cairn_bytes){(const uint8_t *)line, kept});
    if (trace->out != NULL)
        fprintf(trace->out, "%s\n", line);
}
