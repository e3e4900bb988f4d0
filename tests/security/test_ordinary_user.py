"""The attacks once more, on a lab that isn't root's."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_fpga.compute.sandbox.mounts import mount_options, python_mounts

HERE = Path(__file__).parent
USER = 54_321
PARTS = ("bombs", "survivors", "sockets", "reading", "kernel")


def closed_folder(path: Path) -> Path | None:
    """The outermost folder on the way that is open to its owner alone, as root's home is."""
    above = [path, *path.parents]
    return next((folder for folder in reversed(above) if not folder.stat().st_mode & 0o001), None)


def as_ordinary_user(folder: Path) -> list[str]:
    """The beginning of a command line that an ordinary user runs, who finds Python where root has it."""
    command = ["bwrap", "--die-with-parent", "--bind", "/", "/", "--dev-bind", "/dev", "/dev"]
    hidden = [mount for mount in python_mounts() if closed_folder(mount.source) is not None]
    for closed in {closed_folder(mount.source) for mount in hidden}:
        command += ["--perms", "0755", "--tmpfs", str(closed)]
    command += [*mount_options(hidden), "--"]
    command += ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--bounding-set=-all"]
    return [*command, "env", f"HOME={folder}", f"TMPDIR={folder}"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A home of the user's; not where pytest puts such folders, which is closed to others."""
    with tempfile.TemporaryDirectory(prefix="jupyter-fpga-ordinary-") as name:
        os.chown(name, USER, USER)
        yield Path(name)


# Whoever runs the tests as an ordinary user has had these already.
if os.geteuid() == 0:

    def test_as_an_ordinary_user(folder: Path) -> None:
        tests = [str(HERE / f"test_{part}.py") for part in PARTS]
        options = ["-q", "-p", "no:cacheprovider", f"--basetemp={folder}/tests"]
        finished = subprocess.run(
            [*as_ordinary_user(folder), sys.executable, "-m", "pytest", *options, *tests],
            cwd=HERE.parent.parent,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert finished.returncode == 0, finished.stdout[-20_000:] + finished.stderr[-2000:]
        assert " passed" in finished.stdout
