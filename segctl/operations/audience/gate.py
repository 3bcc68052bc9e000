"""What identifiers and the gate say of profiles at one destination for one purpose, asked once for all segments.

Consent belongs to contact points, not to profiles. Where a channel has its own kind (e-mail for ``email``), all
points of that kind decide together, and the least permissive counts. Advertising has none: there each kind of
identifier is decided for itself, and only those with consent are told. An objection, withdrawal or suppression of
any of the contact points keeps the whole person out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from segctl.model.consent import KINDS_OF_CHANNEL
from segctl.model.dataclass import dataclass
from segctl.operations.audience.contacts import Told, row_digests, row_keys
from segctl.operations.audience.fields import fields_of

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.consent import Decision, Use
    from segctl.operations.audience.contacts import Contacts
    from segctl.operations.audience.targets import Target
    from segctl.operations.session import Session

OWN_KIND = {channel: kinds[0] for channel, kinds in KINDS_OF_CHANNEL.items() if len(kinds) == 1}
"""Channel → the kind of contact point that its consent is given for, where there is just one."""
POINT_OF_IDENTIFIER = {"email": "email", "phone": "phone", "device_id": "device", "push_token": "device"}
"""Kind of identifier at destinations → kind of contact point."""
REFUSALS = ("objected_marketing", "objected_profiling", "objected_general", "denied", "withdrawn")
"""Consent codes that mean that the person said no, not only that nobody has said yes."""


class Gate(Protocol):
    """What audiences ask of `operations.gate.Gate`."""

    def tokens(self, kind: str, values: Sequence[str | None]) -> list[bytes | None]:
        """What the gate knows contact points by; None for what is malformed."""
        ...

    def decide(self, points: Sequence[Sequence[bytes | None]], use: Use) -> list[Decision]:
        """One decision per row, each with all contact points of a profile."""
        ...


@dataclass(frozen=True, slots=True)
class Gated:
    """What was found about some profiles of `Contacts`.

    Attributes:
        step: At which a profile falls out, one row per profile; null for those who may be told (or nobody asked for).
        reason: Why, likewise.
        rows: Of those who may be told, ascending.
        columns: One row for each of `rows`: ``key``, ``digest``, ``points``, ``id:KIND``, ``field:NAME``, and
            ``others`` where contact points count that consent need not be given for.
    """

    step: pl.Series
    reason: pl.Series
    rows: pl.Series
    columns: Mapping[str, pl.Series]

    def column(self, name: str, rows: pl.Series) -> pl.Series:
        """A column of some of `rows`, ascending."""
        if len(rows) == len(self.rows):
            return self.columns[name]
        return self.columns[name].gather(self.rows.search_sorted(rows))


class Asking:
    """The gate, and what it has been asked about these contacts: no token is computed twice."""

    def __init__(self, session: Session, gate: Gate, contacts: Contacts) -> None:
        self.session, self.gate, self.contacts = session, gate, contacts
        self._tokens: dict[tuple[str, tuple[str, ...]], pl.Series] = {}
        self._fields: dict[str, dict[str, pl.Series]] = {}

    def gated(self, target: Target, rows: pl.Series) -> Gated:
        """What becomes of some rows at a destination for a purpose."""
        import polars as pl

        names = identifier_names(self.session, target)
        self.contacts.read(name for of in names.values() for name in of)
        told = {kind: self.contacts.told(kind, of) for kind, of in names.items()}
        reason = _lacking(told, rows)
        lacks = reason.is_not_null()
        decided = self._decided(rows.filter(~lacks), target.use, names)
        length = len(self.contacts.profiles)
        steps, reasons = (pl.repeat(None, length, dtype=pl.String, eager=True) for _ in range(2))
        out = rows.filter(lacks)
        steps = steps.scatter(out, pl.repeat("identifier", len(out), dtype=pl.String, eager=True))
        reasons = reasons.scatter(out, reason.filter(lacks))
        steps = steps.scatter(decided["row"], decided["step"])
        reasons = reasons.scatter(decided["row"], decided["reason"])
        return self._placed(steps, reasons, decided.filter(decided["step"].is_null()), told, target)

    def _decided(self, rows: pl.Series, use: Use, names: Mapping[str, Sequence[str]]) -> pl.DataFrame:
        """Columns ``row``, ``step``, ``reason``, ``points``, ``others`` and ``tell:KIND``: may that one be told?"""
        import polars as pl

        own, others = self._kinds(use.channel, names)
        kinds = (*own, *others)
        frame = pl.DataFrame(
            [rows.alias("row"), *(one for kind in kinds for one in self._asked(kind, rows, use, names))]
        )
        refused = [pl.when(pl.col(f"consent:{kind}").is_in(REFUSALS)).then(f"consent:{kind}") for kind in kinds]
        nobody = pl.all_horizontal(*(pl.col(f"consent:{kind}").is_not_null() for kind in own))
        first = pl.coalesce(*(f"consent:{kind}" for kind in own)) if own else pl.lit("no_point")
        consent = pl.coalesce(*refused, pl.when(nobody).then(first))
        suppressed = pl.coalesce(pl.lit(None, pl.String), *(f"suppression:{kind}" for kind in kinds))
        frame = frame.with_columns(consent=consent, suppressed=suppressed)
        # Where each kind speaks for itself, an identifier without consent is not told beside one with it.
        tells = {kind: pl.col(f"consent:{POINT_OF_IDENTIFIER[kind]}").is_null() for kind in names
                 if len(own) > 1 and POINT_OF_IDENTIFIER.get(kind) in own}  # fmt: skip
        return frame.select(
            "row",
            pl.when(pl.col("consent").is_not_null()).then(pl.lit("consent"))
            .when(pl.col("suppressed").is_not_null()).then(pl.lit("suppression")).alias("step"),
            pl.coalesce("consent", "suppressed").alias("reason"),
            _together([pl.when(pl.col(f"consent:{kind}").is_null()).then(f"points:{kind}") for kind in own]),
            *_only_not_refused(own, others),
            *(tells.get(kind, pl.lit(value=True)).alias(f"tell:{kind}") for kind in names),
        )  # fmt: skip

    def _kinds(self, channel: str, names: Mapping[str, Sequence[str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Kinds of contact points one of which must be allowed, and those that must only not be refused."""
        of_told = tuple(dict.fromkeys(POINT_OF_IDENTIFIER[kind] for kind in names if kind in POINT_OF_IDENTIFIER))
        own = OWN_KIND.get(channel)
        if own is not None:
            return (own,), tuple(kind for kind in of_told if kind != own)
        return of_told or tuple(kind for kind, _ in self.session.project.contact_points), ()

    def _asked(self, kind: str, rows: pl.Series, use: Use, names: Mapping[str, Sequence[str]]) -> list[pl.Series]:
        """What the gate says of a kind of contact point, row by row."""
        import polars as pl

        points = self._points(kind, names).gather(rows)
        asked: list[Sequence[bytes | None]]
        if (points.list.len() == 1).all():
            # A million lists cost the garbage collector more than the gate needs; tuples of bytes cost nothing.
            asked = list(zip(points.list.first().to_list(), strict=True))
        else:
            asked = points.fill_null([]).to_list()
        decisions = self.gate.decide(asked, use)
        consent = [one.consent for one in decisions]
        if OWN_KIND.get(use.channel) != kind:
            self._name_refusals(consent, asked, use)
        return [
            pl.Series(f"consent:{kind}", consent, dtype=pl.String),
            pl.Series(f"suppression:{kind}", [one.suppression for one in decisions], dtype=pl.String),
            points.alias(f"points:{kind}"),
        ]

    def _name_refusals(self, consent: list[str | None], asked: Sequence[Sequence[bytes | None]], use: Use) -> None:
        """Where another kind could speak for the person, a no behind the code of the first point counts as a no."""
        open_rows = [i for i, code in enumerate(consent)
                     if code is not None and code not in REFUSALS and len(asked[i]) > 1]  # fmt: skip
        answers = iter(self.gate.decide([[point] for i in open_rows for point in asked[i]], use) if open_rows else ())
        for i in open_rows:
            codes = [next(answers).consent for _ in asked[i]]
            consent[i] = next((code for code in codes if code in REFUSALS), consent[i])

    def _points(self, kind: str, names: Mapping[str, Sequence[str]]) -> pl.Series:
        """Tokens of all contact points of a kind, List[Binary], one row per profile; null for those without."""
        import polars as pl

        told = [name for one, of in names.items() if POINT_OF_IDENTIFIER.get(one) == kind for name in of]
        declared = dict(self.session.project.contact_points).get(kind, ())
        key = (kind, tuple(dict.fromkeys([*told, *declared])))
        if key not in self._tokens:
            every = self.contacts.points(*key)
            # A point that the gate takes for malformed stays, so that it denies: it may be the one that is told.
            tokens = pl.Series("points", self.gate.tokens(kind, every["value"].to_list()), dtype=pl.Binary)
            if every["row"].is_duplicated().any():
                lists = pl.DataFrame([every["row"], tokens]).group_by("row", maintain_order=True).agg("points")
            else:
                lists = pl.DataFrame([every["row"], tokens]).select("row", pl.concat_list("points"))
            self._tokens[key] = placed(lists["points"], lists["row"], len(self.contacts.profiles))
        return self._tokens[key]

    def _placed(
        self, steps: pl.Series, reasons: pl.Series, allowed: pl.DataFrame, told: Mapping[str, Told], target: Target
    ) -> Gated:
        """Everything at its profile's row, with keys and digests of those who may be told."""
        name = target.destination.name
        if name not in self._fields:
            self._fields[name] = fields_of(self.session, self.contacts, target.destination)
        rows, fields = allowed["row"], self._fields[name]
        ids = {kind: one.values.gather(rows).set(~allowed[f"tell:{kind}"], None) for kind, one in told.items()}
        values = {field: one.gather(rows) for field, one in fields.items()}
        keys = row_keys(ids)
        columns = {
            "key": keys,
            "digest": row_digests(ids, values) if fields else keys,
            **{name: allowed[name] for name in ("points", "others") if name in allowed.columns},
            **{f"id:{kind}": one for kind, one in ids.items()},
            **{f"field:{field}": one for field, one in values.items()},
        }
        return Gated(steps, reasons, rows, columns)


