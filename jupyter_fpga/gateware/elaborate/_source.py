"""What a person submitted, on disk, and the names that places in it have."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from jupyter_fpga.gateware.errors import DesignError

__all__ = ("ENTRY", "Source")

#: The entry file's name in everything that is compiled from it, whatever the person called it: so the netlist doesn't
#: depend on the name.
ENTRY = {".py": "design.py", ".v": "design.v", ".sv": "design.v"}

#: Where a bundle says what it is made of.
_PROJECT = "mrg-project.json"

#: Characters of a line that are shown with an error.
_LONGEST_LINE = 500


@dataclass
class Source:
    """The submitted files in ``directory``, with ``entry`` as the one that holds the design's top."""

    directory: Path
    entry: str

    @property
    def path(self) -> Path:
        """The entry file."""
        return self.directory / self.entry

    @property
    def fixed_name(self) -> str:
        """What the entry file is called in the netlist; its own name if the bundle has another file of that name."""
        fixed = ENTRY[self.path.suffix]
        return self.entry if (self.directory / fixed).exists() else fixed

    @property
    def is_verilog(self) -> bool:
        return self.path.suffix in (".v", ".sv")

    def text(self, name: str | None = None) -> str:
        """Text of a file of the source, of the entry when no name is given.

        Raises
        ------
        DesignError
            ``not_utf8``: the file is not text in UTF-8.
        """
        name = name or self.entry
        data = (self.directory / name).read_bytes()
        try:
            return data.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise DesignError(
                f"{name} is not text in UTF-8: byte 0x{data[error.start]:02x} in line {line} is none; "
                "save the file as UTF-8.",
                code="not_utf8",
                file=name,
                line=line,
            ) from None

    def own_name(self, name: str) -> str | None:
        """The person's name of a file that a tool or a traceback names; ``None`` when it isn't one of theirs."""
        if name == self.fixed_name:
            return self.entry
        path = Path(name)
        if not path.is_absolute():
            path = self.directory / path
        try:
            relative = path.resolve().relative_to(self.directory.resolve())
        except ValueError:
            return None
        return str(relative) if path.is_file() else None

    def line_text(self, name: str, line: int | None) -> str | None:
        """A line of one of the person's files, without the space around it."""
        if line is None or not (self.directory / name).is_file():
            return None
        lines = (self.directory / name).read_text("utf-8", "replace").splitlines()
        return lines[line - 1].strip()[:_LONGEST_LINE] if 1 <= line <= len(lines) else None

    def verilog_files(self) -> list[str]:
        """The bundle's Verilog sources: those that it names itself, else all of them."""
        project = self.directory / _PROJECT
        if project.is_file():
            named = json.loads(project.read_text("utf-8")).get("verilog_sources")
            if named:
                files = [str(name) for name in named]
                return files if not self.is_verilog or self.entry in files else [self.entry, *files]
        found = [path for pattern in ("*.v", "*.sv") for path in self.directory.rglob(pattern)]
        return sorted(str(path.relative_to(self.directory)) for path in found)

    def place(self, location: str | None) -> tuple[str | None, int | None]:
        """File and line of a source location such as ``design.py:12`` or ``design.v:3.1-3.9``."""
        match = re.match(r"(.+?):(\d+)", location or "")
        if not match:
            return None, None
        name = self.own_name(match[1])
        return (name, int(match[2])) if name else (None, None)
