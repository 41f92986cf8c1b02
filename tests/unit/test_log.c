/* The log: one JSON object a line whatever comes in; no full plate, no phone number; no flood. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/ops/ops.h"

static void masks(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"浙FA1234", "浙FA****"},
        {"浙F·A1234", "浙F·A****"},
        {"浙F A1234 left", "浙F A**** left"},
        {"浙 F-A1234", "浙 F-A****"},
        {"plate 浙FD12345 and 沪A88888.", "plate 浙FD***** and 沪A8****."},
        {"浙fa1234", "浙fa****"},
        {"粤Z1234港", "粤Z1***港"},
        {"京A1234警", "京A1***警"},
        {"WJ浙12345", "WJ浙1****"},
        {"WJ浙1234X", "WJ浙1****"},
        {"使014578", "使0*****"},
        {"沪A1234领", "沪A1***领"},
        {"浙江省海宁市", "浙江省海宁市"},
        {"浙FA12", "浙FA12"}, /* too short to be one */
        {"A-017", "A-017"},
        {"13812345678", "***********"},
        {"tel 138-1234-5678!", "tel ***-****-****!"},
        {"+86 138 1234 5678", "+** *** **** ****"},
        {"0573-8720123", "****-*******"},
        {"1234567", "*******"},
        {"123456", "123456"},
        {"2019-05-20T18:00", "2019-05-20T18:00"},
        {"2019-05-20 18:00", "2019-05-20 18:00"},
        {"3-2-501/1", "3-2-501/1"},
        {"\xe6\xb5", "\xe6\xb5"}, /* half a province */
        {"\xe6", "\xe6"},
        {"浙", "浙"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[100];
        memcpy(text, rows[i].in, strlen(rows[i].in) + 1);
        log_mask(text);
        if (strcmp(text, rows[i].out) != 0)
            fail_msg("%s: %s, not %s", rows[i].in, text, rows[i].out);
    }
}

static void texts(void **state)
{
    (void)state;
    assert_string_equal(log_str(NULL), "\"\"");
    assert_string_equal(log_str("a\"b\\c\n\x7f"), "\"a\\\"b\\\\c\\u000a\\u007f\"");
    assert_string_equal(log_str("x\xff\xfe\xc0\xafy"), "\"x????y\"");
    assert_string_equal(log_str("\xed\xa0\x80\xf5z"), "\"????z\"");
    assert_string_equal(log_str("潮汐 😀"), "\"潮汐 😀\"");
    assert_string_equal(log_str("浙F·A1234"), "\"浙F·A****\"");
    /* Eight at once, as one line may need. */
    const char *a = log_str("a"), *b = log_str("b");
    assert_string_equal(a, "\"a\"");
    assert_string_equal(b, "\"b\"");
    char longer[1000];
    memset(longer, '\1', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    const char *cut = log_str(longer);
    assert_int_equal(strlen(cut), 1 + 256 * 6 + 3 + 1);
    for (size_t i = 0; i + 1 < sizeof longer; i++) /* cut between characters, not inside one */
        longer[i] = "é"[(i + 1) % 2];
    longer[0] = 'x';
    cut = log_str(longer);
    assert_null(strchr(cut, '?'));
}

/* Runs fn with stderr in a pipe; returns what was written. */
static const char *caught(void (*fn)(void))
{
    static char text[65536];
    int ends[2], kept = dup(STDERR_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_true(fcntl(ends[1], F_SETPIPE_SZ, 65536) >= 65536);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    fn();
    dup2(kept, STDERR_FILENO);
    close(kept);
    size_t len = 0;
    for (ssize_t n; (n = read(ends[0], text + len, sizeof text - 1 - len)) > 0;)
        len += (size_t)n;
    text[len] = '\0';
    close(ends[0]);
    return text;
}

static void one_line(void)
{
    log_event(LOG_WARN_, "test.line", "\"seq\":%d,\"text\":%s", 7, log_str("a\nb"));
    log_event(LOG_DEBUG_, "test.below", "\"x\":1");
    log_event(LOG_INFO_, "test.bare", NULL);
}

static void too_long(void)
{
    log_event(
        LOG_INFO_, "test.long", "\"a\":%s,\"b\":%s", log_str("\1\1\1\1"),
        log_str("\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"
                "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"
                "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"
                "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"
                "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"
                "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"
                "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"));
    log_event(LOG_INFO_, "test.long", "\"a\":%s,\"b\":%s", log_str("short"), log_str("enough"));
    char big[3000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    log_event(LOG_INFO_, "test.long", "\"a\":\"%s\"", big);
}

static void flood(void)
{
    for (int i = 0; i < 10000; i++)
        log_event(LOG_ERROR_, "test.flood", "\"i\":%d", i);
    log_event(LOG_ERROR_, "test.other", "\"i\":%d", 1);
    usleep(450000);
    log_event(LOG_ERROR_, "test.flood", "\"i\":%d", 10000);
}

static unsigned count(const char *text, const char *word)
{
    unsigned n = 0;
    for (; (text = strstr(text, word)) != NULL; text++)
        n++;
    return n;
}

static void lines(void **state)
{
    (void)state;
    const char *text = caught(one_line);
    assert_memory_equal(text, "{\"t\":\"20", 8);
    assert_non_null(strstr(text, "Z\",\"level\":\"warn\",\"what\":\"test.line\",\"seq\":7,"
                                 "\"text\":\"a\\u000ab\"}\n"));
    assert_non_null(strstr(text, "\"level\":\"info\",\"what\":\"test.bare\"}\n"));
    assert_null(strstr(text, "below"));
    assert_int_equal(count(text, "\n"), 2);

    text = caught(too_long);
    assert_int_equal(count(text, "\n"), 3);
    assert_non_null(strstr(text, "\"a\":\"short\",\"b\":\"enough\"}\n"));
    assert_non_null(strstr(text, "\"what\":\"test.long\",\"cut\":true}\n"));
}

static void rate(void **state)
{
    (void)state;
    const char *text = caught(flood);
    unsigned floods = count(text, "test.flood");
    assert_in_range(floods, 20, 60);
    assert_int_equal(count(text, "test.other"), 1);
    assert_int_equal(count(text, "\"suppressed\":99"), 1);
}

static void levels(void **state)
{
    (void)state;
    assert_int_equal(log_level_named("debug"), LOG_DEBUG_);
    assert_int_equal(log_level_named("error"), LOG_ERROR_);
    assert_int_equal(log_level_named("loud"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks), cmocka_unit_test(texts),  cmocka_unit_test(lines),
        cmocka_unit_test(rate),  cmocka_unit_test(levels),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
