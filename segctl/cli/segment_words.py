"""Words of the report on segments, in English and German."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segctl.model.project import Language

_WORDS: dict[str, tuple[str, str]] = {
    "title": ("Segments", "Segmente"),
    "as_of": ("as of {at}", "Stand {at}"),
    "window": ("window {since} to {at}", "Fenster {since} bis {at}"),
    "people": ("{n} people", "{n} Personen"),
    "undeclared": (
        "Nothing says what success is, so only sizes are told. Lines for segctl.yaml that would fit your events:",
        "Nirgends steht, was Erfolg ist, darum nur Größen. Zeilen für segctl.yaml, die zu Ihren Ereignissen passen:",
    ),
    "undeclared_bare": (
        "Nothing says what success is, so only sizes are told: `segctl help report-segments` shows how to declare it.",
        "Nirgends steht, was Erfolg ist, darum nur Größen: `segctl help report-segments` zeigt, wie man es angibt.",
    ),
    "best": (
        "Members of `{segment}` converted most: {rate}; everybody {all}.",
        "Am häufigsten konvertierten Mitglieder von `{segment}`: {rate}; alle {all}.",
    ),
    "most": (
        "A member of `{segment}` brought most: {each}; everybody {all}.",
        "Am meisten brachte ein Mitglied von `{segment}`: {each}; alle {all}.",
    ),
    "moved_most": (
        "`{segment}` moved most: {share} of its members change with a run.",
        "Am meisten bewegte sich `{segment}`: {share} der Mitglieder wechseln je Lauf.",
    ),
    "lost": (
        "{lost} of {all} buyers are lost, {risk} are at risk; {back} came back.",
        "{lost} von {all} Käufern sind verloren, {risk} gefährdet; {back} kamen zurück.",
    ),
    "sizes": ("Sizes", "Größen"),
    "sizes_caption": ("Members in force, and the runs on record", "Mitglieder in Kraft und die Läufe im Protokoll"),
    "doings": ("What members did", "Was Mitglieder taten"),
    "doings_caption": (
        "Members when the window began, and what they did in it",
        "Mitglieder zu Beginn des Fensters und was sie darin taten",
    ),
    "looking_back": (
        (
            "*: too few runs on record, so members of today looking back; a rule over the same events decides that "
            "number itself."
        ),
        (
            "*: zu wenige Läufe, darum heutige Mitglieder im Rückblick; eine Regel über dieselben Ereignisse bestimmt "
            "diese Zahl selbst."
        ),
    ),
    "alike_note": (
        "Others alike: people who are not members, spread over the stages (new, active, at risk …) like the members.",
        "Ähnliche andere: Nichtmitglieder, auf die Phasen (neu, aktiv, gefährdet …) verteilt wie die Mitglieder.",
    ),
    "over_time": ("Conversion over time", "Konversion im Verlauf"),
    "over_time_text": (
        "Share of members with a conversion, window by window; the newest is at the right.",
        "Anteil der Mitglieder mit Konversion, Fenster für Fenster; das neueste steht rechts.",
    ),
    "size_over_time": ("Members over time", "Mitglieder im Verlauf"),
    "size_over_time_text": ("Members after each run on record.", "Mitglieder nach jedem Lauf im Protokoll."),
    "reach": ("Whom they reach", "Wen sie erreichen"),
    "unreached": ("Nobody can say whom they reach: {why}.", "Niemand kann sagen, wen sie erreichen: {why}."),
    "reach_caption": (
        "Members who may be told at each destination today, and messages sent since the window began",
        "Mitglieder, die je Ziel heute angesprochen werden dürfen, und Nachrichten seit Beginn des Fensters",
    ),
    "lift": ("Lift where measured", "Gemessene Wirkung"),
    "lift_caption": ("From finished experiments, against their control", "Aus beendeten Experimenten, gegen Kontrolle"),
    "overlap": ("Members in common", "Gemeinsame Mitglieder"),
    "overlap_caption": (
        "The five segments with most members in common",
        "Je fünf Segmente mit den meisten gemeinsamen",
    ),
    "cohorts": ("Retention", "Wiederkehr"),
    "cohorts_caption": (
        "Share of buyers who bought again, by month of the first purchase",
        "Anteil der Käufer, die wieder kauften, nach Monat des ersten Kaufs",
    ),
    "cohorts_open": (
        "The last month is not over: the last number of each row still grows.",
        "Der letzte Monat läuft noch: die letzte Zahl jeder Zeile wächst noch.",
    ),
    "lifecycle": ("Lifecycle", "Lebenszyklus"),
    "lifecycle_caption": (
        "Buyers now, and how they moved in the window",
        "Käufer jetzt und wie sie sich im Fenster bewegten",
    ),
    "lifecycle_declared": (
        "New, active, back: bought within {active} days; lost: not for {lost} days (declared).",
        "Neu, aktiv, zurück: Kauf in {active} Tagen; verloren: seit {lost} Tagen keiner (angegeben).",
    ),
    "lifecycle_gaps": (
        (
            "New, active, back: bought within {active} days (80 % of next purchases come sooner); lost: not for {lost} "
            "days (95 %)."
        ),
        (
            "Neu, aktiv, zurück: Kauf in {active} Tagen (80 % der nächsten Käufe kommen früher); verloren: seit {lost} "
            "Tagen keiner (95 %)."
        ),
    ),
    "lifecycle_default": (
        (
            "New, active, back: bought within {active} days; lost: not for {lost} days (too few purchases to tell your "
            "own)."
        ),
        (
            "Neu, aktiv, zurück: Kauf in {active} Tagen; verloren: seit {lost} Tagen keiner (zu wenige Käufe für "
            "eigene Grenzen)."
        ),
    ),
    "rfm": ("Recency and frequency", "Aktualität und Häufigkeit"),
    "rfm_caption": (
        "Buyers by score, 5 is the newest and the most often",
        "Käufer nach Stufe, 5 ist am neuesten und häufigsten",
    ),
    "rfm_people": ("Buyers by recency and frequency", "Käufer nach Aktualität und Häufigkeit"),
    "rfm_revenue": ("Revenue by the same scores", "Umsatz nach denselben Stufen"),
    "rfm_revenue_text": (
        "What these buyers brought, by the same scores",
        "Was diese Käufer brachten, nach denselben Stufen",
    ),
    "again": ("Bought again in the months after", "Kauften wieder in den Monaten danach"),
    "of_buyers": ("of buyers", "der Käufer"),
    "recency": ("recency", "Aktualität"),
    "frequency": ("frequency", "Häufigkeit"),
    "segment": ("segment", "Segment"),
    "members": ("members", "Mitglieder"),
    "share": ("of all", "Anteil"),
    "entered": ("came", "kamen"),
    "left": ("left", "gingen"),
    "per_run": ("median moves a run", "Wechsel je Lauf (Median)"),
    "curve": ("runs", "Läufe"),
    "people_head": ("people", "Personen"),
    "conversion": ("converted", "konvertiert"),
    "others": ("others alike", "ähnliche andere"),
    "each": ("revenue each", "Umsatz je Person"),
    "engagement": ("reacted", "reagierten"),
    "everybody": ("everybody", "alle"),
    "destination": ("destination", "Ziel"),
    "allowed": ("allowed", "erlaubt"),
    "reachable": ("reachable", "erreichbar"),
    "told": ("told", "gesendet"),
    "reacted": ("reacted", "reagierten"),
    "reaction": ("share", "Anteil"),
    "told_caption": (
        "People who were told since the window began, and who reacted after it",
        "Wem seit Beginn des Fensters gesendet wurde und wer danach reagierte",
    ),
    "unheard": (
        "Whom something was sent to after the newest event on record is not in the share: reactions are not in yet.",
        "Wem nach dem neuesten Ereignis gesendet wurde, fehlt im Anteil: Reaktionen liegen noch nicht vor.",
    ),
    "cost": ("cost", "Kosten"),
    "other": ("other", "anderes"),
    "both": ("in both", "in beiden"),
    "of_members": ("of its members", "der Mitglieder"),
    "jaccard": ("of either", "von beiden zusammen"),
    "month": ("first purchase", "erster Kauf"),
    "later": ("months later", "Monate danach"),
    "stage": ("stage", "Phase"),
    "now": ("now", "jetzt"),
    "came_from": ("came from", "kamen aus"),
    "went_to": ("went to", "gingen nach"),
    "run": ("run", "Lauf"),
    "ago": ("windows ago", "Fenster zuvor"),
    "experiment": ("experiment", "Experiment"),
    "metric": ("metric", "Kennzahl"),
    "arm": ("arm", "Arm"),
    "lift_head": ("lift", "Wirkung"),
    "p": ("p", "p"),
    "new": ("new", "neu"),
    "active": ("active", "aktiv"),
    "back": ("back", "zurück"),
    "at_risk": ("at risk", "gefährdet"),
    "stage_lost": ("lost", "verloren"),
    "never": ("never bought", "nie gekauft"),
    "hidden": ("hidden", "verdeckt"),
    "small": (
        "Counts below {k} are not told; “hidden” are also numbers from which such a count could be reckoned.",
        "Zahlen unter {k} werden nicht genannt; „verdeckt“ sind auch Zahlen, aus denen sich eine solche ergäbe.",
    ),
    "method": (
        "Windows end with the newest run. Nothing was evaluated for this report.",
        "Fenster enden mit dem neuesten Lauf. Für diesen Bericht wurde nichts ausgewertet.",
    ),
}


def words(language: Language) -> dict[str, str]:
    """Every word by name.

    >>> words("de")["reachable"]
    'erreichbar'
    """
    return {name: pair[language == "de"] for name, pair in _WORDS.items()}
