"""What is wrong with templates, found without data and without an engine."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from segctl.compile.suggest import did_you_mean, one_of
from segctl.content.addresses import sketched, why_no_address
from segctl.content.html_checks import check_html
from segctl.content.library import FOLDER, Library, Message, TemplateError
from segctl.content.needs import needs
from segctl.content.skeleton import Skeleton
from segctl.model.content import ANY_LANGUAGE, RESERVED, Content, ContentTemplate, Texts
from segctl.model.diagnostics import Diagnostic, Location, Severity
from segctl.model.project import Definitions

LONGEST_SUBJECT = 60
_PRODUCT = ("product_id", "reason", "because", "score")


def check_content(definitions: Definitions) -> list[Diagnostic]:
    """All findings in the templates of a project; those in its YAML files come with its definitions."""
    content = definitions.content
    if content is None:
        return []
    library = Library(content, Path(definitions.project.root))
    found: list[Diagnostic] = []
    for template in content.templates.values():
        found += _template(library, template, definitions)
    found += _languages(content, definitions)
    found += _address(library, definitions)
    return list(dict.fromkeys(found))


def _template(library: Library, template: ContentTemplate, definitions: Definitions) -> Iterator[Diagnostic]:
    problems = [problem for file in template.files for problem in library.source(file.path).problems]
    yield from problems
    yield from _parts(library, template)
    tags = (*template.languages, *((ANY_LANGUAGE,) if any(f.language == ANY_LANGUAGE for f in template.files) else ()))
    for tag in () if problems else tags:
        try:
            message = library.message(template.name, tag)
            library.compile(message)
        except TemplateError as error:
            hint = None if "no filter" not in error.reason.lower() else "`segctl help content` lists the filters"
            yield Diagnostic("SEG768", Severity.ERROR, error.reason, Location(error.path, error.line or 1), hint=hint)
            continue
        yield from _names(message, definitions, library)
        yield from _way_out(message, definitions)
        for kind in ("html", "subject"):
            if kind in message.parts:
                yield from (
                    _html(library.flat(message, kind)) if kind == "html" else _subject(library.flat(message, kind))
                )


# --- Names -----------------------------------------------------------------------------------------------------
def _names(message: Message, definitions: Definitions, library: Library) -> Iterator[Diagnostic]:
    template, content = message.template, definitions.content or Content()
    known = {*(t.name for t in definitions.project.traits), *definitions.computed, *RESERVED, *template.given}
    known |= {one.name for one in template.recent}
    for path, needed in message.files:
        for one in needed.names:
            place = _place(library, path, one.line, one.name)
            if one.name not in known:
                message_ = f"`{one.name[:60]}` is no trait, and nobody gives it"
                hint = did_you_mean(one.name, known) or f"declare it under `given` in `{FOLDER}/{template.name}.yaml`"
                yield Diagnostic("SEG769", Severity.ERROR, message_, place, hint=hint)
                continue
            trait = definitions.trait(one.name)
            if trait is not None and trait.sensitive and one.name not in template.allowed:
                hint = f"write `allow: [{one.name}]` in its settings, if that is really meant"
                yield Diagnostic("SEG770", Severity.ERROR, f"`{one.name}` is a sensitive trait", place, hint=hint)
        for loose in needed.loose:
            message_ = f"`{loose.name}` is used as a whole; its entries are asked for by name"
            hint = "`'vip' in segments`" if loose.name == "segments" else f"write `{loose.name}.NAME`"
            yield Diagnostic(
                "SEG771", Severity.ERROR, message_, _place(library, path, loose.line, loose.name), hint=hint
            )
        for entry in needed.entries:
            there = _entries(entry.of, content, definitions, template)
            if there is not None and entry.name not in there:
                message_ = f"there is no `{entry.name[:60]}` in `{entry.of.removeprefix('each:')}`"
                place = _place(library, path, entry.line, entry.name)
                yield Diagnostic("SEG769", Severity.ERROR, message_, place, hint=did_you_mean(entry.name, there))


def _entries(
    catalogue: str, content: Content, definitions: Definitions, template: ContentTemplate
) -> Collection[str] | None:
    """Names that can be looked up there; None where that is not known."""
    known: dict[str, Collection[str]] = {
        "segments": definitions.segments,
        "offers": content.offers,
        "recommendations": content.recommendations,
        "values": content.values,
    }
    if catalogue in known:
        return known[catalogue]
    if catalogue.startswith("offers."):
        offer = content.offers.get(catalogue.removeprefix("offers."))
        return None if offer is None else [name for name, _ in offer.choices[0].texts]
    if catalogue.startswith("each:recommendations."):
        rule = content.recommendations.get(catalogue.removeprefix("each:recommendations."))
        return None if rule is None else (*_PRODUCT, *rule.fields)
    recent = {f"each:{one.name}": one.event for one in template.recent}
    event = recent.get(catalogue) or (template.trigger if catalogue == "event" else None)
    declared = None if event is None else definitions.project.event(event)
    return None if declared is None else ("time", *(name for name, _ in declared.properties))


def _place(library: Library, path: str, line: int, name: str) -> Location:
    """Where a name stands in a line; at its beginning when it is not found there."""
    lines = library.source(path).text.split("\n")
    at = lines[line - 1].find(name) if 0 < line <= len(lines) else -1
    return Location(path, line, at + 1, len(name)) if at >= 0 else Location(path, line)


# --- Parts and languages -----------------------------------------------------------------------------------------
def _parts(library: Library, template: ContentTemplate) -> Iterator[Diagnostic]:
    """Files that one language has and another lacks, and mails without a subject."""
    first = Location(template.files[0].path)
    for part in ("html", "txt"):
        having = {file.language for file in template.files if file.part == part}
        if having and ANY_LANGUAGE not in having:
            for tag in sorted({file.language for file in template.files} - having - {ANY_LANGUAGE}):
                hint = f"write `{FOLDER}/{template.name}.{tag}.{part}.j2`"
                message = f"`{template.name}` has no {part} part in `{tag}`"
                yield Diagnostic("SEG772", Severity.WARNING, message, first, hint=hint)
    if template.channel != "email":
        return
    for tag in sorted({file.language for file in template.files}):
        files = [file for file in (template.file(tag, "html"), template.file(tag, "txt")) if file is not None]
        if files and not any(library.source(file.path).said("subject") for file in files):
            hint = 'begin the file with `---`, `subject: "…"`, `---`'
            yield Diagnostic("SEG772", Severity.ERROR, "the mail has no subject", Location(files[0].path), hint=hint)


def _languages(content: Content, definitions: Definitions) -> Iterator[Diagnostic]:
    """Languages of people that templates or shared texts lack."""
    wanted = {tag for _, tag in content.language.tags} | {content.language.otherwise or ""}
    wanted = {tag.split("-")[0] for tag in (*wanted, definitions.project.language)} - {""}
    for template in content.templates.values():
        has_all = any(file.language == ANY_LANGUAGE for file in template.files)
        lacking = sorted(wanted - {tag.split("-")[0] for tag in template.languages})
        if lacking and not has_all:
            message = f"`{template.name}` is not there in {one_of(lacking)}, which people speak"
            hint = f"write `{FOLDER}/{template.name}.{lacking[0]}.{template.files[0].part}.j2`"
            place = Location(template.files[0].path)
            yield Diagnostic("SEG772", Severity.WARNING, message, place, hint=hint)
    spoken = {tag.split("-")[0] for template in content.templates.values() for tag in template.languages}
    for offer in content.offers.values():
        for choice in offer.choices:
            for name, texts in choice.texts:
                yield from _texts(f"`{offer.name}.{name}`", texts, spoken, offer.location)
    for template in content.templates.values():
        for name, texts in template.defaults:
            yield from _texts(f"the default of `{name}`", texts, spoken, template.location)


def _texts(what: str, texts: Texts, spoken: set[str], place: Location | None) -> Iterator[Diagnostic]:
    there = {tag.split("-")[0] for tag, _ in texts}
    lacking = sorted(spoken - there)
    if ANY_LANGUAGE not in there and lacking:
        yield Diagnostic(
            "SEG772", Severity.WARNING, f"{what} is not there in {one_of(lacking)}", place, hint="add the text"
        )


# --- What must be in it ------------------------------------------------------------------------------------------
def _way_out(message: Message, definitions: Definitions) -> Iterator[Diagnostic]:
    template = message.template
    purpose = next((one for one in definitions.project.purposes if one.name == template.purpose), None)
    place = template.location or Location(template.files[0].path)
    if template.channel != "email":
        return
    if purpose is None:
        hint = f"write `purpose: NAME` in `{FOLDER}/{template.name}.yaml`: whether people can unsubscribe depends on it"
        yield Diagnostic("SEG774", Severity.WARNING, f"`{template.name}` has no purpose", place, hint=hint)
        return
    if not purpose.marketing or "contract" in purpose.bases:
        return
    for part in ("html", "txt"):
        if part in message.parts and "unsubscribe_url" not in message.speaks(part):
            path = message.file(part)
            hint = "link to `{{ unsubscribe_url }}`"
            said = "marketing without a link to unsubscribe"
            yield Diagnostic("SEG774", Severity.ERROR, said, Location(path), hint=hint)
    if definitions.content is not None and definitions.content.unsubscribe_url is None:
        hint = f'write `unsubscribe_url: "https://…/{{{{ profile_id | urlencode }}}}"` in a file of `{FOLDER}/`'
        yield Diagnostic("SEG774", Severity.ERROR, "no address to unsubscribe is declared", place, hint=hint)


def _address(library: Library, definitions: Definitions) -> Iterator[Diagnostic]:
    """The address that unsubscribes: what it speaks of, and whether an address comes out."""
    content = definitions.content or Content()
    place = content.unsubscribe_place or Location(FOLDER)
    try:
        tree = library.address()
    except TemplateError as error:
        yield Diagnostic("SEG768", Severity.ERROR, error.reason, place, hint="write `{{ profile_id | urlencode }}`")
        return
    if tree is None:
        return
    why = why_no_address(sketched(tree))
    if why is not None:
        hint = 'write it like "https://shop.example/u?p={{ profile_id | urlencode }}"'
        yield Diagnostic("SEG774", Severity.ERROR, why, place, hint=hint)
    known = {*(t.name for t in definitions.project.traits), *definitions.computed, *RESERVED}
    for name in sorted({one.name for one in needs(tree).names}):
        trait = definitions.trait(name)
        lacking = [one.name for one in content.templates.values() if name not in one.allowed]
        if name not in known:
            message = f"`{name[:60]}` in the address that unsubscribes is no trait"
            yield Diagnostic("SEG769", Severity.ERROR, message, place, hint=did_you_mean(name, known))
        elif trait is not None and trait.sensitive and lacking:
            message = f"the address that unsubscribes tells the sensitive trait `{name}`"
            yield Diagnostic("SEG770", Severity.ERROR, message, place, hint="write `{{ profile_id | urlencode }}`")


def _html(flat: Skeleton) -> Iterator[Diagnostic]:
    for finding in check_html(flat):
        severity = Severity.ERROR if finding.is_error else Severity.WARNING
        yield Diagnostic(
            finding.code, severity, finding.message, Location(*flat.place(finding.offset)), hint=finding.hint
        )


def _subject(flat: Skeleton) -> Iterator[Diagnostic]:
    fixed = flat.text
    for number in range(len(flat.values)):
        fixed = fixed.replace(f"\ue000{number}\ue001", "")
    if len(fixed) > LONGEST_SUBJECT:
        message = f"the subject has {len(fixed)} characters without its values, and about {LONGEST_SUBJECT} are shown"
        hint = "say the most important first; the rest belongs into `preheader`"
        yield Diagnostic("SEG781", Severity.WARNING, message, Location(*flat.place(0)), hint=hint)
