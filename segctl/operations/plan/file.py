"""A plan as data that can be kept and carried out: what it was made from, what it promises, and whether it still holds.

The file holds counts, digests and, for each reason, a few profile ids as examples. It does not hold who is a member:
`apply` evaluates again from the same inputs and compares digests, so that the plan is carried out exactly or not at
all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl import __version__
from segctl.compile.selection import Selection
from segctl.compile.suggest import one_of
from segctl.model.conditions import SegmentDefinition
from segctl.model.dataclass import dataclass
from segctl.model.errors import DataError, IntegrityError, LocalIOError, Refused, UsageError
from segctl.operations.apply import Allowed
from segctl.operations.guards import GUARDS, Allowance
from segctl.operations.lists import list_digest
from segctl.operations.pauses import stale_pauses
from segctl.operations.plan.push import saved_pushes
from segctl.operations.provenance import zone_digest

if TYPE_CHECKING:
    from segctl.operations.plan.plan import Plan
    from segctl.operations.session import Session

SCHEMA = "segctl/plan/1"
_MOST_BYTES = 64 * 1024 * 1024
_QUIET_COMMITS = ("run", "lists", "compact", "vacuum")
"""Commits that bring nothing new about people."""
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan read from a file.

    Attributes:
        id: Digest of everything below.
        segments: That it evaluates.
        last_run: Id of the newest run in force when it was made; None for none.
        definitions: Every segment → digest of its meaning.
        settings: Every segment → digest of what decides beside its meaning: guards, `fresh`, end, status, former names.
        lists: List file → digest.
        members: Segment → digest of its membership.
        against: Git revision that it compares with; such a plan cannot be carried out.
        push: What a push would do afterwards, one entry per audience, as `plan_push.saved_pushes` writes it.
    """

    id: str
    project: str
    environment: str
    as_of: datetime
    snapshot: int
    segments: tuple[str, ...]
    last_run: str | None
    definitions: Mapping[str, str]
    settings: Mapping[str, str]
    lists: Mapping[str, str]
    zone_data: str | None
    members: Mapping[str, str]
    allowed: Allowed
    selection: Selection
    engine: str
    against: str | None
    push: tuple[Mapping[str, Any], ...] = ()


def saved_form(session: Session, plan: Plan) -> dict[str, Any]:
    """What `apply` needs of a plan, as JSON values; ``id`` is the digest of the rest."""
    segments = session.definitions.segments
    made = {
        "project": session.project.name,
        "environment": session.project.environment,
        "as_of": plan.as_of.isoformat(),
        "snapshot": plan.snapshot,
        "segments": list(plan.names),
        "last_run": None if plan.last is None else plan.last.id,
        "definitions": {name: segment.digest for name, segment in segments.items()},
        "settings": {name: _settings(segment) for name, segment in segments.items()},
        "lists": dict(sorted(session.lists.digests.items())),
        "zone_data": zone_digest(session.project.timezone),
        "members": {s.segment: s.members for s in plan.segments if s.members is not None},
        "allowed": [
            {"guard": one.guard, "limit": str(one.limit), "segment": one.segment} for one in plan.allowed.limits
        ],
        "reason": plan.allowed.reason,
        "select": list(plan.selection.select),
        "exclude": list(plan.selection.exclude),
        "engine": plan.engine,
        "tool_version": __version__,
        "against": None if plan.against is None else {"revision": plan.against[0], "commit": plan.against[1]},
    }
    if plan.pushes:
        made["push"] = saved_pushes(plan.pushes)
    return {"id": _id(made), **made}


def _settings(segment: SegmentDefinition) -> str:
    text = repr((segment.guards, segment.status, segment.formerly, segment.fresh, segment.stale, segment.expires))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _id(made: Mapping[str, Any]) -> str:
    text = json.dumps({key: value for key, value in made.items() if key != "id"}, sort_keys=True)
    return "p" + hashlib.sha256(text.encode()).hexdigest()[:12]


def read_plan(path: Path) -> SavedPlan:
    """The plan in a file that `segctl plan -o FILE` wrote.

    Raises:
        UsageError: No plan, or one of another form.
        IntegrityError: It was changed since it was written.
    """
    found = _document(path)
    schema = str(found.get("schema", ""))
    if schema.startswith("segctl/plan/") and schema != SCHEMA:
        raise UsageError(
            "SEG572", f"`{path}` is a plan of the form {schema}, and this segctl reads {SCHEMA}",
            hint="make a new plan with this version, or use the version that wrote it",
        )  # fmt: skip
    made = found.get("plan")
    if schema != SCHEMA or not isinstance(made, dict):
        raise _no_plan(path)
    if made.get("id") != _id(made):
        raise IntegrityError(
            "SEG573", f"`{path}` was changed after `plan` wrote it; nothing was changed",
            hint="make a new plan; limits are set with `--allow`, not in the file",
        )  # fmt: skip
    with suppress(KeyError, TypeError, ValueError, ArithmeticError):
        return _bound(made)
    raise _no_plan(path)


