"""Write the site's pages: each whole or not at all, and nothing of others is touched."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path

from segctl.model.errors import UsageError

LIST = "segctl-site.json"
"""Names the pages that are ours, so that pages of segments that are gone can go."""

REPORTS = "segctl-reports.json"
"""The same for pages of reports."""
_OURS = {
    LIST: re.compile(r"(segments/[a-z][a-z0-9_]*|index|lineage|traits|sources)\.html"),
    REPORTS: re.compile(r"(experiment-[a-z][a-z0-9_]*|index|control|segments|health)\.html"),
}


def write(
    folder: Path, pages: Iterable[tuple[str, str]], *, force: bool = False, listed: str = LIST
) -> tuple[int, int]:
    """Write all pages and the list of them, and take away our pages of a former time.

    Args:
        folder: Made when it is not there.
        pages: Path within it and text.
        listed: `LIST` or `REPORTS`: which site it is.
        force: Also into a folder that holds files of others; they stay, but one with a page's name is replaced.

    Returns:
        Pages written and pages taken away.

    Raises:
        UsageError: The folder holds files and no site of ours.
        OSError: It cannot be written; every page that is there is whole.
    """
    before, texts = _before(folder, listed, force=force), dict(pages)
    # First, so that a site that was not finished is still known as ours.
    _list(folder, listed, before | texts.keys())
    for name, text in texts.items():
        _replace(folder / name, text)
    gone = [name for name in sorted(before - texts.keys()) if (folder / name).is_file()]
    for name in gone:
        (folder / name).unlink()
    _list(folder, listed, texts)
    return len(texts), len(gone)


def _list(folder: Path, listed: str, names: Iterable[str]) -> None:
    _replace(folder / listed, json.dumps({"schema": "segctl/site/1", "pages": sorted(names)}, indent=1) + "\n")


def _before(folder: Path, name: str, *, force: bool) -> set[str]:
    """Pages of the site that stands there."""
    if folder.exists() and not folder.is_dir():
        raise UsageError("SEG135", f"`{folder}` is no folder", hint="name a folder; it is made when it is not there")
    listed = folder / name
    if listed.is_file():
        try:
            names = json.loads(listed.read_text("utf-8"))["pages"]
            return {name for name in names if isinstance(name, str) and _OURS[listed.name].fullmatch(name)}
        except (ValueError, KeyError, TypeError):
            pass  # Not ours, or broken: nothing is taken away.
    elif folder.is_dir() and any(folder.iterdir()) and not force:
        raise UsageError(
            "SEG135",
            f"`{folder}` holds files that are no site of segctl; nothing was written",
            hint="name a new folder, or write into this one with `--force`; other files stay",
        )
    return set()


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_name(f".{path.name}.part")
    try:
        waiting.write_text(text, "utf-8", newline="\n")
        os.replace(waiting, path)
    except BaseException:
        waiting.unlink(missing_ok=True)
        raise
