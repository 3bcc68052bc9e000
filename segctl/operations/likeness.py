"""How alike two people are: the sum behind a pair, by the weights of the last run or by fresh ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from segctl.model.errors import DataError, UsageError

if TYPE_CHECKING:
    import polars as pl

    from segctl.identity.explain import PairEvidence
    from segctl.identity.fuzzy import FuzzyModel
    from segctl.model.project import Project
    from segctl.state.workspace import Workspace

_MOST_PAIRS = 2_000
"""Two large profiles are compared by so many pairs of their records; the strongest one is told."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Whether likeness joins people.

    Attributes:
        fuzzy: It does.
        by: Who says so: ``option``, ``segctl.yaml``, ``the last run`` or ``default``.
        before: It did in the last run.
    """

    fuzzy: bool
    by: str
    before: bool


def chosen(project: Project, workspace: Workspace, asked: bool | None) -> Choice:
    """The option, else `likeness:` of segctl.yaml, else what the last run did, so that nobody loses merges unasked."""
    from segctl.state.identity import likeness

    before = bool(likeness(workspace).get("fuzzy"))
    declared = project.identity.likeness
    if asked is not None:
        return Choice(asked, "option", before)
    if declared is not None:
        return Choice(declared, "segctl.yaml", before)
    return Choice(before, "the last run" if before else "default", before)


@dataclass(frozen=True, slots=True)
class Likeness:
    """The records of a project, ready to be weighed.

    Attributes:
        frame: One row per subject with a profile record.
        roles: Trait → what it says about a person.
        model: Learnt weights.
        is_fresh: The weights were learnt just now, not by a run.
    """

    frame: pl.DataFrame
    roles: dict[str, str]
    model: FuzzyModel
    is_fresh: bool

    def explained(self, pairs: Sequence[tuple[int, int]]) -> list[PairEvidence]:
        """The sum of each pair of subjects; both have records."""
        from segctl.identity.explain import explain_pairs

        return explain_pairs(self.frame, self.roles, self.model, list(pairs), record="subject")


def likeness_of(project: Project, workspace: Workspace, *, now: datetime) -> Likeness:
    """Everything that is needed to weigh pairs.

    Raises:
        UsageError: No trait says anything about a person (SEG479), or no record has a value to compare (SEG481).
    """
    from segctl.identity.fuzzy import match
    from segctl.operations.dedupe.fuzzy import records_of, required_roles, settings_of
    from segctl.operations.identity_input import known
    from segctl.state.identity import likeness

    roles = required_roles(project)
    everything = known(project, workspace, now=now)
    frame = records_of(everything, roles)
    stored = likeness(workspace).get("model")
    model = None if stored is None else _as_learnt(frame, roles, stored)
    if model is not None:
        return Likeness(frame, roles, model, is_fresh=False)
    try:
        found = match(frame, roles, settings_of(everything.rules), record="subject")
    except DataError as error:
        raise _nothing_to_compare(error.message) from error
    return Likeness(frame, roles, found.model, is_fresh=True)


def _as_learnt(frame: pl.DataFrame, roles: dict[str, str], stored: dict[str, Any]) -> FuzzyModel | None:
    """The stored weights; None when the records have other fields by now."""
    from segctl.identity.explain import explain_pairs, model_from_dict

    model = model_from_dict(stored)
    try:
        explain_pairs(frame, roles, model, [], record="subject")
    except DataError:
        return None
    return model


def between(alike: Likeness, left: tuple[int, Sequence[int]], right: tuple[int, Sequence[int]]) -> PairEvidence:
    """The sum for two identifiers: of their own records, else of the strongest pair of their profiles' records.

    Args:
        alike: The records.
        left: Subject asked for, and all subjects of its profile.
        right: The same of the other.

    Raises:
        UsageError: One of them has no record, or both have only one together (SEG481).
    """
    there = set(alike.frame["subject"].to_list())
    ends = [[asked] if asked in there else [m for m in members if m in there] for asked, members in (left, right)]
    pairs = list(islice(((a, b) for a, b in product(*ends) if a != b), _MOST_PAIRS))
    if not pairs:
        raise _nothing_to_compare("likeness compares profile records, and there are no two different ones of these")
    # Of equals the first, and pairs come in the order of subjects.
    return max(alike.explained(pairs), key=lambda one: one.bits)


def _nothing_to_compare(why: str) -> UsageError:
    return UsageError(
        "SEG481", "the two cannot be compared by likeness", why=why,
        hint="`segctl profile WHO` shows what is known of a person",
    )  # fmt: skip
