"""An experiment file: who is compared, in which arms, planned how; its metrics stand in `experiments_metrics`."""

from __future__ import annotations

from collections.abc import Mapping as Lookup
from decimal import Decimal
from pathlib import Path
from typing import cast

from segctl.compile.bind import forms
from segctl.compile.bind.experiments_arms import ARMS_HINT, bind_arms, control_of
from segctl.compile.bind.experiments_metrics import bind_metrics
from segctl.compile.bind.experiments_values import amount_of, length_from_exposure, moment, share, share_range
from segctl.compile.bind.scope import Scope, describe_type, shown
from segctl.compile.source import ListNode, Mapping, Node, Scalar
from segctl.compile.suggest import one_of
from segctl.model.dataclass import dataclass
from segctl.model.experiments import Experiment, LayerShare, Looks, Money
from segctl.model.types import Kind

EXPERIMENT_KEYS = (
    "experiment", "title", "hypothesis", "owner", "segment", "unit", "arms", "control", "window", "layer", "traffic",
    "exclude", "strata", "metrics", "looks", "confidence", "power", "effect", "size", "end", "money", "salt",
)  # fmt: skip
MONEY_KEYS = ("margin", "fixed", "currency")
LAYER_KEYS = ("name", "range")
_SYNONYMS = {
    "name": "experiment", "id": "experiment", "variants": "arms", "groups": "arms", "variations": "arms",
    "audience": "segment", "attribution_window": "window", "mde": "effect", "sample_size": "size", "until": "end",
    "ends": "end", "metric": "metrics", "goals": "metrics", "stratify": "strata", "alpha": "confidence",
    "excludes": "exclude", "label": "title", "titel": "title", "seed": "salt", "unit_of_randomisation": "unit",
}  # fmt: skip
_GROUPING = (Kind.TEXT, Kind.INTEGER, Kind.BOOLEAN)
_UNITS = (Kind.TEXT, Kind.INTEGER)


@dataclass(frozen=True, slots=True)
class SegmentNames:
    """Segments that an experiment may speak of.

    Attributes:
        today: Names of all segments, those with a mistake too.
        former: Names that segments had → those they have.
    """

    today: frozenset[str]
    former: Lookup[str, str]


def bind_experiment(node: Node, scope: Scope, names: SegmentNames) -> Experiment | None:
    """One file; None when something in it is wrong, which is then reported."""
    root = forms.mapping(node, scope, "an experiment", hint="begin with `experiment: NAME`")
    if root is None:
        return None
    before = len(scope.diagnostics)
    forms.check_keys(root, EXPERIMENT_KEYS, scope, "an experiment", synonyms=_SYNONYMS)
    name = _name(root, scope)
    segment = _segment(forms.required(root, "segment", scope, "the experiment", example="segment: NAME"), scope, names)
    arms_node = forms.required(root, "arms", scope, "the experiment", example=ARMS_HINT.removeprefix("write `")[:-1])
    arms = bind_arms(arms_node, _currency(root), scope) if arms_node is not None else None
    metrics_node = forms.required(root, "metrics", scope, "the experiment", example="metrics: {…}")
    metrics = bind_metrics(metrics_node, scope) if metrics_node is not None else None
    window_node = forms.required(root, "window", scope, "the experiment", example="window: 14 days")
    window = length_from_exposure(window_node, scope, "`window`") if window_node is not None else None
    control = control_of(root, arms, scope) if arms is not None else None
    planned = _planned(root, scope)
    around = _around(root, scope, names)
    failed = any(one.severity == "error" for one in scope.diagnostics[before:])
    if failed or name is None or segment is None or not arms or metrics is None or window is None or control is None:
        return None
    ordered = sorted(arms, key=lambda arm: arm.name != control)
    place = (root.get("experiment") or root).location
    return Experiment(name, segment, tuple(ordered), control, metrics, window, **around, **planned, location=place)  # type: ignore[arg-type]  # values by key


def _name(root: Mapping, scope: Scope) -> str | None:
    node = root.get("experiment")
    if node is None:
        message = "the experiment has no `experiment`, which is its name"
        scope.error("SEG940", message, root.location, hint=f"add `experiment: {Path(root.location.file).stem}`")
        return None
    name = forms.name(node, scope, "an experiment's name")
    if name is not None and Path(node.location.file).stem != name:
        message = f"the experiment `{name}` stands in a file of another name"
        scope.warn("SEG218", message, node.location, hint=f"rename the file to `{name}.yaml`")
    return name


