"""What people decided about who is who: which decisions count, and which ones an undo has to leave behind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import combinations
from typing import TYPE_CHECKING

from segctl.model.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.identity import IdentityRules
    from segctl.state.identity import Decision
    from segctl.state.workspace import Workspace

Decided = tuple[int, int, str, str | None, str | None]
_MOST_PAIRED = 200
"""A larger profile is kept apart from the identity it came to only, not pair by pair."""


def in_force(made: Sequence[Decision]) -> tuple[list[Decision], list[Decision]]:
    """Decisions that do not contradict each other, and those that a newer one overrules.

    Args:
        made: Oldest first.
    """
    parent: dict[int, int] = {}
    enemies: dict[int, set[int]] = {}
    counts: list[Decision] = []
    overruled: list[Decision] = []

    def find(subject: int) -> int:
        root = subject
        while (above := parent.get(root, root)) != root:
            root = above
        while (above := parent.get(subject, subject)) != root:
            parent[subject], subject = root, above
        return root

    for decision in reversed(made):
        a, b = find(decision.subject_a), find(decision.subject_b)
        is_must = decision.verdict == "must"
        contradicts = b in {find(enemy) for enemy in enemies.get(a, ())} if is_must else a == b
        (overruled if contradicts else counts).append(decision)
        if contradicts or a == b:
            continue
        if is_must:
            # The smaller set of enemies moves, so a long chain costs no square.
            small, large = sorted((a, b), key=lambda root: len(enemies.get(root, ())))
            parent[small] = large
            if small in enemies:
                enemies.setdefault(large, set()).update(enemies.pop(small))
        else:
            enemies.setdefault(a, set()).add(b)
            enemies.setdefault(b, set()).add(a)
    return counts[::-1], overruled[::-1]


def with_newer(made: Sequence[Decision], further: Iterable[Decided]) -> list[Decision]:
    """Decisions, oldest first, once further ones are recorded; of a pair the later word counts."""
    from segctl.state.identity import Decision

    newer = {(min(a, b), max(a, b)): (verdict, who, why) for a, b, verdict, who, why in further}
    kept = [d for d in made if (d.subject_a, d.subject_b) not in newer]
    return [*kept, *(Decision(a, b, verdict, who, "", why) for (a, b), (verdict, who, why) in sorted(newer.items()))]


def left_by_undo(
    merged: pl.Series, restored: pl.Series, made: Iterable[Decision], why: str, who: str | None, *, both: bool = True
) -> list[Decided]:
    """The decisions that keep profiles as an undo restored them.

    Args:
        merged: Subject → owner of its profile before the undo; `restored` after it.
        restored: As long as `merged`; an owner stands for itself.
        made: Decisions so far; those that say otherwise about two subjects are turned round.
        why: Kept with each decision; `who` likewise.
        who: Who undid it.
        both: Also keep together what the undo joined again; otherwise only apart what it took apart.
    """
    import polars as pl

    frame = pl.DataFrame({"old": merged, "new": restored}).with_row_index("subject")
    moved = frame.filter(pl.col("old") != pl.col("new"))
    touched = {*moved["old"], *moved["new"]}
    near = frame.filter(pl.col("old").is_in(list(touched)) | pl.col("new").is_in(list(touched)))
    # Whoever stands for an identity comes first among its members.
    near = near.sort(pl.col("subject") != pl.col("new"), "subject")
    cells = near.group_by("old", "new", maintain_order=True).agg(pl.col("subject").first()).sort("old", "new")
    apart = _pairs(cells.group_by("old", maintain_order=True).agg(pl.col("new"))["new"])
    found: dict[tuple[int, int], Decided] = {pair: (*pair, "cannot", who, why) for pair in apart}
    joined: Iterable[list[int]] = (
        cells.group_by("new", maintain_order=True).agg(pl.col("subject"))["subject"].to_list() if both else ()
    )
    for parts in joined:
        first, *others = parts
        found |= {(first, other): (first, other, "must", who, why) for other in others}
    for decision in made:
        a, b = decision.subject_a, decision.subject_b
        if max(a, b) >= len(restored):
            continue
        was_one, is_one = merged[a] == merged[b], restored[a] == restored[b]
        if was_one and not is_one and decision.verdict == "must":
            found[a, b] = (a, b, "cannot", who, why)
        elif both and is_one and not was_one and decision.verdict == "cannot":
            found[a, b] = (a, b, "must", who, why)
    return list(found.values())


def _pairs(identities: pl.Series) -> list[tuple[int, int]]:
    """Two and two of the identities that one profile came apart into."""
    found: list[tuple[int, int]] = []
    for parts in identities:
        kept = sorted(parts)
        found += combinations(kept, 2) if len(kept) <= _MOST_PAIRED else ((kept[0], other) for other in kept[1:])
    return found


def decide(
    workspace: Workspace,
    a: str,
    b: str,
    verdict: str,
    *,
    now: datetime,
    who: str | None = None,
    why: str | None = None,
    dry_run: bool = False,
    rules: IdentityRules | None = None,
) -> tuple[str, str]:
    """Record that two identifiers are one person (`must`) or two (`cannot`); the next `dedupe` goes by it.

    Returns:
        The profile ids that the two stand under now.

    Raises:
        UsageError: Nobody is known by one of them, or both are one identifier.
    """
    from segctl.operations.people import find_person, find_two
    from segctl.state.identity import insert_decisions

    left, right = find_two(workspace, a, b, rules=rules)
    if left.subject == right.subject:
        raise UsageError("SEG480", "both are one identifier", hint="name two")
    if not dry_run:
        with workspace.transaction() as db:
            insert_decisions(db, [(left.subject, right.subject, verdict, who, why)], now)
    names = [find_person(workspace, end, rules=rules)[0].profile_id for end in (a, b)]
    return names[0], names[1]
