"""Who is who: from everything that is known to a new version of the profiles; nothing else is rewritten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from segctl.model.errors import Refused
from segctl.operations.progress import Progress, Silent

if TYPE_CHECKING:
    import polars as pl

    from segctl.identity.clusters import Lasting
    from segctl.identity.resolve import Decisions, Resolution
    from segctl.model.project import Project
    from segctl.operations.dedupe.decisions import Decided
    from segctl.operations.dedupe.near import Near
    from segctl.operations.identity_input import Known
    from segctl.operations.likeness import Choice
    from segctl.state.identity import IdentityRun
    from segctl.state.workspace import Workspace

_LARGEST = 10


@dataclass(frozen=True, slots=True)
class Deduped:
    """What `dedupe` found.

    Attributes:
        run: The recorded run; None when nothing changed, or in a dry run.
        subjects: Identifiers there are.
        before: Profiles before; `after` afterwards.
        events: Identities by what happened to them: merged, split, new, unchanged.
        sizes: Profiles by the number of their identifiers, smallest first.
        links: Links that count, by key.
        junk: Values that are no identifiers: ``key``, ``value``, ``identities``, ``reason``.
        held: Links that a limit keeps from joining: ``key``, ``value``, ``left``, ``right`` (profile ids), ``reason``.
        largest: The largest profiles: profile id, identifiers, identifiers by kind.
        invalid: Key → values that are none of its kind.
        notes: What a person should know.
        likeness: Whether likeness joined people, and who says so.
        near: Pairs near the threshold of likeness; only in full.
        changed: Profiles merged or split: id, event, identities before, identifiers now; only in full.
    """

    run: IdentityRun | None
    subjects: int
    before: int
    after: int
    events: dict[str, int]
    sizes: tuple[tuple[int, int], ...]
    links: dict[str, int]
    junk: pl.DataFrame
    held: pl.DataFrame
    largest: tuple[tuple[str, int, dict[str, int]], ...]
    invalid: dict[str, int]
    notes: tuple[str, ...] = ()
    likeness: Choice | None = None
    near: tuple[Near, ...] = ()
    changed: tuple[tuple[str, str, int, int], ...] = ()


def dedupe(
    project: Project,
    workspace: Workspace,
    *,
    now: datetime,
    fuzzy: bool | None = None,
    dry_run: bool = False,
    in_full: bool = False,
    kind: str = "dedupe",
    undone: str | None = None,
    progress: Progress | None = None,
) -> Deduped:
    """Recognise people and record the new version, if anything changed.

    Args:
        project: With its rules.
        workspace: Open.
        now: Present time, aware.
        fuzzy: Also join records that are likely one person; None goes by segctl.yaml, else by the last run.
        dry_run: Do everything but record.
        in_full: Also tell pairs near the threshold and the profiles that changed.
        kind: ``dedupe``, or ``undo`` when it is run to undo something.
        undone: What it undoes.
        progress: Hears what is going on.

    Raises:
        UsageError: A rule names something that is not declared.
        Refused: A profile would have more identifiers than `max_cluster`; nothing was changed.
    """
    from segctl.identity.clusters import lasting
    from segctl.operations.identity_input import facts, known
    from segctl.operations.likeness import chosen
    from segctl.state.identity import LOCK, record_links, stored_canonical

    listener = progress or Silent()
    notes: list[str] = []
    likeness: dict[str, Any] = {}
    model = None
    with workspace.lock(LOCK):
        choice = chosen(project, workspace, fuzzy)
        if choice.before and not choice.fuzzy:
            notes.append("the last run was with `--fuzzy`; without it, what only likeness joined comes apart")
        listener.start("read", total=None, unit="identifiers")
        everything = known(project, workspace, now=now)
        listener.advance(everything.subjects.height)
        listener.finish()
        found = resolved(everything, listener)
        if choice.fuzzy:
            from segctl.identity.explain import model_to_dict
            from segctl.operations.dedupe.fuzzy import with_likely

            found, model = with_likely(everything, found, listener)
            likeness = {"fuzzy": True, "model": model_to_dict(model)}
        previous = _before(stored_canonical(workspace), everything.subjects.height)
        clusters = lasting(found.labels, previous, facts(everything))
        _refuse_giants(everything, found, clusters)
        held = _held(found)
        edges = _edges(everything, found)
        evidence = _Evidence(edges, held, likeness)
        run = None
        if not dry_run and _has_moved(workspace, clusters.owners):
            run = _recorded(workspace, clusters, evidence, now=now, kind=kind, undone=undone, fuzzy=choice.fuzzy)
        elif not dry_run and (choice.fuzzy != choice.before or _has_evidence(workspace, edges, held)):
            record_links(workspace, edges=edges, held=held, likeness=likeness)
    report = _report(everything, found, clusters, held, run, previous, notes)
    report = replace(report, likeness=choice)
    if not in_full:
        return report
    from segctl.operations.dedupe.near import changed, near

    pairs = () if model is None else near(everything, edges, held, model)
    return replace(report, near=pairs, changed=changed(everything, clusters))


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What speaks for the profiles: links, links held back, and the model of likeness."""

    edges: pl.DataFrame
    held: pl.DataFrame
    likeness: dict[str, Any]


