"""`where` of events: tests on their properties and on the parts of their local time."""

from __future__ import annotations

from segctl.compile.bind import forms
from segctl.compile.bind.names import find_property
from segctl.compile.bind.operators import bind_property_value
from segctl.compile.bind.scope import Scope
from segctl.compile.source import Node
from segctl.model.conditions import PropertyTest
from segctl.model.project import RELATED

_HINT = "write `{category: Sneaker, price: {above: 50}}`"


def bind_where(node: Node | None, kinds: tuple[str, ...] | None, scope: Scope) -> tuple[PropertyTest, ...] | None:
    """The tests of a `where`, all of which must hold; none without it, None when something is wrong.

    Args:
        node: The value of `where`, None when there is none.
        kinds: Event kinds whose properties it speaks of; None when those are unknown and nothing can be checked.
        scope: Where problems go.
    """
    if node is None:
        return ()
    tests = forms.mapping(node, scope, "`where` of events", hint=_HINT)
    if tests is None or kinds is None:
        return None
    if not tests.entries:
        scope.error("SEG212", "`where` is empty", node.location, hint=_HINT)
        return None
    bound = []
    for key, value in tests.entries:
        found = find_property(key, kinds, scope, time_parts=not kinds[0].startswith(RELATED))
        test = bind_property_value(value, found, scope) if found is not None else None
        if found is not None and test is not None:
            bound.append(PropertyTest(found.name, test, found.path))
    return tuple(bound) if len(bound) == len(tests.entries) else None
