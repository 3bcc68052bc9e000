"""One segment's page of the site."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from segctl.cli.site_drawings import chart
from segctl.cli.site_frame import Frame, text
from segctl.cli.site_lineage import neighbourhood
from segctl.cli.validation_page import plain
from segctl.compile.words_times import length_words
from segctl.operations.expiry import expired_at

if TYPE_CHECKING:
    from segctl.operations.site import SegmentPage, Site

_RUNS, _CASES = 10, 60
_LONGEST_LINE = 5_000
_DAYS = {"de": "%d.%m.%Y", "en": "%Y-%m-%d"}


def page(site: Site, one: SegmentPage, at: datetime) -> str:
    """The whole page."""
    frame = Frame(site, at, page="segment", up="../")
    definition = one.definition
    heading = text(definition.title or definition.name)
    lead = f'<p class="soft"><code>{text(definition.name)}</code></p>' if definition.title else ""
    parts = [
        frame.section("facts", _facts(frame, one)),
        frame.section("in_words", f'<div class="tree">{tree(one.words)}</div>'),
        frame.section("size", _sizes(frame, one)),
        frame.section("graph", neighbourhood(frame, one)),
        frame.section("tests", _tests(frame, one)),
        frame.section("source_text", _written(one)),
    ]
    return frame.whole(heading, parts, lead)


def tree(words: tuple[tuple[int, str], ...]) -> str:
    """Lines with their indentation as nested lists."""
    html, depth = "", -1
    for indent, line in words:
        if indent > depth:
            html += "<ul><li>" * (indent - depth)
        else:
            html += "</li></ul>" * (depth - indent) + "</li><li>"
        html += text(line)
        depth = indent
    return html + "</li></ul>" * (depth + 1)


def _facts(frame: Frame, one: SegmentPage) -> str:
    words, definition = frame.words, one.definition
    facts = [
        ("description", text(definition.description) if definition.description else ""),
        ("status", words[state(frame, one)]),
        ("stopped", _stopped(frame, one)),
        ("stale_why", "<br>".join(text(sentence) for sentence in one.stale)),
        ("owner", text(definition.owner) if definition.owner else words["none"]),
        ("purpose", text(definition.purpose) if definition.purpose else ""),
        ("tags", ", ".join(text(tag) for tag in definition.tags)),
        ("send_to", ", ".join(text(name) for name in definition.send_to)),
        ("guards", _guards(frame, one)),
        ("fresh", _fresh(frame, one)),
        ("expires", plain(definition.expires.strftime(_DAYS[frame.site.language])) if definition.expires else ""),
        ("formerly", ", ".join(text(name) for name in definition.formerly)),
        ("file", f"<code>{text(definition.location.file)}</code>" if definition.location else ""),
    ]
    rows = "".join(f"<dt>{words[key]}</dt><dd>{value}</dd>" for key, value in facts if value)
    return f'<dl class="facts">{rows}</dl>'


def state(frame: Frame, one: SegmentPage) -> str:
    """The word for how it stands: ``paused``, ``expired``, ``stale`` or what the file says, as in `segctl ls`."""
    if one.paused is not None:
        return "paused"
    end = expired_at(one.definition, frame.site.zone)
    if end is not None and end <= frame.at:
        return "expired"
    return "stale" if one.stale and one.definition.status == "active" else one.definition.status


def _stopped(frame: Frame, one: SegmentPage) -> str:
    if one.paused is None:
        return ""
    at, reason = one.paused
    return f"{frame.day(at)}{f': {text(reason)}' if reason else ''}"


def _guards(frame: Frame, one: SegmentPage) -> str:
    guards, words = one.definition.guards, frame.words
    shares = [(key, getattr(guards, key)) for key in ("max_removed", "max_added")]
    counts = [(key, getattr(guards, key)) for key in ("min_size", "max_size")]
    told = [f"{words[key]} {_percent(frame, share)}" for key, share in shares if share is not None]
    told += [f"{words[key]} {frame.n(count)}" for key, count in counts if count is not None]
    return ", ".join(told)


def _percent(frame: Frame, share: object) -> str:
    from decimal import Decimal

    written = f"{Decimal(str(share)) * 100:f}"
    written = written.rstrip("0").rstrip(".") if "." in written else written
    return f"{written.replace('.', ',')} %" if frame.site.language == "de" else f"{written}%"


def _fresh(frame: Frame, one: SegmentPage) -> str:
    return ", ".join(
        frame.words["age"].format(name=text(name), length=length_words(length, frame.site.language))
        for name, length in one.definition.fresh
    )


def _sizes(frame: Frame, one: SegmentPage) -> str:
    if not one.sizes:
        return f"<p>{frame.words['no_run']}</p>"
    first, last = one.sizes[0], one.sizes[-1]
    counts = [point.size for point in one.sizes]
    days = (frame.day(first.as_of), frame.day(last.as_of))
    told = frame.words["size_alt"].format(
        first=days[0], last=days[1], a=frame.n(first.size), b=frame.n(last.size),
        low=frame.n(min(counts)), high=frame.n(max(counts)),
    )  # fmt: skip
    drawing = chart(one.sizes, (frame.n(max(1, *counts)), *days), told) if len(one.sizes) > 1 else ""
    rows = [
        (frame.day(p.as_of), frame.n(p.size), frame.n(p.entered), frame.n(p.left), f"<code>{plain(p.run)}</code>")
        for p in reversed(one.sizes[-_RUNS:])
    ]
    table = frame.table(("as_of", "members", "entered", "left", "run"), rows)
    return f"<p>{told}.</p>{drawing}<h3>{frame.words['newest']}</h3>{table}"


def _tests(frame: Frame, one: SegmentPage) -> str:
    if not one.tests:
        return f"<p>{frame.words['no_tests']}</p>"
    count = frame.words["test_count"].format(n=frame.n(len(one.tests)))
    rows = [(text(name), f"<code>{text(file)}</code>") for file, name in one.tests[:_CASES]]
    more = len(one.tests) - _CASES
    rest = f"<p>{frame.words['more'].format(n=frame.n(more))}</p>" if more > 0 else ""
    return f"<p>{count}</p>{frame.table(('case', 'file'), rows)}{rest}"


def _written(one: SegmentPage) -> str:
    lines = "\n".join(plain(line, _LONGEST_LINE) for line in one.text.splitlines())
    return f'<pre tabindex="0">{lines}</pre>' if lines else ""
