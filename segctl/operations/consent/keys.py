"""The keyring of a project's consent ledger: made on first use, and refused when a key of the ledger is gone."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.model.errors import IntegrityError, UsageError
from segctl.model.project import Project

if TYPE_CHECKING:
    from segctl.consent.tokens import Keyring
    from segctl.state.workspace import Workspace

_SHORTEST = 16


def keyring(project: Project, workspace: Workspace) -> Keyring:
    """All keys, the newest last.

    Raises:
        IntegrityError: The ledger names a key that is not there: nobody could be recognised by its rows.
        UsageError: The declared key cannot be read or is too short.
    """
    from segctl.consent.tokens import Keyring, key_id
    from segctl.state.consents import key_ids

    keys = _declared(project) if project.consent.key is not None else _of_file(workspace)
    ring = Keyring(tuple((key_id(key), key) for key in keys))
    missing = set(key_ids(workspace)) - {name for name, _ in ring.keys}
    if missing:
        raise _missing(sorted(missing))
    return ring


def keyring_for_writing(project: Project, workspace: Workspace, *, now: datetime) -> Keyring:
    """`keyring`, whose newest key the ledger knows from now on."""
    from segctl.state.consents import key_ids, record_key

    ring = keyring(project, workspace)
    if ring.newest[0] not in key_ids(workspace):
        record_key(workspace, ring.newest[0], at=now)
    return ring


def rotate(project: Project, workspace: Workspace, *, now: datetime) -> str:
    """Make a new key for rows to come; the old ones stay for looking up.

    Returns:
        The id of the new key.

    Raises:
        UsageError: The key is declared elsewhere, so it is renewed there.
    """
    from segctl.state.consent_keys import LOCK, add_key

    if project.consent.key is not None:
        raise UsageError(
            "SEG801",
            "the key of the consent ledger is not kept in the workspace",
            why=f"segctl.yaml says where it stands: `{project.consent.key}`",
            hint="put the new key behind the old one there, with a blank between them",
        )
    keyring(project, workspace)
    with workspace.moment(LOCK):
        add_key(workspace)
    return keyring_for_writing(project, workspace, now=now).newest[0]


def _of_file(workspace: Workspace) -> tuple[bytes, ...]:
    from segctl.state.consent_keys import FILE, LOCK, add_key, stored_keys
    from segctl.state.consents import key_ids

    try:
        found = stored_keys(workspace)
        if found is not None:
            return found
        with workspace.moment(LOCK):
            # Another process may have made it while this one waited.
            found = stored_keys(workspace)
            if found is None and key_ids(workspace):
                raise _missing(key_ids(workspace))
            return add_key(workspace) if found is None else found
    except ValueError as error:
        raise IntegrityError(
            "SEG800",
            f"`{FILE}` of the workspace is damaged: {error}",
            why="without its keys nobody can be recognised, and whoever objected would be contacted",
            hint="restore it from a backup of the workspace",
        ) from error


def _declared(project: Project) -> tuple[bytes, ...]:
    from segctl.connectors.http.secrets import revealed

    secret = project.consent.key
    assert secret is not None
    words = revealed(secret, Path(project.root)).replace(",", " ").split()
    if any(len(word) < _SHORTEST for word in words):
        raise UsageError(
            "SEG801",
            f"the key of the consent ledger in `{secret}` is shorter than {_SHORTEST} signs",
            hint="make one with `openssl rand -hex 32`",
        )
    return tuple(hashlib.sha256(word.encode()).digest() for word in words)


def _missing(ids: list[str]) -> IntegrityError:
    named = ", ".join(f"`{name}`" for name in ids[:3])
    return IntegrityError(
        "SEG800",
        f"the key {named} of the consent ledger is not there",
        why="without it nobody can be recognised by older rows, and whoever objected would be contacted",
        hint="restore `consent.key` from a backup of the workspace, or the secret that segctl.yaml names",
    )
