#include "step05-overlay/json.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"

/* The value at the path WHERE, such as "manifests[0].platform"; NULL if there is none,
 * or where the path goes on, the string or number that it can't go through. */
static struct json_object *walk(struct json *json, const char *where)
{
    cleanup_free char *path = format("%s", where);
    struct json_object *value = json->root;
    for (char *part = strtok(path, ".[]"); part; part = strtok(NULL, ".[]"))
        if (json_object_is_type(value, json_type_array))
            value = json_object_array_get_idx(value, strtoul(part, NULL, 10));
        else if (json_object_is_type(value, json_type_object))
            value = json_object_object_get(value, part);
    return value;
}

static void wrong(struct json *json, const char *where, const char *key, const char *what)
{
    if (!json->failed)
        json->failed = refuse("%s: %s%s%s: %s", json->file, where, *where ? "." : "", key, what);
}

static struct json_object *get(struct json *json, const char *where, const char *key,
                               enum json_type type, const char *expected)
{
    struct json_object *parent = json->failed ? NULL : walk(json, where);
    struct json_object *value = json_object_object_get(parent, key);
    int fits = value ? json_object_is_type(value, type)
                     : !parent || json_object_is_type(parent, json_type_object);
    if (!fits)
        wrong(json, where, key, expected);
    return fits ? value : NULL;
}

const char *json_string(struct json *json, const char *where, const char *key, const char *fallback)
{
    struct json_object *value = get(json, where, key, json_type_string, "expected a string");
    if (!value && !fallback)
        wrong(json, where, key, "missing");
    return value ? json_object_get_string(value) : fallback ? fallback : "";
}

long long json_number(struct json *json, const char *where, const char *key)
{
    struct json_object *value = get(json, where, key, json_type_int, "expected a whole number");
    if (!value)
        wrong(json, where, key, "missing");
    return json_object_get_int64(value);
}

size_t json_count(struct json *json, const char *where, const char *key)
{
    struct json_object *value = get(json, where, key, json_type_array, "expected an array");
    return value ? json_object_array_length(value) : 0;
}

void json_strings(struct json *json, const char *where, const char *key, struct strings *list)
{
    struct json_object *array = get(json, where, key, json_type_array, "expected an array");
    for (size_t i = 0; array && i < json_object_array_length(array); i++) {
        struct json_object *item = json_object_array_get_idx(array, i);
        cleanup_free char *name = format("%s[%zu]", key, i);
        if (json_object_is_type(item, json_type_string))
            strings_add(list, format("%s", json_object_get_string(item)));
        else
            wrong(json, where, name, "expected a string");
    }
}

static int syntax_error(const char *file, const char *text, size_t offset, const char *why)
{
    size_t line = 1, column = 1;
    for (const char *c = text; *c && c < text + offset; c++) {
        column = *c == '\n' ? 1 : column + 1;
        line += *c == '\n';
    }
    return refuse("%s:%zu:%zu: %s", file, line, column, why);
}

int json_parse(const char *file, const char *text, struct json *json)
{
    struct json_tokener *tokener = json_tokener_new();
    if (!tokener)
        return fail("allocate memory");
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    json->file = format("%s", file);
    json->root = json_tokener_parse_ex(tokener, text, (int)strlen(text) + 1);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    size_t offset = json_tokener_get_parse_end(tokener);
    json_tokener_free(tokener);

    if (error != json_tokener_success)
        return syntax_error(file, text, offset, json_tokener_error_desc(error));
    if (!json_object_is_type(json->root, json_type_object))
        return refuse("%s: expected an object", file);
    return 0;
}

void json_release(struct json *json)
{
    json_object_put(json->root);
    free(json->file);
}
