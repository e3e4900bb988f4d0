"""The system calls that no sandboxed program needs, as a BPF program for seccomp(2).

Written out here instead of through libseccomp, which not every machine has. The format is that of seccomp(2) and
``linux/filter.h``: instructions of 8 bytes (code, jump if true, jump if false, operand) over ``struct seccomp_data``
(number, architecture, instruction pointer, six 64-bit arguments).
"""

import errno
import platform
import struct

from jupyter_fpga.compute.sandbox.syscalls import AUDIT, number

__all__ = ("ASKED", "seccomp_filter")

# Instruction codes, from linux/bpf_common.h.
_LOAD_WORD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_AND = 0x54  # BPF_ALU | BPF_AND | BPF_K
_JUMP_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_JUMP_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_JUMP_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K

_ALLOW = 0x7FFF0000
_ASK = 0x7FC00000  # SECCOMP_RET_USER_NOTIF
_KILL = 0x80000000
_ERRNO = 0x00050000

_NUMBER, _ARCHITECTURE = 0, 4
_X32_BIT = 0x40000000
_AF_UNIX, _SOCK_STREAM, _SOCK_TYPE = 1, 1, 0xF
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_NEW_NAMESPACES = 0x7E020080
"""``CLONE_NEW{TIME,NS,CGROUP,UTS,IPC,USER,PID,NET}``."""

_DENIED = [
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "kcmp",
    "pidfd_getfd",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "open_tree",
    "open_tree_attr",
    "move_mount",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "mount_setattr",
    "statmount",
    "listmount",
    "unshare",
    "setns",
    "swapon",
    "swapoff",
    "quotactl",
    "quotactl_fd",
    "acct",
    "reboot",
    "sethostname",
    "setdomainname",
    "settimeofday",
    "clock_settime",
    "clock_adjtime",
    "adjtimex",
    "syslog",
    "vhangup",
    "iopl",
    "ioperm",
    "modify_ldt",
    "uselib",
    "init_module",
    "delete_module",
    "finit_module",
    "kexec_load",
    "kexec_file_load",
    "add_key",
    "request_key",
    "keyctl",
    "perf_event_open",
    "bpf",
    "userfaultfd",
    "lookup_dcookie",
    "name_to_handle_at",
    "open_by_handle_at",
    "fanotify_init",
    "fanotify_mark",
    "file_setattr",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "memfd_secret",
    "migrate_pages",
    "move_pages",
    "ioprio_set",
    "connect",
]

# ENOSYS lets C libraries fall back to what is older: clone for clone3. The rest is memory that the supervisor couldn't
# see, what programs of one user share without a name space, and a way to watch folders that can't be read.
_ABSENT = [
    "clone3",
    "shmget",
    "shmat",
    "shmctl",
    "msgget",
    "msgsnd",
    "msgrcv",
    "msgctl",
    "semget",
    "semop",
    "semtimedop",
    "semctl",
    "mq_open",
    "mq_unlink",
    "memfd_create",
    "inotify_init",
    "inotify_init1",
]

ASKED = ("fork", "vfork", "clone", "chmod", "fchmod", "fchmodat", "fchmodat2", "utimensat")
"""Calls of a program with the lab's own user number that the warden decides on."""

_ATTRIBUTES = [
    "setxattr",
    "lsetxattr",
    "fsetxattr",
    "setxattrat",
    "removexattr",
    "lremovexattr",
    "fremovexattr",
    "removexattrat",
]
_OWNERSHIP = ["chown", "fchown", "lchown", "fchownat", "utime", "utimes", "futimesat"]

Instruction = tuple[int, int, int, int]


def _argument(index: int) -> Instruction:
    """Load the low word of an argument; both architectures are little endian."""
    return (_LOAD_WORD, 0, 0, 16 + 8 * index)


