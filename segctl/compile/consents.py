"""Consents as values of a profile: of each purpose and channel the state, and the instant at which it began.

In plans and engines these are stored traits with names that no declared trait can have, so everything that reads
traits reads them too.
"""

from __future__ import annotations

from collections.abc import Iterable

from segctl.compile import ir
from segctl.compile.lower_tests import Names, lower_test
from segctl.model.conditions import ConsentCondition
from segctl.model.dataclass import dataclass
from segctl.model.types import TEXT, TIME

_PREFIX, SINCE = "consent:", ":since"
"""How the names of these traits begin, and how those of beginnings end."""
Consent = tuple[str, str]
"""Purpose and channel."""


@dataclass(frozen=True, slots=True)
class ConsentColumn:
    """What one of these traits stands for."""

    purpose: str
    channel: str
    is_since: bool


def status_trait(purpose: str, channel: str) -> ir.StoredTrait:
    """The state, one of `model.conditions.CONSENT_STATUSES`; never missing."""
    return ir.StoredTrait(f"{_PREFIX}{purpose}:{channel}", TEXT)


def since_trait(purpose: str, channel: str) -> ir.StoredTrait:
    """When the state began; missing where nobody said a word, or where the basis is no consent."""
    return ir.StoredTrait(f"{_PREFIX}{purpose}:{channel}{SINCE}", TIME)


def consent_column(name: str) -> ConsentColumn | None:
    """What a trait's name stands for; None for an ordinary trait.

    >>> consent_column("consent:newsletter:email:since").is_since, consent_column("country")
    (True, None)
    """
    if not name.startswith(_PREFIX):
        return None
    purpose, channel, *rest = name.removeprefix(_PREFIX).split(":")
    return ConsentColumn(purpose, channel, bool(rest))


def is_consent(node: object) -> bool:
    """A value that stands for a consent."""
    return isinstance(node, ir.StoredTrait) and node.name.startswith(_PREFIX)


def consents_of(traits: Iterable[str]) -> tuple[Consent, ...]:
    """The purposes and channels among names of traits, each once, sorted."""
    found = (consent_column(name) for name in traits)
    return tuple(sorted({(one.purpose, one.channel) for one in found if one is not None}))


def lower_consent(leaf: ConsentCondition, names: Names) -> ir.Predicate:
    """The state is the one asked for, and began in the window."""
    status = ir.Compare("eq", status_trait(leaf.purpose, leaf.channel), ir.Literal(leaf.status, TEXT))
    if leaf.window is None:
        return status
    return ir.And((status, lower_test(since_trait(leaf.purpose, leaf.channel), leaf.window, names)))
