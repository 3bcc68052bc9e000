"""Words of the site, in English and German, and its looks behind those of every page."""

from __future__ import annotations

EN = {
    "title": "Segments of {name}",
    "made": "Written {at} · segctl show --html · definitions and sizes, nobody's data",
    "skip": "To the content",
    "nav": "Site",
    "index": "Segments",
    "lineage": "Lineage",
    "traits": "Traits and events",
    "sources": "Sources",
    "segment": "Segment",
    "owner": "Owner",
    "status": "Status",
    "tags": "Tags",
    "members": "Members",
    "change": "Last change",
    "no_runs": "No run yet, so sizes are unknown: segctl apply.",
    "no_run": "No run has evaluated it yet, so its size is unknown.",
    "unknown": "unknown",
    "none": "none",
    "count": "{n} segments",
    "no_segments": "There are no segments yet.",
    "description": "Description",
    "purpose": "Purpose",
    "file": "File",
    "send_to": "Sent to",
    "formerly": "Formerly",
    "facts": "Facts",
    "guards": "Guards",
    "fresh": "Fresh inputs",
    "in_words": "Who is in",
    "source_text": "Definition as written",
    "size": "Size over runs",
    "size_alt": "Members from {first} to {last}: first {a}, now {b}, at least {low}, at most {high}",
    "run": "Run",
    "as_of": "As of",
    "entered": "Entered",
    "left": "Left",
    "newest": "The newest runs",
    "uses": "What it rests on",
    "used_by": "Used by",
    "what": "Kind",
    "names": "Names",
    "graph": "Where it comes from and goes to",
    "graph_alt": "The drawing of the table below: sources, traits and events, segments, destinations",
    "tests": "Tests",
    "test_count": "{n} cases speak of this segment.",
    "no_tests": "No case speaks of this segment: segctl test --generate.",
    "case": "Case",
    "source": "Source",
    "trait": "Trait",
    "traits_only": "Traits",
    "event": "Event",
    "events": "Events",
    "tables": "Related tables",
    "table": "Related table",
    "type": "Type",
    "origin": "From",
    "computed": "computed of",
    "stored": "stored",
    "by": "Used by segments",
    "private": "personal",
    "properties": "Properties",
    "kind": "Kind",
    "reads": "Reads",
    "gives": "Gives",
    "destination": "Destination",
    "destinations": "Destinations",
    "experiments": "Experiments",
    "lists": "Lists",
    "segments": "Segments",
    "more": "and {n} more",
    "draft": "draft",
    "active": "active",
    "paused": "paused",
    "expired": "expired",
    "stale": "stale",
    "stopped": "Paused since",
    "stale_why": "Old inputs",
    "max_removed": "removed at most",
    "max_added": "added at most",
    "min_size": "members at least",
    "max_size": "members at most",
    "grouped": "Segments are grouped by owner, because there are many; the page of each shows its own neighbourhood.",
    "owner_of": "{owner} ({n})",
    "nobody": "without owner",
    "all_lineage": "Everything in one table",
    "age": "{name}: at most {length} old",
    "expires": "Expires",
    "scroll": "Drawing, scrolls sideways",
}
DE = {
    "title": "Segmente von {name}",
    "made": "Geschrieben {at} · segctl show --html · Definitionen und Größen, niemandes Daten",
    "skip": "Zum Inhalt",
    "nav": "Seiten",
    "index": "Segmente",
    "lineage": "Herkunft",
    "traits": "Merkmale und Ereignisse",
    "sources": "Quellen",
    "segment": "Segment",
    "owner": "Verantwortlich",
    "status": "Stand",
    "tags": "Schlagworte",
    "members": "Mitglieder",
    "change": "Letzte Änderung",
    "no_runs": "Noch kein Lauf, Größen sind daher unbekannt: segctl apply.",
    "no_run": "Noch kein Lauf hat es ausgewertet, die Größe ist daher unbekannt.",
    "unknown": "unbekannt",
    "none": "keine",
    "count": "{n} Segmente",
    "no_segments": "Es gibt noch keine Segmente.",
    "description": "Beschreibung",
    "purpose": "Zweck",
    "file": "Datei",
    "send_to": "Geht an",
    "formerly": "Früher",
    "facts": "Angaben",
    "guards": "Grenzen",
    "fresh": "Frische der Eingaben",
    "in_words": "Wer dazugehört",
    "source_text": "Definition, wie geschrieben",
    "size": "Größe über die Läufe",
    "size_alt": "Mitglieder von {first} bis {last}: zuerst {a}, jetzt {b}, mindestens {low}, höchstens {high}",
    "run": "Lauf",
    "as_of": "Stand vom",
    "entered": "Gekommen",
    "left": "Gegangen",
    "newest": "Die neuesten Läufe",
    "uses": "Worauf es beruht",
    "used_by": "Benutzt von",
    "what": "Art",
    "names": "Namen",
    "graph": "Woher es kommt und wohin es geht",
    "graph_alt": "Die Zeichnung der Tabelle darunter: Quellen, Merkmale und Ereignisse, Segmente, Ziele",
    "tests": "Tests",
    "test_count": "{n} Fälle sprechen von diesem Segment.",
    "no_tests": "Kein Fall spricht von diesem Segment: segctl test --generate.",
    "case": "Fall",
    "source": "Quelle",
    "trait": "Merkmal",
    "traits_only": "Merkmale",
    "event": "Ereignis",
    "events": "Ereignisse",
    "tables": "Verbundene Tabellen",
    "table": "Verbundene Tabelle",
    "type": "Typ",
    "origin": "Woher",
    "computed": "berechnet aus",
    "stored": "gespeichert",
    "by": "Benutzt von Segmenten",
    "private": "personenbezogen",
    "properties": "Eigenschaften",
    "kind": "Art",
    "reads": "Liest",
    "gives": "Gibt",
    "destination": "Ziel",
    "destinations": "Ziele",
    "experiments": "Experimente",
    "lists": "Listen",
    "segments": "Segmente",
    "more": "und {n} weitere",
    "draft": "Entwurf",
    "active": "aktiv",
    "paused": "angehalten",
    "expired": "abgelaufen",
    "stale": "veraltet",
    "stopped": "Angehalten seit",
    "stale_why": "Alte Eingaben",
    "max_removed": "höchstens entfernt",
    "max_added": "höchstens hinzugefügt",
    "min_size": "mindestens Mitglieder",
    "max_size": "höchstens Mitglieder",
    "grouped": "Die Segmente sind nach Verantwortlichen zusammengefasst, weil es"
    " viele sind; die Seite eines jeden zeigt seine Nachbarschaft.",
    "owner_of": "{owner} ({n})",
    "nobody": "ohne Verantwortliche",
    "all_lineage": "Alles in einer Tabelle",
    "age": "{name}: höchstens {length} alt",
    "expires": "Endet",
    "scroll": "Zeichnung, lässt sich seitwärts bewegen",
}

