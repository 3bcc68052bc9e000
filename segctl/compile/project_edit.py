"""Adding declarations to segctl.yaml as text, so that comments and order stay as they are."""

from __future__ import annotations

import re
from collections.abc import Collection

from segctl.compile.source import Mapping, compose


def add_declarations(text: str, sections: dict[str, dict[str, str]]) -> str | None:
    """The file's text with entries added at the end of their sections; None when that is not safe.

    Args:
        text: Content of segctl.yaml.
        sections: Section (``traits``) → name → value in YAML's flow style.
    """
    for section, entries in sections.items():
        changed = _added(text, section, entries)
        if changed is None:
            return None
        text = changed
    return text


def _added(text: str, section: str, entries: dict[str, str]) -> str | None:
    root, findings = compose(text, "segctl.yaml")
    if not isinstance(root, Mapping) or findings:
        return None
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    node = root.get(section)
    if node is None:
        block = [f"\n{section}:\n", *(f"  {name}: {value}\n" for name, value in entries.items())]
        return _checked("".join([*lines, *block]), section, entries)
    key = root.key(section)
    if not isinstance(node, Mapping) or not node.entries or key is None or node.location.line == key.location.line:
        return None
    indent = " " * (node.entries[0][0].location.column - 1)
    at = _end_of_block(lines, root, section)
    block = [f"{indent}{name}: {value}\n" for name, value in entries.items()]
    return _checked("".join([*lines[:at], *block, *lines[at:]]), section, entries)


def _end_of_block(lines: list[str], root: Mapping, section: str) -> int:
    """Index of the line after the last one that belongs to a section."""
    starts = sorted(key.location.line for key, _ in root.entries)
    own = root.key(section)
    line = own.location.line if own is not None else len(lines)
    following = [start for start in starts if start > line]
    end = following[0] - 1 if following else len(lines)
    while end > line and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
        end -= 1
    return end


def _checked(text: str, section: str, entries: dict[str, str]) -> str | None:
    root, findings = compose(text, "segctl.yaml")
    node = root.get(section) if isinstance(root, Mapping) else None
    if findings or not isinstance(node, Mapping) or not set(entries) <= set(node.names):
        return None
    return text


def declared_in(text: str, sections: Collection[str]) -> dict[str, dict[str, str]]:
    """What a segctl.yaml declares: section → name → value in YAML's flow style, without titles."""
    import yaml

    found = yaml.safe_load(text)
    return {
        section: {
            name: yaml.safe_dump(_untitled(value), default_flow_style=True, width=10_000, sort_keys=False).strip()
            for name, value in (found.get(section) or {}).items()
            if isinstance(value, dict | str)
        }
        for section in sections
    }


def _untitled(value: object) -> object:
    if isinstance(value, dict):
        return {name: _untitled(inner) for name, inner in value.items() if name != "title"}
    return value


def with_contact_point(text: str, kind: str, trait: str) -> str:
    """The text with a contact point, where it names none of the kind.

    >>> with_contact_point("contact_points: {phone: tel}", "email", "mail")
    'contact_points: {phone: tel, email: mail}'
    """
    line = re.compile(r"(?m)^contact_points: *\{([^}\n]*)\}")
    found = line.search(text)
    if found is None:
        return (
            text
            if re.search(r"(?m)^contact_points:", text)
            else f"{text.rstrip()}\ncontact_points: {{{kind}: {trait}}}\n"
        )
    if re.search(rf"\b{kind}\b *:", found[1]):
        return text
    inner = f"{found[1].strip()}, {kind}: {trait}" if found[1].strip() else f"{kind}: {trait}"
    return f"{text[: found.start()]}contact_points: {{{inner}}}{text[found.end() :]}"
