"""Waveforms as files: VCD for viewers, WaveJSON for documents."""

import json
from pathlib import Path

from jupyter_fpga.client.errors import Invalid
from jupyter_fpga.waveform import Waveform

__all__ = ("waveform_path", "write_waveform")


def waveform_path(text: str) -> Path | None:
    """The file that ``--output`` names; None where it names none.

    Raises
    ------
    Invalid
        ``usage``: its kind isn't known.
    """
    path = Path(text) if text else None
    if path is not None and path.suffix not in (".vcd", ".json"):
        raise Invalid(f"The file “{path}” is neither a .vcd nor a .json; give one with --output.", code="usage")
    return path


def write_waveform(waveform: Waveform, path: Path) -> None:
    """Write a waveform as the kind of file that ``path`` ends with.

    Raises
    ------
    Invalid
        ``usage``: the file can't be written.
    """
    text = waveform.to_vcd() if path.suffix == ".vcd" else f"{json.dumps(waveform.to_wavejson(), indent=2)}\n"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Invalid(f"The file “{path}” can't be written: {error.strerror}.", code="usage") from None
