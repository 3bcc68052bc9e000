"""The golden record of one person: what survives of each trait, and the record it comes from."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from segctl.model.dataclass import dataclass
from segctl.model.identity import LATEST
from segctl.model.types import stored_column
from segctl.operations.dictionary import shown

if TYPE_CHECKING:
    from segctl.operations.profile import Places
    from segctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class GoldenTrait:
    """One trait of a person.

    Attributes:
        rule: Rule of survivorship that chose the value.
        source: Source of the record it comes from; `place` its file and line.
        others: Different values that did not survive.
    """

    trait: str
    value: Any
    rule: str
    source: str
    place: str | None
    others: int


def golden_traits(
    session: Session, subjects: tuple[int, ...], places: Places, *, now: datetime, show_personal: bool
) -> tuple[GoldenTrait, ...]:
    """The surviving value of each trait, in the order of the project file.

    Args:
        session: Open project and workspace.
        subjects: All identifiers of the person.
        places: Names files and lines.
        now: Records that hold only later do not count.
        show_personal: Also personal traits.
    """
    from segctl.identity.golden import golden_record
    from segctl.operations.profile import person_records

    frame = person_records(session, subjects)
    if frame.is_empty():
        return ()
    traits = [t for t in session.project.traits if show_personal or not t.is_private]
    valid: dict[tuple[str, int], tuple[datetime | None, dict[str, Any]]] = {}
    for row in frame.iter_rows(named=True):
        at, key = row["valid_from"], (row["record_source"], row["subject"])
        known = valid.get(key)
        if at is not None and at > now:
            continue
        if known is None or _not_before(at, known[0]):
            valid[key] = (at, row)
    rows = [(at, row) for at, row in valid.values() if not row["gone"]]
    rows.sort(key=lambda pair: (pair[0] is not None, pair[0], pair[1]["arrival"], pair[1]["record_source"]))
    columns = {t.name: stored_column(t.name, t.type) for t in traits}
    records = [
        {"source": row["record_source"], **{name: row.get(column) for name, column in columns.items()}}
        for _, row in rows
    ]
    rules = dict(session.project.identity.survivorship)
    found = golden_record(records, list(columns), rules)
    return tuple(
        GoldenTrait(
            t.name, shown(survivor.value, t.type), rules.get(t.name, LATEST).rule, records[survivor.record]["source"],
            places.name(rows[survivor.record][1]["file_id"], rows[survivor.record][1]["line"]), survivor.others,
        )
        for t in traits if (survivor := found.get(t.name)) is not None
    )  # fmt: skip


def _not_before(at: datetime | None, other: datetime | None) -> bool:
    """A version without a time holds from the beginning."""
    return other is None or (at is not None and at >= other)
