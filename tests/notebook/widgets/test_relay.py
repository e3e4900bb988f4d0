"""Requests and WebSockets of a view that go through the kernel, to a real lab."""

import itertools
import json
import struct

from jupyter_fpga.notebook.widgets._relay import PAUSE


def test_requests_are_answered_and_refused_as_the_lab_does(browser, board):
    browser.send("request", 1, method="GET", path=f"fpga/{board.fpga_id}", body=None)
    item, _ = browser.next()
    assert (item["is"], item["id"], item["body"]["state"]) == ("answer", 1, "reserved")
    browser.send("request", 2, method="POST", path=f"fpga/{board.fpga_id}/session/renew", body={})
    item, _ = browser.next()
    assert (item["is"], item["body"]["fpga_id"]) == ("answer", board.fpga_id)
    browser.send("request", 3, method="GET", path="fpga/99", body=None)
    assert browser.next()[0] == {
        "is": "refusal",
        "id": 3,
        "code": "fpga_not_found",
        "message": "There is no board 99; this lab has boards 0 to 3.",
    }


def test_a_stream_carries_frames_both_ways(browser, board):
    offset = board.regs.duty.info.offset
    # Sent before it is open: nothing is lost.
    browser.send("open", 1, path=f"fpga/{board.fpga_id}/stream", query={"design": board.manifest.digest})
    browser.send("send", 1, struct.pack(">III", 0x01000001, offset, 77))
    browser.send("send", 1, struct.pack(">III", 0x02000001, offset, 1))
    assert browser.next()[0] == {"is": "open", "id": 1}
    assert browser.next()[1] == struct.pack(">I", 0)
    assert browser.next()[1] == struct.pack(">II", 1, 77)
    assert board.regs.duty == 77
    board.release().wait()
    item, _ = browser.next()
    assert (item["is"], item["code"]) == ("closed", 4410)


def test_a_handshake_that_is_refused_is_a_socket_that_closes(browser, board):
    browser.send("open", 1, path=f"fpga/{board.fpga_id}/stream", query={"design": "another"})
    item, _ = browser.next()
    assert (item["is"], item["code"]) == ("closed", 1006)
    assert item["reason"].startswith(f"Board {board.fpga_id} no longer runs the design that was asked for")


def test_a_socket_that_the_browser_closes_is_closed(browser, board):
    browser.send("open", 1, path="events", query={})
    assert browser.next()[0] == {"is": "open", "id": 1}
    browser.send("close", 1)
    while (item := browser.next()[0])["is"] != "closed":
        assert item["is"] == "text"


def test_news_is_collected_to_five_messages_a_second(browser, board):
    browser.send("open", 1, path=f"fpga/{board.fpga_id}/bench/watch", query={"interval": 0.02})
    seen: list[tuple[float, dict]] = []
    while len(seen) < 6:
        # The LED gets brighter and brighter, so that there always is news.
        board.regs.duty = 10 * len(seen)
        time, content, _ = browser.messages.get(timeout=30)
        seen.append((time, content))
    times = [time for time, _ in seen]
    assert all(later - earlier >= PAUSE * 0.99 for earlier, later in itertools.pairwise(times))
    states = [item for _, content in seen for item in content["relay"] if item["is"] == "text"]
    assert len(states) > len(seen)
    assert 0 <= json.loads(states[-1]["text"])["lit"][0] <= 1
