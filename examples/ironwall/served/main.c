/*
 * A program that its host can ask about its heap: `vambrace gc PATH collect`, `report`, `explain` and `tables`.
 *
 * usage: served [PATH]
 *
 * It listens at PATH, or where IRONWALL_SOCKET says, or at /run/ironwall/PID.sock. It prints that path, and the
 * addresses of the first and the last pair of a list of 100, on a line each. Then it waits at a host point, and does
 * what lines of its standard input say until that ends:
 *
 * collect    collect by itself, and print what lives and the digest of that
 * why        print why the last pair is alive
 * work       compute without a host point until the next line, which may be empty
 * damage     overwrite a reference, so that the next collection finds damage
 * fork       start a child that closes its copy of the socket and collects by itself, and wait for it
 * close      close the socket
 * listen     open it again
 */
#define _POSIX_C_SOURCE 200809L
#include "start.h"
#include "served.h"

#include <inttypes.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAIRS 100

/* Makes a list. Allocation does not collect, so the list needs no frame while it grows. */
static iw_ref make(iw_runtime *heap, iw_ref *last)
{
    iw_ref list = 0;
    int i;

    for (i = 0; i < PAIRS; i++) {
        iw_ref pair = served_Pair_new(heap);
        if (pair == 0) {
            example_fail(heap, "allocate", iw_allocation_status(heap));
        }
        served_Pair_at(pair)->rest = list;
        if (list == 0) {
            *last = pair;
        }
        list = pair;
    }
    return list;
}

static void listen_at(iw_runtime *heap, const char *path)
{
    char where[4096];
    iw_status status = iw_host_listen(heap, path);

    if (status == IW_OK) {
        status = iw_host_path(heap, where, sizeof where, NULL);
    }
    if (status != IW_OK) {
        example_fail(heap, "listen", status);
    }
    printf("%s\n", where);
}

static void collect(iw_runtime *heap)
{
    iw_report report = example_collect(heap);
    unsigned i;

    printf("live %" PRIu64 ", dead %" PRIu64 ", digest ", report.live, report.dead);
    for (i = 0; i < sizeof report.digest; i++) {
        printf("%02x", report.digest[i]);
    }
    printf("\n");
}

/* Asks for the length first, as the text may be of any. */
static void why(iw_runtime *heap, iw_ref block)
{
    uint64_t length = 0;
    char *text;
    iw_status status = iw_explain(heap, block, IW_EXPLAIN_TEXT, NULL, 0, &length);

    if (status != IW_BUFFER_TOO_SMALL) {
        example_fail(heap, "explain", status);
    }
    text = malloc(length + 1);
    if (text == NULL) {
        example_fail(heap, "explain", IW_NO_MEMORY);
    }
    status = iw_explain(heap, block, IW_EXPLAIN_TEXT, text, length + 1, NULL);
    if (status != IW_OK) {
        example_fail(heap, "explain", status);
    }
    printf("%s\n", text);
    free(text);
}

static int has_input(void)
{
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};

    return poll(&input, 1, 0) > 0;
}

/* Reads a line if there is one now: 1 for a line, 0 for none, -1 at the end of the input. */
static int next_line(char *line, size_t size)
{
    size_t length = 0;

    if (!has_input()) {
        return 0;
    }
    /* Byte by byte, so that nothing is left in a buffer that poll does not see. */
    while (length + 1 < size && read(STDIN_FILENO, line + length, 1) == 1) {
        if (line[length] == '\n') {
            line[length] = '\0';
            return 1;
        }
        length++;
    }
    return -1;
}

/* The child has a heap of its own, as it has memory of its own; the socket stays the parent's. */
static void in_child(iw_runtime *heap)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        int is_good = iw_host_close(heap) == IW_OK && iw_host_point(heap) == IW_OK && example_collect(heap).live == PAIRS;
        iw_destroy(heap);
        _exit(is_good ? 0 : 1);
    }
    printf("%s\n", child > 0 && waitpid(child, &status, 0) == child && status == 0 ? "forked" : "the child failed");
}

IW_FRAMED static void serve(iw_runtime *heap, const char *path)
{
    served_locals frame;
    iw_ref last = 0;
    char line[64];
    int found;

    served_locals_push(heap, &frame);
    make(heap, &last);
    frame.list = make(heap, &last);
    listen_at(heap, path);
    printf("0x%" PRIx64 "\n0x%" PRIx64 "\n", frame.list, last);
    fflush(stdout);
    while ((found = next_line(line, sizeof line)) >= 0) {
        if (found == 0) {
            /* Without a socket there is only the input to wait for. */
            if (iw_host_serve(heap, 20, NULL) == IW_NOT_LISTENING) {
                poll(NULL, 0, 20);
            }
            continue;
        }
        if (strcmp(line, "collect") == 0) {
            collect(heap);
        } else if (strcmp(line, "why") == 0) {
            why(heap, last);
        } else if (strcmp(line, "work") == 0) {
            printf("working\n");
            fflush(stdout);
            while (!has_input()) {
            }
            printf("worked\n");
            iw_host_point(heap);
        } else if (strcmp(line, "damage") == 0) {
            served_Pair_at(frame.list)->first = 0x10;
            printf("damaged\n");
        } else if (strcmp(line, "fork") == 0) {
            in_child(heap);
        } else if (strcmp(line, "close") == 0) {
            printf("%s\n", iw_status_text(iw_host_close(heap)));
        } else if (strcmp(line, "listen") == 0) {
            listen_at(heap, path);
        } else if (line[0] != '\0') {
            printf("what is \"%s\"?\n", line);
        }
        fflush(stdout);
    }
    served_locals_pop(heap, &frame);
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : getenv("IRONWALL_SOCKET");
    iw_unit unit = served_unit();
    iw_runtime *heap = example_start(1u << 20, 0, &unit, 1);

    serve(heap, path);
    iw_destroy(heap);
    return 0;
}
