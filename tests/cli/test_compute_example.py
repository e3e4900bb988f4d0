"""CONTRIBUTING's example of a worker, as a reader runs it."""

import os
import re
import subprocess
import sys
from pathlib import Path

CONTRIBUTING = Path(__file__).parent.parent.parent / "CONTRIBUTING.md"


def test_the_example_of_a_worker(served_lab, tmp_path):
    text = CONTRIBUTING.read_text(encoding="utf-8")
    example = re.search(r"<!-- example: worker -->\s*```sh\n(.*?)\n```", text, re.DOTALL)[1]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-ec", example],
        cwd=tmp_path,
        env={**served_lab.environment, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done
    assert re.fullmatch(r"Worker [0-9a-f]{64} is registered.\ndone\nHELLO\n", done.stdout), done
    assert (tmp_path / "shout.txt").read_text() == "HELLO\n"
