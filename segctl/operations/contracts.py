"""Contracts of sources: compiled once, with everything that is wrong with them at its place."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from segctl.compile.suggest import nearest
from segctl.model.contracts import ContractDeclaration
from segctl.model.diagnostics import Diagnostic, Location, Severity

if TYPE_CHECKING:
    import polars as pl

    from segctl.connectors.files import Detected, RawBatch
    from segctl.model.sources import Source
    from segctl.quality.contract import Contract, Verdict


def contract_findings(sources: Iterable[Source]) -> list[Diagnostic]:
    """What is wrong with the contracts of sources; loads no engine."""
    return [
        finding
        for source in sources
        if source.contract is not None
        for finding in findings_of(source.contract, source.location)
    ]


def findings_of(declared: ContractDeclaration, elsewhere: Location | None = None) -> list[Diagnostic]:
    """What is wrong with one contract."""
    from segctl.quality.schema_exact import problems_of
    from segctl.quality.schema_keywords import KEYWORDS, ignored_keywords

    schema = json.loads(declared.schema)
    found = [
        Diagnostic("SEG431", Severity.ERROR, problem.message, _place(declared, problem.pointer, elsewhere),
                   hint=problem.hint)
        for problem in problems_of(schema, formats=declared.formats)
    ]  # fmt: skip
    if found:
        return found
    for pointer in ignored_keywords(schema):
        name = pointer.rpartition("/")[2]
        near = nearest(name, KEYWORDS)
        hint = f"did you mean `{near}`?" if near else "the contract holds without it"
        message = f"`{name}` means nothing in JSON Schema 2020-12, so it is ignored"
        found.append(Diagnostic("SEG433", Severity.WARNING, message, _place(declared, pointer, elsewhere), hint=hint))
    return found


def _place(declared: ContractDeclaration, pointer: str, elsewhere: Location | None) -> Location | None:
    return declared.place(pointer) or elsewhere


def compiled(declared: ContractDeclaration) -> Contract:
    """The contract, ready for rows."""
    from segctl.quality.contract import compile_contract

    return compile_contract(
        json.loads(declared.schema),
        formats=declared.formats,
        null_is_absent=False if declared.empty_is_null else None,
    )


def judge(contract: Contract, source: Source, detected: Detected, batch: RawBatch) -> Verdict:
    """The verdict about a batch, by how it arrived: as text, as JSON or typed."""
    from segctl.quality.contract import TextForm

    if source.tracking is None and batch.texts is not None:
        return contract.of_json(batch.frame, batch.texts, batch.doubtful)
    if detected.format in ("csv", "xlsx") and source.tracking is None:
        declared = source.contract
        form = TextForm(
            detected.decimal or ".", detected.thousands or None, source.missing_values,
            empty_is_null=declared is not None and declared.empty_is_null,
        )  # fmt: skip
        return contract.of_text(batch.frame, form)
    return contract.of_types(batch.frame)


NEW_COLUMN = "additionalProperties"


def parted(declared: ContractDeclaration, verdict: Verdict) -> tuple[Verdict, pl.DataFrame]:
    """The verdict without what is told only, and the reasons that are: their rows are taken."""
    import polars as pl

    from segctl.quality.contract import Verdict as _Verdict

    is_told = pl.lit(value=False)
    if declared.keeps_new_columns:
        is_told |= (pl.col("keyword") == NEW_COLUMN) & ~pl.col("pointer").str.slice(1).str.contains("/")
    for place, keyword in declared.only_told:
        at = pl.col("pointer") == place
        is_told |= at if keyword is None else at & (pl.col("keyword") == keyword)
    told = verdict.reasons.filter(is_told)
    if told.is_empty():
        return verdict, told
    kept = verdict.reasons.filter(~is_told)
    bad = pl.repeat(value=False, n=len(verdict.bad), dtype=pl.Boolean, eager=True)
    if kept.height:
        bad = bad.scatter(kept["row"].unique(), True)
    return _Verdict(bad, kept, verdict.exact, verdict.exact_rows), told


def quarantined(batch: RawBatch, verdict: Verdict) -> pl.DataFrame:
    """Bad rows as the quarantine keeps them: ``row``, ``line``, ``raw`` and ``reasons``."""
    import polars as pl

    from segctl.connectors.typing_formulas import without_bytes
    from segctl.connectors.typing_rows import REASON

    position = verdict.bad.arg_true().cast(pl.Int64)
    grouped = verdict.reasons.group_by("row", maintain_order=True).agg(reasons=_as_reason(REASON))
    grouped = grouped.sort("row")
    if batch.texts is not None:
        raw = batch.texts.gather(position)
    else:
        part = pl.DataFrame([without_bytes(column) for column in batch.frame[position].get_columns()])
        raw = part.to_struct("raw").struct.json_encode() if part.width else pl.Series(["{}"] * len(position))
    line = batch.lines.gather(position).alias("line")
    return pl.DataFrame([position.alias("row"), line, raw.alias("raw"), grouped["reasons"]])


def _as_reason(dtype: Any) -> pl.Expr:  # noqa: ANN401 - a polars type
    import polars as pl

    names = [field.name for field in dtype.fields]
    words = {
        "column": pl.col("pointer").str.strip_prefix("/"),
        "reason": pl.lit("contract `") + pl.col("keyword") + pl.lit("`"),
    }
    return pl.struct([words.get(name, pl.col(name)).alias(name) for name in names])
