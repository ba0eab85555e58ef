#include "step05-overlay/launch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"
#include "common/inroot.h"
#include "step05-overlay/user.h"

char **launch_command(const struct image *image, int argc, char *argv[], int first)
{
    struct strings words = {0};
    for (size_t i = 0; i < image->entrypoint.count; i++)
        strings_add(&words, image->entrypoint.items[i]);
    for (size_t i = 0; first == argc && i < image->cmd.count; i++)
        strings_add(&words, image->cmd.items[i]);
    for (int i = first; i < argc; i++)
        strings_add(&words, argv[i]);
    return words.count ? words.items : options_command(argc, argv, first);
}

/* A container gets its image's environment, not the secrets in ours. */
static void set_environment(const struct image *image)
{
    char *terminal = getenv("TERM");
    cleanup_free char *term = format("TERM=%s", terminal ? terminal : "xterm");
    clearenv();
    putenv(format("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
    if (isatty(0))
        putenv(take_ptr(&term));
    for (size_t i = 0; i < image->env.count; i++)
        putenv(image->env.items[i]);
}

int launch_settle(const struct image *image)
{
    if (!image->layers.count)
        return 0;
    cleanup_fd int dir = inroot_mkdir(AT_FDCWD, image->working_dir ? image->working_dir : "/");
    if (dir < 0)
        return fail_in("the image's WorkingDir");
    set_environment(image);
    if (user_become(image->user ? image->user : "") < 0)
        return -1;
    /* As that user, for it may not be root's to enter, and in the root it can't leave. */
    if (fchdir(dir) < 0)
        return fail("change to %s", image->working_dir);
    return 0;
}
