"""All codes and their explanations, by floor; `segctl help CODE` prints them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

_PARTS = {
    "1": ("segctl.model.catalogue_project",),
    "2": (
        "segctl.model.catalogue_yaml",
        "segctl.model.catalogue_language",
        "segctl.model.catalogue_events",
        "segctl.model.catalogue_places",
        "segctl.model.catalogue_scores",
        "segctl.model.catalogue_for_each",
        "segctl.model.catalogue_related",
    ),
    "3": (
        "segctl.model.catalogue_data",
        "segctl.model.catalogue_files",
        "segctl.model.catalogue_fetch",
        "segctl.model.catalogue_tracking",
    ),
    "4": (
        "segctl.model.catalogue_runs",
        "segctl.model.catalogue_plan",
        "segctl.model.catalogue_identity",
        "segctl.model.catalogue_likeness",
        "segctl.model.catalogue_contracts",
    ),
    "5": (
        "segctl.model.catalogue_runs",
        "segctl.model.catalogue_plan",
        "segctl.model.catalogue_tracking",
        "segctl.model.catalogue_testing",
        "segctl.model.catalogue_overlap",
        "segctl.model.catalogue_health",
    ),
    "6": (
        "segctl.model.catalogue_state",
        "segctl.model.catalogue_quarantine",
        "segctl.model.catalogue_tables",
        "segctl.model.catalogue_collector",
        "segctl.model.catalogue_workflows",
    ),
    "7": (
        "segctl.compile.rules.texts",
        "segctl.model.catalogue_content",
        "segctl.model.catalogue_stream",
    ),
    "8": (
        "segctl.model.catalogue_consent",
        "segctl.model.catalogue_destinations",
        "segctl.model.catalogue_audiences",
        "segctl.model.catalogue_consent_language",
        "segctl.model.catalogue_push",
    ),
    "9": (
        "segctl.model.catalogue_destinations",
        "segctl.model.catalogue_ads",
        "segctl.model.catalogue_mailing",
        "segctl.model.catalogue_experiments",
        "segctl.model.catalogue_assignment",
        "segctl.model.catalogue_ab",
        "segctl.model.catalogue_segment_reports",
        "segctl.model.catalogue_reports",
        "segctl.model.catalogue_demo",
    ),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What a code means.

    Attributes:
        title: The problem in a few words, without the user's names.
        cause: Why it comes up, one or two sentences.
        remedy: What to do, one or two sentences.
        example: A few lines that fire it, or an empty string when it cannot be shown in text.
        better: The same lines, mended.
    """

    title: str
    cause: str
    remedy: str
    example: str = ""
    better: str = ""


def entry(code: str) -> Entry | None:
    """The explanation of a code such as ``SEG204``, None when there is no such code."""
    found = (import_module(part).ENTRIES.get(code) for part in _PARTS.get(code[3:4], ()))
    return next((entry for entry in found if entry is not None), None)


def entries() -> dict[str, Entry]:
    """Every code, sorted."""
    found: dict[str, Entry] = {}
    for part in dict.fromkeys(part for parts in _PARTS.values() for part in parts):
        found |= import_module(part).ENTRIES
    return dict(sorted(found.items()))
