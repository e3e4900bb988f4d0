"""The bench of the holder's board."""

from typing import Any

import pytest

from jupyter_fpga.errors import Forbidden, Invalid


class Bench:
    """A bench that notes what is done to it."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []
        self.cycles = 1000
        self.lit = [500, 1000]
        self.said = b""

    async def state(self) -> dict[str, Any]:
        state = {"cycles": self.cycles, "leds": 2, "lit": self.lit, "buttons": 0}
        return {**state, "console": len(self.said)}

    async def set(self, **levels: int) -> None:
        self.done.append(("set", levels))

    async def press(self, button: int, *, seconds: float) -> None:
        self.done.append(("press", button, seconds))

    async def run(self, cycles: int) -> int:
        self.done.append(("run", cycles))
        return cycles

    async def power(self, on: bool) -> None:
        self.done.append(("power", on))

    async def console_write(self, data: bytes) -> None:
        self.done.append(("console", data))

    async def console_read(self, position: int) -> tuple[int, bytes]:
        return (len(self.said), self.said[position:]) if self.said else (position + 3, b"abc")

    async def watch(self, interval: float) -> Any:
        while True:
            yield await self.state()


async def test_looks_give_the_share_of_time_that_each_led_was_lit(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    bench = Bench()
    lab.driver.bench = lambda record: bench
    assert (await lab.fpga.bench(ann, 0))["lit"] == [0.5, 1.0]
    bench.cycles, bench.lit = 2000, [750, 1000]
    assert (await lab.fpga.bench(ann, 0))["lit"] == [0.25, 0.0]
    # Board time stood still: what is lit now.
    assert (await lab.fpga.bench(ann, 0))["lit"] == [0.0, 1.0]
    # It began anew.
    bench.cycles, bench.lit = 100, [50, 100]
    assert (await lab.fpga.bench(ann, 0))["lit"] == [0.5, 1.0]


async def test_what_a_hand_does(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    bench = Bench()
    lab.driver.bench = lambda record: bench
    for action in (
        {"action": "press", "buttons": 0b101},
        {"action": "press", "buttons": 1, "seconds": 0.5},
        {"action": "set", "buttons": 3, "switches": 255},
        {"action": "run", "cycles": 12},
        {"action": "power", "on": False},
        {"action": "console", "text": "hé"},
    ):
        assert (await lab.fpga.bench_action(ann, 0, action))["leds"] == 2
    assert bench.done == [
        ("press", 0, 0.02),
        ("press", 2, 0.02),
        ("press", 0, 0.5),
        ("set", {"buttons": 3, "switches": 255}),
        ("run", 12),
        ("power", False),
        ("console", "hé".encode()),
    ]
    answer = await lab.fpga.bench_action(ann, 0, {"action": "console_read", "position": 4})
    assert (answer["console_text"], answer["console_end"]) == ("abc", 7)


@pytest.mark.parametrize(
    ("action", "why"),
    [
        ({}, "the action is None; it is one of press, set, run, power, console, console_read."),
        ({"action": "kick"}, "the action is 'kick'; it is one of press, set, run, power, console, console_read."),
        ({"action": "press", "button": 1}, "'press' takes buttons, seconds, not 'button'."),
        ({"action": "press", "buttons": 16}, "buttons takes a whole number from 0 to 15, not 16."),
        ({"action": "press", "buttons": 1, "seconds": 11}, "seconds takes a number up to 10, not 11."),
        ({"action": "set", "switches": "all"}, "switches takes a whole number from 0 to 255, not 'all'."),
        ({"action": "run"}, "cycles is missing; give it a value."),
        ({"action": "power", "on": 1}, "on takes true or false, not 1."),
        ({"action": "console", "text": "x" * 65_537}, "text takes a text of up to 65,536 bytes."),
        ({"action": "console_read", "position": -1}, f"position takes a whole number from 0 to {1 << 62}, not -1."),
    ],
)
async def test_what_a_bench_cannot_do(lab: Any, people: Any, action: dict[str, Any], why: str) -> None:
    ann, _, _ = people
    await lab.reserved()
    bench = Bench()
    lab.driver.bench = lambda record: bench
    with pytest.raises(Invalid) as caught:
        await lab.fpga.bench_action(ann, 0, action)
    assert (caught.value.code, caught.value.message) == (
        "bench_rejected",
        f"The bench of board 0 can't do that: {why}",
    )
    assert bench.done == []


async def test_the_bench_is_the_holders(lab: Any, people: Any) -> None:
    ann, ben, _ = people
    await lab.reserved()
    bench = Bench()
    lab.driver.bench = lambda record: bench
    for work in (lab.fpga.bench(ben, 0), lab.fpga.bench_action(ben, 0, {"action": "power", "on": False})):
        with pytest.raises(Forbidden) as caught:
            await work
        assert caught.value.code == "not_session_holder"
    with pytest.raises(Forbidden):
        await anext(lab.fpga.watch_bench(ben, 0, 0.1).states())
    watching = lab.fpga.watch_bench(ann, 0, 0.1).states()
    assert (await anext(watching))["leds"] == 2
    await lab.released()
    with pytest.raises(Exception, match="can't be read or written now"):
        await anext(watching)


async def test_a_watcher_has_shares_and_text_since_its_own_last_look(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    bench = Bench()
    lab.driver.bench = lambda record: bench
    first, second = (lab.fpga.watch_bench(ann, 0, 0.1, console=at) for at in (0, 1))
    looks, others = first.states(), second.states()
    assert (await anext(looks))["lit"] == [0.5, 1.0]
    bench.cycles, bench.lit, bench.said = 2000, [750, 1000], "é".encode()[:1]
    state = await anext(looks)
    assert (state["lit"], state["console_text"]) == ([0.25, 0.0], "")
    bench.said = "é!".encode()
    assert (await anext(looks))["console_text"] == "é!"
    state = await anext(others)
    assert (state["lit"], state["console_text"]) == ([0.375, 0.5], "\N{REPLACEMENT CHARACTER}!")
    await first.act({"action": "set", "switches": 5})
    assert bench.done == [("set", {"switches": 5})]
    for states in (looks, others):
        await states.aclose()
