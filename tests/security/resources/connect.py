"""Reaches for what listens: ``connect.py PORT UNIX_PATH ABSTRACT_NAME``. Prints what each attempt came to."""

import errno
import socket
import sys

port, path, name = sys.argv[1:]
VSOCK = getattr(socket, "AF_VSOCK", 40)
TARGETS = {
    "loopback": (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", int(port))),
    "loopback 6": (socket.AF_INET6, socket.SOCK_STREAM, ("::1", int(port))),
    "datagram": (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", int(port))),
    "link-local": (socket.AF_INET, socket.SOCK_STREAM, ("169.254.169.254", 80)),
    "path": (socket.AF_UNIX, socket.SOCK_STREAM, path),
    "abstract": (socket.AF_UNIX, socket.SOCK_STREAM, "\0" + name),
    "vsock": (VSOCK, socket.SOCK_STREAM, (2, 1024)),
    "netlink": (socket.AF_NETLINK, socket.SOCK_RAW, (0, 0)),
    "packet": (socket.AF_PACKET, socket.SOCK_RAW, ("lo", 0)),
}


def told(what, attempt):
    try:
        attempt()
    except OSError as error:
        print(what, errno.errorcode[error.errno])
    else:
        print(what, "REACHED")


def reach(family, kind, address):
    with socket.socket(family, kind) as reaching:
        reaching.settimeout(2)
        reaching.connect(address)


for target, (family, kind, address) in TARGETS.items():
    told(target, lambda: reach(family, kind, address))  # noqa: B023 (called at once)
# A pair is a socket, too: datagrams go to any address, and a pair of streams could be connected elsewhere.
told("pair of datagrams", lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
mine, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
told("pair, connected again", lambda: mine.connect(path))
told("pair, sent elsewhere", lambda: mine.sendto(b"x", path))
mine.sendall(b"pairs work")
print(other.recv(16).decode())
