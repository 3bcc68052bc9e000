"""Which file system a folder lies on, and the refusal of network ones."""

from __future__ import annotations

import os
from pathlib import Path

from segctl.state import problems

OVERRIDE = "SEGCTL_ALLOW_NETWORK_WORKSPACE"
MOUNTS = Path("/proc/self/mounts")
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb", "smbfs", "smb2", "smb3", "afs", "ncpfs", "ceph", "glusterfs"}) | {
    "lustre",
    "beegfs",
    "gpfs",
    "ocfs2",
    "gfs2",
    "orangefs",
    "davfs",
}
_NETWORK_FUSE = ("sshfs", "s3", "rclone", "gcsfuse", "goofys", "gluster", "ceph", "smb", "dav", "blobfuse", "juicefs")


def refuse_network(folder: Path) -> None:
    """Raises `UsageError` for a folder on a network file system, unless the override variable is set."""
    if os.environ.get(OVERRIDE, "") not in ("", "0"):
        return
    kind = file_system(folder)
    if kind is not None and is_network(kind):
        raise problems.network_file_system(folder, kind, OVERRIDE)


def is_network(kind: str) -> bool:
    """True for file systems whose bytes lie on another machine.

    >>> is_network("nfs4"), is_network("ext4"), is_network("fuse.sshfs")
    (True, False, True)
    """
    if kind.startswith("fuse"):
        return any(word in kind for word in _NETWORK_FUSE)
    return kind in _NETWORK


def file_system(folder: Path, mounts: Path = MOUNTS) -> str | None:
    """Type of the file system that holds a folder, such as ``ext4``; None where the system does not say."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    real = Path(os.path.realpath(folder))
    best, kind = -1, None
    for line in lines:
        _, place, found, *_ = line.split(" ")
        point = Path(_unescape(place))
        # Of several mounts on one point the last one is seen.
        if (real == point or point in real.parents) and len(point.parts) >= best:
            best, kind = len(point.parts), found
    return kind


def _unescape(text: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text
