"""What a journey needs of segctl.yaml and a project does not have: added there, as the shop of the template has it."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from segctl.compile.project_edit import add_declarations, declared_in, with_contact_point
from segctl.model.dataclass import dataclass
from segctl.operations.init import template_files

PROJECT_FILE = "segctl.yaml"
SECTIONS = {"event": "events", "trait": "traits", "purpose": "purposes", "table": "related"}
_REPORTS = "reports"
_SILENT = re.compile(r"(?m)^\s*(#.*|(title|description|hypothesis|owner|name):.*)$| +#.*$")
_WORD = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that a journey needs and a project does not declare.

    Attributes:
        kind: A key of `SECTIONS`, ``property``, or ``report``.
        name: In the package.
        known: What the project declares of the kind.
        event: Of a property.
    """

    kind: str
    name: str
    known: Sequence[str]
    event: str | None = None


def words(data: bytes) -> set[str]:
    """Words of a YAML file that may be names: no comments and no titles."""
    return set(_WORD.findall(_SILENT.sub("", data.decode("utf-8", "replace"))))


def spoken_of(package: Mapping[str, bytes]) -> dict[str, set[str]]:
    """Kind → names that the template declares and some files of a package speak of."""
    files = {path: data for path, data in package.items() if path.endswith(".yaml") and not path.startswith("lists/")}
    said = set().union(*(words(data) for data in files.values()))
    declared = _template()
    found = {kind: said & declared[section].keys() for kind, section in SECTIONS.items()}
    # The shop has a trait and a purpose of one name; the trait is meant where it is called one.
    asked = {name for data in files.values() for name in re.findall(r"\btrait: *([a-z0-9_]+)", data.decode())}
    found["trait"] -= declared["purposes"].keys() - asked
    return found


def _template() -> dict[str, dict[str, str]]:
    return declared_in(dict(template_files("shop"))[PROJECT_FILE].decode(), (*SECTIONS.values(), _REPORTS))


def declarations(root: Path, lacking: Sequence[Lack], names: Mapping[str, str]) -> str | None:
    """The text of segctl.yaml with what it lacks; None when somebody has to write it.

    Args:
        root: Folder of the project.
        lacking: What it lacks.
        names: Name in the package → the project's own.
    """
    declared = _template()
    sections: dict[str, dict[str, str]] = {}
    for one in lacking:
        if one.kind == "property":
            return None
        section = SECTIONS.get(one.kind, _REPORTS)
        value = declared[section][one.name]
        if section == _REPORTS:
            # What counts is said in words of the project.
            value = _WORD.sub(lambda found: names.get(found[0], found[0]), value)
        sections.setdefault(section, {})[names.get(one.name, one.name)] = value
    text = add_declarations((root / PROJECT_FILE).read_text("utf-8"), sections)
    return None if text is None else with_contact_point(text, "email", names.get("email", "email"))


def own_identifier(names: Mapping[str, str], identifiers: Collection[str]) -> dict[str, str]:
    """The names with that of customers: a project with one identifier of known people means that one."""
    if "customer_id" in identifiers or "customer_id" in names or len(identifiers) != 1:
        return dict(names)
    return {**names, "customer_id": next(iter(identifiers))}


def replace_text(path: Path, text: str) -> None:
    """Writes a file anew in one step, so that a crash leaves the old one or the new."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, "utf-8")
    os.replace(fresh, path)
