/* Tests the import: bytes to cells, cells to rows, every fault told with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "clients/tidectl/import.h"

/* "a|b;c|d" for two rows of two cells; or "line N: why". */
static const char *parsed(const char *bytes, size_t len)
{
    static char text[4096];
    struct csv csv;
    char why[300];
    size_t line, at = 0;

    text[0] = '\0';
    if (csv_parse(&csv, bytes, len, &line, why, sizeof why) != 0) {
        snprintf(text, sizeof text, "line %zu: %s", line, why);
        return text;
    }
    for (size_t i = 0; i < csv.count; i++)
        for (size_t k = 0; k < csv.rows[i].count; k++)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%s",
                                   k   ? "|"
                                   : i ? ";"
                                       : "",
                                   csv.rows[i].cells[k]);
    csv_clear(&csv);
    return text;
}

static void cells(void **state)
{
    static const char *const rows[][2] = {
        {"a,b\n1,2\n", "a|b;1|2"},
        {"a,b\r\n1,2\r\n", "a|b;1|2"},
        {"a,b\n1,2", "a|b;1|2"},
        {"\xef\xbb\xbf"
         "a;b\n1;2,5\n",
         "a|b;1|2,5"},
        {"a\tb\n1\t2\n", "a|b;1|2"},
        {"a,b\n\"1,1\",\"2\"\n", "a|b;1,1|2"},
        {"a,b\n\"say \"\"hi\"\"\",2\n", "a|b;say \"hi\"|2"},
        {"a,b\n\"two\nlines\",2\n", "a|b;two\nlines|2"},
        {"a,b\n  1  ,\t2 \n", "a|b;1|2"},
        {"a,b\n 　1　, \"2\" \n", "a|b;1|2"},
        {"a,b\n\n   \n1,2\n\n", "a|b;1|2"},
        {"a,b\n1,\n", "a|b;1|"},
        {"a,b\n1\n", "a|b;1"},
        {"房号,姓名\n3-2-501,陈明\n", "房号|姓名;3-2-501|陈明"},
        {"\"a,b\";c\n1;2\n", "a,b|c;1|2"}, /* what stands in quotes delimits nothing */
        {"a,b\n1,\"2\n",
         "line 2: a quoted cell does not end as it should: \" needs a partner, then "
         "the delimiter"},
        {"a,b\n1,\"2\"x\n", "line 2: a quoted cell does not end as it should: \" needs a partner, "
                            "then the delimiter"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(parsed(rows[i][0], strlen(rows[i][0])), rows[i][1]);
}

static void encodings(void **state)
{
    static const char gb[] = "\xb7\xbf\xba\xc5,\xd0\xd5\xc3\xfb\n3,\xb3\xc2\xc3\xf7\n";
    static const char utf16[] = "\xff\xfe\x3f\x62\xf7\x53\t\0\xd3\x59\r\0\n\0"
                                "3\0\t\0\x48\x96\n\0";
    static const char zeros[] = "a,b\n1,\0\n";
    static const char broken[] = "a,b\n1,2\n\xff\xff,\xff\n";

    (void)state;
    assert_string_equal(parsed(gb, sizeof gb - 1), "房号|姓名;3|陈明");
    assert_string_equal(parsed(utf16, sizeof utf16 - 1), "房号|姓;3|陈");
    assert_string_equal(parsed(zeros, sizeof zeros - 1),
                        "line 2: it holds zero bytes: no CSV file");
    assert_string_equal(parsed(broken, sizeof broken - 1),
                        "line 3: neither UTF-8 nor GB18030: save it as \"CSV UTF-8\"");
}

static void any_bytes_are_survived(void **state)
{
    static char bytes[512];
    uint32_t seed = 1;
    static const char often[] = "\",;\n\r\t a1\xe6\x88\xbf\0";

    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t len;

        seed = seed * 1664525u + 1013904223u;
        len = seed >> 8 & 63;
        for (size_t i = 0; i < len; i++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[i] = (seed >> 30) ? often[(seed >> 16) % (sizeof often)] : (char)(seed >> 20);
        }
        assert_non_null(parsed(bytes, len));
    }
}

/* ---- kinds --------------------------------------------------------------------------------- */
static void kinds_by_their_headings(void **state)
{
    static const char *const rows[][2] = {
        {"place,kind,parent,title\n", "place"},
        {"title,parent,kind,place\n", "place"},
        {"person,household,full_name,phone\n", "person"},
        {"房号,姓名,电话\n", "person"},
        {"房号,姓名,电话,车牌,车位,区域,产权\n", "person"},
        {"person,role,place\n", "role"},
        {"user,person,kind,credential\n", "user"},
        {"plate,household,kind\n", "vehicle"},
        {"车牌,房号\n", "vehicle"},
        {"zone,place,sense,outsiders,resolution,title\n", "zone"},
        {"slot,zone,title,cls,owner,sensed\n", "slot"},
        {"车位,区域,产权,房号\n", "slot"},
        {"lane,place,dir,gateway\n", "lane"},
        {"slot,kind,days,weekdays,from_date,until_date,opens,closes\n", "window"},
        {"key,value\n", "setting"},
        {"Slot,ZONE,Title\n", "slot"},
        {"slot,zone,colour\n",
         "looks like slots, but it lacks title and has unknown headings colour"},
        {"slot,zone\n", "looks like slots, but it lacks title"},
        {"slot,zone,title,zone\n", "the headings zone and zone mean the same"},
        {"apples,pears\n", "the first line must hold headings, such as \"slot,zone,title\"; see "
                           "`tidectl help import`"},
    };
    int map[CSV_COLUMNS_MAX];
    char why[700];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct csv csv;
        size_t line;
        const struct import_kind *kind;

        assert_int_equal(csv_parse(&csv, rows[i][0], strlen(rows[i][0]), &line, why, sizeof why),
                         0);
        kind = import_kind_find(&csv.rows[0], map, why, sizeof why);
        assert_string_equal(kind ? kind->is : why, rows[i][1]);
        csv_clear(&csv);
    }
}

