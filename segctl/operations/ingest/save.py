"""Writes a proposed declaration down: its own file, and what segctl.yaml lacks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from segctl.model.errors import UsageError
from segctl.operations.ingest.propose import declarations_text, trait_words

if TYPE_CHECKING:
    from segctl.model.project import Project
    from segctl.operations.ingest.propose import Proposal


def save_proposal(project: Project, proposal: Proposal) -> tuple[list[str], bool]:
    """Writes ``sources/NAME.yaml`` and adds what lacks to segctl.yaml where that is safe.

    Returns:
        What it did, in sentences, and whether everything that is needed is declared now.

    Raises:
        UsageError: The file is there already.
    """
    from segctl.compile.project_edit import add_declarations

    root = Path(project.root)
    path = root / "sources" / f"{proposal.name}.yaml"
    if path.exists():
        shown = path.relative_to(root).as_posix()
        raise UsageError("SEG318", f"`{shown}` is there already", hint="edit it, or rename it first")
    path.parent.mkdir(exist_ok=True)
    identifiers = {name: f"{{class: {known}}}" for name, known in proposal.identifiers.items()}
    traits = {name: trait_words(name, of) for name, of in proposal.traits.items()}
    lacking = {"identifiers": identifiers, "traits": traits}
    lacking["events"] = {n: f"{{properties: {_flow(of)}}}" for n, of in proposal.events.items()}
    said: list[str] = []
    is_complete = not proposal.properties
    project_file = root / "segctl.yaml"
    before = project_file.read_text(encoding="utf-8")
    after = add_declarations(before, {section: entries for section, entries in lacking.items() if entries})
    if after is None:
        is_complete = False
        said += ["segctl.yaml is written in a way that is left to you; add this:", *proposal.declarations.splitlines()]
    elif after != before:
        project_file.write_text(after, encoding="utf-8")
        added = [name for entries in lacking.values() for name in entries]
        said.append(f"segctl.yaml: added {', '.join(f'`{name}`' for name in added)}")
    if proposal.properties:
        said.append("add these properties to the events in segctl.yaml:")
        said += declarations_text({}, {}, proposal.properties, {}).splitlines()
    path.write_text(proposal.yaml, encoding="utf-8")
    said.append(f"wrote {path.relative_to(root).as_posix()}")
    return said, is_complete


def _flow(properties: dict[str, str]) -> str:
    return "{" + ", ".join(f"{name}: {of}" for name, of in properties.items()) + "}"
