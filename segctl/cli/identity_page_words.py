"""Words of the page of `dedupe`, in English and German."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "Who is one person", "made": "Made {at}", "lead": "{before} profiles became {after}.",
        "hidden": "Shared values are masked, since they can be personal data; `--show-personal` shows them.",
        "personal": "This page shows personal data. Keep it accordingly.",
        "summary": "At a glance", "subjects": "identifiers", "before": "profiles before", "after": "profiles after",
        "merged": "merged", "split": "split", "new": "new", "unchanged": "unchanged", "held_count": "links held back",
        "on": "Likeness of names, birthdays and addresses joined people too.",
        "off": "People were joined by keys only; `--fuzzy` also joins by likeness.",
        "sizes": "Profiles by size", "identifiers": "Identifiers", "profiles": "Profiles", "to": "to",
        "more": "more than", "links": "Links by key", "key": "Key", "count": "Count", "none": "None.",
        "changed": "What the run changed", "nothing_changed": "No profile was merged or split.", "profile": "Profile",
        "what": "What", "was": "Profiles before", "largest": "Largest profiles", "kinds": "Kinds",
        "near": "Pairs near the threshold",
        "bits": "Each field adds to the weight of a pair or takes away, in bits. From 0 bits, the line in the chart, "
        "two records are more likely one person than two.",
        "joined": "joined", "apart": "kept apart", "field": "Field", "agreement": "Agreement", "left": "One",
        "right": "Other", "bit": "Bits", "sum": "Sum", "chart": "Chart", "prior": "before any comparison",
        "total": "total", "held": "Held back", "reason": "Reason", "value": "Value",
        "held_why": "A limit keeps these apart; people decide.", "shown": "{n} of {all} links",
        "junk": "Values that identify nobody", "identities": "People", "next": "What to do",
        "do_review": "Decide about doubtful pairs: `segctl dedupe review`, or in a spreadsheet with "
        "`segctl dedupe --review doubts.csv`.",
        "do_explain": "See why two are one person, or not: `segctl explain identity A B`.",
        "do_apart": "Keep two apart for good: `segctl dedupe apart A B`; together: `segctl dedupe together A B`.",
        "do_undo": "Take this run back: `segctl dedupe undo {run}`; one profile: `segctl dedupe undo WHO`.",
    },
    "de": {
        "title": "Wer ist eine Person", "made": "Erstellt am {at}", "lead": "Aus {before} Profilen wurden {after}.",
        "hidden": "Geteilte Werte sind verdeckt, denn sie können personenbezogen sein; `--show-personal` zeigt sie.",
        "personal": "Diese Seite zeigt personenbezogene Daten. Entsprechend aufbewahren.",
        "summary": "Auf einen Blick", "subjects": "Kennungen", "before": "Profile vorher", "after": "Profile nachher",
        "merged": "vereint", "split": "geteilt", "new": "neu", "unchanged": "unverändert",
        "held_count": "Verbindungen zurückgehalten",
        "on": "Auch Ähnlichkeit von Namen, Geburtstagen und Adressen hat Personen vereint.",
        "off": "Nur Schlüssel haben Personen vereint; `--fuzzy` vereint auch nach Ähnlichkeit.",
        "sizes": "Profile nach Größe", "identifiers": "Kennungen", "profiles": "Profile", "to": "bis",
        "more": "mehr als", "links": "Verbindungen nach Schlüssel", "key": "Schlüssel", "count": "Anzahl",
        "none": "Keine.", "changed": "Was der Lauf geändert hat",
        "nothing_changed": "Kein Profil wurde vereint oder geteilt.", "profile": "Profil", "what": "Was",
        "was": "Profile vorher", "largest": "Größte Profile", "kinds": "Arten", "near": "Paare nahe der Schwelle",
        "bits": "Jedes Feld erhöht oder senkt das Gewicht eines Paares, in Bit. Ab 0 Bit, der Linie im Bild, sind zwei "
        "Datensätze eher eine Person als zwei.",
        "joined": "vereint", "apart": "nicht vereint", "field": "Feld", "agreement": "Übereinstimmung",
        "left": "Eines", "right": "Anderes", "bit": "Bit", "sum": "Summe", "chart": "Bild",
        "prior": "vor jedem Vergleich", "total": "Summe", "held": "Zurückgehalten", "reason": "Grund", "value": "Wert",
        "held_why": "Eine Grenze hält diese getrennt; Menschen entscheiden.", "shown": "{n} von {all} Verbindungen",
        "junk": "Werte, die niemanden bezeichnen", "identities": "Personen", "next": "Was zu tun ist",
        "do_review": "Über zweifelhafte Paare entscheiden: `segctl dedupe review`, oder in der Tabellenkalkulation mit "
        "`segctl dedupe --review zweifel.csv`.",
        "do_explain": "Sehen, warum zwei eine Person sind oder nicht: `segctl explain identity A B`.",
        "do_apart": "Zwei für immer trennen: `segctl dedupe apart A B`; vereinen: `segctl dedupe together A B`.",
        "do_undo": "Diesen Lauf zurücknehmen: `segctl dedupe undo {run}`; ein Profil: `segctl dedupe undo WER`.",
        "given": "Vorname", "surname": "Nachname", "birth_date": "Geburtstag", "postcode": "Postleitzahl",
        "city": "Ort", "street": "Straße", "phone": "Telefon", "email": "E-Mail", "gender": "Geschlecht",
        "equal": "gleich", "close": "ähnlich", "similar": "ähnlich", "different": "verschieden", "missing": "fehlt",
        "typo": "Tippfehler", "rare": "selten", "frequent": "häufig", "swapped": "vertauscht",
    },
}  # fmt: skip

_REASONS = (
    ("likely: ", "ähnlich: "), ("related: ", "verwandt: "), ("both have ", "beide haben "),
    ("different given names", "verschiedene Vornamen"), ("decided apart", "als getrennt entschieden"),
    ("not sure enough", "nicht sicher genug"), ("alike, but not the rest of the cluster", "der Rest der Gruppe nicht"),
    ("alike, but known to be two persons", "aber bekannt als zwei Personen"), ("same phone", "gleiches Telefon"),
    ("same address and surname", "gleiche Adresse und gleicher Nachname"),
    ("another given name", "anderer Vorname"), ("exclusive source ", "eindeutige Quelle "),
    ("placeholder", "Platzhalter"), ("frequent", "zu häufig"), ("blocked", "gesperrt"),
)  # fmt: skip


def because(reason: str, language: str) -> str:
    """Why a link is held or a value left out, in the page's language.

    >>> because("related: same phone, another given name", "de")
    'verwandt: gleiches Telefon, anderer Vorname'
    """
    if language == "de":
        for english, german in _REASONS:
            reason = reason.replace(english, german)
    return reason


def decimal(value: float, language: str, *, sign: bool = True) -> str:
    """A number with one digit, and with its sign where it is part of a sum.

    >>> decimal(-2.04, "de"), decimal(97.25, "en", sign=False)
    ('−2,0', '97.2')
    """
    text = f"{value:+.1f}" if sign else f"{value:.1f}"
    text = text.replace("-", "−")
    return text.replace(".", ",") if language == "de" else text
