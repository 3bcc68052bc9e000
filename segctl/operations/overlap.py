"""How segments lie to one another: proved from their definitions, and counted in their members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError
from segctl.operations.overlap_proof import Relation, relation_of
from segctl.operations.things import unknown_thing

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from segctl.operations.session import Session
    from segctl.state.runs import Run

MOST_SEGMENTS, MOST_GROUPS = 64, 10_000
Who = Literal["all", "any", "first", "second"]


@dataclass(frozen=True, slots=True)
class Group:
    """Profiles that are members of exactly these segments."""

    segments: tuple[str, ...]
    profiles: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two segments counted together.

    Attributes:
        both: Members of both.
        jaccard: Members of both by members of at least one, 0 to 1; None when both are empty.
    """

    first: str
    second: str
    both: int
    jaccard: float | None


@dataclass(frozen=True, slots=True)
class Overlap:
    """What is known of some segments together.

    Attributes:
        sizes: Members by segment, in the order asked for.
        population: Everybody, None where only the members of a run were read.
        groups: Exclusive intersections that are not empty, largest first; people in none of the segments aside.
            Of very many only the largest.
        group_count: How many there are.
        anybody: Members of at least one.
        pairs: Every two of them, in order.
        relation: How two segments lie to each other; None for more.
        run: Whose members were counted; None when they were evaluated for this call.
        as_of: Of that run or evaluation.
        changed: Segments whose definition means something else than when their members were found.
        ids: Profile ids of those asked for, sorted; None when nobody was asked for.
    """

    sizes: Mapping[str, int]
    population: int | None
    groups: tuple[Group, ...]
    group_count: int
    anybody: int
    pairs: tuple[Pair, ...]
    relation: Relation | None
    run: Run | None
    as_of: datetime
    changed: tuple[str, ...] = ()
    ids: tuple[str, ...] | None = None


def overlap(
    session: Session, names: Sequence[str], *, as_of: datetime | None, engine: str = "polars", who: Who | None = None
) -> Overlap:
    """Count every intersection of some segments, and prove what can be proved of two.

    Args:
        session: Open project and workspace.
        names: Two segments or more, each once.
        as_of: Evaluate at this instant; None takes the members of the last run.
        engine: What evaluates.
        who: Also name the members of all segments, of at least one, or of the first or second only.

    Raises:
        UsageError: Fewer than two segments or too many, one that does not exist or was never evaluated, or one that
            cannot be decided.
    """
    _check(session, names)
    run = None if as_of is not None else _last_run(session)
    members, at = _recorded(session, names, run) if run is not None else _evaluated(session, names, as_of, engine)
    flags = [members[name].to_numpy() for name in names]
    codes = _codes(flags)
    groups, count = _groups(codes, names)
    ids = None if who is None else _ids(session, members, codes, who, len(names))
    return Overlap(
        sizes={name: int(found.sum()) for name, found in zip(names, flags, strict=True)},
        population=members.height if run is None else None,
        groups=groups,
        group_count=count,
        anybody=int((codes != 0).sum()),
        pairs=pairs(flags, names),
        relation=relation_of(session.definitions, session.lists, *names) if len(names) == 2 else None,
        run=run,
        as_of=at,
        changed=_changed(session, names, run) if run is not None else (),
        ids=ids,
    )


def _check(session: Session, names: Sequence[str]) -> None:
    unknown = next((name for name in names if name not in session.definitions.segments), None)
    if unknown is not None:
        raise unknown_thing("segment", unknown, list(session.definitions.segments))
    if not 2 <= len(set(names)) == len(names) <= MOST_SEGMENTS:
        said = "one is named twice" if len(set(names)) < len(names) else f"{len(names)} given"
        hint = "name two or more, such as `segctl overlap vip winback`, or choose them with `--select`"
        raise UsageError("SEG590", f"`overlap` compares 2 to {MOST_SEGMENTS} different segments; {said}", hint=hint)


# --- Members ----------------------------------------------------------------------------------------------
def _last_run(session: Session) -> Run:
    from segctl.state.runs import find_run

    return find_run(session.workspace, "last")


