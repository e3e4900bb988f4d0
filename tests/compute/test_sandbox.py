import os
import platform
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_fpga.compute.sandbox.confine import landlock_rules
from jupyter_fpga.compute.sandbox.landlock import landlock_version, without
from jupyter_fpga.compute.sandbox.mounts import Mount, jupyter_settings, mount_options, translate
from jupyter_fpga.compute.sandbox.seccomp import seccomp_filter
from jupyter_fpga.compute.sandbox.walls import Sandbox


def test_the_best_tier_is_found(sandbox: Sandbox) -> None:
    assert sandbox.tier == "full"
    assert sandbox.fit_for_strangers
    assert sandbox.reason == "bubblewrap works on this machine."


def none_of(search: Callable[[str], str | None]) -> Sandbox:
    """What remains where the kernel has no Landlock either."""
    found = Sandbox.probe(search=search, version=lambda: 0)
    assert found.tier == "none"
    assert not found.fit_for_strangers
    return found


def test_a_machine_without_bubblewrap() -> None:
    assert none_of(lambda name: None).reason == (
        "There is no bubblewrap on this machine, and its kernel has no Landlock, so designs run with nothing but "
        "limits around them: fit for one's own designs only. Install it (Debian, Ubuntu: apt install bubblewrap) and "
        "restart the lab."
    )


def test_root_without_setpriv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert none_of(lambda name: "/usr/bin/bwrap" if name == "bwrap" else None).reason == (
        "The lab runs as root and there is no setpriv on this machine to give root's rights away, and its kernel has "
        "no Landlock, so designs run with nothing but limits around them: fit for one's own designs only. Install "
        "util-linux, or run the lab as an ordinary user."
    )


def test_python_where_the_work_folder_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_fpga.compute.sandbox.tiers.python_mounts", lambda: [Mount(Path("/work"), "/work")])
    found = Sandbox.probe()
    assert found.tier == "none"
    assert found.reason.endswith("fit for one's own designs only. Install it in another folder.")


@pytest.fixture
def fake(tmp_path: Path) -> Callable[[str], Callable[[str], str]]:
    def fake(script: str) -> Callable[[str], str]:
        program = tmp_path / "bwrap"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return lambda name: str(program)

    return fake


def test_a_bubblewrap_that_may_not(fake: Callable[[str], Callable[[str], str]]) -> None:
    assert none_of(fake("echo 'bwrap: No permissions to create new namespace' >&2; exit 1")).reason == (
        "bubblewrap doesn't work on this machine (bwrap: No permissions to create new namespace), and its kernel has "
        "no Landlock, so designs run with nothing but limits around them: fit for one's own designs only."
    )


def test_a_bubblewrap_that_says_nothing(fake: Callable[[str], Callable[[str], str]]) -> None:
    assert none_of(fake("exit 1")).reason == (
        "bubblewrap doesn't work on this machine (no reason given), and its kernel has no Landlock, so designs run "
        "with nothing but limits around them: fit for one's own designs only."
    )


def test_landlock_instead_of_bubblewrap() -> None:
    found = Sandbox.probe(search=lambda name: None)
    assert found.tier == "landlock"
    assert found.fit_for_strangers
    assert found.reason == (
        f"There is no bubblewrap on this machine, so Landlock (version {landlock_version()}) and seccomp keep designs "
        "from files, the network and other programs. They can find out whether a file or a process exists, and their "
        "work folders are on the disk instead of in memory."
    )


def test_an_older_landlock_keeps_no_signals_from_an_ordinary_users_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    found = Sandbox.probe(search=lambda name: None, version=lambda: 5)
    assert found.tier == "landlock"
    assert not found.fit_for_strangers
    assert found.reason == (
        "There is no bubblewrap on this machine, so Landlock (version 5) and seccomp keep designs from files and the "
        "network. They can send signals to the lab: fit for one's own designs only, unless the lab runs as root or on "
        "Linux 6.12 or newer. They can find out whether a file or a process exists, and their work folders are on the "
        "disk instead of in memory."
    )


def test_a_tier_can_be_asked_for() -> None:
    assert Sandbox.probe(tiers=("landlock",)).tier == "landlock"
    assert Sandbox.probe(tiers=("none",)).reason == (
        "bubblewrap is not wanted, so designs run with nothing but limits around them: fit for one's own designs only."
    )


def test_an_architecture_without_a_list_of_system_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert Sandbox.probe(search=lambda name: None).reason == (
        "There is no bubblewrap on this machine, and the lab has no list of system calls for riscv64, so designs run "
        "with nothing but limits around them: fit for one's own designs only. Install it (Debian, Ubuntu: apt install "
        "bubblewrap) and restart the lab."
    )


@pytest.mark.parametrize(("kernel", "counts"), [("5.10.0-9-amd64", False), ("5.14.0", True), ("6.1.0-rc1", True)])
def test_old_kernels_count_all_processes_of_a_user(
    monkeypatch: pytest.MonkeyPatch, kernel: str, counts: bool, bare: Sandbox
) -> None:
    monkeypatch.setattr(platform, "release", lambda: kernel)
    assert Sandbox(bwrap="/usr/bin/bwrap", root=False).counts_processes == counts
    assert Sandbox(bwrap="/usr/bin/bwrap", root=True).counts_processes
    assert not bare.counts_processes
    assert Sandbox(bwrap=None, landlock=7, root=True).counts_processes
    assert not Sandbox(bwrap=None, landlock=7).counts_processes


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
@pytest.mark.parametrize("kind", [{}, {"unix_sockets": True, "alone": True}, {"lab_user": True}])
def test_every_jump_of_the_filter_lands_inside_it(machine: str, kind: dict[str, bool]) -> None:
    code = seccomp_filter(**kind, machine=machine)
    assert code is not None
    instructions = list(struct.iter_unpack("<HBBI", code))
    for place, (operation, if_true, if_false, _) in enumerate(instructions):
        if operation & 0x07 == 0x05:
            assert place + 1 + max(if_true, if_false) < len(instructions)
    # What isn't named is allowed.
    assert instructions[-1] == (0x06, 0, 0, 0x7FFF0000)


def test_an_unknown_machine_has_no_filter() -> None:
    assert seccomp_filter(machine="riscv64") is None


def test_rules_leave_out_what_is_hidden(tmp_path: Path) -> None:
    for name in ("bin", "etc/jupyter", "etc/other", "lib"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "out").symlink_to("/")
    shown = [str(path.relative_to(tmp_path)) for path in without(tmp_path, {tmp_path / "etc" / "jupyter"})]
    assert shown == ["bin", "etc/other", "lib"]
    assert list(without(tmp_path, {Path("/elsewhere")})) == [tmp_path]


def test_the_settings_of_a_jupyter_server_are_hidden(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = tmp_path / "etc" / "jupyter"
    settings.mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    python = [Mount(tmp_path, str(tmp_path))]
    assert jupyter_settings(python) == [settings]
    assert jupyter_settings([]) == []
    work = tmp_path / "work"
    assert settings not in {rule.path for rule in landlock_rules([], python, work)}
    plan = Sandbox(bwrap="/usr/bin/bwrap", python_mounts=python).plan(["/bin/true"], disk_bytes=1 << 20)
    assert f"--tmpfs\0{settings}\0".encode() in plan.options
