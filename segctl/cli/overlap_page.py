"""The page of `overlap`: intersections as an UpSet plot, sizes, and a matrix of how alike each two segments are."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from segctl.cli.html_page import document
from segctl.cli.overlap_words import no_example_words, relation_words
from segctl.cli.validation_page import plain
from segctl.cli.validation_page_words import number

if TYPE_CHECKING:
    from segctl.model.project import Language
    from segctl.operations.overlap import Group, Overlap

_SHOWN = 60
_STYLE = """
.scroll { overflow-x:auto; }
.scroll:focus-visible { outline:3px solid var(--link); outline-offset:2px; }
.upset th.in, .upset td.in { text-align:center; padding:.15rem .1rem; min-width:1.4rem; width:1.6rem; }
.upset th.in { vertical-align:bottom; }
.upset th.in span { writing-mode:vertical-rl; transform:rotate(180deg); white-space:nowrap; font-weight:600; }
.upset td { padding-top:.15rem; padding-bottom:.15rem; vertical-align:middle; }
.upset .count { width:100%; min-width:10rem; padding-left:.6rem; vertical-align:bottom; }
.dot { display:inline-block; width:.9rem; height:.9rem; border-radius:50%; background:var(--track); }
.dot.yes { background:var(--bar); }
.matrix td, .matrix th { text-align:center; padding:.2rem .35rem; white-space:nowrap; }
.matrix th[scope=row] { text-align:left; }
.matrix td { min-width:2.6rem; font-variant-numeric:tabular-nums; border:1px solid var(--line); }
.matrix td span { display:block; border-bottom:.35rem solid transparent; }
.matrix .self { color:var(--soft); }
pre { background:var(--card); border:1px solid var(--line); border-radius:.5rem; padding:.75rem 1rem; overflow-x:auto; }
.hidden { position:absolute; width:1px; height:1px; overflow:hidden; clip-path:inset(50%); }
.matrix { width:auto; }
@media (max-width:40rem) {
  .upset, .matrix { display:table; }
  .upset thead, .matrix thead { display:table-header-group; position:static; width:auto; height:auto; clip-path:none; }
  .upset tbody, .matrix tbody { display:table-row-group; } .upset tr, .matrix tr { display:table-row; }
  .upset td, .upset th, .matrix td, .matrix th, .upset th[scope=row], .matrix th[scope=row]
    { display:table-cell; padding:.2rem .3rem; border-bottom:1px solid var(--line); }
  .upset td::before, .matrix td::before { content:none; }
}
"""
_EN = {
    "title": "How segments overlap", "made": "Members as of {at} · segctl overlap",
    "relation": "The two definitions", "example": "A test that shows what is possible, for `tests/`",
    "groups": "Who is in exactly which segments", "profiles": "profiles",
    "more": "{count} smaller groups are not shown",
    "lead": "Each row counts the profiles that are in all marked segments and in none of the others.",
    "sizes": "Sizes", "segment": "segment", "members": "members", "alike": "How alike each two are",
    "jaccard": "Jaccard: members of both by members of at least one, in percent; the bar below is the same.",
    "none": "No profile is a member of any of them.", "in": "in", "out": "not in",
}  # fmt: skip
_DE = {
    "title": "Wie sich Segmente überschneiden",
    "made": "Mitglieder zum {at} · segctl overlap",
    "relation": "Die beiden Definitionen", "example": "Ein Test, der zeigt, was möglich ist, für `tests/`",
    "groups": "Wer in genau welchen Segmenten ist", "profiles": "Profile",
    "more": "{count} kleinere Gruppen sind nicht gezeigt",
    "lead": "Jede Zeile zählt die Profile, die in allen markierten Segmenten sind und in keinem der anderen.",
    "sizes": "Größen", "segment": "Segment", "members": "Mitglieder", "alike": "Wie ähnlich sich je zwei sind",
    "jaccard": "Jaccard: Mitglieder beider durch Mitglieder von mindestens einem, in Prozent, und als Balken.",
    "none": "Kein Profil ist Mitglied eines von ihnen.", "in": "in", "out": "nicht in",
}  # fmt: skip


def page(found: Overlap, *, name: str, language: Language, at: datetime) -> str:
    """The whole page.

    Args:
        found: What `overlap` found.
        name: Of the project.
        language: Of the words.
        at: Of the members, in the zone of the project.
    """
    return _Page(found, language).whole(name, at)


class _Page:
    def __init__(self, found: Overlap, language: Language) -> None:
        self.found, self.language = found, language
        self.words = _DE if language == "de" else _EN
        self.names = list(found.sizes)

    def whole(self, name: str, at: datetime) -> str:
        words = self.words
        when = at.strftime("%d.%m.%Y %H:%M %Z" if self.language == "de" else "%Y-%m-%d %H:%M %Z")
        made = words["made"].format(at=plain(when))
        title = f"{words['title']}: {plain(name)}"
        body = [
            f'<header><h1>{title}</h1><p class="soft">{made}</p></header><main>',
            self._relation(), self._groups(), self._sizes(), self._matrix(), "</main>",
        ]  # fmt: skip
        return document(title, self.language, "\n".join(part for part in body if part), _STYLE)

    def _n(self, value: int) -> str:
        return number(value, self.language)

    def _section(self, key: str, inner: str) -> str:
        return f'<section aria-labelledby="{key}"><h2 id="{key}">{self.words[key]}</h2>\n{inner}</section>'

    def _relation(self) -> str:
        if self.found.relation is None:
            return ""
        said = f"<p><strong>{plain(relation_words(self.found, self.names, self.language), 2_000)}</strong></p>"
        example = self.found.relation.example
        if example is not None:
            lines = "\n".join(plain(line, 2_000) for line in example.splitlines())
            said += f"<h3>{plain(self.words['example']).replace('`', '')}</h3><pre>{lines}</pre>"
        reason = no_example_words(self.found, self.language)
        said += f"<p>{plain(reason, 2_000)}</p>" if reason is not None else ""
        return self._section("relation", said)

    # --- Intersections ------------------------------------------------------------------------------------
    def _groups(self) -> str:
        groups = self.found.groups
        if not groups:
            return self._section("groups", f"<p>{self.words['none']}</p>")
        heads = "".join(f'<th scope="col" class="in"><span>{plain(name)}</span></th>' for name in self.names)
        rows = "".join(self._group(group, groups[0].profiles) for group in groups[:_SHOWN])
        rest = self.found.group_count - min(_SHOWN, len(groups))
        more = f'<p class="soft">{self.words["more"].format(count=self._n(rest))}</p>' if rest > 0 else ""
        table = (
            f'<table class="upset"><thead><tr>{heads}<th scope="col" class="count">{self.words["profiles"]}</th></tr>'
            f"</thead><tbody>{rows}</tbody></table>"
        )
        return self._section("groups", f"<p>{self.words['lead']}</p>{self._scroll('groups', table)}{more}")

    def _group(self, group: Group, most: int) -> str:
        cells = "".join(self._dot(name in group.segments) for name in self.names)
        return f'<tr>{cells}<td class="count">{self._bar(group.profiles, most)}</td></tr>'

    def _dot(self, is_in: bool) -> str:
        word = self.words["in" if is_in else "out"]
        look = "dot yes" if is_in else "dot"
        return f'<td class="in"><span class="{look}" aria-hidden="true"></span><span class="hidden">{word}</span></td>'

    def _scroll(self, label: str, table: str) -> str:
        """Wide tables move within themselves, by keyboard too."""
        return f'<div class="scroll" tabindex="0" role="region" aria-labelledby="{label}">{table}</div>'

    def _bar(self, count: int, most: int) -> str:
        share = max(1, round(100 * count / most)) if most else 0
        filled = f'<span style="width:{share}%"></span>' if count else ""
        return f'{self._n(count)}<span class="bar" aria-hidden="true">{filled}</span>'

    # --- Sizes and likeness -------------------------------------------------------------------------------
    def _sizes(self) -> str:
        most = max(self.found.sizes.values(), default=0)
        rows = "".join(
            f'<tr><th scope="row">{plain(name)}</th>'
            f'<td data-label="{self.words["members"]}">{self._bar(count, most)}</td></tr>'
            for name, count in self.found.sizes.items()
        )
        heads = f'<th scope="col">{self.words["segment"]}</th><th scope="col">{self.words["members"]}</th>'
        return self._section("sizes", f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>")

    def _matrix(self) -> str:
        known = {(p.first, p.second): p.jaccard for p in self.found.pairs}
        heads = "".join(
            f'<th scope="col" title="{plain(name)}">{at}</th>' for at, name in enumerate(self.names, start=1)
        )
        rows = "".join(
            f'<tr><th scope="row">{at} {plain(name)}</th>{self._likeness(name, known)}</tr>'
            for at, name in enumerate(self.names, start=1)
        )
        table = f'<table class="matrix"><thead><tr><th></th>{heads}</tr></thead><tbody>{rows}</tbody></table>'
        return self._section("alike", f"<p>{self.words['jaccard']}</p>{self._scroll('alike', table)}")

    def _likeness(self, name: str, known: dict[tuple[str, str], float | None]) -> str:
        return "".join(
            self._cell(name == other, known.get((name, other), known.get((other, name)))) for other in self.names
        )

    def _cell(self, is_self: bool, value: float | None) -> str:
        if is_self or value is None:
            return f'<td class="self">{"·" if is_self else "–"}</td>'
        percent = round(100 * value)
        stop = f"linear-gradient(90deg, var(--bar) {percent}%, var(--track) {percent}%)"
        return f'<td><span style="border-image:{stop} 1">{percent}</span></td>'
