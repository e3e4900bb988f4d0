"""The door: what every answer, and no answer, means."""

import asyncio
import socket

import pytest
from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler

from jupyter_fpga import errors
from jupyter_fpga.client.door import Door
from jupyter_fpga.client.errors import JobCancelled, JobFailed, error_from_response, job_error, own_lines, reworded
from jupyter_fpga.client.loop import Following, loop

KINDS = {
    401: errors.Forbidden,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    413: errors.TooLarge,
    422: errors.Invalid,
    429: errors.QuotaExceeded,
    503: errors.Unavailable,
}


@pytest.mark.parametrize(("status", "kind"), KINDS.items())
def test_a_refusal_is_raised_as_its_kind_with_the_labs_own_words(serve, answering, status, kind):
    body = {"error": "machine_code", "message": "A sentence.", "detail": {"limit": 3}}
    door = Door(serve([("/x", answering(status, body))]))
    with pytest.raises(kind) as refusal:
        loop.call(door.get, "x")
    assert (str(refusal.value), refusal.value.code, refusal.value.detail) == (
        "A sentence.",
        "machine_code",
        {"limit": 3},
    )
    with pytest.raises(kind):
        loop.call(door.post, "x", {})
    with pytest.raises(kind) as refusal:
        loop.call(door.websocket, "x")
    assert str(refusal.value) == "A sentence."


def test_what_is_not_a_lab_is_quoted(serve, answering):
    url = serve([("/x", answering(404, "<html>Nothing\n here</html>"))])
    with pytest.raises(errors.NotFound) as refusal:
        loop.call(Door(url).get, "x")
    assert str(refusal.value) == (
        f"What answers at {url}/x is no lab; it says: <html>Nothing here</html>. "
        "Check that the address is a lab's and that jupyter_fpga is enabled there (`jupyter fpga doctor`)."
    )
    assert refusal.value.code == "not_a_lab"
    assert type(error_from_response(500, b"", "GET x")).__name__ == "LabError"


def test_nobody_answers():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        for attempt in (Door(url).get, Door(url).websocket):
            with pytest.raises(errors.Unavailable) as refusal:
                loop.call(attempt, "x")
            assert str(refusal.value) == (
                f"No lab answers at {url} (connection refused). Start one with `jupyter fpga serve` or `jupyter lab`, "
                "or set JUPYTER_FPGA_URL to the address of one that runs."
            )
            assert refusal.value.code == "no_lab"


def test_the_token_and_the_query(serve, answering):
    seen = []
    door = Door(serve([("/x", answering(200, {}, seen))]) + "/", "secret")
    loop.call(door.get, "x", since=3, owner=None, type="a b")
    assert seen[0].headers["Authorization"] == "token secret"
    assert seen[0].uri == "/x?since=3&type=a+b"


def test_an_upload_is_a_form_with_json_fields(serve, answering):
    seen = []
    door = Door(serve([("/submit", answering(202, {"job_id": "1"}, seen))]))
    fields = {"tags": ["a"], "top": "Top", "target": None}
    answer = loop.call(door.upload, "submit", 'de"sign.py', b"\x00\r\n--x", fields)
    assert answer == {"job_id": "1"}
    (request,) = seen
    assert request.files["file"][0]["filename"] == "de_sign.py"
    assert request.files["file"][0]["body"] == b"\x00\r\n--x"
    assert request.body_arguments == {"tags": [b'["a"]'], "top": [b"Top"]}


class Lines(RequestHandler):
    async def get(self):
        self.write('{"text": "a')
        await self.flush()
        self.write('b"}\n{"text": "c"}\n')
        await self.flush()


def test_lines_come_whole_however_they_arrive(serve):
    door = Door(serve([("/x", Lines)]))
    assert list(Following(door.lines("x"))) == [{"text": "ab"}, {"text": "c"}]


async def test_lines_can_be_followed_asynchronously(serve):
    door = Door(serve([("/x", Lines)]))
    assert [line async for line in Following(door.lines("x"))] == [{"text": "ab"}, {"text": "c"}]


