"""The contract and the checks of one source during an ingest: bad rows leave, and the whole is judged at the end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from segctl.model.errors import DataError
from segctl.operations.contracts import NEW_COLUMN, compiled, judge, parted, quarantined

if TYPE_CHECKING:
    import polars as pl

    from segctl.connectors.files import Detected, RawBatch
    from segctl.connectors.typing_rows import TypedBatch
    from segctl.model.project import Project
    from segctl.model.sources import NumberForm, Source
    from segctl.quality.checks_results import CheckResult
    from segctl.quality.checks_run import CheckRun
    from segctl.quality.contract import Contract, Verdict
    from segctl.quality.tally import Tally


@dataclass(slots=True)
class Gate:
    """What a source's rows pass through.

    Attributes:
        source: With its contract and checks.
        tally: Bad rows by rule, for reports.
        checks: What all rows together keep; None without checks.
    """

    source: Source
    tally: Tally
    checks: CheckRun | None = None
    _contract: Contract | None = None
    _form: NumberForm | None = None
    _file: str = ""
    _new_columns: dict[str, int] = field(default_factory=dict)

    def begin_file(self, shown: str, form: NumberForm) -> None:
        """The next batches stand in this file."""
        self._file, self._form = shown, form
        if self.checks is not None:
            self.checks.decimal, self.checks.thousands = form.decimal, form.thousands

    def judge(self, batch: RawBatch, detected: Detected) -> tuple[Verdict, pl.Series] | None:
        """The contract's verdict about a batch and the bad rows that are in the source's filter; None without."""
        from segctl.connectors.typing_filters import passes
        from segctl.model.sources import PLAIN_NUMBERS

        kept = passes(self.source.only, batch.frame, self._form or PLAIN_NUMBERS)
        if self.checks is not None:
            self.checks.add(batch.frame.filter(kept), batch.lines.filter(kept))
        if self._contract is None or self.source.contract is None:
            self.tally.count(int(kept.sum()))
            return None
        verdict = judge(self._contract, self.source, detected, batch)
        self._note_new_columns(verdict)
        verdict, told = parted(self.source.contract, verdict)
        if not kept.all():
            verdict = verdict.among(kept)
            told = told.filter(kept.gather(told["row"])) if told.height else told
        # A bad row is not taken, whatever else of it is told only.
        told = told.filter(~verdict.bad.gather(told["row"])) if told.height else told
        self.tally.add_told(told.filter(told["keyword"] != NEW_COLUMN), batch.lines, self._file)
        self.tally.add(verdict, batch.lines, self._file, int(kept.sum()))
        return verdict, verdict.bad

    def _note_new_columns(self, verdict: Verdict) -> None:
        import polars as pl

        new = verdict.reasons.filter(
            (pl.col("keyword") == "additionalProperties") & ~pl.col("pointer").str.slice(1).str.contains("/")
        )
        for name, rows in new["pointer"].value_counts().iter_rows():
            self._new_columns[name[1:]] = self._new_columns.get(name[1:], 0) + rows

    def notes(self) -> list[str]:
        """What a person should know about the whole, one sentence each."""
        keeps = self.source.contract is not None and self.source.contract.keeps_new_columns
        end = "; its rows were kept" if keeps else ""
        return [
            f"new column `{name}`, which the contract does not allow, in {rows:,} rows{end}"
            for name, rows in sorted(self._new_columns.items())
        ]

    def told_notes(self) -> list[str]:
        """Breaches that the contract only tells, one sentence each."""
        from segctl.operations.validate_report import place_words, rows_in_words

        return [
            f"`{place_words(rule.pointer)}`: expected {rule.expected}; {rows_in_words(rule.rows)} (`{rule.keyword}`),"
            " told only"
            for rule in self.tally.told()
        ]

    def results(self) -> list[CheckResult]:
        """What the checks found; empty without checks."""
        return [] if self.checks is None else self.checks.results()

    def facts(self) -> dict[str, Any]:
        """What the next run compares with."""
        return {} if self.checks is None else self.checks.facts()


def gate_of(
    source: Source, project: Project, *, previous: dict[str, Any], now: datetime, others: dict[str, Source]
) -> Gate:
    """The gate of a source; `others` are the sources whose keys it may refer to."""
    from segctl.quality.checks_run import CheckRun
    from segctl.quality.tally import Tally

    contract = None if source.contract is None else compiled(source.contract)
    checks = None
    if source.checks:
        checks = CheckRun(source.checks, previous, now, _keys(source, project, others))
    return Gate(source, Tally(), checks, contract)


def _keys(source: Source, project: Project, others: dict[str, Source]) -> dict[tuple[str, str], pl.Series]:
    """The values that the source's foreign keys may have."""
    found = {}
    for check in source.checks:
        if check.other is not None and check.other not in found:
            name, column = check.other
            if name not in others:
                raise DataError(
                    "SEG434", f"`{source.name}` refers to the source `{name}`, which is not declared",
                    hint=f"declare it, or correct `to: {name}.{column}`",
                )  # fmt: skip
            found[check.other] = _values(others[name], column, project)
    return found


