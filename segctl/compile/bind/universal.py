"""What the project file says under `universal_holdout`: generations of people whom no campaign reaches."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from segctl.compile.bind import forms
from segctl.compile.bind.experiments_values import moment, share
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.source import Node, Scalar
from segctl.compile.zones import local_day, to_us
from segctl.model.experiments import UniversalHoldout

CODE = "SEG952"
KEYS = ("share", "from", "to")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_SYNONYMS = {"since": "from", "begin": "from", "start": "from", "until": "to", "end": "to", "weight": "share"}
_HINT = "write `2026-h1: {share: 5 %, from: 2026-01-01, to: 2026-07-01}`"


def universal_holdouts(node: Node, scope: Scope) -> tuple[UniversalHoldout, ...]:
    """The generations that are right, in order of time; one without an end lasts until the next begins."""
    found = forms.mapping(node, scope, "`universal_holdout`", hint=_HINT)
    bound = (_generation(key, value, scope) for key, value in (found.entries if found is not None else ()))
    ordered = sorted((one for one in bound if one is not None), key=lambda one: (one.begin, one.name))
    _check_apart(ordered, scope)
    later = {one.name: after.begin for one, after in pairwise(ordered)}
    return tuple(replace(one, end=later.get(one.name)) if one.end is None else one for one in ordered)


def _generation(key: Scalar, node: Node, scope: Scope) -> UniversalHoldout | None:
    what = f"the generation `{key.text[:60]}`"
    if not _NAME.fullmatch(key.text):
        message = f"{shown(key.text)} is not a name of a generation: small letters, digits, `-` and `_`"
        scope.error(CODE, message, key.location, hint="write `2026-h1`")
        return None
    found = forms.mapping(node, scope, what, hint=_HINT)
    if found is None or not forms.check_keys(found, KEYS, scope, what, synonyms=_SYNONYMS):
        return None
    part_node = forms.required(found, "share", scope, what, example="share: 5 %")
    begin_node = forms.required(found, "from", scope, what, example="from: 2026-01-01")
    end_node = found.get("to")
    part = None if part_node is None else share(part_node, scope, "`share`", code=CODE)
    begin = None if begin_node is None else moment(begin_node, scope, "`from`", day="start")
    end = None if end_node is None else moment(end_node, scope, "`to`", day="start")
    if part is None or begin is None or (end_node is not None and end is None):
        return None
    if part == 1:
        message, hint = f"{what} holds out everybody, so nothing could be compared", "write `share: 5 %`"
        scope.error(CODE, message, (part_node or key).location, hint=hint)
        return None
    if end is not None and end <= begin:
        scope.error(CODE, f"{what} ends before it begins", (end_node or key).location, hint="exchange the two")
        return None
    return UniversalHoldout(key.text, part, begin, end, key.location)


def _check_apart(ordered: Iterable[UniversalHoldout], scope: Scope) -> None:
    """Two generations at once would hold out more people than either says."""
    for one, after in pairwise(ordered):
        if after.location is None or not (one.begin == after.begin or (one.end is not None and one.end > after.begin)):
            continue
        message = f"`{after.name}` begins while `{one.name}` still lasts"
        day = local_day(to_us(after.begin), scope.project.timezone)
        hint = f"end `{one.name}` with `to: {day}`, or let `{after.name}` begin later"
        scope.error(CODE, message, after.location, hint=hint)