def test_a_refusal_of_a_streamed_answer_has_its_words_too(serve, answering):
    door = Door(serve([("/x", answering(404, {"error": "job_not_found", "message": "No such job.", "detail": {}}))]))
    with pytest.raises(errors.NotFound) as refusal:
        list(Following(door.lines("x")))
    assert str(refusal.value) == "No such job."


class Endless(RequestHandler):
    closed = None

    async def get(self):
        while True:
            self.write('{"text": "more"}\n')
            await self.flush()

    def on_connection_close(self):
        super().on_connection_close()
        Endless.closed.set()


def test_a_reader_that_stops_hangs_up(serve):
    import threading

    Endless.closed = threading.Event()
    door = Door(serve([("/x", Endless)]))
    for line in Following(door.lines("x")):
        assert line == {"text": "more"}
        break
    assert Endless.closed.wait(30)


def test_a_job_that_did_not_succeed():
    failed = job_error(
        {
            "job_id": "j",
            "status": "failed",
            "error": {"code": "no_top", "stage": "elaborate", "reason": "No top.", "line": 3},
        }
    )
    assert isinstance(failed, JobFailed)
    assert (str(failed), failed.code) == ("No top.", "no_top")
    assert failed.detail["line"] == 3
    assert failed.detail["stage"] == "elaborate"
    cancelled = job_error({"job_id": "j", "status": "cancelled", "error": None})
    assert isinstance(cancelled, JobCancelled)
    assert str(cancelled) == "The job was cancelled before it was done."
    silent = job_error({"job_id": "j", "status": "failed", "error": None})
    assert str(silent) == "The job failed, and the lab gave no reason; its log may tell more."


def test_only_the_persons_own_line_is_shown():
    try:
        raise error_from_response(409, b'{"error": "x", "message": "Busy."}', "GET x")
    except errors.LabError as error:
        caught = error
    assert caught._render_traceback_() == [
        f"----> {caught.__traceback__.tb_lineno} raise error_from_response("
        '409, b\'{"error": "x", "message": "Busy."}\', "GET x")',
        "Conflict: Busy.",
    ]
    assert own_lines(None) == []


def test_a_call_from_the_loop_itself_is_refused():
    async def inner():
        with pytest.raises(RuntimeError, match="Called from a coroutine of the client: await the twin"):
            loop.call(outer)

    async def outer():
        return 1

    loop.call(inner)


def test_refusals_are_in_the_words_of_the_command_line():
    """Their sentences are written for who sends HTTP requests."""
    told = {
        "fpga_not_found": ("…, and GET …/fpga lists them.", "…, and `jupyter fpga boards` lists them."),
        "job_not_found": ("…, and GET …/jobs lists yours.", "…, and `jupyter fpga jobs` lists yours."),
        "action_not_found": ("GET …/compute/jobs lists yours.", "`jupyter fpga jobs --actions` lists yours."),
        "forwarding_failed": ("look at GET …/jobs before sending it", "look at `jupyter fpga jobs` before sending it"),
        "not_found": (
            "There is nothing at this address; GET …/openapi.json lists what there is.",
            "The lab knows nothing of the kind: it is another version of jupyter_fpga than this client. Install the "
            "same version on both sides.",
        ),
    }
    for code, (sentence, ours) in told.items():
        assert reworded(code, sentence) == ours


def test_a_websocket_that_nobody_waits_for_any_more_is_closed(serve):
    held = asyncio.Event()
    asked, over = asyncio.Event(), asyncio.Event()

    class Slow(WebSocketHandler):
        async def prepare(self):
            asked.set()
            await held.wait()

        def on_close(self):
            over.set()

    door = Door(serve([("/x", Slow)]))

    async def give_up():
        opening = asyncio.ensure_future(door.websocket("x"))
        await asked.wait()
        opening.cancel()
        await asyncio.wait([opening])
        assert opening.cancelled()
        held.set()
        await asyncio.wait_for(over.wait(), 30)

    loop.call(give_up)
