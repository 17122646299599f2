/*
 * i18n.h: the language of messages. _() translates now, N_() marks a text of a table for later.
 *
 * A fresh Debian has no locales: setlocale then fails although LANG says zh_CN.UTF-8. C.UTF-8 is
 * always there and knows how wide 石 is. There are two languages: whatever Chinese is asked for
 * (zh_CN, zh_TW, zh_Hans_CN) is that of the one catalogue, and all else is English.
 */

#ifndef CLI_I18N_H
#define CLI_I18N_H

#include <libintl.h>
#include <stdbool.h>

#define _(text) gettext(text)
#define N_(text) text

/* Call once, first thing in main: sets locale, environment and text domain of the process. LANGUAGE
 * then names one language, so that sentences and labels are of the same. */
void i18n_start(void);
/* For struct cairn_err: core's sentence in the reader's language. */
const char *i18n_translate(const char *msgid);
/* True when labels are to be shown in Chinese. */
bool i18n_is_chinese(void);
/* Which of the two: of the locale that messages have, NULL for none, and of LANGUAGE, a list "A:B"
 * or NULL. As gettext does, LANGUAGE says nothing in the plain C locale and where it is empty. */
bool i18n_wants_chinese(const char *locale, const char *language);

#endif
