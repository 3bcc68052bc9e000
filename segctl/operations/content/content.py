"""Messages for people: the values that a template asks for, and what it makes of them.

`render` gives one message, `render_many` those of many people from one evaluation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.model.content import ANY_LANGUAGE, Content, ContentTemplate, chain
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location
from segctl.model.errors import DataError, SegctlError, UsageError
from segctl.model.project import Definitions
from segctl.operations.things import unknown_thing

if TYPE_CHECKING:
    from segctl.content.library import Library, Message, TemplateError
    from segctl.content.needs import Needs
    from segctl.operations.session import Session

NO_VALUES: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message for one person.

    Attributes:
        subject_line: One line, free of control characters; empty where the template has no subject.
        text: Plain text; made from the HTML where the template gives none.
        html: None for a message of text alone.
        language: Tag of the files it was made from; of the numbers and dates where those serve every language.
        template_digest: Of everything that decided what it says, except the person's values.
        preheader: What a mail program shows beside the subject; may be empty.
        unsubscribe_url: As in the message; None where the project declares none.
    """

    subject_line: str
    text: str
    html: str | None
    language: str
    template_digest: str
    preheader: str = ""
    unsubscribe_url: str | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """A message that was filled to see what it lacks.

    Attributes:
        language: Of its files.
        lacks: Names of values that the person does not have.
        html_bytes: Of the HTML part; 0 where there is none.
    """

    language: str
    lacks: tuple[str, ...]
    html_bytes: int = 0


def render(
    session: Session,
    template: str,
    subject: int,
    *,
    as_of: datetime,
    channel: str = "email",
    language: str | None = None,
    extra: Mapping[str, Any] = NO_VALUES,
) -> Rendered:
    """The message that one person gets.

    For several people use `render_many`: one evaluation serves them all.

    Args:
        session: Open project and workspace.
        template: Its name.
        subject: Any identifier of the person.
        as_of: When values and memberships hold.
        channel: The template must be for it.
        language: Tag instead of the person's own.
        extra: Values of names under `given`, and `event`: the properties of the event that set it off.

    Raises:
        UsageError: No such template, or it is for another channel.
        DataError: The person lacks a value that is shown (SEG776), is not there (SEG778), or the template cannot be
            filled (SEG777).
    """
    found = next(
        iter(
            render_many(
                session, template, [subject], as_of=as_of, channel=channel, language=language, extra={subject: extra}
            )
        )
    )[1]
    if isinstance(found, SegctlError):
        raise found
    return found


def render_many(
    session: Session,
    template: str,
    subjects: Sequence[int],
    *,
    as_of: datetime,
    channel: str | None = "email",
    language: str | None = None,
    extra: Mapping[int, Mapping[str, Any]] = {},
) -> Iterator[tuple[int, Rendered | SegctlError]]:
    """The messages of several people, in order; an error instead of one where a person lacks something.

    Raises:
        UsageError: No such template, or it is for another channel.
        DataError: A file of it cannot be read as a template (SEG768).
    """
    from segctl.content.library import TemplateError
    from segctl.content.rendering import MissingError

    desk = Desk(session, template, as_of=as_of, channel=channel, language=language)
    desk.load(subjects, extra)
    for subject in subjects:
        try:
            yield subject, desk.written(subject)
        except MissingError as error:
            yield subject, lacking(template, (error.name,))
        except TemplateError as error:
            yield subject, broken(error, "SEG777")
        except DataError as error:
            yield subject, error


