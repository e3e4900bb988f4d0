"""A real shell with the extension, whose lab is the tests' own."""

from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


class Shell:
    """An IPython shell, and what it showed."""

    def __init__(self, ip: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
        self.ip = ip
        self._capsys = capsys

    @property
    def names(self):
        return self.ip.user_ns

    def run(self, text: str) -> str:
        """Run a cell; what it wrote. A failure is raised."""
        self._capsys.readouterr()
        result = self.ip.run_cell(text, store_history=False)
        self.result = result
        self.shown = self._capsys.readouterr().out
        result.raise_error()
        return self.shown

    def fail(self, text: str) -> list[str]:
        """Run a cell that fails; the lines that the person sees."""
        with pytest.raises(BaseException):  # noqa: PT011, B017 (KeyboardInterrupt is none of Exception)
            self.run(text)
        return self.result.error_in_exec._render_traceback_()


@pytest.fixture
def shell(
    served_lab, lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path
) -> Iterator[Shell]:
    """A shell with ``%load_ext jupyter_fpga`` done, whose environment names the served lab."""
    monkeypatch.setenv("JUPYTER_FPGA_URL", served_lab.url)
    monkeypatch.setenv("JUPYTER_FPGA_TOKEN", served_lab.token)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    InteractiveShell.clear_instance()
    ip = InteractiveShell.instance(config=config)
    ip.run_cell("%load_ext jupyter_fpga").raise_error()
    yield Shell(ip, capsys)
    made = ip.magics_manager.registry["FpgaMagics"].desk.known_lab
    if made is not None:
        made.close()
    InteractiveShell.clear_instance()