def _segment(node: Node | None, scope: Scope, names: SegmentNames) -> str | None:
    """The name that a segment has today."""
    written = None if node is None else forms.text(node, scope, "a segment")
    if node is None or written is None:
        return None
    if written in names.today:
        return written
    if written in names.former:
        return names.former[written]
    hint = scope.meant(written, tuple(sorted(names.today)), otherwise="`segctl ls` lists the segments")
    scope.error("SEG941", f"there is no segment {shown(written)}", node.location, hint=hint)
    return None


def _currency(root: Mapping) -> str | None:
    """What `money` says, as text; whether that is right is looked at there."""
    money = root.get("money")
    node = money.get("currency") if isinstance(money, Mapping) else None
    return node.text.strip() if isinstance(node, Scalar) and not node.is_null else None


# --- Who takes part ---------------------------------------------------------------------------------------
def _around(root: Mapping, scope: Scope, names: SegmentNames) -> dict[str, object]:
    """Unit, layer, traffic, exclusions, strata and texts by attribute of `Experiment`; what is wrong is left out."""
    found: dict[str, object] = {}
    for key in ("title", "hypothesis", "owner"):
        if (node := root.get(key)) is not None:
            found[key] = forms.text(node, scope, f"`{key}`")
    if (node := root.get("salt")) is not None:
        found["salt"] = forms.name(node, scope, "`salt`, the name an experiment had,")
    if (node := root.get("unit")) is not None:
        found["same"] = _unit(node, scope)
    if (node := root.get("layer")) is not None:
        found["layer"] = _layer(node, scope)
    if (node := root.get("traffic")) is not None:
        found["traffic"] = share(node, scope, "`traffic`", code="SEG946")
    if (node := root.get("exclude")) is not None:
        listed = forms.names(node, scope, "`exclude`") or ()
        found["exclude"] = tuple(one for item in listed if (one := _segment(item, scope, names)) is not None)
    if (node := root.get("strata")) is not None:
        listed = forms.names(node, scope, "`strata`") or ()
        kept = (_stored(item, scope, "a stratum", _GROUPING) for item in listed)
        found["strata"] = tuple(one for one in kept if one is not None)
    return found


def _unit(node: Node, scope: Scope) -> str | None:
    """The trait whose value is the unit, None for profiles."""
    hint = "write `profile`, or `{same: household_id}` for all profiles with one value of a trait"
    if isinstance(node, Scalar) and not node.is_null:
        if node.text.strip() != "profile":
            scope.error("SEG951", f"{shown(node.text)} is not a unit", node.location, hint=hint)
        return None
    found = forms.mapping(node, scope, "`unit`", hint=hint)
    if found is None or not forms.check_keys(found, ("same",), scope, "`unit`", synonyms={"trait": "same"}):
        return None
    value = forms.required(found, "same", scope, "`unit`", example="same: household_id")
    return None if value is None else _stored(value, scope, "a unit", _UNITS)


def _stored(node: Node, scope: Scope, what: str, kinds: tuple[Kind, ...]) -> str | None:
    """The name of a stored trait of one of some types."""
    written = forms.text(node, scope, "a trait")
    if written is None:
        return None
    of = scope.traits.get(written)
    if of is None and written in scope.computed:
        message = f"{shown(written)} is a computed trait; {what} must not change from one run to the next"
        scope.error("SEG951", message, node.location, hint="use a stored trait")
        return None
    if of is None:
        hint = scope.meant(written, tuple(scope.traits), otherwise="declare it under `traits` in segctl.yaml")
        scope.error("SEG951", f"{shown(written)} is not a declared trait", node.location, hint=hint)
        return None
    if of.kind not in kinds:
        allowed = one_of((kind.value for kind in kinds), "or")
        message = f"{what} is {allowed}; {shown(written)} is {describe_type(of)}"
        scope.error("SEG951", message, node.location)
        return None
    return written


def _layer(node: Node, scope: Scope) -> LayerShare | None:
    hint = "write `{name: mailings, range: 0 % to 50 %}`"
    if isinstance(node, Scalar) and not node.is_null:
        name = forms.name(node, scope, "a layer's name")
        return None if name is None else LayerShare(name)
    found = forms.mapping(node, scope, "`layer`", hint=hint)
    if found is None or not forms.check_keys(found, LAYER_KEYS, scope, "`layer`"):
        return None
    name_node = forms.required(found, "name", scope, "`layer`", example="name: mailings")
    name = forms.name(name_node, scope, "a layer's name") if name_node is not None else None
    value = found.get("range")
    if value is None:
        return None if name is None else LayerShare(name)
    bounds = share_range(value, scope, "`range`", code="SEG946")
    return None if name is None or bounds is None else LayerShare(name, *bounds)


