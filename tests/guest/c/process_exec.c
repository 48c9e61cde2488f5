/* execve: arguments, scripts, close-on-exec, what survives and what does not. */
#include "tap.h"
#include <pthread.h>
#include <sys/auxv.h>

static char self[PATH_MAX];

/* Runs `path` in a child; the status, or 200 + errno as the exit code when exec fails. */
static int exec_status(const char *path, char *const argv[], char *const envp[]) {
    int status;
    pid_t child = fork();
    need(child >= 0);
    if (child == 0) {
        execve(path, argv, envp);
        _exit(100 + errno);
    }
    waitpid(child, &status, 0);
    return status;
}

/* What the program does when it runs itself: `argv[1]` says what to look at. */
static int second_life(int argc, char **argv) {
    const char *what = argv[1];
    if (strcmp(what, "args") == 0)
        return argc == 5 && strcmp(argv[2], "a b") == 0 && strcmp(argv[3], "") == 0 && strcmp(argv[4], "z") == 0 &&
                       argv[5] == NULL ? 10 : 1;
    if (strcmp(what, "env") == 0)
        return getenv("ONLY") && strcmp(getenv("ONLY"), "one") == 0 && !getenv("PATH") ? 10 : 1;
    if (strcmp(what, "fds") == 0) return fcntl(50, F_GETFD) == -1 && errno == EBADF && fcntl(51, F_GETFD) == 0 ? 10 : 1;
    if (strcmp(what, "signals") == 0) {
        struct sigaction usr1, usr2;
        sigset_t mask;
        sigaction(SIGUSR1, NULL, &usr1);
        sigaction(SIGUSR2, NULL, &usr2);
        sigprocmask(SIG_SETMASK, NULL, &mask);
        return usr1.sa_handler == SIG_DFL && usr2.sa_handler == SIG_IGN && sigismember(&mask, SIGHUP) == 1 ? 10 : 1;
    }
    if (strcmp(what, "single") == 0) {
        char path[64];
        snprintf(path, sizeof path, "/proc/self/task/%d", getpid());
        return syscall(SYS_gettid) == getpid() && access(path, F_OK) == 0 ? 10 : 1;
    }
    if (strcmp(what, "script") == 0) return argc == 4 && strcmp(argv[3], "tail") == 0 ? 10 : 20 + argc;
    if (strcmp(what, "auxv") == 0) {
        const char *name = (const char *)getauxval(AT_EXECFN);
        const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
        int zero = 0;
        for (int i = 0; random && i < 16; i++) zero += random[i] == 0;
        return getauxval(AT_PAGESZ) == 4096 && name && strcmp(name, self) == 0 && random && zero < 8 &&
                       getauxval(AT_PHDR) && getauxval(AT_ENTRY) && getauxval(AT_CLKTCK) == 100 &&
                       getauxval(AT_UID) == getuid() && getauxval(AT_SECURE) == 0 ? 10 : 1;
    }
    return 2;
}

static void *exec_from_thread(void *unused UNUSED) {
    char *argv[] = {self, "single", NULL};
    execv(self, argv);
    _exit(3);
}
static void *wait_forever(void *unused UNUSED) {
    for (;;) pause();
    return NULL;
}

static void no_handler(int number UNUSED) {}

static int exec_in_a_crowd(void) {
    pthread_t thread;
    for (int i = 0; i < 4; i++) need(pthread_create(&thread, NULL, wait_forever, NULL) == 0);
    need(pthread_create(&thread, NULL, exec_from_thread, NULL) == 0);
    for (;;) pause();
}

static void test_state(void) {
    char *environment[] = {"ONLY=one", NULL};
    ok(exited_with(exec_status(self, (char *[]){"x", "args", "a b", "", "z", NULL}, environment), 10), "arguments arrive unchanged");
    ok(exited_with(exec_status(self, (char *[]){"x", "env", NULL}, environment), 10), "the environment is the given one");
    ok(exited_with(exec_status(self, (char *[]){"x", "auxv", NULL}, environment), 10), "the auxiliary vector is sound");
    int fd = open("/dev/null", O_RDONLY);
    need(dup3(fd, 50, O_CLOEXEC) == 50 && dup2(fd, 51) == 51);
    ok(exited_with(exec_status(self, (char *[]){"x", "fds", NULL}, environment), 10), "close-on-exec closes those alone");
    on_signal(SIGUSR1, no_handler, 0);
    on_signal(SIGUSR2, SIG_IGN, 0);
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGHUP);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    ok(exited_with(exec_status(self, (char *[]){"x", "signals", NULL}, environment), 10), "handlers reset, ignored and mask kept");
    sigprocmask(SIG_UNBLOCK, &mask, NULL);
    ok(exited_with(status_of(exec_in_a_crowd), 10), "exec from a thread leaves one thread, with the leader's pid");
}

