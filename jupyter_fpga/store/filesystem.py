"""Whether a folder is on a disk of this machine: SQLite's locks and shared memory don't work across a network."""

import os
import re
from pathlib import Path

from jupyter_fpga.store.errors import OTHER_FOLDER, StoreUnusable

__all__ = ("MOUNTINFO", "NETWORK_TYPES", "filesystem_type", "refuse_network")

MOUNTINFO = Path("/proc/self/mountinfo")
"""This process's mount table; format in proc(5)."""

NETWORK_TYPES = frozenset(
    (
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "fuse.beegfs",
        "fuse.ceph",
        "fuse.davfs2",
        "fuse.gcsfuse",
        "fuse.glusterfs",
        "fuse.juicefs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "fuse.vmhgfs-fuse",
        "gfs2",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "orangefs",
        "panfs",
        "prl_fs",
        "pvfs2",
        "smb3",
        "smbfs",
        "vboxsf",
        "wekafs",
    )
)
"""File systems that other machines share, as the mount table calls them."""


def filesystem_type(folder: Path, mountinfo: str) -> str:
    """The type of the file system that ``folder`` is on, from the text of a mount table.

    The deepest mount point above the folder counts; of several on one point, the last, which hides the others.
    """
    best, kind = -1, ""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        # Spaces, tabs, newlines and backslashes in a mount point are written as \040 and so on.
        point = Path(re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), before.split()[4]))
        if folder.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), after.split()[0]
    return kind


def refuse_network(folder: Path, mountinfo: Path = MOUNTINFO) -> None:
    """Refuse a folder on a network file system.

    Raises
    ------
    StoreUnusable
        With the code ``network_filesystem``.
    """
    kind = filesystem_type(Path(os.path.realpath(folder)), mountinfo.read_text(errors="surrogateescape"))
    if kind in NETWORK_TYPES:
        raise StoreUnusable(
            f"The folder {folder} is on a network file system ({kind}), where the lab's database could be damaged: "
            f"{OTHER_FOLDER}.",
            code="network_filesystem",
            detail={"folder": str(folder), "filesystem": kind},
        )
