"""Profile ids for subjects, and the person somebody means."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from segctl.model.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.identity import IdentityRules
    from segctl.state.subjects import SubjectRow
    from segctl.state.workspace import Workspace

_FEW = 50_000


def with_profile_ids(workspace: Workspace, frame: pl.DataFrame, snapshot: int | None = None) -> pl.DataFrame:
    """The frame with a column ``profile_id`` (String) for its column ``subject``."""
    # Row number = subject, so ids are gathered by position: no join over a million profiles for a few rows.
    return frame.with_columns(profile_ids(workspace, snapshot).gather(frame["subject"]).alias("profile_id"))


def profile_ids(workspace: Workspace, snapshot: int | None = None) -> pl.Series:
    """Profile ids by position: that of subject 7 is the eighth."""
    from segctl.state.subjects import DATASET

    files = sorted(workspace.files(DATASET, snapshot), key=lambda file: int(file.meta["first"]))
    return _profile_ids(tuple(str(file.path) for file in files))


def ids_of(workspace: Workspace, subjects: pl.Series, snapshot: int | None = None) -> pl.Series:
    """Profile ids of some subjects, in their order; few of them are found without reading all."""
    from segctl.state.names import names_of

    if len(subjects) > _FEW:
        return profile_ids(workspace, snapshot).gather(subjects)
    return names_of(workspace, subjects, snapshot)["profile_id"]


@lru_cache(maxsize=1)
def _profile_ids(paths: tuple[str, ...]) -> pl.Series:
    """Of files that never change; one command asks for them more than once."""
    import polars as pl

    if not paths:
        return pl.Series("profile_id", [], dtype=pl.String)
    return pl.scan_parquet(list(paths)).select("profile_id").collect()["profile_id"]


def find_person(
    workspace: Workspace, who: str, snapshot: int | None = None, *, rules: IdentityRules | None = None
) -> tuple[SubjectRow, tuple[int, ...]]:
    """The profile that an identifier or profile id names.

    Args:
        workspace: Open.
        who: An identifier, if need be with its type, or a profile id.
        snapshot: As it was then; None for now.
        rules: With them, e-mail addresses and phone numbers are found however they are written.

    Returns:
        The identifier that stands for the profile, and every subject that belongs to it.

    Raises:
        UsageError: Nobody is known by it, or several people are.
    """
    from segctl.state.identity import canonical
    from segctl.state.subjects import Subjects

    subjects = Subjects(workspace)
    found = _asked_for(workspace, who, snapshot, rules)
    array = canonical(workspace, snapshot)
    owners = sorted({row.subject if array is None else int(array[row.subject]) for row in found})
    if len(owners) > 1:
        raise _several(len(owners), found)
    owner = owners[0]
    members = (owner,) if array is None else tuple(int(s) for s in (array == owner).arg_true())
    if array is None and found[0].subject == owner:
        return found[0], members
    rows = subjects.table(snapshot).slice(owner, 1).collect()
    from segctl.state.subjects import SubjectRow

    return SubjectRow(*rows.row(0)), members


def find_subject(workspace: Workspace, who: str, *, rules: IdentityRules | None = None) -> SubjectRow:
    """The one identifier that somebody means, whoever it belongs to.

    Raises:
        UsageError: Nobody is known by it, or it stands under several types.
    """
    found = _asked_for(workspace, who, None, rules)
    if len(found) > 1:
        raise _several(len(found), found)
    return found[0]


def find_two(
    workspace: Workspace, a: str, b: str, *, rules: IdentityRules | None = None
) -> tuple[SubjectRow, SubjectRow]:
    """`find_subject` of two; the error says which of them is not known.

    Raises:
        UsageError: Nobody is known by one of them or by both, or one stands under several types.
    """
    found: list[SubjectRow] = []
    unknown: list[tuple[str, UsageError]] = []
    for which, who in (("first", a), ("second", b)):
        try:
            found.append(find_subject(workspace, who, rules=rules))
        except UsageError as error:
            unknown.append((which, error))
    if unknown:
        # By its place: the value may be personal, and messages go into logs.
        which = f"the {unknown[0][0]} identifier" if len(unknown) == 1 else "either identifier"
        cause = unknown[0][1]
        message = cause.message.replace("that identifier", which)
        raise UsageError(cause.code, message, hint=cause.hint) from cause
    return found[0], found[1]


def _asked_for(workspace: Workspace, who: str, snapshot: int | None, rules: IdentityRules | None) -> list[SubjectRow]:
    from segctl.state.subjects import Subjects

    # As ingest brings identifiers to their one form.
    text = unicodedata.normalize("NFC", who.strip())
    found = Subjects(workspace).find(text, snapshot)
    if not found and rules is not None:
        found = _by_form(workspace, text, snapshot, rules)
    if not found:
        raise UsageError(
            "SEG504",
            "nobody is known by that identifier",
            hint="give a profile id or any identifier, if need be with its type: `email:anna@post.example`",
        )
    return found


def _by_form(workspace: Workspace, text: str, snapshot: int | None, rules: IdentityRules) -> list[SubjectRow]:
    """Identifiers that are the same address or number, written in another way."""
    import polars as pl

    from segctl.identity.keys import key_values
    from segctl.state.subjects import SubjectRow, Subjects

    named, _, rest = text.partition(":")
    rows: set[int] = set()
    table = Subjects(workspace).table(snapshot)
    for rule in rules.keys:
        if rule.form not in ("email", "phone") or not rule.identifiers:
            continue
        kinds = [named] if named in rule.identifiers else list(rule.identifiers)
        value = pl.Series([rest if named in rule.identifiers else text])
        asked = key_values(rule, pl.Series([0]), [value], country=rules.country).values
        if not len(asked):
            continue
        own = table.filter(pl.col("id_type").is_in(kinds)).select("subject", "value").collect()
        keys = key_values(rule, own["subject"], [own["value"]], country=rules.country)
        rows |= {int(node) for node in keys.nodes[(keys.values == asked[0]).to_numpy()]}
    if not rows:
        return []
    return [SubjectRow(*row) for row in table.collect()[sorted(rows)].iter_rows()]


def _several(people: int, found: list[SubjectRow]) -> UsageError:
    types = sorted({row.id_type for row in found})
    return UsageError(
        "SEG505",
        f"{people} people are known by that identifier",
        hint=f"say which kind it is: {', '.join(f'`{name}:…`' for name in types)}",
    )
