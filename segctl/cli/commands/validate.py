"""Check definitions and data without changing anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import CHANGES, SELECTION, TIME, Argument, Option, verb
from segctl.cli.progress import listener
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from segctl.model.contracts import ContractDeclaration
    from segctl.model.sources import Limit
    from segctl.operations.validate_report import ValidationReport

EXAMPLES = (
    ("segctl validate", "Definitions, and the files of all sources."),
    ("segctl validate orders --max-bad-rows 2%", "One source, with another limit."),
    ("segctl validate new.csv --contract orders.json", "Any file against any JSON Schema."),
    ("segctl validate infer data/orders.csv --save orders", "Propose a contract from rows, and add it to a source."),
    ("segctl validate --report check.html", "Also as a page that anybody can read."),
)
EXITS = {
    1: "errors in definitions, more bad rows than allowed, or a broken check",
    3: "a file cannot be read",
}
SEE_ALSO = ("segctl help contracts", "segctl quarantine --help", "segctl lint --help")
_FINDINGS = ("concise", "github")


@verb(
    without=(*SELECTION, *TIME, *CHANGES),
    formats=("table", "json", "ndjson", "csv", "html", "junit", "github", "concise"),
)
def command(
    ctx: Context,
    names: Annotated[
        list[str], Argument("SOURCE|PATH", help="Sources or files; otherwise the whole project.", complete="sources")
    ] = [],  # noqa: B006 - never changed
    contract: Annotated[
        str | None,
        Option("--contract", metavar="FILE", complete="files", help="Check against this JSON Schema instead."),
    ] = None,
    max_bad_rows: Annotated[
        str | None, Option("--max-bad-rows", metavar="LIMIT", help="Bad rows allowed: a count or a share such as 1%.")
    ] = None,
    bad_rows: Annotated[
        str | None,
        Option("--bad-rows", metavar="FILE", complete="files", help="Write bad rows with all reasons, as NDJSON."),
    ] = None,
    report: Annotated[
        str | None,
        Option("--report", metavar="FILE", complete="files", help="Also write a page for people, as `-f html` does."),
    ] = None,
    save: Annotated[
        str | None,
        Option("--save", metavar="SOURCE", complete="sources", help="With `infer`: add it to sources/SOURCE.yaml."),
    ] = None,
    show_personal: Annotated[bool, Option("--show-personal", help="Show the values that break a rule.")] = False,
) -> ExitCode:
    """Check definitions and data without changing anything.

    Rows are judged by the contract of their source and by the types of its columns, and all rows together by its
    checks: what `ingest` would take, and what it would set aside.

    `validate infer PATH` proposes a contract that every row there keeps, as YAML; no personal value stands in it.
    """
    if names and names[0] == "infer" and (len(names) > 1 or save is not None):
        from segctl.cli.contract_infer import write_inferred

        return write_inferred(ctx, names[1:], save)
    if save is not None:
        raise UsageError("SEG623", "`--save` belongs to `validate infer`", hint="segctl validate infer PATH --save …")
    from contextlib import ExitStack

    from segctl.operations.validate import Wishes, validate_named, validate_project
    from segctl.operations.validate_rows import bad_rows_file

    if contract is not None and not names:
        raise UsageError(
            "SEG438", "`--contract` needs a file to check", hint="segctl validate data/new.csv --contract …"
        )
    with ExitStack() as stack:
        keep = None if bad_rows is None else stack.enter_context(bad_rows_file(Path(bad_rows)))
        wishes = Wishes(ctx.now, _contract(contract), _limit(max_bad_rows), listener(ctx), keep)
        if names:
            found = validate_named(ctx.project, ctx.env, tuple(names), wishes)
        else:
            found = validate_project(ctx.project, ctx.env, wishes)
    if report is not None:
        _write_page(replace(ctx, output=Path(report)), found, personal=show_personal)
        messages.notice(ctx, f"wrote {report}")
    return _write(ctx, found, personal=show_personal)


def _contract(path: str | None) -> ContractDeclaration | None:
    import json

    from segctl.compile.contracts import schema_file
    from segctl.model.contracts import ContractDeclaration

    if path is None:
        return None
    if not Path(path).is_file():
        raise UsageError("SEG431", f"the contract `{path}` is not there")
    found = schema_file(Path(path), path)
    if isinstance(found, str):
        raise UsageError("SEG431", found)
    return ContractDeclaration(json.dumps(found[0], ensure_ascii=False), places=found[1])


def _limit(text: str | None) -> Limit | None:
    from segctl.compile.sources import LIMIT_HINT, parse_limit

    if text is None:
        return None
    found = parse_limit(text)
    if found is None:
        raise UsageError("SEG103", f"`{text}` is no value of `--max-bad-rows`", hint=LIMIT_HINT)
    return found


def _write_page(ctx: Context, found: ValidationReport, *, personal: bool) -> None:
    """The page, in the language and the zone of the project; of files alone, in English."""
    from zoneinfo import ZoneInfo

    from segctl.cli.validation_page import page
    from segctl.compile.project import load_project

    try:
        project, _ = load_project(ctx.project, ctx.env)
        name, language, zone = project.name, project.language, ZoneInfo(project.timezone)
    except UsageError:
        name, language, zone = "", "en", ZoneInfo("UTC")
    output.write_text(ctx, page(found, name=name, language=language, at=ctx.now.astimezone(zone), personal=personal))


def _write(ctx: Context, found: ValidationReport, *, personal: bool) -> ExitCode:
    from segctl.cli.validation_formats import junit, result_of, rules_of

    for source in found.sources:
        if source.error is not None:
            messages.error(ctx, source.error)
    if ctx.format == "html":
        _write_page(ctx, found, personal=personal)
        return found.exit
    if ctx.format == "junit":
        output.write_text(ctx, junit(found))
        return found.exit
    if ctx.format in _FINDINGS:
        output.findings(ctx, "segctl/validate/1", found.diagnostics(), files=found.definition_files, root=found.root)
        return found.exit
    if ctx.format == "table" and found.findings:
        messages.diagnostics(ctx, found.findings, root=found.root)
    if ctx.format in ("csv", "ndjson"):
        output.write(ctx, rules_of(found, personal=personal))
        return found.exit
    output.write(ctx, result_of(found, personal=personal, is_whole=ctx.format == "json"))
    return found.exit
