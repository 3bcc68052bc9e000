"""Why two identifiers are one person, or why not: the path of links between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from segctl.identity.explain import PairEvidence
    from segctl.identity.keys import KeyValues
    from segctl.model.project import Project
    from segctl.operations.identity_input import Known
    from segctl.state.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Step:
    """One link of the path.

    Attributes:
        left: Type and value of an identifier; `right` those of the next.
        key: What they share: a key, `fuzzy` or `decision`.
        value: The value they share in comparable form; None for `fuzzy` and `decision`.
        strength: ``strong``, ``weak``, ``likely`` or ``decided``.
        weight: Bits of likeness for `fuzzy`; None otherwise.
        sources: Where a row or record says so.
    """

    left: tuple[str, str]
    right: tuple[str, str]
    key: str
    value: str | None
    strength: str
    weight: float | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alike:
    """How alike two records are.

    Attributes:
        left: Type and value of the identifier that one record stands under; `right` of the other.
        pair: The sum, with what each field adds.
        is_fresh: The weights were learnt just now, not by a run.
    """

    left: tuple[str, str]
    right: tuple[str, str]
    pair: PairEvidence
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class IdentityPath:
    """Two identifiers and what lies between them.

    Attributes:
        left_id: Profile that one belongs to; `right_id` that of the other.
        steps: The shortest path of links; empty when they are two people.
        held: Key, shared value and reason of links that would join the two profiles but are held.
        decided: What was decided about the two, with who, when and why.
        alike: How alike two of their records are; None where likeness has no part in it.
    """

    left_id: str
    right_id: str
    steps: tuple[Step, ...]
    held: tuple[tuple[str, str | None, str], ...]
    decided: tuple[tuple[str, str | None, str, str | None], ...]
    alike: Alike | None = None

    @property
    def are_one(self) -> bool:
        """Both belong to one profile."""
        return self.left_id == self.right_id


def explain_identity(
    project: Project, workspace: Workspace, a: str, b: str, *, now: datetime, fuzzy: bool = False
) -> IdentityPath:
    """The links between two identifiers.

    Args:
        project: With its rules.
        workspace: Open.
        a: An identifier, if need be with its type.
        b: Another one.
        now: Records that hold only later do not count.
        fuzzy: Weigh how alike the two are, whatever links them.

    Raises:
        UsageError: Nobody is known by one of them; with `fuzzy`, they cannot be compared.
    """
    import polars as pl

    from segctl.operations.people import find_person, find_two
    from segctl.state.identity import EDGES, decisions, stored

    left, right = find_two(workspace, a, b, rules=project.identity)
    one, members = find_person(workspace, f"{left.id_type}:{left.value}")
    other, others = find_person(workspace, f"{right.id_type}:{right.value}")
    edges = stored(workspace, EDGES)
    path: list[tuple[int, int, str, float]] = []
    if one.subject == other.subject and edges is not None:
        inside = pl.col("left").is_in(list(members)) & pl.col("right").is_in(list(members))
        path = shortest(edges.filter(inside), left.subject, right.subject)
    both = {*members, *others}
    decided = tuple(
        (d.verdict, d.who, d.at, d.why) for d in decisions(workspace) if d.subject_a in both and d.subject_b in both
    )
    likely = _likely(workspace, path, members, () if one.subject == other.subject else others)
    alike = None
    if fuzzy or likely is not None:
        ends = ((left.subject, members), (right.subject, others))
        alike = _alike(project, workspace, now, None if fuzzy else likely, ends)
    return IdentityPath(
        one.profile_id,
        other.profile_id,
        tuple(_steps(project, workspace, path, now)),
        () if one.subject == other.subject else _held(workspace, set(members), set(others)),
        decided,
        alike,
    )


def _likely(
    workspace: Workspace, path: list[tuple[int, int, str, float]], ours: Sequence[int], theirs: Sequence[int]
) -> tuple[int, int] | None:
    """The pair that likeness has a part in: the weakest likely link of the path, else one that is held."""
    import polars as pl

    from segctl.operations.dedupe.fuzzy import KEY
    from segctl.state.identity import HELD, stored

    weakest = min((step for step in path if step[2] == KEY), key=lambda step: step[3], default=None)
    held = stored(workspace, HELD)
    if weakest is not None or held is None or not theirs:
        return weakest and weakest[:2]
    found = held.filter((pl.col("key") == KEY) & _joins(set(ours), set(theirs))).select("left", "right")
    return found.row(0) if found.height else None


def _alike(
    project: Project,
    workspace: Workspace,
    now: datetime,
    pair: tuple[int, int] | None,
    ends: tuple[tuple[int, Sequence[int]], tuple[int, Sequence[int]]],
) -> Alike:
    from segctl.operations.likeness import between, likeness_of
    from segctl.state.subjects import Subjects

    alike = likeness_of(project, workspace, now=now)
    found = between(alike, *ends) if pair is None else between(alike, (pair[0], pair[:1]), (pair[1], pair[1:]))
    named = [int(str(end)) for end in (found.left, found.right)]
    rows = Subjects(workspace).table().select("id_type", "value").collect()[named].rows()
    return Alike(rows[0], rows[1], found, alike.is_fresh)


def shortest(edges: pl.DataFrame, start: int, end: int) -> list[tuple[int, int, str, float]]:
    """Edges of a path with as few links as possible, from start to end; empty when there is none."""
    ways: dict[int, list[tuple[int, str, float]]] = {}
    for left, right, key, weight in edges.select("left", "right", "key", "weight").iter_rows():
        ways.setdefault(left, []).append((right, key, weight))
        ways.setdefault(right, []).append((left, key, weight))
    came: dict[int, tuple[int, str, float]] = {}
    queue, seen = deque([start]), {start}
    while queue and end not in seen:
        here = queue.popleft()
        for there, key, weight in ways.get(here, []):
            if there not in seen:
                seen.add(there)
                came[there] = (here, key, weight)
                queue.append(there)
    path = []
    while end in came:
        before, key, weight = came[end]
        path.append((before, end, key, weight))
        end = before
    return path[::-1]


def _steps(
    project: Project, workspace: Workspace, path: list[tuple[int, int, str, float]], now: datetime
) -> list[Step]:
    from segctl.operations.identity_input import keys_of, known

    if not path:
        return []
    subjects = sorted({end for step in path for end in step[:2]})
    everything = known(project, workspace, now=now, only=subjects)
    keys = {part.rule.name: part for part in keys_of(everything, subjects)}
    names = {s: (t, v) for s, t, v in everything.subjects[subjects].select("subject", "id_type", "value").iter_rows()}
    strengths = {rule.name: str(rule.strength) for rule in project.identity.keys}
    strengths |= {"fuzzy": "likely", "decision": "decided"}
    return [
        Step(
            names[left], names[right], key, _shared(keys.get(key), left, right), strengths.get(key, "unknown"),
            round(weight, 2) if key == "fuzzy" else None, _sources(everything, key, left, right),
        )
        for left, right, key, weight in path
    ]  # fmt: skip


def _shared(part: KeyValues | None, left: int, right: int) -> str | None:
    """The first value that both have."""
    if part is None:
        return None
    of = [set(part.values.filter(part.nodes == node).to_list()) for node in (left, right)]
    return min(of[0] & of[1], default=None)


def _sources(everything: Known, key: str, left: int, right: int) -> tuple[str, ...]:
    """Sources of rows that hold both identifiers, else of the rows and records that hold the key of either."""
    import polars as pl

    ends = [left, right]
    a, b = pl.col("subject_a"), pl.col("subject_b")
    both = everything.links.filter(a.is_in(ends) & b.is_in(ends))["source"].to_list()
    if both:
        return tuple(sorted(set(both)))
    rule = everything.rules.key(key)
    found: list[str] = []
    if rule is not None and rule.identifiers:
        kinds, ids = everything.subjects["id_type"], list(rule.identifiers)
        of = [kinds.gather(everything.links[end]).is_in(ids) for end in ("subject_a", "subject_b")]
        found += everything.links.filter((a.is_in(ends) & of[1]) | (b.is_in(ends) & of[0]))["source"].to_list()
    if rule is None or not rule.identifiers or rule.traits:
        found += everything.records.filter(pl.col("subject").is_in(ends))["source"].to_list()
    return tuple(sorted(set(found)))


def _held(workspace: Workspace, ours: set[int], theirs: set[int]) -> tuple[tuple[str, str | None, str], ...]:
    from segctl.state.identity import HELD, stored

    held = stored(workspace, HELD)
    if held is None:
        return ()
    rows = held.filter(_joins(ours, theirs)).select("key", "value", "reason").unique(maintain_order=True)
    return tuple(rows.iter_rows())


def _joins(ours: set[int], theirs: set[int]) -> pl.Expr:
    """Whether a row's ``left`` and ``right`` stand on the two sides."""
    import polars as pl

    left, right = pl.col("left"), pl.col("right")
    one, other = list(ours), list(theirs)
    return (left.is_in(one) & right.is_in(other)) | (left.is_in(other) & right.is_in(one))
