"""Does with its own files what a program may do with them."""

import os
import stat
import tempfile


def mode(path):
    return oct(stat.S_IMODE(os.stat(path).st_mode))


os.makedirs("a/b")
open("a/b/file", "w").close()
os.chmod("a/b/file", 0o755)
print("chmod", mode("a/b/file"))
os.chmod(os.path.abspath("a/b/file"), 0o700)
print("absolute", mode("a/b/file"))
os.chdir("a")
os.chmod("../a/b/file", 0o711)
print("from beside", mode("b/file"))
with open("b/file") as file:
    os.fchmod(file.fileno(), 0o640)
print("open", mode("b/file"))
os.utime("b/file", (1_000_000_000, 1_000_000_001))
print("utime", os.stat("b/file").st_mtime)
os.utime("b/file")
print("now", os.stat("b/file").st_mtime > 1_700_000_000)
folder = os.open("b", os.O_RDONLY)
os.chmod("file", 0o600, dir_fd=folder)
print("in a folder", mode("b/file"))
os.chmod("b/file", 0o4755)
print("another's rights", mode("b/file") if os.getuid() == 0 else "none" if mode("b/file") != "0o104755" else "")
os.rename("b/file", "file")
os.link("file", "b/hard")
os.symlink("file", "soft")
os.mkfifo("fifo")
os.unlink("b/hard")
print(tempfile.mkdtemp().startswith(os.environ["HOME"]))
try:
    os.chmod("missing", 0o600)
except FileNotFoundError:
    print("missing")
