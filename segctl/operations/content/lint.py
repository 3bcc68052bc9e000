"""Templates looked at before anybody gets a message: without data, and over a whole audience."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Diagnostic
from segctl.model.errors import DataError
from segctl.model.project import Definitions
from segctl.operations.content.stock import unreadable_stock

if TYPE_CHECKING:
    from segctl.operations.session import Session

PEOPLE_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Gap:
    """A value that some people of an audience lack.

    Attributes:
        name: As templates write it; ``""`` where the message cannot be filled for another reason.
        people: Subjects, ascending.
    """

    template: str
    name: str
    people: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AudienceCheck:
    """A template held against everybody who would get it.

    Attributes:
        audience: Members of the segment.
        languages: Tag of the files → how many get them.
        largest: Bytes of the largest HTML part.
        gaps: What is lacking, the most frequent first.
    """

    template: str
    segment: str
    audience: int
    languages: tuple[tuple[str, int], ...]
    largest: int
    gaps: tuple[Gap, ...]


def template_findings(definitions: Definitions) -> list[Diagnostic]:
    """What is wrong with the templates of a project; nothing is loaded where there are none."""
    if definitions.content is None or not definitions.content.templates:
        return unreadable_stock(definitions)
    from segctl.content.checks import check_content

    return [*check_content(definitions), *unreadable_stock(definitions)]


def content_files(definitions: Definitions) -> tuple[str, ...]:
    """Paths of all template files, relative to the project."""
    content = definitions.content
    if content is None:
        return ()
    return (*(file.path for one in content.templates.values() for file in one.files), *content.partials)


def check_audience(session: Session, templates: Sequence[str], segment: str, *, as_of: datetime) -> list[AudienceCheck]:
    """What the members of a segment lack of what these templates show.

    Everybody's message is filled, and none is kept.

    Raises:
        UsageError: No such segment or template; no run has evaluated the segment yet.
        DataError: A file cannot be read as a template.
    """
    from segctl.operations.things import unknown_thing
    from segctl.state.memberships import members

    if segment not in session.definitions.segments:
        raise unknown_thing("segment", segment, list(session.definitions.segments))
    people = members(session.workspace, segment).to_list()
    return [_checked(session, template, segment, people, as_of) for template in templates]


def _checked(session: Session, template: str, segment: str, people: Sequence[int], as_of: datetime) -> AudienceCheck:
    from segctl.operations.content.content import Desk

    desk = Desk(session, template, as_of=as_of)
    lacking: dict[str, list[int]] = {}
    languages: Counter[str] = Counter()
    largest = 0
    for start in range(0, len(people), PEOPLE_AT_ONCE):
        some = people[start : start + PEOPLE_AT_ONCE]
        desk.load(some)
        for subject in some:
            try:
                tried = desk.tried(subject)
            except DataError as error:
                if error.code != "SEG778":
                    raise
                continue
            languages[tried.language] += 1
            largest = max(largest, tried.html_bytes)
            for name in tried.lacks:
                lacking.setdefault(name, []).append(subject)
        desk.forget()
    gaps = [Gap(template, name, tuple(sorted(of))) for name, of in lacking.items()]
    gaps.sort(key=lambda gap: (-len(gap.people), gap.name))
    return AudienceCheck(template, segment, len(people), tuple(sorted(languages.items())), largest, tuple(gaps))
