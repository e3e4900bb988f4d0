import asyncio
import os
import resource
import signal
import socket
import sys
from pathlib import Path

import pytest

from jupyter_fpga.compute.sandbox.limits import MIB, Limits
from jupyter_fpga.compute.sandbox.process import wait_readable
from jupyter_fpga.compute.sandbox.programs import Finished, ProgramKilled, Runner
from jupyter_fpga.compute.sandbox.walls import Mount, Sandbox
from jupyter_fpga.compute.sandbox.workfolder import BadOutput

SMALL = Limits(
    wall_seconds=60,
    cpu_seconds=60,
    memory_bytes=256 * MIB,
    processes=20,
    disk_bytes=16 * MIB,
    output_bytes=100_000,
    files=200,
)


@pytest.fixture(params=["full", "landlock", "none"])
def runner(request: pytest.FixtureRequest, tiers: dict[str, Sandbox]) -> Runner:
    assert tiers[request.param].tier == request.param
    return Runner(tiers[request.param])


@pytest.fixture(params=["full", "landlock"])
def walled(request: pytest.FixtureRequest, tiers: dict[str, Sandbox]) -> Runner:
    assert tiers[request.param].tier == request.param
    return Runner(tiers[request.param])


@pytest.fixture
def in_memory(sandbox: Sandbox) -> Runner:
    """With a file system and a list of processes of its own."""
    assert sandbox.tier == "full"
    return Runner(sandbox)


async def python(runner: Runner, code: str, *, limits: Limits = SMALL, **more: object) -> Finished:
    return await runner.run([sys.executable, "-c", code], limits=limits, **more)  # type: ignore[arg-type]


async def still_well(runner: Runner) -> None:
    """The next job is unharmed."""
    assert (await python(runner, "print('well')")).output_tail == "well"


