"""Consents of a proposed profile: each state, and instants on both sides of the bounds of its age."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.boundaries import Clock, instants, middle
from segctl.compile.boundary_specs import Candidate, Spec
from segctl.compile.zones import DAY
from segctl.model import conditions as c


def consent_candidates(leaf: c.ConsentCondition, clock: Clock) -> Iterator[Candidate]:
    """The state asked for at each bound of its age, then every other state at an age that would fit."""
    key = (leaf.purpose, leaf.channel)
    fitting = middle(leaf.window, clock)
    at = clock.text(clock.now - 30 * DAY if fitting is None else fitting)

    def given(status: str, when: str | None) -> Spec:
        return Spec(consents={key: (status, when)})

    yield "nothing_given", Spec()
    if leaf.status != "none":
        yield leaf.status, given(leaf.status, at)
    for label, us in () if leaf.window is None else instants(leaf.window, clock):
        if us <= clock.now:
            yield f"{leaf.status}_{label}", given(leaf.status, clock.text(us))
    if leaf.window is not None:
        yield f"{leaf.status}_long_ago", given(leaf.status, clock.text(clock.now - 3000 * DAY))
    yield from ((status, given(status, at)) for status in c.CONSENT_STATUSES if status not in (leaf.status, "none"))
