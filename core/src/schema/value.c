/* Values between what a person writes and what stands in an entry; declared in schema.h. */

#include <stdlib.h>
#include <string.h>

#include "cairn/utf8.h"
#include "schema.h"

#define DIGITS_MAX 18
#define DATE_DAYS_MAX 2932896 /* 9999-12-31 */

bool cairn_field_fits(const struct cairn_field *field, const struct cairn_value *value)
{
    if (value->is_slot != field->is_personal)
        return false;
    /* What stands in a slot is judged by its shape alone: auditors see only commitments. */
    if (value->is_slot)
        return true;
    if (field->merge == CAIRN_MERGE_WORKFLOW)
        return value->kind == CAIRN_VALUE_POSITION;
    switch ((enum cairn_wire_type)field->wire) {
    case CAIRN_WIRE_TEXT:
        return value->kind == CAIRN_VALUE_TEXT;
    case CAIRN_WIRE_INTEGER:
    case CAIRN_WIRE_DATE:
    case CAIRN_WIRE_MONEY:
        return value->kind == CAIRN_VALUE_INTEGER;
    case CAIRN_WIRE_YES_NO:
        return value->kind == CAIRN_VALUE_INTEGER && (value->integer == 0 || value->integer == 1);
    case CAIRN_WIRE_REFERENCE:
        return value->kind == CAIRN_VALUE_DOT;
    case CAIRN_WIRE_FLAGS:
        return value->kind == CAIRN_VALUE_INTEGER && value->integer > 1;
    case CAIRN_WIRE_DIGITS:
    case CAIRN_WIRE_CHOICE:
        return value->kind == CAIRN_VALUE_TEXT ||
               (value->kind == CAIRN_VALUE_INTEGER && value->integer >= 0);
    case CAIRN_WIRE_COUNT:
        break;
    }
    return false;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar (Howard Hinnant, "chrono-compatible
 * low-level date algorithms"). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_of(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted + (shifted < 10 ? 3 : -9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

static bool is_digits(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return size > 0;
}

static bool integer_parse(const char *text, int64_t *out_value)
{
    bool is_negative = text[0] == '-';
    const char *digits = text + is_negative;
    size_t size = strlen(digits);

    if (!is_digits(digits, size) || size > DIGITS_MAX)
        return false;
    int64_t value = strtoll(digits, NULL, 10);
    *out_value = is_negative ? -value : value;
    return true;
}

/* "4150", "4150.5" or "4150.50" -> hundredths. */
static bool money_parse(const char *text, int64_t *out_value)
{
    bool is_negative = text[0] == '-';
    const char *digits = text + is_negative;
    size_t whole = strspn(digits, "0123456789");
    size_t cents = digits[whole] == '.' ? strspn(digits + whole + 1, "0123456789") : 0;

    if (whole == 0 || whole > DIGITS_MAX - 2 || cents > 2 ||
        strlen(digits) != whole + (digits[whole] == '.') + cents ||
        (digits[whole] == '.' && cents == 0))
        return false;
    int64_t value = strtoll(digits, NULL, 10) * 100;
    if (cents > 0)
        value += strtoll(digits + whole + 1, NULL, 10) * (cents == 1 ? 10 : 1);
    *out_value = is_negative ? -value : value;
    return true;
}

static bool yes_no_parse(const char *text, int64_t *out_value)
{
    static const char *const yes[] = {"yes", "是", "1", "true"};
    static const char *const no[] = {"no", "否", "0", "false"};

    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
            *out_value = strcmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

static bool date_parse(const char *text, int64_t *out_days)
{
    int64_t year, month, day, check_year, check_month, check_day;

    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-' || !is_digits(text, 4) ||
        !is_digits(text + 5, 2) || !is_digits(text + 8, 2))
        return false;
    year = strtoll(text, NULL, 10);
    month = strtoll(text + 5, NULL, 10);
    day = strtoll(text + 8, NULL, 10);
    if (month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    *out_days = days_of(year, month, day);
    date_of(*out_days, &check_year, &check_month, &check_day);
    return check_year == year && check_month == month && check_day == day;
}

static bool flags_parse(const char *text, int64_t *out_value)
{
    size_t size = strlen(text);
    int64_t value = 1;

    if (size < 1 || size > CAIRN_FLAGS_MAX)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] != '0' && text[i] != '1')
            return false;
        value = value * 2 + (text[i] - '0');
    }
    *out_value = value;
    return true;
}

