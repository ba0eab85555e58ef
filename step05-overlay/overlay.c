#include "step05-overlay/overlay.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"

/* Where the overlay is mounted until it is the root: on a directory that every host has
 * and that nothing here looks into any more.  So no mount point has to be made or
 * removed, and the mounts vanish from there with the host's others. */
#define PLACE "/sys"

int overlay_option(struct overlay *overlay, int option, char *value)
{
    if (option == OPTION_LAYER)
        strings_add(&overlay->layers, value);
    if (option == OPTION_IMAGE)
        overlay->reference = value;
    if (option == OPTION_UPPER)
        overlay->upper = value;
    return image_option(&overlay->image_options, option, value);
}

/* Two overlays on one upperdir would undo each other's work. */
static int lock_upper(const struct overlay *overlay)
{
    if (mkdir(overlay->upper, 0755) < 0 && errno != EEXIST)
        return fail("--upper: make %s", overlay->upper);
    int fd = open(overlay->upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* until we end */
    if (fd < 0)
        return fail("--upper: open %s", overlay->upper);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return refuse("--upper: %s is in use by another container", overlay->upper);
    return 0;
}

static int check_layers(const struct strings *layers)
{
    for (size_t i = 0; i < layers->count; i++) {
        cleanup_fd int fd = open(layers->items[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            return fail("layer %s", layers->items[i]);
    }
    return 0;
}

int overlay_prepare(struct overlay *overlay)
{
    if (!overlay->reference == !overlay->layers.count)
        return refuse("either --image or --layer says what the root is made of (see --help)");
    if (overlay->reference) {
        if (image_open(overlay->reference, &overlay->image_options, &overlay->image) < 0)
            return -1;
        overlay->layers = overlay->image.layers;
    }
    if (check_layers(&overlay->layers) < 0)
        return -1;
    return overlay->upper ? lock_upper(overlay) : 0; /* last: it makes the directory */
}

/* "/proc/self/fd/7:/proc/self/fd/6": overlay wants the top layer first, in an option
 * string of a page.  Descriptors keep it short, and paths with a ":" whole. */
static char *list_layers(const struct strings *layers)
{
    char *list = format("%s", "");
    for (size_t i = layers->count; i-- > 0;) {
        cleanup_free char *above = list;
        int fd = open(layers->items[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) {
            fail("layer %s", layers->items[i]);
            return NULL;
        }
        list = format("%s%s/proc/self/fd/%d", above, *above ? ":" : "", fd);
    }
    return list;
}

/* The directory that holds upperdir and workdir; a tmpfs on PLACE unless it is kept. */
static int open_base(const struct overlay *overlay)
{
    if (!overlay->upper && mount("tmpfs", PLACE, "tmpfs", MS_NODEV, "mode=755") < 0)
        return fail("mount a tmpfs for what the container writes");
    const char *path = overlay->upper ? overlay->upper : PLACE;
    int base = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (base < 0 || (mkdirat(base, "upper", 0755) < 0 && errno != EEXIST) ||
        (mkdirat(base, "work", 0700) < 0 && errno != EEXIST))
        return errno == EOVERFLOW
                   ? fail_hint("--user alone leaves no id to own a file: --map-user gives one",
                               "make the upper directory")
                   : fail("make the upper directory");
    return base;
}

static int fail_mount(const struct overlay *overlay, int in_userns)
{
    if (errno == ENODEV)
        return fail_hint("no overlay in /proc/filesystems: modprobe overlay", "mount overlay");
    if (errno == EINVAL && overlay->upper)
        return fail_hint("--upper can't be on an overlay itself, nor on NFS or FAT",
                         "mount overlay");
    if (errno == EPERM && in_userns)
        return fail_hint("in a user namespace it takes Linux 5.11", "mount overlay");
    return fail("mount overlay");
}

int overlay_stage(const struct overlay *overlay, int in_userns)
{
    cleanup_free char *lower = list_layers(&overlay->layers);
    if (!lower)
        return -1;
    cleanup_fd int base = open_base(overlay);
    if (base < 0)
        return -1;
    cleanup_free char *options =
        format("lowerdir=%s,upperdir=/proc/self/fd/%d/upper,workdir=/proc/self/fd/%d/work%s", lower,
               base, base, in_userns ? ",userxattr" : "");
    if (strlen(options) >= 4096)
        return refuse("%zu layers are more than a mount's options can name", overlay->layers.count);
    if (mount("overlay", PLACE, "overlay", 0, options) < 0)
        return fail_mount(overlay, in_userns);
    if (chdir(PLACE) < 0)
        return fail("change to the overlay");
    return 0;
}
