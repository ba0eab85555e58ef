/* elf.h - what an ELF file asks for before it can start; see elf(5).
 *
 * The kernel reads the program headers: PT_INTERP names the loader.  The loader
 * reads the dynamic section, an array of tags and values: DT_NEEDED names a
 * library, DT_RUNPATH directories to find it in.  "readelf -ld" shows them.  The
 * file is read, never run, and not trusted: what it points to may lie outside it. */
#ifndef STEP01_ELF_H
#define STEP01_ELF_H

#include <stdio.h>

/* Is FILE a program or a library for our kind of machine, and all there?  Returns
 * -1 with a message if not, in which it is called PATH. */
int elf_check(FILE *file, const char *path);

/* The loader that it names; NULL if it names none, as a static program does. */
char *elf_loader(FILE *file);

/* The text of the Nth entry (from 0) with this TAG, such as DT_NEEDED; NULL if
 * there are fewer.  The caller frees it, and the loader's name as well. */
char *elf_text(FILE *file, int tag, unsigned n);

#endif