def _recorded(
    workspace: Workspace,
    clusters: Lasting,
    of: _Evidence,
    *,
    now: datetime,
    kind: str,
    undone: str | None,
    fuzzy: bool,
) -> IdentityRun:
    from segctl.state.identity import record_identity

    counts = {**_counted(clusters), "profiles": clusters.events.height, "links": of.edges.height, "fuzzy": fuzzy}
    return record_identity(
        workspace, clusters.owners, kind=kind, at=now, counts={**counts, "held": of.held.height}, edges=of.edges,
        held=of.held, undone=undone, likeness=of.likeness,
    )  # fmt: skip


def _before(stored: pl.Series, size: int) -> pl.Series:
    """Identities before: at the first run everybody has been a profile of their own all along."""
    import polars as pl

    return stored if len(stored) else pl.int_range(size, dtype=pl.Int32, eager=True)


def resolved(everything: Known, progress: Progress | None = None, decisions: Decisions | None = None) -> Resolution:
    """The deterministic part: keys to clusters, with decisions (None for those on record) and limits."""
    from segctl.compile.sources import load_sources
    from segctl.identity.resolve import resolve
    from segctl.operations.identity_input import exclusive_sources, given_names, keys_of
    from segctl.state.identity import canonical

    listener = progress or Silent()
    keys = keys_of(everything)
    before = canonical(everything.workspace)
    listener.start("recognise", total=sum(len(part.nodes) for part in keys), unit="keys")
    found = resolve(
        everything.subjects.height,
        everything.rules,
        keys,
        decisions=decisions or decided(everything.workspace),
        exclusive=exclusive_sources(everything, list(load_sources(everything.project)[0])),
        given_names=given_names(everything),
        previous=None if before is None else before.to_numpy(),
        advance=listener.advance,
    )
    listener.finish()
    return found


def decided(workspace: Workspace, further: Sequence[Decided] = ()) -> Decisions:
    """Decisions in force, as pairs of subjects; `further` ones are newer than those on record."""
    from segctl.identity.resolve import Decisions
    from segctl.operations.dedupe.decisions import in_force, with_newer
    from segctl.state.identity import decisions

    rows, _ = in_force(with_newer(decisions(workspace), further))
    pairs = {v: tuple((d.subject_a, d.subject_b) for d in rows if d.verdict == v) for v in ("must", "cannot")}
    return Decisions(pairs["must"], pairs["cannot"])


def _edges(everything: Known, found: Resolution) -> pl.DataFrame:
    """Links that count, in an order of their own."""
    import polars as pl

    names = pl.Series([*(rule.name for rule in everything.rules.keys), "fuzzy", "decision"], dtype=pl.String)
    edges = found.edges
    # The decisions' number is −1, which is the last name.
    frame = pl.DataFrame({"left": edges.left, "right": edges.right, "key": edges.kind, "weight": edges.weight})
    last = len(names) - 1
    key = pl.when(pl.col("key") < 0).then(last).otherwise("key").cast(pl.UInt32).alias("key")
    frame = frame.select(pl.col("left", "right").cast(pl.Int32), key, pl.col("weight").cast(pl.Float32))
    frame = frame.with_columns(names.gather(frame["key"]).alias("key"))
    return frame.unique(["left", "right", "key"]).sort("left", "right", "key")


def _held(found: Resolution) -> pl.DataFrame:
    import polars as pl

    return found.held.with_columns(pl.col("left", "right").cast(pl.Int32))


def _has_moved(workspace: Workspace, owners: pl.Series) -> bool:
    """Whether anybody stands under another profile than now."""
    import polars as pl

    from segctl.state.identity import canonical

    before = canonical(workspace)
    before = pl.int_range(len(owners), dtype=pl.Int32, eager=True) if before is None else before
    return not before.equals(owners)


def _has_evidence(workspace: Workspace, edges: pl.DataFrame, held: pl.DataFrame) -> bool:
    """Whether links are other ones than those on record."""
    from segctl.state.identity import EDGES, HELD, stored

    old_edges, old_held = stored(workspace, EDGES), stored(workspace, HELD)
    if old_edges is None or old_held is None:
        return bool(edges.height or held.height)
    return not (old_edges.equals(edges) and old_held.equals(held))


