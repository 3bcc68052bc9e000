"""Steps of a workflow: written as lists inside lists, bound as nodes that know where each way leads."""

from __future__ import annotations

from collections.abc import Callable, Collection
from collections.abc import Mapping as Lookup
from dataclasses import field
from decimal import Decimal

from segctl.compile.bind import forms
from segctl.compile.bind.conditions import bind_condition
from segctl.compile.bind.events import bind_selection
from segctl.compile.bind.experiments_values import share
from segctl.compile.bind.names import find_kinds
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.bind.workflows_acts import ACT_KEYS, ACTS
from segctl.compile.bind.workflows_times import clock, length, unknown, weekdays
from segctl.compile.source import ListNode, Mapping, Node, Scalar
from segctl.compile.suggest import one_of
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location
from segctl.model.experiments import Experiment
from segctl.model.workflows import END, Branch, Signal, Split, StepBody, Stop, Wait, WaitFor, WaitUntil
from segctl.model.workflows import Node as Step

FLOW_KEYS: dict[str, tuple[str, ...]] = {
    "wait": ("wait", "reached", "timeout"),
    "branch": ("branch", "else"),
    "split": ("split", "then", "else"),
    "stop": ("stop",),
}
KINDS = (*FLOW_KEYS, *ACT_KEYS)
_COMMON = ("name", "title")
_SYNONYMS = {
    "delay": "wait", "pause": "wait", "if": "branch", "condition": "branch", "experiment": "split", "ab": "split",
    "email": "mail", "send": "mail", "e_mail": "mail", "audience": "add", "webhook": "task", "call": "task",
    "ticket": "task", "trait": "set", "update": "set", "run": "command", "exec": "command", "exit": "stop",
    "end": "stop", "warte": "wait",
}  # fmt: skip
_STEP = "write `- wait: 2 hours`, `- mail: TEMPLATE` …"
_MOST_STEPS, _DEEPEST = 200, 8


@dataclass(frozen=True, slots=True)
class Known:
    """Names that steps may speak of beside those of the scope.

    Attributes:
        destinations: By name, with the kind.
        experiments: By name.
        purposes: Names.
        purpose: Of actions that name none.
    """

    destinations: Lookup[str, str]
    experiments: Lookup[str, Experiment]
    purposes: Collection[str]
    purpose: str | None = None


@dataclass(slots=True)
class Binding:
    """One workflow on its way: nodes so far, and the names they have."""

    workflow: str
    scope: Scope
    known: Known
    nodes: list[Step] = field(default_factory=list)
    places: dict[str, Location] = field(default_factory=dict)


def bind_steps(node: Node, binding: Binding, *, prefix: str = "", after: str = END, depth: int = 0) -> str:
    """Binds a list of steps and everything below it into `binding.nodes`.

    Args:
        node: The list.
        binding: Where nodes and problems go.
        prefix: Of ids, such as ``3.then.``.
        after: Where the last step leads.
        depth: Lists around it.

    Returns:
        Id of the first step; `after` when there is none.
    """
    scope = binding.scope
    listed = forms.items(node, scope, "the steps", hint=_STEP)
    if listed is None:
        return after
    if depth > _DEEPEST or len(binding.nodes) + len(listed) > _MOST_STEPS:
        message = f"a workflow has at most {_MOST_STEPS} steps, and ways inside ways {_DEEPEST} deep"
        scope.error("SEG672", message, node.location, hint="make two workflows of it")
        return after
    ids = [_id(item, f"{prefix}{number}", binding) for number, item in enumerate(listed, start=1)]
    for item, own, following in zip(listed, ids, [*ids[1:], after], strict=True):
        _bind_step(item, own, following, binding, depth)
    return ids[0]


def _id(node: Node, otherwise: str, binding: Binding) -> str:
    named = node.get("name") if isinstance(node, Mapping) else None
    if named is None:
        return otherwise
    name = forms.name(named, binding.scope, "a step's name")
    if name is None:
        return otherwise
    if name in binding.places:
        why = f"it is that of the step in line {binding.places[name].line} already"
        hint = "rename one: people who wait are known by their step's name"
        binding.scope.error("SEG673", f"the step's name {shown(name)} stands twice", named.location, why=why, hint=hint)
        return otherwise
    binding.places[name] = named.location
    return name


