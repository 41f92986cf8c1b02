/* Tests what tidectl prints: widths, tables, the chart, sentences for each word of the wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "clients/tidectl/tidectl.h"
#include "tide/records.h"

static char printed[16384];

static FILE *out_open(void)
{
    memset(printed, 0, sizeof printed);
    return fmemopen(printed, sizeof printed - 1, "w");
}

static void widths(void **state)
{
    static const struct {
        const char *text;
        size_t width;
    } rows[] = {{"", 0},
                {"abc", 3},
                {"车牌", 4},
                {"浙F12345", 8},
                {"e\xcc\x81", 1},
                {"│░█", 3},
                {"A\x1b[31m", 6},
                {"\xff\xfe", 2},
                {"🚗", 2},
                {"\xe4\xb8", 2},
                {"\xef\xbc\x88全角\xef\xbc\x89", 8}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(ctl_width(rows[i].text), rows[i].width);
}

static void nobodys_text_moves_the_cursor(void **state)
{
    /* an escape sequence, line ends, a mark that turns the direction of writing, a bad byte */
    static const char text[] = {'a', '\x1b', '[',    '2',    'J', 'b',    '\r', '\n',
                                'c', '\xe2', '\x80', '\xae', 'd', '\xff', '\0'};
    FILE *out = out_open();

    (void)state;
    ctl_pad(out, text, 0, false);
    fclose(out);
    assert_string_equal(printed, "a?[2Jb??c?d?");
}

static void tables_stand_straight(void **state)
{
    struct ctl_table *table = ctl_table_new(3);
    static const char *const cells[] = {"车牌", "none", "no.", "浙F12345", "",
                                        "7",    "沪A1", "",    "123"};
    FILE *out = out_open();

    (void)state;
    ctl_table_right(table, 2);
    for (size_t i = 0; i < 9; i++)
        ctl_table_add(table, cells[i]);
    ctl_table_print(table, out);
    ctl_table_free(table);
    fclose(out);
    assert_string_equal(printed, "车牌      no.\n"
                                 "浙F12345    7\n"
                                 "沪A1      123\n");
}

static void the_chart_fits_into_eighty_columns(void **state)
{
    struct ctl_hour hours[CTL_HOURS];

    (void)state;
    for (unsigned i = 0; i < CTL_HOURS; i++)
        hours[i] = (struct ctl_hour){
            .hour = (int)(i + 5), .supply = 10 * i, .promised = 5 * i, .parked = 2 * i};
    for (int ascii = 0; ascii < 2; ascii++) {
        FILE *out = out_open();

        ctl_chart(out, "Zone A", hours, CTL_HOURS, ascii);
        fclose(out);
        for (char *line = printed, *end; (end = strchr(line, '\n')); line = end + 1) {
            *end = '\0';
            assert_true(ctl_width(line) <= 80);
            for (const char *at = line; ascii && *at; at++)
                assert_true((unsigned char)*at < 0x80);
        }
    }
}

static void one_car_among_many_slots_shows(void **state)
{
    struct ctl_hour hours[2] = {{.hour = 8, .supply = 400, .promised = 1},
                                {.hour = 9, .supply = 400, .parked = 1}};
    FILE *out = out_open();

    (void)state;
    ctl_chart(out, "", hours, 2, true);
    fclose(out);
    assert_non_null(strstr(printed, "|oo ## \n    0 +"));
}

static void the_forecast_fits_into_eighty_columns(void **state)
{
    struct ctl_ahead hours[CTL_FORECAST_HOURS];

    (void)state;
    for (unsigned i = 0; i < CTL_FORECAST_HOURS; i++)
        hours[i] = (struct ctl_ahead){.hour = (int)((i + 19) % 24),
                                      .date = "05-20",
                                      .low = i,
                                      .middle = 2 * i,
                                      .high = 3 * i};
    for (int ascii = 0; ascii < 2; ascii++) {
        FILE *out = out_open();
        unsigned lines = 0;

        ctl_chart_ahead(out, "Zone A", hours, CTL_FORECAST_HOURS, ascii);
        fclose(out);
        for (char *line = printed, *end; (end = strchr(line, '\n')); line = end + 1, lines++) {
            *end = '\0';
            assert_true(ctl_width(line) <= 80);
            if (ascii && lines == 2) /* so many only at best, and only in the last hours */
                assert_string_equal(line,
                                    "      |                                           .....");
            if (lines == 12)
                assert_string_equal(line,
                                    "            00    06    12    18    00    06    12     ");
            if (lines == 13)
                assert_string_equal(line, "            05-20                   05-20");
        }
        assert_int_equal(lines, 15);
    }
}

