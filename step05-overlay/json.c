#include "step05-overlay/json.h"

#include <ctype.h>
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"

/* From VALUE to what the next part of *PATH names in it, NULL if there is none. */
static struct json_object *step(struct json_object *value, char **path)
{
    struct json_object *found;
    /* A key may hold dots itself: org.opencontainers.image.ref.name. */
    if (json_object_object_get_ex(value, *path, &found)) {
        *path = NULL;
        return found;
    }
    const char *part = strsep(path, ".[");
    if (json_object_is_type(value, json_type_array))
        return json_object_array_get_idx(value, strtoul(part, NULL, 10));
    return json_object_object_get(value, part);
}

static int has_steps(struct json_object *value, const char *path)
{
    return json_object_is_type(value, json_type_object) ||
           (json_object_is_type(value, json_type_array) && isdigit((unsigned char)*path));
}

static struct json_object *get(struct json *json, const char *where, const char *key,
                               enum json_type type, const char *type_name)
{
    cleanup_free char *path = format("%s%s%s", where, *where ? "." : "", key);
    cleanup_free char *copy = format("%s", path);
    char *rest = copy;
    struct json_object *value = json->failed ? NULL : json->root;

    while (rest && has_steps(value, rest))
        value = step(value, &rest);
    if (value && (rest || !json_object_is_type(value, type))) {
        json->failed = refuse("%s: %s: expected %s", json->file, path, type_name);
        value = NULL;
    }
    return value;
}

static void missing(struct json *json, const char *where, const char *key)
{
    if (!json->failed)
        json->failed = refuse("%s: %s%s%s: missing", json->file, where, *where ? "." : "", key);
}

const char *json_string(struct json *json, const char *where, const char *key, const char *fallback)
{
    struct json_object *value = get(json, where, key, json_type_string, "a string");
    if (!value && !fallback)
        missing(json, where, key);
    return value ? json_object_get_string(value) : fallback ? fallback : "";
}

long long json_number(struct json *json, const char *where, const char *key)
{
    struct json_object *value = get(json, where, key, json_type_int, "a whole number");
    if (!value)
        missing(json, where, key);
    return value ? json_object_get_int64(value) : 0;
}

size_t json_count(struct json *json, const char *where, const char *key)
{
    struct json_object *value = get(json, where, key, json_type_array, "an array");
    return value ? json_object_array_length(value) : 0;
}

void json_strings(struct json *json, const char *where, const char *key, struct strings *list)
{
    size_t count = json_count(json, where, key);
    for (size_t i = 0; i < count; i++) {
        cleanup_free char *item = format("%s[%zu]", key, i);
        strings_add(list, format("%s", json_string(json, where, item, NULL)));
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