def _bind_step(node: Node, own: str, after: str, binding: Binding, depth: int) -> None:
    scope = binding.scope
    found = forms.mapping(node, scope, "a step", hint=_STEP)
    if found is None:
        return
    kinds = [key for key, _ in found.entries if key.text in KINDS]
    if len(kinds) != 1:
        _report_kinds(found, kinds, scope)
        return
    kind = kinds[0].text
    title_node = found.get("title")
    title = None if title_node is None else forms.text(title_node, scope, "`title`")
    at = len(binding.nodes)
    binding.nodes.append(Step(own, Stop(), (), title, found.location))  # keeps its place in the order written
    if kind in ACTS:
        forms.check_keys(found, (*ACT_KEYS[kind], *_COMMON), scope, f"the step `{kind}`", synonyms=_SYNONYMS)
        body: StepBody | None = ACTS[kind](found, scope, binding.known)
        ways: tuple[tuple[str, str], ...] = (("next", after),)
    else:
        forms.check_keys(found, (*FLOW_KEYS[kind], *_COMMON), scope, f"the step `{kind}`", synonyms=_SYNONYMS)
        inner = _Inner(binding, own, after, depth + 1)
        body, ways = _FLOWS[kind](found, inner)
    if body is not None:
        binding.nodes[at] = Step(own, body, ways, title, found.location)


def _report_kinds(node: Mapping, kinds: list[Scalar], scope: Scope) -> None:
    if kinds:
        message = f"the step has several kinds: {one_of(key.text for key in kinds)}"
        scope.error("SEG672", message, kinds[1].location, hint="begin each step with `- `")
        return
    own = next((key for key, _ in node.entries if key.text not in _COMMON), None)
    place = own.location if own is not None else node.location
    what = f"{shown(own.text)} is not a kind of step" if own is not None else "the step has no kind"
    otherwise = f"a step is one of {one_of(KINDS)}"
    hint = scope.meant(own.text, KINDS, _SYNONYMS, otherwise=otherwise) if own is not None else otherwise
    scope.error("SEG672", what, place, hint=hint)


# --- Steps that lead somewhere ------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Inner:
    """Where a step stands, for the lists inside it."""

    binding: Binding
    own: str
    after: str
    depth: int

    @property
    def scope(self) -> Scope:
        return self.binding.scope

    def way(self, node: Node | None, name: str) -> str:
        """The first step of a list inside; what comes after the step where there is none."""
        if node is None:
            return self.after
        if isinstance(node, ListNode) and not node.items:
            return self.after
        return bind_steps(node, self.binding, prefix=f"{self.own}.{name}.", after=self.after, depth=self.depth)


_Bound = tuple[StepBody | None, tuple[tuple[str, str], ...]]


def _wait(node: Mapping, inner: _Inner) -> _Bound:
    value, scope = node.get("wait"), inner.scope
    assert value is not None
    lists = [key for key in ("reached", "timeout") if node.get(key) is not None]
    if isinstance(value, Mapping) and value.get("for") is not None:
        return _wait_for(node, value, inner)
    for key in lists:
        what = node.get(key)
        assert what is not None
        scope.error("SEG672", f"`{key}` goes with `wait: {{for: …}}`", what.location, hint="put the steps behind it")
    nexts = (("next", inner.after),)
    if isinstance(value, Mapping):
        forms.check_keys(
            value, ("until", "days", "for", "at_most"), scope, "`wait`", synonyms={"at": "until", "on": "days"}
        )
        until = forms.required(value, "until", scope, "`wait`", example='until: "09:00"')
        at = None if until is None else clock(until, scope, "`until`")
        days = weekdays(value.get("days"), scope)
        return (None if at is None or days is None else WaitUntil(at, days)), nexts
    found = length(value, scope, "`wait`")
    return (None if found is None else Wait(found)), nexts


def _wait_for(node: Mapping, value: Mapping, inner: _Inner) -> _Bound:
    scope = inner.scope
    forms.check_keys(value, ("for", "at_most"), scope, "`wait`", synonyms={"timeout": "at_most", "within": "at_most"})
    signal = bind_signal(value.get("for"), inner.binding)
    most_node = forms.required(value, "at_most", scope, "`wait: {for: …}`", example="at_most: 2 days")
    most = None if most_node is None else length(most_node, scope, "`at_most`")
    ways = tuple((name, inner.way(node.get(name), name)) for name in ("reached", "timeout"))
    return (None if signal is None or most is None else WaitFor(signal, most)), ways


