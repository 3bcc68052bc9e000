"""Arms of an experiment: weights that agree, who is sent something, and which one the others are compared with."""

from __future__ import annotations

from decimal import Decimal

from segctl.compile.bind import forms
from segctl.compile.bind.experiments_values import amount_of
from segctl.compile.bind.literals import number
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.source import Mapping, Node, Scalar
from segctl.model.experiments import Arm
from segctl.model.types import REAL

ARM_KEYS = ("weight", "send", "cost", "title")
ARMS_HINT = "write `{control: {weight: 10 %, send: nothing}, mail: {weight: 90 %}}`"


def bind_arms(node: Node, currency: str | None, scope: Scope) -> tuple[Arm, ...] | None:
    """The arms in the order of the file, None when something is wrong.

    Args:
        node: The value of `arms`.
        currency: Of costs, None when nothing is said of it.
        scope: Where problems go.
    """
    found = forms.mapping(node, scope, "`arms`", hint=ARMS_HINT)
    if found is None:
        return None
    if len(found.entries) < 2:
        message = "an experiment compares two arms at least"
        scope.error("SEG942", message, node.location, hint=ARMS_HINT)
        return None
    bound = [_arm(key, value, currency, scope) for key, value in found.entries]
    arms = tuple(arm for arm in bound if arm is not None)
    if len(arms) < len(bound):
        return None
    if not any(arm.is_sent for arm in arms):
        scope.error("SEG942", "no arm is sent anything", node.location, hint="delete `send: nothing` from one of them")
        return None
    weights = [(value.get("weight") if isinstance(value, Mapping) else None) for _, value in found.entries]
    return arms if _weights_agree([one for one in weights if one is not None], arms, node, scope) else None


def _arm(key: Scalar, node: Node, currency: str | None, scope: Scope) -> Arm | None:
    name = forms.name(key, scope, "an arm's name")
    what = f"the arm `{key.text[:60]}`"
    if isinstance(node, Scalar) and node.is_null and node.comment is None:
        return None if name is None else Arm(name, Decimal(1))
    found = forms.mapping(node, scope, what, hint="write `{weight: 50 %}`")
    if found is None or not forms.check_keys(found, ARM_KEYS, scope, what, synonyms={"share": "weight"}):
        return None
    before = len(scope.diagnostics)
    weight, send, cost, title = (found.get(key) for key in ARM_KEYS)
    amount = Decimal(1) if weight is None else _weight(weight, what, scope)
    nothing = None if send is None else forms.choice(send, ("nothing",), scope, "value of `send`")
    price = None if cost is None else amount_of(cost, currency, scope, "`cost`", code="SEG942")
    words = None if title is None else forms.text(title, scope, "`title`")
    failed = any(one.severity == "error" for one in scope.diagnostics[before:])
    if name is None or amount is None or failed:
        return None
    return Arm(name, amount, is_sent=nothing is None, cost=price, title=words)


def _weight(node: Node, what: str, scope: Scope) -> Decimal | None:
    if not isinstance(node, Scalar) or node.is_null:
        forms.wrong_form(node, scope, "a weight is `10 %` or a number")
        return None
    bare = node.text.strip().removesuffix("%").strip()
    found = number(Scalar(bare, node.is_plain, node.location), REAL, scope)
    if found is None or found > 0:
        return None if found is None else Decimal(found)
    message = f"the weight of {what} is above 0, not {shown(node.text)}"
    scope.error("SEG942", message, node.location, hint="an arm that nobody is to be in is left out")
    return None


def _weights_agree(nodes: list[Node], arms: tuple[Arm, ...], place: Node, scope: Scope) -> bool:
    """Weights are relative, but percent and numbers side by side, or some without, could be read in two ways."""
    if not nodes:
        return True
    percent = [isinstance(node, Scalar) and node.text.strip().endswith("%") for node in nodes]
    if len(nodes) < len(arms):
        message, hint = "some arms have a weight and others do not", "give all of them one, or none"
        scope.error("SEG942", message, place.location, hint=hint)
        return False
    if any(percent) and not all(percent):
        hint = "write all of them as percent, or all as numbers"
        scope.error("SEG942", "some weights are percent and others are numbers", place.location, hint=hint)
        return False
    total = sum((arm.weight for arm in arms), Decimal(0))
    if all(percent) and total != 100:
        message = f"the weights add up to {total.normalize():f} %; what counts is how they stand to each other"
        hint = "let them add up to 100 %; `traffic` says how many take part"
        scope.warn("SEG942", message, place.location, hint=hint)
    return True


def control_of(root: Mapping, arms: tuple[Arm, ...], scope: Scope) -> str | None:
    """The arm that the others are compared with: the one named, `control`, or the only one that is sent nothing."""
    names = tuple(arm.name for arm in arms)
    node = root.get("control")
    if node is not None:
        written = forms.text(node, scope, "`control`")
        if written is None or written in names:
            return written
        scope.error("SEG943", f"{shown(written)} is not an arm", node.location, hint=scope.meant(written, names))
        return None
    unsent = [arm.name for arm in arms if not arm.is_sent]
    if "control" in names and not unsent:
        message = "the arm `control` is sent something like the others, so nobody is held out"
        hint = "add `send: nothing` to it, or `control: control` below the arms if it is to be sent something"
        scope.warn("SEG943", message, (root.get("arms") or root).location, hint=hint)
    if "control" in names or len(unsent) == 1:
        return "control" if "control" in names else unsent[0]
    message = "nothing says which arm the others are compared with"
    place = root.get("arms") or root
    scope.error("SEG943", message, place.location, hint=f"write `control: {names[0]}`, or the name of another arm")
    return None
