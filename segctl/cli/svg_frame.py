"""What all charts share: their frame, scale, patterns and colours, light and dark, on paper and in forced colours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from segctl.cli.validation_page import plain
from segctl.model.dataclass import dataclass

Say = Callable[[float], str]
"""A number in words of the page, such as ``2,30 %``; drawing and table use the same."""
MISSING = "–"
HEAT_STEPS = 5
_NARROWEST = 288
"""A chart this wide or less fits on the narrowest screens; wider ones scroll within themselves there."""
_OPEN_ROWS = 14


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart as SVG and its numbers as a table, both HTML.

    Attributes:
        title: Plain text.
        least: Width in pixels below which it scrolls.
        grid: The table has columns of one kind, so that it stays a table on the narrowest screens, and scrolls.
    """

    title: str
    svg: str
    table: str
    least: int = 0
    grid: bool = False

    def figure(self, words: tuple[str, str], *, folded: bool | None = None) -> str:
        """Both together; the table can be closed, and is at first where it is long.

        Args:
            words: Heading of the table, and what is said of an area that scrolls.
            folded: The table is closed at first; otherwise from the number of its rows.
        """
        numbers, area = words
        is_long = self.table.count("<tr") > _OPEN_ROWS if folded is None else folded
        drawn = self._scroll(self.svg, area) if self.least > _NARROWEST else self.svg
        table = self._scroll(self.table, f"{area}, {numbers}") if self.grid else self.table
        state = "" if is_long else " open"
        return (
            f'<figure class="chart"><figcaption>{plain(self.title, 500)}</figcaption>{drawn}'
            f"<details{state}><summary>{plain(numbers)}</summary>{table}</details></figure>"
        )

    def _scroll(self, inner: str, area: str) -> str:
        label = plain(f"{self.title}: {area}", 500)
        return f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">{inner}</div>'


@dataclass(frozen=True, slots=True)
class Scale:
    """From numbers to percent across.

    Attributes:
        low: Number at the left end.
        high: Number at the right end, above `low`.
    """

    low: float
    high: float

    @classmethod
    def over(cls, numbers: Iterable[float]) -> Scale:
        """The scale that holds all of them."""
        found = list(numbers)
        low, high = min(found), max(found)
        return cls(low, high) if high > low else cls(low - 1.0, high + 1.0)

    def share(self, value: float) -> float:
        """0 at the low end, 1 at the high one."""
        return (value - self.low) / (self.high - self.low)

    def at(self, value: float) -> float:
        """Percent across, with room for marks at both ends."""
        return round(3 + 94 * self.share(value), 2)

    def anchor(self, value: float) -> str:
        """Where a text at this value begins, so that it stays inside."""
        share = self.share(value)
        return "start" if share < 0.15 else "end" if share > 0.85 else "middle"


