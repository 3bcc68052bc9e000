"""The gate for the people at one step of a workflow: the one that pushes pass, asked at the moment of acting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from segctl.compile.zones import from_us
from segctl.model.consent import Use
from segctl.model.dataclass import dataclass
from segctl.operations.audience.caps import Contacted
from segctl.operations.audience.contacts import Contacts, row_keys
from segctl.operations.audience.experiments import Decided, Holding
from segctl.operations.audience.gate import Asking, identifier_names
from segctl.operations.audience.rows import Rows
from segctl.operations.audience.targets import Present, Target, applies
from segctl.operations.workflow.world import Allowed, Contact

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.audience import Cap
    from segctl.model.destinations import Destination
    from segctl.operations.gate import Gate
    from segctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class Told:
    """What a destination would be told of one person.

    Attributes:
        key: Of the row, as in pushes.
        points: Tokens of the contact points that consent was found for.
        others: Those that must only not be refused.
    """

    key: str
    identifiers: Mapping[str, str]
    fields: Mapping[str, object]
    points: tuple[bytes | None, ...] = ()
    others: tuple[bytes | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Passed:
    """Who passed.

    Attributes:
        told: Root → what would be told of them.
        decided: Assignments of the universal holdout that are to be written first.
    """

    allowed: Allowed
    use: Use
    told: Mapping[int, Told]
    decided: tuple[Decided, ...]


def passed(
    session: Session,
    gate: Gate,
    destination: Destination,
    purpose: str | None,
    roots: Sequence[int],
    contacts: Sequence[Contact],
    *,
    now: int,
    counts: bool,
) -> Passed:
    """What the gate says of some profiles at a destination for a purpose.

    Args:
        session: Open project and workspace.
        gate: With the consent that is known now.
        destination: Where they would be told.
        purpose: What for.
        roots: Subjects of profiles.
        contacts: Of workflows that are no events yet; they count for caps.
        now: Microseconds since 1970.
        counts: The step is a contact, so that caps hold.
    """
    import polars as pl

    from segctl.state.identity import canonical

    target, at = target_of(destination, purpose), from_us(now)
    there = Present(session, at, canonical(session.workspace), None)
    people = Contacts(session, pl.Series("subject", sorted(set(roots)), dtype=pl.Int32), there.owners, now=at)
    everyone = pl.int_range(len(people.profiles), dtype=pl.Int32, eager=True).alias("row")
    gated = Asking(session, gate, people).gated(target, everyone)
    rows = Rows(session, people, gated, target, everyone)
    rows.drop_gated()
    if counts:
        contacted = Contacted(session, people, now=at)
        for cap in session.project.caps:
            if applies(cap, target.use.channel, target.use.purpose):
                rows.drop_capped(cap, _with_more(contacted.counts(cap), cap, contacts, people, session, now))
    Holding(session, people, there).drop_universal(rows)
    for one in session.project.holdout:
        rows.drop(people.rows_of(there.held_out(one.name)), "holdout", "held_out", one.name)
    frame, _ = rows.frame()
    refused = {row["subject"]: _why(row) for row in rows.dropped().iter_rows(named=True)}
    told = {row["subject"]: _told(row) for row in frame.iter_rows(named=True)}
    allowed = Allowed(refused, rows.troubled, target.use.channel)
    return Passed(allowed, target.use, told, tuple(rows.decided))


def known_there(session: Session, destination: Destination, roots: Iterable[int], *, now: int) -> dict[int, Told]:
    """By what a destination knows some profiles, whatever their consent says: for taking them out."""
    import polars as pl

    from segctl.state.identity import canonical

    subjects = pl.Series("subject", sorted(set(roots)), dtype=pl.Int32)
    people = Contacts(session, subjects, canonical(session.workspace), now=from_us(now))
    names = identifier_names(session, target_of(destination, None))
    people.read(name for of in names.values() for name in of)
    values = {kind: people.told(kind, of).values for kind, of in names.items()}
    frame = pl.DataFrame([people.profiles, *(one.alias(f"id:{kind}") for kind, one in values.items())])
    frame = frame.with_columns(row_keys(values).alias("key")).filter(
        pl.any_horizontal(pl.col(f"id:{kind}").is_not_null() for kind in values)
    )
    return {row["subject"]: _told(row) for row in frame.iter_rows(named=True)}


def target_of(destination: Destination, purpose: str | None) -> Target:
    """A destination as a workflow uses it."""
    from segctl.connectors.destinations import abilities

    able = abilities(destination)
    recipient = {"class": able.recipient, **dict(destination.recipient)}
    channel = destination.channel or able.channel
    use = Use(purpose, channel, destination.name, tuple(sorted(recipient.items())))
    return Target("", destination, use, able.identifiers, is_asked=True, is_paused=False)


def is_still_allowed(gate: Gate, told: Told, use: Use) -> bool:
    """Whether consent is as it was, asked anew."""
    found = gate.decide([told.points], use)[0]
    if found.consent is not None or found.suppression is not None:
        return False
    from segctl.operations.audience.gate import REFUSALS

    others = gate.decide([told.others], use)[0] if told.others else None
    return others is None or (others.suppression is None and others.consent not in REFUSALS)


def _with_more(
    counts: pl.Series, cap: Cap, contacts: Iterable[Contact], people: Contacts, session: Session, now: int
) -> pl.Series:
    """Contacts of a cap's window with those that are no events yet."""
    import polars as pl

    from segctl.compile.windows import span
    from segctl.model.times import WithinLast

    inside = span(WithinLast(cap.within_last), from_us(now), session.project.timezone, clip=True)
    fitting = [one.root for one in contacts if one.at in inside and applies(cap, one.channel, one.purpose)]
    if not fitting:
        return counts
    places = people.places_of(pl.Series("subject", fitting, dtype=pl.Int32))
    more = places.filter(places >= 0).value_counts(name="more")
    row, number = more.columns
    return counts.clone().scatter(more[row], counts.gather(more[row]) + more[number].cast(pl.Int32))


def _why(row: Mapping[str, str]) -> str:
    reason = row["detail"] if row["step"] == "cap" else row["reason"]
    return f"{row['step']}:{reason}"


def _told(row: Mapping[str, object]) -> Told:
    def part(prefix: str) -> dict[str, object]:
        return {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}

    def tokens(name: str) -> tuple[bytes | None, ...]:
        found = row.get(name)
        return tuple(found) if isinstance(found, list) else ()

    identifiers = {kind: str(value) for kind, value in part("id:").items() if value is not None}
    return Told(str(row["key"]), identifiers, part("field:"), tokens("points"), tokens("others"))
