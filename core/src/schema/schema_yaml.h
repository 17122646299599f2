/*
 * schema_yaml.h: a schema between the YAML that an office writes and struct cairn_schema. The
 * notation is shown in core/schema/README.md. The text comes from outside: memory is bounded by
 * CAIRN_YAML_BYTES_MAX, and nothing recurses on it.
 */

#ifndef CAIRN_SCHEMA_YAML_H
#define CAIRN_SCHEMA_YAML_H

#include "cairn/schema_file.h"
#include "schema.h"

/* The lines that the items of a schema stand on, in the order of its lists. */
struct cairn_schema_type_lines {
    size_t line;
    const size_t *fields, *states, *moves;
};
/* What a file says. In schema->memory, but for the schema, which is the caller's. */
struct cairn_schema_source {
    struct cairn_schema *schema; /* version 0: the file names none */
    size_t version_line;         /* 1 when there is none */
    const struct cairn_schema_type_lines *types;
};

/*
 * Compile a file and visit every mistake that one pass can find, in the language of
 * err->translate. BAD_INPUT: there was one, their number in *out_problem_count; then out_source
 * is untouched. Free out_source->schema with cairn_schema_free.
 */
CAIRN_NODISCARD
enum cairn_status cairn_schema_compile(struct cairn_bytes yaml, cairn_schema_problem_fn *visit,
                                       void *context, struct cairn_schema_source *out_source,
                                       size_t *out_problem_count, struct cairn_err *err);
/* The line of a place that cairn_schema_faults named. */
size_t cairn_schema_source_line(const struct cairn_schema_source *source,
                                const struct cairn_schema_place *place);

/* Far above what a table of CAIRN_SCHEMA_TABLE_MAX becomes as text. */
#define CAIRN_YAML_TEXT_MAX (1u << 20)
/* The writer of what compile reads; out->failed when memory is short. */
void cairn_schema_yaml_write(struct cairn_buffer *out, const struct cairn_schema *schema);
/* "integer", "choices", "id-number"...: what a file calls the field's type; "?" for a newer one. */
const char *cairn_field_type_word(const struct cairn_field *field);
/* "register" "set" "counter" "workflow" "?" */
const char *cairn_field_merge_word(const struct cairn_field *field);
/* "station" "township" "county" "prefecture" "?" */
const char *cairn_step_role_word(uint64_t role);
/* "at-least" "at-most" "is" "flag" "?" */
const char *cairn_indicator_test_word(uint64_t test);

#endif
