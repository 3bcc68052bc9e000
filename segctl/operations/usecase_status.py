"""Which journeys a project has, which of them earn, and what to do next."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from segctl.model.dataclass import dataclass
from segctl.model.project import Definitions
from segctl.operations.usecases import USE_CASES, UseCase, package

if TYPE_CHECKING:
    from segctl.operations.session import Session
    from segctl.operations.usecase_earnings import Earnings
    from segctl.stats.values import Interval

Verdict = Literal["earns", "costs", "helps", "harms", "no_difference", "too_early", "not_measured", "not_installed"]
_Limits = tuple[float | None, float | None, float | None]
_NOTHING: _Limits = (None, None, None)
_LEAST_MEMBERS = 20
"""Fewer people are no quick win: neither the money nor the proof."""
_NEXT: dict[str, dict[str, tuple[str, str]]] = {
    "de": {
        "add": ("segctl usecase add {name}", "noch nicht im Projekt"),
        "apply": ("segctl apply", "noch kein Lauf kennt das Segment"),
        "start": ("segctl workflow run --since TIME", "ohne `--since` beginnen nur, die neu dazukommen"),
        "go_on": ("segctl workflow run", "noch ist niemand eingetreten"),
        "wait": ("", "abwarten, bis beide Gruppen groß genug sind"),
        "more": ("", "auf mehr Leute ausweiten, dann {after}"),
        "change": ("segctl workflow pause {name}", "oder Inhalt und Zeitpunkt ändern"),
    },
    "en": {
        "add": ("segctl usecase add {name}", "not in the project yet"),
        "apply": ("segctl apply", "no run knows its segment yet"),
        "start": ("segctl workflow run --since TIME", "without `--since` only newcomers begin"),
        "go_on": ("segctl workflow run", "nobody has entered yet"),
        "wait": ("", "wait until both groups are large enough"),
        "more": ("", "extend it to more people, then {after}"),
        "change": ("segctl workflow pause {name}", "or change content and timing"),
    },
}
"""By language: the command, and why; some steps are no command."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one journey stands.

    Attributes:
        state: ``installed``, ``partly`` or ``missing``.
        lacking: Files of it that are not there.
        members: Of its segment in force; None before the first run.
        treated: People who entered, with complete windows; `held` of them in the control group.
        lift: Relative change of the share that converted, between its limits.
        extra: Revenue that the control group did not have, between its limits.
        verdict: ``earns`` and ``costs`` by revenue whose interval excludes 0, ``helps`` and ``harms`` by conversions.
        is_quick_win: Not measured yet, and people are there: little work, something to gain.
        next: What to do.
        command: That does it, empty where none does; `why` says why.
    """

    use_case: str
    title: str
    state: str
    lacking: tuple[str, ...]
    segment: str
    members: int | None
    treated: int
    held: int
    lift: _Limits
    extra: _Limits
    currency: str | None
    verdict: Verdict
    is_quick_win: bool
    next: str
    command: str
    why: str

    def row(self) -> dict[str, Any]:
        """As a row of a result."""
        found = asdict(self)
        low, extra, high = found.pop("extra")
        least, lift, most = found.pop("lift")
        return found | {
            "extra": extra, "extra_low": low, "extra_high": high,
            "lift": lift, "lift_low": least, "lift_high": most,
        }  # fmt: skip


def listed(definitions: Definitions, language: str) -> list[dict[str, Any]]:
    """One row per journey: use_case, title, aim, state, segment, number of files."""
    root = Path(definitions.project.root)
    rows = []
    for case in USE_CASES.values():
        state, _ = _installed(case, root)
        rows.append(
            {
                "use_case": case.name,
                "title": case.titles[language],
                "aim": case.aims[language],
                "state": state,
                "segment": case.segment,
                "files": len(package(case)),
            }
        )
    return rows


def standings(session: Session, *, now: datetime, language: str) -> list[Standing]:
    """How every journey stands, those that earn most first, then the quick wins."""
    found = [_standing(session, case, now, language) for case in USE_CASES.values()]
    return sorted(found, key=lambda one: (-(one.extra[1] or 0.0), not one.is_quick_win, one.use_case))


def _installed(case: UseCase, root: Path) -> tuple[str, tuple[str, ...]]:
    wanted = [path for path in case.roots if path in package(case)]
    lacking = tuple(path for path in wanted if not (root / path).is_file())
    own = [path for path in wanted if case.name in path or case.segment in path]
    if not lacking:
        return "installed", ()
    return ("missing" if all(path in lacking for path in own) else "partly"), lacking


def _standing(session: Session, case: UseCase, now: datetime, language: str) -> Standing:
    from segctl.operations.usecase_earnings import earnings

    state, lacking = _installed(case, session.root)
    members = _members(session, case.segment)
    brought = earnings(session, case.name, now=now) if case.name in session.definitions.workflows else None
    verdict = _judged(state, brought)
    shown = brought is not None and brought.is_enough
    command, why = _next(session, case, state, members, verdict, language)
    return Standing(
        case.name,
        case.titles[language],
        state,
        lacking,
        case.segment,
        members,
        0 if brought is None else brought.treated,
        0 if brought is None else brought.held,
        _limits(brought.lift) if brought is not None and shown else _NOTHING,
        _limits(brought.extra) if brought is not None and shown else _NOTHING,
        None if brought is None else brought.currency,
        verdict,
        verdict in ("not_installed", "not_measured") and (members or 0) >= _LEAST_MEMBERS,
        f"`{command}`: {why}" if command else why,
        command,
        why,
    )


def _members(session: Session, segment: str) -> int | None:
    from segctl.state.memberships import in_force, members

    if segment not in session.definitions.segments or in_force(session.workspace, segment) is None:
        return None
    return members(session.workspace, segment).len()


def _limits(found: Interval | None) -> _Limits:
    return _NOTHING if found is None else (found.low, found.estimate, found.high)


def _judged(state: str, brought: Earnings | None) -> Verdict:
    if state == "missing":
        return "not_installed"
    if brought is None:
        return "not_measured"
    if not brought.is_enough:
        return "too_early"
    for found, good, bad in ((brought.extra, "earns", "costs"), (brought.lift, "helps", "harms")):
        if found is not None and found.excludes(0.0) and found.estimate is not None:
            return cast("Verdict", good if found.estimate > 0 else bad)
    return "no_difference"


def _next(
    session: Session, case: UseCase, state: str, members: int | None, verdict: Verdict, language: str
) -> tuple[str, str]:
    from segctl.state.workflows import Books

    if state != "installed":
        key = "add"
    elif members is None:
        key = "apply"
    else:
        has_begun = case.name in Books(session.workspace).places()
        key = {
            "earns": "more", "helps": "more", "costs": "change", "harms": "change", "no_difference": "change",
            "too_early": "wait",
        }.get(verdict, "go_on" if has_begun else "start")  # fmt: skip
    after = ", ".join(f"`{name}`" for name in case.after)
    command, why = _NEXT[language][key]
    return command.format(name=case.name), why.format(after=after)
