/* test_plate.c - plates of GA 36-2018: the vectors, every province, every letter at every place. */
#include "tests/unit/vectors.h"

static int class_of(const char *text)
{
    char plate[16];
    return tide_plate_normalise(text, strlen(text), plate, sizeof plate);
}

static void vectors(void **state)
{
    cJSON *file = vectors_read("plates.json");
    const cJSON *test;
    (void)state;
    cJSON_ArrayForEach(test, vectors_cases(file))
    {
        char plate[16] = "untouched";
        const char *text = vectors_text(test, "text"), *expected = vectors_text(test, "plate");
        int class = tide_plate_normalise(text, strlen(text), plate, sizeof plate);
        const char *name = vectors_text(test, "class");
        int wanted = name != NULL
                         ? tide_enum_value(TIDE_ENUM_FIELD_TYPE(plate_class), name, strlen(name))
                         : -1;
        if (class != wanted)
            fail_msg("'%s': class %d, should be %d", text, class, wanted);
        assert_string_equal(plate, expected != NULL ? expected : "untouched");
    }
    cJSON_Delete(file);
}

static void every_province(void **state)
{
    static const char provinces[] =
        "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";
    unsigned count = 0;
    (void)state;
    for (const char *p = provinces; *p != '\0'; p += 3, count++) {
        char text[32];
        (void)snprintf(text, sizeof text, "%.3sA12345", p);
        assert_int_equal(class_of(text), TIDE_PLATE_CLASS_ordinary);
    }
    assert_int_equal(count, 31);
}

/* A second opinion of who may stand where, by the words of the standard. */
static void every_letter_at_every_place(void **state)
{
    (void)state;
    for (int c = 0x21; c < 0x7f; c++) {
        char text[32], letter = (char)(c >= 'a' && c <= 'z' ? c - 32 : c);
        bool digit = letter >= '0' && letter <= '9', capital = letter >= 'A' && letter <= 'Z';
        bool region = capital && letter != 'I';
        bool serial = digit || (capital && letter != 'I' && letter != 'O');
        bool energy = letter >= 'A' && letter <= 'K' && letter != 'I';
        (void)snprintf(text, sizeof text, "浙%c12345", c);
        assert_int_equal(class_of(text), region ? TIDE_PLATE_CLASS_ordinary : -1);
        (void)snprintf(text, sizeof text, "浙F1234%c", c);
        assert_int_equal(class_of(text), serial ? TIDE_PLATE_CLASS_ordinary : -1);
        (void)snprintf(text, sizeof text, "浙F%c2345", c);
        assert_int_equal(class_of(text), serial ? TIDE_PLATE_CLASS_ordinary : -1);
        (void)snprintf(text, sizeof text, "浙F%c12345", c);
        assert_int_equal(class_of(text), energy ? TIDE_PLATE_CLASS_new_energy : -1);
        (void)snprintf(text, sizeof text, "浙F12345%c", c);
        assert_int_equal(class_of(text), energy ? TIDE_PLATE_CLASS_new_energy : -1);
        bool tail = digit || strchr("TDSHBXJ", letter) != NULL;
        (void)snprintf(text, sizeof text, "WJ浙1234%c", c);
        assert_int_equal(class_of(text), tail ? TIDE_PLATE_CLASS_armed_police : -1);
    }
}

static void a_small_buffer_is_a_refusal(void **state)
{
    char plate[16];
    static const char text[] = "浙FD12345"; /* 10 bytes */
    (void)state;
    assert_int_equal(tide_plate_normalise(text, strlen(text), plate, 10), -1);
    assert_int_equal(tide_plate_normalise(text, strlen(text), plate, 11),
                     TIDE_PLATE_CLASS_new_energy);
}

/* Bytes that are not even UTF-8 are no plate and read nothing beyond their end. */
static void any_bytes(void **state)
{
    uint32_t random = 7;
    (void)state;
    for (unsigned round = 0; round < 100000; round++) {
        uint8_t bytes[12];
        char plate[16];
        size_t len = round % (sizeof bytes + 1);
        for (size_t i = 0; i < len; i++) {
            random = random * 1664525u + 1013904223u;
            bytes[i] = (uint8_t)(random >> 24);
        }
        uint8_t *copy = malloc(len > 0 ? len : 1);
        assert_non_null(copy);
        memcpy(copy, bytes, len);
        int class = tide_plate_normalise((const char *)copy, len, plate, sizeof plate);
        free(copy);
        if (class >= 0)
            assert_int_equal(class_of(plate), class);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(every_province),
        cmocka_unit_test(every_letter_at_every_place),
        cmocka_unit_test(a_small_buffer_is_a_refusal),
        cmocka_unit_test(any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
