"""What an option takes: said in words, and read as the notebook's magics read it."""

import argparse
import math
import re
from typing import Any, NoReturn

from traitlets import Bool, Enum, Float, Int, TraitError, TraitType
from traitlets.config import Application, Config
from traitlets.config.loader import ArgumentError, DeferredConfig, KVArgParseConfigLoader

from jupyter_fpga.client.arguments import Reader, reworded
from jupyter_fpga.client.errors import Invalid

__all__ = ("Loader", "Read", "expected")


class Loader(KVArgParseConfigLoader):
    """Reads the command line; says in a sentence what can't be read.

    traitlets would log it as CRITICAL, argparse print a page of usage.

    Parameters
    ----------
    command
        Whose options they are.
    facts
        As of any loader.
    """

    def __init__(self, command: Application, argv: Any, aliases: Any, flags: Any, **facts: Any) -> None:
        super().__init__(argv, aliases, flags, **facts)
        self._command = command

    def _create_parser(self) -> None:
        super()._create_parser()
        self.parser.error = self._refuse  # type: ignore[method-assign]

    def _refuse(self, message: str) -> NoReturn:
        # The parser knows options by their settings.
        told = re.sub(r"^--\w+\.(\w+)", lambda match: self._option(match[1]), reworded(message))
        raise Invalid(f"{told}.", code="usage")

    def load_config(self, *given: Any, **named: Any) -> Config:
        """The settings.

        Raises
        ------
        Invalid
            ``usage``: an option without the value that it needs, twice, or with a value that it can't have.
        """
        try:
            config = super().load_config(*given, **named)
        except ArgumentError as error:
            repeated = re.match(r"Error loading argument \w+\.(\w+)=.* only accepts one value", str(error), re.DOTALL)
            if repeated is None:
                raise
            raise Invalid(f"{self._option(repeated[1])} may be given only once.", code="usage") from None
        traits = self._command.traits(config=True)
        for section in set(self._command.section_names()) & set(config):
            for name in set(traits) & set(config[section]):
                self._check(name, traits[name], config[section][name])
        return config

    def _check(self, name: str, trait: TraitType[Any, Any], given: Any) -> None:
        value = given.get_value(trait) if isinstance(given, DeferredConfig) else given
        try:
            trait._validate(self._command, value)
        except TraitError:
            raise Invalid(f"{self._option(name)} takes {expected(trait)}; got {value!r}.", code="usage") from None

    def _option(self, name: str) -> str:
        """What somebody writes for the setting ``name``."""
        for words, setting in self._command.aliases.items():
            if setting.rpartition(".")[2] == name:
                return f"--{words if isinstance(words, str) else words[-1]}"
        return f"--{type(self._command).__name__}.{name}"


class Read(TraitType[Any, Any]):
    """A setting whose text is read by the reader of the magics' option of the same name.

    Parameters
    ----------
    reader
        The reader.
    facts
        As of any trait; ``None``, for nothing given, is the default and always allowed.
    """

    def __init__(self, reader: Reader[Any], **facts: Any) -> None:
        super().__init__(None, allow_none=True, **facts)
        self.reader = reader

    def info(self) -> str:
        return self.reader.expected

    def validate(self, obj: Any, value: Any) -> Any:
        try:
            return self.reader(str(value))
        except argparse.ArgumentTypeError:
            self.error(obj, value)

    def from_string(self, s: str) -> str:
        # As it is: what it means is for validate, which alone may refuse it.
        return s


def expected(trait: TraitType[Any, Any]) -> str:
    """What ``trait`` takes, as the end of “takes …”."""
    if isinstance(trait, Int | Float):
        kind = "a whole number" if isinstance(trait, Int) else "a number"
        least, most = (
            bound if bound is not None and math.isfinite(bound) else None for bound in (trait.min, trait.max)
        )
        if least is not None and most is not None:
            return f"{kind} from {least:g} to {most:g}"
        return kind if least is None else f"{kind}, at least {least:g}"
    if isinstance(trait, Enum):
        *others, last = (str(word) for word in trait.values or ())
        return f"{', '.join(others)} or {last}"
    if isinstance(trait, Bool):
        return "true or false"
    return trait.info()
