"""All pages of the site: relative path to the HTML of each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.cli import site_lineage, site_segment
from segctl.cli.site_frame import Frame, text
from segctl.cli.validation_page import plain

if TYPE_CHECKING:
    from segctl.operations.site import EventRow, Site, SourceRow, TraitRow


def pages(site: Site, at: datetime) -> Iterator[tuple[str, str]]:
    """Path within the site and HTML of each page.

    Args:
        site: What is told.
        at: When it was written, in the zone of the project.
    """
    yield "index.html", _index(Frame(site, at, page="index"))
    yield "lineage.html", site_lineage.page(Frame(site, at, page="lineage"))
    yield "traits.html", _traits(Frame(site, at, page="traits"))
    yield "sources.html", _sources(Frame(site, at, page="sources"))
    for one in site.segments:
        yield f"segments/{one.definition.name}.html", site_segment.page(site, one, at)


def _index(frame: Frame) -> str:
    words, site = frame.words, frame.site
    rows = []
    for one in site.segments:
        definition, last = one.definition, one.sizes[-1] if one.sizes else None
        title = f'<br><span class="soft">{text(definition.title)}</span>' if definition.title else ""
        rows.append(
            [
                frame.segment(definition.name) + title,
                frame.n(last.size) if last else words["unknown"],
                f"+{frame.n(last.entered)} −{frame.n(last.left)}, {frame.day(last.as_of)}" if last else "",
                text(definition.owner) if definition.owner else "",
                words[site_segment.state(frame, one)],
                ", ".join(text(tag) for tag in definition.tags),
            ]
        )
    heads = ("segment", "members", "change", "owner", "status", "tags")
    table = frame.table(heads, rows, "index") if rows else f"<p>{words['no_segments']}</p>"
    note = "" if site.has_runs or not rows else f'<p class="soft">{words["no_runs"]}</p>'
    lead = f'<p class="soft">{words["count"].format(n=frame.n(len(rows)))}</p>' if rows else ""
    return frame.whole(words["title"].format(name=text(site.name)), [lead, note, table])


# --- Traits and events ------------------------------------------------------------------------------------
def _traits(frame: Frame) -> str:
    words, site = frame.words, frame.site
    traits = frame.table(("trait", "type", "origin", "by"), [_trait(frame, trait) for trait in site.traits])
    parts = [frame.section("traits_only", traits if site.traits else "")]
    for key, kind, rows in (("events", "event", site.events), ("tables", "related", site.tables)):
        heads = ("event" if kind == "event" else "table", "properties", "origin", "by")
        table = frame.table(heads, [_event(frame, kind, row) for row in rows])
        parts.append(frame.section(key, table if rows else ""))
    return frame.whole(words["traits"], parts)


def _named(kind: str, name: str, title: str, description: str) -> str:
    more = " · ".join(text(part) for part in (title, description) if part)
    told = f'<br><span class="soft">{more}</span>' if more else ""
    return f'<span id="{kind}-{plain(name)}">{text(name)}</span>{told}'


def _trait(frame: Frame, trait: TraitRow) -> list[str]:
    unit = f" ({text(trait.unit)})" if trait.unit else ""
    private = f" · {frame.words['private']}" if trait.is_private else ""
    if trait.is_computed:
        parts = ", ".join(_rests_on(frame, name) for name in trait.rests_on)
        origin = f"{frame.words['computed']} {parts}" if parts else frame.words["computed"]
    else:
        links = frame.several([frame.thing("source", name) for name in trait.sources])
        origin = links or frame.words["stored"]
    users = frame.several([frame.segment(name) for name in trait.segments])
    return [_named("trait", trait.name, trait.title, trait.description), f"{text(trait.type)}{unit}{private}", origin,
            users]  # fmt: skip


def _rests_on(frame: Frame, name: str) -> str:
    kinds = (("trait", frame.site.traits), ("event", frame.site.events), ("related", frame.site.tables))
    kind = next((kind for kind, rows in kinds if any(row.name == name for row in rows)), None)
    return frame.thing(kind, name) if kind else text(name)


def _event(frame: Frame, kind: str, event: EventRow) -> list[str]:
    properties = ", ".join(f'{text(name)} <span class="soft">{text(of)}</span>' for name, of in event.properties)
    return [
        _named(kind, event.name, event.title, event.description),
        properties,
        frame.several([frame.thing("source", name) for name in event.sources]),
        frame.several([frame.segment(name) for name in event.segments]),
    ]


# --- Sources ----------------------------------------------------------------------------------------------
def _sources(frame: Frame) -> str:
    rows = [_source(frame, source) for source in frame.site.sources]
    table = frame.table(("source", "kind", "reads", "gives"), rows) if rows else f"<p>{frame.words['none']}</p>"
    return frame.whole(frame.words["sources"], [table])


def _source(frame: Frame, source: SourceRow) -> list[str]:
    gives = [
        *(frame.thing("trait", name) for name in source.traits),
        *(frame.thing("event", name) for name in source.events),
        *(frame.thing("related", name) for name in source.tables),
    ]
    return [
        _named("source", source.name, source.file, ""),
        text(source.kind),
        ", ".join(f"<code>{text(place)}</code>" for place in source.places),
        frame.several(gives, 200),
    ]
