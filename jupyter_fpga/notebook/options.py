"""The magics' command lines."""

import argparse
import difflib
import keyword
import re
import shlex
from typing import Any, NoReturn

from jupyter_fpga.client.arguments import (
    Reader,
    board_number,
    frequency,
    megahertz,
    names,
    parameter,
    reworded,
    seconds,
    until,
    whole_number,
)
from jupyter_fpga.client.errors import Invalid

_UNKNOWN = re.compile(r"unrecognized arguments: (?P<word>\S+).*", re.DOTALL)
_CHOICE = re.compile(r"argument COMMAND: invalid choice: '(?P<word>[^']*)'")

__all__ = ("CELL", "COMMANDS", "LINE", "HelpWanted", "Parser", "parse")


class HelpWanted(Exception):
    """``--help``: the text to show."""


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that raises instead of ending the kernel, and writes nothing by itself."""

    def __init__(self, **facts: Any) -> None:
        super().__init__(add_help=False, allow_abbrev=False, formatter_class=argparse.RawTextHelpFormatter, **facts)
        self.add_argument("-h", "--help", action=_Help, nargs=0, dest=argparse.SUPPRESS, help="show this")

    def error(self, message: str) -> NoReturn:
        # Not %%fpga --help: IPython refuses a cell magic without a cell.
        raise Invalid(f"{self.prog}: {self._meant(message)}; `%fpga help` shows what there is.", code="usage")

    def _meant(self, message: str) -> str:
        """What argparse says, with what the person may have meant."""
        if unknown := _UNKNOWN.fullmatch(message):
            word, known = unknown["word"], list(self.options())
            if not word.startswith("-"):
                return f"{word!r} isn't expected here; values belong behind their option"
            near = difflib.get_close_matches(word.partition("=")[0], known, 1)
            return f"there is no option {word}{f' (did you mean {near[0]}?)' if near else ''}"
        if choice := _CHOICE.match(message):
            return _no_command(choice["word"])
        return reworded(message)

    def check_command(self, name: str) -> None:
        """Refuse what is no command of ``%fpga``."""
        if name not in COMMANDS:
            self.error(_no_command(name))

    def options(self) -> dict[str, argparse.Action]:
        """The options by their long or only name, for completion."""
        return {name: action for action in self._actions for name in action.option_strings}


def _no_command(name: str) -> str:
    near = difflib.get_close_matches(name, COMMANDS, 1)
    hint = f" (did you mean {near[0]}?)" if near else f"; there are {', '.join(COMMANDS)}"
    return f"there is no command {name}{hint}"


class _Help(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        raise HelpWanted(parser.format_help())


def parse(parser: Parser, line: str) -> argparse.Namespace:
    """What a magic's line says.

    Raises
    ------
    Invalid
        ``usage``: it can't be read.
    HelpWanted
        It asks for help.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        parser.error(f"{str(error).lower()} in {line!r}")
    arguments = parser.parse_args(words)
    if parser is CELL:
        _check_simulation(arguments)
    return arguments


_NO_BOARD = "a simulation needs no board"
_NO_DEVICE = "nothing is placed and routed for a simulation"
#: Options that have no meaning in a simulation, and why.
_NOT_SIMULATED = {
    "board": _NO_BOARD,
    "tag": _NO_BOARD,
    "flash": _NO_BOARD,
    "build_only": _NO_BOARD,
    "timing_target": _NO_DEVICE,
    "seed": _NO_DEVICE,
    "explore": _NO_DEVICE,
    "verify": _NO_DEVICE,
    "probe": "a simulation shows all signals",
    "no_wait": "a simulation is waited for",
    "lib": "a --lib cell is only read; simulate a cell below that uses it",
}


def _check_simulation(arguments: argparse.Namespace) -> None:
    if not arguments.sim:
        if arguments.until is not None:
            CELL.error("--until says when a simulation ends, and there is none without --sim")
        return
    for name, why in _NOT_SIMULATED.items():
        if getattr(arguments, name) != CELL.get_default(name):
            option = f"--{name.replace('_', '-')}"
            CELL.error(f"--sim takes no {option}: {why}")