static void test_scripts(void) {
    char text[PATH_MAX + 64];
    char *environment[] = {NULL};
    write_file("script", text, (size_t)snprintf(text, sizeof text, "#!%s script\nbody\n", self), 0755);
    ok(exited_with(exec_status("script", (char *[]){"ignored", "tail", NULL}, environment), 10), "a script runs its interpreter");
    write_file("spaces", text, (size_t)snprintf(text, sizeof text, "#! \t%s  script \t\nbody\n", self), 0755);
    ok(exited_with(exec_status("spaces", (char *[]){"ignored", "tail", NULL}, environment), 10), "blanks around the argument are trimmed");
    write_file("nested", "#!./script\n", 11, 0755);
    ok(exited_with(exec_status("nested", (char *[]){"ignored", NULL}, environment), 24 - 1) ||
           exited_with(exec_status("nested", (char *[]){"ignored", NULL}, environment), 24),
       "a script may be a script's interpreter");
    write_file("loop", "#!./loop\n", 9, 0755);
    ok(exited_with(exec_status("loop", (char *[]){"x", NULL}, environment), 100 + ELOOP), "an endless script chain is ELOOP");
    write_file("missing", "#!/no/such/program\n", 19, 0755);
    ok(exited_with(exec_status("missing", (char *[]){"x", NULL}, environment), 100 + ENOENT), "a missing interpreter is ENOENT");
    write_file("empty-line", "#!\n", 3, 0755);
    ok(exited_with(exec_status("empty-line", (char *[]){"x", NULL}, environment), 100 + ENOEXEC), "an empty interpreter is ENOEXEC");
}

static void test_errors(void) {
    char *environment[] = {NULL}, *argv[] = {"x", NULL};
    ok(exited_with(exec_status("absent", argv, environment), 100 + ENOENT), "a missing file is ENOENT");
    ok(exited_with(exec_status(".", argv, environment), 100 + EACCES), "a directory is EACCES");
    write_file("plain", "text", 4, 0644);
    ok(exited_with(exec_status("plain", argv, environment), 100 + EACCES), "a file without x is EACCES");
    write_file("text", "echo no header\n", 15, 0755);
    ok(exited_with(exec_status("text", argv, environment), 100 + ENOEXEC), "text without #! is ENOEXEC");
    write_file("nothing", "", 0, 0755);
    ok(exited_with(exec_status("nothing", argv, environment), 100 + ENOEXEC), "an empty file is ENOEXEC");
    ok(exited_with(exec_status("plain/x", argv, environment), 100 + ENOTDIR), "a file as directory is ENOTDIR");
    static char big[200000];
    memset(big, 'x', sizeof big - 1);
    ok(exited_with(exec_status(self, (char *[]){"x", big, NULL}, environment), 100 + E2BIG), "a string over 128 KiB is E2BIG");
    ok(exited_with(exec_status(self, NULL, NULL), 2) || 1, "a null argv is accepted or refused without harm");
    ok(exited_with(exec_status((char *)8, argv, environment), 100 + EFAULT), "a bad path pointer is EFAULT");
    ok(exited_with(exec_status(self, (char *const *)8, environment), 100 + EFAULT), "a bad argv is EFAULT");
    int fd = open(self, O_RDONLY | O_CLOEXEC);
    pid_t child = fork();
    int status;
    if (child == 0) {
        syscall(SYS_execveat, fd, "", (char *[]){"x", "env", NULL}, (char *[]){"ONLY=one", NULL}, AT_EMPTY_PATH);
        _exit(100 + errno);
    }
    waitpid(child, &status, 0);
    ok(exited_with(status, 10), "execveat runs an open file");
}

int main(int argc, char **argv) {
    need(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    if (argc > 1) return second_life(argc, argv);
    if (argc == 0 || strcmp(argv[0], "") == 0) return 2;
    plan(23);
    enter_scratch();
    test_state();
    test_scripts();
    test_errors();
    return done();
}
