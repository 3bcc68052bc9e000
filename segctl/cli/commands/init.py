"""Write a commented project that works at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import PROJECT, SELECTION, TIME, Argument, Option, verb

EXAMPLES = (
    ("segctl init shop", "A shop with sample data, sources, traits and over 40 segments."),
    ("segctl init crm --template b2b --pack enterprise", "Companies and contacts; three environments."),
)
EXITS = {4: "a file exists already; nothing was written"}
SEE_ALSO = ("segctl demo --help", "segctl help sources")


@verb(without=(*SELECTION, *TIME, *PROJECT, "yes", "lock_wait"), formats=("table", "json", "ndjson", "csv"))
def command(
    ctx: Context,
    folder: Annotated[str, Argument("DIR", help="Where to; otherwise the current folder.", complete="folders")] = ".",
    template: Annotated[
        str, Option("--template", metavar="NAME", help="What to start from.", choices=("shop", "b2b", "minimal"))
    ] = "shop",
    pack: Annotated[
        str,
        Option("--pack", metavar="NAME", help="Preset of settings.", choices=("midmarket", "enterprise", "public")),
    ] = "midmarket",
) -> None:
    """Write a commented project that works at once.

    Existing files are never overwritten: if one is in the way, nothing is written.
    """
    from segctl.operations.init import create_project

    created = create_project(Path(folder), template=template, pack=pack, dry_run=ctx.dry_run)
    rows = [{"file": (created.folder / name).as_posix()} for name in created.files]
    output.write(ctx, output.Result("segctl/init/1", (output.Column("file"),), rows, noun="files", is_report=True))
    where = "" if created.folder == Path() else f"cd {created.folder.as_posix()} && "
    if ctx.dry_run:
        messages.notice(ctx, "dry run: nothing was written")
    else:
        messages.notice(ctx, f"next: {where}segctl ingest && segctl apply")
