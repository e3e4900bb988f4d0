"""Stands beside a program in the tier ``landlock``: ``python -I -S warden.py DESCRIPTOR < gate``.

It waits at the gate, starts the program as its child inside the walls, and itself stays outside of them. All that the
program starts stays below the warden, even what leaves session and parent behind (the warden is a "subreaper", see
prctl(2)); when the program ends, or the lab does, or the lab sends SIGTERM, none of it is left. The warden is two
processes, so that this holds too when somebody kills one of them.

Where the program has the lab's own user number, the kernel asks the warden (seccomp_unotify(2)) before it changes the
mode or time of a file, which Landlock doesn't limit, and before it makes a process or thread, which the kernel would
count together with everything else that this user runs.

It runs without site-packages, which would take as long again to start, and so imports nothing but the standard
library. Numbers are those of ``linux/prctl.h``, ``linux/capability.h``, ``linux/seccomp.h`` and ``linux/openat2.h``.
"""

import ctypes
import errno
import fcntl
import json
import os
import select
import signal
import socket
import struct
import sys
from contextlib import closing, suppress
from typing import Any, NoReturn

_libc = ctypes.CDLL(None, use_errno=True)

PDEATHSIG, KEEPCAPS, CAPBSET_DROP, CHILD_SUBREAPER, NO_NEW_PRIVS, CAP_AMBIENT, AMBIENT_RAISE = 1, 8, 24, 36, 38, 47, 2
DAC_READ_SEARCH = 2
CAPABILITY_VERSION = 0x20080522
MODE_FILTER, NEW_LISTENER = 1, 8
NOTIF_RECEIVE, NOTIF_SEND, NOTIF_ID_VALID = 0xC0502100, 0xC0182101, 0x40082102
NOTIF_CONTINUE = 1
BENEATH = 0x02 | 0x04 | 0x08  # no magic links, no links, nothing above
AT_FDCWD, AT_EMPTY_PATH = -100, 0x1000
RESTRICT_SELF, OPENAT2 = 446, 437
SECCOMP, CAPSET = {"x86_64": (317, 126), "aarch64": (277, 91)}[os.uname().machine]

KILLED = 128 + signal.SIGKILL


def check(result: int) -> int:
    """The result of a C function, or the error that it left."""
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def prctl(option: int, *arguments: int) -> None:
    check(_libc.prctl(option, *(ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:4])))


