/*
 * i18n.h: sentences in the operator's language, through gettext's domain "cairn".
 *
 * A fresh machine has no locales; then C.UTF-8 stands in and only the language is taken from
 * LC_ALL, LC_MESSAGES or LANG, so that translations work all the same.
 */

#ifndef CAIRN_SERVER_I18N_H
#define CAIRN_SERVER_I18N_H

#include <libintl.h>
#include <stdint.h>

#define _(text) gettext(text)
/* Marks a text for xgettext that is translated where it is printed. */
#define N_(text) text

/* Once, first thing in main, while there is one thread. */
void i18n_init(void);
/* gettext as a cairn_translate_fn. */
const char *i18n_translate(const char *msgid) __attribute__((format_arg(1)));
/* 4000 -> "4,000" */
enum { I18N_NUMBER_BYTES = 32 };
const char *i18n_number(char out_text[static I18N_NUMBER_BYTES], uint64_t number);

#endif
