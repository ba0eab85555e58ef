/* test_options.c - numbers, sizes and words of the command line, hostile ones as well. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/options.h"
#include "tests/support.h"

#define K            1024LL
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

START_TEST(whole_numbers)
{
    static const struct {
        const char *text;
        long long low, high, value;
    } good[] = {
        {"0", 0, 9, 0},
        {"9", 0, 9, 9},
        {"007", 0, 9, 7}, /* decimal, whatever it starts with */
        {"-5", -5, 5, -5},
        {"-0", -5, 5, 0},
        {"9223372036854775807", LLONG_MIN, LLONG_MAX, LLONG_MAX},
        {"-9223372036854775808", LLONG_MIN, LLONG_MAX, LLONG_MIN},
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        long long value = 12345;
        ck_assert_int_eq(parse_number("--n", good[i].text, good[i].low, good[i].high, &value), 0);
        ck_assert_int_eq(value, good[i].value);
    }
}
END_TEST

START_TEST(what_is_no_whole_number_is_refused)
{
    static const char *const bad[] = {
        "",
        " ",
        "-",
        "--1",
        "+1",
        " 1",
        "1 ",
        "\t1",
        "1\n",
        "0x1",
        "1e3",
        "1.0",
        "1,0",
        "1_0",
        "one",
        "1k",
        "inf",
        "NaN",
        "1-",
        "- 1",
        "١",
        "-1",
        "101",
        "9223372036854775808",
        "99999999999999999999999999999999",
        "-9223372036854775809",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        long long value;
        ck_assert_msg(parse_number("--n", bad[i], 0, 100, &value) == -1, "\"%s\"", bad[i]);
        ck_assert_str_eq(error_message(),
                         text("--n: \"%s\" is not a whole number from 0 to 100", bad[i]));
        ck_assert_int_eq(errno, EINVAL);
        ck_assert_int_eq(parse_number("--n", text("%s0", bad[i]), 200, LLONG_MAX, &value) == 0,
                         strcmp(bad[i], "101") == 0);
    }
}
END_TEST

START_TEST(sizes)
{
    static const struct {
        const char *text;
        long long bytes;
    } good[] = {
        {"0", 0},
        {"1", 1},
        {"0T", 0},
        {"4096", 4096},
        {"512k", 512 * K},
        {"512K", 512 * K},
        {"64m", 64 * K * K},
        {"64M", 64 * K * K},
        {"2g", 2 * K * K * K},
        {"2G", 2 * K * K * K},
        {"1t", K * K * K * K},
        {"1T", K * K * K * K},
        {"8388607T", 8388607 * K * K * K * K},
        {"9007199254740991K", 9007199254740991 * K},
        {"9223372036854775807", LLONG_MAX},
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        long long bytes = -1;
        ck_assert_msg(parse_size("--size", good[i].text, &bytes) == 0, "%s", error_message());
        ck_assert_int_eq(bytes, good[i].bytes);
    }
}
END_TEST

START_TEST(what_is_no_size_is_refused)
{
    static const char *const bad[] = {
        "",
        " ",
        "-1",
        "-1K",
        "+1",
        " 1",
        "1 ",
        "1 K",
        "1K ",
        "K",
        "kM",
        "1KB",
        "1KK",
        "1kib",
        "1B",
        "1P",
        "1E",
        "1.5G",
        "0x10",
        "1e6",
        "max",
        "1+",
        "1\n",
        "1M\n",
        "1\v",
        "1\xcb",
        "1\xeb",
        "8388608T",
        "9007199254740992K",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551617K",
        "99999999999999999999999T",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        long long bytes;
        ck_assert_msg(parse_size("--size", bad[i], &bytes) == -1, "\"%s\" is %lld", bad[i], bytes);
        ck_assert_str_eq(error_message(),
                         text("--size: \"%s\" is not a size (such as 512K, 64M or 2G)", bad[i]));
    }
}
END_TEST

/* A message has its limit; what is too long for it is cut, not written past it. */
START_TEST(a_very_long_word_is_refused_too)
{
    long long value;
    char word[100001];
    memset(word, '9', sizeof(word));
    word[sizeof(word) - 1] = '\0';
    ck_assert_int_eq(parse_number("--n", word, 0, LLONG_MAX, &value), -1);
    ck_assert_int_eq(parse_size("--size", word, &value), -1);
    ck_assert_int_eq(strncmp(error_message(), "--size: \"999", 12), 0);
    ck_assert_uint_lt(strlen(error_message()), 2000);
}
END_TEST

START_TEST(lists_grow_and_end_with_null)
{
    struct strings list = {0};
    for (int i = 0; i < 1000; i++) {
        strings_add(&list, text("%d", i));
        ck_assert_uint_eq(list.count, (size_t)i + 1);
        ck_assert_ptr_null(list.items[list.count]);
    }
    for (int i = 0; i < 1000; i++)
        ck_assert_str_eq(list.items[i], text("%d", i));
    free(list.items);
}
END_TEST

enum { OPTION_FLAG = 0x900, OPTION_VALUE, OPTION_MAYBE };
static const struct option table[] = {{"flag", no_argument, NULL, OPTION_FLAG},
                                      {"value", required_argument, NULL, OPTION_VALUE},
                                      {"maybe", optional_argument, NULL, OPTION_MAYBE},
                                      COMMON_OPTIONS};

START_TEST(options_end_at_the_first_other_word)
{
    char *words[] = {"step",    "--flag",   "--value=a b", "--value", "--flag",
                     "--maybe", "--maybe=", "root",        "--flag",  NULL};
    optind = 1;
    ck_assert_int_eq(options_next(9, words, table, ""), OPTION_FLAG);
    ck_assert_int_eq(options_next(9, words, table, ""), OPTION_VALUE);
    ck_assert_str_eq(optarg, "a b");
    ck_assert_int_eq(options_next(9, words, table, ""), OPTION_VALUE);
    ck_assert_str_eq(optarg, "--flag"); /* a value is a value, whatever it looks like */
    ck_assert_int_eq(options_next(9, words, table, ""), OPTION_MAYBE);
    ck_assert_ptr_null(optarg);
    ck_assert_int_eq(options_next(9, words, table, ""), OPTION_MAYBE);
    ck_assert_str_eq(optarg, "");
    ck_assert_int_eq(options_next(9, words, table, ""), -1);
    ck_assert_int_eq(optind, 7);
    ck_assert_ptr_eq(options_command(9, words, 8), &words[8]);
    ck_assert_str_eq(options_command(9, words, 9)[0], "/bin/sh");
    ck_assert_ptr_null(options_command(9, words, 9)[1]);
}
END_TEST

START_TEST(two_dashes_end_them_too)
{
    char *words[] = {"step", "--flag", "--", "--flag", "-", NULL};
    optind = 1;
    ck_assert_int_eq(options_next(5, words, table, ""), OPTION_FLAG);
    ck_assert_int_eq(options_next(5, words, table, ""), -1);
    ck_assert_int_eq(optind, 3);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("options");
    TCase *numbers = add_case(suite, "numbers");
    tcase_add_test(numbers, whole_numbers);
    tcase_add_test(numbers, what_is_no_whole_number_is_refused);
    tcase_add_test(numbers, sizes);
    tcase_add_test(numbers, what_is_no_size_is_refused);
    tcase_add_test(numbers, a_very_long_word_is_refused_too);
    TCase *words = add_case(suite, "words");
    tcase_add_test(words, lists_grow_and_end_with_null);
    tcase_add_test(words, options_end_at_the_first_other_word);
    tcase_add_test(words, two_dashes_end_them_too);
    return suite;
}
