"""What identifiers and the gate say of profiles at one destination for one purpose, asked once for all segments.

Consent belongs to contact points, not to profiles. Where a channel has its own kind (e-mail for ``email``), all
points of that kind decide together, and the least permissive counts. Advertising has none: there each kind of
identifier is decided for itself, and only those with consent are told. An objection, withdrawal or suppression of
any of the contact points keeps the whole person out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from segctl.model.dataclass import dataclass
from segctl.operations.audience_contacts import Told, row_digests, row_keys
from segctl.operations.audience_fields import fields_of

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.consent import Decision, Use
    from segctl.operations.audience_contacts import Contacts
    from segctl.operations.audience_targets import Target
    from segctl.operations.session import Session

KINDS_OF_CHANNEL = {"email": "email", "sms": "phone", "phone": "phone", "push": "device", "postal": "postal"}
"""Channel → the kind of contact point that its consent is given for."""
POINT_OF_IDENTIFIER = {"email": "email", "phone": "phone", "device_id": "device", "push_token": "device"}
"""Kind of identifier at destinations → kind of contact point."""
_REFUSALS = ("objected_marketing", "objected_profiling", "objected_general", "denied", "withdrawn")
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
    """What was found; every column has one row per profile of `Contacts`, null where nobody asked.

    Attributes:
        step: At which the profile falls out; null for those who may be told.
        reason: Why.
        key: Null for those who may not be told; likewise `digest`.
        points: Tokens that the gate decided on, List[Binary], of those who may be told.
        told: ``id:KIND`` and ``field:NAME`` columns.
    """

    step: pl.Series
    reason: pl.Series
    key: pl.Series
    digest: pl.Series
    points: pl.Series
    told: Mapping[str, pl.Series]


class Asking:
    """The gate, and what it has been asked about these contacts: no token is computed twice."""

    def __init__(self, session: Session, gate: Gate, contacts: Contacts) -> None:
        self.session, self.gate, self.contacts = session, gate, contacts
        self._tokens: dict[tuple[str, tuple[str, ...]], pl.DataFrame] = {}

    def gated(self, target: Target, rows: pl.Series) -> Gated:
        """What becomes of some rows at a destination for a purpose."""
        import polars as pl

        names = identifier_names(self.session, target)
        self.contacts.read(name for of in names.values() for name in of)
        told = {kind: self.contacts.told(kind, of) for kind, of in names.items()}
        found = _identified(told, rows)
        decided = self._decided(found.filter(pl.col("step").is_null())["row"], target.use, names)
        found = found.update(decided.select("row", "step", "reason"), on="row")
        fields = fields_of(self.session, self.contacts, target.destination)
        return self._placed(found, decided, {k: one.values for k, one in told.items()}, fields)

    def _decided(self, rows: pl.Series, use: Use, names: Mapping[str, Sequence[str]]) -> pl.DataFrame:
        """Columns ``row``, ``step``, ``reason``, ``points`` and ``tell:KIND``: may that identifier be told?"""
        import polars as pl

        own, others = self._kinds(use.channel, names)
        frame = rows.to_frame("row")
        for kind in (*own, *others):
            frame = frame.with_columns(self._asked(kind, frame["row"], use, names))
        is_refused = [pl.when(pl.col(f"consent:{kind}").is_in(_REFUSALS)).then(f"consent:{kind}")
                      for kind in (*own, *others)]  # fmt: skip
        some = pl.any_horizontal(*(pl.col(f"consent:{kind}").is_null() for kind in own)) if own else pl.lit(value=False)
        first = pl.coalesce(*(f"consent:{kind}" for kind in own)) if own else pl.lit("no_point")
        consent = pl.coalesce(*is_refused, pl.when(~some).then(first)) if is_refused else first
        suppressed = pl.coalesce(*(f"suppression:{kind}" for kind in (*own, *others)), pl.lit(None, pl.String))
        frame = frame.with_columns(consent=consent, suppressed=suppressed)
        allowed = [pl.when(pl.col(f"consent:{kind}").is_null()).then(f"points:{kind}") for kind in own]
        # Where each kind speaks for itself, an identifier without consent is not told beside one with it.
        tells = {kind: pl.col(f"consent:{POINT_OF_IDENTIFIER[kind]}").is_null() for kind in names
                 if len(own) > 1 and POINT_OF_IDENTIFIER.get(kind) in own}  # fmt: skip
        return frame.select(
            "row",
            step=pl.when(pl.col("consent").is_not_null()).then(pl.lit("consent"))
            .when(pl.col("suppressed").is_not_null()).then(pl.lit("suppression")),
            reason=pl.coalesce("consent", "suppressed"),
            points=_together(allowed),
            **{f"tell:{kind}": tells.get(kind, pl.lit(value=True)) for kind in names},
        )  # fmt: skip

    def _kinds(self, channel: str, names: Mapping[str, Sequence[str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Kinds of contact points one of which must be allowed, and those that must only not be refused."""
        of_told = tuple(dict.fromkeys(POINT_OF_IDENTIFIER[kind] for kind in names if kind in POINT_OF_IDENTIFIER))
        own = KINDS_OF_CHANNEL.get(channel)
        if own is not None:
            return (own,), tuple(kind for kind in of_told if kind != own)
        return of_told or tuple(kind for kind, _ in self.session.project.contact_points), ()

    def _asked(self, kind: str, rows: pl.Series, use: Use, names: Mapping[str, Sequence[str]]) -> list[pl.Series]:
        """What the gate says of a kind of contact point, row by row."""
        import polars as pl

        points = rows.to_frame("row").join(self._points(kind, names), on="row", how="left", maintain_order="left")
        column = points["points"].fill_null([])
        decisions = self.gate.decide(column.to_list(), use)
        return [
            pl.Series(f"consent:{kind}", [one.consent for one in decisions], dtype=pl.String),
            pl.Series(f"suppression:{kind}", [one.suppression for one in decisions], dtype=pl.String),
            column.alias(f"points:{kind}"),
        ]

    def _points(self, kind: str, names: Mapping[str, Sequence[str]]) -> pl.DataFrame:
        """Tokens of all contact points of a kind: ``row``, ``points``."""
        import polars as pl

        told = [name for one, of in names.items() if POINT_OF_IDENTIFIER.get(one) == kind for name in of]
        declared = dict(self.session.project.contact_points).get(kind, ())
        key = (kind, tuple(dict.fromkeys([*told, *declared])))
        if key not in self._tokens:
            every = self.contacts.points(*key)
            tokens = pl.Series("points", self.gate.tokens(kind, every["value"].to_list()), dtype=pl.Binary)
            # A point that the gate takes for malformed stays, so that it denies: it may be the one that is told.
            pairs = every.select("row", tokens)
            self._tokens[key] = pairs.group_by("row", maintain_order=True).agg("points")
        return self._tokens[key]

    def _placed(
        self, found: pl.DataFrame, decided: pl.DataFrame, told: Mapping[str, pl.Series], fields: Mapping[str, pl.Series]
    ) -> Gated:
        """Everything at its profile's row, with keys and digests of those who may be told."""
        import polars as pl

        allowed = decided.filter(pl.col("step").is_null())
        rows = allowed["row"]
        ids = {k: one.gather(rows).set(~allowed[f"tell:{k}"], None) for k, one in told.items()}
        values = {name: one.gather(rows) for name, one in fields.items()}
        keys = row_keys(ids)
        digests = row_digests(ids, values) if fields else keys
        every = pl.DataFrame({"row": pl.int_range(len(self.contacts.profiles), dtype=pl.Int32, eager=True)})
        columns = {**{f"id:{k}": one for k, one in ids.items()}, **{f"field:{k}": one for k, one in values.items()}}
        placed = pl.DataFrame({"row": rows, "key": keys, "digest": digests, "points": allowed["points"], **columns})
        placed = every.join(placed, on="row", how="left", maintain_order="left")
        steps = every.join(found, on="row", how="left", maintain_order="left")
        return Gated(steps["step"], steps["reason"], placed["key"], placed["digest"], placed["points"],
                     {name: placed[name] for name in columns})  # fmt: skip


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


def _identified(told: Mapping[str, Told], rows: pl.Series) -> pl.DataFrame:
    """Columns ``row``, ``step``, ``reason``: who has a right identifier."""
    import polars as pl

    frame = rows.to_frame("row").with_columns(has=pl.lit(value=False), written=pl.lit(value=False))
    for one in told.values():
        frame = frame.with_columns(
            has=pl.col("has") | one.values.is_not_null().gather(rows),
            written=pl.col("written") | one.is_written.gather(rows),
        )
    reason = pl.when(~pl.col("has")).then(pl.when("written").then(pl.lit("malformed")).otherwise(pl.lit("missing")))
    return frame.select("row", step=pl.when(~pl.col("has")).then(pl.lit("identifier")), reason=reason)


def _together(lists: Sequence[pl.Expr]) -> pl.Expr:
    import polars as pl

    if not lists:
        return pl.lit([], dtype=pl.List(pl.Binary))
    return lists[0] if len(lists) == 1 else pl.concat_list(*(one.fill_null([]) for one in lists))
