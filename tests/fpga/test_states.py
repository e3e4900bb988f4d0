"""The table itself, against the contract."""

import pytest

from jupyter_fpga.fpga import states


def test_the_boards_table_is_the_contracts() -> None:
    table = {(edge.source, edge.cause): edge.target for edge in states.BOARD_EDGES}
    assert len(table) == len(states.BOARD_EDGES)
    assert table == {
        ("idle", "submitted"): "queued",
        ("queued", "picked_up"): "building",
        ("queued", "cancelled"): "idle",
        ("building", "built"): "programming",
        ("building", "build_failed"): "idle",
        ("building", "cancelled"): "idle",
        ("programming", "proven"): "reserved",
        ("programming", "program_failed"): "error",
        ("reserved", "rebuilt"): "programming",
        ("reserved", "reset"): "idle",
        ("reserved", "lost"): "error",
        ("error", "reset"): "idle",
        ("idle", "lost"): "error",
        ("idle", "withdrawn"): "error",
    }


def test_the_jobs_table_is_the_contracts() -> None:
    table = {(edge.source, edge.cause): edge.target for edge in states.JOB_EDGES}
    assert table == {
        ("queued", "claimed"): "running",
        ("queued", "cancelled"): "cancelled",
        ("queued", "failed"): "failed",
        ("running", "completed"): "complete",
        ("running", "failed"): "failed",
        ("running", "cancelled"): "cancelled",
    }


def test_a_finished_job_stays_finished() -> None:
    assert not {edge.source for edge in states.JOB_EDGES} & states.FINISHED


@pytest.mark.parametrize("edges", [states.BOARD_EDGES, states.JOB_EDGES])
def test_a_cause_leads_to_one_state(edges: tuple[states.Edge, ...]) -> None:
    causes = {edge.cause for edge in edges}
    targets = {(edge.cause, edge.target) for edge in edges}
    assert len(causes) == len(targets)


def test_every_state_is_reached_and_left() -> None:
    assert {edge.source for edge in states.BOARD_EDGES} == set(states.BOARD_STATES)
    assert {edge.target for edge in states.BOARD_EDGES} == set(states.BOARD_STATES)
