/* test_topic.c - topics taken apart (the vectors) and put together. */
#include "tests/unit/vectors.h"

static void vectors(void **state)
{
    cJSON *file = vectors_read("topics.json");
    const cJSON *test;
    (void)state;
    cJSON_ArrayForEach(test, vectors_cases(file))
    {
        const char *topic = vectors_text(test, "topic"), *family = vectors_text(test, "family");
        struct tide_topic parsed, untouched;
        memset(&parsed, 0x5a, sizeof parsed);
        untouched = parsed;
        int error = tide_topic_parse(topic, strlen(topic), &parsed);
        if ((error == 0) != (family != NULL))
            fail_msg("%s: %d", topic, error);
        if (error != 0) {
            assert_memory_equal(&parsed, &untouched, sizeof parsed);
            continue;
        }
        assert_int_equal(parsed.family,
                         strcmp(family, "request") == 0 ? TIDE_TOPIC_request : TIDE_TOPIC_fact);
        assert_string_equal(parsed.domain, vectors_text(test, "domain"));
        assert_string_equal(parsed.user, vectors_text(test, "user"));
        assert_string_equal(parsed.tail, vectors_text(test, "tail"));
    }
    cJSON_Delete(file);
}

static void made(void **state)
{
    static const struct {
        const char *family, *domain, *user, *tail, *topic; /* NULL: none */
    } rows[] = {
        {"request", "home", "app1", "whoami", "tide/1/home/u/app1/req/whoami"},
        {"reply", "home", "app1", "r-1", "tide/1/home/u/app1/res/r-1"},
        {"inbox", "home", "app1", NULL, "tide/1/home/u/app1/inbox"},
        {"fact", "home", "gw1", "plate", "tide/1/home/gw/gw1/up/plate"},
        {"down", "home", "gw1", "command", "tide/1/home/gw/gw1/down/command"},
        {"zone", "home", NULL, "一号", "tide/1/home/pub/zone/一号"},
        {"sys", NULL, NULL, "tide1", "tide/1/sys/tide1"},
        {"reply", "home", "app1", NULL, NULL},
        {"reply", "home", "app1", "", NULL},
        {"reply", "home", "app1", "a/b", NULL},
        {"reply", "home", "+", "r-1", NULL},
        {"zone", "home", NULL, "A#", NULL},
        {"zone", "home/x", NULL, "A", NULL},
        {"zone", "home", NULL, "A\n", NULL},
        {"colour", "home", "app1", "r-1", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char topic[256];
        size_t len = tide_topic_make(topic, sizeof topic, rows[i].family, rows[i].domain,
                                     rows[i].user, rows[i].tail);
        assert_int_equal(len, rows[i].topic != NULL ? strlen(rows[i].topic) : 0);
        if (rows[i].topic == NULL)
            continue;
        assert_string_equal(topic, rows[i].topic);
        for (size_t cap = 0; cap <= len; cap++) {
            char *small = malloc(cap + 1);
            assert_non_null(small);
            assert_int_equal(tide_topic_make(small, cap, rows[i].family, rows[i].domain,
                                             rows[i].user, rows[i].tail),
                             0);
            free(small);
        }
    }
}

/* A reply's topic is made of the request's own parts. */
static void there_and_back(void **state)
{
    static const char topic[] = "tide/1/home/u/app1/req/parking.book";
    struct tide_topic parsed;
    char again[sizeof topic];
    (void)state;
    assert_int_equal(tide_topic_parse(topic, strlen(topic), &parsed), 0);
    assert_int_equal(
        tide_topic_make(again, sizeof again, "request", parsed.domain, parsed.user, parsed.tail),
        strlen(topic));
    assert_string_equal(again, topic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(made),
        cmocka_unit_test(there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
