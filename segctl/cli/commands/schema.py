"""Print a JSON Schema that ships with segctl."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from segctl.cli import output
from segctl.cli.context import Context
from segctl.cli.options import CHANGES, SELECTION, TIME, Argument, Option, verb
from segctl.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

EXAMPLES = (
    ("segctl schema", "Lists the schemas."),
    (
        "segctl schema segment --project -o schemas/segment.json",
        "With this project's traits and events, for an editor.",
    ),
)
SEE_ALSO = ("segctl help editor", "segctl config validate", "segctl help formats")
_FOLDER = Path(__file__).resolve().parents[2] / "compile" / "schemas"


@verb(without=(*SELECTION, *CHANGES, *TIME, "project"), formats=("table", "json", "ndjson", "csv", "ids"))
def command(
    ctx: Context,
    name: Annotated[str | None, Argument("NAME", help="Which schema; without it, a list.", complete="schemas")] = None,
    of_project: Annotated[
        bool, Option("--project", help="With the names of the project: traits, events, properties, segments, lists.")
    ] = False,
    folder: Annotated[
        str | None,
        Option(
            "-C",
            metavar="DIR",
            complete="folders",
            variable="SEGCTL_PROJECT",
            help="Folder of the project, for --project; otherwise searched upwards.",
        ),
    ] = None,
) -> None:
    """Print a JSON Schema (draft 2020-12) for editors and checkers.

    With one, an editor completes keys and marks mistakes while you type. `--project` makes it know the project's own
    names, and the operators that each trait's type has.
    """
    found = names()
    if name is None:
        if of_project:
            raise UsageError("SEG106", "`--project` needs the name of a schema", hint="segctl schema segment --project")
        rows = [(schema, f"segctl schema {schema}") for schema in found]
        columns = (output.Column("name", "schema"), output.Column("command"))
        output.write(ctx, output.Result("segctl/schemas/1", columns, rows, noun="schemas", ids_column="name"))
        return
    _check(name, found)
    shipped = (_FOLDER / f"{name}.json").read_bytes()
    output.write_bytes(ctx, _with_names(ctx, name, shipped, Path(folder or ".")) if of_project else shipped)


def _check(name: str, known: Collection[str]) -> None:
    from difflib import get_close_matches

    if name in known:
        return
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(known) or 'none'}"
    raise UsageError("SEG106", f"there is no schema `{name}`", hint=hint)


def _with_names(ctx: Context, name: str, shipped: bytes, folder: Path) -> bytes:
    import json

    from segctl.compile.editor_schema import SCHEMAS
    from segctl.operations.editor import names_of

    if name not in SCHEMAS:
        raise UsageError(
            "SEG106",
            f"the schema `{name}` uses no names of the project",
            hint=f"`--project` is for {', '.join(f'`{one}`' for one in sorted(SCHEMAS))}",
        )
    schema = SCHEMAS[name](json.loads(shipped), names_of(folder, env=ctx.env))
    return (json.dumps(schema, ensure_ascii=False, indent=1) + "\n").encode()


def names() -> list[str]:
    """Names of the schemas in the package, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.json"))
