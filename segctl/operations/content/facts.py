"""Templates as a project lists them. No engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from segctl.model.content import Content
from segctl.model.project import Definitions
from segctl.operations.content.content import find_template_in


def contents(definitions: Definitions) -> list[dict[str, Any]]:
    """One row per template: content, title, channel, purpose, languages, parts, offers, recommendations, owner, file.

    What a template with a mistake speaks of is left out.
    """
    content = definitions.content
    if content is None:
        return []
    from segctl.content.library import Library, TemplateError

    library = Library(content, Path(definitions.project.root))
    rows = []
    for template in content.templates.values():
        offers: set[str] = set()
        lists: set[str] = set()
        for tag in sorted({file.language for file in template.files}):
            try:
                needed = library.message(template.name, tag).needs
            except TemplateError:
                continue
            offers |= needed.of("offers")
            lists |= needed.of("recommendations")
        rows.append(
            {
                "content": template.name,
                "title": template.title,
                "channel": template.channel,
                "purpose": template.purpose,
                "languages": list(template.languages),
                "parts": sorted({file.part for file in template.files}),
                "offers": sorted(offers),
                "recommendations": sorted(lists),
                "owner": template.owner,
                "file": template.location.file if template.location else template.files[0].path,
            }
        )
    return rows


def content_facts(definitions: Definitions, name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Settings of a template with all that it speaks of, and one row per file: file, language, part, subject.

    Raises:
        UsageError: There is no such template.
    """
    from segctl.content.library import Library, TemplateError

    template = find_template_in(definitions, name)
    library = Library(definitions.content or Content(), Path(definitions.project.root))
    used: dict[str, set[str]] = {}
    names: set[str] = set()
    for tag in sorted({file.language for file in template.files}):
        try:
            needed = library.message(name, tag).needs
        except TemplateError:
            continue
        names |= {mention.name for mention in needed.names}
        for catalogue in ("segments", "offers", "recommendations"):
            used.setdefault(catalogue, set()).update(needed.of(catalogue))
    row = next(row for row in contents(definitions) if row["content"] == name)
    facts = {key: row[key] for key in ("content", "title", "channel", "purpose", "languages", "owner")}
    facts["description"] = template.description
    facts["traits"] = sorted(one for one in names if definitions.trait(one) is not None)
    facts["given"] = list(template.given)
    facts["trigger"] = template.trigger
    facts |= {catalogue: sorted(of) for catalogue, of in used.items()}
    files = []
    for file in template.files:
        subject = library.source(file.path).said("subject")
        files.append(
            {"file": file.path, "language": file.language, "part": file.part, "subject": subject and subject.text}
        )
    return facts, files
