"""Consents as columns of profiles: what the gate says of their contact points, as of an evaluation.

Of all contact points of a kind the least permissive counts. A channel such as advertising has no kind of its own: there
a refusal of any kind counts, and without one the kind that permits most.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from segctl.compile.consents import Consent, since_trait, status_trait
from segctl.compile.zones import from_us, shifted, to_us
from segctl.model.conditions import ConsentStatus
from segctl.model.consent import CONSENT_CODES, KINDS_OF_CHANNEL, Use
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    import polars as pl

    from segctl.engines.profiles import RecordFile
    from segctl.operations.consent.points import ContactPoints
    from segctl.operations.gate import Gate
    from segctl.operations.session import Session

STATUS_OF: Final[dict[str, ConsentStatus]] = {
    "objected_marketing": "objected", "objected_profiling": "objected", "objected_general": "objected",
    "denied": "denied", "tcf_denied": "denied", "tcf_malformed": "denied", "withdrawn": "withdrawn",
    "expired": "expired", "stale": "expired", "notice_old": "expired", "lapsed": "expired", "pending": "requested",
}  # fmt: skip
"""Reason code of the gate → state; every other reason means that nobody said anything that counts."""
BY_RANK: Final[tuple[ConsentStatus, ...]] = (
    "objected", "denied", "withdrawn", "expired", "none", "requested", "confirmed",
)  # fmt: skip
"""From the least permissive on."""
_REFUSED, _NONE, _CONFIRMED = 2, 4, 6
_FEW, _MOST_CHANGES = 5_000, 40
_NEVER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Known:
    """What an evaluation knows of contact points and their consents.

    Attributes:
        points: Their tokens.
        records: Record files.
        owners: Subject → subject of its profile; None when each is its own.
        subjects: Whose identifiers and records count; None for everybody's.
        head: Number of the last row of the ledger that is known.
    """

    points: ContactPoints
    records: Sequence[RecordFile]
    owners: pl.Series | None
    subjects: pl.Series | None
    head: int


def consent_columns(
    session: Session,
    asked: Iterable[Consent],
    profiles: pl.Series,
    known: Known,
    *,
    as_of: datetime,
    aged: Collection[Consent] = (),
) -> pl.DataFrame:
    """``subject`` and for each purpose and channel the state and its beginning, by their names in plans.

    Args:
        session: Open project and workspace.
        asked: Purposes and channels.
        profiles: Subjects of the profiles, ascending; the rows come in this order.
        known: What there is to know.
        as_of: The instant asked about.
        aged: Those whose beginning is asked for; of few people it is told in any case.
    """
    import polars as pl

    found = profiles.alias("subject").to_frame()
    of_kind = OfKind(session, profiles, known, as_of)
    for purpose, channel in asked:
        kinds = [kind for kind in KINDS_OF_CHANNEL.get(channel, ()) if kind in known.points.kinds]
        ranked = _across_kinds(
            [of_kind.ranked(kind, Use(purpose, channel), aged=(purpose, channel) in aged) for kind in kinds]
        )
        names = status_trait(purpose, channel).name, since_trait(purpose, channel).name
        words = pl.col("rank").fill_null(_NONE).replace_strict(dict(enumerate(BY_RANK)), return_dtype=pl.String)
        column = found.select("subject").join(ranked, on="subject", how="left", maintain_order="left")
        since = pl.col("since").cast(pl.Datetime("us", "UTC"))
        found = found.hstack(column.select(words.alias(names[0]), since.alias(names[1])).get_columns())
    return found


def coming_changes(session: Session, asked: Sequence[Consent], known: Known, *, after: datetime) -> list[datetime]:
    """Instants after `after` at which a consent of some people can become another one if nothing else happens."""
    from segctl.state.consents import states

    rules, zone, now = session.project.consent, session.project.timezone, to_us(after)
    purposes = {purpose.name: purpose for purpose in session.project.purposes}
    stale = {p.stale_after or rules.stale_after for name, _ in asked if (p := purposes.get(name)) is not None}
    lengths = [rules.confirm_within, *(length for length in stale if length is not None)]
    found: set[int] = set()
    for row in states(session.workspace, until=known.head, wides=_wides(known, after)):
        at, expires = int(row[1]), row[2]
        found |= {at, *([int(expires)] if expires is not None else [])}
        found |= {shifted(at, length, 1, zone) for length in lengths}
    coming = sorted(us for us in found if us > now)[:_MOST_CHANGES]
    return [from_us(us).astimezone(UTC) for us in coming]


def outside(points: ContactPoints, records: Sequence[RecordFile], head: int) -> pl.Series:
    """Subjects (raw, ascending, Int32) with a contact point that objects to profiling, is restricted or erased.

    Every contact point that was ever known of a person counts, whenever a record said so.
    """
    import polars as pl

    from segctl.consent.ages import kept_out
    from segctl.operations.consent.points import wide_tokens
    from segctl.operations.gate import Gate
    from segctl.state import consents

    session = points.session
    tokens = consents.outside(session.workspace, until=head)
    nobody = pl.Series("subject", [], dtype=pl.Int32)
    if not tokens:
        return nobody
    wanted = pl.DataFrame({"wide": pl.Series(sorted(tokens), dtype=pl.Binary)})
    parts = []
    for kind in points.kinds:
        every = pl.concat([points.of_identifiers(kind), points.of_records(kind, records).drop("arrival")]).drop_nulls()
        parts.append(wide_tokens(every, len(points.keyring.keys)).join(wanted, on="wide", how="semi"))
    points.sweep(records)
    found = pl.concat([pl.DataFrame(schema={"subject": pl.Int32, "point": pl.Binary}), *(
        part.select("subject", "point") for part in parts
    )]).unique()  # fmt: skip
    if not found.height:
        return nobody
    asked = found["point"].unique().to_list()
    # As of the newest row's arrival: an objection holds for every as_of, and what lifted it has to be known.
    gate = Gate.open(session, now=datetime(1970, 1, 1, tzinfo=UTC), until=head, only=asked)
    out = kept_out(gate.ledger, asked, gate.question(Use(None, "")))
    refused = pl.Series([point for point, is_out in zip(asked, out.tolist(), strict=True) if is_out], dtype=pl.Binary)
    return found.filter(pl.col("point").is_in(refused.implode()))["subject"].unique().sort()


def concerned(points: ContactPoints, records: Sequence[RecordFile], since: int, until: int) -> pl.Series:
    """Subjects (raw) with a contact point that rows of the ledger after one number, up to another, speak of."""
    import polars as pl

    from segctl.operations.consent.points import wide_tokens
    from segctl.state import consents

    tokens = consents.concerned(points.session.workspace, since, until) if until > since else set()
    if not tokens:
        return pl.Series("subject", [], dtype=pl.Int32)
    wanted = pl.DataFrame({"wide": pl.Series(sorted(tokens), dtype=pl.Binary)})
    parts = []
    for kind in points.kinds:
        every = pl.concat([points.of_identifiers(kind), points.of_records(kind, records).drop("arrival")]).drop_nulls()
        found = wide_tokens(every, len(points.keyring.keys)).join(wanted, on="wide", how="semi")
        parts.append(found["subject"])
    return pl.concat([pl.Series("subject", [], dtype=pl.Int32), *parts]).unique().sort()


class OfKind:
    """The contact points of some profiles, each kind read once."""

    def __init__(self, session: Session, profiles: pl.Series, known: Known, as_of: datetime) -> None:
        self.session, self.profiles, self.known, self.as_of = session, profiles, known, as_of
        self._points: dict[str, pl.DataFrame] = {}
        self._gate: Gate | None = None

    def ranked(self, kind: str, use: Use, *, aged: bool) -> pl.DataFrame:
        """``subject`` of each profile with points of a kind, ``rank`` in `BY_RANK` and ``since`` (null for none)."""
        import polars as pl

        if not self.known.head and not self._permits_unheard(use):
            return pl.DataFrame(schema={"subject": pl.Int32, "rank": pl.Int8, "since": pl.Int64})
        held = self.held(kind)
        asked = held["point"].unique().drop_nulls()
        judged = self._judged(asked, use, aged=aged or len(asked) <= _FEW)
        rows = held.join(judged, on="point", how="left").with_columns(pl.col("rank").fill_null(_NONE))
        least = pl.col("rank").min().over("subject")
        rows = rows.filter(pl.col("rank") == least)
        # Confirmed since all of them are; anything less since the first of them was.
        since = pl.when(pl.col("rank").first() == _CONFIRMED).then(pl.col("since").max()).otherwise(
            pl.col("since").min()
        )  # fmt: skip
        return rows.group_by("subject").agg(pl.col("rank").first(), since.alias("since"))

    def _permits_unheard(self, use: Use) -> bool:
        """Whether the use rests on a basis that needs no word of the person, so that it matters who has a point."""
        import polars as pl

        points = self.known.points
        nobody = b"\x00" * 32 * len(points.keyring.keys)
        return bool((self._judged(pl.Series([nobody], dtype=pl.Binary), use, aged=False)["rank"] == _CONFIRMED).any())

    def rows(self, points: pl.Series) -> pl.DataFrame:
        """``point``, ``at``, ``expires`` (microseconds) of every row of the ledger about points, those ahead too."""
        import polars as pl

        asked = points.to_list()
        found = self._opened(asked).ledger.rows(asked)
        return pl.DataFrame(
            {"at": found.at, "expires": found.expires}, schema={"at": pl.Int64, "expires": pl.Int64}
        ).insert_column(0, points.gather(found.points).alias("point"))

    def held(self, kind: str) -> pl.DataFrame:
        """``subject`` of the profile and ``point``, unique."""
        if kind not in self._points:
            points = held_points(self.known, kind, self.as_of)
            wanted = self.profiles.alias("subject").to_frame()
            self._points[kind] = points.join(wanted, on="subject", how="semi").unique()
        return self._points[kind]

    def _judged(self, points: pl.Series, use: Use, *, aged: bool) -> pl.DataFrame:
        """``point``, ``rank``, ``since`` of each."""
        import numpy as np
        import polars as pl

        from segctl.consent.ages import beginnings
        from segctl.consent.verdicts import LONG_AGO, verdicts

        asked = points.to_list()
        schema = {"point": pl.Binary, "rank": pl.Int8, "since": pl.Int64}
        if not asked:
            return pl.DataFrame(schema=schema)
        gate = self._opened(asked)
        question, zone = gate.question(use), self.session.project.timezone
        purpose = question.purpose
        stale = (purpose.stale_after if purpose is not None else None) or self.session.project.consent.stale_after
        codes, _ = verdicts(gate.ledger, asked, question)
        since = np.full(len(asked), LONG_AGO)
        if aged:

            def later(at: int) -> int:
                return _NEVER if stale is None else shifted(at, stale, 1, zone)

            since = beginnings(gate.ledger, asked, question, codes, later=later)
        rank = np.array([_CONFIRMED, *(BY_RANK.index(STATUS_OF.get(code, "none")) for code in CONSENT_CODES)], np.int8)
        found = pl.DataFrame({"point": points, "rank": rank[codes], "since": since}, schema_overrides=schema)
        return found.with_columns(pl.when(pl.col("since") != LONG_AGO).then("since").alias("since"))

    def _opened(self, points: list[bytes]) -> Gate:
        from segctl.operations.gate import Gate

        opened = partial(Gate.open, self.session, now=self.as_of, until=self.known.head, is_past=True)
        if len(points) <= _FEW:
            return opened(only=points)
        self._gate = self._gate or opened()
        return self._gate


def held_points(known: Known, kind: str, as_of: datetime) -> pl.DataFrame:
    """``subject`` of the profile, and ``point`` (null where malformed) of all its contact points of a kind."""
    import polars as pl

    from segctl.engines.profiles import live_records

    live = live_records(known.records, as_of=as_of, traits={}).select("arrival")
    points = known.points.of_records(kind, known.records)
    points = points.join(live, on="arrival", how="semi").drop("arrival")
    if known.subjects is not None:
        points = points.filter(pl.col("subject").is_in(known.subjects.implode()))
    points = pl.concat([points, known.points.of_identifiers(kind, known.subjects)])
    if known.owners is None:
        return points
    return points.with_columns(known.owners.gather(points["subject"]).alias("subject"))


def _across_kinds(ranked: Sequence[pl.DataFrame]) -> pl.DataFrame:
    import polars as pl

    if len(ranked) == 1:
        return ranked[0]
    schema = {"subject": pl.Int32, "rank": pl.Int8, "since": pl.Int64}
    rows = pl.concat([pl.DataFrame(schema=schema), *ranked])
    least, most = pl.col("rank").min().over("subject"), pl.col("rank").max().over("subject")
    rows = rows.filter(pl.col("rank") == pl.when(least <= _REFUSED).then(least).otherwise(most))
    return rows.group_by("subject").agg(pl.col("rank").first(), pl.col("since").min())


def _wides(known: Known, as_of: datetime) -> set[bytes]:
    import polars as pl

    from segctl.operations.consent.points import wide_tokens

    parts = [held_points(known, kind, as_of) for kind in known.points.kinds]
    if not parts:
        return set()
    wide = wide_tokens(pl.concat(parts).drop_nulls(), len(known.points.keyring.keys))["wide"]
    return set(wide.to_list())
