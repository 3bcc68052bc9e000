"""Print a JSON Schema that ships with segctl."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from segctl.cli import output
from segctl.cli.context import Context
from segctl.cli.options import CHANGES, PROJECT, SELECTION, TIME, Argument, verb
from segctl.model.errors import UsageError

EXAMPLES = (
    ("segctl schema", "Lists the schemas."),
    ("segctl schema segment -o segment.schema.json", "Writes the schema of segment files for an editor."),
)
SEE_ALSO = ("segctl config validate", "segctl help formats")
_FOLDER = Path(__file__).resolve().parents[2] / "compile" / "schemas"


@verb(without=(*SELECTION, *CHANGES, *TIME, *PROJECT), formats=("table", "json", "ndjson", "csv", "ids"))
def command(
    ctx: Context,
    name: Annotated[str | None, Argument("NAME", help="Which schema; without it, a list.", complete="schemas")] = None,
) -> None:
    """Print a JSON Schema (draft 2020-12) for editors and checkers.

    With one, an editor completes keys and marks mistakes while you type.
    """
    from difflib import get_close_matches

    found = names()
    if name is None:
        rows = [(schema, f"segctl schema {schema}") for schema in found]
        columns = (output.Column("name", "schema"), output.Column("command"))
        output.write(ctx, output.Result("segctl/schemas/1", columns, rows, noun="schemas", ids_column="name"))
        return
    if name not in found:
        near = get_close_matches(name, found, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(found) or 'none'}"
        raise UsageError("SEG106", f"there is no schema `{name}`", hint=hint)
    output.write_bytes(ctx, (_FOLDER / f"{name}.json").read_bytes())


def names() -> list[str]:
    """Names of the schemas in the package, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.json"))