def _recorded(session: Session, names: Sequence[str], run: Run) -> tuple[pl.DataFrame, datetime]:
    """One row per subject that is a profile, ``subject`` and a Boolean column per segment."""
    import polars as pl

    from segctl.state.memberships import memberships

    found = memberships(session.workspace, run, names)
    return found.with_columns(pl.col(name).fill_null(value=False) for name in names), run.as_of


def _evaluated(
    session: Session, names: Sequence[str], as_of: datetime | None, engine: str
) -> tuple[pl.DataFrame, datetime]:
    import polars as pl

    from segctl.operations.evaluation import evaluate

    assert as_of is not None
    found = evaluate(session, names, as_of=as_of, snapshot=session.workspace.snapshot(), engine=engine)
    failed = next((name for name in names if name in found.failed), None)
    if failed is not None:
        raise UsageError("SEG591", f"`{failed}` cannot be compared: {found.failed[failed]}")
    return found.frame.select("subject", *(pl.col(name).fill_null(value=False) for name in names)), as_of


def _changed(session: Session, names: Sequence[str], run: Run) -> tuple[str, ...]:
    from segctl.operations.provenance import origin_of
    from segctl.state.memberships import in_force
    from segctl.state.runs import find_run, runs

    recorded = runs(session.workspace)
    found = []
    for name in names:
        number = in_force(session.workspace, name)
        made = find_run(session.workspace, number) if number is not None else run
        origin = origin_of(made, name, session.definitions, recorded)
        if origin.definition != session.definitions.segments[name].digest:
            found.append(name)
    return tuple(found)


# --- Counting ---------------------------------------------------------------------------------------------
def _codes(flags: Sequence[NDArray[np.bool_]]) -> NDArray[np.uint64]:
    """For each profile the segments it is in, as the bits of one number."""
    import numpy as np

    codes = np.zeros(len(flags[0]), dtype=np.uint64)
    for bit, found in enumerate(flags):
        codes |= found.astype(np.uint64) << np.uint64(bit)
    return codes


def _groups(codes: NDArray[np.uint64], names: Sequence[str]) -> tuple[tuple[Group, ...], int]:
    """The largest groups, of equal ones those of fewer segments first, and the number of all."""
    import numpy as np

    found, profiles = np.unique(codes[codes != 0], return_counts=True)
    order = np.lexsort((found, np.bitwise_count(found), -profiles))[:MOST_GROUPS]
    groups = (
        Group(tuple(name for bit, name in enumerate(names) if code >> bit & 1), count)
        for code, count in zip(found[order].tolist(), profiles[order].tolist(), strict=True)
    )
    return tuple(groups), len(found)


def pairs(flags: Sequence[NDArray[np.bool_]], names: Sequence[str]) -> tuple[Pair, ...]:
    """Every two of some segments, in order; truth by profile, one array a segment, all of one length."""
    # Eight profiles a byte, so that fifty segments of a million profiles are compared in a moment.
    import numpy as np

    packed = [np.packbits(found) for found in flags]
    sizes = [int(found.sum()) for found in flags]
    pairs = []
    for one, other in combinations(range(len(names)), 2):
        both = int(np.bitwise_count(packed[one] & packed[other]).sum())
        either = sizes[one] + sizes[other] - both
        pairs.append(Pair(names[one], names[other], both, both / either if either else None))
    return tuple(pairs)


def _ids(session: Session, members: pl.DataFrame, codes: NDArray[np.uint64], who: Who, count: int) -> tuple[str, ...]:
    import numpy as np
    import polars as pl

    from segctl.operations.people import with_profile_ids

    wanted = {
        "all": codes == np.uint64((1 << count) - 1),
        "any": codes != 0,
        "first": codes == np.uint64(1),
        "second": codes == np.uint64(2),
    }[who]
    frame = members.select("subject").filter(pl.Series(wanted))
    return tuple(with_profile_ids(session.workspace, frame)["profile_id"].sort().to_list())
