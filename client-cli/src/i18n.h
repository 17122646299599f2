/*
 * i18n.h: the language of messages. _() translates now, N_() marks a text of a table for later.
 *
 * A fresh Debian has no locales: setlocale then fails although LANG says zh_CN.UTF-8. C.UTF-8 is
 * always there and knows how wide 石 is, and gettext is told the language through LANGUAGE.
 */

#ifndef CLI_I18N_H
#define CLI_I18N_H

#include <libintl.h>
#include <stdbool.h>
#include <stddef.h>

#define _(text) gettext(text)
#define N_(text) text

#define I18N_LANGUAGE_BYTES 32

/* Call once, first thing in main: sets locale, environment and text domain of the process. */
void i18n_start(void);
/* For struct cairn_err: core's sentence in the reader's language. */
const char *i18n_translate(const char *msgid);
/* True when labels are to be shown in Chinese. */
bool i18n_is_chinese(void);
/* The language part of a locale name ("zh_CN" of "zh_CN.UTF-8@x"); "" for NULL, C and POSIX. */
void i18n_language_of(const char *locale, char out_language[static I18N_LANGUAGE_BYTES]);

#endif