/* ---- sentences: no word of the protocol without one ---------------------------------------- */
static void each_refusal_has_a_sentence(void **state)
{
    char words[2000], code[80];

    (void)state;
    for (int chinese = 0; chinese < 2; chinese++) {
        ctl_chinese = chinese;
        for (unsigned i = 1; tide_enum_name(TIDE_ENUM_FIELD_TYPE(code), i); i++) {
            cJSON *reply = cJSON_CreateObject();

            cJSON_AddStringToObject(reply, "code", tide_enum_name(TIDE_ENUM_FIELD_TYPE(code), i));
            ctl_refusal("book", reply, words, sizeof words);
            snprintf(code, sizeof code, "book: %s", ctl_text_of(reply, "code"));
            if (strncmp(words, code, strlen(code)) == 0)
                fail_msg("no sentence for the code %s", ctl_text_of(reply, "code"));
            cJSON_Delete(reply);
        }
    }
    ctl_chinese = false;
}

static void a_refusal_says_what_would_have_worked(void **state)
{
    cJSON *reply = cJSON_Parse("{\"code\":\"full\",\"why\":\"all_taken\","
                               "\"free_until\":\"2019-05-20T17:10:00+08:00\"}");
    char words[2000];

    (void)state;
    ctl_refusal("book", reply, words, sizeof words);
    assert_non_null(strstr(words, "all places are promised to others"));
    assert_non_null(strstr(words, "leave by 05-20 Mon 17:10 and it fits"));
    assert_non_null(strstr(words, "[code full all_taken]"));
    cJSON_Delete(reply);
    reply = cJSON_Parse("{\"code\":\"invalid\",\"at\":\"rows[3].zone\",\"detail\":\"missing\"}");
    ctl_refusal("import", reply, words, sizeof words);
    assert_non_null(strstr(words, "rows[3].zone: missing"));
    ctl_refusal("import", reply, words, 20); /* cut, not overrun */
    assert_int_equal(strlen(words), 19);
    cJSON_Delete(reply);
}

static void a_refusal_tells_what_is_in_the_way_and_what_is_offered(void **state)
{
    cJSON *reply = cJSON_Parse(
        "{\"code\":\"full\",\"why\":\"all_taken\",\"free_until\":\"2019-05-20T17:10:00+08:00\","
        "\"items\":[{\"is\":\"binding\",\"zone\":\"A\",\"start\":\"2019-05-20T17:10:00+08:00\","
        "\"end\":\"2019-05-20T18:00:00+08:00\",\"why\":\"all_taken\"},{\"is\":\"offer\",\"kind\":"
        "\"elsewhere\",\"zone\":\"B\",\"walk_m\":150,\"start\":\"2019-05-20T16:00:00+08:00\","
        "\"end\":"
        "\"2019-05-20T19:00:00+08:00\"}]}");
    char words[2000];

    (void)state;
    assert_non_null(reply);
    ctl_refusal("book", reply, words, sizeof words);
    assert_non_null(strstr(words, "in the way: 05-20 Mon 17:10 to 05-20 Mon 18:00, all places"));
    assert_non_null(strstr(words, "it fits in zone B, 150 m to walk: 05-20 Mon 16:00"));
    assert_null(strstr(words, "leave by")); /* the offers say it better */
    ctl_chinese = true;
    ctl_refusal("book", reply, words, sizeof words);
    ctl_chinese = false;
    assert_non_null(strstr(words, "可改约 B 车区(步行 150 米)"));
    cJSON_Delete(reply);
}

static void each_notice_is_a_sentence(void **state)
{
    char words[600];

    (void)state;
    for (int chinese = 0; chinese < 2; chinese++) {
        ctl_chinese = chinese;
        for (unsigned i = 1; tide_enum_name(TIDE_ENUM_FIELD_TYPE(notice_kind), i); i++) {
            const char *kind = tide_enum_name(TIDE_ENUM_FIELD_TYPE(notice_kind), i);
            cJSON *row =
                cJSON_Parse("{\"booking\":7,\"incident\":3,\"plate\":\"浙F12345\",\"zone\":"
                            "\"A\",\"slot\":\"A-1\",\"start\":\"2019-05-20T18:00:00+08:00\","
                            "\"end\":\"2019-05-20T19:00:00+08:00\",\"why\":\"recall\"}");

            cJSON_AddStringToObject(row, "kind", kind);
            ctl_notice(row, words, sizeof words);
            if (strlen(words) < 15 || strchr(words, '{'))
                fail_msg("no good sentence for %s: %s", kind, words);
            cJSON_Delete(row);
        }
    }
    ctl_chinese = false;
}

