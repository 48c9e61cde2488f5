/* System V shared memory: keys and identifiers, sharing, rights, removal. */
#include "tap.h"
#include <setjmp.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#define PAGE 4096L
#define KEY 0x56616d62
#define NOBODY 65534

static sigjmp_buf escape;

static void on_fault(int number UNUSED) { siglongjmp(escape, 1); }

/* True if writing one byte raises a signal. */
static int write_faults(volatile char *at) {
    if (sigsetjmp(escape, 1)) return 1;
    *at = 1;
    return 0;
}

static int make(size_t size) {
    int id = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);
    need(id >= 0);
    return id;
}

static struct shmid_ds status(int id) {
    struct shmid_ds seen;
    need(shmctl(id, IPC_STAT, &seen) == 0);
    return seen;
}

static void test_keys(void) {
    fails(shmget(KEY, PAGE, 0600), ENOENT, "a key that nothing has is ENOENT");
    int id = shmget(KEY, PAGE + 1, IPC_CREAT | 0640);
    ok(id >= 0, "IPC_CREAT makes a segment");
    is(shmget(KEY, 0, 0), id, "the key finds it, whatever smaller size is asked for");
    is(shmget(KEY, PAGE, IPC_CREAT | 0600), id, "IPC_CREAT finds it too");
    fails(shmget(KEY, PAGE, IPC_CREAT | IPC_EXCL | 0600), EEXIST, "IPC_EXCL is EEXIST");
    fails(shmget(KEY, PAGE + 2, 0600), EINVAL, "a larger size is EINVAL");
    fails(shmget(IPC_PRIVATE, 0, 0600), EINVAL, "a new segment of no bytes is EINVAL");
    fails(shmget(IPC_PRIVATE, SIZE_MAX, 0600), EINVAL, "one larger than shmmax is EINVAL");
    int other = make(PAGE), third = make(PAGE);
    ok(other != id && third != other, "IPC_PRIVATE always makes another");
    struct shmid_ds seen = status(id);
    ok(seen.shm_segsz == PAGE + 1 && seen.shm_perm.__key == KEY, "IPC_STAT tells size and key");
    ok((seen.shm_perm.mode & 0777) == 0640 && seen.shm_perm.uid == geteuid() && seen.shm_perm.cgid == getegid(), "and mode and owners");
    ok(seen.shm_cpid == getpid() && seen.shm_lpid == 0 && seen.shm_nattch == 0, "and its maker; nobody used it");
    ok(seen.shm_atime == 0 && seen.shm_dtime == 0 && labs(seen.shm_ctime - time(NULL)) < 60, "and when");
    is(shmctl(id, IPC_RMID, NULL), 0, "IPC_RMID removes it");
    fails(shmctl(id, IPC_STAT, &seen), EINVAL, "its identifier is EINVAL now");
    fails(shmget(KEY, PAGE, 0600), ENOENT, "its key is free");
    int next = make(PAGE);
    ok(next != id, "a new one has another identifier");
    shmctl(next, IPC_RMID, NULL);
    shmctl(other, IPC_RMID, NULL);
    shmctl(third, IPC_RMID, NULL);
    fails(shmctl(-1, IPC_STAT, &seen), EINVAL, "a negative identifier is EINVAL");
    fails(shmctl(id, 77, &seen), EINVAL, "an unknown command is EINVAL");
}

static volatile char *shared;

static int child_adds(void) {
    shared[1] = (char)(shared[0] + 1);
    return shmdt((void *)shared) == 0 && shmdt((void *)shared) == -1 ? 0 : 1;
}

