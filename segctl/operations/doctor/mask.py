"""Records of a tried source as anybody may see them: their shape, and the values that are known to be nobody's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segctl.model.project import Project
    from segctl.model.sources import Expression, Source

_KINDS = ((bool, "(truth)"), (int | float, "(number)"), (str, "(text)"))


def without_personal(project: Project, source: Source, record: Any) -> Any:  # noqa: ANN401 - JSON
    """A record in which only columns keep their values that are declared and not personal.

    A column that nobody has declared may hold anything, such as a name or a street.
    """
    shown, hidden = _columns(project, source)
    return _masked(record, "", shown - hidden, hidden)


def _columns(project: Project, source: Source) -> tuple[set[str], set[str]]:
    """Columns that may be shown, and those of personal traits and identifiers."""
    personal = {i.name for i in project.identifiers if i.personal}
    private = {trait.name for trait in project.traits if trait.is_private}
    shown: list[Expression] = []
    hidden: list[Expression] = []
    nested: list[str] = []
    for part in source.parts:
        if part.tracking is not None:
            continue
        for name, expression in part.key:
            (hidden if name in personal else shown).append(expression)
        for target in part.traits:
            (hidden if target.name in private else shown).append(target.value)
        shown += [] if part.record_time is None else [part.record_time.value]
        for rule in part.events:
            read = [rule.time.value, *rule.identity, *(target.value for target in rule.properties)]
            shown += read if rule.kind_column is None else [*read, rule.kind_column]
            nested += [f"{rule.each}.{name}" for name in _names(read)] if rule.each is not None else []
    return {*_names(shown), *nested}, set(_names(hidden))


def _names(expressions: Iterable[Expression]) -> list[str]:
    from segctl.model.sources import columns_of

    return [name for expression in expressions for name in columns_of(expression)]


def _masked(value: Any, at: str, shown: set[str], hidden: set[str]) -> Any:  # noqa: ANN401 - JSON
    if at in hidden:
        return _kind(value)
    if isinstance(value, dict):
        return {
            key: _masked(inner, f"{at}.{key}" if at else key, shown | {f"{at}.{key}"} if at in shown else shown, hidden)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_masked(inner, at, shown, hidden) for inner in value]
    return value if at in shown else _kind(value)


def _kind(value: Any) -> Any:  # noqa: ANN401 - JSON
    """What a hidden value is; the names inside a record stay."""
    if isinstance(value, dict):
        return {key: _kind(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_kind(inner) for inner in value]
    return next((word for kind, word in _KINDS if isinstance(value, kind)), value)
