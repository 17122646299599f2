#include "yaml_tree.h"

#include <string.h>
#include <yaml.h>

#include "cairn/utf8.h"
#include "context.h"

/* The tree while events come in: the open maps and lists, and the key that waits for its value. */
struct growing {
    struct cairn_bytes yaml;
    struct cairn_arena *arena;
    struct cairn_yaml_node *open[CAIRN_YAML_DEPTH_MAX];
    struct cairn_yaml_node *last[CAIRN_YAML_DEPTH_MAX]; /* child of each */
    size_t depth;
    const char *key;
    size_t key_line;
    struct cairn_yaml_node *root;
    size_t node_count, document_count;
    size_t *out_line;
    struct cairn_err *err;
};

static size_t line_of(const yaml_event_t *event)
{
    return event->start_mark.line + 1;
}

static enum cairn_status node_add(struct growing *g, const yaml_event_t *event,
                                  enum cairn_yaml_kind kind, struct cairn_yaml_node **out_node)
{
    struct cairn_yaml_node *node = cairn_arena_get(g->arena, sizeof *node);

    if (node == NULL)
        return CAIRN_NO_MEMORY;
    if (++g->node_count > CAIRN_YAML_NODES_MAX)
        return cairn_fail(g->err, CAIRN_BAD_INPUT, "the file has too many items, more than %u.",
                          CAIRN_YAML_NODES_MAX);
    *node = (struct cairn_yaml_node){
        .kind = kind, .line = line_of(event), .text = "", .key = g->key, .key_line = g->key_line};
    g->key = NULL;
    if (g->depth == 0) {
        g->root = node;
    } else {
        struct cairn_yaml_node *parent = g->open[g->depth - 1];
        if (g->last[g->depth - 1] == NULL)
            parent->first = node;
        else
            g->last[g->depth - 1]->next = node;
        g->last[g->depth - 1] = node;
        parent->count++;
    }
    *out_node = node;
    return CAIRN_OK;
}

static bool wants_key(const struct growing *g)
{
    return g->depth > 0 && g->open[g->depth - 1]->kind == CAIRN_YAML_MAP && g->key == NULL;
}

/* Characters of several bytes that end lines in YAML, drive terminals, or are none. */
static bool is_awkward(const yaml_char_t *text, size_t left)
{
    if (left >= 2 && text[0] == 0xc2) /* U+0080 to U+009F */
        return text[1] < 0xa0;
    if (left < 3)
        return false;
    bool is_line_end = text[0] == 0xe2 && text[1] == 0x80 && (text[2] == 0xa8 || text[2] == 0xa9);
    bool is_order_mark = text[0] == 0xef && text[1] == 0xbb && text[2] == 0xbf;
    bool is_none = text[0] == 0xef && text[1] == 0xbf && text[2] >= 0xbe;
    return is_line_end || is_order_mark || is_none;
}

/* Control characters would drive the terminals that show them; a zero byte would end the text. */
static bool is_printable(const yaml_char_t *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((text[i] < 0x20 && text[i] != '\n') || text[i] == 0x7f ||
            is_awkward(text + i, size - i))
            return false;
    return true;
}

static enum cairn_status text_add(struct growing *g, const yaml_event_t *event)
{
    const yaml_char_t *value = event->data.scalar.value;
    size_t size = event->data.scalar.length;
    struct cairn_bytes copy = cairn_arena_copy(g->arena, (struct cairn_bytes){value, size});
    struct cairn_yaml_node *node;

    if (event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL)
        return cairn_fail(g->err, CAIRN_BAD_INPUT,
                          "anchors (&) and tags (!) are not used here: write the value itself.");
    if (!is_printable(value, size))
        return cairn_fail(g->err, CAIRN_BAD_INPUT, "the text holds a control character.");
    if (copy.data == NULL)
        return CAIRN_NO_MEMORY;
    if (wants_key(g)) {
        g->key = (const char *)copy.data;
        g->key_line = line_of(event);
        return CAIRN_OK;
    }
    enum cairn_status status = node_add(g, event, CAIRN_YAML_TEXT, &node);
    if (status == CAIRN_OK)
        node->text = (const char *)copy.data;
    return status;
}

static enum cairn_status group_begin(struct growing *g, const yaml_event_t *event,
                                     enum cairn_yaml_kind kind)
{
    bool is_map = kind == CAIRN_YAML_MAP;
    const yaml_char_t *anchor =
        is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    const yaml_char_t *tag =
        is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    struct cairn_yaml_node *node;

    if (anchor != NULL || tag != NULL)
        return cairn_fail(g->err, CAIRN_BAD_INPUT,
                          "anchors (&) and tags (!) are not used here: write the value itself.");
    if (wants_key(g))
        return cairn_fail(g->err, CAIRN_BAD_INPUT, "a key must be a word, not a list or a map.");
    if (g->depth == CAIRN_YAML_DEPTH_MAX)
        return cairn_fail(g->err, CAIRN_BAD_INPUT, "lists and maps stand more than %d deep here.",
                          CAIRN_YAML_DEPTH_MAX);
    CAIRN_TRY(node_add(g, event, kind, &node));
    g->open[g->depth] = node;
    g->last[g->depth] = NULL;
    g->depth++;
    return CAIRN_OK;
}

