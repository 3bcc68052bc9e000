"""What a stream reads as inputs on record, each with its place, so that a restart goes on where it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from segctl.state.stream_log import Place, RawLines, place_of

if TYPE_CHECKING:
    from segctl.connectors.streams.base import Chunk
    from segctl.state.workspace import Workspace


@dataclass(slots=True)
class Inputs:
    """Inputs by the name of their feed."""

    workspace: Workspace
    _known: dict[str, Place] = field(default_factory=dict)
    _shown: dict[int, str] = field(default_factory=dict)

    def position_of(self, feed: str) -> str | None:
        """Where an input goes on; None for one that was never read."""
        place = place_of(self.workspace, feed)
        return None if place is None else place.position

    def taken(self, source: str, chunk: Chunk, arrived: int) -> tuple[RawLines, Place]:
        """The lines of a chunk, and the place behind them.

        Args:
            source: Declared source that reads them.
            chunk: What its feed gave.
            arrived: Microseconds since 1970.
        """
        before = None if chunk.is_new else self._known.get(chunk.feed) or place_of(self.workspace, chunk.feed)
        if before is None:
            before = Place(chunk.feed, "", self._begun(source, chunk.feed), 0)
        place = Place(chunk.feed, chunk.position, before.input, before.line + len(chunk.lines))
        self._known[chunk.feed] = place
        return RawLines(place.input, source, arrived, before.line + 1, chunk.lines), place

    def shown(self, number: int) -> str:
        """What an input is called."""
        from segctl.state.inputs import input_by_id

        if number not in self._shown:
            found = input_by_id(self.workspace, number)
            self._shown[number] = "-" if found is None else found.path
        return self._shown[number]

    def _begun(self, source: str, feed: str) -> int:
        from segctl.state.inputs import begin_input

        # Its bytes are never all there, so no digest can be told; the number makes it another input than any file.
        number = begin_input(self.workspace, source, feed, digest="", size=0)
        with self.workspace.transaction() as db:
            db.execute("UPDATE inputs SET digest = ? WHERE id = ?", (f"stream {number}", number))
        return number
