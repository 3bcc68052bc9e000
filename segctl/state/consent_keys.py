"""The file with the keys of the consent ledger, beside its database and readable by its owner alone.

One line a key, hexadecimal, the newest last. It is written under another name and put in place in one step, so that
nobody ever reads half of it.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.state import problems

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace

FILE = "consent.key"
LOCK = "consent-key"
_BYTES = 32


def stored_keys(workspace: Workspace) -> tuple[bytes, ...] | None:
    """The keys of the file, oldest first; None when there is no file.

    Raises:
        ValueError: The file is none of ours.
        LocalIOError: It cannot be read.
    """
    path = workspace.folder / FILE
    with problems.worded(workspace.folder):
        try:
            text = path.read_text("ascii")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise ValueError(f"{FILE} is no text") from error
    keys = tuple(bytes.fromhex(line) for line in text.split())
    if not keys or any(len(key) != _BYTES for key in keys):
        raise ValueError(f"{FILE} holds something else than keys")
    return keys


def add_key(workspace: Workspace) -> tuple[bytes, ...]:
    """Put a new key behind those of the file, which begins to exist with the first.

    Returns:
        All keys. Whoever calls holds the lock `LOCK`.
    """
    keys = (*(stored_keys(workspace) or ()), secrets.token_bytes(_BYTES))
    path = workspace.folder / FILE
    fresh = path.with_name(f".{FILE}.{os.getpid()}")
    with problems.worded(workspace.folder):
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write("".join(f"{key.hex()}\n" for key in keys))
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
        _flush(path.parent)
    return keys


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