/* ---- rows ---------------------------------------------------------------------------------- */
/* All rows as JSON, a line each, in the order in which they are sent; or the faults. */
static const char *imported(const char *const *files, size_t count)
{
    static char text[16384];
    struct import import = {.file_count = count};
    static const char *const names[] = {"a.csv", "b.csv", "c.csv", "d.csv"};
    FILE *out = fmemopen(text, sizeof text, "w");

    for (size_t i = 0; i < count; i++) {
        import.files[i] = names[i];
        import_bytes(&import, i, files[i], strlen(files[i]));
    }
    import_link(&import);
    for (size_t i = 0; i < import.row_count && import.fault_count == 0; i++) {
        char *row = cJSON_PrintUnformatted(import.rows[i].json);

        fprintf(out, "%s\n", row);
        free(row);
    }
    import_print_faults(&import, out);
    fprintf(out, "%zu notes", import.note_count);
    import_clear(&import);
    fclose(out);
    return text;
}

static const char *imported_one(const char *file)
{
    return imported(&file, 1);
}

#define HASH                                                                                       \
    "$7$101$c2FsdHNhbHRzYWx0$Hd71hnNoKcARd6Fkl1rUE+opfs3V78ZJB2AgXXC1kaKQ"                         \
    "iWfi5S5qX7D1mY5b+bIzvyidWMnS8VA+YAsAygq9EA=="

