/*
 * Opening and closing an LMDB store: find or make the folder, refuse a file that is not LMDB or was
 * cut short before LMDB maps it (it would answer with a SIGBUS), open, and remember what is open.
 *
 * The look-over reads LMDB's own structs (version 1 of its data format, LMDB 0.9) with pread. That
 * format is the machine's word size and byte order by definition, hence structs filled by memcpy.
 */

#define _POSIX_C_SOURCE 200809L

#include "lmdb_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATA_FILE "data.mdb"
#define LOCK_FILE "lock.mdb"
#define LOCK_FILE_BYTES 32768 /* what LMDB makes it for READERS_MAX */
#define READERS_MAX 510u      /* readers of all processes together; 64 bytes each in lock.mdb */
#define META_TRIES_MAX 100    /* other processes may commit between two looks */
#define TREE_DEPTH_MAX 32     /* LMDB's own CURSOR_STACK */
#define PAGE_BYTES_MIN 256u   /* LMDB's own bounds */
#define PAGE_BYTES_MAX 0x10000u
#define LMDB_MAGIC 0xBEEFC0DEu
#define LMDB_FORMAT 1u
#define PAGE_IS_BRANCH 0x01u
#define PAGE_IS_LEAF 0x02u
#define PAGE_IS_META 0x08u
#define NODE_IS_BIG 0x01u /* the value lies on pages of its own */

struct disk_page {
    size_t pgno;
    uint16_t pad;
    uint16_t flags;
    uint16_t lower; /* where the table of node offsets ends */
    uint16_t upper;
};

struct disk_node {
    uint16_t halves[2]; /* low half first on little-endian machines, last on the others */
    uint16_t flags;
    uint16_t key_bytes;
};

struct disk_tree {
    uint32_t page_bytes; /* in the first tree only */
    uint16_t flags;
    uint16_t depth;
    size_t branch_pages;
    size_t leaf_pages;
    size_t overflow_pages;
    size_t entries;
    size_t root; /* SIZE_MAX: empty */
};

struct disk_meta {
    uint32_t magic;
    uint32_t format;
    size_t address;
    size_t map_bytes;
    struct disk_tree trees[2]; /* the free pages, the data */
    size_t last_pgno;
    size_t txn_id;
};

/* A data file as one look at it found it. */
struct disk_file {
    int fd;
    size_t page_bytes;
    uint64_t page_count; /* whole pages that the file holds */
    uint8_t *page;       /* one page of room */
};

/*
 * The folders that this process has open. The one static state there is: LMDB forbids opening an
 * environment twice in a process (closing one drops the file locks of both), and two callers who
 * know nothing of each other can only meet here.
 */
static pthread_mutex_t open_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct lmdb_store *open_stores;

/* ---- looking the file over ---- */

static bool meta_read(int fd, size_t page_bytes, unsigned which, struct disk_meta *out_meta)
{
    uint8_t bytes[sizeof(struct disk_page) + sizeof(struct disk_meta)];
    struct disk_page page;

    if (pread(fd, bytes, sizeof bytes, (off_t)(which * page_bytes)) != (ssize_t)sizeof bytes)
        return false;
    memcpy(&page, bytes, sizeof page);
    memcpy(out_meta, bytes + sizeof page, sizeof *out_meta);
    return (page.flags & PAGE_IS_META) != 0 && out_meta->magic == LMDB_MAGIC &&
           (out_meta->format & 0xFFFFu) == LMDB_FORMAT;
}

/* Both meta pages are there and say the same page size. 0 when this is not an LMDB file. */
static size_t file_page_bytes(int fd)
{
    struct disk_meta metas[2];

    if (!meta_read(fd, 0, 0, &metas[0]))
        return 0;
    size_t page_bytes = metas[0].trees[0].page_bytes;
    bool is_power = (page_bytes & (page_bytes - 1)) == 0;
    if (!is_power || page_bytes < PAGE_BYTES_MIN || page_bytes > PAGE_BYTES_MAX)
        return 0;
    if (!meta_read(fd, page_bytes, 1, &metas[1]) || metas[1].trees[0].page_bytes != page_bytes)
        return 0;
    return page_bytes;
}

