/*
 * i18n.h: sentences in the operator's language, through gettext's domain "cairn".
 *
 * A fresh machine has no locales; then C.UTF-8 stands in and only the language is taken from
 * LC_ALL, LC_MESSAGES or LANG, so that translations work all the same. Whatever Chinese is asked
 * for (zh_CN, zh_TW, zh_Hans_CN) is that of the one catalogue; all else is English.
 */

#ifndef CAIRN_SERVER_I18N_H
#define CAIRN_SERVER_I18N_H

#include <libintl.h>
#include <stdbool.h>
#include <stdint.h>

#define _(text) gettext(text)
/* Marks a text for xgettext that is translated where it is printed. */
#define N_(text) text

/* Once, first thing in main, while there is one thread. */
void i18n_init(void);
/* gettext as a cairn_translate_fn. */
const char *i18n_translate(const char *msgid) __attribute__((format_arg(1)));
/* Of the locale that messages have, NULL for none, and of LANGUAGE, a list "A:B" or NULL. As
 * gettext does, LANGUAGE says nothing in the plain C locale and where it is empty. */
bool i18n_wants_chinese(const char *locale, const char *language);
/* 4000 -> "4,000" */
enum { I18N_NUMBER_BYTES = 32 };
const char *i18n_number(char out_text[static I18N_NUMBER_BYTES], uint64_t number);

#endif