static bool choice_parse(const struct cairn_field *field, const char *text, int64_t *out_value)
{
    for (size_t i = 0; i < field->choice_count; i++) {
        const struct cairn_choice *choice = &field->choices[i];
        if (strcmp(choice->text, text) == 0 ||
            (text[0] != '\0' && strcmp(choice->label_en, text) == 0)) {
            *out_value = (int64_t)choice->number;
            return true;
        }
    }
    return false;
}

/* Does the text say a number, as values of this field's type stand? */
static bool number_parse(const struct cairn_field *field, const char *text, int64_t *out_number)
{
    size_t size = strlen(text);

    switch ((enum cairn_wire_type)field->wire) {
    case CAIRN_WIRE_INTEGER:
        return integer_parse(text, out_number);
    case CAIRN_WIRE_DATE:
        return date_parse(text, out_number);
    case CAIRN_WIRE_FLAGS:
        return flags_parse(text, out_number);
    case CAIRN_WIRE_MONEY:
        return money_parse(text, out_number);
    case CAIRN_WIRE_YES_NO:
        return yes_no_parse(text, out_number);
    case CAIRN_WIRE_CHOICE:
        return choice_parse(field, text, out_number);
    case CAIRN_WIRE_DIGITS:
        return is_digits(text, size) && size <= DIGITS_MAX && (text[0] != '0' || size == 1) &&
               integer_parse(text, out_number);
    case CAIRN_WIRE_TEXT:
    case CAIRN_WIRE_REFERENCE:
    case CAIRN_WIRE_COUNT:
        break;
    }
    return false;
}

/* What is said of a text that is no number, in a field that takes nothing else. */
static enum cairn_status number_fail(const struct cairn_field *field, const char *text,
                                     struct cairn_err *err)
{
    switch ((enum cairn_wire_type)field->wire) {
    case CAIRN_WIRE_INTEGER:
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "%s: \"%s\" is not a whole number: half-width digits, no commas.",
                          field->name, text);
    case CAIRN_WIRE_DATE:
        return cairn_fail(err, CAIRN_BAD_INPUT, "%s: \"%s\" is not a date of the form 2020-12-03.",
                          field->name, text);
    case CAIRN_WIRE_FLAGS:
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "%s: \"%s\" is not a row of 1 to %d zeros and ones.", field->name, text,
                          CAIRN_FLAGS_MAX);
    case CAIRN_WIRE_MONEY:
        return cairn_fail(err, CAIRN_BAD_INPUT, "%s: \"%s\" is not an amount of the form 4150.00.",
                          field->name, text);
    case CAIRN_WIRE_YES_NO:
        return cairn_fail(err, CAIRN_BAD_INPUT, "%s: \"%s\" is neither yes nor no.", field->name,
                          text);
    case CAIRN_WIRE_REFERENCE: /* edit.c looks the record up */
        return cairn_fail(err, CAIRN_BAD_INPUT, "%s names a record, and has no value of its own.",
                          field->name);
    case CAIRN_WIRE_TEXT: /* these take any text */
    case CAIRN_WIRE_CHOICE:
    case CAIRN_WIRE_DIGITS:
    case CAIRN_WIRE_COUNT:
        break;
    }
    return CAIRN_OK;
}

enum cairn_status cairn_value_parse(const struct cairn_field *field, const char *text,
                                    struct cairn_value *out_value, struct cairn_err *err)
{
    struct cairn_value value = {.is_slot = field->is_personal, .text = cairn_bytes_of_text(text)};
    size_t bad;

