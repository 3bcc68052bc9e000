"""Shows why two identifiers are one person, link by link."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from segctl.cli import messages, output
from segctl.cli.context import Context

if TYPE_CHECKING:
    from segctl.operations.explain_identity import Alike

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


def write_path(ctx: Context, a: str, b: str, *, personal: bool, fuzzy: bool = False) -> None:
    """The path of links between two identifiers, or what keeps them apart, and how alike they are."""
    from segctl.cli import waterfall
    from segctl.cli.commands.dedupe import masked
    from segctl.operations.dedupe.session import local, open_for_dedupe
    from segctl.operations.explain_identity import explain_identity

    with open_for_dedupe(ctx.project, env=ctx.env) as (project, workspace):
        found = explain_identity(project, workspace, a, b, now=ctx.now, fuzzy=fuzzy)
    hidden = set() if personal else {i.name for i in project.identifiers if i.personal}

    def name(end: tuple[str, str]) -> str:
        return f"{end[0]}:{masked(end[1]) if end[0] in hidden else end[1]}"

    rows = [
        (name(s.left), name(s.right), s.key, s.value if personal else masked(s.value), s.strength, s.weight, s.sources)
        for s in found.steps
    ]
    facts: dict[str, Any] = {"one_person": found.are_one, "left": found.left_id, "right": found.right_id}
    held = [(key, value if personal or key == "fuzzy" else masked(value), reason) for key, value, reason in found.held]
    decided = [(v, who, local(project, datetime.fromisoformat(at)), why) for v, who, at, why in found.decided]
    sections = [output.Section("held", "links held back", HELD, held)] if held or ctx.format == "json" else []
    if decided or ctx.format == "json":
        sections.append(output.Section("decided", "decisions", DECIDED, decided))
    alike = found.alike
    if alike is not None:
        facts |= {"likeness_bits": round(alike.pair.bits, 2), "likeness": round(alike.pair.probability, 6)}
        title = f"likeness of {name(alike.left)} and {name(alike.right)}: {waterfall.chance(alike.pair.probability)}"
        sections.append(output.Section("likeness", title, *waterfall.rows(ctx, alike.pair, personal=personal)))
    elif ctx.format == "json":
        sections.append(output.Section("likeness", "likeness", waterfall.COLUMNS, []))
    notes = [] if found.steps or not found.are_one else ["both are one identifier, or the links are of an earlier run"]
    if alike is not None:
        notes += _notes(alike)
    output.write(
        ctx,
        output.Result(
            "segctl/explain-identity/1", COLUMNS, rows, noun="links", facts=facts, sections=tuple(sections), notes=notes
        ),
    )
    if found.are_one and found.steps:
        messages.notice(ctx, "keep two of them apart with segctl dedupe apart A B")


def _notes(alike: Alike) -> list[str]:
    """How to read the sum."""
    found = ["likeness in bits: 0 are even odds, each bit more doubles them; a pair from 0 bits on is one person"]
    if alike.pair.household:
        found.append(f"likeness never joins them: {alike.pair.household}")
    if alike.is_fresh:
        found.append("the weights were learnt just now; no run of `dedupe --fuzzy` is in force")
    return found
