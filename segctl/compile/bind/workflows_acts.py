"""Steps of a workflow that do something: mails, audiences, tasks, traits, commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, cast

from segctl.compile.bind import forms
from segctl.compile.bind.literals import literal
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.bind.workflows_times import unknown
from segctl.compile.source import Mapping, Node
from segctl.model.types import Kind
from segctl.model.workflows import Act

if TYPE_CHECKING:
    from segctl.compile.bind.workflows_steps import Known

ACT_KEYS: dict[str, tuple[str, ...]] = {
    "mail": ("mail", "to", "purpose", "capped", "quiet"),
    "add": ("add", "to", "purpose"),
    "remove": ("remove", "from"),
    "task": ("task", "to", "purpose", "fields", "quiet", "capped"),
    "set": ("set",),
    "command": ("command",),
}


def _mail(node: Mapping, scope: Scope, known: Known) -> Act | None:
    content = forms.name(_value(node, "mail"), scope, "a template's name")
    to = _destination(node, "to", "mail", scope, known)
    purpose, is_right = _purpose(node, scope, known)
    capped, quiet = _capped(node, scope), _quiet(node, scope, otherwise=True)
    if content is None or to is None or not is_right or capped is None:
        return None
    return Act("mail", to, content=content, purpose=purpose, capped=capped, is_quiet=quiet)


def _add(node: Mapping, scope: Scope, known: Known) -> Act | None:
    audience = forms.text(_value(node, "add"), scope, "an audience's name")
    to = _destination(node, "to", "add", scope, known)
    purpose, is_right = _purpose(node, scope, known)
    return Act("add", to, audience=audience, purpose=purpose) if audience and to and is_right else None


def _remove(node: Mapping, scope: Scope, known: Known) -> Act | None:
    audience = forms.text(_value(node, "remove"), scope, "an audience's name")
    to = _destination(node, "from", "remove", scope, known)
    return Act("remove", to, audience=audience, purpose=known.purpose) if audience and to else None


def _task(node: Mapping, scope: Scope, known: Known) -> Act | None:
    title = forms.text(_value(node, "task"), scope, "a task's title")
    to = _destination(node, "to", "task", scope, known)
    purpose, is_right = _purpose(node, scope, known)
    capped, quiet = _capped(node, scope), _quiet(node, scope, otherwise=False)
    fields = _fields(node.get("fields"), scope)
    if title is None or to is None or not is_right or capped is None or fields is None:
        return None
    return Act("task", to, purpose=purpose, fields=(("title", title), *fields), capped=capped, is_quiet=quiet)


def _set(node: Mapping, scope: Scope, _known: Known) -> Act | None:
    found = forms.mapping(_value(node, "set"), scope, "`set`", hint="write `{trait: value}`")
    if found is None:
        return None
    if len(found.entries) != 1:
        scope.error("SEG677", "`set` sets one trait", found.location, hint="write a step for each")
        return None
    key, value = found.entries[0]
    of = scope.traits.get(key.text)
    if of is None or of.kind in (Kind.LIST, Kind.STRUCT):
        why = "it is computed" if key.text in scope.computed else None
        hint = scope.meant(key.text, tuple(scope.traits), otherwise="declare it under `traits` in segctl.yaml")
        what = f"{shown(key.text)} is not a stored trait with a single value"
        scope.error("SEG677", what, key.location, why=why, hint=hint)
        return None
    bound = literal(value, of, scope)
    return None if bound is None else Act("set", trait=key.text, value=bound)


def _command(node: Mapping, scope: Scope, _known: Known) -> Act | None:
    words = forms.items(_value(node, "command"), scope, "`command`", hint="write `[program, argument, …]`")
    texts = [forms.text(word, scope, "a word of the command") for word in words or ()]
    return Act("command", command=tuple(filter(None, texts))) if texts and None not in texts else None


ACTS: dict[str, Callable[[Mapping, Scope, Known], Act | None]] = {
    "mail": _mail, "add": _add, "remove": _remove, "task": _task, "set": _set, "command": _command,
}  # fmt: skip


# --- Values -------------------------------------------------------------------------------------------------
def _value(node: Mapping, key: str) -> Node:
    found = node.get(key)
    assert found is not None
    return found


def _destination(node: Mapping, key: str, kind: str, scope: Scope, known: Known) -> str | None:
    found = forms.required(node, key, scope, f"the step `{kind}`", example=f"{key}: DESTINATION")
    name = None if found is None else forms.text(found, scope, "a destination's name")
    if name is None or found is None or name in known.destinations:
        return name
    unknown(found, "destination", known.destinations, scope, "SEG676")
    return None


def _purpose(node: Mapping, scope: Scope, known: Known) -> tuple[str | None, bool]:
    """The purpose of a step, and whether it is right."""
    found = node.get("purpose")
    if found is None:
        return known.purpose, True
    name = forms.text(found, scope, "a purpose")
    if name is not None and name not in known.purposes:
        unknown(found, "purpose", known.purposes, scope, "SEG676")
        return None, False
    return name, name is not None


def _capped(node: Mapping, scope: Scope) -> Literal["skip", "wait"] | None:
    found = node.get("capped")
    word = "skip" if found is None else forms.choice(found, ("skip", "wait"), scope, "value of `capped`")
    return cast('Literal["skip", "wait"] | None', word)


def _quiet(node: Mapping, scope: Scope, *, otherwise: bool) -> bool:
    found = node.get("quiet")
    word = None if found is None else forms.choice(found, ("keep", "ignore"), scope, "value of `quiet`")
    return otherwise if word is None else word == "keep"


def _fields(node: Node | None, scope: Scope) -> tuple[tuple[str, str], ...] | None:
    if node is None:
        return ()
    found = forms.mapping(node, scope, "`fields`", hint="write `{topic: call back}`")
    texts = [(key.text, forms.text(value, scope, f"`{key.text}`")) for key, value in found.entries] if found else []
    right = tuple((name, text) for name, text in texts if text is not None)
    return right if found is not None and len(right) == len(texts) else None
