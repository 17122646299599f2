/*
 * audited.h: audits of bundles, and what was said of them.
 *
 * Memory:  what was said is this module's until the next audit.
 * Effects: fails the running cmocka test.
 */

#ifndef CAIRN_TESTS_AUDITED_H
#define CAIRN_TESTS_AUDITED_H

#include "net.h"

/* What the last audit said, the last time that it said something. */
extern char audited_finding[CAIRN_ERR_TEXT_BYTES], audited_affects[CAIRN_ERR_TEXT_BYTES];
extern char audited_first_finding[CAIRN_ERR_TEXT_BYTES];
extern char audited_first_affects[CAIRN_ERR_TEXT_BYTES];
extern struct cairn_audit_settled audited_settled;
extern char audited_reason[64], audited_field[32];
extern const struct cairn_audit_visitor audited_visitor;

/* An audit of one bundle, or of two where `two` is not empty; that it ends well is checked. */
struct cairn_audit_report audited(struct net_bytes root_statement, struct net_bytes one,
                                  struct net_bytes two);
/* Nothing was found; the last finding has these words. */
void audited_clean(const struct cairn_audit_report *report);
void audited_found(const struct cairn_audit_report *report, const char *words);

#endif
