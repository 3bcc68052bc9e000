"""What `segctl consent` tells about many: coverage of purposes, and the state matrix."""

from __future__ import annotations

from typing import Any, Literal

from segctl.cli import output
from segctl.cli.consent_actions import DECISIONS
from segctl.cli.context import Context
from segctl.model.errors import UsageError

COVERAGE = (
    output.Column("segment"),
    output.Column("purpose"),
    output.Column("channel"),
    output.Column("people", type="integer"),
    output.Column("allowed", type="integer"),
    output.Column("share", type="share"),
    output.Column("reasons", type="object"),
)
WHY = (
    *COVERAGE[:3],
    output.Column("people", type="integer"),
    output.Column("reason"),
    output.Column("because"),
)
MATRIX = (
    output.Column("state"),
    output.Column("purpose"),
    output.Column("channel"),
    output.Column("destination"),
    *DECISIONS[2:],
)


def write_matrix(ctx: Context, language: str | None) -> None:
    """Every state with every kind of use."""
    from segctl.operations.consent.matrix import matrix
    from segctl.operations.consent.words import answer_words, reason_words

    spoken: Literal["de", "en"] = "de" if language == "de" else "en"
    rows = [
        (
            cell.state, cell.use.purpose, cell.use.channel, cell.use.destination,
            answer_words(cell.decision, spoken), cell.decision.reason, reason_words(cell.decision.reason, spoken),
        )
        for cell in matrix()
    ]  # fmt: skip
    output.write(ctx, output.Result("segctl/consent-matrix/1", MATRIX, rows, noun="cells"))


def write_coverage(ctx: Context, language: str | None) -> None:
    """How many people may be contacted."""
    from segctl.operations.consent.coverage import coverage
    from segctl.operations.consent.session import open_for_consent
    from segctl.operations.consent.words import reason_words
    from segctl.operations.session import open_session

    is_segment = bool(ctx.select)
    opened = open_session(ctx.project, env=ctx.env) if is_segment else open_for_consent(ctx.project, env=ctx.env)
    with opened as session:
        found = list(coverage(session, ctx.selection if is_segment else None, now=ctx.now))
        spoken = session.language(language)
    if not session.project.purposes:
        raise UsageError(
            "SEG811", "no purpose is declared, so nobody may be contacted",
            hint="add to segctl.yaml: `purposes: {newsletter: {basis: consent, channels: [email]}}`",
        )  # fmt: skip
    rows: list[tuple[Any, ...]] = [
        (
            one.segment, one.purpose, one.channel, one.people, one.allowed,
            one.allowed / one.people if one.people else None, dict(one.reasons),
        )
        for one in found
    ]  # fmt: skip
    why: list[tuple[Any, ...]] = [
        (one.segment, one.purpose, one.channel, count, code, reason_words(code, spoken))
        for one in found
        for code, count in one.reasons.items()
    ]
    first = 0 if is_segment else 1
    # For people the reasons stand below each other, for programs beside the counts.
    is_table = ctx.format == "table"
    last = -1 if is_table else None
    sections = (
        output.Section("reasons", "why the others may not be contacted", WHY[first:], [w[first:] for w in why]),
    )
    output.write(
        ctx,
        output.Result(
            "segctl/consent-coverage/1", COVERAGE[first:last], [row[first:last] for row in rows], noun="uses",
            sections=sections if is_table else (),
        ),
    )  # fmt: skip