def identifier_names(session: Session, target: Target) -> dict[str, tuple[str, ...]]:
    """Kind of identifier → traits or identifiers of the project that it is taken from, best first.

    What the destination does not map is taken from the project's contact points; what neither knows is not told.
    """
    mapped = dict(target.destination.identify)
    declared = dict(session.project.contact_points)
    found: dict[str, tuple[str, ...]] = {}
    for kind in target.identifiers:
        names = (mapped[kind],) if kind in mapped else declared.get(POINT_OF_IDENTIFIER.get(kind, ""), ())
        if names:
            found[kind] = names
    return found


def _lacking(told: Mapping[str, Told], rows: pl.Series) -> pl.Series:
    """Why there is no right identifier; null where there is one."""
    import polars as pl

    no = pl.repeat(False, len(rows), eager=True)
    has, written = no, no
    for one in told.values():
        has |= one.values.is_not_null().gather(rows)
        written |= one.is_written.gather(rows)
    why = pl.when(~pl.lit(has)).then(pl.when(written).then(pl.lit("malformed")).otherwise(pl.lit("missing")))
    return pl.select(why.alias("reason")).to_series()


def placed(values: pl.Series, rows: pl.Series, length: int) -> pl.Series:
    """A column of `length` rows that has the values at some rows, and null elsewhere."""
    import polars as pl

    if len(rows) == length:
        return values
    at = pl.repeat(None, length, dtype=pl.UInt32, eager=True)
    return values.gather(at.scatter(rows, pl.int_range(len(rows), dtype=pl.UInt32, eager=True)))


def _only_not_refused(own: Sequence[str], others: Sequence[str]) -> list[pl.Expr]:
    """Column ``others``: points without consent of their own, which may only not be refused; none where all need it."""
    import polars as pl

    if len(own) + len(others) < 2:
        return []
    lacking = [pl.when(pl.col(f"consent:{kind}").is_not_null()).then(f"points:{kind}") for kind in own]
    lists = [pl.col(f"points:{kind}") for kind in others] + (lacking if len(own) > 1 else [])
    return [_together(lists).alias("others")]


def _together(lists: Sequence[pl.Expr]) -> pl.Expr:
    import polars as pl

    if not lists:
        return pl.lit(None, dtype=pl.List(pl.Binary)).alias("points")
    together = lists[0] if len(lists) == 1 else pl.concat_list(*(one.fill_null([]) for one in lists))
    return together.alias("points")
