"""Codes about the live demo."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG996": Entry(
        "The demo's day went wrong",
        "A command of `segctl demo --live` failed, or somebody got other mails or other products than the story tells.",
        "Run it again in a new folder; if it stays so, report it with the text above.",
    ),
    "SEG997": Entry(
        "A process of the demo did not answer",
        "The collector or the stream that `segctl demo --live` began ended at once or said nothing for minutes.",
        "Run it again when the machine is less busy.",
    ),
}
