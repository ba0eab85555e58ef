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
    int result = 1;
    if (option == OPTION_STORE)
        options->store = value;
    else if (option == OPTION_UNPACK_MAX)
        result = parse_size("--unpack-max", value, &options->max_bytes);
    else if (option == OPTION_UNPACK_ENTRIES)
        result = parse_number("--unpack-entries", value, 1, LLONG_MAX, &options->max_entries);
    else
        return 0;
    return result < 0 ? -1 : 1;
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

/* From index.json to the descriptor of a manifest, or of an index of several. */
static int choose_by_tag(int layout, const char *tag, struct descriptor *chosen)
{
    cleanup_json struct json index = {0};
    cleanup_free char *tags = NULL;
    size_t length;
    if (blob_document(layout, "index.json", NULL, &index) < 0)
        return -1;
    cleanup_file FILE *list = open_memstream(&tags, &length);
    size_t count = json_count(&index, "", "manifests");

    for (size_t i = 0; i < count; i++) {
        cleanup_free char *where = format("manifests[%zu]", i);
        const char *name = json_string(&index, where, "annotations." REF_NAME, "");
        if ((!tag && count == 1) || strcmp(name, tag ? tag : "latest") == 0)
            return descriptor_read(&index, where, chosen);
        fprintf(list, " %s", name);
    }
    fflush(list);
    if (index.failed)
        return -1;
    return tag ? refuse("there is no image \"%s\" in the layout, only:%s", tag, tags)
               : refuse("name one of the layout's images as LAYOUT:TAG:%s", tags);
}

/* An image for several machines is an index of manifests: take ours. */
static int choose_by_platform(int layout, struct descriptor *chosen)
{
    cleanup_json struct json index = {0};
    if (blob_document(layout, NULL, chosen, &index) < 0)
        return -1;
    size_t count = json_count(&index, "", "manifests");
    for (size_t i = 0; i < count; i++) {
        cleanup_free char *where = format("manifests[%zu]", i);
        const char *os = json_string(&index, where, "platform.os", "");
        const char *machine = json_string(&index, where, "platform.architecture", "");
        if (strcmp(os, "linux") == 0 && strcmp(machine, this_architecture()) == 0)
            return descriptor_read(&index, where, chosen);
    }
    return index.failed ? -1 : refuse("%s: no image for linux/%s", index.file, this_architecture());
}

static int check_platform(struct json *config)
{
    const char *os = json_string(config, "", "os", NULL);
    const char *machine = json_string(config, "", "architecture", NULL);
    if (config->failed)
        return -1;
    if (strcmp(os, "linux") != 0 || strcmp(machine, this_architecture()) != 0)
        return refuse("the image is built for %s/%s, this machine is linux/%s", os, machine,
                      this_architecture());
    return 0;
}

/* Read the config.  Until open_layers, image->layers holds the layers' digests. */
static int read_config(int layout, const struct descriptor *descriptor, struct image *image)
{
    cleanup_json struct json config = {0};
    struct digest syntax;

    if (blob_document(layout, NULL, descriptor, &config) < 0 || check_platform(&config) < 0)
        return -1;
    json_strings(&config, "rootfs", "diff_ids", &image->layers);
    json_strings(&config, "config", "Entrypoint", &image->entrypoint);
    json_strings(&config, "config", "Cmd", &image->cmd);
    json_strings(&config, "config", "Env", &image->env);
    image->working_dir = format("%s", json_string(&config, "config", "WorkingDir", ""));
    image->user = format("%s", json_string(&config, "config", "User", ""));
    for (size_t i = 0; !config.failed && i < image->layers.count; i++)
        config.failed = digest_start(&syntax, image->layers.items[i]);
    return config.failed;
}

/* A layer's directory, unpacked from its blob if it isn't in the store. */
static int open_layer(int layout, const struct descriptor *layer, const char *diff_id,
                      struct store *store, char **path)
{
    int found = store_find(store, diff_id, path);
    if (found)
        return found;
    /* The blob is hashed once now, and once more uncompressed while it is unpacked:
     * whoever exchanges it in between is found out. */
    cleanup_fd int blob = blob_open(layout, layer);
    if (blob < 0 || store_add(store, diff_id, blob) < 0)
        return -1;
    return store_find(store, diff_id, path);
}

static int open_layers(int layout, struct json *manifest, struct store *store,
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
        layers->items[i] = NULL;
        if (descriptor_read(manifest, where, &layer) < 0)
            return -1;
        if (open_layer(layout, &layer, diff_id, store, &layers->items[i]) < 0)
            return -1;
    }
    return 0;
}

static int check_version(int layout)
{
    cleanup_json struct json document = {0};
    if (blob_document(layout, "oci-layout", NULL, &document) < 0)
        return -1;
    const char *version = json_string(&document, "", "imageLayoutVersion", NULL);
    if (!document.failed && strcmp(version, "1.0.0") != 0)
        return refuse("oci-layout: version \"%s\", only 1.0.0 is known", version);
    return document.failed;
}

static int open_layout(int layout, const char *tag, struct store *store, struct image *image)
{
    cleanup_json struct json manifest = {0};
    struct descriptor chosen, config;

    if (check_version(layout) < 0 || choose_by_tag(layout, tag, &chosen) < 0)
        return -1;
    if (chosen.is_index && choose_by_platform(layout, &chosen) < 0)
        return -1;
    if (blob_document(layout, NULL, &chosen, &manifest) < 0 ||
        descriptor_read(&manifest, "config", &config) < 0 ||
        read_config(layout, &config, image) < 0)
        return -1;
    return open_layers(layout, &manifest, store, &image->layers);
}

/* A layout in a tar archive is unpacked for as long as it is read. */
static int open_tarred(int tar, const char *tag, struct store *store, struct image *image)
{
    cleanup_fd int lock = -1;
    cleanup_fd int layout = store_borrow(store, tar, &lock);
    if (layout < 0)
        return -1;
    int result = open_layout(layout, tag, store, image);
    return store_return(store) < 0 ? -1 : result;
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
        .bytes_left = options->max_bytes ? options->max_bytes : 16LL << 30,
        .entries = options->max_entries ? options->max_entries : 500000,
    };
    cleanup_fd int fd = open_reference(reference, &tag);
    if (fd < 0 || store_open(&store, options->store) < 0)
        return -1;
    int is_directory = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
    int result =
        is_directory ? open_layout(fd, tag, &store, image) : open_tarred(fd, tag, &store, image);
    store_close(&store);
    return result;
}
