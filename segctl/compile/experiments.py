"""Binding of `experiments/*.yaml` against the rest of a project, and what experiments have to do with one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Lookup
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from segctl.compile.bind.experiments import SegmentNames, bind_experiment
from segctl.compile.bind.scope import Scope
from segctl.compile.definition_files import DefinitionFile
from segctl.compile.files import misnamed_files
from segctl.compile.source import Mapping, Node, Scalar
from segctl.compile.suggest import one_of
from segctl.model.conditions.segments import SegmentDefinition
from segctl.model.diagnostics import Diagnostic, Location, Severity
from segctl.model.experiments import ARM, Experiment
from segctl.model.project import Definitions
from segctl.model.workflows import Split

FOLDER = "experiments"
_NOWHERE = "SEG953"


def bind_experiments(
    definitions: Definitions, files: Lookup[str, DefinitionFile], scope: Scope
) -> tuple[dict[str, Experiment], list[Diagnostic]]:
    """The experiments of a project by name, in order of name, and everything that is wrong with them.

    Args:
        definitions: Segments, traits and destinations, bound.
        files: Every file of the project by path; those of `experiments/` and names of `segments/` are looked at.
        scope: All that they may refer to; its findings are those of the experiments afterwards.
    """
    found: dict[str, Experiment] = {}
    places: dict[str, Location] = {}
    names = _segment_names(definitions, files)
    for path, file in files.items():
        if not path.startswith(f"{FOLDER}/") or file.root is None:
            continue
        bound = bind_experiment(file.root, scope, names)
        name, place = _name_of(file.root)
        if name is not None and name in places:
            why = f"it stands already in {places[name].file}"
            message = f"the experiment `{name[:60]}` is declared twice"
            scope.error("SEG940", message, place, why=why, hint="rename one of them, or delete it")
            continue
        if name is not None:
            places[name] = place
        if bound is not None:
            found[bound.name] = bound
    found = dict(sorted(found.items()))
    findings = [*misnamed_files(definitions.project, FOLDER), *scope.diagnostics]
    findings += [*_same_salt(found), *_overlaps(found), *_same_segment(found), *_destinations(found, definitions)]
    return found, findings


def _segment_names(definitions: Definitions, files: Lookup[str, DefinitionFile]) -> SegmentNames:
    # A segment with a mistake has a name too.
    stems = {Path(path).stem for path in files if path.startswith("segments/")}
    former = {old: name for name, segment in definitions.segments.items() for old in segment.formerly}
    return SegmentNames(frozenset(definitions.segments) | (stems - set(former)), former)


def _name_of(root: Node) -> tuple[str | None, Location]:
    name = root.get("experiment") if isinstance(root, Mapping) else None
    is_text = isinstance(name, Scalar) and not name.is_null
    return (name.text.strip(), name.location) if is_text and isinstance(name, Scalar) else (None, root.location)


def _same_salt(experiments: Lookup[str, Experiment]) -> Iterator[Diagnostic]:
    """Experiments that would share their arms and their record."""
    seen: dict[str, str] = {}
    for one in experiments.values():
        other = seen.setdefault(one.key, one.name)
        if other != one.name:
            message = f"`{one.name}` is hashed by `{one.key}`, as `{other}` is"
            why = "what is on record of one would be taken for the other's"
            hint = "`salt` is the name that this experiment had, and nobody else's"
            yield Diagnostic("SEG940", Severity.ERROR, message, one.location, why=why, hint=hint)


def _overlaps(experiments: Lookup[str, Experiment]) -> Iterator[Diagnostic]:
    """Experiments of one layer whose ranges have units in common; which of them run, only the workspace knows."""
    for one, other in combinations(experiments.values(), 2):
        if one.layer is None or other.layer is None or one.layer.layer != other.layer.layer:
            continue
        low, high = max(one.layer.low, other.layer.low), min(one.layer.high, other.layer.high)
        if low < high:
            shared = f"{(low * 100).normalize():f} % to {(high * 100).normalize():f} %"
            message = f"`{one.name}` and `{other.name}` both have {shared} of the layer `{one.layer.layer}`"
            why = "experiments of one layer have no unit in common, so only one of them can run"
            hint = "set their `range` apart, or stop one before the other starts"
            yield Diagnostic("SEG947", Severity.WARNING, message, other.location, why=why, hint=hint)


def _same_segment(experiments: Lookup[str, Experiment]) -> Iterator[Diagnostic]:
    """Experiments on the same people that nothing keeps apart."""
    by_segment: dict[str, list[Experiment]] = {}
    for one in experiments.values():
        by_segment.setdefault(one.segment, []).append(one)
    for segment, several in by_segment.items():
        for at, one in enumerate(several):
            others = [other.name for other in several[:at] if _may_meet(one, other)]
            if others:
                message = f"`{one.name}` is on the segment `{segment}` like {one_of(others)}, and no layer parts them"
                hint = "give them one `layer` with ranges apart, unless a member may be in both or one is over"
                yield Diagnostic("SEG948", Severity.WARNING, message, one.location, hint=hint)


def _may_meet(one: Experiment, other: Experiment) -> bool:
    return one.layer is None or other.layer is None or one.layer.layer != other.layer.layer


def _destinations(experiments: Lookup[str, Experiment], definitions: Definitions) -> Iterator[Diagnostic]:
    """Whether what the arms are sent can differ."""
    for one in experiments.values():
        segment = definitions.segments.get(one.segment)
        if segment is None:
            continue
        if not segment.send_to:
            message = f"the segment `{one.segment}` of `{one.name}` goes to no destination"
            hint = "add `send_to` to the segment; until then `segctl experiment assign` says who is in which arm"
            yield Diagnostic(_NOWHERE, Severity.NOTE, message, one.location, hint=hint)
        if not all(arm.is_sent for arm in one.arms):
            yield from _updates(one, segment, definitions)
        if sum(arm.is_sent for arm in one.arms) < 2:
            continue
        for name in segment.send_to:
            destination = definitions.destinations.get(name)
            if destination is not None and ARM not in dict(destination.fields).values():
                message = f"`{name}` cannot tell the arms of `{one.name}` apart: nobody sends it the arm"
                hint = f"add `fields: {{variant: {ARM}}}` to the destination"
                yield Diagnostic("SEG954", Severity.WARNING, message, one.location, hint=hint)


def beside_workflows(findings: Sequence[Diagnostic], definitions: Definitions) -> list[Diagnostic]:
    """Findings about experiments, once workflows are known: these send to people of segments that go nowhere else."""
    dealt = {
        node.body.experiment
        for workflow in definitions.workflows.values()
        for node in workflow.nodes
        if isinstance(node.body, Split)
    }
    begins = {one.trigger.segment: one.name for one in reversed(definitions.workflows.values())}
    by_place = {one.location: one for one in definitions.experiments.values()}
    found = []
    for finding in findings:
        one = by_place.get(finding.location) if finding.code == _NOWHERE else None
        if one is None:
            found.append(finding)
        elif one.name not in dealt:
            found.append(_may_be_dealt(finding, one, begins.get(one.segment)))
    return found


def _may_be_dealt(finding: Diagnostic, one: Experiment, workflow: str | None) -> Diagnostic:
    if workflow is None:
        return finding
    message = f"nobody is dealt into the arms of `{one.name}` yet: `{workflow}` does not split by it"
    hint = f"put `split: {{experiment: {one.name}}}` into workflows/{workflow}.yaml when you want it"
    return replace(finding, message=message, hint=hint)


def _updates(one: Experiment, segment: SegmentDefinition, definitions: Definitions) -> Iterator[Diagnostic]:
    """Destinations that leave a control where it is."""
    for name in segment.send_to:
        destination = definitions.destinations.get(name)
        if destination is not None and destination.mode == "update":
            message = f"`{name}` takes nobody out, so a control of `{one.name}` that is there is told like all others"
            hint = "let its `mode` be `mirror` or `add` while the experiment runs, or tell the arms apart by a field"
            yield Diagnostic("SEG972", Severity.WARNING, message, one.location, hint=hint)
