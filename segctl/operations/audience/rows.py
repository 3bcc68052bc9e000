"""The members of one segment on their way through the steps, and what is left of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from segctl.model.audience import GATE, Cap, Step, StepName
from segctl.operations.audience.contacts import row_digests

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.audience.contacts import Contacts
    from segctl.operations.audience.experiments import Decided
    from segctl.operations.audience.gate import Gated
    from segctl.operations.audience.targets import Target
    from segctl.operations.session import Session


class Rows:
    """Rows of `Contacts`: those that are left, and those that fell out with step, reason and detail.

    Args:
        session: Open project and workspace.
        contacts: Of all profiles.
        gated: What identifiers and gate say of them.
        target: Segment and destination.
        members: Rows of the segment's members, ascending.
    """

    def __init__(self, session: Session, contacts: Contacts, gated: Gated, target: Target, members: pl.Series) -> None:
        self._session, self._contacts, self._gated = session, contacts, gated
        self.target, self.members, self.left = target, members, members
        self.decided: list[Decided] = []
        self.troubled: str | None = None
        self._dropped: list[pl.DataFrame] = []
        self._fields: Mapping[str, pl.Series] = {}
        self._shown: tuple[pl.Series, dict[str, pl.Series]] | None = None

    def drop_gated(self) -> None:
        """Those whom identifiers or the gate leave out; of several with the same identifiers all but one."""
        import polars as pl

        step = self._gated.step.gather(self.left)
        out = step.is_not_null()
        reason = self._gated.reason.gather(self.left)
        self._note(self.left.filter(out), step.filter(out), reason.filter(out), None)
        self.left = self.left.filter(~out)
        keys = self._gated.column("key", self.left)
        if keys.n_unique() < len(keys):
            frame = pl.DataFrame({"row": self.left, "key": keys, "id": self._contacts.ids.gather(self.left)})
            first = frame.sort("key", "id").unique("key", keep="first", maintain_order=True)["row"].sort()
            self.drop(self.left.filter(~self.left.is_in(first.implode())), "identifier", "shared")

    def drop_capped(self, cap: Cap, contacts: pl.Series) -> None:
        """Those who were contacted as often as the cap allows; who is at the destination already may stay there."""
        full = self.left.filter(contacts.gather(self.left) >= cap.at_most)
        self.drop(self._new(full), "cap", "capped", cap.name)

    def drop(self, rows: pl.Series, step: StepName, reason: str, detail: str | None = None) -> None:
        """Those of the rows that are left fall out."""
        import polars as pl

        out = self.left.is_in(rows.implode())
        if out.any():
            gone = self.left.filter(out)
            at, why = (pl.repeat(word, len(gone), dtype=pl.String, eager=True) for word in (step, reason))
            self._note(gone, at, why, detail)
            self.left = self.left.filter(~out)

    def tell(self, fields: Mapping[str, pl.Series]) -> None:
        """Fields that depend on the segment: name there → values, one row per profile of `Contacts`."""
        if fields:
            self._fields = fields

    def fresh(self) -> pl.Series:
        """Rows that would be told for the first time."""
        if self.target.is_paused or self.target.destination.mode == "update":
            return self.left.clear()
        return self._new(self.left)

    def winning(self) -> pl.Series:
        """Rows that this segment takes from those behind it in a priority list: a paused one takes nobody new."""
        if not self.target.is_paused:
            return self.left
        return self.left.filter(~self.left.is_in(self._new(self.left).implode()))

    def frame(self) -> tuple[pl.DataFrame, pl.Series]:
        """`Audience.rows` and `Audience.places`."""
        import polars as pl

        columns = {
            "subject": self._contacts.profiles.gather(self.left),
            "profile_id": self._contacts.ids.gather(self.left),
            **self._columns(),
        }
        order = _order(columns["key"])
        frame = pl.DataFrame([column.alias(name) for name, column in columns.items()])
        return frame[order], self._places(self.left).gather(order)

    def dropped(self) -> pl.DataFrame:
        """`Audience.dropped`, in the order of the steps."""
        import polars as pl

        text = dict.fromkeys(("step", "reason", "detail"), pl.String)
        rows = pl.concat([pl.DataFrame(schema={"row": pl.Int32, **text}), *self._dropped])
        subject, profile_id = self._contacts.profiles.gather(rows["row"]), self._contacts.ids.gather(rows["row"])
        return rows.select(subject.alias("subject"), profile_id.alias("profile_id"), *text)

    def waterfall(self) -> tuple[Step, ...]:
        """Counts of every step up to ``change``."""
        import polars as pl

        text = dict.fromkeys(("step", "reason", "detail"), pl.String)
        rows = pl.concat([pl.DataFrame(schema={"row": pl.Int32, **text}), *self._dropped])
        counted = rows.group_by("step", "reason", "detail").len()
        counted = counted.sort(pl.col("len") * -1, "reason", "detail")
        left = len(self.members)
        steps = [Step("members", left)]
        for name in GATE:
            mine = [row[1:] for row in counted.iter_rows() if row[0] == name]
            steps.append(made_step(name, left, mine))
            left = steps[-1].left
        return (*steps, self._change(left))

    def _change(self, left: int) -> Step:
        """What is as it should be already has nothing to be told."""
        from segctl.state.deliveries import ACCEPTED

        places = self._places(self.left)
        digests = self._columns()["digest"] if self._fields else self._gated.column("digest", self.left)
        is_same = self.there["digest"].gather(places) == digests
        same = int((is_same & (self.there["state"].gather(places) == ACCEPTED)).sum())
        new = len(self._new(self.left))
        reasons: list[tuple[str, str | None, int]] = [("unchanged", None, same)]
        if self.target.is_paused:
            reasons.append(("paused", None, new))
        elif self.target.destination.mode == "update":
            reasons.append(("not_there", None, new))
        return made_step("change", left, [one for one in reasons if one[2]])

    def _columns(self) -> dict[str, pl.Series]:
        """All that is known of those who are left, with the fields of the segment at their places."""
        if self._shown is not None and self._shown[0] is self.left:
            return self._shown[1]
        found = {name: self._gated.column(name, self.left) for name in self._gated.columns}
        if self._fields:
            order = [f"field:{name}" for name, _ in self.target.destination.fields]
            told = {f"field:{name}": values.gather(self.left) for name, values in self._fields.items()}
            told |= {name: found.pop(name) for name in order if name in found}
            ids = {name.removeprefix("id:"): column for name, column in found.items() if name.startswith("id:")}
            found["digest"] = row_digests(ids, {name.removeprefix("field:"): told[name] for name in order})
            found |= {name: told[name] for name in order}
            self._shown = (self.left, found)
        return found

    def _new(self, rows: pl.Series) -> pl.Series:
        """Those of the rows of whom the destination has not been told."""
        return rows if self.there.is_empty() else rows.filter(self._places(rows).is_null())

    @cached_property
    def there(self) -> pl.DataFrame:
        """What the ledger says of the audience, as `state.deliveries_told.told`."""
        from segctl.operations.audience.ledger import ledger_number
        from segctl.state.deliveries_told import told

        number = ledger_number(self._session, self.target.destination.name, self.target.segment)
        return told(self._session.workspace, number)

    def _places(self, rows: pl.Series) -> pl.Series:
        """Where some rows that are left stand in `there`; null for those whom the destination was not told of."""
        known, places = self._known
        return places if len(rows) == len(known) else places.gather(known.search_sorted(rows))

    @cached_property
    def _known(self) -> tuple[pl.Series, pl.Series]:
        """The rows that were left when this was asked first, and the place of each in `there`."""
        import polars as pl

        keys = self._gated.column("key", self.left).alias("key").to_frame()
        before = self.there.select("key", pl.int_range(pl.len(), dtype=pl.UInt32).alias("place"))
        return self.left, keys.join(before, on="key", how="left", maintain_order="left")["place"]

    def _note(self, rows: pl.Series, step: pl.Series, reason: pl.Series, detail: str | None) -> None:
        import polars as pl

        if len(rows):
            said = pl.lit(detail, dtype=pl.String)
            self._dropped.append(pl.select(row=rows, step=step, reason=reason, detail=said))


def _order(keys: pl.Series) -> pl.Series:
    """Places of keys (hex) in ascending order; by their first half as numbers, which takes a quarter of the time."""
    import polars as pl

    heads = keys.str.slice(0, 16).str.to_integer(base=16, dtype=pl.UInt64, strict=False)
    order = heads.arg_sort()
    placed = heads.gather(order)
    is_sure = heads.null_count() == 0 and not (placed == placed.shift(1)).any()
    return order if is_sure else keys.arg_sort()


def made_step(name: StepName, before: int, found: list[tuple[str, str | None, int]]) -> Step:
    """A step from reason, detail and count of those who fell out at it."""
    reasons: dict[str, int] = {}
    details: dict[tuple[str, str], int] = {}
    for reason, detail, count in found:
        reasons[reason] = reasons.get(reason, 0) + count
        if detail is not None:
            details[reason, detail] = details.get((reason, detail), 0) + count
    dropped = sum(reasons.values())
    return Step(name, before - dropped, dropped, reasons, details)