def become(user: int) -> None:
    """Give all rights away but that of reaching files in closed folders; which files those are, Landlock says."""
    for capability in range(64):
        if capability != DAC_READ_SEARCH:
            with suppress(OSError):  # this kernel has fewer
                prctl(CAPBSET_DROP, capability)
    prctl(KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    kept = 1 << DAC_READ_SEARCH
    sets = struct.pack("<6I", kept, kept, kept, 0, 0, 0)
    check(_libc.syscall(CAPSET, struct.pack("<II", CAPABILITY_VERSION, 0), sets))
    prctl(CAP_AMBIENT, AMBIENT_RAISE, DAC_READ_SEARCH)


def enter(spec: dict[str, Any], flags: int) -> int:
    """Put this process behind the walls; what seccomp(2) answers: with ``NEW_LISTENER``, where the kernel asks."""
    if spec["user"] is not None:
        become(spec["user"])
    if not spec["alone"]:
        prctl(PDEATHSIG, signal.SIGKILL)
    prctl(NO_NEW_PRIVS, 1)
    check(_libc.syscall(RESTRICT_SELF, spec["ruleset"], 0))
    code = bytes.fromhex(spec["filter"])
    held = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("<HxxxxxxQ", len(code) // 8, ctypes.addressof(held))
    return check(_libc.syscall(SECCOMP, MODE_FILTER, flags, program))


def begin(command: list[str]) -> NoReturn:
    """Become the program."""
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # by Python
        signal.signal(ignored, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        os.write(1, f"{command[0]}: {error.strerror}\n".encode())
        os._exit(127 if error.errno == errno.ENOENT else 126)


def wait_at_gate() -> int:
    """Tell the lab that the walls stand; how many processes and threads it allows, when it opens the gate."""
    os.write(2, b"\x01")
    line = b""
    while not line.endswith(b"\n"):
        word = os.read(0, 1)
        if not word:
            os._exit(125)  # the lab is gone
        line += word
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(1, 2)
    return int(line.strip() or b"64")


def descendants() -> dict[int, int]:
    """Everything below this process: numbers, and how many threads each has."""
    parents: dict[int, list[tuple[int, int]]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                # The name, in brackets, may hold anything, brackets and spaces included.
                fields = file.read().rpartition(b")")[2].split()
                parents.setdefault(int(fields[1]), []).append((int(name), int(fields[17])))
    found: dict[int, int] = {}
    ahead = [os.getpid()]
    while ahead:
        for pid, threads in parents.pop(ahead.pop(), ()):
            found[pid] = threads
            ahead.append(pid)
    return found


class Desk:
    """Answers the kernel's questions about a program with the lab's own user number.

    Parameters
    ----------
    listener
        Where it asks.
    work
        The only folder in which modes and times may be changed.
    asked
        Names of calls by their number.
    tasks
        How many processes and threads the program may have.
    """

    def __init__(self, listener: int, work: str, asked: dict[int, str], tasks: int) -> None:
        self.listener = listener
        self._work = work
        self._folder = os.open(work, os.O_PATH | os.O_DIRECTORY)
        self._asked = asked
        self._tasks = tasks
        self._left = 0

    def answer(self) -> None:
        """Take one question."""
        question = bytearray(80)
        try:
            fcntl.ioctl(self.listener, NOTIF_RECEIVE, question)
        except OSError:  # whoever asked was killed meanwhile
            return
        ident, pid, _, call, _, _, *arguments = struct.unpack("<QIIiIQ6Q", question)
        name = self._asked[call]
        error = flags = 0
        if name in ("fork", "vfork", "clone"):
            error, flags = (0, NOTIF_CONTINUE) if self._may_start() else (errno.EAGAIN, 0)
        else:
            try:
                self._change(ident, pid, name, arguments)
            except OSError as refused:
                error = refused.errno or errno.EPERM
        with suppress(OSError):
            fcntl.ioctl(self.listener, NOTIF_SEND, struct.pack("<QqiI", ident, 0, -error, flags))

    def _may_start(self) -> bool:
        if self._left <= 0:
            # Counted again only when as many were started as there was room for: some have ended meanwhile.
            self._left = self._tasks - sum(descendants().values())
        self._left -= 1
        return self._left >= 0

    def _change(self, ident: int, pid: int, name: str, arguments: list[int]) -> None:
        """Do what a call asks for, if it is in the work folder."""
        if name in ("chmod", "fchmod"):
            place, flags = (AT_FDCWD, 0) if name == "chmod" else (_signed(arguments[0]), AT_EMPTY_PATH)
            path, rest = (arguments[0] if name == "chmod" else 0), arguments[1:]
        else:
            place, path, *rest = _signed(arguments[0]), *arguments[1:]
            flags = rest[1] if name in ("fchmodat2", "utimensat") else 0
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            text = _text(memory.fileno(), path) if path else ""
            times = os.pread(memory.fileno(), 32, rest[0]) if name == "utimensat" and rest[0] else None
        # Only now it is sure that the memory was that of who asks: numbers of processes are used again.
        fcntl.ioctl(self.listener, NOTIF_ID_VALID, struct.pack("<Q", ident))
        target = self._open(pid, place, text, flags)
        try:
            if name == "utimensat":
                check(_libc.utimensat(AT_FDCWD, f"/proc/self/fd/{target}".encode(), times, 0))
            else:
                os.chmod(f"/proc/self/fd/{target}", rest[0] & 0o1777)
        finally:
            os.close(target)

    def _open(self, pid: int, place: int, path: str, flags: int) -> int:
        """A file in the work folder that a program names by a path, or has open."""
        base = f"/proc/{pid}/cwd" if place == AT_FDCWD else f"/proc/{pid}/fd/{place}"
        if not path:
            target = os.open(base, os.O_PATH)
            if self._is_inside(os.readlink(f"/proc/self/fd/{target}")):
                return target
            os.close(target)
            raise PermissionError(errno.EPERM, "not in the work folder")
        full = os.path.normpath(os.path.join(os.readlink(base) if not path.startswith("/") else "/", path))
        if not self._is_inside(full):
            raise PermissionError(errno.EPERM, "not in the work folder")
        how = struct.pack("<QQQ", os.O_PATH | os.O_CLOEXEC, 0, BENEATH)
        relative = os.path.relpath(full, self._work).encode(errors="surrogateescape")
        return check(_libc.syscall(OPENAT2, self._folder, relative, how, len(how)))

    def _is_inside(self, path: str) -> bool:
        return path == self._work or path.startswith(self._work + "/")


def _signed(word: int) -> int:
    return int(ctypes.c_int(word & 0xFFFFFFFF).value)


def _text(memory: int, address: int) -> str:
    """A path in a program's memory; read page by page, for the next one may not be there."""
    text = b""
    while b"\0" not in text and len(text) < 4096:
        piece = os.pread(memory, 4096 - address % 4096, address)
        text, address = text + piece, address + len(piece)
    return os.fsdecode(text.partition(b"\0")[0])


def end_all(user: int | None, desk: Desk | None) -> None:
    """Nothing below this process is left."""
    sweeper = None
    if desk is not None:
        os.close(desk.listener)  # from here on nobody starts anything: who asks is told that there is no such call
    elif user is not None and (sweeper := os.fork()) == 0:
        # The one signal that the kernel sends to all at once, so that nobody is born meanwhile.
        os.setresuid(user, user, user)
        with suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        os._exit(0)
    with suppress(ChildProcessError):
        while True:
            for pid in descendants():
                if pid != sweeper:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            os.waitpid(-1, 0)
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass


def start(spec: dict[str, Any], tasks: int) -> tuple[int, Desk | None]:
    """The program as a child; its number, and where the kernel asks about it."""
    mine, childs = socket.socketpair()
    asks = spec["user"] is None
    child = os.fork()
    if child == 0:
        os.setsid()
        with suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
            score.write("1000")  # a machine without memory shall end the program, not who watches it
        try:
            listener = enter(spec, NEW_LISTENER if asks else 0)
            if asks:
                socket.send_fds(childs, [b"!"], [listener])
                os.close(listener)
        except OSError as error:
            os.write(1, f"The walls could not be closed: {error.strerror}\n".encode())
            os._exit(125)
        begin(spec["command"])
    childs.close()
    with closing(mine):
        _, listeners, _, _ = socket.recv_fds(mine, 1, 1) if asks else (b"", [], 0, None)
    if not listeners:
        return child, None
    calls = {int(number): name for number, name in spec["asked"].items()}
    return child, Desk(listeners[0], spec["work"], calls, tasks)


def watch(child: int, desk: Desk | None, others: tuple[int, ...], wakes: socket.socket) -> int:
    """Accompany a child to its end, or that of one of the others; the exit code."""
    poll = select.poll()
    for descriptor in (*others, wakes.fileno(), *([desk.listener] if desk else [])):
        poll.register(descriptor, select.POLLIN)
    while True:
        for descriptor, events in poll.poll():
            if desk is not None and descriptor == desk.listener:
                if events & select.POLLIN:
                    desk.answer()
                else:
                    poll.unregister(descriptor)  # the last who could ask has ended
                continue
            if descriptor in others or signal.SIGTERM in wakes.recv(4096):
                return KILLED
            ended = os.waitpid(-1, os.WNOHANG)
            while ended[0]:
                if ended[0] == child:
                    code = os.waitstatus_to_exitcode(ended[1])
                    return 128 - code if code < 0 else code
                ended = os.waitpid(-1, os.WNOHANG)


def listen() -> socket.socket:
    """Where this process reads of its signals, which do nothing else."""
    wakes, wake = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.detach(), warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    return wakes


def main() -> NoReturn:
    with open(int(sys.argv[1]), "rb") as file:
        spec = json.load(file)
    os.set_inheritable(spec["ruleset"], False)
    if spec["alone"]:
        wait_at_gate()
        enter(spec, 0)
        begin(spec["command"])
    lab = os.pidfd_open(spec["lab"])
    if os.getppid() != spec["lab"]:
        os._exit(125)
    prctl(CHILD_SUBREAPER, 1)
    tasks = wait_at_gate()
    outer, wakes = os.pidfd_open(os.getpid()), listen()
    desk = None
    if inner := os.fork():
        code = watch(inner, desk, (lab,), wakes)
    else:
        prctl(CHILD_SUBREAPER, 1)
        wakes = listen()
        child, desk = start(spec, tasks)
        code = watch(child, desk, (lab, outer), wakes)
    end_all(spec["user"], desk)
    if inner and select.select([lab], [], [], 0)[0]:
        # Nobody else is there to tidy up.
        import shutil

        with suppress(RecursionError):
            shutil.rmtree(spec["work"], ignore_errors=True)
    os._exit(code)


if __name__ == "__main__":
    main()
