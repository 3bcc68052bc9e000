"""What `dedupe` goes by: keys of every subject from identifiers, links and traits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.model.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from segctl.identity.guards import Constraint
    from segctl.identity.keys import KeyValues
    from segctl.model.identity import IdentityRules, KeyRule
    from segctl.model.project import Project
    from segctl.state.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Known:
    """Everything the workspace knows of who is who, before any rule.

    Attributes:
        subjects: One row per subject, row number = subject: ``subject``, ``id_type``, ``value``,
            ``identifier_class``.
        links: ``subject_a``, ``subject_b``, ``source``.
        records: Valid profile records: ``subject``, ``source`` and the traits that rules speak of.
        now: Present time.
    """

    project: Project
    workspace: Workspace
    subjects: pl.DataFrame
    links: pl.DataFrame
    records: pl.DataFrame
    now: datetime

    @property
    def rules(self) -> IdentityRules:
        """The project's rules."""
        return self.project.identity


def known(project: Project, workspace: Workspace, *, now: datetime, only: Sequence[int] | None = None) -> Known:
    """Read subjects, links and records.

    Args:
        project: With its rules.
        workspace: Open.
        now: Records that hold only later do not count.
        only: Subjects wanted, with all links they stand in; None for everybody.
    """
    import polars as pl

    from segctl.engines.profiles import live_records
    from segctl.operations.evaluation import record_files
    from segctl.state.links import links
    from segctl.state.subjects import Subjects

    rules = project.identity
    names = {name for rule in rules.keys for name in (*rule.traits, *rule.together)}
    names |= {name for name in (rules.country_trait, rules.given_name) if name is not None}
    types = {trait.name: trait.type for trait in project.traits if trait.name in names}
    snapshot = workspace.snapshot()
    subjects = Subjects(workspace).table(snapshot).select("subject", "id_type", "value", "identifier_class").collect()
    pairs = links(workspace, snapshot).select("subject_a", "subject_b", "source")
    records = live_records(record_files(workspace, snapshot), as_of=now, traits=types)
    records = records.rename({f"trait:{name}": name for name in types}).drop("valid", "arrival")
    if only is not None:
        wanted = list(only)
        pairs = pairs.filter(pl.col("subject_a").is_in(wanted) | pl.col("subject_b").is_in(wanted))
        records = records.filter(pl.col("subject").is_in(wanted))
    return Known(project, workspace, subjects, pairs.unique().collect(), records, now)


def keys_of(known: Known, only: Sequence[int] | None = None) -> list[KeyValues]:
    """Who has which key: what `identity.resolve` takes.

    Args:
        known: What the workspace knows.
        only: Subjects wanted; None for everybody.
    """
    import polars as pl

    from segctl.identity.keys import joined_values, key_values

    found = []
    told = _told_by_links(known)
    for number, rule in enumerate(known.rules.keys):
        if rule.strength == "never":
            continue
        frames = (_wanted(frame, only) for frame in (_own(known, rule), told.filter(pl.col("key") == number)))
        parts = [
            key_values(rule, rows["subject"], [rows["value"]], country=known.rules.country)
            for rows in frames
            if rows.height
        ]
        parts += [part for columns in _columns(rule) if (part := _of_traits(known, rule, columns, only)) is not None]
        if parts:
            found.append(joined_values(parts))
    return found


def _columns(rule: KeyRule) -> list[tuple[str, ...]]:
    return [rule.together] if rule.together else [(trait,) for trait in rule.traits]


def _wanted(frame: pl.DataFrame, only: Sequence[int] | None) -> pl.DataFrame:
    import polars as pl

    return frame if only is None else frame.filter(pl.col("subject").is_in(list(only)))


def _own(known: Known, rule: KeyRule) -> pl.DataFrame:
    """Identifiers of this kind, each of its own subject."""
    import polars as pl

    rows = known.subjects.filter(pl.col("id_type").is_in(list(rule.identifiers)))
    return rows.select("subject", "value")


def _told_by_links(known: Known) -> pl.DataFrame:
    """Links as keys: of two linked identifiers the one of higher priority has the other as a key.

    Columns ``subject``, ``value``, ``key`` (number of the rule).
    """
    import polars as pl

    numbers = {name: at for at, rule in enumerate(known.rules.keys) for name in rule.identifiers}
    never = {name for rule in known.rules.keys if rule.strength == "never" for name in rule.identifiers}
    types = known.subjects["id_type"].replace_strict(numbers, default=None, return_dtype=pl.Int32)
    silent = known.subjects["id_type"].is_in(list(never))
    a, b = known.links["subject_a"], known.links["subject_b"]
    frame = known.links.with_columns(
        rank_a=types.gather(a), rank_b=types.gather(b), silent=silent.gather(a) | silent.gather(b)
    ).filter(~pl.col("silent"))
    # A row's own identifier has the other one where both are of one kind.
    first = (pl.col("rank_a") <= pl.col("rank_b")).fill_null(value=True)
    holder = pl.when(first).then("subject_a").otherwise("subject_b").alias("subject")
    key = pl.when(first).then("subject_b").otherwise("subject_a").alias("other")
    pairs = frame.select(holder, key)
    values, ranks = known.subjects["value"], types
    return pairs.select(
        "subject", values.gather(pairs["other"]).alias("value"), ranks.gather(pairs["other"]).alias("key")
    ).drop_nulls("key")