static void test_sharing(void) {
    int id = make(3 * PAGE);
    char *one = shmat(id, NULL, 0);
    need(one != (void *)-1);
    char *two = shmat(id, NULL, SHM_RDONLY);
    need(two != (void *)-1);
    ok(one != two && one[3 * PAGE - 1] == 0, "two places of zeros");
    one[PAGE] = 42;
    is(two[PAGE], 42, "show the same memory");
    ok(write_faults(two), "SHM_RDONLY forbids writing");
    fails(mprotect(two, PAGE, PROT_READ | PROT_WRITE), EACCES, "and mprotect cannot allow it");
    is((long)status(id).shm_nattch, 2, "both are counted");
    shared = one;
    one[0] = 6;
    ok(exited_with(status_of(child_adds), 0) && one[1] == 7, "a child shares it, and detaches its own");
    is((long)status(id).shm_nattch, 2, "which changes nothing here");
    ok(status(id).shm_lpid != getpid() && status(id).shm_dtime != 0, "but it was the last user");
    fails(shmdt(one + PAGE), EINVAL, "shmdt takes the address of shmat");
    is(munmap(one + PAGE, PAGE), 0, "a hole in the middle");
    is((long)status(id).shm_nattch, 3, "makes two mappings of one");
    ok(shmdt(one) == 0 && mmap(one, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == one, "shmdt removes what is left of it");
    fails(shmat(id, one, 0), EINVAL, "shmat does not replace what is mapped");
    ok(shmat(id, one, SHM_REMAP) == one && one[PAGE] == 42, "but SHM_REMAP does");
    ok(shmdt(one) == 0 && shmat(id, one + 5, SHM_RND) == one, "SHM_RND rounds down");
    fails(shmat(id, one + 5, 0), EINVAL, "an unaligned address is EINVAL");
    fails(shmat(id, NULL, SHM_REMAP), EINVAL, "SHM_REMAP without an address is EINVAL");
    fails(shmat(id + 1, NULL, 0), EINVAL, "another identifier is EINVAL");
    need(shmdt(one) == 0 && shmdt(two) == 0);
    is((long)status(id).shm_nattch, 0, "nobody has it");
    shmctl(id, IPC_RMID, NULL);
}

static void test_removal(void) {
    int id = shmget(KEY, PAGE, IPC_CREAT | 0600);
    char *at = shmat(id, NULL, 0);
    need(at != (void *)-1);
    at[0] = 9;
    is(shmctl(id, IPC_RMID, NULL), 0, "a segment in use can be removed");
    is(at[0], 9, "its memory stays");
    struct shmid_ds seen = status(id);
    ok((seen.shm_perm.mode & SHM_DEST) && seen.shm_perm.__key == IPC_PRIVATE, "it is marked and has no key");
    fails(shmget(KEY, PAGE, 0600), ENOENT, "the key finds nothing");
    char *again = shmat(id, NULL, 0);
    ok(again != (void *)-1 && again[0] == 9, "it can still be attached");
    is(shmdt(again), 0, "and detached");
    is(shmdt(at), 0, "after the last shmdt");
    fails(shmctl(id, IPC_STAT, &seen), EINVAL, "it is gone");
}

static int nobody_tries(void) {
    int id = shmget(KEY, 0, 0);
    if (id < 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0) return 1;
    struct shmid_ds seen;
    if (shmget(KEY, 0, 0004) != id || shmget(KEY, 0, 0006) != -1 || errno != EACCES) return 2;
    if (shmat(id, NULL, 0) != (void *)-1 || errno != EACCES) return 3;
    char *at = shmat(id, NULL, SHM_RDONLY);
    if (at == (void *)-1 || at[0] != 5) return 4;
    if (shmctl(id, IPC_STAT, &seen) != 0) return 5;
    if (shmctl(id, IPC_RMID, NULL) != -1 || errno != EPERM) return 6;
    return shmctl(id, IPC_SET, &seen) == -1 && errno == EPERM ? 0 : 7;
}

static void test_rights(void) {
    int id = shmget(KEY, PAGE, IPC_CREAT | 0604);
    char *at = shmat(id, NULL, 0);
    need(at != (void *)-1);
    at[0] = 5;
    int ended = status_of(nobody_tries);
    ok(exited_with(ended, 0), "others may do what the mode says (step %d)", WEXITSTATUS(ended));
    struct shmid_ds seen = status(id);
    seen.shm_perm.mode = 0600;
    seen.shm_perm.uid = NOBODY;
    is(shmctl(id, IPC_SET, &seen), 0, "IPC_SET changes owner and mode");
    seen = status(id);
    ok(seen.shm_perm.uid == NOBODY && seen.shm_perm.cuid == geteuid() && (seen.shm_perm.mode & 0777) == 0600, "but not the maker");
    shmdt(at);
    shmctl(id, IPC_RMID, NULL);
}

static void test_tables(void) {
    int id = shmget(KEY, 2 * PAGE, IPC_CREAT | 0600);
    char *at = shmat(id, NULL, 0);
    need(at != (void *)-1);
    at[0] = 1;
    struct shm_info all;
    int highest = shmctl(0, SHM_INFO, (struct shmid_ds *)&all);
    ok(highest >= 0 && all.used_ids >= 1 && all.shm_tot >= 2 && all.shm_rss >= 1, "SHM_INFO counts segments and pages");
    struct shminfo limits;
    ok(shmctl(0, IPC_INFO, (struct shmid_ds *)&limits) == highest && limits.shmmni == 4096 && limits.shmmin == 1, "IPC_INFO tells the limits");
    int found = 0;
    for (int i = 0; i <= highest; i++) {
        struct shmid_ds seen;
        found += shmctl(i, SHM_STAT, &seen) == id && seen.shm_segsz == 2 * PAGE;
    }
    is(found, 1, "SHM_STAT finds it at one place");
    char line[512], want[64];
    int listed = 0, mapped = 0;
    FILE *file = fopen("/proc/sysvipc/shm", "r");
    need(file);
    while (fgets(line, sizeof line, file)) {
        int key, seen, mode;
        unsigned long size;
        listed += sscanf(line, "%d %d %o %lu", &key, &seen, &mode, &size) == 4 && key == KEY && seen == id && mode == 0600 && size == 2 * PAGE;
    }
    fclose(file);
    is(listed, 1, "/proc/sysvipc/shm lists it");
    file = fopen("/proc/self/maps", "r");
    need(file);
    while (fgets(line, sizeof line, file)) {
        unsigned long start;
        unsigned ino;
        char name[128] = "";
        snprintf(want, sizeof want, "/SYSV%08x", KEY);
        if (sscanf(line, "%lx-%*x %*4s %*x %*x:%*x %u %127s", &start, &ino, name) == 3)
            mapped += start == (unsigned long)at && (int)ino == id && strcmp(name, want) == 0;
    }
    fclose(file);
    is(mapped, 1, "/proc/self/maps names it");
    shmdt(at);
    shmctl(id, IPC_RMID, NULL);
}

int main(void) {
    plan(54);
    signal(SIGSEGV, on_fault);
    test_keys();
    test_sharing();
    test_removal();
    if (geteuid() == 0) test_rights();
    else skip(3, "only the superuser can become somebody else");
    test_tables();
    return done();
}
