"""Who is held out of an audience by experiments and by the universal holdout, and which arm its fields tell.

Asked after all that decides whether somebody may be told at all, so that every arm has the same kind of people. Who
is displaced by another segment would not be told in any arm, and is not assigned.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.model.experiments import ARM
from segctl.operations.experiment.arms import HELD_OUT, Arms, Rules, rules_of, universal_rules
from segctl.operations.experiment.running import Running, experiments_now
from segctl.stats.assignment import allocation

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.model.experiments import UniversalHoldout
    from segctl.operations.audience.contacts import Contacts
    from segctl.operations.audience.rows import Rows
    from segctl.operations.audience.targets import Present
    from segctl.operations.session import Session
    from segctl.state.experiments import Epoch, ExperimentRecord


@dataclass(frozen=True, slots=True)
class Decided:
    """What an audience decided about one experiment and is not on record yet.

    Attributes:
        name: On record.
        rows: Columns of `assignments`; of those who are on record only who was never exposed.
        epoch: What is in force, if that is not on record.
    """

    name: str
    rows: pl.DataFrame
    epoch: Epoch | None = None


class Holding:
    """Everything that holds people out of the audiences of one pass, beside the segments that do.

    Args:
        session: Open project and workspace.
        contacts: Of all profiles.
        there: Members, for those who do not take part, and when people would be told.
    """

    def __init__(self, session: Session, contacts: Contacts, there: Present) -> None:
        self._session, self._contacts, self._there, self._now = session, contacts, there, there.now
        self._experiments = experiments_now(session, now=there.now)
        self._generation = generation_of(session.project.universal_holdouts, there.now)
        self._lost = _undeclared(session)
        self._arms: dict[str, Arms] = {}

    @property
    def is_needed(self) -> bool:
        """Anything runs at all."""
        return self._generation is not None or bool(self._lost) or not self._experiments.is_empty

    def drop_universal(self, rows: Rows) -> None:
        """Whom no campaign reaches falls out, also where the declaration of their generation is gone."""
        for name in self._lost:
            held = self._made(_lost_rules(name)).known(rows.left) == HELD_OUT
            rows.drop(rows.left.filter(held.fill_null(value=False)), "holdout", "universal_holdout", name)
        if self._lost:
            rows.troubled = (
                f"{', '.join(f'`{name}`' for name in self._lost)} of `universal_holdout` is on record and not declared "
                "any more; bring it back, with `to:` when it is over"
            )
        if self._generation is None:
            return
        asked, arms = rows.left, self._universal(self._generation)
        rows.drop(asked.filter(arms.of(asked) == HELD_OUT), "holdout", "universal_holdout", self._generation.name)
        self._note(rows, arms, asked)

    def drop_experiments(self, rows: Rows, displaced: Collection[pl.Series]) -> None:
        """Who is in an arm that is told nothing, or in no arm, falls out; the others learn their arm.

        Args:
            rows: Of one segment at one destination.
            displaced: Rows that other segments take anyway.
        """
        segment = rows.target.segment
        self._drop_troubled(rows, segment)
        running = self._experiments.running.get(segment, ())
        asked, found = rows.left, [(one, self._arms_of(one)) for one in running]
        for taken in displaced if running else ():
            asked = asked.filter(~asked.is_in(taken.implode()))
        for one, arms in found:
            arms.of(asked)
            self._note(rows, arms, asked, one.epoch if one.is_new else None)
        for one, arms in found:
            silent = [arm.name for arm in one.experiment.arms if not arm.is_sent]
            rows.drop(rows.left.filter(arms.known(rows.left).is_in(silent)), "holdout", "control", one.experiment.name)
        if found:
            self._drop_outsiders(rows, asked, found)
        rows.tell(self._fields(rows, found))

    def _note(self, rows: Rows, arms: Arms, asked: pl.Series, epoch: Epoch | None = None) -> None:
        """What waits to be written before the audience is told."""
        due = arms.due(asked)
        if due.height:
            rows.decided.append(Decided(arms.rules.name, due, epoch))

    def assigned(self, segment: str, rows: pl.Series) -> list[Decided]:
        """What members decide without a destination: whom no campaign reaches is out, all others get their arms."""
        decided = []
        if self._generation is not None:
            universal = self._universal(self._generation)
            is_open = universal.of(rows) != HELD_OUT
            decided.append(Decided(universal.rules.name, universal.due(rows)))
            rows = rows.filter(is_open)
        for one in self._experiments.running.get(segment, ()):
            arms = self._arms_of(one)
            arms.of(rows)
            decided.append(Decided(arms.rules.name, arms.due(rows), one.epoch if one.is_new else None))
        return decided

    def _drop_troubled(self, rows: Rows, segment: str) -> None:
        """An audience whose experiment cannot go on is not sent; who was held out is shown as such."""
        troubles = self._experiments.troubles.get(segment, ())
        rows.troubled = "; ".join((*([rows.troubled] if rows.troubled else []), *map(str, troubles))) or None
        for trouble in troubles:
            record = self._experiments.records[trouble.name]
            silent = [arm["name"] for arm in record.definition["arms"] if not arm.get("is_sent", True)]
            arms = self._made(_rules_on_record(record))
            rows.drop(rows.left.filter(arms.known(rows.left).is_in(silent)), "holdout", "control", trouble.name)

    def _drop_outsiders(self, rows: Rows, asked: pl.Series, found: list[tuple[Running, Arms]]) -> None:
        """Who takes part in no experiment gets what the first one's control gets, and falls out if that is nothing."""
        one, arms = found[0]
        if one.experiment.arms[0].is_sent:
            return
        left = asked.filter(asked.is_in(rows.left.implode()))
        for _, others in found:
            left = left.filter(others.known(left).is_null())
        why = arms.why(left)
        for reason in why.unique(maintain_order=True).drop_nulls().sort().to_list():
            detail = f"{one.experiment.name}: {reason}"
            rows.drop(left.filter((why == reason).fill_null(value=False)), "holdout", "not_enrolled", detail)

    def _fields(self, rows: Rows, found: list[tuple[Running, Arms]]) -> Mapping[str, pl.Series]:
        """Field there → arm, one row per profile."""
        import polars as pl

        names = [there for there, name in rows.target.destination.fields if name == ARM]
        if not names:
            return {}
        told = pl.repeat(None, len(self._contacts.profiles), dtype=pl.String, eager=True)
        for _, arms in found:
            told = told.fill_null(arms.every)
        winner = self._experiments.winners.get(rows.target.segment)
        if not found and winner is not None:
            told = pl.repeat(winner, len(told), dtype=pl.String, eager=True)
        return dict.fromkeys(names, told)

    def _universal(self, generation: UniversalHoldout) -> Arms:
        from segctl.state.experiments import UNIVERSAL

        project = self._session.project.name
        return self._made(universal_rules(generation, project, f"{UNIVERSAL}{generation.name}"))

    def _arms_of(self, one: Running) -> Arms:
        return self._made(rules_of(one, self._session.project.name), one.experiment.exclude)

    def _made(self, rules: Rules, exclude: Collection[str] = ()) -> Arms:
        import polars as pl

        from segctl.state.assignments import assignments

        if rules.name not in self._arms:
            stored = assignments(self._session.workspace, rules.name, self._contacts.snapshot)
            out = [self._contacts.rows_of(self._there.held_out(name)) for name in exclude]
            rows = pl.concat(out).unique() if out else pl.Series("row", [], dtype=pl.Int32)
            self._arms[rules.name] = Arms(rules, self._contacts, stored, rows, self._now)
        return self._arms[rules.name]