static uint32_t node_size_low(const struct disk_node *node)
{
    const uint16_t probe = 1;
    unsigned low = *(const uint8_t *)&probe == 1 ? 0 : 1;

    return node->halves[low] | (uint32_t)node->halves[1 - low] << 16;
}

/* Copy node `index` of the page in hand; false when it does not lie inside the page. */
static bool node_read(const struct disk_file *file, size_t index, struct disk_node *out_node,
                      size_t *out_at)
{
    uint16_t at;

    memcpy(&at, file->page + sizeof(struct disk_page) + index * sizeof at, sizeof at);
    if (at > file->page_bytes - sizeof *out_node)
        return false;
    memcpy(out_node, file->page + at, sizeof *out_node);
    *out_at = at;
    return true;
}

/* Does every value that this node keeps on pages of its own lie inside the file? */
static bool leaf_node_fits(const struct disk_file *file, const struct disk_node *node, size_t at)
{
    size_t pgno;
    size_t pgno_at = at + sizeof *node + node->key_bytes;

    if ((node->flags & NODE_IS_BIG) == 0)
        return true;
    if (pgno_at + sizeof pgno > file->page_bytes)
        return false;
    memcpy(&pgno, file->page + pgno_at, sizeof pgno);
    uint64_t bytes = sizeof(struct disk_page) + (uint64_t)node_size_low(node);
    uint64_t pages = (bytes + file->page_bytes - 1) / file->page_bytes;
    return pgno < file->page_count && pages <= file->page_count - pgno;
}

/* Read page `pgno`; *out_nodes is the number of its nodes. False when it is not there. */
static bool page_read(const struct disk_file *file, size_t pgno, struct disk_page *out_page,
                      size_t *out_nodes)
{
    if (pgno >= file->page_count)
        return false;
    off_t at = (off_t)((uint64_t)pgno * file->page_bytes);
    if (pread(file->fd, file->page, file->page_bytes, at) != (ssize_t)file->page_bytes)
        return false;
    memcpy(out_page, file->page, sizeof *out_page);
    if (out_page->lower < sizeof *out_page || out_page->lower > file->page_bytes)
        return false;
    *out_nodes = (out_page->lower - sizeof *out_page) / sizeof(uint16_t);
    return (out_page->flags & (PAGE_IS_BRANCH | PAGE_IS_LEAF)) != 0;
}

/* Walk a tree from its root: does everything it reaches lie inside the file? */
static bool tree_fits(const struct disk_file *file, const struct disk_tree *tree)
{
    struct {
        size_t pgno;
        size_t next;
    } path[TREE_DEPTH_MAX];
    size_t depth = 0;
    size_t nodes;
    size_t at;
    struct disk_page page;
    struct disk_node node;

    if (tree->root == SIZE_MAX)
        return true;
    path[depth].pgno = tree->root;
    path[depth++].next = 0;
    while (depth > 0) {
        if (!page_read(file, path[depth - 1].pgno, &page, &nodes))
            return false;
        if ((page.flags & PAGE_IS_LEAF) != 0) {
            for (size_t i = 0; i < nodes; i++) {
                if (!node_read(file, i, &node, &at) || !leaf_node_fits(file, &node, at))
                    return false;
            }
            depth--;
        } else if (path[depth - 1].next == nodes) {
            depth--;
        } else {
            if (depth == TREE_DEPTH_MAX || !node_read(file, path[depth - 1].next++, &node, &at))
                return false;
            /* A child's page number takes the flags too where it is wider than 32 bits. */
            uint64_t pgno = node_size_low(&node) | (uint64_t)node.flags << 32;
            path[depth].pgno = (size_t)pgno;
            path[depth++].next = 0;
        }
    }
    return true;
}

/* The meta page of the snapshot that `txn` holds; false when others committed in between. */
static bool meta_find(int fd, size_t page_bytes, MDB_txn *txn, struct disk_meta *out_meta)
{
    for (unsigned which = 0; which < 2; which++) {
        if (meta_read(fd, page_bytes, which, out_meta) && out_meta->txn_id == mdb_txn_id(txn))
            return true;
    }
    return false;
}