def _variable(text: str) -> str:
    if not text.isidentifier() or keyword.iskeyword(text):
        raise ValueError(text)
    return text


_NAME = Reader("the name of a Python variable", _variable)


def _cell_parser() -> Parser:
    parser = Parser(
        prog="%%fpga",
        description="Build the design in this cell, program it onto a board, and leave a handle of the board in NAME.\n"
        "Amaranth's names (wiring, In, Out, Signal, Module …) are there without imports; a cell that begins with\n"
        "`module` is Verilog. Running the cell again re-programs the same board in the same board session.",
    )
    add = parser.add_argument
    add("--name", type=_NAME, metavar="NAME", help="variable for the board handle (_fpga always is the last one)")
    add("--board", type=board_number, metavar="N", help="that board, instead of any that is free")
    add("--target", metavar="TARGET", help="kind of board, such as simulated")
    add("--tag", action="append", default=[], metavar="TAG", help="only a board with this tag; may be repeated")
    add("--top", metavar="TOP", help="which class, object or module of the cell is the design")
    add("--clock", type=frequency, metavar="HZ", help="system clock: 12MHz, 12e6 or 12_000_000")
    add("--timing-target", type=megahertz, metavar="MHZ", help="fail when the design is slower (real boards)")
    add("--seed", type=whole_number, metavar="N", help="where place and route begins (real boards)")
    add("--explore", type=whole_number, metavar="N", help="place and route with N seeds, and keep the fastest")
    add(
        "--probe",
        type=names,
        action="extend",
        default=[],
        metavar="SIGNAL[,SIGNAL…]",
        help="signals that get an analyzer, for capture() on a real board; may be repeated",
    )
    add(
        "--param",
        type=parameter,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="value for a constructor's argument or a constant of the cell; may be repeated; $x is a variable's value",
    )
    add("--timeout", type=seconds, metavar="SECONDS", help="give up, and cancel, after so long")
    add("--no-wait", action="store_true", help="return at once; the handle's first use waits")
    add("--build-only", action="store_true", help="build for the report and the bitstream, without a board")
    add(
        "--flash",
        action="store_true",
        help="into the board's flash, so that it starts with it from then on (operators)",
    )
    add("--verify", action="store_true", help="compare an iCE40's bitstream with the design, by simulating both")
    add("--no-cache", action="store_true", help="build everything anew")
    add("--quiet", action="store_true", help="show neither progress nor a summary")
    add("--sim", action="store_true", help="run the cell's testbench, async def testbench(ctx), without a board")
    add("--until", type=until, metavar="END", help="with --sim: end at the latest after 500 cycles, or 20us")
    add("--lib", action="store_true", help="build nothing: this cell's definitions are there in later designs")
    return parser


CELL = _cell_parser()
"""``%%fpga``."""

COMMANDS = {
    "boards": "all boards of the lab",
    "targets": "the kinds of boards that designs can be built for, and what is installed for each",
    "status": "the lab, and the boards that you hold",
    "jobs": "your latest jobs",
    "logs": "the log of the last job, or of NAME's; -f follows it",
    "release": "give NAME's board back (the last one's without NAME)",
    "renew": "hold NAME's board for longer",
    "reset": "reset NAME's board, which ends its session",
    "target": "show the target of later cells, or set it to NAME",
    "attach": "a handle NAME for a board that you hold, after a restart of the kernel",
    "help": "this text, and the options of %%fpga; or what the command NAME does",
}


def _line_parser() -> Parser:
    listed = "\n".join(f"  {name:<9}{text}" for name, text in COMMANDS.items())
    parser = Parser(prog="%fpga", description=f"Look after boards and jobs:\n\n{listed}")
    add = parser.add_argument
    add("command", choices=list(COMMANDS), metavar="COMMAND", help="one of those above")
    add("name", nargs="?", metavar="NAME", help="a board handle's name, a target, or a command")
    add("--board", type=board_number, metavar="N", help="a board by its number")
    add("-f", "--follow", action="store_true", help="logs: until the job has ended")
    add("--all", action="store_true", help="jobs: also resets that the lab did by itself")
    return parser


LINE = _line_parser()
"""``%fpga``."""