static void each_kind_becomes_rows(void **state)
{
    static const char *const rows[][2] = {
        {"place,kind,parent,title\n3-2,stair,3,\n", "{\"is\":\"place\",\"place\":\"3-2\",\"kind\":"
                                                    "\"stair\",\"parent\":\"3\"}\n1 notes"},
        {"地点,类型,上级,名称\n东园,小区,,东园小区\n",
         "{\"is\":\"place\",\"place\":\"东园\",\"kind\":\"compound\",\"title\":\"东园小区\"}\n0 "
         "notes"},
        {"person,household,full_name,phone\n3-2-501/1,3-2-501,陈明,138 0000-0000\n",
         "{\"is\":\"person\",\"person\":\"3-2-501/"
         "1\",\"household\":\"3-2-501\",\"full_name\":\"陈明\","
         "\"phone\":\"138 0000-0000\"}\n0 notes"},
        {"person,role,place\nd/1,保安,东园\n",
         "{\"is\":\"role\",\"person\":\"d/1\",\"role\":\"guard\",\"place\":\"东园\"}\n0 notes"},
        {"user,person,kind,credential\ngw,g/1,gateway," HASH "\n",
         "{\"is\":\"user\",\"user\":\"gw\",\"person\":\"g/1\",\"kind\":\"gateway\",\"credential\":"
         "\"" HASH "\"}\n0 notes"},
        {"plate,household,kind\n浙f·12345,3-2-501,业主\n",
         "{\"is\":\"vehicle\",\"plate\":\"浙F12345\",\"household\":\"3-2-501\",\"kind\":"
         "\"resident\"}\n"
         "0 notes"},
        {"zone,place,sense,outsiders,resolution,title\nA,y,gate+地磁,是,7,东区\nB,y,hand "
         "sensor,,,\n",
         "{\"is\":\"zone\",\"zone\":\"A\",\"place\":\"y\",\"sense\":[\"gate\",\"sensor\"],"
         "\"outsiders\":true,\"resolution\":7,\"title\":\"东区\"}\n"
         "{\"is\":\"zone\",\"zone\":\"B\",\"place\":\"y\",\"sense\":[\"hand\",\"sensor\"]}\n0 "
         "notes"},
        {"slot,zone,title,cls,owner,sensed\nA-1,A,自有,充电,3-2-501,no\n",
         "{\"is\":\"slot\",\"slot\":\"A-1\",\"zone\":\"A\",\"title\":\"owned\",\"cls\":\"charger\","
         "\"owner\":\"3-2-501\",\"sensed\":false}\n0 notes"},
        {"lane,place,dir,gateway\nG1,y,进,gw\n", "{\"is\":\"lane\",\"lane\":\"G1\",\"place\":\"y\","
                                                 "\"dir\":\"in\",\"gateway\":\"gw\"}\n0 notes"},
        {"slot,kind,days,weekdays,from_date,until_date,opens,closes\n"
         "A-1,weekly,workday、eve,,2019/5/20,2019年6月1日,8:30,17:30\n",
         "{\"is\":\"window\",\"slot\":\"A-1\",\"kind\":\"weekly\",\"days\":[\"workday\",\"eve\"],"
         "\"from_date\":\"2019-05-20\",\"until_date\":\"2019-06-01\",\"opens\":\"08:30\","
         "\"closes\":\"17:30\"}\n0 notes"},
        {"key,value\nno_show_min,45\n",
         "{\"is\":\"setting\",\"key\":\"no_show_min\",\"value\":45}\n0 notes"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(imported_one(rows[i][0]), rows[i][1]);
}

static void a_roster_becomes_people_cars_and_slots(void **state)
{
    (void)state;
    assert_string_equal(imported_one("房号,姓名,电话,车牌,车位,区域,产权\n"
                                     "3-2-501,陈明,13800000001,浙F12345、浙FD12345,A-1,A,自有\n"
                                     "3-2-501,王芳,13800000002,浙F12345,,,\n"
                                     "3-2-502,李建,,,,,\n"),
                        "{\"is\":\"person\",\"household\":\"3-2-501\",\"full_name\":\"陈明\","
                        "\"phone\":\"13800000001\","
                        "\"person\":\"3-2-501/1\"}\n"
                        "{\"is\":\"person\",\"household\":\"3-2-501\",\"full_name\":\"王芳\","
                        "\"phone\":\"13800000002\","
                        "\"person\":\"3-2-501/2\"}\n"
                        "{\"is\":\"person\",\"household\":\"3-2-502\",\"full_name\":\"李建\","
                        "\"person\":\"3-2-502/1\"}\n"
                        "{\"is\":\"vehicle\",\"plate\":\"浙F12345\",\"household\":\"3-2-501\","
                        "\"kind\":\"resident\"}\n"
                        "{\"is\":\"vehicle\",\"plate\":\"浙FD12345\",\"household\":\"3-2-501\","
                        "\"kind\":\"resident\"}\n"
                        "{\"is\":\"slot\",\"slot\":\"A-1\",\"zone\":\"A\",\"title\":\"owned\","
                        "\"owner\":\"3-2-501\"}\n"
                        "0 notes");
}

static void every_fault_is_told_with_its_place(void **state)
{
    static const char *const rows[][2] = {
        {"slot,zone,title\nA-1,A,mine\n", "a.csv: line 2: title: 'mine' is none of: owned"},
        {"slot,zone,title\n,A,owned\nA-2,,owned\n", "a.csv: line 2: slot: is empty\n"
                                                    "a.csv: line 3: zone: is empty\n"},
        {"slot,zone,title\nA-1,A,owned,x\n", "a.csv: line 2: 4 cells, but 3 headings"},
        {"slot,zone,title\n\nA-1,A,\"owned\n", "a.csv: line 3: a quoted cell does not end"},
        {"plate,household\nF12345,h\n浙F1234,h\n", "a.csv: line 2: plate: 'F12345' is no plate"},
        {"user,person,kind,credential\nu,p,app,secret\n", "credential: 'secret' is no hash"},
        {"user,person,kind,credential\nu,p,app,$7$101$a$b\n",
         "credential: '$7$101$a$b' is no hash"},
        {"user,person,kind\na/b,p,app\n", "user: 'a/b' is a user's name: it may not hold"},
        {"person,household,phone\np,h,12a45\n", "phone: '12a45' is no phone number"},
        {"person,household,full_name\n,,x\n", "neither person nor household is given"},
        {"zone,place,sense\nA,y,radar\n", "sense: 'radar' is none of"},
        {"zone,place,sense\nA,y,gate+radar\n",
         "sense: 'gate+radar' holds 'radar', which is none of"},
        {"zone,place,sense,outsiders\nA,y,gate,maybe\n",
         "outsiders: 'maybe' is neither yes nor no"},
        {"key,value\nno_show_min,many\n", "value: 'many' is no whole number"},
        {"slot,kind,opens,closes,from_date\nA-1,weekly,8,17:30,2019-02-30\n",
         "opens: '8' is no hour of the day; write 08:30\n"
         "a.csv: line 2: from_date: '2019-02-30' is no date; write 2019-05-20\n"},
        {"place,kind\n12345678901234567890123456789012345678901234567890123456789012345,"
         "household\n",
         "is longer than 64 bytes"},
        {"房号,姓名,车牌,车位\n3-2-501,x,F1,A-1\n", "'F1' is no plate"},
        {"房号,姓名,车牌,车位\n3-2-501,x,,A-1\n", "a slot needs its zone"},
        {"place,kind,parent\nP1,stair,P2\nP2,building,P1\n", "is its own ancestor"},
        {"slot,zone,title\nA-1,A,owned\nA-1,A,common\n",
         "a.csv: line 3: slot: 'A-1' stands in a.csv line 2 as well, with other content: keep one"},
        {"", "a.csv: line 1: is empty"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strstr(imported_one(rows[i][0]), rows[i][1]))
            fail_msg("expected %s, got %s", rows[i][1], imported_one(rows[i][0]));
}

static void rows_are_sent_in_the_order_of_what_they_need(void **state)
{
    const char *const files[] = {
        "slot,zone,title,owner\nA-1,A,owned,3-2-501\n",
        "place,kind,parent\n3-2-501,household,3-2\n3-2,stair,3\n3,building,y\n",
        "zone,place,sense\nA,y,gate\n", "key,value\nno_show_min,45\n"};
    static const char *const order[] = {"\"setting\"",       "\"place\":\"3\"",
                                        "\"place\":\"3-2\"", "\"place\":\"3-2-501\"",
                                        "\"is\":\"zone\"",   "\"is\":\"slot\""};
    const char *at = imported(files, 4);

    (void)state;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        at = strstr(at, order[i]);
        assert_non_null(at);
    }
    assert_non_null(strstr(at, "2 notes")); /* y is in none of the files, twice */
}

static void the_same_row_twice_is_a_note(void **state)
{
    const char *const files[] = {"slot,zone,title\nA-1,A,owned\n", "slot,zone,title\nA-1,A,自有\n"};

    (void)state;
    assert_string_equal(imported(files, 2), "{\"is\":\"slot\",\"slot\":\"A-1\",\"zone\":\"A\","
                                            "\"title\":\"owned\"}\n1 notes");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(cells),
    cmocka_unit_test(encodings),
    cmocka_unit_test(any_bytes_are_survived),
    cmocka_unit_test(kinds_by_their_headings),
    cmocka_unit_test(each_kind_becomes_rows),
    cmocka_unit_test(a_roster_becomes_people_cars_and_slots),
    cmocka_unit_test(every_fault_is_told_with_its_place),
    cmocka_unit_test(rows_are_sent_in_the_order_of_what_they_need),
    cmocka_unit_test(the_same_row_twice_is_a_note),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