def _document(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _no_plan(path)
        found = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        hint = (
            f"a segment is named so: `segctl apply -s {path}`"
            if path.suffix != ".json"
            else "write one: `segctl plan -o plan.json`"
        )
        raise UsageError("SEG572", f"there is no plan `{path}`", hint=hint) from error
    except OSError as error:
        raise LocalIOError("SEG572", f"`{path}` cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise _no_plan(path) from error
    if not isinstance(found, dict):
        raise _no_plan(path)
    return found


def _no_plan(path: Path) -> UsageError:
    return UsageError("SEG572", f"`{path}` holds no plan", hint="write one: `segctl plan -o plan.json`")


def _bound(made: Mapping[str, Any]) -> SavedPlan:
    limits = tuple(_allowance(one) for one in made["allowed"])
    as_of = datetime.fromisoformat(made["as_of"])
    if as_of.tzinfo is None:
        raise ValueError("without a zone")
    if not set(made["segments"]) <= set(made["definitions"]):
        raise ValueError("segments without a definition")
    return SavedPlan(
        id=str(made["id"]),
        project=str(made["project"]),
        environment=str(made["environment"]),
        as_of=as_of,
        snapshot=int(made["snapshot"]),
        segments=tuple(str(name) for name in made["segments"]),
        last_run=made["last_run"],
        definitions=dict(made["definitions"]),
        settings=dict(made["settings"]),
        lists=dict(made["lists"]),
        zone_data=made["zone_data"],
        members=dict(made["members"]),
        allowed=Allowed(limits, made["reason"]),
        selection=Selection(tuple(made["select"]), tuple(made["exclude"])),
        engine=str(made["engine"]),
        against=None if made["against"] is None else str(made["against"]["revision"]),
        push=tuple({str(key): value for key, value in one.items()} for one in made.get("push", ())),
    )


def _allowance(one: Mapping[str, Any]) -> Allowance:
    if one["guard"] not in GUARDS:
        raise ValueError(one["guard"])
    if not Decimal(one["limit"]).is_finite():
        raise ValueError(one["limit"])
    return Allowance(str(one["guard"]), Decimal(one["limit"]), one["segment"])


# --- Does it still hold? ----------------------------------------------------------------------------------
def refuse_stale(session: Session, plan: SavedPlan) -> None:
    """Do nothing, unless something is otherwise than when the plan was made.

    Raises:
        UsageError: It is a plan of another project or environment, or none that can be carried out.
        Refused: It is stale; all that has changed is told.
    """
    refuse_elsewhere(session, plan)
    if plan.against is not None:
        raise UsageError(
            "SEG575", f"the plan compares with `{plan.against}`, not with what is in force, so it cannot be applied",
            hint="make one without `--against`",
        )  # fmt: skip
    found = [*_other_definitions(session, plan), *_other_inputs(session, plan)]
    if found:
        raise Refused(
            "SEG570", "the plan is stale; nothing was changed", why="; ".join(found),
            hint="make a new plan and look at it: `segctl plan -o plan.json`",
        )  # fmt: skip


def refuse_elsewhere(session: Session, plan: SavedPlan) -> None:
    """Do nothing, unless the plan is for another project or environment.

    Raises:
        UsageError: It is.
    """
    project = session.project
    if (plan.project, plan.environment) != (project.name, project.environment):
        raise UsageError(
            "SEG574", f"the plan is for `{plan.project}` in the environment `{plan.environment}`, and this is "
            f"`{project.name}` in `{project.environment}`",
            hint=f"name the environment: `--env {plan.environment}`" if plan.project == project.name else None,
        )  # fmt: skip


def _other_definitions(session: Session, plan: SavedPlan) -> Iterator[str]:
    segments = session.definitions.segments
    come, gone = segments.keys() - plan.definitions.keys(), plan.definitions.keys() - segments.keys()
    yield from (f"{_named(sorted(names))} {word} since" for names, word in ((come, "came"), (gone, "went")) if names)
    there = [name for name in plan.segments if name in segments]
    changed = [name for name in there if segments[name].digest != plan.definitions.get(name)]
    if changed:
        yield f"{_named(changed)} {'means' if len(changed) == 1 else 'mean'} something else since"
    settings = [name for name in there if name not in changed and _settings(segments[name]) != plan.settings.get(name)]
    if settings:
        yield f"guards or status of {_named(settings)} are others since"


def _other_inputs(session: Session, plan: SavedPlan) -> Iterator[str]:
    for name, digest in sorted(plan.lists.items()):
        with suppress(DataError):
            if list_digest(session.lists.content(name)) == digest:
                continue
        yield f"the list `{name}` is another one since"
    if plan.zone_data != zone_digest(session.project.timezone):
        yield "the rules of the time zone are others since"
    stopped = stale_pauses(session.workspace, plan.segments, session.definitions.segments)
    if stopped:
        yield f"{_named(stopped)} {'is' if len(stopped) == 1 else 'are'} paused since"
    rows = session.workspace.query("SELECT id FROM runs WHERE status IN ('ok', 'partial') ORDER BY number DESC LIMIT 1")
    last = rows[0]["id"] if rows else None
    if last != plan.last_run:
        yield f"the run {last} came since" if last else "the run that it was compared with is gone"
    marks = ", ".join("?" * len(_QUIET_COMMITS))
    news = session.workspace.query(
        f"SELECT DISTINCT kind FROM commits WHERE seq > ? AND kind NOT IN ({marks}) ORDER BY kind",
        (plan.snapshot, *_QUIET_COMMITS),
    )
    if plan.snapshot > session.workspace.snapshot():
        yield "the data that it was made from are not here"
    elif news:
        yield f"new data came since ({', '.join(row['kind'] for row in news)})"


def _named(names: list[str]) -> str:
    return (
        one_of(names) if len(names) <= _SHOWN else f"{one_of(names[:_SHOWN], last=',')} and {len(names) - _SHOWN} more"
    )