async def test_inputs_outputs_lines_and_exit_code(runner: Runner, tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(b"b" * 100_000)
    lines: list[str] = []
    code = """
import os, pathlib, sys
here = os.getcwd() == os.environ["HOME"]
print(pathlib.Path("source/sub/a.txt").read_text(), pathlib.Path("big").stat().st_size, here)
print("to stderr", file=sys.stderr)
pathlib.Path("made").mkdir()
pathlib.Path("made/one").write_text("1")
pathlib.Path("made/two").write_text("2")
pathlib.Path("tool").write_text("#!")
os.chmod("tool", 0o755)
pathlib.Path("unasked").write_text("x")
sys.exit(3)
"""
    into = tmp_path / "out"
    finished = await python(
        runner,
        code,
        inputs={"source/sub/a.txt": b"hello", "big": big},
        outputs=["tool", "made/", "missing", "missing/"],
        into=into,
        on_output=lines.append,
    )
    assert finished.returncode == 3
    assert lines == ["hello 100000 True", "to stderr"]
    assert finished.output_tail == "hello 100000 True\nto stderr"
    assert finished.bound is None
    assert sorted(finished.outputs) == ["made/one", "made/two", "tool"]
    assert finished.outputs["made/two"].read_text() == "2"
    assert os.access(finished.outputs["tool"], os.X_OK)
    assert not os.access(finished.outputs["made/one"], os.X_OK)
    assert sorted(path.name for path in into.iterdir()) == ["made", "tool"]


async def test_a_program_ended_by_a_signal_has_its_code(runner: Runner) -> None:
    assert (await python(runner, "import ctypes; ctypes.string_at(0)")).returncode == 128 + 11


async def test_the_environment_is_cleared(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    finished = await python(runner, "import os; print(sorted(os.environ))", environment={"CXX": "c++"})
    assert "AWS_SECRET_ACCESS_KEY" not in finished.output_tail
    assert "'CXX'" in finished.output_tail


async def test_limits_of_the_lab_itself_are_not_raised(runner: Runner) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    code = "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE))"
    resource.setrlimit(resource.RLIMIT_NOFILE, (150, before[1]))
    try:
        assert (await python(runner, code)).output_tail == "(200, 200)"
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        tight = Limits(files=1_000_000)
        assert (await python(runner, code, limits=tight)).output_tail == str((min(4096, before[1]),) * 2)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_endless_loop(runner: Runner) -> None:
    finished = await python(runner, "while True: pass", limits=Limits(wall_seconds=0.3))
    assert finished.bound == "time"
    await still_well(runner)


async def test_processor_time(runner: Runner) -> None:
    code = "import os\nos.fork(); os.fork()\nwhile True: pass"
    assert (await python(runner, code, limits=Limits(cpu_seconds=0.3))).bound == "cpu"
    await still_well(runner)


async def test_fork_bomb(walled: Runner) -> None:
    # Not in the tier "none" as root: there the kernel doesn't count.
    code = "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass"
    assert (await python(walled, code)).bound == "processes"
    await still_well(walled)


async def test_a_fork_bomb_starves_no_other_job(walled: Runner) -> None:
    code = "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass"
    bomb, other = await asyncio.gather(
        python(walled, code),
        python(walled, "import subprocess; print(subprocess.check_output(['echo', 'forked']))"),
    )
    assert bomb.bound == "processes"
    assert other.output_tail == "b'forked\\n'"


async def test_memory_bomb(runner: Runner) -> None:
    finished = await python(runner, "kept = []\nwhile True: kept.append(bytearray(b'x' * 1_000_000))")
    assert finished.bound == "memory"
    await still_well(runner)


async def test_shared_memory_bomb(runner: Runner) -> None:
    code = (
        "import mmap\nkept = []\nwhile True:\n  kept.append(mmap.mmap(-1, 1_000_000)); kept[-1].write(b'x' * 1_000_000)"
    )
    assert (await python(runner, code)).bound == "memory"


async def test_output_flood_without_a_newline(runner: Runner) -> None:
    lines: list[str] = []
    finished = await python(runner, "while True: print('x' * 10_000, end='')", on_output=lines.append)
    assert finished.bound == "output"
    assert sum(map(len, lines)) == SMALL.output_bytes
    assert max(map(len, lines)) == 4096
    await still_well(runner)


async def test_disk_fill_by_large_files(runner: Runner) -> None:
    code = """
n = 0
while True:
    try:
        with open(f"f{n}", "wb") as file: file.write(b"x" * 3_000_000)
    except OSError: pass
    n += 1
"""
    assert (await python(runner, code, limits=Limits(disk_bytes=16 * MIB))).bound == "disk"
    await still_well(runner)


async def test_disk_fill_that_ends_by_its_own_error(in_memory: Runner) -> None:
    finished = await python(in_memory, "for n in range(9): open(f'f{n}', 'wb').write(b'x' * 3_000_000)")
    assert finished.bound == "disk"
    assert "No space left on device" in finished.output_tail


async def test_many_empty_files(runner: Runner) -> None:
    assert (await python(runner, "n = 0\nwhile True: open(f'f{n}', 'w').close(); n += 1")).bound == "files"


async def test_sigterm_ignored_and_double_fork_survive_nothing(runner: Runner, tmp_path: Path) -> None:
    # The grandchild holds the writing end: the reader sees the end only when the grandchild is gone.
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    path = "/alive" if runner.sandbox.tier == "full" else str(fifo)
    code = f"""
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 3)
        fd = os.open("{path}", os.O_WRONLY)
        os.write(fd, b"up")
        while True: time.sleep(100)
    os._exit(0)
os.wait()
fd = os.open("{path}", os.O_WRONLY)
time.sleep(0.1)
"""
    os.chmod(fifo, 0o666)
    finished = await python(runner, code, mounts=[Mount(fifo, "/alive", writable=True)])
    assert finished.returncode == 0
    assert os.read(reader, 100) == b"up"
    assert os.read(reader, 100) == b""
    os.close(reader)


async def test_cancellation_takes_the_whole_tree(runner: Runner, tmp_path: Path) -> None:
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    os.chmod(fifo, 0o666)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    path = "/alive" if runner.sandbox.tier == "full" else str(fifo)
    code = f"import os, time\nfd = os.open('{path}', os.O_WRONLY)\nos.fork()\nprint('up')\ntime.sleep(100)"
    up = asyncio.Event()
    task = asyncio.create_task(
        python(runner, code, mounts=[Mount(fifo, "/alive", writable=True)], on_output=lambda line: up.set())
    )
    await up.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert os.read(reader, 100) == b""
    os.close(reader)


async def test_nothing_of_the_machine_is_seen(in_memory: Runner, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    code = f"""
import os
home = {str(Path.home())!r}
places = ["/etc/shadow", "/etc/passwd", home + "/.bashrc", {str(secret)!r}, "/proc/1/root/etc/shadow", "/var", "/sys"]
for path in places:
    try:
        os.listdir(path) if os.path.isdir(path) else open(path).read()
        print("SEEN", path)
    except OSError: pass
print([pid for pid in os.listdir("/proc") if pid.isdigit()])
for path in ["/", "/usr", "/dev", "/tmp", "/etc"]:
    try:
        open(path + "/written", "w")
        print("WRITTEN", path)
    except OSError: pass
print(sorted(os.listdir("/dev")))
print([line for line in open("/proc/self/status") if line.startswith(("CapEff", "CapBnd", "NoNewPrivs", "Seccomp:"))])
"""
    finished = await python(in_memory, code)
    assert finished.output_tail.splitlines() == [
        "['1', '2']" if in_memory.sandbox.root else "['1']",
        "['fd', 'full', 'null', 'random', 'stderr', 'stdin', 'stdout', 'urandom', 'zero']",
        "['CapEff:\\t0000000000000000\\n', 'CapBnd:\\t0000000000000000\\n', 'NoNewPrivs:\\t1\\n', 'Seccomp:\\t2\\n']",
    ]


async def test_no_network_and_no_new_name_space(in_memory: Runner) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    code = f"""
import ctypes, socket
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_VSOCK, socket.AF_NETLINK):
    try:
        socket.socket(family)
        print("SOCKET", family)
    except PermissionError: pass
libc = ctypes.CDLL(None, use_errno=True)
print(libc.unshare(0x10000000), ctypes.get_errno(), libc.ptrace(0, 0, 0, 0), libc.syscall(425, 1, 0))
print(open("/proc/net/dev").read().count(":"))
print(server := {server.getsockname()[1]})
"""
    finished = await python(in_memory, code)
    assert finished.output_tail.splitlines()[:2] == ["-1 1 -1 -1", "1"]
    server.close()


@pytest.mark.parametrize(
    "make",
    [
        "os.symlink('/etc/hostname', 'out')",
        "os.mkfifo('out')",
        "open('other', 'w').close(); os.link('other', 'out')",
        "os.mkdir('out')",
        "open('out', 'w').close(); os.chmod('out', 0)",
    ],
)
async def test_outputs_that_are_no_plain_files_are_refused(walled: Runner, tmp_path: Path, make: str) -> None:
    if "chmod" in make and os.geteuid() == 0:
        make = "os.symlink('out', 'out')"
    with pytest.raises(BadOutput) as caught:
        await python(walled, f"import os; {make}", outputs=["out"], into=tmp_path / "into")
    assert caught.value.code == "bad_output"
    assert caught.value.message == "The program left out as something else than a plain file; it was not read."


async def test_a_linked_folder_is_not_entered(walled: Runner, tmp_path: Path) -> None:
    with pytest.raises(BadOutput):
        await python(walled, "import os; os.symlink('/usr', 'made')", outputs=["made/"], into=tmp_path / "into")


async def test_outputs_have_a_size(walled: Runner, tmp_path: Path) -> None:
    with pytest.raises(BadOutput) as caught:
        await python(
            walled,
            "for n in 'abc': open(n, 'wb').truncate(8_000_000)",
            outputs=["a", "b", "c"],
            into=tmp_path / "into",
        )
    assert caught.value.message == (
        "The program's outputs are larger than 16 MiB or more than 1000 files; they were not read."
    )


LAB = """
import asyncio, sys
from pathlib import Path
from jupyter_fpga.compute import Limits, Mount, Runner, Sandbox

code = "import os, sys, time; fd = os.open(sys.argv[1], os.O_WRONLY); os.write(fd, b'up'); os.fork(); time.sleep(100)"
mounts = [Mount(Path(sys.argv[1]), "/alive", writable=True)]
sandbox = Sandbox.probe(tiers=(sys.argv[2],))
asyncio.run(Runner(sandbox).run([sys.executable, "-c", code, "/alive"], limits=Limits(), mounts=mounts))
"""


async def test_a_lab_that_is_killed_takes_its_programs_along(walled: Runner, tmp_path: Path) -> None:
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    os.chmod(fifo, 0o666)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    lab = await asyncio.create_subprocess_exec(sys.executable, "-c", LAB, str(fifo), walled.sandbox.tier)
    await wait_readable(reader)
    assert os.read(reader, 2) == b"up"
    lab.kill()
    await lab.wait()
    await wait_readable(reader)
    assert os.read(reader, 2) == b""
    os.close(reader)


def children() -> set[int]:
    """The processes that this one has started, whichever of its threads did."""
    lists = [(task / "children").read_text().split() for task in Path("/proc/self/task").iterdir()]
    return {int(child) for words in lists for child in words}


class Deadly(type(Path())):  # type: ignore[misc]
    """An input whose reading kills what waits for it, and nothing that other tests have started."""

    spared: frozenset[int] = frozenset()

    def read_bytes(self) -> bytes:
        for child in children() - self.spared:
            os.kill(child, signal.SIGKILL)
        raise FileNotFoundError(2, "No such file or directory")


async def test_a_sandbox_that_is_killed_before_its_program_begins(walled: Runner, tmp_path: Path) -> None:
    deadly = Deadly(tmp_path / "text")
    deadly.spared = frozenset(children())
    with pytest.raises(ProgramKilled) as caught:
        await walled.run(["true"], limits=Limits(), inputs={"text": deadly})
    assert caught.value.message == (
        "The sandbox was killed from outside before its program began; the machine may be out of memory. Try again."
    )


async def test_an_input_that_is_not_there_is_something_else(walled: Runner, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await walled.run(["true"], limits=Limits(), inputs={"text": tmp_path / "text"})