# --- The plan ---------------------------------------------------------------------------------------------
def _planned(root: Mapping, scope: Scope) -> dict[str, object]:
    """Looks, error rates, size, end and money by attribute of `Experiment`; what is wrong is left out."""
    found: dict[str, object] = {}
    if (node := root.get("looks")) is not None:
        found["looks"], found["look_shares"] = _looks(node, scope)
    for key in ("confidence", "power"):
        if (node := root.get(key)) is not None:
            found[key] = _rate(node, key, scope)
    if (node := root.get("effect")) is not None:
        found["effect"] = _effect(node, scope)
    if (node := root.get("size")) is not None:
        found["size"] = forms.count(node, scope, "`size`", least=2)
    if (node := root.get("end")) is not None:
        found["end"] = moment(node, scope, "the planned end", day="end")
    if (node := root.get("money")) is not None:
        found["money"] = _money(node, scope)
    _check_plan(root, scope)
    return {key: value for key, value in found.items() if value is not None}


def _looks(node: Node, scope: Scope) -> tuple[Looks | None, tuple[Decimal, ...]]:
    if not isinstance(node, ListNode):
        word = forms.choice(node, ("end", "always"), scope, "value of `looks`")
        return cast("Looks | None", word), ()
    shares = [share(item, scope, "a look", code="SEG950") for item in node.items]
    known = [one for one in shares if one is not None]
    if len(known) < len(shares):
        return None, ()
    if not known or known[-1] != 1 or known != sorted(set(known)):
        message = "looks are shares of the whole in ascending order, and the last is 100 %"
        ordered = ", ".join(f"{(one * 100).normalize():f} %" for one in sorted({*known, Decimal(1)}))
        scope.error("SEG950", message, node.location, hint=f"write `looks: [{ordered}]`")
        return None, ()
    return ("planned", tuple(known)) if len(known) > 1 else ("end", ())


def _rate(node: Node, key: str, scope: Scope) -> Decimal | None:
    found = share(node, scope, f"`{key}`", code="SEG949")
    if found is None or Decimal("0.5") <= found < 1:
        return found
    example = "95 %" if key == "confidence" else "80 %"
    message = f"`{key}` is at least 50 % and below 100 %, not {shown(node.text if isinstance(node, Scalar) else '')}"
    scope.error("SEG949", message, node.location, hint=f"write `{key}: {example}`")
    return None


def _effect(node: Node, scope: Scope) -> Decimal | None:
    found = share(node, scope, "`effect`", code="SEG949", low=-1, high=None)
    if found is None or found != 0:
        return found
    message = "`effect` is the smallest change that matters; no number of units finds a change of nothing"
    scope.error("SEG949", message, node.location, hint="write `effect: +20 %`")
    return None


def _money(node: Node, scope: Scope) -> Money | None:
    found = forms.mapping(node, scope, "`money`", hint="write `{margin: 40 %, fixed: 250, currency: EUR}`")
    if found is None or not forms.check_keys(found, MONEY_KEYS, scope, "`money`"):
        return None
    margin, fixed, currency = (found.get(key) for key in MONEY_KEYS)
    unit = None if currency is None else forms.text(currency, scope, "`currency`")
    part = Decimal(1) if margin is None else share(margin, scope, "`margin`", code="SEG949")
    amount = Decimal(0) if fixed is None else amount_of(fixed, unit, scope, "`fixed`", code="SEG949")
    return None if part is None or amount is None else Money(part, amount, unit)


def _check_plan(root: Mapping, scope: Scope) -> None:
    size, end = root.get("size"), root.get("end")
    if size is not None and end is not None:
        message = "`size` and `end` both say when the experiment is over"
        scope.error("SEG949", message, end.location, hint="keep one of them")
    if size is None and end is None:
        message = "the experiment has no planned end, so that nobody can say whether a look is early"
        hint = "add `size: 12000` (`segctl experiment plan` tells how many it needs) or `end: 2026-12-31`"
        scope.warn("SEG949", message, (root.get("experiment") or root).location, hint=hint)
