"""A program that does what programs do: computes, starts another, writes a file."""

import pathlib
import subprocess

print(6 * 7, flush=True)
subprocess.run(["echo", "started"], check=True)
pathlib.Path("file").write_text("written")
print(pathlib.Path("file").read_text())