class Desk:
    """Where the messages of one template are written.

    Args:
        session: Open project and workspace.
        template: Its name.
        as_of: When values and memberships hold.
        channel: The template must be for it; None asks for none.
        language: Tag instead of everybody's own.

    Raises:
        UsageError: No such template, or it is for another channel.
    """

    def __init__(
        self,
        session: Session,
        template: str,
        *,
        as_of: datetime,
        channel: str | None = None,
        language: str | None = None,
    ) -> None:
        self.template = find_template(session, template)
        if channel is not None and channel != self.template.channel:
            message = f"the template `{template}` is for `{self.template.channel}`, not for `{channel}`"
            raise UsageError("SEG778", message, hint="name a template of that channel")
        self.content = session.definitions.content or Content()
        self.library = library_of(session)
        self._session, self._as_of, self._asked = session, as_of, language
        self._values: dict[int, dict[str, Any]] = {}
        self._tags: dict[int, str] = {}
        self._digests: dict[str, str] = {}

    def load(self, subjects: Iterable[int], extra: Mapping[int, Mapping[str, Any]] = {}) -> None:
        """Evaluates what the template asks for, for these people."""
        from segctl.operations.content.values import values_of

        wanted = [*(message.needs for message in self.messages()), *self._of_address()]
        loaded = values_of(
            self._session,
            self.template,
            wanted,
            tuple(dict.fromkeys(subjects)),
            as_of=self._as_of,
            extra=extra,
            tags_of=self._tags_of,
        )
        self._values.update(loaded.values)
        self._tags.update(loaded.languages)

    def _of_address(self) -> list[Needs]:
        from segctl.content.library import TemplateError
        from segctl.content.needs import needs

        try:
            address = self.library.address()
        except TemplateError as error:
            raise broken(error, "SEG768") from error
        return [] if address is None else [needs(address)]

    def messages(self) -> list[Message]:
        """The template in every language it has.

        Raises:
            DataError: A file of it has a mistake.
        """
        return [self._message(tag) for tag in (*self.template.languages, *self._everybody())]

    def written(self, subject: int) -> Rendered:
        """The message of one person whose values are loaded.

        Raises:
            DataError: Nobody is there by that number.
            MissingError: A value is missing.
            TemplateError: It cannot be filled.
        """
        from segctl.content.rendering import Rendering

        message, tag, values = self._begun(subject)
        url = self._unsubscribe(values, tag)
        zone = self._session.project.timezone
        found = self.library.fill(message, values | {"unsubscribe_url": url}, Rendering(tag, zone))
        if message.language not in self._digests:
            self._digests[message.language] = self.library.digest(message)
        digest = self._digests[message.language]
        return Rendered(found.subject, found.text, found.html, tag, digest, found.preheader, url or None)

    def mask(self, subject: int) -> tuple[str, ...]:
        """Puts the names of personal traits in place of a person's values; gives those names."""
        from segctl.operations.content.values import stand_in

        values = self._values.get(subject, {})
        project = self._session.definitions
        masked = {}
        for name, value in values.items():
            trait = project.trait(name)
            if trait is not None and trait.is_private:
                masked[name] = stand_in(trait.title or name, value)
        self._values[subject] = values | masked
        return tuple(sorted(masked))

    def forget(self) -> None:
        """Lets go of everybody's values."""
        self._values.clear()
        self._tags.clear()

    def tried(self, subject: int) -> Tried:
        """What a person's message would lack; the name ``""`` where it cannot be filled at all.

        Raises:
            DataError: Nobody is there by that number.
        """
        from segctl.content.library import TemplateError
        from segctl.content.rendering import MissingError, Rendering

        message, tag, values = self._begun(subject)
        rendering = Rendering(tag, self._session.project.timezone, collects=True)
        try:
            url = self._unsubscribe(values, tag)
            found = self.library.fill(message, values | {"unsubscribe_url": url}, rendering)
        except MissingError as error:
            return Tried(message.language, tuple(dict.fromkeys((*rendering.missed, error.name))))
        except TemplateError:
            return Tried(message.language, (*rendering.missed, ""))
        return Tried(message.language, found.missed, len((found.html or "").encode()))

    def _begun(self, subject: int) -> tuple[Message, str, dict[str, Any]]:
        values = self._values.get(subject)
        if values is None:
            message = "the person is not among the profiles at that time"
            raise DataError("SEG778", message, hint="`segctl profile ID` shows what is known of somebody")
        files, tag = spoken(self.template, self._asked, self._tags.get(subject), self._session.project.language)
        return self._message(files), tag, values | {"language": tag}

    def _tags_of(self, own: str | None) -> tuple[str, ...]:
        """Languages of offers and defaults: that of the message first, so that it speaks one language."""
        project = self._session.project.language
        files, tag = spoken(self.template, self._asked, own, project)
        return chain(tag, files, project)

    def _message(self, tag: str) -> Message:
        from segctl.content.library import TemplateError

        try:
            return self.library.message(self.template.name, tag)
        except TemplateError as error:
            raise broken(error, "SEG768") from error

    def _everybody(self) -> tuple[str, ...]:
        return (ANY_LANGUAGE,) if any(file.language == ANY_LANGUAGE for file in self.template.files) else ()

    def _unsubscribe(self, values: Mapping[str, Any], tag: str) -> str:
        from segctl.content.rendering import Rendering

        return self.library.fill_address(values, Rendering(tag, self._session.project.timezone))


def spoken(template: ContentTemplate, asked: str | None, own: str | None, project: str) -> tuple[str, str]:
    """Which files a person gets, and in which language numbers and dates are written.

    The tag asked for comes first, then the person's own, each with its shorter forms; then files for every language,
    the project's language, and at last whichever there is.
    """
    wanted = chain(asked, own)
    languages = template.languages
    exact = next((tag for tag in wanted if tag in languages), None)
    if exact is not None:
        # `de-at` is served by files for `de`, and still writes amounts in its own manner.
        return exact, next(tag for tag in wanted if tag == exact or tag.startswith(f"{exact}-"))
    if any(file.language == ANY_LANGUAGE for file in template.files):
        return ANY_LANGUAGE, next(iter((*wanted, project)))
    tag = next((tag for tag in chain(project) if tag in languages), languages[0])
    return tag, tag


def find_template(session: Session, name: str) -> ContentTemplate:
    """The template of that name.

    Raises:
        UsageError: There is none.
    """
    return find_template_in(session.definitions, name)


def find_template_in(definitions: Definitions, name: str) -> ContentTemplate:
    """The template of that name.

    Raises:
        UsageError: There is none.
    """
    content = definitions.content
    templates = {} if content is None else content.templates
    if name not in templates:
        raise unknown_thing("content", name, list(templates))
    return templates[name]


def library_of(session: Session) -> Library:
    """The project's templates, not yet compiled."""
    from segctl.content.library import Library

    return Library(session.definitions.content or Content(), Path(session.project.root))


def lacking(template: str, names: tuple[str, ...]) -> DataError:
    """A person has no value of something that is shown."""
    what = " and ".join(f"`{name}`" for name in names)
    hint = f"write `{{{{ {names[0]} | default('…') }}}}`, or a default in the settings of the template"
    return DataError("SEG776", f"`{template}` shows {what}, which this person does not have", hint=hint)


def broken(error: TemplateError, code: str) -> DataError:
    """A template that cannot be compiled or filled."""
    place = Location(error.path, error.line or 1)
    return DataError(code, error.reason, location=place, hint="`segctl content lint` shows all that is wrong")
