#include "step01-chroot/jail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "step01-chroot/copy.h"

int jail_option(struct jail *jail, int option, char *value)
{
    if (option != OPTION_COPY)
        return 0;
    strings_add(&jail->copies, value);
    return 1;
}

int jail_fill(const struct jail *jail, const char *root)
{
    cleanup_fd int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stat inside, host;
    if (fd < 0 || fstat(fd, &inside) < 0 || stat("/", &host) < 0)
        return fail("root %s", root);
    /* A copy has lost its set-user-ID bit: the host's own su(1) is to keep it. */
    if (jail->copies.count && inside.st_ino == host.st_ino && inside.st_dev == host.st_dev)
        return refuse("--copy: %s is the host's own root", root);
    for (size_t i = 0; i < jail->copies.count; i++)
        if (copy_program(fd, jail->copies.items[i]) < 0)
            return -1;
    return 0;
}

int jail_enter(const char *root)
{
    if (chroot(root) < 0)
        return errno == EPERM ? fail_hint("only root may; step 2 does without", "chroot %s", root)
                              : fail("chroot %s", root);
    /* The working directory is still outside, and ".." from there leads
     * anywhere: without this line the jail has no door to break. */
    if (chdir("/") < 0)
        return fail("change to the new root directory");
    return 0;
}
