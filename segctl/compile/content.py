"""Everything under `content/`: the settings in its YAML files, and which template files make up a message."""

from __future__ import annotations

import os
from collections.abc import Mapping as Lookup
from dataclasses import replace
from pathlib import Path, PurePosixPath

from segctl.compile.bind import content as bind
from segctl.compile.bind import forms
from segctl.compile.bind.declarations import entries_of
from segctl.compile.bind.scope import Scope
from segctl.compile.definition_files import DefinitionFile
from segctl.compile.files import misnamed_files
from segctl.compile.source import Mapping
from segctl.compile.suggest import one_of
from segctl.model.content import (
    Content,
    ContentTemplate,
    LanguageRule,
    Offer,
    Part,
    Recommendation,
    TemplateFile,
    Texts,
)
from segctl.model.diagnostics import Diagnostic, Location
from segctl.model.project import Definitions, Project

FOLDER = "content"
PARTS: dict[str, Part] = {"html": "html", "txt": "txt"}
_ENDING = ".j2"


def bind_content(
    definitions: Definitions, files: Lookup[str, DefinitionFile], scope: Scope
) -> tuple[Content, list[Diagnostic]]:
    """The content of a project by name, and everything that is wrong with its YAML and the names of its files.

    What stands in the templates is looked at by `lint`, since a broken letter must not stop an evaluation.

    Args:
        definitions: Segments and traits, bound.
        files: Every YAML file of the project by path; those of `content/` are looked at.
        scope: All that they may refer to; its findings are those of the content afterwards.
    """
    roots = [file.root for path, file in files.items() if path.startswith(f"{FOLDER}/") and file.root is not None]
    shared = _Shared()
    settings: dict[str, ContentTemplate] = {}
    for root in roots:
        found = forms.mapping(root, scope, "a content file", hint="begin with `content: NAME`, `offers:` or `values:`")
        if found is None:
            continue
        if found.get("content") is None:
            shared.take(found, scope)
        elif (template := bind.bind_template(found, scope)) is not None:
            if template.name in settings:
                _twice("the template", template.name, template.location or found.location, scope)
            settings.setdefault(template.name, template)
    templates, partials = _with_files(definitions.project, settings, scope)
    content = Content(
        dict(sorted(templates.items())),
        dict(sorted(shared.offers.items())),
        dict(sorted(shared.recommendations.items())),
        dict(sorted(shared.values.items())),
        shared.language,
        shared.unsubscribe_url,
        partials,
        shared.unsubscribe_place,
    )
    return content, [*misnamed_files(definitions.project, FOLDER), *scope.diagnostics]


def template_paths(project: Project) -> list[str]:
    """Paths, relative to the project, of the files under `content/` that end in ``.j2``, sorted."""
    found: list[str] = []
    root = Path(project.root)
    for here, folders, names in os.walk(root / FOLDER):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = Path(here).relative_to(root).as_posix()
        found += [f"{inside}/{name}" for name in names if name.endswith(_ENDING) and not name.startswith(".")]
    return sorted(found)


class _Shared:
    """What files without `content:` declare, all together."""

    def __init__(self) -> None:
        self.offers: dict[str, Offer] = {}
        self.recommendations: dict[str, Recommendation] = {}
        self.values: dict[str, Texts] = {}
        self.language = LanguageRule()
        self.unsubscribe_url: str | None = None
        self.unsubscribe_place: Location | None = None

    def take(self, root: Mapping, scope: Scope) -> None:
        """What one file declares."""
        forms.check_keys(root, (*bind.SHARED_KEYS, "content"), scope, "a content file")
        if (node := root.get("language")) is not None:
            self.language = bind.bind_language(node, scope) or self.language
        if (node := root.get("unsubscribe_url")) is not None:
            self.unsubscribe_url = forms.text(node, scope, "`unsubscribe_url`")
            self.unsubscribe_place = node.location
        for key, of in entries_of(root, "values", scope):
            texts = bind.texts_of(of, scope, f"`{key.text}`")
            if texts is not None:
                self.values[key.text] = texts
        for key, of in entries_of(root, "offers", scope):
            if key.text in self.offers:
                _twice("the offer", key.text, key.location, scope)
            elif (offer := bind.bind_offer(key, of, scope)) is not None:
                self.offers[key.text] = offer
        for key, of in entries_of(root, "recommendations", scope):
            if key.text in self.recommendations:
                _twice("the recommendations", key.text, key.location, scope)
            elif (one := bind.bind_recommendation(key, of, scope)) is not None:
                self.recommendations[key.text] = one


def _with_files(
    project: Project, settings: Lookup[str, ContentTemplate], scope: Scope
) -> tuple[dict[str, ContentTemplate], tuple[str, ...]]:
    """Templates with their files, those without settings too, and the files that others include."""
    files: dict[str, list[TemplateFile]] = {}
    partials: list[str] = []
    for path in template_paths(project):
        name = PurePosixPath(path).name
        if name.startswith("_"):
            partials.append(path)
            continue
        found = _named(path, name, scope)
        if found is not None:
            files.setdefault(found[0], []).append(found[1])
    templates = {}
    for name in sorted({*settings, *files}):
        own = settings.get(name) or ContentTemplate(name, location=Location(files[name][0].path))
        if name not in files:
            message = f"the template `{name}` has no file"
            hint = f"write `{FOLDER}/{name}.{project.language}.html.j2`"
            scope.error("SEG766", message, own.location or Location(FOLDER), hint=hint)
            continue
        places = [(file.language, file.part) for file in files[name]]
        for file in files[name]:
            if places.count((file.language, file.part)) > 1:
                _twice("the file", PurePosixPath(file.path).name, Location(file.path), scope)
        templates[name] = replace(own, files=tuple(files[name]))
    return templates, tuple(partials)


def _named(path: str, name: str, scope: Scope) -> tuple[str, TemplateFile] | None:
    """Name, language and part that a file's name tells."""
    parts = name.removesuffix(_ENDING).split(".")
    part = PARTS.get(parts[-1]) if len(parts) in (2, 3) else None
    language = parts[1].lower() if len(parts) == 3 else ""
    if part is None or not forms.NAME.fullmatch(parts[0]) or (len(parts) == 3 and not bind.TAG.fullmatch(language)):
        hint = "name it NAME.LANGUAGE.html.j2 or NAME.LANGUAGE.txt.j2, or begin its name with `_` to include it"
        scope.warn("SEG765", "the file is not read: its name tells no template", Location(path), hint=hint)
        return None
    return parts[0], TemplateFile(path, language, part)


def _twice(what: str, name: str, place: Location, scope: Scope) -> None:
    scope.error(
        "SEG766", f"{what} {one_of([name[:60]])} is declared twice", place, hint="rename one of them, or delete it"
    )