/*
 * Is the file as long as its last page says? A shorter one is not always cut: LMDB never writes a
 * page at the end that was taken and freed in one transaction. So when it is short, everything
 * reachable has to lie inside it. A reader holds the pages meanwhile against other processes.
 */
static enum cairn_status length_check(MDB_env *env, const char *path, struct cairn_err *err)
{
    struct disk_file file = {.fd = -1};
    struct disk_meta meta;
    struct stat stat;
    MDB_txn *txn = NULL;
    bool is_found = false;

    if (mdb_env_get_fd(env, &file.fd) != MDB_SUCCESS ||
        (file.page_bytes = file_page_bytes(file.fd)) == 0)
        return cairn_fail(err, CAIRN_IO, "The store in %s cannot be read.", path);
    for (int tries = 0; !is_found && tries < META_TRIES_MAX; tries++) {
        int rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
        if (rc != MDB_SUCCESS)
            return cairn_fail(err, cairn_lmdb_status(rc), "The store in %s cannot be read: %s.",
                              path, mdb_strerror(rc));
        is_found = meta_find(file.fd, file.page_bytes, txn, &meta);
        if (!is_found)
            mdb_txn_abort(txn);
    }
    if (!is_found)
        return cairn_fail(err, CAIRN_CONFLICT,
                          "The store in %s is written too often to be looked over. Try again.",
                          path);

    enum cairn_status status = CAIRN_OK;
    uint64_t needed_bytes = ((uint64_t)meta.last_pgno + 1) * file.page_bytes;
    file.page = malloc(file.page_bytes);
    if (file.page == NULL || fstat(file.fd, &stat) != 0) {
        status = cairn_fail(err, file.page == NULL ? CAIRN_NO_MEMORY : CAIRN_IO,
                            "The store in %s cannot be looked over.", path);
        goto out;
    }
    file.page_count = (uint64_t)stat.st_size / file.page_bytes;
    if ((uint64_t)stat.st_size < needed_bytes &&
        !(tree_fits(&file, &meta.trees[0]) && tree_fits(&file, &meta.trees[1])))
        status = cairn_fail(err, CAIRN_CORRUPT,
                            "The store in %s is cut short: %" PRIu64 " of %" PRIu64
                            " bytes are there. Nothing was changed. Restore it from a copy.",
                            path, (uint64_t)stat.st_size, needed_bytes);
out:
    mdb_txn_abort(txn);
    free(file.page);
    return status;
}

/* ---- the folder ---- */

/*
 * Open folder `path`, making it where `create`. A name is durable only once the folder that holds
 * it was synced, so the parent is.
 */
static enum cairn_status folder_open(const char *path, bool create, int *out_fd,
                                     struct cairn_err *err)
{
    bool is_new = create && mkdir(path, 0700) == 0;

    if (create && !is_new && errno != EEXIST)
        return cairn_fail(err, cairn_lmdb_status(errno), "The folder %s cannot be made: %s.", path,
                          strerror(errno));
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return cairn_fail(err, CAIRN_NOT_FOUND, "There is no store in %s.", path);
    if (fd < 0)
        return cairn_fail(err, errno == ENOTDIR ? CAIRN_CORRUPT : CAIRN_IO,
                          "The folder %s cannot be opened: %s.", path, strerror(errno));
    if (is_new) {
        int parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        bool is_synced = parent >= 0 && fsync(parent) == 0;
        if (parent >= 0)
            close(parent);
        if (!is_synced) {
            close(fd);
            return cairn_fail(err, CAIRN_IO, "The folder that holds %s cannot be synced.", path);
        }
    }
    *out_fd = fd;
    return CAIRN_OK;
}

/*
 * What stands in the folder. An empty file is what a power cut leaves of a store that was never
 * written; it counts as none. Anything
 * else must have LMDB's meta pages before LMDB sees it.
 */
