import json

import pytest

from jupyter_fpga.errors import Invalid
from jupyter_fpga.server.models import BenchAction, JobsQuery, LogsQuery, RunRequest, SubmitJson
from jupyter_fpga.server.validation import model_from_json, model_from_query


def refusal(model, body) -> Invalid:
    with pytest.raises(Invalid) as caught:
        model_from_json(model, body if isinstance(body, bytes) else json.dumps(body).encode())
    return caught.value


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"\xff", "The body isn't UTF-8 (byte 0); send JSON text in UTF-8."),
        (b"", "The body isn't JSON (Expecting value: line 1 column 1 (char 0)); send one JSON object."),
        (b"[" * 100_000, "The body isn't JSON (nested deeper than 64); send one JSON object."),
        (b"[" * 70 + b"]" * 70, "The body isn't JSON (nested deeper than 64); send one JSON object."),
        (b'{"op": 1, "address": NaN}', "The body isn't JSON (NaN is not a number in JSON); send one JSON object."),
        (b'{"op": 1, "address": 1e999}', "The body isn't JSON (1e999 is not a number in JSON); send one JSON object."),
        (rb'{"op": "\udC00"}', "The body isn't JSON (half of a surrogate pair is no character); send one JSON object."),
    ],
)
def test_what_is_not_json(body, message):
    error = refusal(RunRequest, body)
    assert (error.code, error.message) == ("not_json", message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "The request must be a JSON object; got []."),
        (7, "The request must be a JSON object; got 7."),
        ({}, "`op` is missing; add it."),
        ({"op": 3}, "`op` must be 1, 2, 'write' or 'read'; got 3."),
        ({"op": 2, "address": "0"}, '`address` must be an integer; got "0".'),
        ({"op": 2, "address": 1.5}, "`address` must be an integer; got 1.5."),
        ({"op": 2, "address": True}, "`address` must be an integer; got true."),
        ({"op": 1, "data": [1, 1.5]}, "`data[1]` must be an integer, or a name of the register's enum; got 1.5."),
        ({"op": 1, "data": [True]}, "`data[0]` must be an integer, or a name of the register's enum; got true."),
        ({"op": 1, "data": 5}, "`data` must be a list; got 5."),
        (
            {"op": 2, "addres": 0},
            "`addres` is not a field that this request knows; remove it or check its spelling.",
        ),
        ({"op": 2, "fixed_address": 1}, "`fixed_address` must be true or false; got 1."),
        ({"transactions": []}, "`transactions` must have at least 1 entry; got 0."),
        ({"transactions": [{"op": 2}] * 1025}, "`transactions` must have at most 1024 entries; got 1025."),
        (
            {"transactions": [{"op": 2}, {"op": 5, "x": 1}]},
            "`transactions[1].op` must be 1, 2, 'write' or 'read'; got 5 (1 more in detail).",
        ),
    ],
)
def test_what_can_not_be_a_run(body, message):
    error = refusal(RunRequest, body)
    assert (error.code, error.message) == ("invalid_request", message)


def test_all_problems_are_in_the_detail():
    error = refusal(RunRequest, {"op": 5, "x": 1})
    assert error.detail == {
        "problems": [
            {"field": "`op`", "problem": "must be 1, 2, 'write' or 'read'; got 5"},
            {"field": "`x`", "problem": "is not a field that this request knows; remove it or check its spelling"},
        ]
    }


def test_a_long_value_is_shortened():
    error = refusal(RunRequest, {"op": "x" * 100})
    assert error.message == f"`op` must be 1, 2, 'write' or 'read'; got \"{'x' * 56}…."


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"source": "x", "priority": 1001}, "`priority` must be less than or equal to 1000; got 1001."),
        ({"source": "x", "timing_target_mhz": 0}, "`timing_target_mhz` must be greater than 0; got 0."),
        ({"source": "x", "top": "t" * 201}, "`top` must have at most 200 characters; got 201."),
        ({"source": "x", "filename": ""}, "`filename` must not be empty."),
        ({"source": "x", "params": []}, "`params` must be an object; got []."),
        ({"source": 5}, "`source` must be a text; got 5."),
        ({"source": "x", "top": "a\0"}, '`top` must be a text without control characters; got "a\\u0000".'),
        ({"source": "x", "tags": ["a\n"]}, '`tags[0]` must be a text without control characters; got "a\\n".'),
    ],
)
def test_what_can_not_be_a_submission(body, message):
    assert refusal(SubmitJson, body).message == message


def test_what_can_not_be_an_action_at_the_bench():
    assert refusal(BenchAction, {}).message == "`action` is missing; add it."
    assert refusal(BenchAction, {"action": "press", "buttons": "1"}).message == '`buttons` must be an integer; got "1".'


def test_the_peers_run_requests_are_taken():
    peer_read = {"op": 2, "address": 4, "data": [], "count": 3}
    peer_write = {"op": 1, "address": 0, "data": [1, 2], "count": 0, "fixed_address": True}
    for body in (peer_read, peer_write):
        assert model_from_json(RunRequest, json.dumps(body).encode()).as_transactions() == [body]


def test_a_batch_keeps_its_order_and_only_what_was_sent():
    transactions = [{"op": "write", "register": "mode", "data": [2, "FAST"]}, {"op": "read", "register": "duty"}]
    body = json.dumps({"transactions": transactions}).encode()
    assert model_from_json(RunRequest, body).as_transactions() == transactions


def test_a_query_is_converted_and_what_pages_add_is_ignored():
    query = model_from_query(
        JobsQuery, {"status": [b"running", b"queued"], "limit": [b"5"], "after": [b""], "1700000000000": [b""]}
    )
    assert query == JobsQuery(status="queued", limit=5)
    assert model_from_query(LogsQuery, {"follow": [b"1"]}).follow


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"limit": [b"0"]}, '`limit` must be greater than or equal to 1; got "0".'),
        ({"limit": [b"many"]}, '`limit` must be an integer; got "many".'),
        (
            {"after": [b"9223372036854775808"]},
            '`after` must be less than or equal to 9223372036854775807; got "9223372036854775808".',
        ),
        ({"after": [b"9" * 5000]}, f'`after` must be an integer of a sensible size; got "{"9" * 56}….'),
        (
            {"status": [b"done"]},
            "`status` must be 'queued', 'running', 'complete', 'failed' or 'cancelled'; got \"done\".",
        ),
    ],
)
def test_what_can_not_be_a_query(query, message):
    with pytest.raises(Invalid) as caught:
        model_from_query(JobsQuery, query)
    assert caught.value.message == message