def _values(source: Source, column: str, project: Project) -> pl.Series:
    import polars as pl

    from segctl.connectors.files import detect, read
    from segctl.operations.ingest.source import read_options
    from segctl.operations.validate_landed import rows_to_check
    from segctl.quality.checks_columns import column_of, texts_of

    options = read_options(source)
    parts = [pl.Series(column, [], dtype=pl.String)]
    with rows_to_check(project, source) as files:
        for file in files:
            given = None if file.rows is None else file.rows.batches()
            for batch in given or read(file.path, options, detect(file.path, options)):
                part = texts_of(column_of(batch.frame, column))
                parts.append(part.drop_nulls().unique().rename(column))
    return pl.concat(parts).unique()


def with_contract(typed: TypedBatch, batch: RawBatch, judged: tuple[Verdict, pl.Series] | None) -> TypedBatch:
    """The typed batch without the rows that break the contract; these are bad, with the reasons of both."""
    import polars as pl

    if judged is None or not judged[1].any():
        return typed
    verdict, _ = judged
    broken = quarantined(batch, verdict)
    rows = broken.select("row")
    named = typed.rows.join(rows, on="row", how="semi").select("id_type", "value").drop_nulls()
    known = [frame for frame in (typed.bad_ids, named) if frame.width]
    handled = pl.concat([typed.rows.select("row"), typed.bad.select("row")]).unique()
    typed.skipped = max(0, typed.skipped - broken.join(handled, on="row", how="anti").height)
    both = pl.concat([broken, typed.bad.select(broken.columns)])
    typed.bad = (
        both.group_by("row", maintain_order=True)
        .agg(pl.col("line").first(), pl.col("raw").first(), pl.col("reasons").explode())
        .sort("row")
    )
    typed.rows = typed.rows.join(rows, on="row", how="anti", maintain_order="left")
    typed.bad_ids = pl.concat(known) if known else typed.bad_ids
    if typed.linked.height:
        typed.linked = typed.linked.join(rows, on="row", how="anti", maintain_order="left")
    return typed


def refuse_broken_checks(source: Source, results: Iterable[CheckResult]) -> list[str]:
    """Sentences about checks that only warn.

    Raises:
        DataError: A check with severity `error` is broken; nothing of the source may be taken.
    """
    broken = [result for result in results if not result.passed]
    errors = [result for result in broken if result.check.severity == "error"]
    if errors:
        first = errors[0]
        more = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
        raise DataError(
            "SEG435",
            f"`{source.name}` breaks the check `{first.check.name}`{more}: {first.told}, wanted {first.wanted}; "
            "nothing of it was taken",
            why="; ".join(f"{result.check.name}: {result.told}" for result in errors[1:]) or None,
            hint=f"look with `segctl validate {source.name}`; mend the data, or give the check `severity: warn`",
            location=first.check.location,
        )
    return [f"check `{result.check.name}`: {result.told}, wanted {result.wanted}" for result in broken]
