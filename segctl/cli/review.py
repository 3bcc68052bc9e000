"""Doubtful pairs one after the other on a terminal, each answered with one key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segctl.cli import messages, questions
from segctl.cli.cells import shown
from segctl.cli.context import Context
from segctl.model.errors import UsageError

if TYPE_CHECKING:
    from segctl.identity.explain import PairEvidence
    from segctl.model.project import Project
    from segctl.operations.dedupe.review import Doubt
    from segctl.state.workspace import Workspace

_KEYS = {"y": "must", "j": "must", "n": "cannot"}
_WIDTH = 28


def review_pairs(
    ctx: Context, project: Project, workspace: Workspace, *, who: str | None = None, personal: bool = False
) -> None:
    """Ask for each pair that nobody has decided; every answer is recorded at once, so stopping loses nothing.

    Raises:
        UsageError: Nobody sits at the terminal.
    """
    from segctl.operations.dedupe.answers import record
    from segctl.operations.dedupe.review import doubts

    if not ctx.terminal.interactive:
        raise UsageError(
            "SEG477", "`dedupe review` asks on a terminal, and this is none",
            hint="segctl dedupe --review FILE writes the pairs; --decisions FILE reads them back",
        )  # fmt: skip
    pairs = doubts(project, workspace, now=ctx.now)
    hidden = set() if personal else {t.name for t in project.traits if t.personal or t.sensitive}
    drawn = ctx.terminal.unicode
    made = 0
    for number, doubt in enumerate(pairs, start=1):
        questions.tell("\n".join(side_by_side(doubt, number, len(pairs), hidden, personal=personal, drawn=drawn)))
        answer = questions.key("one person? [y]es [n]o [s]kip [q]uit ", "ynsqj")
        if answer == "q":
            break
        if answer in _KEYS:
            made += record(workspace, [(doubt.left, doubt.right, _KEYS[answer], who, "review")], now=ctx.now)
    messages.notice(ctx, f"{made:,} decisions recorded of {len(pairs):,} pairs")
    if made:
        messages.notice(ctx, "next: segctl dedupe")


def side_by_side(
    doubt: Doubt, number: int, total: int, hidden: set[str], *, personal: bool, drawn: bool = False
) -> list[str]:
    """The lines that show a pair; values that differ are marked."""
    from segctl.cli.commands.dedupe import masked

    value = doubt.value if personal or doubt.key == "fuzzy" else masked(doubt.value)
    lines = ["", f"{number} of {total}: {doubt.key} {shown(value or '')} ({doubt.reason})"]
    rows: list[tuple[str, Any, Any]] = [("profile", doubt.left_id, doubt.right_id)]
    for name, (left, right) in doubt.traits.items():
        same = left == right
        mark = " " if same else "~" if left is None or right is None else "≠"
        rows.append((f"{mark} {name}", _shown(left, name, hidden), _shown(right, name, hidden)))
    widest = max(len(name) for name, _, _ in rows)
    lines += [f"  {name:{widest}}  {_cell(left):{_WIDTH}}  {_cell(right)}" for name, left, right in rows]
    return lines if doubt.alike is None else lines + _sum(doubt.alike, drawn=drawn)


def _sum(pair: PairEvidence, *, drawn: bool) -> list[str]:
    """What each field adds, a line each; fields that say nothing are left out."""
    from segctl.cli import waterfall

    steps = waterfall.rungs(pair)
    widest = max(len(step.field) for step in steps)
    charts = waterfall.bars(steps) if drawn else [""] * len(steps)
    lines = [
        f"  {step.field:{widest}}  {step.bits:+6.1f}  {chart}  {step.agreement}".rstrip()
        for step, chart in zip(steps, charts, strict=True)
        if step.bits or step.field in ("prior", "total")
    ]
    return ["", f"  likeness in bits: {waterfall.chance(pair.probability)}", *lines]


def _shown(value: Any, name: str, hidden: set[str]) -> Any:  # noqa: ANN401 - any trait's value
    return "(personal)" if name in hidden and value is not None else value


def _cell(value: object) -> str:
    return "–" if value is None else shown(str(value))
