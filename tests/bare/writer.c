/* A write load as process 1 of a machine: `writer ROUNDS`, 0 for no end.
 *
 * A child makes, fills, shortens, renames and removes files as fast as it can,
 * promising nothing. The parent replaces one file after another: it writes a
 * new one, synchronizes it, renames it over the old one and synchronizes the
 * directory. Then it prints `synced N`: from now on, whatever happens to the
 * power, /load/keep(N mod 16) holds N or a later number. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SLOTS = 16, LINES = 2000 };

static void need(int condition, const char *what) {
    if (condition) return;
    printf("failed %s: %s\n", what, strerror(errno));
    fflush(stdout);
    sync();
    reboot(RB_POWER_OFF);
    _exit(1);
}

static void restless(void) {
    static char block[40000];
    memset(block, 'r', sizeof block);
    for (unsigned i = 0;; i++) {
        char name[64], other[64];
        snprintf(name, sizeof name, "/load/dir%u/file%u", i % 7, i % 31);
        snprintf(other, sizeof other, "/load/dir%u/other%u", (i + 3) % 7, i % 13);
        char *slash = strrchr(name, '/');
        *slash = 0;
        mkdir(name, 0755);
        *slash = '/';
        int fd = open(name, O_RDWR | O_CREAT | (i % 3 ? O_APPEND : O_TRUNC), 0644);
        if (fd >= 0) {
            if (write(fd, block, 1 + i * 7919 % sizeof block) < 0 && errno != ENOSPC) _exit(1);
            if (i % 5 == 0 && ftruncate(fd, i % 3000) < 0) _exit(1);
            close(fd);
        }
        switch (i % 6) {
            case 0: unlink(other); break;
            case 1: rename(name, other); break;
            case 2: (void)!link(name, other); break;
            case 3: (void)!symlink("../somewhere", other); break;
            case 4: unlink(name); break;
            default: break;
        }
    }
}

static void replace(int directory, unsigned number) {
    char name[32];
    snprintf(name, sizeof name, "keep%u", number % SLOTS);
    int fd = openat(directory, "new", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    need(fd >= 0, "open");
    FILE *file = fdopen(fd, "w");
    need(file != NULL, "fdopen");
    for (int i = 0; i < LINES; i++) fprintf(file, "%u\n", number);
    need(fflush(file) == 0 && fsync(fd) == 0, "fsync");
    need(fclose(file) == 0, "close");
    need(renameat(directory, "new", directory, name) == 0, "rename");
    need(fsync(directory) == 0, "fsync of the directory");
    printf("synced %u\n", number);
    fflush(stdout);
}

int main(int count, char **words) {
    unsigned rounds = count > 1 ? (unsigned)atoi(words[1]) : 0;
    need(mkdir("/load", 0755) == 0 || errno == EEXIST, "mkdir");
    int directory = open("/load", O_RDONLY | O_DIRECTORY);
    need(directory >= 0, "/load");
    pid_t child = fork();
    need(child >= 0, "fork");
    if (child == 0) restless();
    for (unsigned number = 1; rounds == 0 || number <= rounds; number++) replace(directory, number);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    puts("finished");
    fflush(stdout);
    sync();
    reboot(RB_POWER_OFF);
}
