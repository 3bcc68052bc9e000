"""Arms of an experiment for people who stand at a split: on record before anybody is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from segctl.compile.zones import from_us
from segctl.operations.audience.contacts import Contacts
from segctl.operations.audience.experiments import Decided
from segctl.operations.audience.targets import Present
from segctl.operations.experiment.arms import Arms, rules_of
from segctl.operations.experiment.record import record_decided
from segctl.operations.experiment.running import Running, experiments_now
from segctl.operations.workflow.world import Allowed

if TYPE_CHECKING:
    from segctl.model.workflows import Split
    from segctl.operations.session import Session
    from segctl.operations.workflow.world import Someone

_TRIES = 5


def arms_of(session: Session, experiment: str, roots: Sequence[int], *, now: int) -> Allowed:
    """Root → arm of those who are in one; `held` where the experiment does not run.

    Whoever is new is assigned by the experiment's own rules, and their exposure begins.
    """
    declared = session.definitions.experiments.get(experiment)
    if declared is None:
        return Allowed(held=f"the experiment `{experiment}` is not declared any more")
    for _ in range(_TRIES):
        from segctl.state.experiments import records

        seen = records(session.workspace)
        found = experiments_now(session, now=from_us(now))
        running = next((one for ones in found.running.values() for one in ones
                        if one.experiment.name == experiment), None)  # fmt: skip
        if running is None:
            troubles = [str(one) for ones in found.troubles.values() for one in ones if one.name == declared.key]
            why = "; ".join(troubles) or f"`segctl experiment start {experiment}` starts it"
            return Allowed(held=f"the experiment `{experiment}` does not run: {why}")
        arms, decided = _decided(session, running, roots, now)
        if not decided.rows.height or record_decided(session.workspace, [decided], seen, exposed=from_us(now)):
            return Allowed(arms)
    return Allowed(held=f"others assign people to `{experiment}` at the same time")


def _decided(session: Session, running: Running, roots: Sequence[int], now: int) -> tuple[dict[int, str], Decided]:
    import polars as pl

    from segctl.state.assignments import assignments
    from segctl.state.identity import canonical

    at = from_us(now)
    there = Present(session, at, canonical(session.workspace), None)
    people = Contacts(session, pl.Series("subject", sorted(set(roots)), dtype=pl.Int32), there.owners, now=at)
    out = [people.rows_of(there.held_out(name)) for name in running.experiment.exclude]
    excluded = pl.concat(out).unique() if out else pl.Series("row", [], dtype=pl.Int32)
    rules = rules_of(running, session.project.name)
    arms = Arms(rules, people, assignments(session.workspace, rules.name, people.snapshot), excluded, at)
    rows = pl.int_range(len(people.profiles), dtype=pl.Int32, eager=True).alias("row")
    named = zip(people.profiles.to_list(), arms.of(rows).to_list(), strict=True)
    epoch = running.epoch if running.is_new else None
    return {root: arm for root, arm in named if arm is not None}, Decided(rules.name, arms.due(rows), epoch)


def arms_without_record(session: Session, split: Split, people: Mapping[int, Someone]) -> dict[int, str]:
    """Root → arm by weights alone, or as it is on record; nothing is written, and no stratum is dealt."""
    from segctl.state.assignments import assignments
    from segctl.stats.assignment import arm_of, arms_salt, point

    assert split.experiment is not None
    declared = session.definitions.experiments.get(split.experiment)
    key = split.experiment if declared is None else declared.key
    known = dict(assignments(session.workspace, key).select("subject", "arm").iter_rows())
    salt, weights = arms_salt(session.project.name, key), dict(split.arms)
    return {root: known.get(root) or arm_of(point(salt, one.profile), weights) for root, one in people.items()}
