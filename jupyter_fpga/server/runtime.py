"""One lab per person: the lock that decides which process hosts it, and the private file that says where it is."""

import fcntl
import json
import os
import stat
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from jupyter_fpga._version import __version__
from jupyter_fpga.errors import Unavailable

__all__ = ("HostLock", "RuntimeFile", "RuntimeRecord", "process_start_time")


@dataclass(frozen=True)
class RuntimeRecord:
    """Where the lab is.

    Parameters
    ----------
    url, token
        Its base URL, and the owner's token for it.
    pid, start_time
        Of its process; ``start_time`` in clock ticks since boot, so that a reused pid isn't taken for it.
    version
        Of jupyter_fpga there.
    data_dir
        Where its data is.
    """

    url: str
    token: str
    pid: int
    start_time: int
    version: str
    data_dir: str

    @classmethod
    def of_this_process(cls, *, url: str, token: str, data_dir: Path) -> "RuntimeRecord":
        """The record of a lab that this process hosts."""
        pid = os.getpid()
        return cls(url, token, pid, process_start_time(pid) or 0, __version__, str(data_dir))

    def is_alive(self) -> bool:
        """Whether its process still runs on this machine."""
        return process_start_time(self.pid) == self.start_time


def process_start_time(pid: int) -> int | None:
    """When a process started, in clock ticks since boot: field 22 of ``/proc/PID/stat``, proc(5).

    ``None``: it is gone, though whoever started it may not have collected it yet (state Z, field 3).
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The command's name, in parentheses, may itself hold spaces and parentheses.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else int(fields[19])


class RuntimeFile:
    """``fpga-lab.json`` in Jupyter's runtime folder: it holds a token, so only its owner may read it.

    Parameters
    ----------
    folder
        Jupyter's runtime folder; created when missing.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "fpga-lab.json"

    def read(self) -> RuntimeRecord | None:
        """The record; ``None`` when there is none to be trusted: no file, not ours alone, or not written by us."""
        try:
            with open(self.path, "rb") as file:
                status = os.fstat(file.fileno())
                if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
                    return None
                content = json.loads(file.read())
            return RuntimeRecord(**{name: content[name] for name in RuntimeRecord.__dataclass_fields__})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, record: RuntimeRecord) -> None:
        """Replace the file: a reader sees the old record or the new one, never a part."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=".fpga-lab-")  # mkstemp: mode 0600
        try:
            with open(descriptor, "w") as file:
                json.dump(asdict(record), file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, self.path)
        except BaseException:
            os.unlink(name)
            raise

    def remove(self, record: RuntimeRecord) -> None:
        """Remove the file, if it is still ``record``'s."""
        if self.read() == record:
            self.path.unlink(missing_ok=True)


class HostLock:
    """The right to host the lab of a runtime folder. The kernel gives it back when the process ends, however it ends.

    Parameters
    ----------
    folder
        Jupyter's runtime folder; created when missing.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "fpga-lab.lock"
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Try to take it; whether this process has it now.

        Raises
        ------
        Unavailable
            ``no_lock``: the folder can't be written, or its file system knows no locks.
        """
        if self._descriptor is None:
            try:
                self._descriptor = self._lock()
            except OSError as error:
                raise Unavailable(
                    f"The lab's lock file {self._path} can't be locked ({error.strerror}); "
                    "set JUPYTER_RUNTIME_DIR to a folder of your own on a local disk.",
                    code="no_lock",
                ) from error
        return self._descriptor is not None

    def _lock(self) -> int | None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Never removed: a lock file that is removed can be locked by two processes at once.
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                return None
            raise
        return descriptor

    def give_back(self) -> None:
        """Let another process host."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
