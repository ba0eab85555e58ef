/* json.h - JSON that somebody else wrote, with messages that say where it is wrong.
 *
 * A value is asked for by the path of the object that holds it, and its key there (which
 * may hold dots itself).  Both are what messages show:
 *
 *     size = json_number(&index, "manifests[0]", "size");
 *
 *     index.json: manifests[0].size: expected a whole number
 *
 * The first failure sticks, as with ferror(3): what is asked for after it comes back
 * empty, and one look at .failed at the end of a paragraph is enough. */
#ifndef STEP05_JSON_H
#define STEP05_JSON_H

#include "common/options.h"

struct json {
    struct json_object *root;
    char *file; /* the document's name, for messages */
    int failed; /* 0, or -1 with a message */
};

#define cleanup_json __attribute__((cleanup(json_release)))

/* Parse TEXT, one JSON object (strictly by RFC 8259).  On a syntax error the message
 * begins with FILE:LINE:COLUMN. */
int json_parse(const char *file, const char *text, struct json *json);

/* Free a document, and with it all strings that were read from it. */
void json_release(struct json *json);

/* The string KEY of the object at the path WHERE, "" being the document itself.  It is
 * FALLBACK if absent or null, or if there is no such object; if FALLBACK is NULL, it
 * must be there.  "" after a failure. */
const char *json_string(struct json *json, const char *where, const char *key,
                        const char *fallback);

/* The number KEY, which must be there; 0 after a failure. */
long long json_number(struct json *json, const char *where, const char *key);

/* How many items the array KEY has; 0 if it is absent. */
size_t json_count(struct json *json, const char *where, const char *key);

/* Add a copy of each string in the array KEY, if there is one, to LIST. */
void json_strings(struct json *json, const char *where, const char *key, struct strings *list);

#endif
