"""Which files are meant, and the fingerprint of one."""

from __future__ import annotations

import hashlib
import io
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from segctl.connectors.files.base import RAW_LIMIT
from segctl.model.errors import LocalIOError, UsageError

STDIN = "-"
_PIECE = 4 * 1024 * 1024
_GLOB = re.compile(r"[*?\[]")


def expand(root: Path, patterns: str | Iterable[str]) -> list[Path]:
    """The files that the patterns name, each once, numbers inside names in numeric order.

    Args:
        root: Folder that relative patterns start from, normally the project.
        patterns: File names, folders (all files below them), globs (``**`` for folders) or ``-`` for
            standard input. Hidden files and folders are skipped unless they are named outright.

    Returns:
        Files sorted within each pattern, patterns in the order given; ``Path("-")`` for standard input.

    Raises:
        UsageError: SEG340, a pattern names nothing.
    """
    found: dict[Path, None] = {}
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        matches = [Path(STDIN)] if pattern == STDIN else _matches(root, pattern)
        if not matches:
            raise UsageError(
                "SEG340",
                f"no file matches `{pattern}`",
                why=_what_is_there(root, pattern),
                hint="check the path; it is read from the project folder, and quotes keep a shell from expanding `*`",
            )
        found |= dict.fromkeys(matches)
    return list(found)


def _matches(root: Path, pattern: str) -> list[Path]:
    try:
        literal = root / Path(pattern).expanduser()
        if literal.is_dir():
            return _sorted(literal, literal.rglob("*"))
        # A name that exists wins over its reading as a glob: `orders [2024].csv` is a file name.
        if literal.exists() or literal.is_symlink():
            return [literal]
        if not _GLOB.search(pattern):
            return []
        anchor, rest = _glob_start(root, pattern)
        hits = [*anchor.glob(rest)]
    except (OSError, ValueError, NotImplementedError) as error:
        raise UsageError("SEG340", f"`{pattern}` is not a path or pattern: {error}") from error
    below = [file for hit in hits if hit.is_dir() for file in hit.rglob("*")]
    return _sorted(anchor, [*hits, *below])


def _glob_start(root: Path, pattern: str) -> tuple[Path, str]:
    path = Path(pattern).expanduser()
    if not path.is_absolute():
        return root, str(path)
    return Path(path.anchor), str(path.relative_to(path.anchor))


def _sorted(anchor: Path, files: Iterable[Path]) -> list[Path]:
    seen = {file for file in files if file.is_file() and not _is_hidden(file, anchor)}
    return sorted(seen, key=lambda file: (_natural(str(file)), str(file)))


def _is_hidden(file: Path, anchor: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(anchor).parts)


def _natural(name: str) -> list[tuple[int, int, str]]:
    # The separator sorts first, so that a folder stays together: a/x before a-b/x.
    parts = re.split(r"(\d+)", name.casefold().replace("/", "\x00"))
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def _what_is_there(root: Path, pattern: str) -> str:
    folder = (root / Path(pattern).expanduser()).parent
    if _GLOB.search(str(folder)):
        return f"nothing below `{root}` has such a name"
    shown = folder.relative_to(root).as_posix() if folder.is_relative_to(root) else str(folder)
    shown = "the project folder" if shown == "." else f"the folder `{shown}`"
    if not folder.is_dir():
        return f"{shown} does not exist"
    names = sorted((file.name for file in folder.iterdir() if not file.name.startswith(".")), key=_natural)
    if not names:
        return f"{shown} is empty"
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{shown} holds " + ", ".join(f"`{name}`" for name in names[:5]) + more


def digest(path: Path) -> str:
    """SHA-256 of the stored bytes, in hexadecimal.

    Raises:
        LocalIOError: SEG342, the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> LocalIOError:
    """The error for a file that the system refuses: absent, forbidden, a broken disk."""
    hints = {
        FileNotFoundError: "it is gone; if another program is still writing it, ingest again when it is done",
        PermissionError: f"let your user read it, for example `chmod u+r {path}`",
    }
    reason = (error.strerror or str(error)).lower()
    return LocalIOError("SEG342", f"cannot read `{path}`: {reason}", hint=hints.get(type(error)))


def spool(stream: IO[bytes] | None = None, folder: Path | None = None) -> Path:
    """Standard input copied to a temporary file, since detection reads twice; the caller deletes it.

    A standard input that is closed is an empty one.

    Raises:
        LocalIOError: SEG342, the input or the temporary folder fails.
    """
    source = stream or (io.BytesIO() if sys.stdin is None else sys.stdin.buffer)
    try:
        with tempfile.NamedTemporaryFile(prefix="stdin-", dir=folder, delete=False) as file:
            for piece in _pieces(source):
                file.write(piece)
            return Path(file.name)
    except OSError as error:
        raise unreadable(Path("standard input"), error) from error


def _pieces(source: IO[bytes]) -> Iterator[bytes]:
    while piece := source.read(_PIECE):
        yield piece


def shortened(text: str, limit: int = RAW_LIMIT) -> str:
    """`text`, cut at `limit` characters with a note of how long it was."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"
