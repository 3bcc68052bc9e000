"""Write a new project: a template that works at once, adjusted by a pack of settings."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from segctl.model.errors import LocalIOError, Refused, UsageError

TEMPLATES = {
    "shop": "a German-speaking shop: customers, orders, web tracking, mailings; over 40 segments",
    "b2b": "companies and their contacts: usage, tickets, renewals",
    "minimal": "two small files and one segment",
}
PACKS = {
    "midmarket": "keep_landed: 30 days",
    "enterprise": "keep_landed: 90 days",
    "public": "keep_landed: 7 days",
}
_PACK_ENVIRONMENTS = {
    "midmarket": ("dev", "prod"),
    "enterprise": ("dev", "staging", "prod"),
    "public": ("dev", "prod"),
}
_PACKAGE = Path(__file__).resolve().parent.parent
_GITIGNORE = "# segctl's workspace holds personal data: never commit it.\n.segctl/\nout/\n"


@dataclass(frozen=True, slots=True)
class Created:
    """What `init` wrote.

    Attributes:
        folder: The project folder.
        files: Paths relative to it, sorted.
        template: Name of the template.
    """

    folder: Path
    files: tuple[str, ...]
    template: str


def create_project(folder: Path, *, template: str = "shop", pack: str = "midmarket", dry_run: bool = False) -> Created:
    """Copy a template into a folder; nothing that exists is ever overwritten.

    Raises:
        UsageError: No such template or pack.
        Refused: Some of the files exist already; all are named and none is written.
        LocalIOError: The folder cannot be written.
    """
    content = dict(template_files(template))
    if pack not in PACKS:
        raise UsageError("SEG411", f"`{pack}` is no pack", hint=f"use one of {', '.join(PACKS)}")
    content["segctl.yaml"] = _with_pack(content["segctl.yaml"].decode(), pack).encode()
    content[".gitignore"] = _GITIGNORE.encode()
    existing = sorted(name for name in content if (folder / name).exists())
    if existing:
        raise Refused(
            "SEG412",
            f"`{folder}` already has {', '.join(f'`{name}`' for name in existing[:5])}"
            + (f" and {len(existing) - 5} more" if len(existing) > 5 else "")
            + "; nothing was written",
            hint="choose another folder: `segctl init NEW_FOLDER`",
        )
    if not dry_run:
        try:
            for name, data in content.items():
                write_new(folder / name, data)
        except OSError as error:
            raise LocalIOError(
                "SEG413", f"`{error.filename or folder}` cannot be written: {error.strerror or error}"
            ) from error
    return Created(folder, tuple(sorted(content)), template)


def template_files(template: str) -> Iterator[tuple[str, bytes]]:
    """Path in a project and content of every file of a template.

    Raises:
        UsageError: No such template.
    """
    if template not in TEMPLATES:
        raise UsageError("SEG410", f"`{template}` is no template", hint=f"use one of {', '.join(TEMPLATES)}")
    for root, prefix in _template_folders(template):
        for path in sorted(root.rglob("*")):
            if path.is_file() and path.name != "make_sample.py" and "__pycache__" not in path.parts:
                yield prefix + path.relative_to(root).as_posix(), path.read_bytes()


def _template_folders(template: str) -> list[tuple[Path, str]]:
    packaged = _PACKAGE / "templates" / template
    if packaged.is_dir():
        return [(packaged, "")]
    # In a checkout the shop template is the folder `configs` itself; only the wheel holds a copy.
    checkout = _PACKAGE.parent
    return [(checkout / "configs", ""), (checkout / "sample_data", "data/")]


def _with_pack(text: str, pack: str) -> str:
    environments = "".join(f"  {name}: {{}}\n" for name in _PACK_ENVIRONMENTS[pack])
    text = re.sub(r"(?ms)^(environments:[^\n]*\n)(?:[ ].*?\n)+", lambda m: m[1] + environments, text)
    if "\nenvironments:" not in text:
        text = f"{text.rstrip()}\n\nenvironments:\n{environments}"
    return f"{text.rstrip()}\n\n{PACKS[pack]}           # how long the raw input is kept ({pack} pack)\n"


def write_new(path: Path, data: bytes) -> None:
    """Writes a file that is not there yet.

    Raises:
        OSError: It is, or cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Exclusive creation: a file that appeared since the check is not overwritten either.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
