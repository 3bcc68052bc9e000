"""Locks of resources and leases on snapshots: both end with their process, however it ends."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from segctl.state import problems
from segctl.state.files import folder_name

LOCKS = "locks"
LEASES = "leases"
_POLL_S = 0.02
_HIDDEN = "."
_WRITER = ".writer"


@contextmanager
def hold(folder: Path, resource: str, *, wait_s: float) -> Iterator[None]:
    """Holds the lock of one resource; its file tells others who has it.

    Raises:
        TemporaryError: Somebody else still has it after `wait_s`; names them.
    """
    path = folder / LOCKS / f"{folder_name(resource)}.lock"
    path.parent.mkdir(exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(handle, resource, wait_s)
        _write_holder(handle)
        try:
            yield
        finally:
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def is_held(folder: Path, resource: str) -> bool:
    """Whether anybody has the lock of a resource; of those who ask at once none takes another for its holder."""
    path = folder / LOCKS / f"{folder_name(resource)}.lock"
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _acquire(handle: int, resource: str, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise problems.locked(resource, _holder(handle)) from None
            time.sleep(min(_POLL_S, max(0.0, deadline - time.monotonic())))
        else:
            return


def _write_holder(handle: int) -> None:
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps({"pid": os.getpid(), "command": _command()}).encode(), 0)


def _holder(handle: int) -> str:
    try:
        about = json.loads(os.pread(handle, 4096, 0))
    except ValueError:  # caught between taking the lock and writing the name
        return "another process"
    return f"process {about['pid']} (`{about['command']}`)"


def _command() -> str:
    # The verb alone: arguments can be identifiers of people.
    verb = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    return f"{Path(sys.argv[0]).name} {verb if verb.isidentifier() else ''}".strip()


@contextmanager
def lease(folder: Path, snapshot: int) -> Iterator[None]:
    """Protects the files of a snapshot from vacuum as long as the block, or its process, lives."""
    with _held_file(folder, f"{snapshot}-{uuid.uuid4().hex}.lease"):
        yield


@contextmanager
def writing(folder: Path, writer: str) -> Iterator[None]:
    """Protects files that a writer has not committed yet from vacuum as long as the block, or its process, lives.

    Args:
        folder: The workspace's folder.
        writer: What the names of the writer's files begin with.
    """
    with _held_file(folder, f"{writer}{_WRITER}"):
        yield


def leased_snapshots(folder: Path) -> set[int]:
    """Snapshots that living processes hold; leases of dead ones are cleared away."""
    return {int(name.partition("-")[0]) for name in _living(folder, ".lease")}


def writers(folder: Path) -> set[str]:
    """Writers that live: a file whose name begins with one of these may still be on its way to a commit."""
    return {name.removesuffix(_WRITER) for name in _living(folder, _WRITER)}


@contextmanager
def _held_file(folder: Path, name: str) -> Iterator[None]:
    place = folder / LEASES
    place.mkdir(exist_ok=True)
    hidden, path = place / f"{_HIDDEN}{name}", place / name
    # Locked before it gets its name, so nobody can take a new one for a dead one.
    handle = _locked(hidden)
    try:
        _write_holder(handle)
        hidden.rename(path)
        yield
    finally:
        path.unlink(missing_ok=True)
        hidden.unlink(missing_ok=True)
        os.close(handle)


def _locked(path: Path) -> int:
    """An open file of this name with its lock, however often somebody clears it away as a dead one meanwhile."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                return handle
        except FileNotFoundError:
            pass
        os.close(handle)


def _living(folder: Path, suffix: str) -> list[str]:
    """Names of the files of living processes; those of dead ones are deleted.

    The kernel drops a lock with its process, so no process number can be mistaken for an older one's.
    """
    names = []
    for path in sorted((folder / LEASES).glob(f"*{suffix}")):
        try:
            handle = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not path.name.startswith(_HIDDEN):
                names.append(path.name)
        else:
            path.unlink(missing_ok=True)
        finally:
            os.close(handle)
    return names
