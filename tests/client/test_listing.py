"""Jobs as a person reads them."""

import pytest

from jupyter_fpga.client.listing import JOB_COLUMNS, asked_for
from jupyter_fpga.client.tables import Table


@pytest.mark.parametrize(
    ("job", "told"),
    [
        ({"status": "complete", "stage": "done"}, "complete"),
        ({"status": "queued", "stage": "queued"}, "queued"),
        ({"status": "queued", "stage": None}, "queued"),
        ({"status": "queued", "stage": "waiting_for_board"}, "queued: waiting for board"),
        ({"status": "running", "stage": "building", "build_stage": "elaborate"}, "running: elaborate"),
        ({"status": "failed", "stage": "building", "build_stage": "elaborate"}, "failed"),
    ],
)
def test_how_far_a_job_is(job, told):
    assert JOB_COLUMNS["status"](job) == told


def lab_with(jobs):
    """What lists jobs as a lab does, the newest first, and what it was asked."""
    asked = []

    def listed(*, before, limit, status, type):
        asked.append((before, limit))
        chosen = [job for job in jobs if before is None or job["lsn"] < before]
        return Table(chosen[:limit], JOB_COLUMNS)

    return listed, asked


def test_more_are_asked_for_until_there_are_enough():
    mine, labs = {"type": "build", "owner": "ada"}, {"type": "reset", "owner": "(lab)"}
    kinds = [labs, labs, mine, {**labs, "owner": "ada"}, labs, mine]
    jobs = [{**kind, "lsn": 100 - index} for index, kind in enumerate(kinds)]
    listed, asked = lab_with(jobs)
    assert [job["lsn"] for job in asked_for(listed, limit=2)] == [98, 97]
    assert asked == [(None, 2), (99, 1000)]
    assert [job["lsn"] for job in asked_for(listed, limit=20)] == [98, 97, 95]
    assert asked[2:] == [(None, 20)]