def svg(key: str, title: str, description: str, height: int, parts: Sequence[str], *, least: int = 0) -> str:
    """The drawing with its name and description for those who do not see it."""
    wide = f' style="min-width:{least}px"' if least > _NARROWEST else ""
    return (
        f'<svg class="plot" role="img" aria-labelledby="{key}-t {key}-d" width="100%" height="{height}"{wide}>'
        f'<title id="{key}-t">{plain(title, 500)}</title><desc id="{key}-d">{plain(description, 2_000)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def caption(words: str, y: float, *, look: str = "name") -> str:
    """A line of text above a bar."""
    return f'<text class="{look}" x="0%" y="{y:g}">{plain(shortened(words), 200)}</text>'


def text_of(words: str) -> str:
    """Text inside a drawing, whole."""
    return plain(words, 2_000)


def said(value: float | None, say: Say) -> str:
    """The number in words, or a dash."""
    return MISSING if value is None else say(value)


def shortened(words: str, most: int = 42) -> str:
    """What fits on the narrowest screens; the table has it whole."""
    return words if len(words) <= most else f"{words[: most - 1]}…"


PATTERNS = tuple(
    f'<pattern id="{{key}}-p{at}" width="8" height="8" patternUnits="userSpaceOnUse">'
    f'<rect class="base p{at}" width="8" height="8"/>{mark}</pattern>'
    for at, mark in enumerate(
        (
            "",
            '<path class="mark" d="M0 8L8 0"/>',
            '<circle class="dot" cx="4" cy="4" r="1.6"/>',
            '<path class="mark" d="M0 4H8"/>',
            '<path class="mark" d="M4 0V8"/>',
            '<path class="mark" d="M0 0L8 8M0 8L8 0"/>',
        )
    )
)
STYLE = """
:root { --s0:#0550ae; --s1:#a33d06; --s2:#17652b; --s3:#6639ba; --s4:#8a1049; --s5:#57606a; --mark:#fff;
  --h0:#eaf2fb; --h1:#c5dcf5; --h2:#8fbcec; --h3:#2f6fb5; --h4:#0b3d75; --ink:#0b1a2b; --ink2:#fff; }
@media (prefers-color-scheme: dark) { :root { --s0:#8ab8ff; --s1:#ff9a62; --s2:#9be0ab; --s3:#d2b4ff; --s4:#ff9fc8;
  --s5:#aab2bb; --mark:#14171a; --h0:#1f2a36; --h1:#274766; --h2:#2f6496; --h3:#7fb0ea; --h4:#c3dcf8;
  --ink:#fff; --ink2:#0b1a2b; } }
@media (forced-colors: active) { :root { --bg:Canvas; --fg:CanvasText; --soft:CanvasText; --line:CanvasText;
  --good:CanvasText; --bad:CanvasText; --mark:Canvas; --s0:CanvasText; --s1:CanvasText; --s2:CanvasText;
  --s3:CanvasText; --s4:CanvasText; --s5:CanvasText; --h0:Canvas; --h1:Canvas; --h2:Canvas; --h3:Canvas; --h4:Canvas;
  --ink:CanvasText; --ink2:CanvasText; } }
figure.chart { margin:1rem 0; }
figure.chart figcaption { font-weight:600; margin-bottom:.5rem; }
figure.chart caption { position:absolute; width:1px; height:1px; overflow:hidden; clip-path:inset(50%); padding:0; }
figure.chart details { margin:.5rem 0 0; }
summary { cursor:pointer; font-weight:600; padding:.3rem 0; min-height:24px; }
summary:focus-visible, .scroll:focus-visible { outline:3px solid var(--link); outline-offset:2px; }
caption { text-align:left; color:var(--soft); font-size:.9rem; padding:.2rem 0; }
.scroll { overflow-x:auto; }
svg.plot { display:block; overflow:visible; }
.plot text { font:14px system-ui,-apple-system,"Segoe UI",sans-serif; fill:var(--fg); }
.plot .name { font-weight:600; } .plot .soft, .plot .tick { fill:var(--soft); }
.plot .tick { font-size:12.5px; }
.plot .name, .plot .value { paint-order:stroke; stroke:var(--bg); stroke-width:4px; }
.plot .value { font-variant-numeric:tabular-nums; }
.plot .axis { stroke:var(--fg); stroke-width:1.5; stroke-dasharray:2 3; } .plot .grid { stroke:var(--line); }
.plot .even { stroke:var(--soft); stroke-width:2.5; } .plot .good { stroke:var(--good); stroke-width:2.5; }
.plot .bad { stroke:var(--bad); stroke-width:2.5; } .plot .reach { stroke-width:4; }
.plot circle.even { fill:var(--soft); } .plot circle.good { fill:var(--good); } .plot circle.bad { fill:var(--bad); }
.plot line.s0 { stroke:var(--s0); } .plot line.s1 { stroke:var(--s1); stroke-dasharray:8 4; }
.plot line.s2 { stroke:var(--s2); stroke-dasharray:2 4; } .plot line.s3 { stroke:var(--s3); stroke-dasharray:12 4 2 4; }
.plot line.s4 { stroke:var(--s4); stroke-dasharray:5 2; } .plot line.s5 { stroke:var(--s5); stroke-dasharray:1 3; }
.plot line[class^=s] { stroke-width:2.5; } .plot line.whisker { stroke-width:1.5; stroke-dasharray:none; }
.plot circle.s0, .base.p0 { fill:var(--s0); } .plot circle.s1, .base.p1 { fill:var(--s1); }
.plot circle.s2, .base.p2 { fill:var(--s2); } .plot circle.s3, .base.p3 { fill:var(--s3); }
.plot circle.s4, .base.p4 { fill:var(--s4); } .plot circle.s5, .base.p5 { fill:var(--s5); }
.plot > rect { stroke:var(--bg); stroke-width:1.5; }
.plot .mark { stroke:var(--mark); stroke-width:1.6; fill:none; } .plot .dot { fill:var(--mark); }
.plot g[class^=h] rect { stroke:var(--bg); stroke-width:2; }
.plot .h0 rect { fill:var(--h0); } .plot .h1 rect { fill:var(--h1); } .plot .h2 rect { fill:var(--h2); }
.plot .h3 rect { fill:var(--h3); } .plot .h4 rect { fill:var(--h4); }
.plot .h0 text, .plot .h1 text, .plot .h2 text { fill:var(--ink); }
.plot .h3 text, .plot .h4 text { fill:var(--ink2); }
@media (max-width:40rem) {
  caption { display:block; width:100%; }
  .grid caption { display:table-caption; }
  .grid { display:table; } .grid thead { display:table-header-group; position:static; clip-path:none; }
  .grid tbody { display:table-row-group; } .grid tr { display:table-row; }
  .grid td, .grid th, .grid th[scope=row], .grid td.n { display:table-cell; width:auto; padding:.25rem .4rem;
    border-bottom:1px solid var(--line); text-align:right; white-space:nowrap; }
  .grid td[data-label]::before { content:none; } .grid caption { white-space:normal; }
}
@media (forced-colors: active) { .plot g[class^=h] rect { stroke:CanvasText; stroke-width:1; } }
@media print { details::details-content { content-visibility:visible; height:auto; }
  figure.chart { break-inside:avoid; }
  .scroll { overflow:visible; } .plot rect, .plot circle { print-color-adjust:exact; } }
"""
