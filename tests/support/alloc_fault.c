#include "alloc_fault.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <zstd.h>

static atomic_long calls_until_fault = -1;
static atomic_long blocks;

/* The names are the linker's: __wrap_X stands where X was called, __real_X is X. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
char *__real_realpath(const char *path, char *out_path);
ZSTD_CCtx *__real_ZSTD_createCCtx(void);
ZSTD_DCtx *__real_ZSTD_createDCtx(void);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);
char *__wrap_realpath(const char *path, char *out_path);
ZSTD_CCtx *__wrap_ZSTD_createCCtx(void);
ZSTD_DCtx *__wrap_ZSTD_createDCtx(void);

void alloc_fault_arm(long calls_before)
{
    atomic_store(&calls_until_fault, calls_before);
}

bool alloc_fault_is_armed(void)
{
    return atomic_load(&calls_until_fault) >= 0;
}

long alloc_fault_blocks(void)
{
    return atomic_load(&blocks);
}

static bool is_refused(void)
{
    if (atomic_load(&calls_until_fault) < 0)
        return false;
    if (atomic_fetch_sub(&calls_until_fault, 1) != 0)
        return false;
    errno = ENOMEM;
    return true;
}

static void *counted(void *block)
{
    if (block != NULL)
        atomic_fetch_add(&blocks, 1);
    return block;
}

void *__wrap_malloc(size_t size)
{
    return is_refused() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *block, size_t size)
{
    if (is_refused())
        return NULL;
    return block == NULL ? counted(__real_malloc(size)) : __real_realloc(block, size);
}

void __wrap_free(void *block)
{
    if (block != NULL)
        atomic_fetch_sub(&blocks, 1);
    __real_free(block);
}

char *__wrap_realpath(const char *path, char *out_path)
{
    return is_refused() ? NULL : counted(__real_realpath(path, out_path));
}

ZSTD_CCtx *__wrap_ZSTD_createCCtx(void)
{
    return is_refused() ? NULL : __real_ZSTD_createCCtx();
}

ZSTD_DCtx *__wrap_ZSTD_createDCtx(void)
{
    return is_refused() ? NULL : __real_ZSTD_createDCtx();
}
