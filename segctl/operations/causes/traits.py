"""Which trait moved a profile, from what to what, and which source said so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segctl.model.project import RELATED
from segctl.model.types import stored_column
from segctl.operations.causes.reach import kinds_of
from segctl.operations.causes.replay import asked_plan, flags, read_by, traits_of
from segctl.operations.causes.rows import RECORDS, cause_schema
from segctl.operations.causes.words import cause, plain
from segctl.operations.dictionary import shown

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.compile.plan import Plan
    from segctl.engines.base import EngineInput
    from segctl.operations.causes.chain import Hit
    from segctl.operations.causes.rows import Parts
    from segctl.operations.session import Session


def changed_traits(
    hit: Hit, parts: Parts, session: Session, owners: pl.Series | None, *, then: datetime, now: datetime
) -> pl.DataFrame:
    """``segment``, ``subject``, ``cause``, ``effective`` of pairs that a changed value moved."""
    import polars as pl

    assert hit.asked is not None, "what moved a pair was asked"
    names = hit.pairs["segment"].unique().sort().to_list()
    nodes = {name: read_by(hit.asked.asking, name) for name in names}
    traits = sorted({trait for of in nodes.values() for trait in traits_of(of)})
    asking = asked_plan(hit.after.rules, names)
    before, after = hit.before.read(asking), hit.asked.data
    chosen = _chosen(hit, asking, traits, before, after)
    values = _values(traits, before, after)
    origin = _origins(parts, session, owners, traits)
    rows = []
    for segment, subject, trait in chosen.select("segment", "subject", "trait").iter_rows():
        if trait is None:
            tables = sorted(k.removeprefix(RELATED) for k in kinds_of(nodes[segment]) if k.startswith(RELATED))
            rows.append((segment, subject, cause("related_changed", ", ".join(tables)), now))
            continue
        source, valid = origin.get((subject, trait), ("", None))
        old, new = values[trait].get(subject, (None, None))
        at = valid if valid is not None and then < valid <= now else now
        rows.append((segment, subject, cause("trait_changed", _said(session, trait, old, new), source), at))
    return pl.DataFrame(rows, schema=cause_schema(), orient="row")


def _chosen(hit: Hit, asking: Plan, traits: Sequence[str], before: EngineInput, after: EngineInput) -> pl.DataFrame:
    """The pairs with ``trait``: of several that changed the first, by name, with which the answer is the new one."""
    import polars as pl

    left = hit.pairs.select("segment", "subject", "entered")
    made = []
    profiles = after.profiles.join(
        before.profiles.select(
            "subject", *[pl.col(t).alias(f"then:{t}") for t in traits if t in before.profiles.columns]
        ),
        on="subject",
        how="left",
    )
    for at, trait in enumerate(traits):
        if not left.height:
            break
        old = [t for t in traits[at + 1 :] if f"then:{t}" in profiles.columns]
        mixed = profiles.with_columns(pl.col(f"then:{t}").alias(t) for t in old)
        changes = {t: (before if t in traits[at + 1 :] else after).changes.get(t, f) for t, f in after.changes.items()}
        related = before.related
        data = replace(after, profiles=mixed.select(after.profiles.columns), changes=changes, related=related)
        moved = flags(hit.after.ask_again(asking, data), left, hit.after.ranks) == left["entered"]
        made.append(left.filter(moved).with_columns(pl.lit(trait).alias("trait")))
        left = left.filter(~moved)
    return pl.concat([*made, left.with_columns(pl.lit(None, pl.String).alias("trait"))])


def _values(traits: Sequence[str], before: EngineInput, after: EngineInput) -> dict[str, dict[int, tuple[Any, Any]]]:
    """Trait → subject → value then and now."""
    found: dict[str, dict[int, tuple[Any, Any]]] = {}
    for trait in traits:
        old, new = (
            dict(data.profiles.select("subject", trait).iter_rows()) if trait in data.profiles.columns else {}
            for data in (before, after)
        )
        found[trait] = {subject: (old.get(subject), value) for subject, value in new.items()}
    return found


def _origins(
    parts: Parts, session: Session, owners: pl.Series | None, traits: Sequence[str]
) -> dict[tuple[int, str], tuple[str, datetime | None]]:
    """(profile, trait) → source and time of the newest new record that has it; of any new record where none has."""
    import polars as pl

    rows = parts.new_records
    if not rows.height:
        return {}
    owner = rows["subject"] if owners is None else owners.gather(rows["subject"])
    rows = rows.with_columns(owner.alias("subject")).sort("valid_from", "arrival", nulls_last=False)
    found: dict[tuple[int, str], tuple[str, datetime | None]] = {}
    for trait in traits:
        declared = session.project.trait(trait)
        column = None if declared is None else stored_column(trait, declared.type)
        for some in (rows, rows.filter(pl.col(column).is_not_null()) if column in rows.columns else rows.clear()):
            for subject, dataset, valid in some.select("subject", "dataset", "valid_from").iter_rows():
                found[subject, trait] = (dataset.removeprefix(RECORDS), valid)
    return found


def _said(session: Session, trait: str, old: object, new: object) -> str:
    """A changed trait; values of private ones are nobody's business."""
    declared = session.project.trait(trait)
    if declared is None or declared.is_private or old == new:
        return f"{trait} changed"
    return f"{trait}: {plain(shown(old, declared.type))} → {plain(shown(new, declared.type))}"
