"""The templates of a project, compiled when they are first asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import jinja2
from jinja2 import nodes

from segctl.content.addresses import why_no_address
from segctl.content.environment import LONGEST_SOURCE, Room, refuse
from segctl.content.needs import Needs, needs
from segctl.content.plain_text import plain_text
from segctl.content.rendering import LimitError, MissingError, Rendering, begun
from segctl.content.skeleton import Skeleton, skeleton
from segctl.content.sources import Source, read_source
from segctl.model.content import Content, ContentTemplate, Part, chain

FOLDER = "content"
UNSUBSCRIBE = "unsubscribe_url"
_ADDRESS = "address"
_BROKEN = (RecursionError, MemoryError, SyntaxError, ValueError, OverflowError)


class TemplateError(Exception):
    """A template that cannot be compiled or filled.

    Attributes:
        path: File, relative to the project.
        line: 1-based; None where it is not known.
        reason: One sentence.
    """

    def __init__(self, path: str, line: int | None, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.line, self.reason = path, line, reason


@dataclass(frozen=True, slots=True)
class Written:
    """A message for one person.

    Attributes:
        subject: One line without any control character.
        html: None for a message of text alone.
        missed: What was missing, where that is only written down.
    """

    subject: str
    preheader: str
    text: str
    html: str | None
    missed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """A template in one language.

    Attributes:
        language: Tag of its files; ``""`` for files of every language.
        parts: Name in the library of what it is made of: ``subject``, ``preheader``, ``html``, ``txt``.
        reached: Part, path and needs of every file that it is made of.
    """

    template: ContentTemplate
    language: str
    parts: Mapping[str, str]
    reached: tuple[tuple[str, str, Needs], ...] = ()

    @property
    def needs(self) -> Needs:
        """What all its files speak of."""
        found = Needs()
        for _, _, one in self.reached:
            found = found.merged(one)
        return found

    @property
    def files(self) -> tuple[tuple[str, Needs], ...]:
        """Path and needs of its files."""
        return tuple((path, one) for _, path, one in self.reached)

    @property
    def paths(self) -> tuple[str, ...]:
        """Of all files that it is made of, sorted."""
        return tuple(sorted({path for _, path, _ in self.reached}))

    def speaks(self, part: str) -> frozenset[str]:
        """Variables that a part speaks of."""
        return frozenset(mention.name for kind, _, one in self.reached if kind == part for mention in one.names)

    def file(self, part: str) -> str:
        """Path of the file that a part is in."""
        return next(path for kind, path, _ in self.reached if kind == part)


class Library:
    """Templates and the files they include.

    Args:
        content: What the project declares.
        root: Of the project.
    """

    def __init__(self, content: Content, root: Path) -> None:
        self.content, self._root = content, root
        self._sources: dict[str, Source] = {}
        self._messages: dict[tuple[str, str], Message] = {}
        self._rooms = {"html": Room(self._read, is_html=True), "txt": Room(self._read, is_html=False)}
        self._rooms[_ADDRESS] = Room(self._read, is_html=False, is_address=True)

    def source(self, path: str) -> Source:
        """A file, read once."""
        if path not in self._sources:
            self._sources[path] = read_source(self._root, path)
        return self._sources[path]

    def message(self, name: str, language: str) -> Message:
        """A template in a language that it has.

        Raises:
            TemplateError: A file of it cannot be compiled.
        """
        key = name, language
        if key not in self._messages:
            self._messages[key] = self._composed(self.content.templates[name], language)
        return self._messages[key]

    def fill(self, message: Message, values: Mapping[str, Any], rendering: Rendering) -> Written:
        """The message with values.

        Raises:
            TemplateError: It cannot be filled, or takes more than it may.
            MissingError: A value is missing, unless the rendering collects.
        """
        with begun(rendering):
            subject = _one_line(self._filled(message, "subject", values))
            named = {**values, "subject": subject}
            preheader = _one_line(self._filled(message, "preheader", named))
            named["preheader"] = preheader
            html = self._filled(message, "html", named).strip() if "html" in message.parts else None
            text = self._filled(message, "txt", named).strip() if "txt" in message.parts else ""
        if not text and not rendering.collects:
            # Half of the work, and nobody reads what is only tried.
            text = plain_text(html or "")
        return Written(subject, preheader, text + "\n", html, tuple(rendering.missed))

    def fill_address(self, values: Mapping[str, Any], rendering: Rendering) -> str:
        """The address that unsubscribes a person; empty where the project declares none.

        Raises:
            TemplateError: It cannot be filled, or what comes out is none.
            MissingError: A value is missing.
        """
        if self.content.unsubscribe_url is None:
            return ""
        with begun(rendering):
            text = _one_line(self._run(_ADDRESS, self._address(), values))
        why = why_no_address(text)
        if why is not None:
            raise TemplateError(UNSUBSCRIBE, None, why)
        return text

    def address(self) -> nodes.Template | None:
        """The syntax of the address that unsubscribes; None where the project declares none.

        Raises:
            TemplateError: It has a mistake.
        """
        return None if self.content.unsubscribe_url is None else self.parsed("txt", self._address())

    def _address(self) -> str:
        self._sources[UNSUBSCRIBE] = Source(UNSUBSCRIBE, self.content.unsubscribe_url or "")
        return f":{UNSUBSCRIBE}"

    def digest(self, message: Message) -> str:
        """Of everything that decides what it says."""
        digest = hashlib.sha256()
        for path in message.paths:
            digest.update(f"{path}\n{self.source(path).text}\n".encode())
        shared = self.content
        used = {name: shared.offers.get(name) for name in sorted(message.needs.of("offers"))}
        lists = {name: shared.recommendations.get(name) for name in sorted(message.needs.of("recommendations"))}
        texts = {name: shared.values.get(name) for name in sorted(message.needs.of("values"))}
        digest.update(repr((message.template, used, lists, texts, shared.language, shared.unsubscribe_url)).encode())
        return digest.hexdigest()

    def compile(self, message: Message) -> None:
        """Makes sure that every part can be filled.

        Raises:
            TemplateError: One cannot.
        """
        for kind, name in message.parts.items():
            try:
                self._rooms["html" if kind == "html" else "txt"].get_template(name)
            except jinja2.TemplateSyntaxError as error:
                path = error.filename or f"{FOLDER}/{name.partition(':')[2].partition('#')[0]}"
                raise TemplateError(path, error.lineno, _said(error)) from None
            except _BROKEN as error:
                raise TemplateError(message.file(kind), None, f"it cannot be read: {type(error).__name__}") from None

    def flat(self, message: Message, kind: str) -> Skeleton:
        """A part laid flat."""
        part, name = "html" if kind == "html" else "txt", message.parts[kind]
        language = name.partition(":")[0]

        def parse(asked: str) -> tuple[str, nodes.Template] | None:
            further = f"{language}:{asked}"
            found = self._read(further)
            return None if found is None else (found[0], self.parsed(part, further))

        return skeleton(message.file(kind), self.parsed(part, name), parse)

    def parsed(self, part: str, name: str) -> nodes.Template:
        """The syntax of a file or of a text of a head.

        Raises:
            TemplateError: It has a mistake.
        """
        found = self._read(name)
        if found is None:
            raise TemplateError(name.partition(":")[2], None, "there is no such file")
        path, text = found
        if len(text) > LONGEST_SOURCE:
            raise TemplateError(path, None, f"it is longer than {LONGEST_SOURCE:,} characters")
        try:
            tree = self._rooms[part].parse(text, name, path)
            refuse(tree)
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(path, error.lineno, _said(error)) from None
        except _BROKEN as error:
            raise TemplateError(path, None, f"it cannot be read: {type(error).__name__}") from None
        else:
            return tree

    # --- Inside ------------------------------------------------------------------------------------------------
    def _composed(self, template: ContentTemplate, language: str) -> Message:
        parts: dict[str, str] = {}
        heads: Part
        for heads in ("html", "txt"):
            file = template.file(language, heads)
            if file is None:
                continue
            parts[heads] = f"{language}:{_inside(file.path)}"
            for key, _ in self.source(file.path).head:
                parts.setdefault(key, f"{language}:{_inside(file.path)}#{key}")
        reached = [
            (kind, path, one)
            for kind, name in parts.items()
            for path, one in self._reached("html" if kind == "html" else "txt", name, ())
        ]
        return Message(template, language, parts, tuple(reached))

    def _reached(self, part: str, name: str, above: tuple[str, ...]) -> Iterator[tuple[str, Needs]]:
        """Paths and needs of a file and all that it takes in."""
        path = (self._read(name) or ("", ""))[0]
        try:
            one = needs(self.parsed(part, name))
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(path, error.lineno, _said(error)) from None
        yield path, one
        for asked, line in one.files:
            further = f"{name.partition(':')[0]}:{asked}"
            if further in (*above, name):
                raise TemplateError(path, line, f"`{asked}` takes itself in")
            if not asked.endswith(f".{part}.j2"):
                raise TemplateError(path, line, f"`{asked}` is no file of the same kind: its name ends in `.{part}.j2`")
            if self._read(further) is None:
                raise TemplateError(path, line, f"there is no file `{asked}` in `{FOLDER}/`")
            yield from self._reached(part, further, (*above, name))

    def _read(self, name: str) -> tuple[str, str] | None:
        """Path and text for a name in the library, ``de:_footer.html.j2`` or ``de:welcome.html.j2#subject``."""
        language, _, inside = name.partition(":")
        inside, _, key = inside.partition("#")
        if inside in self._sources and not inside.startswith(f"{FOLDER}/"):
            return inside, self._sources[inside].body
        path = self._found(inside, language)
        if path is None:
            return None
        source = self.source(path)
        if source.problems:
            first = source.problems[0]
            raise TemplateError(path, first.location.line if first.location else None, first.message)
        if not key:
            return path, source.body
        said = source.said(key)
        return None if said is None else (path, "\n" * (said.location.line - 1) + said.text)

    def _found(self, inside: str, language: str) -> str | None:
        """The file of that name in the language, in a shorter form of it, or in none."""
        own = {_inside(file.path): file.path for one in self.content.templates.values() for file in one.files}
        known = own | {_inside(path): path for path in self.content.partials}
        if inside in known:
            return known[inside]
        head, dot, tail = inside.partition(".")
        forms = (f"{head}.{tag}{dot}{tail}" for tag in chain(language))
        return next((known[form] for form in forms if form in known), None)

    def _filled(self, message: Message, part: str, values: Mapping[str, Any]) -> str:
        name = message.parts.get(part)
        return "" if name is None else self._run("html" if part == "html" else "txt", name, values)

    def _run(self, part: str, name: str, values: Mapping[str, Any]) -> str:
        path = name.partition(":")[2].partition("#")[0]
        path = path if name.startswith(":") else f"{FOLDER}/{path}"
        try:
            return self._rooms[part].get_template(name).render(values)
        except (MissingError, TemplateError):
            raise
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(error.filename or path, error.lineno, _said(error)) from None
        except jinja2.TemplateNotFound as error:
            raise TemplateError(path, None, f"there is no file `{error.name}`") from None
        except LimitError as error:
            raise TemplateError(path, _line(error), str(error)) from None
        except jinja2.TemplateError as error:
            raise TemplateError(path, _line(error), _said(error)) from None
        except (TypeError, ArithmeticError, LookupError, AttributeError, *_BROKEN) as error:
            # Words of Python may hold a value, and a value is somebody's.
            own = str(error) if isinstance(error, ValueError) and error.args and _is_ours(error) else None
            raise TemplateError(path, _line(error), own or f"it cannot be filled: {type(error).__name__}") from None


def _inside(path: str) -> str:
    return PurePosixPath(path).relative_to(FOLDER).as_posix()


def _said(error: jinja2.TemplateError) -> str:
    return " ".join((error.message or type(error).__name__).split())[:300]


def _is_ours(error: BaseException) -> bool:
    """Whether the innermost function that raised it is one of this package."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and str(trace.tb_frame.f_globals.get("__name__", "")).startswith("segctl.content.")


def _line(error: BaseException) -> int | None:
    """Line of the template where an error came up; Jinja has put it into the traceback."""
    trace, line = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.endswith(".j2"):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _one_line(text: str) -> str:
    """A text that no header can be broken out of."""
    return " ".join("".join(letter if letter.isprintable() or letter == " " else " " for letter in text).split())