def generation_of(holdouts: Collection[UniversalHoldout], now: datetime) -> UniversalHoldout | None:
    """The generation of the universal holdout that holds at an instant."""
    return next((one for one in holdouts if one.begin <= now and (one.end is None or now < one.end)), None)


def _undeclared(session: Session) -> tuple[str, ...]:
    """Generations of the universal holdout that people are on record for and that the project does not know."""
    from segctl.state.assignments import assigned_names
    from segctl.state.experiments import UNIVERSAL

    known = {one.name for one in session.project.universal_holdouts}
    found = (name.removeprefix(UNIVERSAL) for name in assigned_names(session.workspace) if name.startswith(UNIVERSAL))
    return tuple(name for name in found if name not in known)


def _lost_rules(name: str) -> Rules:
    """Enough to know who is held out by a generation whose declaration is gone."""
    from segctl.state.experiments import UNIVERSAL

    weights = {HELD_OUT: Decimal(1)}
    return Rules(f"{UNIVERSAL}{name}", "", allocation(weights), weights, wins=HELD_OUT)


def _rules_on_record(record: ExperimentRecord) -> Rules:
    """Enough to know who is in which arm, and to assign nobody."""
    weights = record.epochs[-1].weights
    return Rules(record.name, "", allocation(weights), weights)
