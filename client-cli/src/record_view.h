/*
 * record_view.h: how a record, its versions and a device look as JSON and in cells; shared by the
 * commands that show records.
 */

#ifndef CLI_RECORD_VIEW_H
#define CLI_RECORD_VIEW_H

#include "cli.h"

/* {"id","type","scope","place","deleted","conflict","parallel":[TAG],"unreceived","fields":{NAME:VALUE},
 * "versions":{NAME:[...]}}, with `all` also "met", "not_met", "not_recorded" (indicators of which
 * nobody wrote down whether) and "same". `versions` has every field with `all`, else those with
 * more than one. */
json_t *record_json(struct cli *cli, const struct cairn_record *record, bool all);
/* {"tag","name","fingerprint","role","scope","place","channels":[...],"delegates"} */
json_t *device_json(struct cli *cli, const struct cairn_device *device);
/* The label of a field in the reader's language; its name where there is none. */
const char *field_label(const char *name, const char *label_zh, const char *label_en);
/* A value with a name of its own (a choice, a state) by that name in the reader's language; any
 * other as cli_value shows it. */
const char *version_value(const struct cairn_field_state *field, size_t index,
                          char buffer[static I18N_NUMBER_BYTES]);
enum value_form {
    VALUE_AS_PUT,   /* as `put` and `import` take it */
    VALUE_AS_LABEL, /* a choice or a state by its name in the reader's language, all else as put */
    VALUE_AS_SHOWN  /* that, and numbers with separators */
};
/* What a field shows: of a set "a|b"; malloc'd, NULL when out of memory. */
char *field_text(const struct cairn_field_state *field, enum value_form form);
/* "exit: step 1 of 3 taken, next the township"; malloc'd, NULL when out of memory. */
char *under_way_text(const struct cairn_under_way *under_way);
/* One of the fields of a record that were written side by side and merged; what is in conflict is
 * not merged. */
bool is_merged_field(const struct cairn_field_state *field);
/* Who wrote fields side by side, "A7, A8"; "" where one writer alone is left of them. malloc'd,
 * NULL when out of memory. */
char *parallel_tags(const struct cairn_record *record);
/* Version `index` of a field: "2) 4,390  A7 2026-11-20 09:31 (shown)", without number and mark
 * where there is only one; malloc'd, NULL when out of memory. */
char *version_text(const struct cairn_field_state *field, size_t index);
/* The field under which a deletion and the edits that contradict it stand. */
bool is_deletion_field(const char *field);
/* "county, 513332 石渠县"; malloc'd, NULL when out of memory. */
char *place_text(struct cli *cli, const struct cairn_device *device);

/* {"value","label_zh","label_en","tag","time","shown","received","under_way":{"move","done","steps","next"}}
 */
json_t *version_json(const struct cairn_version *version);
/* In a JSON object: a time as ISO text, null for 0; a count. */
json_t *time_json(uint64_t time_s);
json_t *count_json(uint64_t count);

#endif