def _counted(clusters: Lasting) -> dict[str, int]:
    from segctl.identity.clusters import EVENTS

    said = dict(clusters.events["event"].value_counts().iter_rows())
    return {event: int(said.get(event, 0)) for event in EVENTS}


def _refuse_giants(everything: Known, found: Resolution, clusters: Lasting) -> None:
    """A cluster that large is an error: nobody has so many identifiers."""
    import polars as pl

    most = everything.rules.max_cluster
    events = clusters.events
    giants = events.filter(pl.col("subjects") > most).sort("subjects", "owner", descending=[True, False])
    if not giants.height:
        return
    owner, size = giants["owner"][0], giants["subjects"][0]
    edges = _edges(everything, found)
    inside = edges.filter(clusters.owners.gather(edges["left"]) == owner)
    by_key = inside["key"].value_counts(sort=True)
    hub = inside["left"].value_counts(sort=True)["left"][0] if inside.height else owner
    id_type = everything.subjects["id_type"][hub]
    told = ", ".join(f"{count:,} by `{key}`" for key, count in by_key.iter_rows())
    raise Refused(
        "SEG474",
        f"{giants.height} profile{'s' if giants.height > 1 else ''} would have more than {most:,} identifiers,"
        f" the largest {size:,}; nothing was changed",
        why=f"held together by {told}; most links go to one `{id_type}` (subject {hub})",
        hint="list the shared value under `blocked:` of its key, make the key weak, or raise `max_cluster`",
    )


def _report(
    everything: Known,
    found: Resolution,
    clusters: Lasting,
    held: pl.DataFrame,
    run: IdentityRun | None,
    previous: pl.Series,
    notes: list[str],
) -> Deduped:
    import polars as pl

    from segctl.operations.people import with_profile_ids

    events = clusters.events
    size = everything.subjects.height
    before = previous.n_unique() + size - len(previous)
    largest = events.sort("subjects", "owner", descending=[True, False]).filter(pl.col("subjects") > 1).head(_LARGEST)
    named = with_profile_ids(everything.workspace, largest.select(pl.col("owner").alias("subject"), "subjects"))
    kinds = everything.subjects["id_type"]
    rows = []
    for owner, subjects, profile_id in named.select("subject", "subjects", "profile_id").iter_rows():
        of = kinds.gather((clusters.owners == owner).arg_true())
        rows.append((profile_id, subjects, dict(sorted(of.value_counts().iter_rows()))))
    edges = _edges(everything, found)
    return Deduped(
        run=run,
        subjects=size,
        before=before,
        after=events.height,
        events=_counted(clusters),
        sizes=tuple(sorted(events["subjects"].value_counts().iter_rows())),
        links=dict(sorted(edges["key"].value_counts().iter_rows())),
        junk=found.junk,
        held=_with_owners(everything.workspace, held, clusters.owners),
        largest=tuple(rows),
        invalid=found.invalid,
        notes=(*notes, *_notes(everything)),
    )


def _with_owners(workspace: Workspace, held: pl.DataFrame, owners: pl.Series) -> pl.DataFrame:
    """Held links between the profiles they would join, each once."""
    import polars as pl

    from segctl.operations.people import with_profile_ids

    if not held.height:
        return held.with_columns(pl.col("left", "right").cast(pl.String)).select(
            "key", "value", "left", "right", "reason"
        )
    ends = [
        with_profile_ids(workspace, pl.DataFrame({"subject": owners.gather(held[end])})) for end in ("left", "right")
    ]
    return held.select(
        "key", "value", ends[0]["profile_id"].alias("left"), ends[1]["profile_id"].alias("right"), "reason"
    ).unique(maintain_order=True)  # fmt: skip


def _notes(everything: Known) -> list[str]:
    """Decisions that others overrule, and sources whose rows were read before links were kept."""
    from segctl.compile.sources import load_sources
    from segctl.operations.dedupe.decisions import in_force
    from segctl.state.identity import decisions
    from segctl.state.inputs import inputs

    _, overruled = in_force(decisions(everything.workspace))
    contradicted = [f"{len(overruled):,} decisions contradict newer ones, which count"] if overruled else []
    several = {name for name, source in load_sources(everything.project)[0].items() if len(source.key) > 1}
    old: dict[str, Any] = {}
    for item in inputs(everything.workspace):
        is_current = item.commit is not None and not item.note.get("superseded")
        if item.source in several and is_current and not item.note.get("links"):
            old[item.source] = item
    return contradicted + [
        f"rows of `{name}` were read before links between identifiers were kept;"
        f" `segctl ingest {name} --full` reads them again"
        for name in sorted(old)
    ]
