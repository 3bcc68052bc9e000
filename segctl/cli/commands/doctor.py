"""Check Python, engines, project, workspace and disk."""

from __future__ import annotations

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import CHANGES, SELECTION, TIME, verb
from segctl.model.exits import ExitCode

EXAMPLES = (
    ("segctl doctor", "Looks at everything and says what would get in the way."),
    ("segctl doctor --json -o facts.json", "The same as data, for a bug report."),
)
EXITS = {1: "something would get in the way"}
SEE_ALSO = ("segctl config validate", "segctl help files")
COLUMNS = (output.Column("check"), output.Column("status"), output.Column("detail"), output.Column("hint"))


@verb(without=(*SELECTION, *CHANGES, *TIME), formats=("table", "json", "ndjson", "csv"))
def command(ctx: Context) -> ExitCode:
    """Check Python, engines, time zones, clock, project, workspace and free disk.

    Changes nothing and asks nobody: no network is used.
    """
    from segctl.operations import doctor

    checks = doctor.examine(ctx.project, env=ctx.env, now=ctx.now)
    problems = sum(check.status == "problem" for check in checks)
    code = ExitCode.FINDINGS if problems else ExitCode.OK
    rows = [(check.name, check.status, check.detail, check.hint) for check in checks]
    output.write(ctx, output.Result("segctl/doctor/1", COLUMNS, rows, noun="checks", is_report=True, exit=code))
    word = "nothing in the way" if not problems else f"{problems} in the way"
    messages.notice(ctx, word)
    return code