static void each_word_that_is_shown_has_a_chinese_one(void **state)
{
    const unsigned sets[] = {
        TIDE_ENUM_FIELD_TYPE(place_kind),    TIDE_ENUM_FIELD_TYPE(role),
        TIDE_ENUM_FIELD_TYPE(user_kind),     TIDE_ENUM_FIELD_TYPE(via),
        TIDE_ENUM_FIELD_TYPE(day_class),     TIDE_ENUM_FIELD_TYPE(slot_title),
        TIDE_ENUM_FIELD_TYPE(slot_class),    TIDE_ENUM_FIELD_TYPE(lane_dir),
        TIDE_ENUM_FIELD_TYPE(window_kind),   TIDE_ENUM_FIELD_TYPE(booking_state),
        TIDE_ENUM_FIELD_TYPE(session_right), TIDE_ENUM_FIELD_TYPE(source),
        TIDE_ENUM_FIELD_TYPE(occupancy),     TIDE_ENUM_FIELD_TYPE(incident_kind),
        TIDE_ENUM_FIELD_TYPE(posting_reason)};

    (void)state;
    ctl_chinese = true;
    for (size_t set = 0; set < sizeof sets / sizeof *sets; set++)
        for (unsigned i = 0; tide_enum_name(sets[set], i); i++) {
            const char *word = tide_enum_name(sets[set], i);

            if (strcmp(word, "none") != 0 && (unsigned char)ctl_word("kind", word)[0] < 0x80 &&
                (unsigned char)ctl_word("via", word)[0] < 0x80)
                fail_msg("no Chinese for %s", word);
        }
    assert_string_equal(ctl_word("state", "open"), "未结");
    assert_string_equal(ctl_word("decision", "open"), "放行");
    ctl_chinese = false;
    assert_string_equal(ctl_word("state", "no_show"), "no show");
}

/* ---- replies ------------------------------------------------------------------------------- */
static const char *shown(const char *op, const char *json)
{
    cJSON *reply = cJSON_Parse(json);
    FILE *out = out_open();

    assert_non_null(reply);
    ctl_show(op, reply, out);
    fclose(out);
    cJSON_Delete(reply);
    return printed;
}

static void replies_are_shown(void **state)
{
    (void)state;
    assert_string_equal(shown("parking.list", "{\"code\":\"ok\",\"items\":[]}"),
                        "No live bookings.\n");
    assert_string_equal(shown("parking.list", "{\"code\":\"ok\"}"), "No live bookings.\n");
    assert_string_equal(
        shown("parking.book",
              "{\"code\":\"ok\",\"id\":12,\"items\":[{\"is\":\"booking\",\"booking\":"
              "12,\"state\":\"booked\",\"plate\":\"浙F12345\",\"zone\":\"A\",\"start\":"
              "\"2019-05-20T18:00:00+08:00\",\"visitor\":false}]}"),
        "Booked, number 12.\n"
        "no.  state   plate     zone  from\n"
        " 12  booked  浙F12345  A     05-20 Mon 18:00\n");
    assert_string_equal(shown("whoami",
                              "{\"code\":\"ok\",\"items\":[{\"is\":\"whoami\",\"user\":\"u\","
                              "\"roles\":[\"clerk\",\"guard\"]}]}"),
                        "user   u\nroles  clerk+guard\n");
    assert_string_equal(shown("some.op", "{\"code\":\"ok\",\"items\":[{\"is\":\"novelty\",\"a\":3,"
                                         "\"b\":\"x\\u001by\",\"c\":{}}]}"),
                        "novelty: a=3 b=x?y\n");
    assert_string_equal(shown("gate.log", "{\"code\":\"ok\",\"more\":true,\"items\":[{\"is\":"
                                          "\"passage\",\"passage\":41}]}"),
                        "no.\n 41\nThere is more: --before 41\n");
    assert_string_equal(shown("admin.put", "{\"code\":\"ok\"}"), "Written.\n");
    assert_string_equal(shown("unheard.of", "{\"code\":\"ok\"}"), "Done.\n");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(widths),
    cmocka_unit_test(nobodys_text_moves_the_cursor),
    cmocka_unit_test(tables_stand_straight),
    cmocka_unit_test(the_chart_fits_into_eighty_columns),
    cmocka_unit_test(one_car_among_many_slots_shows),
    cmocka_unit_test(the_forecast_fits_into_eighty_columns),
    cmocka_unit_test(each_refusal_has_a_sentence),
    cmocka_unit_test(a_refusal_tells_what_is_in_the_way_and_what_is_offered),
    cmocka_unit_test(a_refusal_says_what_would_have_worked),
    cmocka_unit_test(each_notice_is_a_sentence),
    cmocka_unit_test(each_word_that_is_shown_has_a_chinese_one),
    cmocka_unit_test(replies_are_shown),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
