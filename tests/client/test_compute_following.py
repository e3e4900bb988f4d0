"""Waiting for actions across lost connections, and not for ever: small servers that misbehave as a test says."""

import itertools
import json

import pytest
from tornado.web import RequestHandler

from jupyter_fpga.client import LabClient, Unavailable, events
from jupyter_fpga.client.compute import following
from jupyter_fpga.client.loop import loop

WATERMARK = json.dumps({"lsn": 4, "prev": 4, "kind": "watermark"})


def action(lsn=1, **facts):
    return {"lsn": lsn, "action": "a", "function": "f", "state": "pending", "finished": False, "result": None, **facts}


END = {"state": "completed", "finished": True, "done_lsn": 9, "result": {"ok": True, "log": [], "outputs": {}}}


def giving(answers):
    """A handler that gives one answer after the other."""

    class Handler(RequestHandler):
        def get(self):
            self.finish(json.dumps(next(answers)))

    return Handler


@pytest.fixture
def quick(monkeypatch):
    """A lab that is away is tried again at once."""
    for module in (events, following):
        monkeypatch.setattr(module, "RETRIES", (0.0, 0.0))


def test_a_connection_that_is_lost_is_made_again(serve, talking, quick):
    opened = []

    async def script(handler):
        opened.append(handler.get_argument("since", None))
        await handler.write_message(WATERMARK)
        if len(opened) == 1:
            handler.close()
        else:
            told = {"lsn": 9, "prev": 4, "kind": "action_completed", "action_lsn": 1}
            await handler.write_message(json.dumps(told))

    answers = itertools.chain([action()], itertools.repeat(action(**END)))
    with LabClient(serve([("/events", talking(script)), ("/compute/jobs/1", giving(answers))])) as lab:
        assert lab.compute._action(action()).wait(30).ok
    # No event is missed between the two.
    assert opened == [None, "4"]


def test_who_waits_for_ends_hears_of_each_once(serve, talking):
    async def script(handler):
        await handler.write_message(WATERMARK)
        for lsn in (9, 10):
            told = {"lsn": lsn, "prev": 4 if lsn == 9 else 9, "kind": "action_completed", "action_lsn": lsn - 8}
            await handler.write_message(json.dumps(told))

    class Completed(RequestHandler):
        def get(self):
            after = int(self.get_argument("after"))
            ends = [action(1, **END), action(2, **{**END, "done_lsn": 10})]
            self.finish(json.dumps([end for end in ends if end["done_lsn"] > after][:1]))

    with LabClient(serve([("/events", talking(script)), ("/compute/jobs/completed", Completed)])) as lab:
        actions = [lab.compute._action(action(lsn)) for lsn in (1, 2)]
        assert [one.lsn for one in lab.compute.as_completed(actions)] == [1, 2]
        assert all(one.done for one in actions)
        # Nobody waits any more: the connection isn't held.
        assert lab.compute._watcher._waiting == {}


def test_a_lab_that_goes_away_is_told_to_who_waits(serve, answering, quick):
    gone = answering(503, {"error": "gone", "message": "Gone."})
    url = serve([("/events", gone), ("/compute/jobs/1", giving(itertools.repeat(action())))])
    with LabClient(url) as lab, pytest.raises(Unavailable) as refusal:
        lab.compute._action(action()).wait()
    assert str(refusal.value) == "Gone."


def test_a_failed_action_tells_why(serve, talking):
    async def script(handler):
        await handler.write_message(WATERMARK)

    error = {"error": "runner_vanished", "message": "The runner vanished.", "detail": {"runner": "local"}}
    failed = action(state="abandoned", finished=True, error=error)
    with LabClient(serve([("/events", talking(script)), ("/compute/jobs/1", giving(itertools.repeat(failed)))])) as lab:
        waiting = lab.compute._action(action())
        for ask in (waiting.wait, waiting.result, lambda: waiting.ok):
            with pytest.raises(following.LabError) as refusal:
                ask()
            assert (type(refusal.value).__name__, refusal.value.code) == ("JobFailed", "runner_vanished")
            assert str(refusal.value) == "The runner vanished."
            assert refusal.value.detail == {"runner": "local", "lsn": 1}


def test_an_iterator_is_let_go_in_the_middle(serve, talking):
    async def script(handler):
        await handler.write_message(WATERMARK)

    url = serve([("/events", talking(script)), ("/compute/jobs/1", giving(itertools.repeat(action())))])
    with LabClient(url) as lab:
        changes = iter(lab.compute._action(action()).changes())
        assert next(changes)["state"] == "pending"
        changes.close()
        watcher = lab.compute._watcher

        async def ended():
            return await watcher.close()

        loop.call(ended)
        assert watcher._listener.done()
