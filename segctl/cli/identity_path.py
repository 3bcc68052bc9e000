"""Shows why two identifiers are one person, link by link."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from segctl.cli import messages, output
from segctl.cli.context import Context

COLUMNS = (
    output.Column("left"),
    output.Column("right"),
    output.Column("key"),
    output.Column("value"),
    output.Column("strength"),
    output.Column("bits", type="number", digits=1),
    output.Column("sources", type="list"),
)
HELD = (output.Column("key"), output.Column("value"), output.Column("reason"))
DECIDED = (
    output.Column("verdict"), output.Column("who"), output.Column("at", type="time"), output.Column("why"),
)  # fmt: skip


def write_path(ctx: Context, a: str, b: str, *, personal: bool) -> None:
    """The path of links between two identifiers, or what keeps them apart."""
    from segctl.cli.commands.dedupe import masked
    from segctl.operations.dedupe_session import local, open_for_dedupe
    from segctl.operations.explain_identity import explain_identity

    with open_for_dedupe(ctx.project, env=ctx.env) as (project, workspace):
        found = explain_identity(project, workspace, a, b, now=ctx.now)
    hidden = set() if personal else {i.name for i in project.identifiers if i.personal}

    def name(end: tuple[str, str]) -> str:
        return f"{end[0]}:{masked(end[1]) if end[0] in hidden else end[1]}"

    rows = [
        (name(s.left), name(s.right), s.key, s.value if personal else masked(s.value), s.strength, s.weight, s.sources)
        for s in found.steps
    ]
    facts: dict[str, Any] = {"one_person": found.are_one, "left": found.left_id, "right": found.right_id}
    held = [(key, value if personal else masked(value), reason) for key, value, reason in found.held]
    decided = [(v, who, local(project, datetime.fromisoformat(at)), why) for v, who, at, why in found.decided]
    sections = [output.Section("held", "links held back", HELD, held)] if held or ctx.format == "json" else []
    if decided or ctx.format == "json":
        sections.append(output.Section("decided", "decisions", DECIDED, decided))
    notes = [] if found.steps or not found.are_one else ["both are one identifier, or the links are of an earlier run"]
    output.write(
        ctx,
        output.Result(
            "segctl/explain-identity/1", COLUMNS, rows, noun="links", facts=facts, sections=tuple(sections), notes=notes
        ),
    )
    if found.are_one and found.steps:
        messages.notice(ctx, "keep two of them apart with segctl dedupe apart A B")
