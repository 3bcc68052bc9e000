"""Input files kept as they arrived, compressed, for as long as the project says."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segctl.state.files import NewFile
    from segctl.state.workspace import Workspace

LARGEST_BYTES = 256 * 1024 * 1024
"""A larger file stays only where it is."""
_PIECE_BYTES = 4 * 1024 * 1024
_PIECES = 8


def landed_dataset(source: str) -> str:
    """Dataset with the input files of a source, as they arrived."""
    return f"landed/{source}"


def land(workspace: Workspace, source: str, path: Path, *, shown: str, digest: str, now: datetime) -> list[NewFile]:
    """Copies of a file's bytes, in parts: columns ``offset`` Int64 and ``bytes`` Binary, in order.

    Bytes that are there already are not copied again.
    """
    import polars as pl

    dataset = landed_dataset(source)
    if any(file.meta.get("digest") == digest for file in workspace.files(dataset)):
        return []
    parts: list[NewFile] = []
    with path.open("rb") as file:
        while True:
            start = file.tell()
            pieces: list[bytes] = []
            while len(pieces) < _PIECES and (piece := file.read(_PIECE_BYTES)):
                pieces.append(piece)
            if not pieces and parts:
                return parts
            offsets = [start + _PIECE_BYTES * i for i in range(len(pieces))]
            frame = pl.DataFrame({"offset": offsets, "bytes": pieces}, schema={"offset": pl.Int64, "bytes": pl.Binary})
            meta = {"digest": digest, "path": shown, "part": len(parts), "at": now.isoformat()}
            parts.append(workspace.write(dataset, frame, meta))


def outlived(workspace: Workspace, source: str, *, now: datetime, days: int) -> list[int]:
    """Ids of landed files that are older than they may be."""
    oldest = now - timedelta(days=days)
    files = workspace.files(landed_dataset(source))
    return [file.id for file in files if datetime.fromisoformat(file.meta["at"]) < oldest]
