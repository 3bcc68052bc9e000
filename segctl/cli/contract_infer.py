"""`segctl validate infer`: the proposal on stdout, or added to a declaration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.progress import listener
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from segctl.model.project import Project
    from segctl.model.sources import Source


def write_inferred(ctx: Context, paths: list[str], save: str | None) -> ExitCode:
    """Propose a contract for the data of a path or of a source.

    Raises:
        UsageError: Not one path; the source to save to is not declared; a format that this has not.
    """
    import json

    from segctl.operations.contract_infer import infer
    from segctl.operations.contract_infer_text import contract_text, save_contract

    if len(paths) != 1:
        raise UsageError("SEG623", "`validate infer` takes one file or source", hint="segctl validate infer data.csv")
    if ctx.format not in ("table", "json"):
        hint = "leave `--format` out for YAML, or use `-f json` for JSON Schema"
        raise UsageError("SEG623", f"`validate infer` does not write {ctx.format}", hint=hint)
    project, sources = _declared(ctx)
    source = sources.get(save if save is not None else paths[0])
    if save is not None and source is None:
        from segctl.compile.source_nodes import nearest

        raise UsageError("SEG308", f"`{save}` is not a source", hint=nearest(save, sources))
    if source is not None and (source.fetch is not None or source.tracking is not None):
        raise UsageError("SEG623", f"the rows of `{source.name}` are not read from files as they stand",
                         hint="name a file: `segctl validate infer data.ndjson`")  # fmt: skip
    found = infer(project, paths[0], source, progress=listener(ctx))
    text = contract_text(found, paths[0])
    for line in found.why:
        messages.notice(ctx, line)
    if found.taken_back:
        said = ", ".join(f"{name or 'the row'} ({keyword})" for name, keyword in found.taken_back)
        messages.notice(ctx, f"taken back, since rows outside the sample do not keep it: {said}")
    if save is not None and source is not None:
        messages.notice(ctx, f"wrote {save_contract(project, source, text)}")
        messages.notice(ctx, f"next: segctl validate {save}")
    elif ctx.format == "json":
        output.write_text(ctx, json.dumps(found.schema, ensure_ascii=False, indent=2) + "\n")
    else:
        output.write_text(ctx, text)
    return ExitCode.OK


def _declared(ctx: Context) -> tuple[Project, dict[str, Source]]:
    from segctl.compile.project import load_project
    from segctl.compile.sources import load_sources
    from segctl.model.project import Project as Empty

    try:
        project, _ = load_project(ctx.project, ctx.env)
    except UsageError:
        return Empty(name="", root=str(ctx.project.absolute())), {}
    return project, load_sources(project)[0]
