"""Scores and numbers of colleagues in a replay: one profile with other values of its own beside all others of today.

A replay reads the rows of a few profiles, so it must not rank or count among these alone. Everybody's values of today
are asked once; in a replay a score or a number is made of them and the profile's own value, and stands there as a
stored trait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from segctl.compile import ir
from segctl.compile.plan import Output, Plan, parts, plan, roots
from segctl.model.types import INTEGER

if TYPE_CHECKING:
    import polars as pl

    from segctl.engines.base import EngineInput

Social = ir.Score | ir.Colleagues
Beside = Mapping[Social, "pl.DataFrame"]
"""Of each node everybody's values of today: ``profile_id``, and ``value``, or ``shared`` and ``met``."""
T = TypeVar("T")


def social_nodes(asking: Plan) -> list[Social]:
    """The scores and numbers of colleagues of a plan, each after those inside it."""
    asked = [root for segment in asking.segments for root in roots(segment)] + [o.ask for o in asking.outputs]
    return list(dict.fromkeys(node for root in asked for node in _innermost_first(root)))


def _innermost_first(root: Any) -> Iterator[Social]:  # noqa: ANN401 - a node of any kind
    for part in parts(root):
        yield from _innermost_first(part)
    if isinstance(root, ir.Score | ir.Colleagues):
        yield root


def asked_of(node: Social) -> list[Output]:
    """What a score or number is made of, for each profile."""
    if isinstance(node, ir.Score):
        beside = [] if node.beside is None else [Output("beside", node.beside)]
        return [Output("value", node.of), *beside]
    return [Output("shared", node.shared), *([] if node.where is None else [Output("met", node.where)])]


def own_values(node: Social, answers: pl.DataFrame) -> pl.DataFrame:
    """``subject``, and ``value`` or ``shared`` and ``met``, from the answers to `asked_of`."""
    import polars as pl

    if isinstance(node, ir.Score):
        known = pl.col("beside" if "beside" in answers.columns else "value").is_not_null()
        return answers.select("subject", pl.when(known).then("value").alias("value"))
    met = pl.col("met").fill_null(value=False) if "met" in answers.columns else pl.lit(value=True)
    return answers.select("subject", "shared", met.alias("met"))


def settled(
    asking: Plan, data: EngineInput, beside: Beside, answers: Callable[[Plan, EngineInput], pl.DataFrame]
) -> tuple[Plan, EngineInput]:
    """The plan and its input with stored traits in place of scores and numbers of colleagues.

    Args:
        asking: What is asked.
        data: Some profiles.
        beside: Everybody's values of today.
        answers: Evaluates a plan.
    """
    known: dict[object, ir.StoredTrait] = {}
    for number, node in enumerate(social_nodes(asking)):
        if node not in beside:
            continue
        outputs = [Output(o.name, rewritten(o.ask, known)) for o in asked_of(node)]
        segments = [_settled(segment, known) for segment in asking.segments]
        own = own_values(node, answers(plan(segments, outputs), data))
        own = own.join(data.profiles.select("subject", "profile_id"), on="subject", maintain_order="left")
        name = f"beside:{number}"
        made = own.select("subject", _made(node, own, beside[node]).alias(name))
        data = replace(data, profiles=data.profiles.join(made, on="subject", how="left", maintain_order="left"))
        known[node] = ir.StoredTrait(name, INTEGER)
    if not known:
        return asking, data
    outputs = [Output(o.name, rewritten(o.ask, known)) for o in asking.outputs]
    return plan([_settled(segment, known) for segment in asking.segments], outputs), data


def _settled(segment: ir.LoweredSegment, known: Mapping[object, ir.StoredTrait]) -> ir.LoweredSegment:
    return replace(segment, where=rewritten(segment.where, known), keep=rewritten(segment.keep, known), leaves=())


def _made(node: Social, own: pl.DataFrame, others: pl.DataFrame) -> pl.Series:
    import polars as pl

    today = others.rename({name: f"today:{name}" for name in others.columns if name != "profile_id"})
    own = own.join(today, on="profile_id", how="left", maintain_order="left")
    if isinstance(node, ir.Score):
        return _score(node, own, others["value"].drop_nulls().sort())
    counts = others.filter("met").group_by("shared").agg(pl.len().cast(pl.Int64).alias("count"))
    own = own.join(counts, on="shared", how="left", maintain_order="left")
    itself = (pl.col("today:met") & (pl.col("today:shared") == pl.col("shared"))).fill_null(value=False)
    number = pl.col("count").fill_null(0) - itself.cast(pl.Int64)
    if not node.others_only:
        number += pl.col("met").cast(pl.Int64)
    is_shared = pl.col("shared").is_not_null()
    return own.select(pl.when(is_shared).then(number).otherwise(0).alias("made")).to_series()


def _score(node: ir.Score, own: pl.DataFrame, others: pl.Series) -> pl.Series:
    import polars as pl

    today, value = pl.col("today:value"), pl.col("value")
    filled = own["value"].fill_null(strategy="max")
    if node.best == "high":
        worse, is_worse = others.search_sorted(filled, "left").cast(pl.Int64), today < value
    else:
        worse, is_worse = len(others) - others.search_sorted(filled, "right").cast(pl.Int64), today > value
    ranked = own.with_columns(worse.alias("worse"))
    number = pl.col("worse") - is_worse.fill_null(value=False).cast(pl.Int64)
    count = len(others) - today.is_not_null().cast(pl.Int64) + 1
    return ranked.select(pl.when(value.is_not_null()).then(1 + number * node.groups // count)).to_series()


def rewritten(node: T, known: Mapping[object, object]) -> T:
    """The node with others in place of those that are known."""
    found: Any = node
    if isinstance(node, tuple):
        items = tuple(rewritten(item, known) for item in node)
        found = node if all(new is old for new, old in zip(items, node, strict=True)) else items
    elif is_dataclass(node) and not isinstance(node, type) and type(node).__module__.startswith("segctl.compile.ir"):
        if node in known:
            found = known[node]
        else:
            old = {one.name: getattr(node, one.name) for one in fields(node)}
            new = {name: rewritten(value, known) for name, value in old.items()}
            changed = {name: value for name, value in new.items() if value is not old[name]}
            found = replace(node, **changed) if changed else node
    same: T = found
    return same


def values_today(nodes: Sequence[Social], answers: Callable[[Sequence[Output]], pl.DataFrame]) -> Beside:
    """Everybody's values.

    Args:
        nodes: Scores and numbers of colleagues.
        answers: The outputs of everybody, with ``subject`` and ``profile_id``.
    """
    outputs = [Output(f"{number}:{o.name}", o.ask) for number, node in enumerate(nodes) for o in asked_of(node)]
    found = answers(outputs)
    made = {}
    for number, node in enumerate(nodes):
        mine = found.rename({f"{number}:{o.name}": o.name for o in asked_of(node)})
        values = own_values(node, mine)
        made[node] = values.with_columns(found["profile_id"]).drop("subject")
    return made
