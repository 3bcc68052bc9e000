"""What is known of two segments, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segctl.model.project import Language
    from segctl.operations.overlap import Overlap

_EN = {
    "equivalent": "equivalent (proved): both have the same members, whatever the data are",
    "subset": "subset (proved): every member of {0} is a member of {1}",
    "superset": "superset (proved): every member of {1} is a member of {0}",
    "disjoint": "disjoint (proved): nobody can be a member of both",
    "empty": "a definition that never has a member (proved)",
    "same": "the same members in these data, not proved",
    "inside": "every member of {0} is a member of {1} in these data, not proved",
    "outside": "every member of {1} is a member of {0} in these data, not proved",
    "apart": "nobody is a member of both in these data, not proved",
    "nobody": "no members to compare in these data, and nothing is proved",
    "overlapping": "overlapping (proved by the test below): either can hold without the other, and both together",
    "mixed": "overlapping in these data: each has members that the other has not, and some are in both",
}
_DE = {
    "equivalent": "gleichwertig (bewiesen): beide haben bei beliebigen Daten dieselben Mitglieder",
    "subset": "Teilmenge (bewiesen): jedes Mitglied von {0} ist eines von {1}",
    "superset": "Obermenge (bewiesen): jedes Mitglied von {1} ist eines von {0}",
    "disjoint": "disjunkt (bewiesen): niemand kann in beiden sein",
    "empty": "eine Definition, die nie ein Mitglied hat (bewiesen)",
    "same": "in diesen Daten dieselben Mitglieder, nicht bewiesen",
    "inside": "in diesen Daten ist jedes Mitglied von {0} eines von {1}, nicht bewiesen",
    "outside": "in diesen Daten ist jedes Mitglied von {1} eines von {0}, nicht bewiesen",
    "apart": "in diesen Daten ist niemand in beiden, nicht bewiesen",
    "nobody": "in diesen Daten gibt es keine Mitglieder zu vergleichen, und bewiesen ist nichts",
    "overlapping": "überlappend (bewiesen durch den Test unten): jedes kann ohne das andere gelten, und beide zusammen",
    "mixed": "in diesen Daten überlappend: beide haben eigene Mitglieder, und einige sind in beiden",
}


def relation_words(found: Overlap, names: Sequence[str], language: Language = "en") -> str:
    """The proof where there is one, else what the data show."""
    assert found.relation is not None
    kind = found.relation.kind if found.relation.kind != "open" else _measured(found, names)
    return (_DE if language == "de" else _EN)[kind].format(*names)


def _measured(found: Overlap, names: Sequence[str]) -> str:
    first, second = (found.sizes[name] for name in names)
    both = found.pairs[0].both
    if not first or not second:
        return "nobody"
    if not both:
        return "apart"
    if both == first == second:
        return "same"
    if both == first:
        return "inside"
    return "outside" if both == second else "mixed"


def no_example_words(found: Overlap, language: Language = "en") -> str | None:
    """Why there is no example although nothing was proved away; None where there is one, or nothing to show."""
    if found.relation is None or not found.relation.ranking:
        return None
    names = [f"`{name}`" for name in found.relation.ranking]
    if language == "de":
        who = f"{' und '.join(names)} {'ordnet' if len(names) == 1 else 'ordnen'}"
        return f"kein Beispiel: {who} mit `keep` alle Profile gegeneinander, einzelne zeigen daher nichts"
    who = f"{' and '.join(names)} {'ranks' if len(names) == 1 else 'rank'}"
    return f"no example: {who} all profiles against one another with `keep`, so single ones show nothing"
