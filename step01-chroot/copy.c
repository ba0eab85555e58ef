#include "step01-chroot/copy.h"

#include <elf.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"
#include "common/inroot.h"
#include "common/options.h"
#include "step01-chroot/elf.h"

/* What will be copied is a list.  Each file in it is asked what it needs, and that
 * goes to the end, until nobody needs anything new.  Only then is anything written. */
static void list_free(struct strings *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->items[i]);
    free(files->items);
}

/* Is NAME there: as a path, or as what the loader goes by?  It loads no name twice. */
static bool listed(const struct strings *files, const char *name)
{
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(strchr(name, '/') ? files->items[i] : basename(files->items[i]), name) == 0)
            return true;
    return false;
}

/* O_NONBLOCK: the open of a fifo would wait for its writer. */
static FILE *open_regular(const char *path)
{
    cleanup_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0)
        fail("open %s", path);
    else if (!S_ISREG(status.st_mode))
        refuse("%s: not a regular file", path);
    else
        return fdopen(take_fd(&fd), "r");
    return NULL;
}

/* The path of the first NAME in DIRECTORIES, which have a colon or a newline between
 * them, and in which $ORIGIN is the directory of the file OWNER.  NULL: there is none. */
static char *search(const char *directories, const char *owner, const char *name, bool library)
{
    while (directories) {
        int length = (int)strcspn(directories, ":\n");
        int origin = strncmp(directories, "$ORIGIN", 7) == 0     ? 7
                     : strncmp(directories, "${ORIGIN}", 9) == 0 ? 9
                                                                 : 0;
        cleanup_free char *path =
            format("%.*s%.*s/%s", origin ? (int)(basename(owner) - owner - 1) : 0, owner,
                   length - origin, directories + origin, name);
        cleanup_file FILE *file = open_regular(path);
        /* The loader too passes over what is for another kind of machine. */
        if (file && (!library || elf_check(file, path) == 0))
            return take_ptr(&path);
        directories = directories[length] ? directories + length + 1 : NULL;
    }
    return NULL;
}

static char *search_own(const char *path, int tag, const char *name)
{
    cleanup_file FILE *file = open_regular(path);
    cleanup_free char *directories = file ? elf_text(file, tag, 0) : NULL;
    return search(directories, path, name, true);
}

/* glibc's loader has its directories from /etc/ld.so.conf and what that includes, musl's
 * from /etc/ld-musl-x86_64.path.  A line that is no directory does no harm here. */
static char *search_system(const char *name)
{
    glob_t lists;
    char *path = NULL;

    glob("/etc/ld.so.conf.d/*.conf", 0, NULL, &lists);
    glob("/etc/ld.so.conf", GLOB_APPEND, NULL, &lists);
    glob("/etc/ld-musl-*.path", GLOB_APPEND, NULL, &lists);
    for (size_t i = 0; i < lists.gl_pathc && !path; i++) {
        cleanup_free char *directories = file_read(AT_FDCWD, lists.gl_pathv[i]);
        path = search(directories, "", name, true);
    }
    globfree(&lists);
    return path ? path : search("/lib:/usr/lib:/lib64:/usr/lib64:/usr/local/lib", "", name, true);
}

/* In the order of ld.so(8), or nearly: DT_RUNPATH is for the file that has it, DT_RPATH for
 * the libraries' libraries too.  LD_LIBRARY_PATH is the caller's and not the root's. */
static int list_library(struct strings *files, const char *path, const char *name)
{
    if (listed(files, name))
        return 0;
    char *library = strchr(name, '/') ? format("%s", name) : search_own(path, DT_RUNPATH, name);
    for (size_t i = 0; i < files->count && !library; i++)
        library = search_own(files->items[i], DT_RPATH, name);
    if (!library)
        library = search_system(name);
    if (!library)
        return refuse("%s needs %s, which is in none of the directories of its RUNPATH, "
                      "/etc/ld.so.conf, /lib and /usr/lib",
                      path, name);
    strings_add(files, library);
    return 0;
}

