"""The event kind that every push writes: somebody was put into an audience at a destination."""

from __future__ import annotations

from segctl.model.project import EventKind
from segctl.model.types import TEXT

CONTACTED = "contacted"
"""Name of the event kind; segments use it like any other, and no project has to declare it."""
CONTACTED_SOURCE = "push"
"""Source that its events name."""
PROPERTIES = ("destination", "segment", "purpose", "channel", "push")
CONTACTED_KIND = EventKind(CONTACTED, tuple((name, TEXT) for name in PROPERTIES))
