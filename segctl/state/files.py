"""Immutable files: safe folder names, fresh file names, and making them last before they are named."""

from __future__ import annotations

import hashlib
import os
import uuid
import zlib
from dataclasses import field
from pathlib import Path
from typing import Any

from segctl.model.dataclass import dataclass

Meta = dict[str, Any]
"""What is worth knowing about a file without opening it; JSON values."""

FILES = "files"
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")
_LONGEST = 120
_PIECE_BYTES = 1024 * 1024
_RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(10))})


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that was written under a fresh name and waits for its commit.

    Attributes:
        path: Where it is, as `Workspace.new_file` gave it.
        dataset: The dataset it was made for.
        rows: Number of rows inside.
        meta: Whatever readers need to know before opening it.
        crc32: Checksum of its bytes, when they were made to last already.
    """

    path: Path
    dataset: str
    rows: int
    meta: Meta = field(default_factory=dict)
    crc32: int | None = None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A committed file.

    Attributes:
        id: Number in the database, ascending in commit order.
        path: Absolute path.
        added: Commit that brought it.
        removed: Commit that replaced or removed it; None while it is current.
    """

    id: int
    path: Path
    dataset: str
    rows: int
    bytes: int
    meta: Meta
    added: int
    removed: int | None


def folder_name(part: str) -> str:
    """One safe folder name for any text: ASCII, no dots, distinct even where case does not count.

    >>> folder_name("shop_orders"), folder_name("Käufe/2026")
    ('shop_orders', '%4b%c3%a4ufe%2f2026')
    """
    encoded = "".join(c if c in _PLAIN else "".join(f"%{byte:02x}" for byte in _utf8(c)) for c in part)
    if not encoded or encoded in _RESERVED:
        return f"%{encoded}"
    if len(encoded) > _LONGEST:
        return encoded[: _LONGEST - 33] + "~" + hashlib.sha256(_utf8(part)).hexdigest()[:32]
    return encoded


def dataset_folder(dataset: str) -> str:
    """Folder of a dataset below `files/`: its kind, then everything after the first slash as one name.

    >>> dataset_folder("records/a/b"), dataset_folder("events")
    ('records/a%2fb', 'events')
    """
    kind, slash, name = dataset.partition("/")
    return f"{folder_name(kind)}/{folder_name(name)}" if slash else folder_name(kind)


def fresh_path(root: Path, dataset: str, suffix: str, *, writer: str = "") -> Path:
    """A name nobody has used, beginning with its writer's; its folder exists afterwards and survives a power cut."""
    folder = root / FILES / dataset_folder(dataset)
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        for above in (folder.parent, root / FILES, root):
            flush(above)
    return folder / f"{writer}{uuid.uuid4().hex}{suffix}"


def writer_of(path: Path) -> str:
    """What the name of a file that has a writer begins with."""
    return path.name.partition("-")[0]


def crc32(path: Path) -> int:
    """Checksum of a file's bytes: it shows what a failing disk does, not what somebody means to hide."""
    checksum, piece = 0, bytearray(_PIECE_BYTES)
    view = memoryview(piece)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(piece):
            checksum = zlib.crc32(view[:count], checksum)
    return checksum


def flush(path: Path) -> None:
    """Makes a file's bytes, or a folder's names, last through a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def flush_all(paths: list[Path]) -> None:
    """Flushes the files, then each folder once."""
    for path in paths:
        flush(path)
    flush_folders(paths)


def flush_folders(paths: list[Path]) -> None:
    """Makes the names of files last, their folders flushed once each."""
    for folder in sorted({path.parent for path in paths}):
        flush(folder)


def _utf8(text: str) -> bytes:
    # Lone surrogates come from undecodable file names; they must not stop a commit.
    return text.encode("utf-8", "surrogatepass")
