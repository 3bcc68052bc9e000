"""Looks of the validation page: light and dark, any width, on paper; all colours have a contrast of 4.5 or more."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --bg:#fff; --fg:#1b1f24; --soft:#57606a; --line:#d0d7de; --card:#f6f8fa;
  --bad:#b3261e; --badbg:#fdecea; --warn:#7a4d00; --warnbg:#fff4de; --good:#17652b; --goodbg:#e6f4ea;
  --bar:#c2410c; --track:#e3e7eb; --link:#0550ae; }
@media (prefers-color-scheme: dark) { :root { --bg:#14171a; --fg:#e8eaed; --soft:#aab2bb; --line:#3a4148;
  --card:#1d2126; --bad:#ffb4ab; --badbg:#4a1512; --warn:#ffd591; --warnbg:#43300a; --good:#9be0ab; --goodbg:#12371c;
  --bar:#ff9a62; --track:#343b42; --link:#8ab8ff; } }
* { box-sizing:border-box; }
body { margin:0; background:var(--bg); color:var(--fg); font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif; }
main,header { max-width:62rem; margin:0 auto; padding:0 1.25rem; }
header { padding-top:1.5rem; }
h1 { font-size:1.75rem; line-height:1.2; margin:0 0 .25rem; }
h2 { font-size:1.3rem; line-height:1.3; margin:0; overflow-wrap:anywhere; }
h3 { font-size:1rem; margin:1.5rem 0 .5rem; }
p { margin:.4rem 0; }
.soft { color:var(--soft); }
.lead { font-size:1.15rem; font-weight:600; margin:1rem 0 0; padding:.75rem 1rem; border-radius:.5rem;
  border-left:.4rem solid currentColor; }
.lead.bad,.badge.bad { color:var(--bad); background:var(--badbg); }
.lead.good,.badge.good { color:var(--good); background:var(--goodbg); }
.badge.warn { color:var(--warn); background:var(--warnbg); }
.badge.none { color:var(--soft); background:var(--card); }
.badge { display:inline-block; padding:.1rem .6rem; border-radius:1rem; font-size:.9rem; font-weight:600;
  white-space:nowrap; }
section { margin:2rem 0; }
section.source { border:1px solid var(--line); border-radius:.6rem; padding:1.1rem 1.25rem; }
.head { display:flex; flex-wrap:wrap; gap:.5rem .9rem; align-items:center; }
table { width:100%; border-collapse:collapse; }
th { text-align:left; font-size:.85rem; color:var(--soft); font-weight:600; }
th,td { padding:.5rem .75rem .5rem 0; border-bottom:1px solid var(--line); vertical-align:top; overflow-wrap:anywhere; }
tr:last-child > td, tr:last-child > th[scope=row] { border-bottom:0; }
th[scope=row] { color:var(--fg); font-size:1rem; }
.n { text-align:right; white-space:nowrap; font-variant-numeric:tabular-nums; }
thead th:last-child, td:last-child { padding-right:0; }
.bar { display:block; height:.6rem; border-radius:.3rem; background:var(--track); margin-top:.35rem; min-width:6rem;
  overflow:hidden; }
.bar > span { display:block; height:100%; min-width:2px; background:var(--bar); }
.where { font-weight:600; }
th .soft { font-weight:400; }
ul { margin:.3rem 0; padding-left:1.2rem; }
ul.plain { list-style:none; padding:0; margin:0; }
li { margin:.2rem 0; overflow-wrap:anywhere; }
code { font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace; background:var(--card);
  border:1px solid var(--line); border-radius:.3rem; padding:.05rem .3rem; overflow-wrap:anywhere; }
a { color:var(--link); }
a:focus-visible { outline:3px solid var(--link); outline-offset:2px; }
.rules col.c1 { width:42%; } .rules col.c2 { width:22%; }
@media (max-width:40rem) {
  main,header { padding-left:.9rem; padding-right:.9rem; }
  section.source { padding:.9rem; }
  table,tbody,tr,td,th[scope=row] { display:block; width:100%; }
  thead { position:absolute; width:1px; height:1px; overflow:hidden; clip-path:inset(50%); }
  tr { border-bottom:1px solid var(--line); padding:.6rem 0; }
  tr:last-child { border-bottom:0; }
  td,th[scope=row] { border:0; padding:.1rem 0; text-align:left; }
  td.n { white-space:normal; text-align:left; }
  td[data-label]::before { content:attr(data-label) ": "; color:var(--soft); }
}
@media print { section.source { break-inside:avoid; } body { font-size:11pt; } }
"""
