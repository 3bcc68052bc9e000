"""Template files as they lie in `content/`: a head of YAML between two lines of dashes, then the template."""

from __future__ import annotations

from pathlib import Path

from segctl.compile.source import Mapping, Scalar, compose, read_bytes
from segctl.compile.suggest import did_you_mean
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Diagnostic, Location, Severity

HEAD_KEYS = ("subject", "preheader")
_FENCE = "---"


@dataclass(frozen=True, slots=True)
class Source:
    """One file.

    Attributes:
        path: Relative to the project.
        body: The template; as many empty lines stand for its head, so that line numbers hold.
        head: What the head says, with its places.
        text: The whole file.
        problems: With its form.
    """

    path: str
    body: str = ""
    head: tuple[tuple[str, Scalar], ...] = ()
    text: str = ""
    problems: tuple[Diagnostic, ...] = ()

    def said(self, key: str) -> Scalar | None:
        """What the head says under a key."""
        return dict(self.head).get(key)


def read_source(root: Path, path: str) -> Source:
    """The file, with its problems instead of an exception."""
    content = read_bytes(root / path, path)
    if isinstance(content, Diagnostic):
        return Source(path, problems=(content,))
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        problem = Diagnostic(
            "SEG765", Severity.ERROR, "the file is not UTF-8", Location(path, line), hint="save it as UTF-8"
        )
        return Source(path, problems=(problem,))
    return parsed(path, text)


def parsed(path: str, text: str) -> Source:
    """The text of a file, in its parts."""
    lines = text.split("\n")
    if lines[0].strip() != _FENCE:
        return Source(path, text, (), text)
    end = next((at for at, line in enumerate(lines[1:], start=1) if line.strip() == _FENCE), None)
    if end is None:
        message = "the head of the file has no end"
        problem = Diagnostic("SEG765", Severity.ERROR, message, Location(path), hint="close it with a line `---`")
        return Source(path, "", (), text, (problem,))
    head, problems = _head(path, "\n".join(["", *lines[1:end]]))
    return Source(path, "\n" * (end + 1) + "\n".join(lines[end + 1 :]), head, text, problems)


def _head(path: str, text: str) -> tuple[tuple[tuple[str, Scalar], ...], tuple[Diagnostic, ...]]:
    node, problems = compose(text, path)
    if not isinstance(node, Mapping):
        if not problems:
            problems = [Diagnostic("SEG765", Severity.ERROR, "the head is a mapping of keys and values",
                                   Location(path), hint="write `subject: …`")]  # fmt: skip
        return (), tuple(problems)
    found = []
    for key, value in node.entries:
        if key.text not in HEAD_KEYS:
            message = f"`{key.text[:60]}` is not a key of a template's head"
            problems.append(Diagnostic("SEG765", Severity.ERROR, message, key.location,
                                       hint=did_you_mean(key.text, HEAD_KEYS)))  # fmt: skip
        elif not isinstance(value, Scalar) or value.is_null:
            hint = 'put it in quotes, since `{{` begins a mapping: `subject: "{{ first_name }}, …"`'
            message = f"`{key.text}` is a text"
            problems.append(Diagnostic("SEG765", Severity.ERROR, message, value.location, hint=hint))
        else:
            found.append((key.text, value))
    return tuple(found), tuple(problems)
