"""Calls of the kernel that no program of a design needs: which are refused, and how."""

import asyncio
import errno
import json
import os
import platform
import pty
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_fpga.compute.sandbox import Mount, Sandbox
from jupyter_fpga.compute.sandbox.detached import spawn_detached
from jupyter_fpga.compute.sandbox.mounts import python_mounts
from jupyter_fpga.compute.sandbox.process import wait_readable
from jupyter_fpga.compute.sandbox.seccomp import seccomp_filter
from jupyter_fpga.compute.sandbox.syscalls import AUDIT, number

from .conftest import RESOURCES, Prey


def _names(text: str) -> list[str]:
    return text.split()


DENIED = _names("""
    ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd mount umount2 pivot_root chroot open_tree open_tree_attr
    move_mount fsopen fsconfig fsmount fspick mount_setattr statmount listmount unshare setns swapon swapoff quotactl
    quotactl_fd acct reboot sethostname setdomainname settimeofday clock_settime clock_adjtime adjtimex syslog vhangup
    init_module delete_module finit_module kexec_load kexec_file_load add_key request_key keyctl perf_event_open bpf
    userfaultfd lookup_dcookie name_to_handle_at open_by_handle_at fanotify_init fanotify_mark file_setattr
    io_uring_setup io_uring_enter io_uring_register memfd_secret migrate_pages move_pages ioprio_set connect
""")
ABSENT = _names("""
    clone3 shmget shmat shmctl msgget msgsnd msgrcv msgctl semget semop semtimedop semctl mq_open mq_unlink memfd_create
    inotify_init1
""")

NEWUSER, NEWNS, NEWPID, NEWNET, SIGCHLD = 0x10000000, 0x20000, 0x20000000, 0x40000000, 17


async def test_refused_calls(prey: Prey) -> None:
    """All of them, as a program gets to know it."""
    machine = platform.machine()
    calls = {name: [number(name, machine), 0, 0, 0, 0, 0] for name in (*DENIED, *ABSENT)}
    for name, kind in {"user": NEWUSER, "mount": NEWNS, "pid": NEWPID, "net": NEWNET}.items():
        calls[f"clone {name}"] = [number("clone", machine), kind | SIGCHLD, 0, 0, 0, 0]
    finished = await prey.attack("kernel.py", inputs={"calls.json": json.dumps(calls).encode()})
    answers = json.loads(finished.output_tail)
    expected = dict.fromkeys(DENIED, "EPERM") | dict.fromkeys(ABSENT, "ENOSYS")
    assert answers == expected | {name: "EPERM" for name in calls if name.startswith("clone ")}


def verdict(code: bytes, nr: int, *arguments: int, machine: str) -> int:
    """What the kernel would answer: runs the filter over ``struct seccomp_data``."""
    data = struct.pack("<IIQ6Q", nr, AUDIT[machine], 0, *(*arguments, *(0,) * 6)[:6])
    instructions = list(struct.iter_unpack("<HBBI", code))
    at, word = 0, 0
    while True:
        operation, yes, no, operand = instructions[at]
        at += 1
        if operation == 0x06:
            return operand
        if operation == 0x20:
            (word,) = struct.unpack_from("<I", data, operand)
        elif operation == 0x54:
            word &= operand
        else:
            holds = {0x15: word == operand, 0x35: word >= operand, 0x45: word & operand != 0}[operation]
            at += yes if holds else no


ALLOW, ASK, KILL = 0x7FFF0000, 0x7FC00000, 0x80000000
KINDS = {"build": {}, "board": {"unix_sockets": True, "alone": True}, "build of the lab's user": {"lab_user": True}}


@pytest.fixture(params=AUDIT)
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=KINDS)
def code(request: pytest.FixtureRequest, machine: str) -> bytes:
    code = seccomp_filter(**KINDS[request.param], machine=machine)
    assert code is not None
    return code


def refused(error: int) -> int:
    return 0x00050000 | error


def call(code: bytes, machine: str, name: str, *arguments: int) -> int:
    wanted = number(name, machine)
    assert wanted is not None
    return verdict(code, wanted, *arguments, machine=machine)


