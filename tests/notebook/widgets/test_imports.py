"""What a kernel imports before a view is shown."""

import subprocess
import sys

import pytest

import jupyter_fpga.notebook.widgets as widgets

LOADED = """
import sys
from IPython.core.interactiveshell import InteractiveShell

InteractiveShell.instance().run_line_magic("load_ext", "jupyter_fpga")
import jupyter_fpga.notebook.widgets
print([name for name in ("anywidget", "ipywidgets") if name in sys.modules])
"""


def test_the_extension_brings_no_widgets_by_itself():
    run = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("name", widgets.__all__)
def test_every_view_is_there_and_has_its_browser_side(name):
    view = getattr(widgets, name)
    assert view.__name__ == name
    assert len(str(view._esm)) < 20_000
    assert str(view._esm).strip() != ""


def test_what_is_no_view():
    with pytest.raises(AttributeError) as caught:
        widgets.Oscilloscope  # noqa: B018
    assert str(caught.value) == "module 'jupyter_fpga.notebook.widgets' has no attribute 'Oscilloscope'"
