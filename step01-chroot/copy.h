/* copy.h - bring a program into a root directory, with all it needs to start.
 *
 * A dynamically linked program names its loader (PT_INTERP) and its libraries
 * (DT_NEEDED); each library names more.  They are read from the ELF files
 * themselves: ldd(1) would run the program, which nobody should do with a file
 * that he doesn't trust.  See elf(5) and ld.so(8). */
#ifndef STEP01_COPY_H
#define STEP01_COPY_H

/* Copy PROGRAM (a path on the host, or a name to look up in $PATH) to the same
 * path below ROOTFD, with its loader and every library that it would load.  A
 * script comes with its interpreter, and the loader with its index, ld.so.cache,
 * unless the root has one.  Symbolic links are followed; files already there are
 * replaced.  What a program opens later, by dlopen(3) or as data, isn't found, and
 * a program with $ORIGIN in its RUNPATH needs /proc inside, as ld.so asks there.
 * Returns -1 with a message that names the file and what is wrong with it. */
int copy_program(int rootfd, const char *program);

#endif
