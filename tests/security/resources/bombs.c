/* Attacks on what a machine has only so much of; the first word says on what. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void fill(char *piece, size_t size) {
  for (size_t at = 0; at < size; at += 4096) ((volatile char *)piece)[at] = 1;
}

static void fork_bomb(void) {
  for (;;) fork();
}

static void *sleeper(void *nothing) {
  for (;;) pause();
  return nothing;
}

static void thread_bomb(void) {
  pthread_attr_t small;
  pthread_t thread;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 65536);
  for (;;) pthread_create(&thread, &small, sleeper, NULL);
}

/* Ends and leaves two children behind, over and over, each in a session of its own and without an environment. */
static void runaway_bomb(void) {
  for (;;) {
    if (fork() == 0) {
      setsid();
      clearenv();
      if (fork() != 0 && fork() != 0) _exit(0);
    }
  }
}

static void memory_bomb(void) {
  for (;;) {
    char *piece = malloc(1 << 20);
    if (piece != NULL) fill(piece, 1 << 20);
  }
}

static void shared_memory_bomb(void) {
  for (;;) {
    char *piece = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (piece != MAP_FAILED) fill(piece, 1 << 20);
  }
}

/* Many small processes, each below what one may have. */
static void scattered_memory_bomb(void) {
  for (int child = 0; child < 15; child++) {
    if (fork() == 0) {
      char *piece = malloc(30 << 20);
      fill(piece, 30 << 20);
      for (;;) pause();
    }
  }
  for (;;) pause();
}

/* Memory of the kernel's: what was sent and nobody reads. */
static void socket_bomb(void) {
  static char text[65536];
  int pair[2];
  for (int child = 0; child < 12; child++) {
    if (fork() == 0) break;
  }
  while (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0) {
    for (int end = 0; end < 2; end++) {
      while (send(pair[end], text, sizeof text, MSG_DONTWAIT) > 0) continue;
    }
  }
  for (;;) pause();
}

/* A page here and there: tables of pages without pages to speak of. */
static void page_table_bomb(void) {
  size_t span = (size_t)1 << 46;
  char *base = MAP_FAILED;
  while (base == MAP_FAILED && span > 1 << 30) {
    base = mmap(NULL, span, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    span /= 2;
  }
  if (base == MAP_FAILED) exit(3);
  volatile char seen;
  for (size_t at = 0; at < span; at += 2 << 20) seen = base[at];
  (void)seen;
  for (;;) pause();
}

static void disk_bomb(void) {
  static char block[1 << 20];
  char name[32];
  signal(SIGXFSZ, SIG_IGN);
  for (int file = 0;; file = (file + 1) % 100) {
    snprintf(name, sizeof name, "f%d", file);
    int out = open(name, O_CREAT | O_WRONLY | O_APPEND, 0600);
    if (write(out, block, sizeof block) < 0) errno = 0;
    close(out);
  }
}

/* Files without a name: open, or mapped only. */
static void nameless_bomb(int mapped) {
  static char block[1 << 20];
  for (int file = 0; file < 30; file++) {
    int out = open("nameless", O_CREAT | O_RDWR | O_EXCL, 0600);
    unlink("nameless");
    if (write(out, block, sizeof block) < 0) break;
    if (mapped) {
      mmap(NULL, sizeof block, PROT_READ, MAP_SHARED, out, 0);
      close(out);
    }
  }
  for (;;) pause();
}

static void file_bomb(void) {
  char name[32];
  for (long file = 0;; file++) {
    snprintf(name, sizeof name, "f%ld", file);
    close(open(name, O_CREAT | O_WRONLY, 0600));
  }
}

/* Folders in one another, deeper than any path may be long, and files at the bottom. */
static void deep_bomb(void) {
  char name[201];
  memset(name, 'd', 200);
  name[200] = 0;
  for (int depth = 0; depth < 90; depth++) {
    mkdir(name, 0700);
    if (chdir(name) != 0) break;
  }
  disk_bomb();
}

/* Deeper than there are descriptors or calls for, in a moment; then it ends before anybody looks. */
static void shaft(void) {
  for (int depth = 0; depth < 5000; depth++) {
    mkdir("s", 0700);
    if (chdir("s") != 0) break;
    if (depth % 100 == 0) close(open("file", O_CREAT | O_WRONLY, 0));
    if (depth % 1000 == 999) chmod(".", 0700);
  }
}

/* A folder that not even its owner may enter, but for a moment. */
static void closed_bomb(void) {
  static char block[1 << 20];
  char name[32];
  mkdir("closed", 0);
  for (int file = 0; file < 30; file++) {
    snprintf(name, sizeof name, "closed/f%d", file);
    chmod("closed", 0700);
    int out = open(name, O_CREAT | O_WRONLY, 0);
    chmod("closed", 0);
    if (write(out, block, sizeof block) < 0) break;
    close(out);
  }
  for (;;) pause();
}

static void flood(void) {
  static char block[1 << 20];
  memset(block, 'x', sizeof block);
  for (int piece = 0; piece < 1024; piece++) {
    if (write(1, block, sizeof block) < 0) break;
  }
}

static void stubborn(void) {
  for (int number = 1; number < 65; number++) signal(number, SIG_IGN);
  puts("up");
  fflush(stdout);
  for (;;) pause();
}

int main(int count, char **words) {
  const char *what = count > 1 ? words[1] : "";
  if (!strcmp(what, "fork")) fork_bomb();
  if (!strcmp(what, "threads")) thread_bomb();
  if (!strcmp(what, "runaways")) runaway_bomb();
  if (!strcmp(what, "memory")) memory_bomb();
  if (!strcmp(what, "shared-memory")) shared_memory_bomb();
  if (!strcmp(what, "scattered-memory")) scattered_memory_bomb();
  if (!strcmp(what, "sockets")) socket_bomb();
  if (!strcmp(what, "page-tables")) page_table_bomb();
  if (!strcmp(what, "disk")) disk_bomb();
  if (!strcmp(what, "nameless")) nameless_bomb(0);
  if (!strcmp(what, "nameless-mapped")) nameless_bomb(1);
  if (!strcmp(what, "files")) file_bomb();
  if (!strcmp(what, "deep")) deep_bomb();
  if (!strcmp(what, "shaft")) shaft();
  if (!strcmp(what, "closed")) closed_bomb();
  if (!strcmp(what, "flood")) flood();
  if (!strcmp(what, "stubborn")) stubborn();
  return 0;
}