STYLE = """
.skip { position:absolute; left:-99rem; } .skip:focus { position:static; display:inline-block; padding:.5rem 1.25rem; }
nav ul { display:flex; flex-wrap:wrap; gap:.25rem 1.25rem; list-style:none; padding:0; margin:.75rem 0 0; }
nav a[aria-current] { font-weight:700; color:var(--fg); }
nav { border-bottom:1px solid var(--line); padding-bottom:.6rem; }
main > h1 { margin-top:1rem; }
main > section > h2 { margin-bottom:.5rem; }
footer { max-width:62rem; margin:2rem auto; padding:0 1.25rem; }
dl.facts { display:grid; grid-template-columns:max-content 1fr; gap:.25rem 1.25rem; margin:.5rem 0; }
dl.facts dt { color:var(--soft); } dl.facts dd { margin:0; overflow-wrap:anywhere; }
.tree ul { border-left:2px solid var(--line); padding-left:1rem; margin-left:.2rem; list-style:none; }
.tree > ul { border-left:0; padding-left:0; margin-left:0; }
pre { background:var(--card); border:1px solid var(--line); border-radius:.5rem; padding:.75rem 1rem; overflow-x:auto;
  font:.9rem/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace; }
.scroll { overflow-x:auto; border:1px solid var(--line); border-radius:.5rem; padding:.75rem; margin:.5rem 0 1rem; }
.scroll:focus-visible, pre:focus-visible { outline:3px solid var(--link); outline-offset:2px; }
svg text { font:13px system-ui,-apple-system,"Segoe UI",sans-serif; fill:var(--fg); }
svg.graph { display:block; max-width:none; } svg .head { fill:var(--soft); font-weight:600; }
svg path { fill:none; stroke:var(--soft); stroke-width:1.2; opacity:.75; }
svg rect { fill:var(--card); stroke:var(--soft); }
svg .source rect, svg .destination rect { stroke-dasharray:4 3; }
svg .self rect { stroke:var(--bar); stroke-width:3; } svg .self text { font-weight:700; }
svg .segment rect { stroke:var(--link); }
svg.chart-line { width:100%; max-width:44rem; height:auto; display:block; }
.chart-line line { stroke:var(--line); } .chart-line circle { fill:var(--bar); }
.chart-line polyline { fill:none; stroke:var(--bar); stroke-width:2.5; stroke-linejoin:round; }
:target { background:var(--warnbg); }
.index .name { width:38%; }
@media (max-width:40rem) { dl.facts { grid-template-columns:1fr; } dl.facts dd { margin-bottom:.4rem; }
  .index .name { width:100%; } }
@media print { nav, .skip { display:none; } .scroll { overflow:visible; border:0; } a { color:inherit; }
  svg.graph { width:100%; height:auto; } pre { white-space:pre-wrap; } }
"""
