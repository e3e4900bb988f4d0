"""``capture``: signals inside a running design, into a VCD file."""

from traitlets import List, Unicode

from jupyter_fpga.client.arguments import Reader, board_number, names, seconds, whole_number
from jupyter_fpga.client.captures import NotTriggered

from .base import ALIASES, LAB_ALIASES, LabCommand, merged
from .settings import Read
from .waveforms import waveform_path, write_waveform

__all__ = ("CaptureApp",)


def _way(text: str) -> str:
    if text not in ("trace", "analyzer"):
        raise ValueError(text)
    return text


_WAY = Reader("trace or analyzer", _way)


class CaptureApp(LabCommand):
    """Capture signals of the design on a board that you hold: all of its own, or those named.

    On a simulated board any signal, by name or the end of it; on a real one those that were built in with --probe.
    --trigger says what to wait for, such as "count == 5", "led rises", "a rises and b == 3"; given again, what must
    come after that. The waveform goes to --output, a .vcd or .json (WaveJSON) file, and is shown as text without.
    """

    name = "jupyter-fpga capture"
    description = __doc__
    positionals = ("[SIGNAL[,SIGNAL…]…]",)
    aliases = merged(
        {
            **ALIASES,
            **LAB_ALIASES,
            "board": "CaptureApp.board",
            "trigger": "CaptureApp.trigger",
            "depth": "CaptureApp.depth",
            "pre": "CaptureApp.pre",
            "every": "CaptureApp.every",
            "timeout": "CaptureApp.timeout",
            "via": "CaptureApp.via",
            ("o", "output"): "CaptureApp.output",
        }
    )

    board = Read(board_number, help="Which board; not needed while you hold only one.").tag(config=True)
    trigger = List(Unicode(), help="What to wait for; may be repeated, each after the one before.").tag(config=True)
    depth = Read(whole_number, help="Samples in all.").tag(config=True)
    pre = Read(whole_number, help="Of them before the trigger; a quarter unless told.").tag(config=True)
    every = Read(whole_number, help="Clock cycles from sample to sample.").tag(config=True)
    timeout = Read(seconds, help="Seconds to wait for the trigger; 10 unless told.").tag(config=True)
    via = Read(_WAY, help="On a simulated board with probes: trace (any signal), or their analyzer.").tag(config=True)
    output = Unicode(help="File for the waveform, .vcd or .json.").tag(config=True)

    def run(self, words: list[str]) -> None:
        path = waveform_path(self.output)
        signals = [name for word in words for name in names.read(word)] or None
        board = self.lab().board(self.board)
        try:
            waveform = board.capture(
                signals,
                trigger=list(self.trigger) or None,
                depth=self.depth,
                pre=self.pre,
                every=1 if self.every is None else self.every,
                timeout=10.0 if self.timeout is None else self.timeout,
                via=self.via,
            )
        except NotTriggered as missed:
            # What there was may tell why.
            if path is not None:
                write_waveform(missed.waveform, path)
            raise
        if path is not None:
            write_waveform(waveform, path)
        facts = {"signals": waveform.names, "end": waveform.end, "trigger": waveform.trigger, "ended": waveform.ended}
        text = repr(waveform) if path is None else f"{path}: {waveform.title}"
        self.show(waveform.to_json() if path is None else {"file": str(path), **facts}, text)
