"""The system calls that no sandboxed program needs, as a BPF program for ``bwrap --seccomp FD``.

Written out here instead of through libseccomp, which not every machine has. The format is that of seccomp(2) and
``linux/filter.h``: instructions of 8 bytes (code, jump if true, jump if false, operand) over ``struct seccomp_data``
(number, architecture, instruction pointer, six 64-bit arguments).
"""

import errno
import platform
import struct
from dataclasses import dataclass

__all__ = ("seccomp_filter",)

# Instruction codes, from linux/bpf_common.h.
_LOAD_WORD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_JUMP_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_JUMP_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_JUMP_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K

_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_ERRNO = 0x00050000

_NUMBER, _ARCHITECTURE = 0, 4
_X32_BIT = 0x40000000
_AF_UNIX = 1
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_NEW_NAMESPACES = 0x7E020080
"""``CLONE_NEW{TIME,NS,CGROUP,UTS,IPC,USER,PID,NET}``."""

# Everywhere the same number: io_uring, the new mount calls, pidfd_getfd, mount_setattr, quotactl_fd, memfd_secret.
_COMMON = (*range(425, 434), 438, 442, 443, 447)


@dataclass(frozen=True)
class _Machine:
    """Numbers of one architecture, from its ``asm/unistd.h``."""

    audit: int
    denied: tuple[int, ...]
    absent: tuple[int, ...]
    clone: int
    clone3: int
    socket: int
    socketpair: int
    ioctl: int


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split())


_MACHINES = {
    "x86_64": _Machine(
        audit=0xC000003E,
        # ptrace, process_vm_readv, process_vm_writev, kcmp, mount, umount2, pivot_root, chroot, swapon, swapoff,
        # reboot, sethostname, setdomainname, init_module, delete_module, finit_module, kexec_load, kexec_file_load,
        # quotactl, acct, settimeofday, clock_settime, clock_adjtime, adjtimex, add_key, request_key, keyctl, unshare,
        # setns, perf_event_open, bpf, userfaultfd, name_to_handle_at, open_by_handle_at, fanotify_init, syslog,
        # vhangup, iopl, ioperm, modify_ldt
        denied=_numbers(
            "101 310 311 312 165 166 155 161 167 168 169"
            " 170 171 175 176 313 246 320 179 163 164 227 305 159 248 249 250 272 308"
            " 298 321 323 303 304 300 103 153 172 173 154"
        ),
        # Memory that the supervisor couldn't see: shmget, msgget, semget, mq_open, memfd_create.
        absent=(29, 68, 64, 240, 319),
        clone=56,
        clone3=435,
        socket=41,
        socketpair=53,
        ioctl=16,
    ),
    "aarch64": _Machine(
        audit=0xC00000B7,
        denied=_numbers(
            "117 270 271 272 40 39 41 51 224 225 142"
            " 161 162 105 106 273 104 294 60 89 170 112 266 171 217 218 219 97 268"
            " 241 280 282 264 265 262 116 58"
        ),
        absent=(194, 186, 190, 180, 279),
        clone=220,
        clone3=435,
        socket=198,
        socketpair=199,
        ioctl=29,
    ),
}


def _argument(index: int) -> int:
    """Offset of the low word of an argument; both architectures are little endian."""
    return 16 + 8 * index


def seccomp_filter(*, unix_sockets: bool = False, machine: str | None = None) -> bytes | None:
    """The filter as bytes.

    Parameters
    ----------
    unix_sockets
        Let it make sockets of the family AF_UNIX: a simulated board listens on one. All other families are refused
        always.
    machine
        As ``platform.machine()`` says; this one's if not given.

    Returns
    -------
    bytes or None
        None for an architecture whose numbers aren't listed here: the name spaces hold without the filter too.
    """
    numbers = _MACHINES.get(machine or platform.machine())
    if numbers is None:
        return None
    code: list[tuple[int, int, int, int]] = []

    def refuse(error: int) -> None:
        code.append((_RETURN, 0, 0, _ERRNO | error))

    def refuse_call(number: int, error: int) -> None:
        code.append((_JUMP_EQUAL, 0, 1, number))
        refuse(error)

    code.append((_LOAD_WORD, 0, 0, _ARCHITECTURE))
    code.append((_JUMP_EQUAL, 1, 0, numbers.audit))
    code.append((_RETURN, 0, 0, _KILL))
    code.append((_LOAD_WORD, 0, 0, _NUMBER))
    code.append((_JUMP_AT_LEAST, 0, 1, _X32_BIT))
    refuse(errno.ENOSYS)
    for number in (*numbers.denied, *_COMMON):
        refuse_call(number, errno.EPERM)
    for number in (*numbers.absent, numbers.clone3):  # ENOSYS lets C libraries fall back to the older call.
        refuse_call(number, errno.ENOSYS)
    # Each of these loads an argument over the number, so each ends in an answer; its checks fall through to "allowed",
    # or jump over that to the refusal.
    guarded: list[tuple[int, list[tuple[int, int, int, int]]]] = [
        (numbers.clone, [(_LOAD_WORD, 0, 0, _argument(0)), (_JUMP_ANY_BIT, 1, 0, _NEW_NAMESPACES)]),
        (
            numbers.ioctl,
            [
                (_LOAD_WORD, 0, 0, _argument(1)),
                (_JUMP_EQUAL, 2, 0, _TIOCSTI),
                (_JUMP_EQUAL, 1, 0, _TIOCLINUX),
            ],
        ),
    ]
    if unix_sockets:
        family = [(_LOAD_WORD, 0, 0, _argument(0)), (_JUMP_EQUAL, 0, 1, _AF_UNIX)]
        guarded += [(numbers.socket, family), (numbers.socketpair, family)]
    else:
        refuse_call(numbers.socket, errno.EACCES)
    for number, checks in guarded:
        code.append((_JUMP_EQUAL, 0, len(checks) + 2, number))
        code.extend(checks)
        code.append((_RETURN, 0, 0, _ALLOW))
        refuse(errno.EPERM)
    code.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in code)
