#include "step05-overlay/image.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"
#include "step05-overlay/blob.h"
#include "step05-overlay/json.h"
#include "step05-overlay/store.h"

#define REF_NAME "org.opencontainers.image.ref.name"

int image_option(struct image_options *options, int option, char *value)
{
    if (option == OPTION_STORE)
        options->store = value;
    if (option == OPTION_UNPACK_MAX)
        return parse_size("--unpack-max", value, &options->max_bytes);
    if (option == OPTION_UNPACK_ENTRIES)
        return parse_number("--unpack-entries", value, 1, LLONG_MAX, &options->max_entries);
    return 0;
}

/* This machine's architecture in Go's words, which the spec uses. */
static const char *this_architecture(void)
{
    static const char *const names[][2] = {
        {"x86_64", "amd64"}, {"aarch64", "arm64"}, {"armv7l", "arm"}, {"i686", "386"}};
    static struct utsname host;

    uname(&host);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(host.machine, names[i][0]) == 0)
            return names[i][1];
    return host.machine; /* the same in both: riscv64, s390x, ppc64le ... */
}

/* Does the object at WHERE name this machine's platform? */
static int is_ours(struct json *json, const char *where)
{
    return strcmp(json_string(json, where, "os", ""), "linux") == 0 &&
           strcmp(json_string(json, where, "architecture", ""), this_architecture()) == 0;
}

/* From index.json to the descriptor of a manifest, or of an index of several. */
static int choose_by_tag(int layout, const char *tag, struct descriptor *chosen)
{
    static const struct descriptor index_json = {.path = "index.json", .unchecked = 1};
    cleanup_json struct json index = {0};
    cleanup_free char *tags = format("%s", "");
    if (blob_document(layout, &index_json, &index) < 0)
        return -1;
    size_t count = json_count(&index, "", "manifests");

    for (size_t i = 0; i < count; i++) {
        cleanup_free char *where = format("manifests[%zu]", i);
        cleanup_free char *annotations = format("%s.annotations", where);
        const char *name = json_string(&index, annotations, REF_NAME, "");
        if ((!tag && count == 1) || strcmp(name, tag ? tag : "latest") == 0)
            return descriptor_read(&index, where, chosen);
        cleanup_free char *others = tags;
        tags = format("%s %s", others, name);
    }
    if (index.failed)
        return -1;
    return tag ? refuse("there is no image \"%s\" in the layout, only:%s", tag, tags)
               : refuse("name one of the layout's images as LAYOUT:TAG:%s", tags);
}

/* An image for several machines is an index of manifests: take ours. */
static int choose_by_platform(int layout, struct descriptor *chosen)
{
    cleanup_json struct json index = {0};
    if (blob_document(layout, chosen, &index) < 0)
        return -1;
    size_t count = json_count(&index, "", "manifests");
    for (size_t i = 0; i < count; i++) {
        cleanup_free char *where = format("manifests[%zu]", i);
        cleanup_free char *platform = format("%s.platform", where);
        if (is_ours(&index, platform))
            return descriptor_read(&index, where, chosen);
    }
    return index.failed ? -1 : refuse("%s: no image for linux/%s", index.file, this_architecture());
}

/* Read the config.  Until open_layers, image->layers holds the layers' digests. */
static int read_config(int layout, const struct descriptor *descriptor, struct image *image)
{
    cleanup_json struct json config = {0};
    if (blob_document(layout, descriptor, &config) < 0)
        return -1;
    const char *os = json_string(&config, "", "os", NULL);
    const char *machine = json_string(&config, "", "architecture", NULL);
    if (!config.failed && !is_ours(&config, ""))
        return refuse("the image is built for %s/%s, this machine is linux/%s", os, machine,
                      this_architecture());
    json_strings(&config, "rootfs", "diff_ids", &image->layers);
    json_strings(&config, "config", "Entrypoint", &image->entrypoint);
    json_strings(&config, "config", "Cmd", &image->cmd);
    json_strings(&config, "config", "Env", &image->env);
    image->working_dir = format("%s", json_string(&config, "config", "WorkingDir", ""));
    image->user = format("%s", json_string(&config, "config", "User", ""));
    return config.failed;
}

static int open_layers(int layout, struct json *manifest, const struct store *store,
                       struct strings *layers)
{
    size_t count = json_count(manifest, "", "layers");
    if (manifest->failed)
        return -1;
    if (!count || count != layers->count)
        return refuse("the image has %zu layers, and its config names %zu (rootfs.diff_ids)", count,
                      layers->count);
    for (size_t i = 0; i < count; i++) {
        cleanup_free char *diff_id = layers->items[i];
        cleanup_free char *where = format("layers[%zu]", i);
        struct descriptor layer;
        if (descriptor_read(manifest, where, &layer) < 0 ||
            store_layer(store, diff_id, layout, &layer, &layers->items[i]) < 0)
            return -1;
    }
    return 0;
}

static int check_version(int layout)
{
    static const struct descriptor oci_layout = {.path = "oci-layout", .unchecked = 1};
    cleanup_json struct json document = {0};
    if (blob_document(layout, &oci_layout, &document) < 0)
        return -1;
    const char *version = json_string(&document, "", "imageLayoutVersion", NULL);
    if (!document.failed && strcmp(version, "1.0.0") != 0)
        return refuse("oci-layout: version \"%s\", only 1.0.0 is known", version);
    return document.failed;
}

static int open_layout(int layout, const char *tag, const struct store *store, struct image *image)
{
    cleanup_json struct json manifest = {0};
    struct descriptor chosen, config;

    if (check_version(layout) < 0 || choose_by_tag(layout, tag, &chosen) < 0)
        return -1;
    if (chosen.is_index && choose_by_platform(layout, &chosen) < 0)
        return -1;
    if (blob_document(layout, &chosen, &manifest) < 0 ||
        descriptor_read(&manifest, "config", &config) < 0 ||
        read_config(layout, &config, image) < 0)
        return -1;
    return open_layers(layout, &manifest, store, &image->layers);
}

/* Open LAYOUT of LAYOUT[:TAG], the longest path that exists: both may hold colons. */
static int open_reference(const char *reference, const char **tag)
{
    cleanup_free char *path = format("%s", reference);
    char *colon;
    while (access(path, F_OK) < 0 && (colon = strrchr(path, ':')))
        *colon = '\0';
    *tag = reference[strlen(path)] ? reference + strlen(path) + 1 : NULL;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    return fd >= 0 ? fd : fail("image %s", reference);
}

int image_open(const char *reference, const struct image_options *options, struct image *image)
{
    struct stat st;
    const char *tag;
    struct store store = {
        .bytes = options->max_bytes ? options->max_bytes : 16LL << 30,
        .entries = options->max_entries ? options->max_entries : 500000,
    };
    cleanup_fd int fd = open_reference(reference, &tag);
    if (fd < 0 || store_open(&store, options->store) < 0)
        return -1;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        return open_layout(fd, tag, &store, image);

    /* A layout in a tar archive is unpacked for as long as it is read. */
    cleanup_fd int lock = -1;
    cleanup_fd int layout = store_borrow(&store, fd, &lock);
    if (layout < 0)
        return -1;
    int result = open_layout(layout, tag, &store, image);
    return store_return(&store) < 0 ? -1 : result;
}
