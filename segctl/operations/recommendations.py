"""Products for people: what goes together by the purchases of everybody, and the list that each person gets."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.model.content import ProductEvent, Recommendation
from segctl.model.diagnostics import Diagnostic
from segctl.model.types import stored_column
from segctl.operations.content.events import kind_rows, natural
from segctl.operations.content.stock import stock_of, stock_warning
from segctl.operations.things import unknown_thing

if TYPE_CHECKING:
    import polars as pl

    from segctl.engines.recommendations import Affinities
    from segctl.operations.session import Session

_MOST_KEPT = 8
# A process that renders all day asks for the same day's counts again and again; files never change, so their ids tell.
_KEPT: OrderedDict[tuple[Any, ...], tuple[Affinities, dict[str, dict[str, Any]]]] = OrderedDict()


def find_recommendation(session: Session, name: str) -> Recommendation:
    """The list of that name.

    Raises:
        UsageError: There is none.
    """
    content = session.definitions.content
    known = {} if content is None else content.recommendations
    if name not in known:
        raise unknown_thing("recommendation", name, list(known))
    return known[name]


def recommended(session: Session, name: str, people: Sequence[int], *, as_of: datetime) -> dict[int, list[Any]]:
    """Subject of a profile → its products, best first, as templates see them.

    Each has ``product_id``, ``reason``, ``because``, ``score`` and the declared fields.
    """
    from segctl.content.values import Fields

    return {
        subject: [Fields("product", row) for row in rows]
        for subject, rows in lists_for(session, name, people, as_of=as_of).items()
    }


def lists_for(
    session: Session, name: str, people: Sequence[int], *, as_of: datetime
) -> dict[int, list[dict[str, Any]]]:
    """Subject of a profile → the rows of its list, best first.

    Likeness and popularity are those of the purchases before the day of `as_of` (UTC), so that everybody of a day gets
    lists of one making; what a person bought and viewed, and what is known of products, counts up to `as_of` itself.

    Raises:
        DataError: The file of products that are not to be had cannot be read (SEG779).
        UsageError: No such list.
    """
    import polars as pl

    from segctl.engines.recommendations import lists

    rule = find_recommendation(session, name)
    snapshot = session.workspace.snapshot()
    known, facts = _known(session, rule, as_of, snapshot)
    since = as_of - timedelta(days=rule.window_days)
    bought = _rows(session, rule.bought, people, as_of, snapshot, since=None if rule.exclude_bought else since)
    viewed = _rows(session, rule.viewed, people, as_of, snapshot, since=since) if rule.viewed else bought.clear()
    candidates = {product for one in (known.popular, bought, viewed) for product in one["product"]}
    excluded = stock_of(rule, Path(session.project.root), candidates | set(facts)).products
    excluded |= _shut(rule, facts, candidates)
    found = lists(
        known,
        pl.Series(list(people), dtype=pl.Int32),
        bought,
        viewed,
        half_life_days=rule.half_life_days,
        at_most=rule.at_most,
        exclude_bought=rule.exclude_bought,
        excluded=pl.Series(sorted(excluded), dtype=pl.String) if excluded else None,
    )
    shown: dict[int, list[dict[str, Any]]] = {subject: [] for subject in people}
    for row in found.iter_rows(named=True):
        fields = {key: facts.get(row["product"], {}).get(key) for key in rule.fields}
        shown[row["subject"]].append(
            {
                "product_id": row["product"],
                "reason": row["reason"],
                "because": row["because"],
                "score": row["score"],
                **fields,
            }
        )
    return shown


def stock_findings(session: Session, name: str, *, as_of: datetime) -> list[Diagnostic]:
    """A warning when the file of products that are not to be had leaves nothing out.

    Raises:
        DataError: It cannot be read (SEG779).
        UsageError: No such list.
    """
    rule = find_recommendation(session, name)
    if rule.out_of_stock is None:
        return []
    known, facts = _known(session, rule, as_of, session.workspace.snapshot())
    found = stock_warning(rule, stock_of(rule, Path(session.project.root), {*known.popular["product"], *facts}))
    return [] if found is None else [found]


def _shut(rule: Recommendation, facts: Mapping[str, Mapping[str, Any]], candidates: set[str]) -> set[str]:
    """Products of categories that are never recommended; whose category nobody knows may be of one of them."""
    if not rule.exclude_categories or rule.category is None:
        return set()
    known = {product: fields.get(rule.category) for product, fields in facts.items()}
    return {one for one in candidates if known.get(one) is None or str(known[one]) in rule.exclude_categories}


def _known(
    session: Session, rule: Recommendation, as_of: datetime, snapshot: int
) -> tuple[Affinities, dict[str, dict[str, Any]]]:
    """What purchases before the day say of products, and product → its fields and category at the very time."""
    affinities, facts = _of_day(session, rule, as_of, snapshot)
    today = _facts(session, rule, as_of, snapshot, since=_midnight(as_of))
    return affinities, facts | {product: facts.get(product, {}) | fields for product, fields in today.items()}


def _midnight(as_of: datetime) -> datetime:
    return as_of.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _of_day(
    session: Session, rule: Recommendation, as_of: datetime, snapshot: int
) -> tuple[Affinities, dict[str, dict[str, Any]]]:
    from segctl.engines.recommendations import affinities

    begin = _midnight(as_of)
    kinds = {rule.bought.event, *([rule.viewed.event] if rule.viewed else [])}
    us = int(begin.timestamp() * 1_000_000)
    files = tuple(
        file.id
        for file in session.workspace.files("events", snapshot)
        if kinds & set(file.meta["kinds"]) and (file.meta.get("min_ts") is None or file.meta["min_ts"] <= us)
    )
    identity = tuple(file.id for file in session.workspace.files("identity", snapshot))
    key = (session.project.workspace, rule, begin, files, identity)
    if key not in _KEPT:
        since = begin - timedelta(days=rule.window_days)
        purchases = _rows(session, rule.bought, None, begin, snapshot, since=since)
        facts = _facts(session, rule, begin, snapshot, since=since)
        _KEPT[key] = affinities(purchases, half_life_days=rule.half_life_days), facts
        while len(_KEPT) > _MOST_KEPT:
            _KEPT.popitem(last=False)
    _KEPT.move_to_end(key)
    return _KEPT[key]


def _rows(
    session: Session,
    event: ProductEvent,
    people: Sequence[int] | None,
    as_of: datetime,
    snapshot: int,
    *,
    since: datetime | None,
) -> pl.DataFrame:
    """Columns ``subject``, ``basket``, ``product`` and ``age`` in days."""
    import polars as pl

    wanted = [event.product, *([event.basket] if event.basket else [])]
    rows = kind_rows(session, event.event, people, as_of=as_of, snapshot=snapshot, since=since, only=wanted)
    product = pl.col(_column(session, event.event, event.product)).cast(pl.String)
    apart = pl.col("ts").dt.date() if event.basket is None else pl.col(_column(session, event.event, event.basket))
    return rows.select(
        "subject",
        # The number of an order may be used again by another shop; a person's own day is a basket where none is told.
        basket=pl.struct("subject", apart.cast(pl.String).fill_null("").alias("apart")).hash(),
        product=product,
        age=(pl.lit(as_of) - pl.col("ts")).dt.total_seconds() / 86_400,
    ).drop_nulls("product")


def _column(session: Session, event: str, name: str) -> str:
    declared = session.project.event(event)
    of = None if declared is None else declared.property_type(name)
    assert of is not None
    return stored_column(name, of)


def _facts(
    session: Session, rule: Recommendation, as_of: datetime, snapshot: int, *, since: datetime
) -> dict[str, dict[str, Any]]:
    """Product → its fields and category, each as the newest event that tells it says, of whatever kind that is."""
    import polars as pl

    wanted = {*rule.fields, *([rule.category] if rule.category else [])}
    found: dict[str, dict[str, tuple[datetime, Any]]] = {}
    for event in (rule.bought, *([rule.viewed] if rule.viewed else [])):
        declared = session.project.event(event.event)
        types = {name: of for name, of in (declared.properties if declared else ()) if name in wanted}
        if not types:
            continue
        names = {*types, event.product}
        rows = kind_rows(session, event.event, None, as_of=as_of, snapshot=snapshot, since=since, only=names)
        product = _column(session, event.event, event.product)
        columns = {stored_column(name, of): (name, of) for name, of in types.items()}
        newest = (
            rows.drop_nulls(product)
            .sort("ts", "source", "event_id")
            .group_by(pl.col(product).cast(pl.String).alias("product_id"))
            .agg(_last_told(column) for column in columns)
        )
        for row in newest.iter_rows(named=True):
            fields = found.setdefault(row["product_id"], {})
            for column, (name, of) in columns.items():
                told = row[column]
                if told is not None and (name not in fields or told["ts"] > fields[name][0]):
                    fields[name] = told["ts"], natural(told[column], of)
    return {product: {name: value for name, (_, value) in fields.items()} for product, fields in found.items()}


def _last_told(column: str) -> pl.Expr:
    """The last value of a column that is one, with its time."""
    import polars as pl

    return pl.struct("ts", column).filter(pl.col(column).is_not_null()).last().alias(column)
