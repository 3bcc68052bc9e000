"""A file replaced as a whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Write the content under another name beside the file, then give it the file's name and permissions.

    Raises:
        OSError: It cannot be written; the file is as it was.
    """
    path = path.resolve()
    waiting = path.with_name(f".{path.name}.part")
    try:
        with waiting.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        waiting.chmod(path.stat().st_mode & 0o777)
        waiting.replace(path)
    except BaseException:
        waiting.unlink(missing_ok=True)
        raise
