/*
 * i18n.h: the language of what both programs print. _() translates now, N_() marks a text of a
 * table for later.
 *
 * A fresh Debian has no locales: setlocale then fails although LANG says zh_CN.UTF-8. C.UTF-8 is
 * always there and knows how wide 石 is. There are two languages: whatever Chinese is asked for
 * (zh_CN, zh_TW, zh_Hans_CN) is that of the one catalogue, and all else is English.
 *
 * Threads: i18n_start() while there is one, the others any.
 */

#ifndef CAIRN_I18N_H
#define CAIRN_I18N_H

#include <libintl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define _(text) gettext(text)
#define N_(text) text

/* Call once, first thing in main: sets locale, environment and text domain of the process. LANGUAGE
 * then names one language, so that sentences and labels are of the same. The catalogue is read from
 * CAIRN_LOCALEDIR, else from beside the program as it was built or installed. */
void i18n_start(void);
/* For struct cairn_err: core's sentence in the reader's language. */
const char *i18n_translate(const char *msgid) __attribute__((format_arg(1)));
/* True when labels are to be shown in Chinese. */
bool i18n_is_chinese(void);
/* Which of the two: of the locale that messages have, NULL for none, and of LANGUAGE, a list "A:B"
 * or NULL. As gettext does, LANGUAGE says nothing in the plain C locale and where it is empty. */
bool i18n_wants_chinese(const char *locale, const char *language);

#define I18N_NUMBER_BYTES 32

struct i18n_number {
    char text[I18N_NUMBER_BYTES];
};
/* 4150 as "4,150", in both languages. */
struct i18n_number i18n_number(uint64_t number);
/* The same of `count` digits; `out` has room for them, a comma in three, and the zero. */
void i18n_group(const char *digits, size_t count, char *out);

#endif
