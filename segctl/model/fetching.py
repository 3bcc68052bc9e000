"""What a source that is no file declares: where its records are fetched from, page by page."""

from __future__ import annotations

from typing import Protocol

from segctl.model.dataclass import dataclass


class Fetch(Protocol):
    """What every fetch declaration can say of itself; each is a frozen, slotted dataclass of its own module."""

    @property
    def kind(self) -> str:
        """Name in the table of connectors (`segctl.connectors.sources`)."""
        ...

    @property
    def place(self) -> str:
        """What decides which records come, as one text: with another place, an old cursor or position means nothing.

        Timeouts, limits of speed and credentials are no part of it.
        """
        ...

    @property
    def is_incremental(self) -> bool:
        """True when a later fetch can ask for what is new only."""
        ...


@dataclass(frozen=True, slots=True)
class ForeignFetch:
    """A source of a kind that another package brings.

    Attributes:
        name: Its kind, as the package registered it.
        settings: JSON text of what stands under the key of that name.
    """

    name: str
    settings: str

    @property
    def kind(self) -> str:
        """As registered."""
        return self.name

    @property
    def place(self) -> str:
        """All of its settings, since nobody here knows them."""
        return f"{self.name} {self.settings}"

    @property
    def is_incremental(self) -> bool:
        """The package alone knows; a cursor that it never gives is never kept."""
        return True
