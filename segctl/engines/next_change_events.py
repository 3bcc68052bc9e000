"""Which events matter for the next change: of each window that moves, the event that its bounds pass first.

These are metrics like others, so they are found in the same pass over the events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from segctl.compile import ir
from segctl.compile.moving_bounds import MovingBound, moving_bounds
from segctl.compile.plan import Node, Plan, parts, walk
from segctl.engines.next_change_rows import Atom, is_moving_atom, moving_atoms
from segctl.engines.sequences import positive_steps
from segctl.model.dataclass import dataclass
from segctl.model.times import (
    EXACT_SECONDS,
    Anniversary,
    Before,
    Between,
    Duration,
    During,
    OlderThan,
    RelativeDay,
    RelativePeriod,
    RelativeTime,
    Since,
    Window,
    WithinLast,
    WithinNext,
)
from segctl.model.types import TIME

_EVENT_NODES = (ir.EventProperty, ir.EventTime, ir.EventTimePart)


@dataclass(frozen=True, slots=True)
class Edge:
    """The first event that a bound will pass.

    Attributes:
        first: The time of the earliest event that the bound has not passed; null without one.
        bound: The bound.
        is_rough: `first` may be passed already: whoever has such an event is asked again at the bound's next step.
    """

    first: ir.Metric
    bound: MovingBound
    is_rough: bool = False


@dataclass(frozen=True, slots=True)
class RowAsk:
    """Events whose own tests move with time.

    Attributes:
        kinds: Of the events.
        window: Where they lie.
        bounds: Values of its bounds that are traits.
        atoms: Tests of event rows.
    """

    kinds: tuple[str, ...]
    window: Window | None
    bounds: tuple[tuple[str, ir.Expression], ...]
    atoms: tuple[Atom, ...]


@dataclass(frozen=True, slots=True)
class Deadline:
    """Events after each of which something must not happen for a length of months or years.

    Attributes:
        kinds: Of the events.
        where: Their condition; None for any.
        within: The length.
    """

    kinds: tuple[str, ...]
    where: ir.Predicate | None
    within: Duration


def asks(plan: Plan) -> Iterator[Edge | RowAsk | Deadline]:
    """What must be known of events, so that the next change of everything in a plan is known."""
    for metric in all_metrics(plan):
        yield from _of_metric(metric)
    for sequence in plan.sequences:
        yield from _of_sequence(sequence)


def all_metrics(plan: Plan) -> list[ir.Metric]:
    """The metrics of a plan, those inside tests for one and the same value included; each once."""
    inside = (node for common in plan.commons for node in walk(common.item) if isinstance(node, ir.Metric))
    return list(dict.fromkeys((*(metric for _, of in plan.metrics for metric in of), *inside)))


def event_kinds(plan: Plan) -> tuple[str, ...]:
    """All kinds of events that a plan reads."""
    found: set[str] = set()
    for metric in all_metrics(plan):
        found.update(metric.kinds)
        found.update(metric.measure.followed.kinds if metric.measure.followed is not None else ())
    found.update(kind for sequence in plan.sequences for step in sequence.steps for kind in step.kinds)
    return tuple(sorted(found))


def profile_atoms(roots: Iterable[Node]) -> list[Atom]:
    """Tests that move with time and ask of the profile alone, also those inside conditions on events; each once."""
    found: dict[Atom, None] = {}
    seen: dict[tuple[int, bool], Node] = {}
    for root in roots:
        _note_atoms(root, False, found, seen)
    return list(found)


def _note_atoms(node: Node, is_inner: bool, found: dict[Atom, None], seen: dict[tuple[int, bool], Node]) -> None:
    """Notes the atoms below a node; `is_inner` are rows of another kind, of which only metrics ask the profile."""
    if (id(node), is_inner) in seen or isinstance(node, ir.Score):
        return
    seen[id(node), is_inner] = node
    if isinstance(node, ir.Metric | ir.Sequence):
        is_inner = False
    elif not is_inner and is_moving_atom(node) and not asks_events(node):
        found[node] = None
    for part in parts(node):
        of_elements = isinstance(node, ir.AnyElement) and part is node.item
        _note_atoms(part, is_inner or of_elements or isinstance(node, ir.HasCommonValue), found, seen)


def asks_events(node: Node) -> bool:
    """True for a test of an event row."""
    if isinstance(node, _EVENT_NODES):
        return True
    answered = isinstance(node, ir.MetricValue | ir.HasSequence | ir.HasCommonValue | ir.Score)
    return not answered and any(asks_events(part) for part in parts(node))


def _of_metric(metric: ir.Metric) -> Iterator[Edge | RowAsk]:
    measure = metric.measure
    yield from _of_selection(metric.kinds, metric.window, metric.where, metric.bounds)
    yield from _of_rows(metric.kinds, metric.window, measure.where, metric.bounds)
    if measure.followed is not None:
        yield from _of_rows(measure.followed.kinds, None, measure.followed.where, ())


def _of_sequence(sequence: ir.Sequence) -> Iterator[Edge | RowAsk | Deadline]:
    for step in sequence.steps:
        yield from _of_selection(step.kinds, step.window, step.where, step.bounds)
    for positive in positive_steps(sequence):
        for _, denied in positive.denied:
            if denied.within is not None and denied.within.amount:
                yield _deadline(positive.step, denied.within)


def _deadline(step: ir.Step, within: Duration) -> Edge | Deadline:
    where = _still(step.where)
    if within.unit not in EXACT_SECONDS:
        return Deadline(step.kinds, where, within)
    return _edge(step.kinds, WithinLast(within), where, (), moving_bounds(OlderThan(within))[1])


def _of_selection(
    kinds: tuple[str, ...],
    window: Window | None,
    where: ir.Predicate | None,
    bounds: tuple[tuple[str, ir.Expression], ...],
) -> Iterator[Edge | RowAsk]:
    lower, upper = moving_bounds(window)
    if lower is not None and not _is_ahead(window):
        # Until a row's own test changes, which is found apart, only events that fulfil it now can leave.
        yield _edge(kinds, window, where, bounds, lower)
    beyond = _beyond(window)
    if upper is not None and beyond is not None:
        # Quarters have no length of their own: the months up to now hold more events than have to come.
        is_rough = isinstance(window, During) and window.period.unit == "quarter"
        yield _edge(kinds, beyond, _still(where), (), upper, is_rough=is_rough)
    days = ir.InWindow(ir.EventTime(), window) if isinstance(window, Anniversary) else None
    yield from _of_rows(kinds, None if days else window, where, () if days else bounds, days)


def _of_rows(
    kinds: tuple[str, ...],
    window: Window | None,
    where: ir.Predicate | None,
    bounds: tuple[tuple[str, ir.Expression], ...],
    further: ir.InWindow | None = None,
) -> Iterator[RowAsk]:
    moving = [] if where is None else [atom for atom in moving_atoms(where) if asks_events(atom)]
    atoms = tuple(dict.fromkeys([*moving, *([further] if further is not None else [])]))
    if atoms:
        yield RowAsk(kinds, window, bounds, atoms)


def _edge(
    kinds: tuple[str, ...],
    window: Window | None,
    where: ir.Predicate | None,
    bounds: tuple[tuple[str, ir.Expression], ...],
    bound: MovingBound | None,
    *,
    is_rough: bool = False,
) -> Edge:
    assert bound is not None, "the side moves"
    return Edge(ir.Metric(kinds, ir.Measure("first_time"), TIME, window, where, None, bounds), bound, is_rough)


def _still(where: ir.Predicate | None) -> ir.Predicate | None:
    """A condition on events outside the window; none if it moves, since any of them may come to fulfil it."""
    if where is None or any(asks_events(atom) for atom in moving_atoms(where)):
        return None
    return where


def _is_ahead(window: Window | None) -> bool:
    """Nothing that has happened lies in the window, now or ever."""
    match window:
        case WithinNext(length):
            return not length.calendar
        case During(RelativePeriod(_, offset)):
            return offset > 0
        case _:
            return False


def _beyond(window: Window | None) -> Window | None:
    """The window of what has happened and lies behind the upper side, that is: what may come in; None for nothing."""
    match window:
        case OlderThan(length) | Between(_, RelativeTime(Duration() as length, -1)):
            return WithinLast(length)
        case Between(_, RelativeDay(offset)) if offset < 0:
            return WithinLast(Duration(-offset, "days", calendar=True))
        case Before(RelativeTime(None, _) | RelativeTime(_, -1) as end):
            return Since(end)
        case Before(RelativeDay(offset) as day) if offset <= 0:
            return Since(day)
        case During(RelativePeriod("quarter", offset)) if offset < 0:
            return WithinLast(Duration(-3 * offset, "months", calendar=True))
        case During(RelativePeriod(unit, offset)) if offset < 0:
            return WithinLast(Duration(-offset, f"{unit}s", calendar=True))  # type: ignore[arg-type]  # units of periods are those of lengths but for quarters
        case _:
            return None
