/*
 * record_view.h: how a record, its versions and a device look as JSON and in cells; shared by the
 * commands that show records.
 */

#ifndef CLI_RECORD_VIEW_H
#define CLI_RECORD_VIEW_H

#include "cli.h"

/* {"id","type","scope","place","deleted","conflict","parallel":[TAG],"unreceived","fields":{NAME:VALUE},
 * "versions":{NAME:[...]}}, with `all` also "met", "not_met" and "same". `versions` has every field
 * with `all`, else those with more than one. */
json_t *record_json(struct cli *cli, const struct cairn_record *record, bool all);
/* {"tag","name","fingerprint","role","scope","place","channels":[...],"delegates"} */
json_t *device_json(struct cli *cli, const struct cairn_device *device);
/* The label of a field in the reader's language; its name where there is none. */
const char *field_label(const char *name, const char *label_zh, const char *label_en);
/* A value with a name of its own (a choice, a state) by that name in the reader's language; any
 * other as cli_value shows it. */
const char *version_value(const struct cairn_field_state *field, size_t index,
                          char buffer[static I18N_NUMBER_BYTES]);
/* What a field shows: of a set "a|b", in the reader's words or as `put` takes it; malloc'd, NULL
 * when out of memory. */
char *field_text(const struct cairn_field_state *field, bool in_words);
/* "exit: step 1 of 3 taken, next the township"; malloc'd, NULL when out of memory. */
char *under_way_text(const struct cairn_under_way *under_way);
/* Who wrote fields side by side, "A7, A8"; malloc'd, NULL when out of memory. */
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
