#include "i18n.h"

#include <inttypes.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DOMAIN "cairn"
#define CHINESE "zh_CN" /* the catalogue */

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

/* "zh", "zh_CN.UTF-8", "zh-Hans", and not the beginning of a longer name of a language. */
static bool is_language(const char *item, const char *language)
{
    size_t size = strlen(language);

    return strncmp(item, language, size) == 0 && strchr("_-.@:", item[size]) != NULL;
}

bool i18n_wants_chinese(const char *locale, const char *language)
{
    if (locale == NULL || strcmp(locale, "C") == 0 || strcmp(locale, "POSIX") == 0)
        return false;
    for (const char *item = language != NULL && language[0] != '\0' ? language : locale;
         item[0] != '\0'; item += item[0] == ':') {
        if (is_language(item, "zh"))
            return true;
        if (is_language(item, "en") || is_language(item, "C") || is_language(item, "POSIX"))
            return false;
        item += strcspn(item, ":"); /* a language that nobody translated to */
    }
    return false;
}

/* Beside this program as it was built or as it was installed, wherever the tree was moved to. */
static bool folder_beside_program(char out_folder[static PATH_MAX])
{
    static const char *const places[] = {"/../locale", "/../share/locale"};
    char program[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);

    if (size <= 0)
        return false;
    program[size] = '\0';
    *strrchr(program, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        int length = snprintf(out_folder, PATH_MAX, "%s%s", program, places[i]);
        if (length > 0 && length < PATH_MAX && access(out_folder, R_OK) == 0)
            return true;
    }
    return false;
}

void i18n_start(void)
{
    bool is_chinese = i18n_wants_chinese(message_locale(), getenv("LANGUAGE"));
    const char *folder = getenv("CAIRN_LOCALEDIR");
    char beside[PATH_MAX];

    if (setlocale(LC_ALL, "") == NULL) {
        setlocale(LC_ALL, "C.UTF-8");
    } else if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {
        /* Records are UTF-8 whatever the locale says. */
        setlocale(LC_CTYPE, "C.UTF-8");
    }
    setenv("LANGUAGE", is_chinese ? CHINESE : "en", 1);
    if (folder == NULL || folder[0] == '\0')
        folder = folder_beside_program(beside) ? beside : CAIRN_INSTALLED_LOCALEDIR;
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
    const char *language = getenv("LANGUAGE");

    return language != NULL && strcmp(language, CHINESE) == 0;
}

void i18n_group(const char *digits, size_t count, char *out)
{
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
}

struct i18n_number i18n_number(uint64_t number)
{
    struct i18n_number grouped;
    char digits[24];
    int count = snprintf(digits, sizeof digits, "%" PRIu64, number);

    i18n_group(digits, (size_t)count, grouped.text);
    return grouped;
}
