import dataclasses
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_fpga.errors import Unavailable
from jupyter_fpga.server.runtime import HostLock, RuntimeFile, RuntimeRecord, process_start_time


@pytest.fixture
def record(tmp_path) -> RuntimeRecord:
    return RuntimeRecord.of_this_process(url="http://127.0.0.1:1", token="secret", data_dir=tmp_path)


def test_what_is_written_is_read_and_private(tmp_path, record):
    file = RuntimeFile(tmp_path / "runtime")
    assert file.read() is None
    file.write(record)
    assert file.read() == record
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [path.name for path in file.path.parent.iterdir()] == ["fpga-lab.json"]


def test_this_process_is_alive_and_another_with_its_pid_is_not(record):
    assert record.is_alive()
    assert not dataclasses.replace(record, start_time=record.start_time - 1).is_alive()


def test_a_process_that_ended_is_not_alive(record):
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert process_start_time(child.pid) is None
    assert not dataclasses.replace(record, pid=child.pid).is_alive()


def test_a_process_that_was_killed_and_not_collected_is_not_alive(record):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = process_start_time(child.pid)
    assert started is not None
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not dataclasses.replace(record, pid=child.pid, start_time=started).is_alive()
    child.communicate()


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"url": "http://127.0.0.1:1"}'])
def test_a_damaged_file_is_as_none(tmp_path, content):
    file = RuntimeFile(tmp_path)
    file.path.write_text(content)
    file.path.chmod(0o600)
    assert file.read() is None


def test_a_file_that_others_can_write_is_not_trusted(tmp_path, record):
    file = RuntimeFile(tmp_path)
    file.write(record)
    file.path.chmod(0o622)
    assert file.read() is None


def test_only_ones_own_file_is_removed(tmp_path, record):
    file = RuntimeFile(tmp_path)
    file.write(dataclasses.replace(record, token="other"))
    file.remove(record)
    assert file.path.exists()
    file.write(record)
    file.remove(record)
    assert not file.path.exists()


def test_a_failed_write_leaves_the_old_file(tmp_path, record, monkeypatch):
    file = RuntimeFile(tmp_path)
    file.write(record)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        file.write(dataclasses.replace(record, token="new"))
    assert file.read() == record
    assert len(list(tmp_path.iterdir())) == 1


def test_one_process_has_the_lock_at_a_time(tmp_path):
    first, second = HostLock(tmp_path), HostLock(tmp_path)
    assert first.take()
    assert first.take()
    assert not second.take()
    first.give_back()
    assert second.take()
    second.give_back()


@pytest.mark.parametrize(("number", "words"), [(37, "No locks available"), (13, "Permission denied")])
def test_a_folder_that_can_not_be_locked(tmp_path, monkeypatch, number, words):
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(number, words)

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(Unavailable) as caught:
        HostLock(tmp_path).take()
    assert caught.value.code == "no_lock"
    assert caught.value.message == (
        f"The lab's lock file {tmp_path / 'fpga-lab.lock'} can't be locked ({words}); "
        "set JUPYTER_RUNTIME_DIR to a folder of your own on a local disk."
    )


_HOLD = """
import sys, pathlib
from jupyter_fpga.server.runtime import HostLock
lock = HostLock(pathlib.Path(sys.argv[1]))
print(lock.take(), flush=True)
sys.stdin.read()
"""


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path):
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        lock = HostLock(tmp_path)
        assert not lock.take()
        holder.kill()
        holder.wait()
        assert lock.take()
        lock.give_back()
