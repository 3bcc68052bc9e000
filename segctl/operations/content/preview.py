"""A message as one person would get it, with personal values shown only to those who ask for them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.operations.content.content import Desk, Rendered, broken, find_template, lacking
from segctl.operations.content.unsent import unsent
from segctl.operations.people import find_person

if TYPE_CHECKING:
    from segctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class Preview:
    """A message, and whose.

    Attributes:
        hidden: Personal traits that stand in it by their names.
        unsent: Why that person would not be sent it now, as far as that is known.
    """

    profile_id: str
    rendered: Rendered
    hidden: tuple[str, ...]
    unsent: tuple[str, ...] = ()


def preview(
    session: Session,
    template: str,
    who: str,
    *,
    as_of: datetime,
    language: str | None = None,
    show_personal: bool = False,
) -> Preview:
    """The message of one person.

    Raises:
        UsageError: No such template, nobody is known by it, or several people are.
        DataError: A value that is shown is missing, or the template cannot be filled.
    """
    from segctl.content.library import TemplateError
    from segctl.content.rendering import MissingError

    owner, _ = find_person(session.workspace, who, rules=session.project.identity)
    desk = Desk(session, template, as_of=as_of, language=language)
    desk.load([owner.subject])
    hidden = () if show_personal else desk.mask(owner.subject)
    try:
        rendered = desk.written(owner.subject)
    except MissingError as error:
        raise lacking(template, (error.name,)) from error
    except TemplateError as error:
        raise broken(error, "SEG777") from error
    stands = unsent(session, find_template(session, template), owner.subject, owner.profile_id, now=as_of)
    return Preview(owner.profile_id, rendered, hidden, stands)
