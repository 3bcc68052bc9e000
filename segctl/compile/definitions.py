"""All definitions of a project: files found, read and bound together, with every problem of every file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from segctl.compile.audiences import with_audiences
from segctl.compile.bind import forms
from segctl.compile.bind.declarations import RESERVED_TRAITS, is_reserved
from segctl.compile.bind.for_each import no_sisters, sisters
from segctl.compile.bind.scope import Scope
from segctl.compile.bind.scores import written_out
from segctl.compile.bind.segments import bind_segment
from segctl.compile.computed import BREAK, ComputedTraits, circle
from segctl.compile.definition_files import DefinitionFile, read_definition_files
from segctl.compile.destinations import bind_destinations
from segctl.compile.digest import segment_digest
from segctl.compile.files import misnamed_files, source_names
from segctl.compile.finished import finished, trait_digests
from segctl.compile.missing_lists import missing_lists
from segctl.compile.places.check import check_places
from segctl.compile.references import cycle_in, references
from segctl.compile.source import Mapping as MappingNode
from segctl.compile.source import Node, Scalar, compose
from segctl.model.conditions import SegmentDefinition
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Diagnostic, Location, Severity, in_reading_order
from segctl.model.project import Definitions, Project

BOUND = ("segments", "traits", "destinations", "experiments", "workflows", "content")
"""Folders whose files are bound together."""


@dataclass(frozen=True, slots=True)
class _SegmentFile:
    """A composed segment file and the name it gives; one of several where `for_each` makes sisters."""

    node: Node
    name: Scalar | None
    is_sister: bool = False


def load_definitions(project: Project) -> tuple[Definitions, list[Diagnostic]]:
    """Bind every file under `segments/`, `traits/`, `destinations/`, `experiments/`, `workflows/` and `content/`.

    Returns:
        The definitions that are right, together with all they refer to, and all problems in reading order. Settings
        of destinations are not yet those of their kinds; see `compile.destinations`.
    """
    files, found = read_definition_files(project, BOUND)
    definitions, more = bind_files(project, files)
    return definitions, list(in_reading_order([*found, *more]))


def bind_files(project: Project, files: Mapping[str, DefinitionFile]) -> tuple[Definitions, list[Diagnostic]]:
    """Bind the files of `BOUND` that were read; what is wrong with their form is known already."""
    diagnostics = [found for folder in ("segments", "traits") for found in misnamed_files(project, folder)]
    segments, traits = (
        [file.root for path, file in files.items() if path.startswith(folder) and file.root is not None]
        for folder in ("segments/", "traits/")
    )
    definitions, found = bind_definitions(project, segments, traits, inputs=source_names(project))
    destinations, in_destinations = bind_destinations(definitions, files)
    definitions, in_audiences = with_audiences(replace(definitions, destinations=destinations))
    definitions, in_experiments = _with_experiments(definitions, files)
    definitions, in_content = _with_content(definitions, files)
    definitions, in_workflows = _with_workflows(definitions, files)
    if definitions.workflows and definitions.experiments:
        from segctl.compile.experiments import beside_workflows

        in_experiments = beside_workflows(in_experiments, definitions)
    found += [*missing_lists(definitions), *check_places(project), *in_destinations, *in_audiences, *in_experiments]
    return definitions, [*diagnostics, *found, *in_content, *in_workflows]


def _with_experiments(
    definitions: Definitions, files: Mapping[str, DefinitionFile]
) -> tuple[Definitions, list[Diagnostic]]:
    if not any(path.startswith("experiments/") for path in files):
        return definitions, list(misnamed_files(definitions.project, "experiments"))
    # Most projects and most commands do without.
    from segctl.compile.experiments import bind_experiments

    experiments, found = bind_experiments(definitions, files, scope_of(definitions))
    return replace(definitions, experiments=experiments), found


def _with_content(
    definitions: Definitions, files: Mapping[str, DefinitionFile]
) -> tuple[Definitions, list[Diagnostic]]:
    if not (Path(definitions.project.root) / "content").is_dir():
        return definitions, []
    from segctl.compile.content import bind_content

    content, found = bind_content(definitions, files, scope_of(definitions))
    return replace(definitions, content=content), found


def _with_workflows(
    definitions: Definitions, files: Mapping[str, DefinitionFile]
) -> tuple[Definitions, list[Diagnostic]]:
    if not any(path.startswith("workflows/") for path in files):
        return definitions, list(misnamed_files(definitions.project, "workflows"))
    from segctl.compile.workflows import bind_workflows

    workflows, found = bind_workflows(definitions, files, scope_of(definitions))
    return replace(definitions, workflows=workflows), found


def bind_definitions(
    project: Project, segment_roots: Iterable[Node], trait_roots: Iterable[Node], *, inputs: tuple[str, ...] = ()
) -> tuple[Definitions, list[Diagnostic]]:
    """Bind composed files together.

    Args:
        project: What is declared.
        segment_roots: Roots of segment files, in order of their paths.
        trait_roots: Roots of traits files, in order of their paths.
        inputs: Names of sources, which `fresh` may speak of.
    """
    scope = Scope(project, inputs=inputs)
    segment_files = [
        _SegmentFile(sister.node, _name_node(sister.node), sister.is_written_out)
        for root in segment_roots
        for sister in sisters(root, scope)
    ]
    trait_nodes = _trait_nodes(trait_roots, scope)
    _check_segment_names(segment_files, scope)
    computed = ComputedTraits(scope, trait_nodes)
    scope.computed = tuple(trait_nodes)
    scope.computed_type = computed.type_of
    scope.segments = frozenset(file.name.text.strip() for file in segment_files if file.name is not None)
    computed.bind_all()
    segments: dict[str, SegmentDefinition] = {}
    for file in segment_files:
        bound = bind_segment(file.node, scope)
        if bound is not None:
            segments.setdefault(bound.name, bound)
    _check_formerly(segments, scope)
    _report_cycles(segments, scope)
    definitions = finished(project, segments, computed.bound)
    # What one entry declares several times, as `rfm` does, is told once.
    return definitions, list(in_reading_order(dict.fromkeys(scope.diagnostics)))


def bind_segment_text(
    text: str | bytes, file: str, definitions: Definitions
) -> tuple[SegmentDefinition | None, list[Diagnostic]]:
    """Bind one segment that is not (or not as it stands) in the project, as `size FILE` does.

    Args:
        text: Content of the file.
        file: Name for positions; its stem names the segment when the text does not.
        definitions: What it may refer to.

    Returns:
        The segment with its digest, None when something is wrong, and all problems.
    """
    node, diagnostics = compose(text, file)
    if node is None:
        return None, diagnostics
    scope = scope_of(definitions)
    scope.diagnostics.extend(diagnostics)
    bound = bind_segment(node, scope, default_name=Path(file).stem) if no_sisters(node, scope) else None
    if bound is not None:
        graph = {name: references(other.where).segments for name, other in definitions.segments.items()}
        graph[bound.name] = references(bound.where).segments
        for cycle in cycle_in(graph):
            _report_cycle(cycle, bound.location or node.location, scope)
    if bound is None or any(d.severity is Severity.ERROR for d in scope.diagnostics):
        return None, list(in_reading_order(scope.diagnostics))
    digests = {name: segment.digest for name, segment in definitions.segments.items()}
    computed = trait_digests(definitions.computed, definitions.project)
    digest = segment_digest(bound, definitions.project, segments=digests, computed=computed)
    return replace(bound, digest=digest), list(in_reading_order(scope.diagnostics))


def bind_sisters_text(
    text: str | bytes, file: str, definitions: Definitions
) -> tuple[dict[str, SegmentDefinition] | None, list[Diagnostic]]:
    """Bind the segments of one file with `for_each` that is not (or not as it stands) in the project.

    Args:
        text: Content of the file.
        file: Name for positions.
        definitions: What they may refer to.

    Returns:
        The segments by name, in order of the items, none where something is wrong; None for a file that has no
        `for_each`; and all problems.
    """
    node, diagnostics = compose(text, file)
    if not isinstance(node, MappingNode) or node.key("for_each") is None:
        return None, diagnostics
    scope = scope_of(definitions)
    scope.diagnostics.extend(diagnostics)
    files = [_SegmentFile(one.node, _name_node(one.node), one.is_written_out) for one in sisters(node, scope)]
    _check_segment_names(files, scope)
    names = {of.name.text.strip() for of in files if of.name is not None}
    scope.segments = frozenset({*definitions.segments, *names})
    bound = {one.name: one for of in files if (one := bind_segment(of.node, scope)) is not None}
    _report_cycles({**definitions.segments, **bound}, scope)
    problems = list(in_reading_order(dict.fromkeys(scope.diagnostics)))
    return {} if any(found.severity is Severity.ERROR for found in problems) else bound, problems


def scope_of(definitions: Definitions) -> Scope:
    """Everything that a further definition may refer to."""
    types = {name: trait.type for name, trait in definitions.computed.items()}
    return Scope(
        definitions.project,
        segments=frozenset(definitions.segments),
        computed=tuple(types),
        computed_type=types.get,
        inputs=source_names(definitions.project),
    )


# --- Files ------------------------------------------------------------------------------------------------
def _name_node(node: Node) -> Scalar | None:
    name = node.get("segment") if isinstance(node, MappingNode) else None
    return name if isinstance(name, Scalar) and not name.is_null else None


def _check_segment_names(files: Iterable[_SegmentFile], scope: Scope) -> None:
    seen: dict[str, Location] = {}
    for file in files:
        if file.name is None:
            continue
        name, place = file.name.text.strip(), file.name.location
        if name in seen:
            message = f"the segment `{name[:60]}` is defined twice"
            why = f"it stands already in {seen[name].file}"
            scope.error("SEG219", message, place, why=why, hint="rename one of them, or delete it")
            continue
        seen[name] = place
        if not file.is_sister and Path(place.file).stem != name and forms.NAME.fullmatch(name):
            message = f"the segment `{name}` stands in a file of another name"
            hint = f"rename the file to `{name}.yaml`, or the segment to `{Path(place.file).stem}`"
            scope.warn("SEG218", message, place, hint=hint)


def _trait_nodes(roots: Iterable[Node], scope: Scope) -> dict[str, tuple[Scalar, Node]]:
    found: dict[str, tuple[Scalar, Node]] = {}
    for root in roots:
        file = forms.mapping(root, scope, "a traits file", hint="begin with `traits:`")
        if file is None:
            continue
        forms.check_keys(file, ("traits",), scope, "a traits file")
        listed = forms.required(file, "traits", scope, "the file", example="traits:")
        entries = forms.mapping(listed, scope, "`traits`", hint="write `NAME: {…}`") if listed is not None else None
        for key, node in entries.entries if entries is not None else ():
            if forms.name(key, scope, "a trait's name") is None or is_reserved(key.text, key, scope, RESERVED_TRAITS):
                continue
            for name, of in written_out(key, node, scope):
                if name.text in scope.traits or name.text in found:
                    first = found[name.text][0].location.file if name.text in found else "segctl.yaml"
                    message = f"the trait `{name.text}` is defined twice"
                    why = f"it stands already in {first}"
                    scope.error("SEG219", message, name.location, why=why, hint="rename one of them, or delete it")
                    continue
                found[name.text] = (name, of)
    return found


def _report_cycle(cycle: tuple[str, ...], place: Location, scope: Scope) -> None:
    scope.error("SEG224", circle(cycle, "segment"), place, hint=BREAK)


def _report_cycles(segments: Mapping[str, SegmentDefinition], scope: Scope) -> None:
    graph = {name: references(segment.where).segments for name, segment in segments.items()}
    for cycle in cycle_in(graph):
        place = segments[cycle[0]].location
        if place is not None:
            _report_cycle(cycle, place, scope)


def _check_formerly(segments: Mapping[str, SegmentDefinition], scope: Scope) -> None:
    owners: dict[str, str] = {}
    for name, segment in segments.items():
        for old in segment.formerly:
            other = old if old in segments else owners.get(old)
            if other is not None and segment.location is not None:
                message = f"`{name}` was `{old}` formerly, but `{other}` has that name"
                scope.error("SEG219", message, segment.location, hint="only one segment can keep a membership")
            owners.setdefault(old, name)