class _Filter:
    """The instructions, in the order of their checks."""

    def __init__(self, machine: str) -> None:
        self._machine = machine
        self.code: list[Instruction] = [
            (_LOAD_WORD, 0, 0, _ARCHITECTURE),
            (_JUMP_EQUAL, 1, 0, AUDIT[machine]),
            (_RETURN, 0, 0, _KILL),
            (_LOAD_WORD, 0, 0, _NUMBER),
            (_JUMP_AT_LEAST, 0, 1, _X32_BIT),
            (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
        ]

    def answer(self, names: list[str] | tuple[str, ...], answer: int) -> None:
        """The same answer to each of these calls, whatever its arguments."""
        for name in names:
            if (wanted := number(name, self._machine)) is not None:
                self.code += [(_JUMP_EQUAL, 0, 1, wanted), (_RETURN, 0, 0, answer)]

    def check(self, name: str, checks: list[Instruction], *, refusal: int = errno.EPERM, allowed: int = _ALLOW) -> None:
        """Look at a call's arguments: checks that fall through end in ``allowed``, a jump over that in the refusal.

        They load an argument over the number, so both ends are answers.
        """
        wanted = number(name, self._machine)
        assert wanted is not None
        self.code.append((_JUMP_EQUAL, 0, len(checks) + 2, wanted))
        self.code += [*checks, (_RETURN, 0, 0, allowed), (_RETURN, 0, 0, _ERRNO | refusal)]

    def check_stream_socket(self, name: str) -> None:
        """AF_UNIX and a connection: over datagrams one could send to any address without ``connect``."""
        self.check(
            name,
            [
                _argument(0),
                (_JUMP_EQUAL, 0, 4, _AF_UNIX),
                _argument(1),
                (_AND, 0, 0, _SOCK_TYPE),
                (_JUMP_EQUAL, 0, 1, _SOCK_STREAM),
            ],
            refusal=errno.EACCES,
        )


def seccomp_filter(
    *, unix_sockets: bool = False, lab_user: bool = False, alone: bool = False, machine: str | None = None
) -> bytes | None:
    """The filter as bytes.

    Parameters
    ----------
    unix_sockets
        Let it make stream sockets of the family AF_UNIX: a simulated board listens on one. It connects to none, and
        all other families are refused always.
    lab_user
        The program has the lab's own user number and no name space: what could be done to the lab's and its user's
        files without opening them is refused, or the warden's to decide; see :data:`ASKED`.
    alone
        It starts neither processes nor threads, and there is no warden.
    machine
        As ``platform.machine()`` says; this one's if not given.

    Returns
    -------
    bytes or None
        None for an architecture whose numbers aren't listed: the name spaces hold without the filter too.
    """
    machine = machine or platform.machine()
    if machine not in AUDIT:
        return None
    program = _Filter(machine)
    program.answer(_DENIED, _ERRNO | errno.EPERM)
    program.answer(_ABSENT, _ERRNO | errno.ENOSYS)
    if unix_sockets:
        program.check_stream_socket("socket")
    else:
        program.answer(["socket"], _ERRNO | errno.EACCES)
    program.check_stream_socket("socketpair")
    refused_requests = [_argument(1), (_JUMP_EQUAL, 2, 0, _TIOCSTI), (_JUMP_EQUAL, 1, 0, _TIOCLINUX)]
    program.check("ioctl", refused_requests)
    # Of other processes it changes nothing. Zero is the caller.
    for name in ("prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr"):
        program.check(name, [_argument(0), (_JUMP_EQUAL, 0, 1, 0)])
    program.check("setpriority", [_argument(0), (_JUMP_EQUAL, 0, 3, 0), _argument(1), (_JUMP_EQUAL, 0, 1, 0)])
    if lab_user:
        program.answer(_ATTRIBUTES, _ERRNO | errno.ENOTSUP)
        program.answer(_OWNERSHIP, _ERRNO | errno.EPERM)
    if alone:
        program.answer(("fork", "vfork", "clone"), _ERRNO | errno.EAGAIN)
        program.answer(ASKED if lab_user else (), _ERRNO | errno.EPERM)
    asked = _ASK if lab_user and not alone else _ALLOW
    program.check("clone", [_argument(0), (_JUMP_ANY_BIT, 1, 0, _NEW_NAMESPACES)], allowed=asked)
    if asked == _ASK:
        program.answer([name for name in ASKED if name != "clone"], _ASK)
    program.code.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in program.code)
