"""Which consent of a profile became another one, or that it may be evaluated no longer, or again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segctl.compile import ir
from segctl.compile.consents import consent_column, consents_of, is_consent, since_trait, status_trait
from segctl.compile.plan import Output, plan, walk
from segctl.compile.words_consents import change_words
from segctl.operations.causes.instants import Pair, lengths_of
from segctl.operations.causes.rows import cause_schema
from segctl.operations.causes.words import cause

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    import polars as pl

    from segctl.compile.consents import Consent
    from segctl.operations.causes.chain import Hit
    from segctl.operations.causes.replay import State

_EVALUATION = "profiling"


def changed_consents(hit: Hit, *, then: datetime, now: datetime) -> pl.DataFrame:
    """``segment``, ``subject``, ``cause``, ``effective`` of pairs that the ledger of consent moved.

    Args:
        hit: What moved.
        then: As_of of the earlier evaluation.
        now: As_of of the later one.
    """
    import polars as pl

    assert hit.asked is not None, "the step was asked about"
    before, after = _people(hit.before.read(hit.asked.asking).profiles), _people(hit.asked.data.profiles)
    asked = {str(name): _asked_by(hit, str(name)) for name in hit.pairs["segment"].unique()}
    made = []
    for name, subject in hit.pairs.select("segment", "subject").iter_rows():
        old, new = before.get(subject), after.get(subject)
        if old is None or new is None:
            words = ("allowed", "refused") if new is None else ("refused", "allowed")
            made.append((name, subject, cause("consent", change_words(_EVALUATION, *words)), now))
            continue
        line, at = _first_change(asked[name], old, new)
        made.append((name, subject, line, at if at is not None and then < at <= now else now))
    return pl.DataFrame(made, schema=cause_schema(), orient="row")


def consent_instants(
    leaves: Mapping[Pair, ir.Leaf], then: State, now: State, finals: Mapping[int, pl.DataFrame]
) -> dict[Pair, datetime]:
    """(segment, subject) → the instant at which a consent ran out, or grew too old for its condition.

    Args:
        leaves: (segment, subject) → the one condition that the clock changed; those without a consent are left out.
        then: The earlier evaluation.
        now: The later one.
        finals: Of each condition, by its `id`, the answers at the later evaluation: ``subject``, ``final``.
    """
    by_id = {id(leaf): leaf for leaf in leaves.values() if any(map(is_consent, walk(leaf.predicate)))}
    if not by_id:
        return {}
    asking = plan((), [Output(f"leaf:{number}", leaf.predicate) for number, leaf in enumerate(by_id.values())])
    before, after = _people(then.read(asking).profiles), _people(now.read(asking).profiles)
    answers = {one: dict(finals[one].iter_rows()) for one in by_id if one in finals}
    found = {}
    for (name, subject), leaf in leaves.items():
        old, new, final = before.get(subject), after.get(subject), answers.get(id(leaf), {}).get(subject)
        if old is None or new is None or final is None:
            continue
        can = [at for at in _bounds(leaf, old, new, final=final) if then.as_of < at <= now.as_of]
        # State and age must both hold: the last of them makes it true, the first to go makes it false.
        if can:
            found[name, subject] = max(can) if final else min(can)
    return found


def _bounds(leaf: ir.Leaf, old: dict[str, Any], new: dict[str, Any], *, final: bool) -> Iterator[datetime]:
    """Instants at which a condition on one consent can have changed; none where they are not that simple."""
    nodes = list(walk(leaf.predicate))
    asked = consents_of(node.name for node in nodes if isinstance(node, ir.StoredTrait))
    windows = [lengths_of(node.window) for node in nodes if isinstance(node, ir.InWindow)]
    if len(asked) != 1 or None in windows:
        return
    status, since = (trait(*asked[0]).name for trait in (status_trait, since_trait))
    if new[since] is not None and old[status] != new[status]:
        yield new[since]
    began = (new if final else old)[since]
    if began is not None:
        yield from (began + length for lengths in windows for length in lengths or ())


def _first_change(asked: tuple[Consent, ...], old: dict[str, Any], new: dict[str, Any]) -> tuple[str, datetime | None]:
    for purpose, channel in asked:
        status, since = status_trait(purpose, channel).name, since_trait(purpose, channel).name
        if (old[status], old[since]) != (new[status], new[since]):
            words = change_words(f"{purpose} by {channel}", old[status], new[status])
            return cause("consent", words), new[since]
    return cause("consent"), None


def _people(profiles: pl.DataFrame) -> dict[int, dict[str, Any]]:
    """Subject → its consents."""
    names = [name for name in profiles.columns if consent_column(name) is not None]
    return {row["subject"]: row for row in profiles.select("subject", *names).iter_rows(named=True)}


def _asked_by(hit: Hit, segment: str) -> tuple[Consent, ...]:
    lowered = hit.after.rules.lowered(segment)
    if lowered is None:
        return ()
    return consents_of(node.name for node in walk(lowered.where) if isinstance(node, ir.StoredTrait))
