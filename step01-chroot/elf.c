#include "step01-chroot/elf.h"

#include <link.h>
#include <stdbool.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/error.h"

/* Which is our machine?  This program's own ELF header says it; the linker gives it
 * this name.  ElfW(Ehdr) is Elf64_Ehdr on a 64-bit machine, Elf32_Ehdr on a 32-bit one. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

typedef ElfW(Phdr) Phdr;

/* All reading is done by these two: an offset that lies finds nothing. */
static bool get(FILE *file, uint64_t offset, void *out, size_t size)
{
    return fseeko(file, (off_t)offset, SEEK_SET) == 0 && fread(out, size, 1, file) == 1;
}

static char *get_text(FILE *file, uint64_t offset)
{
    cleanup_free char *text = NULL;
    size_t size = 0;
    bool found = fseeko(file, (off_t)offset, SEEK_SET) == 0 && getdelim(&text, &size, 0, file) > 0;
    return found ? take_ptr(&text) : NULL;
}

/* The segment of this TYPE that will be at ADDRESS, or anywhere if that is 0. */
static bool find_segment(FILE *file, uint32_t type, uint64_t address, Phdr *out)
{
    ElfW(Ehdr) header = {0};
    get(file, 0, &header, sizeof(header));
    for (unsigned i = 0; i < header.e_phnum; i++)
        if (get(file, header.e_phoff + i * sizeof(*out), out, sizeof(*out)) &&
            out->p_type == type && (!address || address - out->p_vaddr < out->p_filesz))
            return true;
    return false;
}

/* The value of the Nth dynamic entry with this TAG.  An entry DT_NULL is the last. */
static bool find_value(FILE *file, int tag, unsigned n, uint64_t *value)
{
    Phdr dynamic;
    ElfW(Dyn) entry = {.d_tag = tag};
    if (!find_segment(file, PT_DYNAMIC, 0, &dynamic))
        return false;
    for (uint64_t at = dynamic.p_offset; get(file, at, &entry, sizeof(entry));
         at += sizeof(entry)) {
        *value = entry.d_un.d_val;
        if (entry.d_tag == DT_NULL || (entry.d_tag == tag && n-- == 0))
            return entry.d_tag == tag;
    }
    return false;
}

int elf_check(FILE *file, const char *path)
{
    ElfW(Ehdr) header;
    Phdr segment;
    char last;

    if (!get(file, 0, &header, sizeof(header)) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        (header.e_type != ET_EXEC && header.e_type != ET_DYN))
        return refuse("%s: neither an ELF program nor a script", path);
    /* The class (32 or 64 bits) and the byte order come behind the magic number. */
    if (memcmp(header.e_ident, __ehdr_start.e_ident, EI_DATA + 1) != 0 ||
        header.e_machine != __ehdr_start.e_machine)
        return refuse("%s: an ELF program for another kind of machine", path);
    for (unsigned i = 0; i < header.e_phnum; i++)
        if (!get(file, header.e_phoff + i * sizeof(segment), &segment, sizeof(segment)) ||
            (segment.p_filesz && !get(file, segment.p_offset + segment.p_filesz - 1, &last, 1)))
            return refuse("%s: a damaged ELF program, parts of it are missing", path);
    return 0;
}

char *elf_loader(FILE *file)
{
    Phdr loader;
    return find_segment(file, PT_INTERP, 0, &loader) ? get_text(file, loader.p_offset) : NULL;
}

char *elf_text(FILE *file, int tag, unsigned n)
{
    uint64_t text, table; /* where in the table the text is; the address of the table */
    Phdr load;            /* what part of the file will be there */
    if (!find_value(file, tag, n, &text) || !find_value(file, DT_STRTAB, 0, &table) ||
        !find_segment(file, PT_LOAD, table, &load))
        return NULL;
    return get_text(file, load.p_offset + (table - load.p_vaddr) + text);
}
