"""Print one of the README's commands: ``readme_command.py demo|test``.

The README marks the fenced block that holds it with ``<!-- command: NAME -->``, so that what CI runs is what a reader
copies.
"""

import re
import sys
from pathlib import Path

name = sys.argv[1]
text = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
match = re.search(rf"<!-- command: {re.escape(name)} -->\s*```\w*\n(?P<command>.*?)\n```", text, re.DOTALL)
if match is None:
    sys.exit(f"README.md has no block marked <!-- command: {name} -->.")
sys.stdout.write(" ".join(line.rstrip("\\").strip() for line in match["command"].splitlines()) + "\n")
