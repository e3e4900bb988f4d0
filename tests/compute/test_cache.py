"""Results by their key: kept, found sound or not at all, and removed when there is no room."""

import json
import os
from pathlib import Path

import pytest

from jupyter_fpga.compute.cache import ActionCache, Entry, Made, action_key


@pytest.fixture
def cache(tmp_path: Path) -> ActionCache:
    return ActionCache(tmp_path / "cache")


def keep(cache: ActionCache, name: str = "work", size: int = 10) -> Entry:
    """Keep a result of two files, one of them a program."""
    folder = cache.scratch()
    (folder / "data").write_bytes((name[:1] * size).encode())
    (folder / "tool").write_text("#!/bin/sh")
    (folder / "tool").chmod(0o755)
    made = Made({"data": folder / "data", "tool": folder / "tool"}, ["beginning", "done"])
    entry = cache.keep(action_key(name, "1", {}, {}), made, 0.5)
    cache.discard(folder)
    return entry


def test_keys_are_of_what_goes_in() -> None:
    key = action_key("f", "1", {"a": "x"}, {"b": 1})
    assert key == action_key("f", "1", {"a": "x"}, {"b": 1})
    others = [
        action_key("g", "1", {"a": "x"}, {"b": 1}),
        action_key("f", "2", {"a": "x"}, {"b": 1}),
        action_key("f", "1", {"a": "y"}, {"b": 1}),
        action_key("f", "1", {"a": "x"}, {"b": 2}),
    ]
    assert len({key, *others}) == 5


def test_a_result_is_found_again_after_a_restart(cache: ActionCache, tmp_path: Path) -> None:
    made = keep(cache)
    for again in (cache, ActionCache(tmp_path / "cache")):
        entry = again.lookup(made.key)
        assert entry == made
        assert again.path(entry, "data").read_bytes() == b"w" * 10
        assert os.access(again.path(entry, "tool"), os.X_OK)
        assert again.path(entry, "tool").stat().st_mode & 0o222 == 0
        assert (entry.log, entry.seconds) == (["beginning", "done"], 0.5)
    assert cache.lookup("0" * 64) is None
    assert list((tmp_path / "cache/scratch").iterdir()) == []


def test_a_spoilt_file_is_noticed(cache: ActionCache) -> None:
    made = keep(cache)
    spoilt = cache.path(made, "data")
    spoilt.chmod(0o644)
    spoilt.write_bytes(b"x" * 10)
    # Of the same size, and not needed: nobody looks.
    assert cache.lookup(made.key, need=["tool"]) == made
    assert cache.lookup(made.key) is None
    # And it is gone with its record, so that what is made now is kept.
    assert not cache.knows(made.key)
    assert cache.path(keep(cache), "data").read_bytes() == b"w" * 10


@pytest.mark.parametrize("how", ["gone", "cut", "no json", "another form", "another action"])
def test_a_spoilt_record_or_a_lost_file_is_noticed(cache: ActionCache, tmp_path: Path, how: str) -> None:
    made = keep(cache)
    (record,) = (tmp_path / "cache/actions").glob("*/*.json")
    told = json.loads(record.read_text())
    match how:
        case "gone":
            cache.path(made, "data").unlink()
        case "cut":
            record.write_text(record.read_text()[:40])
        case "no json":
            record.write_bytes(b"\xff")
        case "another form":
            record.write_text(json.dumps(told | {"version": 99}))
        case "another action":
            record.write_text(json.dumps(told | {"key": "0" * 64}))
    assert cache.lookup(made.key) is None
    keep(cache)
    assert cache.lookup(made.key) == made


def test_what_a_crash_left_is_cleared_away(cache: ActionCache, tmp_path: Path) -> None:
    (tmp_path / "cache/scratch/half").mkdir()
    (tmp_path / "cache/actions/ab").mkdir(parents=True)
    (tmp_path / "cache/actions/ab/ab.json.17.new").write_text("{")
    ActionCache(tmp_path / "cache")
    assert list((tmp_path / "cache/scratch").iterdir()) == []
    assert list((tmp_path / "cache/actions/ab").iterdir()) == []


def test_trim_removes_the_least_recently_used_and_never_what_is_pinned(tmp_path: Path) -> None:
    cache = ActionCache(tmp_path / "cache", max_bytes=2500)
    kept = [keep(cache, name, 1000) for name in ("alpha", "beta", "gamma", "delta")]
    for age, entry in enumerate(kept):
        (record,) = (tmp_path / "cache/actions").glob(f"*/{entry.key}.json")
        os.utime(record, (age, age))
    assert cache.trim({kept[0].key}) == 2000
    # The pinned one, and the youngest that fits beside it.
    assert [cache.lookup(entry.key) is not None for entry in kept] == [True, False, False, True]


def test_trim_keeps_contents_that_are_needed_without_their_result(tmp_path: Path) -> None:
    cache = ActionCache(tmp_path / "cache", max_bytes=0)
    made = keep(cache)
    assert cache.trim(keep={made.blobs["data"].hash}) == len("#!/bin/sh")
    assert cache.blobs.find(made.blobs["data"].hash) is not None


def test_a_hit_counts_as_use(tmp_path: Path) -> None:
    cache = ActionCache(tmp_path / "cache", max_bytes=1500)
    kept = [keep(cache, name, 1000) for name in ("alpha", "beta")]
    for age, entry in enumerate(kept):
        (record,) = (tmp_path / "cache/actions").glob(f"*/{entry.key}.json")
        os.utime(record, (age, age))
    cache.lookup(kept[0].key)
    cache.trim()
    assert [cache.lookup(entry.key) is not None for entry in kept] == [True, False]
