"""Which consent of a profile became another one, or that it may be evaluated no longer, or again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segctl.compile import ir
from segctl.compile.consents import consent_column, consents_of, since_trait, status_trait
from segctl.compile.plan import walk
from segctl.compile.words_consents import change_words
from segctl.operations.cause_rows import cause_schema
from segctl.operations.cause_words import cause

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.compile.consents import Consent
    from segctl.operations.cause_chain import Hit

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
