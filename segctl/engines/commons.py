"""Conditions that must hold for one and the same value, such as one product seen, carted and not bought."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw
import polars as pl

from segctl.compile import ir
from segctl.compile.plan import Node, parts, walk
from segctl.engines.aggregates import ZERO_OF_NONE, is_plain
from segctl.engines.elements import with_elements
from segctl.engines.expressions import to_expr
from segctl.engines.formulas import with_formulas
from segctl.engines.frames import Frame, polars_of
from segctl.engines.metrics import plain_metrics
from segctl.engines.ordered import ordered_metric
from segctl.engines.predicates import to_predicate
from segctl.engines.reading import Reader
from segctl.engines.rows import Reading, same_columns
from segctl.engines.scope import Scope
from segctl.model.types import INTEGER


def common_subjects(rows: pl.LazyFrame, common: ir.HasCommonValue, scope: Scope, name: str) -> pl.DataFrame:
    """One row per subject with any candidate value: `subject` and the answer under `name`; for others it is false."""
    frame: Frame = nw.from_native(rows)
    native = polars_of(frame.with_columns(to_predicate(common.item, scope).alias(name)))
    answer = pl.col(name)
    some = pl.when(answer.any()).then(pl.lit(value=True)).when(~answer.is_null().any()).then(pl.lit(value=False))
    return native.group_by("subject").agg(some.alias(name)).collect(engine="in-memory")


def common_rows(
    reading: Reading, common: ir.HasCommonValue, profiles: pl.DataFrame, scope: Scope, profile_reader: Reader
) -> tuple[pl.LazyFrame, Scope]:
    """One row per subject and candidate value, and a scope that knows what the condition asks of it."""
    metrics = list(dict.fromkeys(_metrics(common.item)))
    names = {metric: f"same:{number}" for number, metric in enumerate(metrics)}
    keys = ["subject", *same_columns(common.same)]
    frames = [reading.reader.collect(found) for found in _frames(reading, common, names, keys)]
    candidates = _joined(frames, keys)
    zeros = [column for metric, column in names.items() if metric.measure.function in ZERO_OF_NONE]
    candidates = candidates.with_columns(pl.col(zeros).fill_null(0)) if zeros else candidates
    outer = _of_profiles(common.item, profiles, scope)
    rows = candidates.join(profiles.with_columns(outer.values()), on="subject", how="inner")
    inner = scope.knowing({ir.MetricValue(metric): column for metric, column in names.items()})
    inner = inner.knowing({node: column.name for node, column in outer.items()})
    frame, inner = with_elements(nw.from_native(rows.lazy()), [common.item], inner, profile_reader)
    return polars_of(frame), inner


def _of_profiles(item: Node, profiles: pl.DataFrame, scope: Scope) -> dict[Node, pl.Series]:
    """Values beside the metrics that read all events of a profile, in the order of the profiles."""
    nodes = list(dict.fromkeys(node for node in walk(item) if isinstance(node, ir.OfProfile)))
    if not nodes:
        return {}
    frame, known = with_formulas(nw.from_native(profiles.lazy()), nodes, scope)
    names = {node: f"of_profile:{number}" for number, node in enumerate(nodes)}
    # Beside the other columns a constant has as many rows as they.
    found = frame.with_columns(*[to_expr(node, known).alias(name) for node, name in names.items()])
    native = polars_of(found).collect(engine="in-memory")
    return {node: native.get_column(name) for node, name in names.items()}


def _metrics(node: Node) -> Sequence[ir.Metric]:
    if isinstance(node, ir.MetricValue):
        return [node.metric]
    if isinstance(node, ir.HasSequence | ir.OfProfile):
        return []
    return [metric for part in parts(node) for metric in _metrics(part)]


def _frames(
    reading: Reading, common: ir.HasCommonValue, names: dict[ir.Metric, str], keys: Sequence[str]
) -> list[Frame]:
    """Frames of metrics by value; beside each metric a count of what it selects, under ``NAME:seen``."""
    seen = [(f"{name}:seen", _selected(metric)) for metric, name in names.items() if metric.latest is None]
    asked = [(name, metric) for metric, name in names.items()] + seen
    frames = []
    plain = [(name, metric) for name, metric in asked if is_plain(metric)]
    for kinds in dict.fromkeys(metric.kinds for _, metric in plain):
        of_kinds = [(name, metric) for name, metric in plain if metric.kinds == kinds]
        frames.append(plain_metrics(reading, kinds, of_kinds, keys, common.same))
    frames += [ordered_metric(reading, name, m, keys, common.same) for name, m in asked if not is_plain(m)]
    # The newest events of a value are some of its selected events, so counting all of these finds the same values.
    late = [(f"{name}:seen", _selected(metric)) for metric, name in names.items() if metric.latest is not None]
    frames += [plain_metrics(reading, metric.kinds, [(name, metric)], keys, common.same) for name, metric in late]
    return frames


def _selected(metric: ir.Metric) -> ir.Metric:
    return ir.Metric(metric.kinds, ir.Measure("count"), INTEGER, metric.window, metric.where, None, metric.bounds)


def _joined(frames: Sequence[pl.DataFrame], keys: Sequence[str]) -> pl.DataFrame:
    """All frames by key, with the keys that any metric selects an event of."""
    joined = frames[0]
    for frame in frames[1:]:
        joined = joined.join(frame, on=list(keys), how="full", coalesce=True)
    seen = [column for column in joined.columns if column.endswith(":seen")]
    return joined.filter(pl.any_horizontal(pl.col(seen).fill_null(0) > 0)).drop(seen)
