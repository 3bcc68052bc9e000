'''One file a verb. A verb is thin: options, one operation, one `output.write`.

To add a verb: one file here, one line in `cli/table.py`, one test. The pattern::

    """Count a definition, leaf by leaf."""

    from __future__ import annotations

    from typing import Annotated

    from segctl.cli import messages, output
    from segctl.cli.context import Context
    from segctl.cli.options import CHANGES, SELECTION, Argument, Option, verb
    from segctl.model.exits import ExitCode

    EXAMPLES = (
        ("segctl size winback", "How many people a saved segment holds."),
        ("segctl size draft.yaml -f json", "The same for a file that is not part of the project."),
    )
    EXITS = {3: "an input breaks its contract"}       # only codes that need words here; 0 and 2 are added
    SEE_ALSO = ("segctl help windows", "segctl explain --help")


    @verb(without=(*SELECTION, *CHANGES))              # shared options that make no sense for this verb
    def command(
        ctx: Context,
        segment: Annotated[str, Argument("SEGMENT|FILE", help="A saved segment or a file.", complete="segments")],
        leaves: Annotated[bool, Option("--leaves", help="Show every leaf too.")] = False,
    ) -> ExitCode | None:
        """Count a definition, saved or not, leaf by leaf.

        The first paragraphs of this docstring are the purpose in `segctl size --help`.
        """
        from segctl.operations import size  # heavy imports only inside

        found = size.size(ctx.project, segment, env=ctx.env, as_of=ctx.as_of, now=ctx.now, progress=listener(ctx))
        output.write(ctx, output.Result("segctl/size/1", columns=(...), rows=found.rows, noun="conditions"))
        messages.notice(ctx, "next: segctl apply")
        return None                                     # or an ExitCode

Rules: `from __future__ import annotations` is fine, but the types in `Annotated` must be importable at run time
(str, int, float, bool, `list[str]`, `| None`). A list arrives as a tuple. `choices=` limits values. `complete=` is
one of segments, traits, events, sources, tags, runs, things (``segment:…`` and so on), environments, selections,
topics, verbs, files, folders. Errors are raised (`model.errors`), never printed. Long work reports to
`segctl.cli.progress.listener(ctx)`. Questions go through `segctl.cli.questions.confirm(ctx, …)`. The instant of the
call is `ctx.now`; nobody else reads the clock. Findings (lint, doctor, config validate) are written by
`output.findings(ctx, schema, diagnostics, files=n, root=folder)`, which returns the exit code.
'''
