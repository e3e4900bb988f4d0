import os
import platform
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_fpga.compute.sandbox.mounts import Mount, mount_options, translate
from jupyter_fpga.compute.sandbox.seccomp import seccomp_filter
from jupyter_fpga.compute.sandbox.walls import Sandbox


def test_the_best_tier_is_found(sandbox: Sandbox) -> None:
    assert sandbox.tier == "full"
    assert sandbox.fit_for_strangers
    assert sandbox.reason == "bubblewrap works on this machine."


def test_a_machine_without_bubblewrap() -> None:
    found = Sandbox.probe(search=lambda name: None)
    assert found.tier == "none"
    assert not found.fit_for_strangers
    assert found.reason == (
        "There is no bubblewrap on this machine, so designs run with nothing but limits around them: fit for one's "
        "own designs only. Install it (Debian, Ubuntu: apt install bubblewrap) and restart the lab."
    )


def test_root_without_setpriv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    found = Sandbox.probe(search=lambda name: "/usr/bin/bwrap" if name == "bwrap" else None)
    assert found.tier == "none"
    assert found.reason == (
        "The lab runs as root and there is no setpriv on this machine to give root's rights away, so designs run with "
        "nothing but limits around them. Install util-linux, or run the lab as an ordinary user."
    )


@pytest.fixture
def fake(tmp_path: Path) -> Callable[[str], Sandbox]:
    def fake(script: str) -> Sandbox:
        program = tmp_path / "bwrap"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return Sandbox.probe(search=lambda name: str(program))

    return fake


def test_a_bubblewrap_that_may_not(fake: Callable[[str], Sandbox]) -> None:
    found = fake("echo 'bwrap: No permissions to create new namespace' >&2; exit 1")
    assert found.tier == "none"
    assert found.reason == (
        "bubblewrap doesn't work on this machine (bwrap: No permissions to create new namespace), so designs run with "
        "nothing but limits around them: fit for one's own designs only."
    )


def test_a_bubblewrap_that_says_nothing(fake: Callable[[str], Sandbox]) -> None:
    assert fake("exit 1").reason == (
        "bubblewrap doesn't work on this machine (no reason given), so designs run with nothing but limits around "
        "them: fit for one's own designs only."
    )


@pytest.mark.parametrize(("kernel", "counts"), [("5.10.0-9-amd64", False), ("5.14.0", True), ("6.1.0-rc1", True)])
def test_old_kernels_count_all_processes_of_a_user(
    monkeypatch: pytest.MonkeyPatch, kernel: str, counts: bool, bare: Sandbox
) -> None:
    monkeypatch.setattr(platform, "release", lambda: kernel)
    assert Sandbox(bwrap="/usr/bin/bwrap", root=False).counts_processes == counts
    assert Sandbox(bwrap="/usr/bin/bwrap", root=True).counts_processes
    assert not bare.counts_processes


def test_the_machines_paths_are_not_on_the_command_line(sandbox: Sandbox, tmp_path: Path) -> None:
    plan = sandbox.plan(["/bin/true"], mounts=[Mount(tmp_path, "/seen")], disk_bytes=1 << 20)
    assert str(tmp_path).encode() in plan.options
    assert not [word for word in plan.command if str(tmp_path) in word]
    assert plan.environment == {}


def test_inner_mounts_come_after_outer_ones_and_their_folders_are_open(tmp_path: Path) -> None:
    options = mount_options([Mount(tmp_path, "/a/b/c/d"), Mount(tmp_path, "/a/b", writable=True)])
    assert options == [
        *("--perms", "0755", "--dir", "/a"),
        *("--bind", str(tmp_path), "/a/b"),
        *("--ro-bind", str(tmp_path), "/a/b/c/d"),
    ]


def test_paths_of_the_sandbox_become_the_machines() -> None:
    mounts = [Mount(Path("/lab/base"), "/base"), Mount(Path("/lab/one"), "/base/one")]
    work = Path("/tmp/w")
    assert translate("/base/x.o", mounts, work) == "/lab/base/x.o"
    assert translate("/base/one/x.o", mounts, work) == "/lab/one/x.o"
    assert translate("/baseless", mounts, work) == "/baseless"
    assert translate("--out=/work/x:/base", mounts, work) == "--out=/tmp/w/x:/lab/base"


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("unix_sockets", [False, True])
def test_every_jump_of_the_filter_lands_inside_it(machine: str, unix_sockets: bool) -> None:
    code = seccomp_filter(unix_sockets=unix_sockets, machine=machine)
    assert code is not None
    instructions = list(struct.iter_unpack("<HBBI", code))
    for place, (kind, if_true, if_false, _) in enumerate(instructions):
        if kind & 0x07 == 0x05:
            assert place + 1 + max(if_true, if_false) < len(instructions)
    # What isn't named is allowed.
    assert instructions[-1] == (0x06, 0, 0, 0x7FFF0000)


def test_an_unknown_machine_has_no_filter() -> None:
    assert seccomp_filter(machine="riscv64") is None
