"""What a simulated board's bench has: LEDs to look at, buttons to press, switches to set."""

import asyncio
import operator
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from .door import Door
from .errors import Invalid, TimedOut
from .loop import blocking, on_the_loop
from .tables import html_table, text_table

__all__ = ("Button", "Buttons", "Leds", "Switches", "Uart")

LEDS, BUTTONS, SWITCHES = 8, 4, 8
#: Seconds of board time between two looks at the console: some hundred characters at 115,200 baud.
CONSOLE_STEP = 0.01

#: Waits until the design runs on the board, and gives the board's number.
BoardNumber = Callable[[], Awaitable[int]]


class _Bench:
    def __init__(self, door: Door, board: BoardNumber) -> None:
        self._door = door
        self._board = board

    async def _state(self) -> dict[str, Any]:
        return await self._door.get(f"fpga/{await self._board()}/bench")  # type: ignore[no-any-return]

    async def _act(self, action: str, **values: Any) -> dict[str, Any]:
        path = f"fpga/{await self._board()}/bench"
        return await self._door.post(path, {"action": action, **values})  # type: ignore[no-any-return]


def _element(index: Any, count: int, what: str) -> int:
    number = operator.index(index)
    if not 0 <= number < count:
        raise Invalid(f"The bench has {what} 0 to {count - 1}; got {number}.", code="no_such_element")
    return number


class Leds(_Bench):
    """The LEDs: ``leds.value`` as a number, ``leds[0]`` as 0 or 1, :meth:`brightness` for one that blinks fast."""

    @on_the_loop
    async def aread(self) -> int:
        """All LEDs at this moment, LED 0 in bit 0."""
        return int((await self._state())["leds"])

    @on_the_loop
    async def abrightness(self, seconds: float = 0.1) -> list[float]:
        """The share of time that each LED is on, 0 to 1: what an eye would see. Lets the board run for ``seconds``."""
        # The lab tells the share since somebody last looked, which this look makes now.
        before = await self._state()
        after = await self._act("run", cycles=max(1, round(seconds * before["clock_hz"])))
        return [float(share) for share in after["lit"]]

    read = blocking(aread)
    brightness = blocking(abrightness)

    @property
    def value(self) -> int:
        """All LEDs at this moment."""
        return self.read()

    def __len__(self) -> int:
        return LEDS

    def __getitem__(self, index: int) -> int:
        number = _element(index, LEDS, "LEDs")
        return self.read() >> number & 1

    def __iter__(self) -> Iterator[int]:
        value = self.read()
        return iter([value >> number & 1 for number in range(LEDS)])

    def __repr__(self) -> str:
        return "LEDs 0…7: " + " ".join("●" if lit else "○" for lit in self)

    def _repr_html_(self) -> str:
        colours = ["#e33" if lit else "#ccc" for lit in self]
        dots = "".join(f'<span style="color:{colour};font-size:150%">●</span>' for colour in colours)
        return f'<span title="LED 0 first">{dots}</span>'


class Button(_Bench):
    """One push button."""

    def __init__(self, door: Door, board: BoardNumber, number: int) -> None:
        super().__init__(door, board)
        self._number = number

    @on_the_loop
    async def apress(self) -> None:
        """Press the button for 20 ms of board time and let go; the design has seen both when this returns."""
        await self._act("press", buttons=1 << self._number)

    @on_the_loop
    async def ahold(self) -> None:
        """Press the button and keep it down."""
        await self._level(1)

    @on_the_loop
    async def alet_go(self) -> None:
        """Let go of a button that was kept down."""
        await self._level(0)

    async def _level(self, level: int) -> None:
        before = int((await self._state())["buttons"])
        mask = 1 << self._number
        await self._act("set", buttons=before | mask if level else before & ~mask)

    @on_the_loop
    async def adown(self) -> bool:
        """Whether it is down."""
        return bool(int((await self._state())["buttons"]) >> self._number & 1)

    press = blocking(apress)
    hold = blocking(ahold)
    let_go = blocking(alet_go)
    down = blocking(adown)

    def __repr__(self) -> str:
        return f"<Button {self._number}: {'down' if self.down() else 'up'}>"