def _of_traits(known: Known, rule: KeyRule, columns: tuple[str, ...], only: Sequence[int] | None) -> KeyValues | None:
    import polars as pl

    from segctl.identity.keys import key_values

    rows = _wanted(known.records, only).drop_nulls(list(columns))
    if not rows.height:
        return None
    by_source = dict(known.rules.countries)
    country = pl.col("source").replace_strict(by_source, default=known.rules.country, return_dtype=pl.String)
    if known.rules.country_trait is not None:
        country = pl.coalesce(known.rules.country_trait, country)
    countries = rows.select(country.alias("country")).to_series() if rule.form in ("phone", "address") else None
    return key_values(
        rule,
        rows["subject"],
        [rows[column] for column in columns],
        countries=countries,
        country=known.rules.country,
        sources=rows["source"],
    )


def exclusive_sources(known: Known, sources: Sequence[str]) -> list[Constraint]:
    """One constraint for each source that is unique by itself.

    Args:
        known: What the workspace knows.
        sources: All declared sources.

    Raises:
        UsageError: A rule names a source that is not declared.
    """
    import numpy as np
    import polars as pl

    from segctl.compile.suggest import nearest
    from segctl.identity.guards import Constraint

    named = [*known.rules.exclusive, *(source for source, _ in known.rules.countries)]
    named += [source for _, rule in known.rules.survivorship for source in rule.sources]
    for name in named:
        if name not in sources:
            near = nearest(name, sources)
            hint = f"did you mean `{near}`?" if near else "`segctl ls sources` lists them"
            raise UsageError("SEG475", f"`{name}` under `identity` is not a source", hint=hint)
    found = []
    for name in known.rules.exclusive:
        subjects = known.records.filter(pl.col("source") == name)["subject"].unique().sort().to_numpy().astype(np.int64)
        found.append(Constraint(f"exclusive source {name}", 1, subjects, subjects.astype(np.uint64)))
    return found


def given_names(known: Known) -> tuple[NDArray[np.int64], pl.Series] | None:
    """Subjects with their first given name in comparable form; None when the project knows of none."""
    import numpy as np
    import polars as pl

    from segctl.identity.missing import without_missing
    from segctl.identity.names import name_key

    trait = known.rules.given_name
    if trait is None or trait not in known.records.columns:
        return None
    first = name_key(without_missing(pl.col(trait).cast(pl.String))).str.split(" ").list.first()
    rows = known.records.select("subject", first.alias("given")).drop_nulls().unique()
    return rows["subject"].to_numpy().astype(np.int64), rows["given"]


def facts(known: Known) -> pl.LazyFrame:
    """What decides whose id stays: see `identity.clusters.lasting`."""
    import polars as pl

    from segctl.state.links import links
    from segctl.state.subjects import Subjects

    ranks = {i.name: at for at, i in enumerate(known.project.identifiers)}
    counted = known.records.lazy().group_by("subject").agg(records=pl.len())
    seen = [
        pl.scan_parquet(file.path).select("subject", seen=pl.col("arrived_at").cast(pl.Int64))
        for dataset in known.workspace.datasets("records/")
        for file in known.workspace.files(dataset)
    ]
    pairs = links(known.workspace)
    seen += [
        pairs.select(pl.col(end).alias("subject"), seen=pl.col("seen").cast(pl.Int64))
        for end in ("subject_a", "subject_b")
    ]
    first = pl.concat(seen).group_by("subject").agg(pl.col("seen").min())
    table = Subjects(known.workspace).table(known.workspace.snapshot())
    return (
        table.join(counted, on="subject", how="left", maintain_order="left")
        .join(first, on="subject", how="left", maintain_order="left")
        .select(
            known=pl.col("identifier_class") == "known",
            records=pl.col("records").fill_null(0).cast(pl.Int64),
            seen="seen",
            rank=pl.col("id_type").replace_strict(ranks, default=len(ranks), return_dtype=pl.Int32),
            name="profile_id",
        )
    )