static enum cairn_status data_file_check(int folder, const char *path, bool create,
                                         bool *out_is_fresh, struct cairn_err *err)
{
    struct stat stat;
    int fd = openat(folder, DATA_FILE, O_RDONLY | O_CLOEXEC);

    if (fd < 0 && errno != ENOENT)
        return cairn_fail(err, CAIRN_IO, "The file %s/%s cannot be opened: %s.", path, DATA_FILE,
                          strerror(errno));
    bool is_fresh = fd < 0 || (fstat(fd, &stat) == 0 && stat.st_size == 0);
    bool is_lmdb = !is_fresh && file_page_bytes(fd) != 0;
    if (fd >= 0)
        close(fd);
    if (is_fresh && !create)
        return cairn_fail(err, CAIRN_NOT_FOUND, "There is no store in %s.", path);
    if (!is_fresh && !is_lmdb)
        return cairn_fail(err, CAIRN_CORRUPT,
                          "The file %s/%s is not a store, or its beginning is damaged. Nothing was "
                          "changed. Restore it from a copy.",
                          path, DATA_FILE);
    *out_is_fresh = is_fresh;
    return CAIRN_OK;
}

/*
 * Give the lock file its blocks before LMDB maps it. LMDB leaves it sparse, and the first reader to
 * touch a hole in it on a full disk would die of a SIGBUS. Never while this process has the store
 * open, because closing any descriptor of the file drops the locks that LMDB holds on it.
 */
