#include "step01-chroot/jail.h"

#include <fcntl.h>
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
    if (fd < 0)
        return fail("root %s", root);
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
