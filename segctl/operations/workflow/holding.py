"""Who is in which audience, and by which workflows: additions that no removal has taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from segctl.state.workflows import Effect

KEPT = "kept:"
"""Begins the reason of a removal that nobody was told of; the name of a workflow that keeps the person in follows."""
_Place = tuple[str | None, str | None, int]


def inside(effects: Iterable[Effect], roots: Mapping[int, int]) -> list[Effect]:
    """The last addition of everybody who was not taken out since, by each workflow and for each purpose.

    Args:
        effects: Additions and removals, all of the audiences that are asked about.
        roots: Subject of an effect → subject of its profile today.
    """
    return [one for of in _by_place(effects, roots).values() for one in of.values()]


def kept_by(
    effects: Iterable[Effect], roots: Mapping[int, int], workflow: str, *, is_declared: Callable[[str], bool]
) -> dict[int, str]:
    """Of those whom a workflow has put into an audience: subject of the profile → another one that keeps them in.

    Who was not put in by the workflow is kept by nobody: it was written to take people out whom others have put in.
    """
    found = {}
    for (_, _, root), there in _by_place(effects, roots).items():
        names = {name for name, _ in there}
        others = sorted(name for name in names if name != workflow and is_declared(name))
        if workflow in names and others:
            found[root] = others[0]
    return found


def _by_place(
    effects: Iterable[Effect], roots: Mapping[int, int]
) -> dict[_Place, dict[tuple[str, str | None], Effect]]:
    found: dict[_Place, dict[tuple[str, str | None], Effect]] = {}
    # Of two at one instant the addition is taken for the later one: to take somebody out twice does no harm.
    for one in sorted(effects, key=lambda one: (one.intended, one.action == "add")):
        place = (one.destination, one.audience, roots.get(one.subject, one.subject))
        if one.action == "add" and one.state in ("done", "unknown", "sending"):
            found.setdefault(place, {})[one.workflow, one.purpose] = one
        elif one.action == "remove" and one.state == "done":
            found.pop(place, None)
        elif one.action == "remove" and (one.reason or "").startswith(KEPT):
            there = found.get(place, {})
            found[place] = {key: put for key, put in there.items() if key[0] != one.workflow}
    return found
