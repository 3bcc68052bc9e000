"""Write keys of a project's collectors: those declared by reference, and those on record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError
from segctl.model.fetching_collector import HOOKS, CollectorFetch

if TYPE_CHECKING:
    from segctl.connectors.collector.keys import WriteKey
    from segctl.model.project import Project
    from segctl.model.sources import Source
    from segctl.state.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A write key as people see it.

    Attributes:
        name: Of the key.
        source: It writes to.
        where: ``on record``, or where the declaration says it stands.
        at: When it was made, ISO 8601; None for declared ones.
    """

    name: str
    source: str
    where: str
    at: str | None = None


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key that was just made, for the one time that it is shown."""

    source: str
    key: str


def collectors(sources: Mapping[str, Source]) -> dict[str, CollectorFetch]:
    """Name of each source that takes requests, with what it takes."""
    return {name: of.fetch for name, of in sources.items() if isinstance(of.fetch, CollectorFetch) and "/" not in name}


def add(workspace: Workspace, sources: Mapping[str, Source], name: str, source: str | None) -> MadeKey:
    """Makes a key and puts its digest on record.

    Returns:
        The key; nobody can show it again.

    Raises:
        UsageError: The source takes no keys, or the name is taken.
    """
    from segctl.compile.source_nodes import NAME
    from segctl.connectors.collector.keys import digest_of, new_key
    from segctl.state.write_keys import add_key

    if not NAME.match(name):
        hint = "names are small letters, digits and `_`, and start with a letter"
        raise UsageError("SEG305", f"`{name}` is no name for a write key", hint=hint)
    known = collectors(sources)
    source = _one(known) if source is None else source
    fetch = known.get(source)
    if fetch is None or fetch.is_open or fetch.accepts in HOOKS:
        names = [of for of, one in known.items() if not one.is_open and one.accepts not in HOOKS]
        hint = f"these take keys: {', '.join(f'`{of}`' for of in names)}" if names else "declare `kind: collector`"
        raise UsageError("SEG649", f"`{source}` takes no write keys", hint=hint)
    key = new_key()
    taken = {of for one in known.values() for of, _ in one.keys}
    if name in taken or not add_key(workspace, name, source, digest_of(key)):
        raise UsageError("SEG648", f"there is a write key `{name}` already", hint="choose another name")
    return MadeKey(source, key)


def _one(known: Mapping[str, CollectorFetch]) -> str:
    names = [name for name, fetch in known.items() if not fetch.is_open and fetch.accepts not in HOOKS]
    if len(names) == 1:
        return names[0]
    hint = f"one of {', '.join(f'`{name}`' for name in names)}" if names else "declare one with `kind: collector`"
    raise UsageError("SEG649", "`keys add` needs to know the source: `--source NAME`", hint=hint)


def remove(workspace: Workspace, name: str) -> None:
    """Takes a key off the record; a running collector refuses it a few seconds later.

    Raises:
        UsageError: There is none of that name.
    """
    from segctl.state.write_keys import remove_key

    if not remove_key(workspace, name):
        raise UsageError("SEG647", f"there is no write key `{name}` on record", hint="`segctl listen keys ls`")


def listed(workspace: Workspace, sources: Mapping[str, Source]) -> list[ListedKey]:
    """All keys, by name."""
    from segctl.state.write_keys import stored_keys

    declared = [
        ListedKey(name, source, str(secret))
        for source, fetch in collectors(sources).items()
        for name, secret in fetch.keys
    ]
    stored = [ListedKey(key.name, key.source, "on record", key.at) for key in stored_keys(workspace)]
    return sorted([*declared, *stored], key=lambda key: (key.name, key.source))


def declared_keys(project: Project, fetches: Mapping[str, CollectorFetch]) -> list[WriteKey]:
    """The keys that declarations refer to, read now.

    Raises:
        UsageError: A secret cannot be read.
    """
    from segctl.connectors.collector.keys import WriteKey, digest_of
    from segctl.connectors.http.secrets import revealed

    root = Path(project.root)
    return [
        WriteKey(name, source, digest_of(revealed(secret, root)))
        for source, fetch in fetches.items()
        for name, secret in fetch.keys
    ]


def recorded_keys(workspace: Workspace) -> list[WriteKey]:
    """The keys on record."""
    from segctl.connectors.collector.keys import WriteKey
    from segctl.state.write_keys import stored_keys

    return [WriteKey(key.name, key.source, key.digest) for key in stored_keys(workspace)]


def refuse_shared(keys: Iterable[WriteKey]) -> None:
    """Does nothing when every key and every name stands for one source.

    Raises:
        UsageError: Otherwise.
    """
    by_digest: dict[str, WriteKey] = {}
    by_name: dict[str, WriteKey] = {}
    for key in keys:
        other = by_digest.setdefault(key.digest, key)
        if other is not key:
            message = (
                f"the write keys `{other.name}` of `{other.source}` and `{key.name}` of `{key.source}` are the same"
            )
            raise UsageError("SEG644", message, hint="give each a key of its own")
        other = by_name.setdefault(key.name, key)
        if other is not key:
            message = f"`{other.source}` and `{key.source}` both have a write key `{key.name}`"
            raise UsageError("SEG644", message, hint="rename one: counts and requests carry the name")