def _branch(node: Mapping, inner: _Inner) -> _Bound:
    scope, value = inner.scope, node.get("branch")
    assert value is not None
    listed = forms.items(value, scope, "`branch`", hint="write `- when: {…}` and `then:` with steps")
    conditions, ways = [], []
    for number, item in enumerate(listed or (), start=1):
        found = forms.mapping(item, scope, "a way of `branch`", hint="write `- when: {…}` and `then:` with steps")
        if found is None:
            continue
        forms.check_keys(found, ("when", "then"), scope, "a way of `branch`", synonyms={"if": "when", "steps": "then"})
        when = forms.required(found, "when", scope, "the way", example="when: {segment: NAME}")
        condition = None if when is None else bind_condition(when, scope, salt=inner.binding.workflow)
        forms.required(found, "then", scope, "the way", example="then: [{stop: done}]")
        way = str(number)
        ways.append((way, inner.way(found.get("then"), way)))
        if condition is not None:
            conditions.append(condition)
    ways.append(("else", inner.way(node.get("else"), "else")))
    return (Branch(tuple(conditions)) if listed and len(conditions) == len(listed) else None), tuple(ways)


def _split(node: Mapping, inner: _Inner) -> _Bound:
    scope, value = inner.scope, node.get("split")
    assert value is not None
    found = forms.mapping(value, scope, "`split`", hint="write `{a: 50 %, b: 50 %}` or `{experiment: NAME}`")
    then_node = forms.required(node, "then", scope, "the split", example="then: {a: […], b: […]}")
    then = None if then_node is None else forms.mapping(then_node, scope, "`then`", hint="write `{a: […], b: […]}`")
    if found is None or then is None:
        return None, ()
    experiment = found.get("experiment")
    arms = _arms(found, scope) if experiment is None else _experiment_arms(experiment, inner.binding)
    if arms is None:
        return None, ()
    for key, _ in then.entries:
        if key.text not in dict(arms):
            unknown(key, "arm", dict(arms), scope, "SEG674")
    if node.get("else") is not None and experiment is None:
        scope.error("SEG674", "everybody is in an arm, so nobody goes `else`", node.location, hint="delete `else`")
    name = None if experiment is None or not isinstance(experiment, Scalar) else experiment.text.strip()
    ways = [(arm, inner.way(then.get(arm), arm)) for arm, _ in arms]
    return Split(arms, name), (*ways, ("else", inner.way(node.get("else"), "else")))


def _arms(node: Mapping, scope: Scope) -> tuple[tuple[str, Decimal], ...] | None:
    arms = []
    for key, value in node.entries:
        name = forms.name(key, scope, "an arm's name")
        weight = share(value, scope, f"the weight of {shown(key.text)}", code="SEG674")
        if name is None or weight is None:
            return None
        arms.append((name, weight))
    if len(arms) < 2 or sum(weight for _, weight in arms) != 1 or any(name == "else" for name, _ in arms):
        message = "a split has two arms or more, whose weights together are 100 %, and none is called `else`"
        scope.error("SEG674", message, node.location, hint="write `{a: 50 %, b: 50 %}`")
        return None
    return tuple(arms)


def _experiment_arms(node: Node, binding: Binding) -> tuple[tuple[str, Decimal], ...] | None:
    name = forms.text(node, binding.scope, "an experiment's name")
    if name is None:
        return None
    one = binding.known.experiments.get(name)
    if one is None:
        unknown(node, "experiment", binding.known.experiments, binding.scope, "SEG676")
        return None
    return tuple((arm.name, arm.weight) for arm in one.arms)


def _stop(node: Mapping, inner: _Inner) -> _Bound:
    value = node.get("stop")
    assert value is not None
    written = forms.text(value, inner.scope, "`stop` says why, and")
    return (None if written is None else Stop(written)), (("next", END),)


_FLOWS: dict[str, Callable[[Mapping, _Inner], _Bound]] = {
    "wait": _wait, "branch": _branch, "split": _split, "stop": _stop,
}  # fmt: skip


def bind_signal(node: Node | None, binding: Binding) -> Signal | None:
    """``{event: order_completed, where: {…}}`` or ``{when: {…}}``."""
    scope = binding.scope
    hint = "write `{event: order_completed}` or `{when: {segment: NAME}}`"
    found = None if node is None else forms.mapping(node, scope, "what is waited for", hint=hint)
    if found is None:
        return None
    when, event = found.get("when"), found.get("event")
    if when is not None:
        if not forms.check_keys(found, ("when",), scope, "what is waited for"):
            return None
        condition = bind_condition(when, scope, salt=binding.workflow)
        return None if condition is None else Signal(condition=condition)
    if event is None:
        scope.error("SEG211", "neither `event` nor `when` says what is waited for", found.location, hint=hint)
        return None
    # Which moment it counts from is the step's, so a window of its own has no meaning.
    if not forms.check_keys(found, ("event", "where"), scope, "an event that is waited for"):
        return None
    selection = bind_selection(found, find_kinds(event, scope), scope)
    return None if selection is None else Signal(selection=selection)