static enum cairn_status event_take(struct growing *g, const yaml_event_t *event)
{
    *g->out_line = line_of(event);
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (event->data.document_start.version_directive != NULL ||
            event->data.document_start.tag_directives.start !=
                event->data.document_start.tag_directives.end)
            return cairn_fail(g->err, CAIRN_BAD_INPUT, "directives (%%) are not used here.");
        if (++g->document_count > 1)
            return cairn_fail(g->err, CAIRN_BAD_INPUT,
                              "a second document begins here; a file holds one.");
        return CAIRN_OK;
    case YAML_ALIAS_EVENT:
        return cairn_fail(g->err, CAIRN_BAD_INPUT,
                          "aliases (*) are not used here: write the value itself.");
    case YAML_SCALAR_EVENT:
        return text_add(g, event);
    case YAML_SEQUENCE_START_EVENT:
        return group_begin(g, event, CAIRN_YAML_LIST);
    case YAML_MAPPING_START_EVENT:
        return group_begin(g, event, CAIRN_YAML_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        g->depth--;
        return CAIRN_OK;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return CAIRN_OK;
}

/* The line, from 1, of the byte at `offset`. */
static size_t line_at(struct cairn_bytes yaml, size_t offset)
{
    size_t line = 1;

    for (size_t i = 0; i < offset; i++)
        line += yaml.data[i] == '\n';
    return line;
}

/* The parser's own words, with its line. */
static enum cairn_status parser_failed(struct growing *g, const yaml_parser_t *parser)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return CAIRN_NO_MEMORY;
    /* Of characters that it does not take the parser knows the offset and no line. */
    *g->out_line = parser->error == YAML_READER_ERROR ? line_at(g->yaml, parser->problem_offset)
                                                      : parser->problem_mark.line + 1;
    if (parser->context != NULL && parser->context_mark.line != parser->problem_mark.line)
        return cairn_fail(g->err, CAIRN_BAD_INPUT,
                          "this is not YAML: %s, in what begins on line %zu. Look there for a "
                          "missing colon, quote or indentation.",
                          parser->problem != NULL ? parser->problem : "?",
                          parser->context_mark.line + 1);
    return cairn_fail(g->err, CAIRN_BAD_INPUT,
                      "this is not YAML: %s. Look for a missing colon, quote or indentation.",
                      parser->problem != NULL ? parser->problem : "?");
}

static enum cairn_status events_take(struct growing *g, yaml_parser_t *parser)
{
    enum cairn_status status = CAIRN_OK;
    bool is_end = false;

    while (status == CAIRN_OK && !is_end) {
        yaml_event_t event;
        if (yaml_parser_parse(parser, &event) == 0)
            return parser_failed(g, parser);
        status = event_take(g, &event);
        is_end = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    return status;
}

static enum cairn_status text_check(struct cairn_bytes yaml, size_t *out_line,
                                    struct cairn_err *err)
{
    size_t bad;

    *out_line = 1;
    if (yaml.size > CAIRN_YAML_BYTES_MAX)
        return cairn_fail(err, CAIRN_BAD_INPUT, "the file has %zu bytes, at most %u are read.",
                          yaml.size, CAIRN_YAML_BYTES_MAX);
    if (cairn_utf8_check(yaml, &bad))
        return CAIRN_OK;
    *out_line = line_at(yaml, bad);
    return cairn_fail(err, CAIRN_BAD_INPUT,
                      "the file is not valid UTF-8 here: save it as UTF-8 and try again.");
}

/* Editors put a byte order mark before UTF-8; the parser takes it for a first word. */
static struct cairn_bytes without_mark(struct cairn_bytes yaml)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t size = sizeof mark - 1;

    if (yaml.size < size || memcmp(yaml.data, mark, size) != 0)
        return yaml;
    return (struct cairn_bytes){yaml.data + size, yaml.size - size};
}

enum cairn_status cairn_yaml_read(struct cairn_bytes yaml, struct cairn_arena *arena,
                                  const struct cairn_yaml_node **out_root, size_t *out_line,
                                  struct cairn_err *err)
{
    static const struct cairn_yaml_node empty = {.kind = CAIRN_YAML_MAP, .line = 1, .text = ""};
    yaml_parser_t parser;

    CAIRN_TRY(text_check(yaml, out_line, err));
    yaml = without_mark(yaml);
    struct growing growing = {.yaml = yaml, .arena = arena, .out_line = out_line, .err = err};
    if (yaml_parser_initialize(&parser) == 0)
        return CAIRN_NO_MEMORY;
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, yaml.size == 0 ? (const uint8_t *)"" : yaml.data,
                                 yaml.size);
    enum cairn_status status = events_take(&growing, &parser);
    yaml_parser_delete(&parser);
    if (status == CAIRN_OK)
        *out_root = growing.root == NULL ? &empty : growing.root;
    return status;
}

const struct cairn_yaml_node *cairn_yaml_get(const struct cairn_yaml_node *map, const char *key)
{
    for (const struct cairn_yaml_node *node = map->first; node != NULL; node = node->next)
        if (node->key != NULL && strcmp(node->key, key) == 0)
            return node;
    return NULL;
}
