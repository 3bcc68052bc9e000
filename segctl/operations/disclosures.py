"""Who had personal data shown, and when: a line for each call with `--show-personal`, before anything is shown."""

from __future__ import annotations

import getpass
import json
import os
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from segctl.model.errors import UsageError
from segctl.operations.project import bound_project

FILE = "shown.ndjson"
"""In the folder of the workspace."""
_PERSONAL = re.compile(r"@|\d{6}")
"""In addresses and telephone numbers, which do not belong into the record themselves."""


def record_disclosure(start: Path, verb: str, words: Sequence[str], *, env: str | None, now: datetime) -> None:
    """Append a line with time, account, verb and arguments to the workspace's record.

    Args:
        start: Folder to look for the project, upwards from here.
        verb: Such as ``profile``.
        words: The arguments behind it; those that may be somebody's address or number are left out.
        env: Environment, None for the default one.
        now: Start of the call.

    Raises:
        OSError: It cannot be recorded, so nothing may be shown.
    """
    try:
        folder = Path(bound_project(start, env=env)[0].workspace)
    except UsageError:
        return  # without a project nobody's profile can be shown
    if not folder.is_dir():
        return
    said = ["…" if _PERSONAL.search(word) else word for word in words]
    line = json.dumps({"at": now.isoformat(), "who": _account(), "verb": verb, "words": said}, ensure_ascii=False)
    file = os.open(folder / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(file, "a", encoding="utf-8") as stream:
        stream.write(f"{line}\n")


def _account() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return None