def test_the_filter_refuses_on_every_architecture(code: bytes, machine: str) -> None:
    assert {call(code, machine, name) for name in DENIED} == {refused(errno.EPERM)}
    assert {call(code, machine, name) for name in ABSENT} == {refused(errno.ENOSYS)}


def test_typing_into_a_terminal(code: bytes, machine: str) -> None:
    for request in (0x5412, 0x541C, 0x5412 | 1 << 32):
        assert call(code, machine, "ioctl", 0, request) == refused(errno.EPERM)
    assert call(code, machine, "ioctl", 0, 0x5413) == ALLOW


def test_another_architectures_calls_end_the_program(code: bytes, machine: str) -> None:
    other = next(name for name in AUDIT if name != machine)
    assert verdict(code, 0, machine=other) == KILL
    assert verdict(code, 0x40000000 | 1, machine=machine) == refused(errno.ENOSYS)


def test_families_of_sockets(machine: str) -> None:
    build, board = (seccomp_filter(unix_sockets=unix, machine=machine) for unix in (False, True))
    assert build is not None
    assert board is not None
    for family in range(46):
        assert call(build, machine, "socket", family, 1) == refused(errno.EACCES)
        for kind in (1, 2, 3, 5, 1 | 0o2004000):
            streams = family == 1 and kind & 0xF == 1
            assert call(board, machine, "socket", family, kind) == (ALLOW if streams else refused(errno.EACCES))
            assert call(build, machine, "socketpair", family, kind) == (ALLOW if streams else refused(errno.EACCES))


def test_only_a_program_of_the_labs_user_is_asked_about(machine: str) -> None:
    build, own = (seccomp_filter(lab_user=own, machine=machine) for own in (False, True))
    board = seccomp_filter(lab_user=True, unix_sockets=True, alone=True, machine=machine)
    assert build is not None
    assert own is not None
    assert board is not None
    for name in ("clone", "fchmod", "fchmodat", "fchmodat2", "utimensat"):
        answers = [call(code, machine, name, SIGCHLD) for code in (build, own, board)]
        assert answers == [ALLOW, ASK, refused(errno.EAGAIN if name == "clone" else errno.EPERM)]
    for name in ("fchown", "fchownat"):
        assert [call(code, machine, name) for code in (build, own)] == [ALLOW, refused(errno.EPERM)]
    for name in ("setxattr", "fsetxattr", "setxattrat", "removexattr"):
        assert [call(code, machine, name) for code in (build, own)] == [ALLOW, refused(errno.ENOTSUP)]


async def test_no_name_space_of_its_own(prey: Prey) -> None:
    assert await prey.lines("namespaces.sh") == ["tried"]


async def test_no_core_dump(prey: Prey, tmp_path: Path) -> None:
    finished = await prey.attack("crash.py", outputs=["*"], into=tmp_path / "into")
    assert finished.returncode == 128 + 11
    # Of one byte: with none, the kernel would still give it to a program of the machine's, where there is one.
    assert finished.output_tail.splitlines()[0] == "(1, 1)"
    assert list(finished.outputs) == ["crash.py"]


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    master, slave = pty.openpty()
    yield master, slave
    os.close(master)
    os.close(slave)


async def test_nothing_is_typed_into_a_terminal(walls: Sandbox, terminal: tuple[int, int], tmp_path: Path) -> None:
    """A board is given one; as its controlling terminal, it could type commands there."""
    master, slave = terminal
    folder = tmp_path / "run"
    folder.mkdir()
    board = await spawn_detached(
        walls,
        [sys.executable, "/terminal.py", str(slave)],
        folder=folder,
        mounts=[Mount(RESOURCES / "terminal.py", "/terminal.py"), *python_mounts()],
        passed=[slave],
    )
    ended = os.pidfd_open(board.pid)
    await asyncio.wait_for(wait_readable(ended), 20)
    os.close(ended)
    told = (folder / "output.log").read_text().splitlines()
    assert told == ["TIOCSCTTY done", "TIOCSTI EPERM", "TIOCLINUX EPERM", "TIOCGWINSZ done"]
    os.set_blocking(master, False)
    with pytest.raises(BlockingIOError):
        os.read(master, 1)
