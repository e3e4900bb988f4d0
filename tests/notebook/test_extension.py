"""``%load_ext jupyter_fpga`` costs nothing that isn't used."""

import subprocess
import sys

SHELL = """
import sys
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
config = Config()
config.HistoryManager.enabled = False
ip = InteractiveShell.instance(config=config)
ip.run_cell("%load_ext jupyter_fpga").raise_error()
"""


def run(text: str) -> str:
    """What a shell of its own prints."""
    finished = subprocess.run([sys.executable, "-c", SHELL + text], capture_output=True, text=True, check=True)
    return finished.stdout


def test_loading_imports_neither_the_client_nor_a_drawing():
    heavy = "('jupyter_fpga.client', 'jupyter_fpga.waveform', 'jupyter_fpga.notebook.magics', 'tornado', 'asyncio')"
    assert run(f"print([name for name in {heavy} if name in sys.modules])") == "[]\n"
    # Nor does a Tab that is about something else.
    tab = "ip.Completer.use_jedi = False\nip.complete('pri')\n"
    assert run(f"{tab}print('jupyter_fpga.client' in sys.modules)") == "False\n"


def test_help_is_there_and_loading_again_changes_nothing(shell):
    before = len(shell.ip.Completer.custom_matchers)
    shell.run("%reload_ext jupyter_fpga")
    assert len(shell.ip.Completer.custom_matchers) == before
    assert "boards" in shell.run("%fpga help")