class Buttons(_Bench):
    """The push buttons: ``buttons[0].press()``."""

    def __len__(self) -> int:
        return BUTTONS

    def __getitem__(self, index: int) -> Button:
        return Button(self._door, self._board, _element(index, BUTTONS, "buttons"))

    def __iter__(self) -> Iterator[Button]:
        return iter([self[number] for number in range(BUTTONS)])

    def __repr__(self) -> str:
        rows = [[str(number), "down" if self[number].down() else "up"] for number in range(BUTTONS)]
        return text_table(["button", ""], rows)


class Switches(_Bench):
    """The slide switches: ``switches.value = 5`` sets all, ``switches[2] = 1`` one."""

    @on_the_loop
    async def aread(self) -> int:
        """All switches, switch 0 in bit 0."""
        return int((await self._state())["switches"])

    @on_the_loop
    async def awrite(self, value: int) -> None:
        """Set all switches."""
        number = operator.index(value)
        if not 0 <= number < 1 << SWITCHES:
            raise Invalid(f"The switches take 0 to {(1 << SWITCHES) - 1}; got {number}.", code="value_too_wide")
        await self._act("set", switches=number)

    read = blocking(aread)
    write = blocking(awrite)

    @property
    def value(self) -> int:
        """All switches; assigning sets them."""
        return self.read()

    @value.setter
    def value(self, value: int) -> None:
        self.write(value)

    def __len__(self) -> int:
        return SWITCHES

    def __getitem__(self, index: int) -> int:
        return self.read() >> _element(index, SWITCHES, "switches") & 1

    def __setitem__(self, index: int, on: int) -> None:
        mask = 1 << _element(index, SWITCHES, "switches")
        before = self.read()
        self.write(before | mask if on else before & ~mask)

    def __iter__(self) -> Iterator[int]:
        value = self.read()
        return iter([value >> number & 1 for number in range(SWITCHES)])

    def __repr__(self) -> str:
        return "switches 0…7: " + " ".join("on" if on else "off" for on in self)

    def _repr_html_(self) -> str:
        return html_table([f"switch {number}" for number in range(SWITCHES)], [["on" if on else "off" for on in self]])


class Uart(_Bench):
    """The console: the other end of the serial line of a design that has a port ``uart``."""

    def __init__(self, door: Door, board: BoardNumber) -> None:
        super().__init__(door, board)
        self._seen = 0

    @on_the_loop
    async def awrite(self, text: str) -> None:
        """Send text to the design."""
        await self._act("console", text=text)

    @on_the_loop
    async def aread(self) -> str:
        """What the design has sent since this was last asked."""
        answer = await self._act("console_read", position=self._seen)
        self._seen = int(answer["console_end"])
        return str(answer["console_text"])

    @on_the_loop
    async def aread_until(self, text: str, timeout: float = 10.0) -> str:
        """What the design sends up to and including ``text``, letting the board run meanwhile.

        Raises
        ------
        TimedOut
            It didn't come within ``timeout`` seconds; the message tells the end of what did.
        """
        got = ""
        try:
            async with asyncio.timeout(timeout):
                clock_hz = (await self._state())["clock_hz"]
                while text not in got:
                    got += await self.aread()
                    if text not in got:
                        await self._act("run", cycles=round(clock_hz * CONSOLE_STEP))
        except TimeoutError:
            raise TimedOut(
                f"The console didn't say {text!r} within {timeout:g} s; the last that it said was {got[-60:]!r}.",
                code="not_reached",
            ) from None
        return got

    write = blocking(awrite)
    read = blocking(aread)
    read_until = blocking(aread_until)

    def __repr__(self) -> str:
        return "<Uart>"
