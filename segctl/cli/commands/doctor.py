"""Check Python, engines, project, workspace and disk; or try a source or destination."""

from __future__ import annotations

import json
from typing import Annotated

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import CHANGES, SELECTION, TIME, Option, verb
from segctl.model.exits import ExitCode

EXAMPLES = (
    ("segctl doctor", "Looks at everything and says what would get in the way."),
    ("segctl doctor --deep", "Also reads every stored file, to see what a failing disk has changed."),
    ("segctl doctor --json -o facts.json", "The same as data, for a bug report."),
    ("segctl doctor --online shop_orders", "Tries a source: is it there, does it accept the key, what comes?"),
    ("segctl doctor --online newsletter", "Tries a destination with one harmless call; nobody is told of anything."),
)
EXITS = {1: "something would get in the way"}
SEE_ALSO = ("segctl config validate", "segctl help files", "segctl help rest", "segctl help destinations")
COLUMNS = (output.Column("check"), output.Column("status"), output.Column("detail"), output.Column("hint"))

LONGEST = 600
"""Characters of a record shown to people: services send records of many thousands."""


@verb(without=(*SELECTION, *CHANGES, *TIME), formats=("table", "json", "ndjson", "csv"))
def command(
    ctx: Context,
    online: Annotated[
        str | None,
        Option("--online", metavar="NAME", help="Try this source or destination over the network.", complete="reached"),
    ] = None,
    show_personal: Annotated[bool, Option("--show-personal", help="With --online: values of people, too.")] = False,
    deep: Annotated[bool, Option("--deep", help="Read every stored file and compare its checksum.")] = False,
) -> ExitCode:
    """Check Python, engines, time zones, clock, project, workspace and free disk.

    Changes nothing. No network is used, unless --online names a source or destination. A source is asked for one page,
    of which the first records are shown, with secrets masked; values of people, and of columns that nobody declared,
    are hidden unless --show-personal asks for them. A destination gets one call that changes nothing there.
    """
    from segctl.operations.doctor import doctor

    records: tuple[object, ...] = ()
    is_masked, kind = False, "source"
    if online is None:
        checks = doctor.examine(ctx.project, env=ctx.env, now=ctx.now, deep=deep)
    else:
        from segctl.operations.doctor.online import try_thing

        found = try_thing(ctx.project, online, env=ctx.env, now=ctx.now, show_personal=show_personal)
        checks, records, is_masked, kind = list(found.checks), tuple(found.records), found.is_masked, found.kind
    problems = sum(check.status == "problem" for check in checks)
    code = ExitCode.FINDINGS if problems else ExitCode.OK
    rows = [(check.name, check.status, check.detail, check.hint) for check in checks]
    run: dict[str, object] | None = None if online is None else {kind: online.rpartition(":")[2]}
    if run is not None and kind == "source":
        run["records"] = list(records)
    output.write(
        ctx, output.Result("segctl/doctor/1", COLUMNS, rows, noun="checks", is_report=True, run=run, exit=code)
    )
    if ctx.format == "table":
        for record in records:
            text = json.dumps(record, ensure_ascii=False)
            messages.notice(ctx, f"record: {text if len(text) <= LONGEST else text[:LONGEST] + ' …'}")
        if any(len(json.dumps(record, ensure_ascii=False)) > LONGEST for record in records):
            messages.notice(ctx, "long records are cut; `--json` has them whole")
    if is_masked:
        messages.notice(ctx, "values are hidden that can be personal data; `--show-personal` shows them")
    word = "nothing in the way" if not problems else f"{problems} in the way"
    messages.notice(ctx, word)
    return code
