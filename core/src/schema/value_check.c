/* What the author's program asks of a value besides its wire type: bounds, check characters,
 * listed choices. Never validity: other replicas keep what they get. Declared in schema.h. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cairn/identity.h"
#include "cairn/utf8.h"
#include "schema.h"

struct cairn_quote cairn_quote(const char *text)
{
    struct cairn_quote quote = {{0}};

    memcpy(quote.text, text, cairn_utf8_cut(cairn_bytes_of_text(text), sizeof quote.text - 1));
    return quote;
}

/* ---- forms --------------------------------------------------------------------------------- */

static bool are_digits(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return true;
}

/* As people count: digits of full width, of a Chinese keyboard, are three bytes each. */
static size_t character_count(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += (*text & 0xc0) != 0x80;
    return count;
}

/* Is this the date of birth of somebody? YYYYMMDD. */
static bool birth_is_plausible(const char *digits)
{
    static const struct cairn_field date = {.name = "", .wire = CAIRN_WIRE_DATE};
    char text[11];
    struct cairn_value value;

    snprintf(text, sizeof text, "%.4s-%.2s-%.2s", digits, digits + 4, digits + 6);
    return strncmp(digits, "1850", 4) >= 0 && strncmp(digits, "2100", 4) < 0 &&
           cairn_value_parse(&date, text, &value, NULL) == CAIRN_OK;
}

/* GB 11643-1999: ISO 7064 MOD 11-2 over 17 digits. */
static char id_check_character(const char *digits)
{
    static const unsigned weights[17] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    static const char characters[] = "10X98765432";
    unsigned sum = 0;

    for (size_t i = 0; i < 17; i++)
        sum += weights[i] * (unsigned)(digits[i] - '0');
    return characters[sum % 11];
}

static enum cairn_status id_number_check(const struct cairn_field *field, const char *text,
                                         struct cairn_err *err)
{
    size_t size = character_count(text);

    if (size != 18)
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "%s: \"%.40s\" has %zu characters, an ID number has 18.", field->name,
                          cairn_quote(text).text, size);
    if (!are_digits(text, 17) || (text[17] != 'X' && !are_digits(text + 17, 1)))
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "%s: \"%s\" is no ID number: 17 digits, then a digit or a capital X.",
                          field->name, text);
    if (!birth_is_plausible(text + 6))
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "%s: \"%s\": digits 7 to 14 (%.8s) are no date of birth.", field->name,
                          text, text + 6);
    if (id_check_character(text) != text[17])
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "%s: \"%s\" is mistyped: its last character does not fit the other 17.",
                          field->name, text);
    return CAIRN_OK;
}

/* A mobile number, or a landline with its area code. */
static bool phone_is_good(const char *text)
{
    size_t size = strlen(text);

    if (text[0] == '1')
        return size == 11 && text[1] >= '3' && are_digits(text, size);
    const char *dash = strchr(text, '-');
    size_t area = dash == NULL ? 0 : (size_t)(dash - text);
    if (text[0] != '0' || size < 10)
        return false;
    if (dash == NULL)
        return size <= 12 && are_digits(text, size);
    size_t rest = size - area - 1;
    return (area == 3 || area == 4) && (rest == 7 || rest == 8) && are_digits(text, area) &&
           are_digits(dash + 1, rest);
}

static enum cairn_status form_check(const struct cairn_field *field, const char *text,
                                    struct cairn_err *err)
{
    struct cairn_scope scope;

    if (field->check == CAIRN_CHECK_ID_NUMBER)
        return id_number_check(field, text, err);
    if (field->check == CAIRN_CHECK_PHONE && !phone_is_good(text))
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "%s: \"%.40s\" is no telephone number: 11 digits that begin with 13 to "
                          "19, or a landline with its area code, like 0836-6222222.",
                          field->name, cairn_quote(text).text);
    if (field->check == CAIRN_CHECK_VILLAGE && character_count(text) != CAIRN_VILLAGE_DIGITS)
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "%s: village code %.40s has %zu digits, %d are needed.", field->name,
                          cairn_quote(text).text, character_count(text), CAIRN_VILLAGE_DIGITS);
    if (field->check == CAIRN_CHECK_VILLAGE && !cairn_scope_parse(text, &scope))
        return cairn_fail(err, CAIRN_BAD_INPUT, "%s: \"%s\" is no village code of %d digits.",
                          field->name, text, CAIRN_VILLAGE_DIGITS);
    return CAIRN_OK; /* a check of a newer version is that version's business */
}

