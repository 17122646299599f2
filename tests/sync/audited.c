#include "audited.h"

#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

char audited_finding[CAIRN_ERR_TEXT_BYTES], audited_affects[CAIRN_ERR_TEXT_BYTES];
char audited_first_finding[CAIRN_ERR_TEXT_BYTES], audited_first_affects[CAIRN_ERR_TEXT_BYTES];
struct cairn_audit_settled audited_settled;
char audited_reason[64], audited_field[32];

static void on_finding(void *context, uint64_t number, const char *text, const char *affects)
{
    (void)context;
    snprintf(audited_finding, sizeof audited_finding, "%s", text);
    snprintf(audited_affects, sizeof audited_affects, "%s", affects == NULL ? "" : affects);
    if (number == 1) {
        memcpy(audited_first_finding, audited_finding, sizeof audited_finding);
        memcpy(audited_first_affects, audited_affects, sizeof audited_affects);
    }
}

static void on_settled(void *context, const struct cairn_audit_settled *settled)
{
    (void)context;
    audited_settled = *settled;
    snprintf(audited_reason, sizeof audited_reason, "%s", settled->reason);
    snprintf(audited_field, sizeof audited_field, "%s", settled->field);
}

const struct cairn_audit_visitor audited_visitor = {.finding = on_finding, .settled = on_settled};

struct cairn_audit_report audited(struct net_bytes root_statement, struct net_bytes one,
                                  struct net_bytes two)
{
    const struct cairn_bytes files[] = {net_bytes(one), net_bytes(two)};
    const char *const names[] = {"one.cairn", "two.cairn"};
    struct cairn_audit_report report;

    audited_finding[0] = audited_affects[0] = '\0';
    const struct cairn_audit_given given = {.root_statement = net_bytes(root_statement),
                                            .files = files,
                                            .file_names = names,
                                            .file_count = two.data == NULL ? 1 : 2};
    net_must(cairn_audit_files(&given, &audited_visitor, &report, NULL, &net_err));
    return report;
}

void audited_clean(const struct cairn_audit_report *report)
{
    if (report->finding_count > 0)
        fail_msg("%llu findings, the last: %s", (unsigned long long)report->finding_count,
                 audited_finding);
}

void audited_found(const struct cairn_audit_report *report, const char *words)
{
    if (report->finding_count == 0)
        fail_msg("nothing was found instead of \"%s\"", words);
    if (strstr(audited_finding, words) == NULL)
        fail_msg("\"%s\" was found instead of \"%s\"", audited_finding, words);
}
