"""Things a person names, and what is said of a name that the project does not have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segctl.model.errors import UsageError

if TYPE_CHECKING:
    from segctl.model.conditions import ComputedTrait
    from segctl.model.project import Definitions, StoredTrait


def find_trait(definitions: Definitions, name: str) -> StoredTrait | ComputedTrait:
    """The stored or computed trait of that name.

    Raises:
        UsageError: There is none.
    """
    trait = definitions.trait(name)
    if trait is None:
        raise unknown_thing("trait", name, [t.name for t in definitions.project.traits] + list(definitions.computed))
    return trait


_LISTS = {
    "content": "`segctl ls content` lists them all",
    "recommendation": "`recommendations` in a file under `content/` declares them: `segctl help content`",
}


def unknown_thing(kind: str, name: str, known: Sequence[str]) -> UsageError:
    """The error for a name that the project does not have."""
    from segctl.compile.suggest import nearest

    near = nearest(name, known)
    return UsageError(
        "SEG510",
        f"there is no {kind} `{name}`",
        hint=f"did you mean `{near}`?" if near else _LISTS.get(kind, f"`segctl ls {kind}s` lists them all"),
    )