static enum cairn_status lock_file_fill(int folder, const char *path, struct cairn_err *err)
{
    struct stat stat;
    int fd = openat(folder, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int rc = 0;

    if (fd < 0 || fstat(fd, &stat) != 0)
        rc = errno;
    else if (stat.st_size == 0)
        rc = posix_fallocate(fd, 0, LOCK_FILE_BYTES);
    else if (stat.st_blocks * 512 < stat.st_size)
        rc = posix_fallocate(fd, 0, stat.st_size); /* its size is what others count readers by */
    if (fd >= 0)
        close(fd);
    if (rc == 0 || rc == EOPNOTSUPP || rc == EINVAL) /* a file system that cannot: go without */
        return CAIRN_OK;
    return cairn_fail(err, cairn_lmdb_status(rc), "The file %s/%s cannot be made: %s.", path,
                      LOCK_FILE, strerror(rc));
}

static bool folder_claim(struct lmdb_store *self)
{
    const struct lmdb_store *other;

    pthread_mutex_lock(&open_mutex);
    for (other = open_stores; other != NULL; other = other->next) {
        if (other->device == self->device && other->inode == self->inode)
            break;
    }
    if (other == NULL) {
        self->next = open_stores;
        open_stores = self;
    }
    pthread_mutex_unlock(&open_mutex);
    return other == NULL;
}

static void folder_unclaim(struct lmdb_store *self)
{
    pthread_mutex_lock(&open_mutex);
    struct lmdb_store **link = &open_stores;
    while (*link != self)
        link = &(*link)->next;
    *link = self->next;
    pthread_mutex_unlock(&open_mutex);
}

/* ---- opening and closing ---- */

/* A map with room for as much again, so that a big store does not begin with a CONFLICT. */
static int map_fit(MDB_env *env)
{
    MDB_envinfo info;
    MDB_stat stat;
    size_t map_bytes = LMDB_MAP_START_BYTES;

    int rc = mdb_env_info(env, &info);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_stat(env, &stat);
    if (rc != MDB_SUCCESS)
        return rc;
    while (map_bytes < LMDB_MAP_MAX_BYTES &&
           map_bytes / 2 < ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize)
        map_bytes *= 2;
    return map_bytes > info.me_mapsize ? mdb_env_set_mapsize(env, map_bytes) : MDB_SUCCESS;
}

static int database_open(struct lmdb_store *self)
{
    MDB_txn *txn;

    int rc = mdb_txn_begin(self->env, NULL, MDB_RDONLY, &txn);
    if (rc != MDB_SUCCESS)
        return rc;
    rc = mdb_dbi_open(txn, NULL, 0, &self->dbi);
    mdb_txn_abort(txn);
    return rc;
}

/*
 * A full disk cuts the very first write, of the two meta pages, short. What is left would be
 * refused for ever as a damaged store; no transaction was ever in it, and empty it counts as none.
 */
static void stillborn_empty(int folder)
{
    struct stat stat;
    int fd = openat(folder, DATA_FILE, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return;
    if (fstat(fd, &stat) == 0 && stat.st_size < 2 * (off_t)sysconf(_SC_PAGESIZE) &&
        ftruncate(fd, 0) != 0) {
        /* Then the next one to come is told that it is damaged. */
    }
    close(fd);
}

/* Everything between a claimed folder and a store ready for use; self->env is closed by others. */
static enum cairn_status env_open(struct lmdb_store *self, const char *path, int folder,
                                  bool is_fresh, struct cairn_err *err)
{
    int dead_readers;

    int rc = mdb_env_create(&self->env);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_set_maxreaders(self->env, READERS_MAX);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_set_mapsize(self->env, LMDB_MAP_START_BYTES);
    if (rc == MDB_SUCCESS)
        rc = mdb_env_open(self->env, path, MDB_NOTLS, 0600);
    if (rc == MDB_SUCCESS && is_fresh)
        rc = mdb_env_sync(self->env, 1);
    if (rc == MDB_SUCCESS && is_fresh && fsync(folder) != 0)
        rc = errno;
    if (rc == MDB_SUCCESS)
        rc = mdb_reader_check(self->env, &dead_readers);
    if (rc == MDB_SUCCESS)
        rc = map_fit(self->env);
    if (rc == MDB_SUCCESS)
        rc = database_open(self);
    if (rc != MDB_SUCCESS)
        return cairn_fail(err, cairn_lmdb_status(rc), "The store in %s cannot be opened: %s.", path,
                          mdb_strerror(rc));
    return length_check(self->env, path, err);
}

void cairn_lmdb_close(struct cairn_store *store)
{
    struct lmdb_store *self = (struct lmdb_store *)store;

    CAIRN_ASSERT(self->open_txns == NULL);
    cairn_lmdb_idle_release(self);
    mdb_env_close(self->env); /* a NULL one is fine */
    folder_unclaim(self);     /* only now may another open take the file locks */
    pthread_cond_destroy(&self->grown);
    pthread_mutex_destroy(&self->mutex);
    free(self);
}

static enum cairn_status store_new(int folder, const char *path, struct lmdb_store **out_store,
                                   struct cairn_err *err)
{
    struct stat stat;
    struct lmdb_store *self;

    if (fstat(folder, &stat) != 0)
        return cairn_fail(err, CAIRN_IO, "The folder %s cannot be read: %s.", path,
                          strerror(errno));
    self = calloc(1, sizeof *self);
    if (self == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, "There is no memory to open the store in %s.",
                          path);
    self->base.ops = &cairn_lmdb_ops;
    self->device = stat.st_dev;
    self->inode = stat.st_ino;
    if (!folder_claim(self)) {
        free(self);
        return cairn_fail(err, CAIRN_LOCKED,
                          "The store in %s is open in this program already. Close it first.", path);
    }
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->grown, NULL);
    *out_store = self;
    return CAIRN_OK;
}

enum cairn_status cairn_store_lmdb_open(const char *path, bool create,
                                        struct cairn_store **out_store, struct cairn_err *err)
{
    struct lmdb_store *self = NULL;
    int folder = -1;
    bool is_fresh = false;

    enum cairn_status status = folder_open(path, create, &folder, err);
    if (status != CAIRN_OK)
        return status;
    status = store_new(folder, path, &self, err);
    if (status != CAIRN_OK)
        goto out;
    status = data_file_check(folder, path, create, &is_fresh, err);
    if (status == CAIRN_OK)
        status = lock_file_fill(folder, path, err);
    if (status == CAIRN_OK)
        status = env_open(self, path, folder, is_fresh, err);
    if (status == CAIRN_OK)
        *out_store = &self->base;
    else
        cairn_lmdb_close(&self->base);
    if (status != CAIRN_OK && is_fresh)
        stillborn_empty(folder);
out:
    close(folder);
    return status;
}

const char *cairn_store_lmdb_version(void)
{
    return mdb_version(NULL, NULL, NULL);
}
