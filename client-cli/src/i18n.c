#include "i18n.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "paths.h"

#define DOMAIN "cairn"

/* The locale that POSIX says messages have: the first of the three that is set and not empty. */
static const char *message_locale(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0')
            return value;
    }
    return NULL;
}

void i18n_language_of(const char *locale, char out_language[static I18N_LANGUAGE_BYTES])
{
    size_t size = locale == NULL ? 0 : strcspn(locale, ".@");

    out_language[0] = '\0';
    if (size == 0 || size >= I18N_LANGUAGE_BYTES || strncmp(locale, "C", size) == 0 ||
        strncmp(locale, "POSIX", size) == 0)
        return;
    memcpy(out_language, locale, size);
    out_language[size] = '\0';
}

void i18n_start(void)
{
    char language[I18N_LANGUAGE_BYTES];
    char folder[PATHS_MAX];

    if (setlocale(LC_ALL, "") == NULL) {
        setlocale(LC_ALL, "C.UTF-8");
        i18n_language_of(message_locale(), language);
        if (language[0] != '\0')
            setenv("LANGUAGE", language, 0);
    } else if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {
        /* Records are UTF-8 whatever the locale says. */
        setlocale(LC_CTYPE, "C.UTF-8");
    }
    if (paths_locale_folder(folder))
        bindtextdomain(DOMAIN, folder);
    bind_textdomain_codeset(DOMAIN, "UTF-8");
    textdomain(DOMAIN);
}

const char *i18n_translate(const char *msgid)
{
    /* The empty msgid is the catalogue's header. */
    return msgid[0] == '\0' ? msgid : gettext(msgid);
}

bool i18n_is_chinese(void)
{
    const char *locale = message_locale();
    const char *language = getenv("LANGUAGE");

    /* As gettext does: LANGUAGE says nothing in the plain C locale. */
    if (locale == NULL || strcmp(locale, "C") == 0 || strcmp(locale, "POSIX") == 0)
        return false;
    return strncmp(language != NULL && language[0] != '\0' ? language : locale, "zh", 2) == 0;
}