    if (!cairn_utf8_check(value.text, &bad))
        return cairn_fail(err, CAIRN_BAD_INPUT, "%s: the text is not valid UTF-8 at byte %zu.",
                          field->name, bad + 1);
    if (value.text.size > CAIRN_TEXT_MAX)
        return cairn_fail(err, CAIRN_BAD_INPUT, "%s: the text has %zu bytes, at most %d are kept.",
                          field->name, value.text.size, CAIRN_TEXT_MAX);
    if (field->wire >= CAIRN_WIRE_COUNT)
        return cairn_fail(err, CAIRN_BAD_INPUT, "%s is a field of a newer version.", field->name);
    bool is_number = number_parse(field, text, &value.integer);
    if (!is_number)
        CAIRN_TRY(number_fail(field, text, err));
    value.kind = is_number ? CAIRN_VALUE_INTEGER : CAIRN_VALUE_TEXT;
    *out_value = value;
    return CAIRN_OK;
}

static const char *flags_format(int64_t value, char out[static 80])
{
    size_t size = 0;

    for (int bit = 62; bit >= 0; bit--) {
        if (size == 0 && (value >> bit & 1) == 0)
            continue;
        out[size++] = (char)('0' + (value >> bit & 1));
    }
    out[size] = '\0';
    return size > 0 ? out + 1 : out; /* behind the leading one that keeps the width */
}

/* Digits of `magnitude`, at least `width` of them, into `out`; where they end. */
static char *digits_write(char *out, uint64_t magnitude, size_t width)
{
    char digits[20];
    size_t count = 0;

    for (; magnitude > 0 || count < width; magnitude /= 10)
        digits[count++] = (char)('0' + magnitude % 10);
    while (count > 0)
        *out++ = digits[--count];
    return out;
}

static char *date_write(char *out, int64_t days)
{
    int64_t year, month, day;

    date_of(days, &year, &month, &day);
    if (year < 0)
        *out++ = '-';
    out = digits_write(out, (uint64_t)(year < 0 ? -year : year), year < 0 ? 3 : 4);
    *out++ = '-';
    out = digits_write(out, (uint64_t)month, 2);
    *out++ = '-';
    return digits_write(out, (uint64_t)day, 2);
}

static const char *number_format(const struct cairn_field *field, int64_t integer,
                                 char out[static 80])
{
    uint64_t magnitude = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    bool is_money = field != NULL && field->wire == CAIRN_WIRE_MONEY;
    char *end = out;

    if (field != NULL && field->wire == CAIRN_WIRE_DATE && integer >= -DATE_DAYS_MAX &&
        integer <= DATE_DAYS_MAX) {
        *date_write(out, integer) = '\0';
        return out;
    }
    if (integer < 0)
        *end++ = '-';
    end = digits_write(end, is_money ? magnitude / 100 : magnitude, 1);
    if (is_money) {
        *end++ = '.';
        end = digits_write(end, magnitude % 100, 2);
    }
    *end = '\0';
    return out;
}

static const char *choice_text(const struct cairn_field *field, int64_t number)
{
    const struct cairn_choice *choice = cairn_field_choice(field, (uint64_t)number);

    return choice == NULL ? NULL : choice->text;
}

const char *cairn_field_format(const struct cairn_field *field, const struct cairn_value *value,
                               struct cairn_arena *arena)
{
    uint64_t wire = field == NULL ? CAIRN_WIRE_INTEGER : field->wire;
    const char *text = NULL;
    char buf[80];

    if (value->kind == CAIRN_VALUE_TEXT)
        return (const char *)cairn_arena_copy(arena, value->text).data;
    if (value->kind == CAIRN_VALUE_CLOSED)
        return "(closed)";
    if (wire == CAIRN_WIRE_CHOICE)
        text = choice_text(field, value->integer);
    if (wire == CAIRN_WIRE_YES_NO && (value->integer == 0 || value->integer == 1))
        text = value->integer == 1 ? "yes" : "no";
    if (text != NULL)
        return text; /* the schema's, or static */
    text = wire == CAIRN_WIRE_FLAGS ? flags_format(value->integer, buf)
                                    : number_format(field, value->integer, buf);
    return (const char *)cairn_arena_copy(arena, cairn_bytes_of_text(text)).data;
}
