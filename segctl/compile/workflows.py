"""Binding of `workflows/*.yaml` against the rest of a project, and what workflows have to do with it."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Lookup
from dataclasses import replace

from segctl.compile.bind.scope import Scope
from segctl.compile.bind.workflows import bind_workflow
from segctl.compile.bind.workflows_steps import Known
from segctl.compile.definition_files import DefinitionFile
from segctl.compile.digest import workflow_digest
from segctl.compile.files import misnamed_files
from segctl.compile.source import Mapping, Node, Scalar, compose
from segctl.compile.suggest import one_of
from segctl.model.diagnostics import Diagnostic, Location, Severity, has_errors
from segctl.model.project import Definitions
from segctl.model.workflows import Act, Workflow
from segctl.model.workflows import Node as Step

FOLDER = "workflows"


def bind_workflows(
    definitions: Definitions, files: Lookup[str, DefinitionFile], scope: Scope
) -> tuple[dict[str, Workflow], list[Diagnostic]]:
    """The workflows of a project by name, in order of name, and everything that is wrong with them.

    Args:
        definitions: Segments, traits, destinations and experiments, bound.
        files: Every file of the project by path; those of `workflows/` are looked at.
        scope: All that they may refer to; its findings are those of the workflows afterwards.
    """
    found: dict[str, Workflow] = {}
    places: dict[str, Location] = {}
    known = _known(definitions, files)
    for path, file in files.items():
        if not path.startswith(f"{FOLDER}/") or file.root is None:
            continue
        bound = bind_workflow(file.root, scope, known)
        name, place = _name_of(file.root)
        if name is not None and name in places:
            why = f"it stands already in {places[name].file}"
            message = f"the workflow `{name[:60]}` is declared twice"
            scope.error("SEG670", message, place, why=why, hint="rename one of them, or delete it")
            continue
        if name is not None:
            places[name] = place
        if bound is not None:
            digest = workflow_digest(bound, definitions.project)
            found[bound.name] = replace(bound, digest=digest, text=file.content)
    found = dict(sorted(found.items()))
    findings = [*misnamed_files(definitions.project, FOLDER), *scope.diagnostics]
    for workflow in found.values():
        findings += _checked(workflow, definitions)
    return found, findings


def bind_workflow_text(text: bytes, name: str, definitions: Definitions, scope: Scope) -> Workflow | None:
    """A version of a workflow as it was kept; None when it does not bind any more.

    Args:
        text: The file's content.
        name: Of the workflow.
        definitions: What it refers to, as it is today.
        scope: Of those.
    """
    node, found = compose(text, f"{FOLDER}/{name}.yaml")
    if node is None or has_errors(found):
        return None
    bound = bind_workflow(node, scope, _known(definitions, {}))
    return None if bound is None else replace(bound, digest=workflow_digest(bound, definitions.project), text=text)


def _known(definitions: Definitions, files: Lookup[str, DefinitionFile]) -> Known:
    # A destination with a mistake has a name too: workflows should not be blamed as well.
    stems = {path.split("/")[-1].removesuffix(".yaml"): "" for path in files if path.startswith("destinations/")}
    kinds = {name: one.kind for name, one in definitions.destinations.items()}
    purposes = [purpose.name for purpose in definitions.project.purposes]
    return Known(stems | kinds, definitions.experiments, purposes)


def _name_of(root: Node) -> tuple[str | None, Location]:
    name = root.get("workflow") if isinstance(root, Mapping) else None
    is_text = isinstance(name, Scalar) and not name.is_null
    return (name.text.strip(), name.location) if is_text and isinstance(name, Scalar) else (None, root.location)


# --- What it has to do with the rest ------------------------------------------------------------------------
def _checked(workflow: Workflow, definitions: Definitions) -> Iterator[Diagnostic]:
    acts = list(workflow.actions)
    if not acts:
        hint = "add a step such as `- mail: TEMPLATE`"
        message = f"`{workflow.name}` does nothing to anybody"
        yield Diagnostic("SEG680", Severity.WARNING, message, workflow.location, hint=hint)
    for node, act in acts:
        yield from _purpose(workflow, node, act, definitions)
        if act.kind in ("add", "remove"):
            yield from _shared_audience(node, act, definitions)
    yield from _unreached(workflow)


def _purpose(workflow: Workflow, node: Step, act: Act, definitions: Definitions) -> Iterator[Diagnostic]:
    """Nobody is told anything without a purpose that the destination is declared for."""
    if act.destination is None or act.kind == "remove":
        return
    if act.purpose is None:
        message = f"the step `{node.id}` of `{workflow.name}` has no purpose, so nobody may be told"
        yield Diagnostic("SEG678", Severity.ERROR, message, node.location, hint="add `purpose: NAME` to the workflow")
        return
    destination = definitions.destinations.get(act.destination)
    if destination is not None and act.purpose not in destination.purposes:
        allowed = one_of(destination.purposes) if destination.purposes else "nothing"
        message = f"`{act.destination}` is not declared for the purpose `{act.purpose}`"
        hint = f"add it to `purposes` of the destination, or name another `purpose` for the step `{node.id}`"
        why = f"it is for {allowed}"
        yield Diagnostic("SEG678", Severity.ERROR, message, node.location, why=why, hint=hint)


def _shared_audience(node: Step, act: Act, definitions: Definitions) -> Iterator[Diagnostic]:
    """A push that mirrors a segment into the same audience would undo what the workflow does."""
    destination = definitions.destinations.get(act.destination or "")
    if destination is None:
        return
    names = dict(destination.audiences)
    for segment in definitions.segments.values():
        if destination.name in segment.send_to and act.audience in (segment.name, names.get(segment.name)):
            message = f"the audience `{act.audience}` is filled by the push of `{segment.name}` too"
            why = "whoever the workflow puts in, the next push takes out"
            hint = "give the workflow an audience of its own"
            yield Diagnostic("SEG679", Severity.ERROR, message, node.location, why=why, hint=hint)


def _unreached(workflow: Workflow) -> Iterator[Diagnostic]:
    """Steps that no way leads to: what stands behind a `stop`."""
    todo, seen = [workflow.first], set[str]()
    while todo:
        step = todo.pop()
        node = workflow.node(step)
        if node is not None and step not in seen:
            seen.add(step)
            todo.extend(to for _, to in node.ways)
    for node in workflow.nodes:
        if node.id not in seen:
            message = f"no way leads to the step `{node.id}` of `{workflow.name}`"
            yield Diagnostic("SEG681", Severity.WARNING, message, node.location, hint="delete it, or the `stop` before")
            return
