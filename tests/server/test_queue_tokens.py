"""Tokens of queues: what they are made of, and where their secret is."""

import secrets

import pytest

from jupyter_fpga.errors import Invalid, NotFound, Unavailable
from jupyter_fpga.people import Person
from jupyter_fpga.server.compute.queues import queue_id
from jupyter_fpga.server.door import Here
from jupyter_fpga.server.queue_tokens import QueueTokens
from jupyter_fpga.server.routes import Call


def test_a_token_names_its_queue_and_nothing_else_does():
    tokens = QueueTokens(secrets.token_bytes(32))
    token = tokens.token(7)
    assert tokens.queue_id(token) == tokens.queue_id(token.upper()) == 7
    for at in range(24):
        digit = "0" if token[at] != "0" else "1"
        assert tokens.queue_id(token[:at] + digit + token[at + 1 :]) is None
    assert QueueTokens(secrets.token_bytes(32)).queue_id(token) is None


@pytest.mark.parametrize("text", ["", "0" * 23, "0" * 25, "g" * 24, "٣" * 24])
def test_what_is_no_token(text):
    with pytest.raises(Invalid) as caught:
        QueueTokens(b"secret").queue_id(text)
    assert caught.value.code == "queue_token_malformed"


def test_the_secret_is_made_once_and_is_private(tmp_path):
    first, second = (QueueTokens.in_folder(tmp_path / "data") for _ in range(2))
    path = tmp_path / "data" / "queue-tokens.key"
    assert first.token(1) == second.token(1)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [child.name for child in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.chmod(0o640), "has mode 0640, so others can read it; run `chmod 600 {}`"),
        (lambda path: path.write_bytes(b"short"), "hasn't 32 bytes; remove it, and all tokens get new values"),
        (
            lambda path: path.unlink() or path.mkdir(),
            "can't be read or written (Is a directory); make it the lab's own",
        ),
    ],
)
def test_a_secret_that_can_not_be_used(tmp_path, spoil, why):
    path = tmp_path / "queue-tokens.key"
    QueueTokens.in_folder(tmp_path)
    spoil(path)
    with pytest.raises(Unavailable) as caught:
        QueueTokens.in_folder(tmp_path)
    assert caught.value.code == "queue_secret_unusable"
    assert caught.value.message == f"The secret of the queues' tokens, {path}, {why.format(path)}."


class Floor:
    """Two queues of Ada's: 1 is for this machine, 2 for elsewhere."""

    def __init__(self) -> None:
        self.asked = 0

    async def queue(self, person, number):
        self.asked += 1
        if person.name != "ada":
            raise NotFound(f"There is no queue {number} of yours.")
        return {"remote": number == 2}


class Lab:
    fpga = None

    def __init__(self) -> None:
        self.compute = Floor()


async def test_a_token_is_for_queues_that_were_made_for_elsewhere(tmp_path):
    lab, tokens = Lab(), QueueTokens(b"secret")

    def named(text: str, name: str = "ada") -> Call:
        return Call(Here(lab, tmp_path, tokens), Person(name), {"queue": text})

    assert [await queue_id(named(tokens.token(2))) for _ in range(3)] == [2] * 3
    assert lab.compute.asked == 1
    for call in (named(tokens.token(1)), named(tokens.token(2), "grace")):
        with pytest.raises(NotFound) as caught:
            await queue_id(call)
        assert caught.value.message == f"There is no queue {call.path['queue']} of yours. Make one with POST /queues."
