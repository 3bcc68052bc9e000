"""The folder of an audience: files that appear whole or not at all, and a manifest that lists them."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from segctl.model.dataclass import dataclass
from segctl.model.errors import DataError, LocalIOError

NAME = "manifest.json"
_STRANGE = re.compile(r"[^\w ()+,;=@.-]")
SCHEMA = "segctl/file-destination/1"


@dataclass(frozen=True, slots=True)
class Delivered:
    """One file that was written.

    Attributes:
        action: ``full`` for the whole membership, otherwise what happens to the people in it.
        at: When the push began, ISO 8601.
        sha256: Of its bytes, hex.
        form: `Form.words` of how it is written.
        batches: Ids of the batches that are in it.
    """

    name: str
    action: str
    at: str
    push: str
    rows: int
    size: int
    sha256: str
    form: str
    batches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What lies in the folder of an audience.

    Attributes:
        files: In the order in which they are to be read.
        current: The file with the whole membership, None where there are only changes.
    """

    destination: str
    segment: str
    audience: str
    files: tuple[Delivered, ...] = ()
    current: str | None = None

    def with_file(self, file: Delivered, *, keep: int) -> Manifest:
        """The manifest with a file more, or with one of the same name replaced.

        Args:
            file: The new one.
            keep: So many of the files with the whole membership stay.
        """
        others = [one for one in self.files if one.name != file.name]
        if file.action != "full":
            return replace(self, files=(*others, file))
        old = [one.name for one in others if one.action == "full"]
        gone = set(old[: max(0, len(old) - (keep - 1))])
        return replace(self, files=(*(one for one in others if one.name not in gone), file), current=file.name)


def folder_name(name: str) -> str:
    """A name as a folder: signs that a file system may not take are written as ``%2F``."""
    found = _STRANGE.sub(lambda sign: quote(sign[0], safe=""), name)
    return found.replace(".", "%2E") if found.strip(".") == "" else found


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a folder, None where there is none.

    Raises:
        DataError: It is no manifest of ours.
        LocalIOError: It cannot be read.
    """
    path = folder / NAME
    try:
        found: Any = json.loads(path.read_bytes())
        files = tuple(Delivered(**{**file, "batches": tuple(file["batches"])}) for file in found["files"])
        names = {name: found[name] for name in ("destination", "segment", "audience", "current")}
        return Manifest(**names, files=files)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unwritable(path, error) from None
    except (ValueError, TypeError, KeyError):
        raise DataError(
            "SEG905",
            f"`{path}` is no manifest of a file destination",
            hint="put it back from a backup; or move the folder away, and `segctl reconcile` delivers anew",
        ) from None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Puts the manifest in place, and deletes files that it no longer lists."""
    document = {
        "schema": SCHEMA,
        "destination": manifest.destination,
        "segment": manifest.segment,
        "audience": manifest.audience,
        "current": manifest.current,
        "files": [
            {name: getattr(file, name) for name in Delivered.__slots__} | {"batches": list(file.batches)}
            for file in manifest.files
        ],
    }
    before = read_manifest(folder)
    write_file(folder / NAME, (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode())
    listed = {file.name for file in manifest.files}
    for file in before.files if before is not None else ():
        if file.name not in listed:
            with suppress(OSError):
                (folder / file.name).unlink()


def write_file(path: Path, data: bytes) -> None:
    """Puts a file in place: whole, on the disk, under its name only at the end.

    Raises:
        LocalIOError: It cannot be written.
    """
    # A dot before it, so that who collects `*.csv` does not take half a file.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise unwritable(path, error) from None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def manifests(root: Path) -> Iterator[tuple[Path, Manifest]]:
    """The folders of audiences below a folder, with their manifests, by name."""
    for path in sorted(root.glob(f"*/{NAME}")):
        found = read_manifest(path.parent)
        if found is not None:
            yield path.parent, found


def unwritable(path: Path, error: OSError) -> LocalIOError:
    """A file or folder that cannot be written or read."""
    return LocalIOError(
        "SEG904",
        f"`{path}` cannot be written or read",
        why=(error.strerror or str(error)).lower(),
        hint="look at the folder, its rights and the room on the disk; then push again",
    )
