"""What all commands share: the lab's address, ``--json``, positional arguments, and how they end."""

import json
import re
from collections.abc import Generator
from typing import Any, ClassVar

from jupyter_core.application import JupyterApp
from traitlets import Bool, Unicode

from jupyter_fpga._version import __version__
from jupyter_fpga.client import LabClient, connect
from jupyter_fpga.client.errors import Invalid
from jupyter_fpga.client.tables import Table

from .exits import USAGE
from .settings import Loader

__all__ = ("ALIASES", "FLAGS", "Command", "LabCommand", "flag", "merged", "number")

ALIASES = {"log-level": "Application.log_level", "config": "JupyterApp.config_file"}
FLAGS = {
    "debug": ({"Application": {"log_level": 10}}, "Set log level to DEBUG."),
    "json": ({"Command": {"json": True}}, "Print data as JSON, for programs."),
}
LAB_ALIASES = {"url": "LabCommand.url", "token": "LabCommand.token"}


def merged(*parts: dict[Any, Any]) -> dict[Any, Any]:
    """Aliases or flags of a command, from several places."""
    return {name: value for part in parts for name, value in part.items()}


class Command(JupyterApp):
    """A subcommand of ``jupyter fpga``.

    A subclass says what its positional arguments are (:attr:`positionals`, as shown in messages; a name in brackets may
    be missing, one with dots may be repeated) and does its work in :meth:`run`.
    """

    version = __version__
    positionals: ClassVar[tuple[str, ...]] = ()
    #: What the positional arguments that must be there are, as the end of "… needs …".
    needs: ClassVar[str] = ""
    #: What to do instead of giving one more than there may be.
    instead: ClassVar[str] = "Leave it out."
    aliases = merged(ALIASES)
    flags = merged(FLAGS)

    json = Bool(False, help="Print data as JSON.").tag(config=True)

    def _config_file_name_default(self) -> str:
        return "jupyter_fpga_config"

    def parse_command_line(self, argv: Any = None) -> None:
        """Refuse options that there aren't, which traitlets would only warn of."""
        known = {
            name for names in (*self.aliases, *self.flags) for name in (names if isinstance(names, tuple) else (names,))
        }
        # A subcommand's options are for it to know.
        for word in () if argv and argv[0] in self.subcommands else argv or ():
            if word == "--":
                break
            name, _, _ = word.lstrip("-").partition("=")
            option = re.match(r"--?[A-Za-z]", word)
            if option and name not in known | {"h", "help", "help-all", "version", "V"} and "." not in name:
                raise Invalid(
                    f"There is no option {word.partition('=')[0]}; `{self.called} --help` shows what there is.",
                    code="usage",
                )
        super().parse_command_line(argv)

    def _create_loader(self, argv: Any, aliases: Any, flags: Any, classes: Any) -> Loader:
        """Read the command line with the options' names in what is refused."""
        return Loader(self, argv, aliases, flags, classes=classes, log=self.log, subcommands=self.subcommands)

    def exit(self, exit_status: int | str | None = 0) -> None:
        """End the process; 1 is what traitlets ends with when a file of settings can't be read."""
        super().exit(USAGE if exit_status == 1 else exit_status)

    @property
    def called(self) -> str:
        """The command as somebody writes it."""
        return str(self.name).replace("jupyter-fpga", "jupyter fpga")

    def usage(self) -> str:
        """The command with its positional arguments."""
        return " ".join([self.called, *self.positionals])

    def emit_description(self) -> Generator[str, None, None]:
        """Begin ``--help`` with the command's line."""
        yield f"Usage: {self.usage()}{' COMMAND' if self.subcommands else ''} [OPTIONS]"
        yield ""
        yield from super().emit_description()

    def words(self) -> list[str]:
        """The positional arguments, as many as there may be."""
        given = list(self.extra_args)
        least = sum(not name.startswith("[") for name in self.positionals)
        endless = any("…" in name for name in self.positionals)
        if len(given) < least:
            raise self.misused(f"needs {self.needs}")
        if len(given) > len(self.positionals) and not endless:
            takes = " and ".join(name.strip("[]") for name in self.positionals)
            extra = given[len(self.positionals)]
            raise self.misused(f"takes {f'only {takes}' if takes else 'options only'}, and got “{extra}”", self.instead)
        return given

    def misused(self, how: str, instead: str = "") -> Invalid:
        """A refusal of the command line: what was expected, and what to do."""
        do = instead or f"It is written `{self.usage()}`."
        return Invalid(f"`{self.called}` {how}. {do} `{self.called} --help` tells more.", code="usage")

    def start(self) -> None:
        super().start()
        self.run(self.words())

    def run(self, words: list[str]) -> None:
        """Do the work."""
        raise NotImplementedError

    def show(self, data: Any, text: Any = None) -> None:
        """Print ``data`` as JSON if that is wanted, else ``text`` (``data`` itself without)."""
        if self.json:
            print(json.dumps(data, ensure_ascii=False, indent=2))
        else:
            print(data if text is None else text)

    def show_table(self, table: Table, empty: str) -> None:
        """Print records."""
        self.show(list(table), table if table else empty)


class LabCommand(Command):
    """A command that needs a lab.

    It is the one at ``--url``, else at ``$JUPYTER_FPGA_URL``, else the one that you run.
    """

    aliases = merged({**ALIASES, **LAB_ALIASES})

    url = Unicode(help="Address of the lab; $JUPYTER_FPGA_URL, or the lab that you run, when empty.").tag(config=True)
    token = Unicode(help="Token or API key; $JUPYTER_FPGA_TOKEN when empty.").tag(config=True)

    #: Whether a lab is started when there is none.
    may_start: ClassVar[bool] = False

    def lab(self) -> LabClient:
        """The lab."""
        return connect(self.url or None, self.token or None, start=self.may_start)


def number(text: str, what: str) -> int:
    """A whole number, decimal or with 0x."""
    try:
        return int(text, 0)
    except ValueError:
        raise Invalid(f"{what} is a whole number such as 12 or 0x1f; got {text!r}.", code="usage") from None


def flag(name: str, setting: str, help: str) -> dict[str, tuple[dict[str, dict[str, bool]], str]]:
    """A flag that sets ``Class.trait`` to true."""
    owner, trait = setting.split(".")
    return {name: ({owner: {trait: True}}, help)}