static int list_libraries(struct strings *files, const char *path, FILE *file)
{
    cleanup_free char *loader = elf_loader(file);
    int result = loader ? list_library(files, path, loader) : 0;
    for (unsigned i = 0; result == 0; i++) {
        cleanup_free char *name = elf_text(file, DT_NEEDED, i);
        if (!name)
            break;
        result = list_library(files, path, name);
    }
    return result;
}

/* PROGRAM as execvp(3) finds it, but with an absolute path, which it keeps in the root. */
static int list_program(struct strings *files, const char *program)
{
    bool absolute = *program == '/';
    cleanup_free char *here = realpath(".", NULL);
    cleanup_free char *path =
        strchr(program, '/') ? format("%s/%s", absolute || !here ? "" : here, program + absolute)
                             : search(getenv("PATH"), "", program, false);
    if (!path)
        return refuse("%s: no such program in $PATH", program);
    if (!listed(files, path))
        strings_add(files, take_ptr(&path));
    return 0;
}

/* "#!INTERPRETER [ARGUMENT]", see execve(2).  env(1) looks for its argument in $PATH. */
static int list_interpreter(struct strings *files, const char *script, char *line)
{
    static const char blank[] = " \t\n";
    char *rest, *word = strtok_r(line + 2, blank, &rest);
    bool env = word && strcmp(basename(word), "env") == 0;

    if (!word)
        return refuse("%s: a script whose first line names no interpreter", script);
    if (list_program(files, word) < 0)
        return -1;
    do /* pass over -S and NAME=VALUE */
        word = strtok_r(NULL, blank, &rest);
    while (word && (*word == '-' || strchr(word, '=')));
    return env && word ? list_program(files, word) : 0;
}

static int list_needs(struct strings *files, const char *path)
{
    char line[256]; /* of a script the kernel reads no more */
    cleanup_file FILE *file = open_regular(path);

    if (!file)
        return -1;
    if (fgets(line, sizeof(line), file) && strncmp(line, "#!", 2) == 0)
        return list_interpreter(files, path, line);
    return elf_check(file, path) < 0 ? -1 : list_libraries(files, path, file);
}

/* Written under another name and then renamed: what had the name before, maybe a link to
 * a file outside or a library in use, is replaced and not written to. */
static int copy_file(int rootfd, const char *path)
{
    const char *name = basename(path);
    cleanup_free char *parent = format("%.*s", (int)(name - path), path);
    cleanup_free char *draft = format(".copy-%d", getpid());
    cleanup_file FILE *in = open_regular(path);
    cleanup_fd int dir = in ? inroot_mkdir(rootfd, parent) : -1;
    struct stat status;

    if (dir < 0)
        return -1;
    unlinkat(dir, draft, 0);
    cleanup_fd int out = openat(dir, draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t n = out < 0 ? -1 : 1;
    while (n > 0)
        n = sendfile(out, fileno(in), NULL, 1 << 30);
    /* 0777: a set-user-ID bit stays outside. */
    if (n < 0 || fstat(fileno(in), &status) < 0 || fchmod(out, status.st_mode & 0777) < 0 ||
        renameat(dir, draft, dir, name) < 0) {
        fail("copy %s into the root", path);
        unlinkat(dir, draft, 0);
        return -1;
    }
    return 0;
}

int copy_program(int rootfd, const char *program)
{
    __attribute__((cleanup(list_free))) struct strings files = {0};

    if (list_program(&files, program) < 0)
        return -1;
    for (size_t i = 0; i < files.count; i++)
        if (list_needs(&files, files.items[i]) < 0)
            return -1;
    /* For a library in another directory than those that the loader was built to look into. */
    cleanup_fd int index = inroot_open(rootfd, "/etc/ld.so.cache", O_PATH, 0);
    if (index < 0 && files.count > 1 && access("/etc/ld.so.cache", R_OK) == 0)
        strings_add(&files, format("/etc/ld.so.cache"));
    for (size_t i = 0; i < files.count; i++)
        if (copy_file(rootfd, files.items[i]) < 0)
            return -1;
    return 0;
}
