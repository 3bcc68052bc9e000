"""The report of `dedupe` as one page for people; the frame and the looks are those of every page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.cli.html_page import document
from segctl.cli.identity_page_words import WORDS, because, decimal
from segctl.cli.validation_page import plain
from segctl.cli.validation_page_words import number

if TYPE_CHECKING:
    from segctl.operations.dedupe.dedupe import Deduped
    from segctl.operations.dedupe.near import Near

_SHOWN = 50
_CODE = re.compile(r"`([^`]*)`")
_STYLE = """
.tiles { display:flex; flex-wrap:wrap; gap:.75rem; padding:0; margin:1rem 0; list-style:none; }
.tiles li { flex:1 1 8rem; border:1px solid var(--line); border-radius:.6rem; padding:.6rem .9rem; }
.tiles b { display:block; font-size:1.5rem; line-height:1.2; font-variant-numeric:tabular-nums; }
.chart { width:38%; }
details { border:1px solid var(--line); border-radius:.6rem; padding:.6rem 1rem; margin:.6rem 0; }
summary { cursor:pointer; font-weight:600; overflow-wrap:anywhere; }
summary:focus-visible { outline:3px solid var(--link); outline-offset:2px; }
.fall { position:relative; display:block; height:.9rem; min-width:8rem; background:var(--track); border-radius:.2rem; }
.fall > span { position:absolute; top:0; bottom:0; min-width:2px; }
.fall .up { background:var(--good); } .fall .down { background:var(--bad); }
.fall .even { width:2px; background:var(--fg); }
@media (max-width:40rem) { .chart { width:100%; } }
"""


def page(found: Deduped, *, name: str, language: str, at: datetime, personal: bool) -> str:
    """The whole page.

    Args:
        found: What `dedupe` found, in full.
        name: Of the project; may be empty.
        language: ``de`` or ``en``; otherwise ``en``.
        at: When, in the zone of the project.
        personal: Shared values may be shown.
    """
    return _Page(language if language in WORDS else "en", personal=personal).whole(found, name, at)


class _Page:
    def __init__(self, language: str, *, personal: bool) -> None:
        self.language, self.words, self.personal = language, WORDS[language], personal

    def whole(self, found: Deduped, name: str, at: datetime) -> str:
        words = self.words
        title = f"{words['title']}: {plain(name)}" if name else words["title"]
        when = at.strftime("%d.%m.%Y %H:%M %Z" if self.language == "de" else "%Y-%m-%d %H:%M %Z")
        lead = words["lead"].format(before=self._n(found.before), after=self._n(found.after))
        body = [
            f"<header><h1>{title}</h1>",
            f'<p class="soft">{words["made"].format(at=plain(when))} · segctl dedupe</p>',
            f'<p class="lead good">{lead}</p>',
            f'<p class="soft">{self._coded(words["personal" if self.personal else "hidden"])}</p>',
            "</header><main>",
            self._summary(found),
            self._sizes(found.sizes),
            self._bars("links", ("key", "count"), sorted(found.links.items(), key=lambda row: (-row[1], row[0]))),
            self._changed(found),
            self._largest(found),
            self._near(found),
            self._held(found),
            self._junk(found),
            self._next(found),
            "</main>",
        ]
        return document(title, self.language, "\n".join(part for part in body if part), _STYLE)

    def _n(self, value: int) -> str:
        return number(value, self.language)

    def _coded(self, text: str) -> str:
        """Backticks as code."""
        return _CODE.sub(lambda found: f"<code>{found[1]}</code>", plain(text, 2_000))

    def _section(self, key: str, inner: str) -> str:
        return f'<section aria-labelledby="{key}"><h2 id="{key}">{self.words[key]}</h2>\n{inner}</section>'

    def _table(self, heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
        """A table whose cells are HTML already; the first one names the row."""
        look = ["n" if at in numbers else "" for at in range(len(heads))]
        head = "".join(
            f'<th scope="col" role="columnheader" class="{of}">{self.words[key]}</th>'
            for key, of in zip(heads, look, strict=True)
        )
        lines = []
        for row in rows:
            first, *others = row
            cells = "".join(
                f'<td role="cell" class="{of}" data-label="{self.words[key]}">{cell}</td>'
                for cell, key, of in zip(others, heads[1:], look[1:], strict=True)
            )
            lines.append(f'<tr role="row"><th scope="row" role="rowheader">{first}</th>{cells}</tr>')
        return (
            f'<table role="table"><thead role="rowgroup"><tr role="row">{head}</tr></thead>'
            f'<tbody role="rowgroup">{"".join(lines)}</tbody></table>'
        )

    def _bar(self, count: int, most: int) -> str:
        share = max(1, round(100 * count / most)) if most else 0
        return f'{self._n(count)}<span class="bar" aria-hidden="true"><span style="width:{share}%"></span></span>'

    def _bars(self, key: str, heads: Sequence[str], rows: Sequence[tuple[str, int]]) -> str:
        if not rows:
            return self._section(key, f"<p>{self.words['none']}</p>")
        most = max(count for _, count in rows)
        cells = [(f"<bdi>{plain(name)}</bdi>", self._bar(count, most)) for name, count in rows]
        return self._section(key, self._table(heads, cells))

    def _summary(self, found: Deduped) -> str:
        facts = [("subjects", found.subjects), ("before", found.before), ("after", found.after),
                 *found.events.items(), ("held_count", found.held.height)]  # fmt: skip
        tiles = "".join(f"<li><b>{self._n(count)}</b> {self.words[key]}</li>" for key, count in facts)
        is_on = found.likeness is not None and found.likeness.fuzzy
        notes = "".join(f"<p>{self._coded(note)}</p>" for note in found.notes)
        return self._section(
            "summary",
            f'<ul class="tiles">{tiles}</ul><p>{self._coded(self.words["on" if is_on else "off"])}</p>{notes}',
        )

    def _sizes(self, sizes: tuple[tuple[int, int], ...]) -> str:
        from segctl.cli.commands.dedupe import buckets

        to, more = self.words["to"], self.words["more"]
        rows = [(name.replace(" to ", f" {to} ").replace("more than", more), count) for name, count in buckets(sizes)]
        return self._bars("sizes", ("identifiers", "profiles"), rows)

    def _changed(self, found: Deduped) -> str:
        if not found.changed:
            return self._section("changed", f"<p>{self.words['nothing_changed']}</p>")
        rows = [
            (f"<bdi>{plain(profile)}</bdi>", self.words[event], self._n(before), self._n(now))
            for profile, event, before, now in found.changed
        ]
        return self._section("changed", self._table(("profile", "what", "was", "identifiers"), rows, (2, 3)))

    def _largest(self, found: Deduped) -> str:
        if not found.largest:
            return ""
        rows = [
            (f"<bdi>{plain(profile)}</bdi>", self._n(count), plain(", ".join(f"{k}: {n}" for k, n in kinds.items())))
            for profile, count, kinds in found.largest
        ]
        return self._section("largest", self._table(("profile", "identifiers", "kinds"), rows, (1,)))

    def _near(self, found: Deduped) -> str:
        if not found.near:
            return ""
        return self._section("near", f"<p>{self.words['bits']}</p>" + "\n".join(self._pair(one) for one in found.near))

    def _pair(self, one: Near) -> str:
        from segctl.cli.waterfall import rungs

        steps = rungs(one.pair)
        ends = [end for step in steps for end in (step.start, step.end)]
        low, span = min(ends), (max(ends) - min(ends)) or 1.0
        rows = []
        for step in steps:
            first, last = sorted(100 * (end - low) / span for end in (step.start, step.end))
            look = "up" if step.bits > 0 else "down"
            way = f'<span class="{look}" style="left:{first:.1f}%;width:{last - first:.1f}%"></span>'
            chart = (
                f'<span class="fall" aria-hidden="true">{way if step.bits else ""}'
                f'<span class="even" style="left:{-100 * low / span:.1f}%"></span></span>'
            )
            level = ", ".join(self.words.get(part, plain(part)) for part in step.agreement.split(", "))
            row = [self.words.get(step.field, plain(step.field)), level or "–"]
            if self.personal:
                row += [f"<bdi>{plain(value)}</bdi>" if value else "–" for value in (step.left, step.right)]
            rows.append([*row, decimal(step.bits, self.language), decimal(step.end, self.language), chart])
        values = ("left", "right") if self.personal else ()
        heads = ("field", "agreement", *values, "bit", "sum", "chart")
        verdict = self.words["joined" if one.joined else "apart"]
        chance = decimal(100 * one.pair.probability, self.language, sign=False)
        told = f"<bdi>{plain(one.left)}</bdi> + <bdi>{plain(one.right)}</bdi>: {chance} %, {verdict}"
        table = self._table(heads, rows, (len(heads) - 3, len(heads) - 2))
        return f"<details><summary>{told}</summary>{table}</details>"

    def _held(self, found: Deduped) -> str:
        if not found.held.height:
            return ""
        rows = [
            (
                plain(key),
                self._value(key, value),
                f"<bdi>{plain(a)}</bdi>",
                f"<bdi>{plain(b)}</bdi>",
                plain(because(reason, self.language)),
            )
            for key, value, a, b, reason in found.held.head(_SHOWN).iter_rows()
        ]
        by_reason = [
            (plain(because(str(reason), self.language)), count)
            for reason, count in found.held["reason"].value_counts(sort=True).rows()
        ]
        most = max(count for _, count in by_reason)
        why = self._table(("reason", "count"), [(reason, self._bar(count, most)) for reason, count in by_reason])
        return self._section(
            "held", f"<p>{self._coded(self.words['held_why'])}</p>{why}<details><summary>"
            f"{self.words['shown'].format(n=self._n(len(rows)), all=self._n(found.held.height))}</summary>"
            + self._table(("key", "value", "left", "right", "reason"), rows) + "</details>",
        )  # fmt: skip

    def _junk(self, found: Deduped) -> str:
        if not found.junk.height:
            return ""
        rows = [
            (plain(key), self._value(key, value), self._n(count), plain(because(reason, self.language)))
            for key, value, count, reason in found.junk.head(_SHOWN).iter_rows()
        ]
        return self._section("junk", self._table(("key", "value", "identities", "reason"), rows, (2,)))

    def _value(self, key: str, value: str | None) -> str:
        from segctl.cli.commands.dedupe import masked

        shown = value if self.personal or key == "fuzzy" else masked(value)
        return f"<bdi>{plain(shown or '–')}</bdi>"

    def _next(self, found: Deduped) -> str:
        steps = ["do_review"] if found.held.height else []
        steps += ["do_explain", "do_apart", *(["do_undo"] if found.run else [])]
        run = found.run.id if found.run else ""
        lines = "".join(f"<li>{self._coded(self.words[step].format(run=run))}</li>" for step in steps)
        return self._section("next", f"<ul>{lines}</ul>")