/* ---- bounds and choices -------------------------------------------------------------------- */

static enum cairn_status bound_fail(const struct cairn_field *field, const char *text,
                                    int64_t bound, bool is_lowest, struct cairn_err *err)
{
    const struct cairn_value value = {.kind = CAIRN_VALUE_INTEGER, .integer = bound};
    const char *between = field->unit[0] == '\0' ? "" : " ";
    struct cairn_arena arena;
    enum cairn_status status;

    cairn_arena_init(&arena);
    const char *limit = cairn_field_format(field, &value, &arena);
    if (limit == NULL)
        status = CAIRN_NO_MEMORY;
    else if (is_lowest)
        status =
            cairn_fail(err, CAIRN_BAD_INPUT, "%s: %s is too small, at least %s%s%s is asked for.",
                       field->name, text, limit, between, field->unit);
    else
        status = cairn_fail(err, CAIRN_BAD_INPUT, "%s: %s is too large, at most %s%s%s is allowed.",
                            field->name, text, limit, between, field->unit);
    cairn_arena_release(&arena);
    return status;
}

static enum cairn_status bounds_check(const struct cairn_field *field, const char *text,
                                      const struct cairn_value *value, struct cairn_err *err)
{
    if (field->has_lowest && value->integer < field->lowest)
        return bound_fail(field, text, field->lowest, true, err);
    if (field->has_highest && value->integer > field->highest)
        return bound_fail(field, text, field->highest, false, err);
    return CAIRN_OK;
}

#define CHOICES_TEXT_BYTES 512

/* "因病, 因残, ..." as many as fit. */
static void choices_list(const struct cairn_field *field, char out[static CHOICES_TEXT_BYTES])
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < field->choice_count; i++) {
        size_t size = strlen(field->choices[i].text);
        if (used + size + 8 > CHOICES_TEXT_BYTES) {
            memcpy(out + used, ", ...", 6);
            return;
        }
        if (used > 0) {
            memcpy(out + used, ", ", 3);
            used += 2;
        }
        memcpy(out + used, field->choices[i].text, size + 1);
        used += size;
    }
}

static enum cairn_status choice_fail(const struct cairn_field *field, const char *text,
                                     struct cairn_err *err)
{
    char choices[CHOICES_TEXT_BYTES];

    choices_list(field, choices);
    return cairn_fail(err, CAIRN_BAD_INPUT, "%s: \"%.40s\" is not among its choices: %s.",
                      field->name, cairn_quote(text).text, choices);
}

enum cairn_status cairn_field_parse(const struct cairn_field *field, const char *text,
                                    struct cairn_value *out_value, struct cairn_err *err)
{
    struct cairn_value value;

    if (field->is_retired)
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "%s is retired: its old values stay, nothing new is written there.",
                          field->name);
    enum cairn_status status = cairn_value_parse(field, text, &value, err);
    if (status != CAIRN_OK)
        return status;
    bool is_number = value.kind == CAIRN_VALUE_INTEGER;
    if (field->wire == CAIRN_WIRE_CHOICE && !is_number && !field->is_open)
        return choice_fail(field, text, err);
    /* What is no string of characters loses some of them when it is shown: it has no form. */
    bool has_form = field->check != CAIRN_CHECK_NONE &&
                    (field->wire == CAIRN_WIRE_TEXT || field->wire == CAIRN_WIRE_DIGITS);
    if (has_form)
        status = form_check(field, text, err);
    else if (is_number)
        status = bounds_check(field, text, &value, err);
    if (status == CAIRN_OK)
        *out_value = value;
    return status;
}
