"""The declaration of a source behind a Singer tap: any program that writes SCHEMA, RECORD and STATE lines."""

from __future__ import annotations

from segctl.model.dataclass import dataclass
from segctl.model.secrets import Secret

IDLE_S = 600.0


@dataclass(frozen=True, slots=True)
class SingerFetch:
    """One stream of a tap.

    Attributes:
        command: Program and arguments; run in the project's folder.
        stream: Name of the stream whose records are taken; others are passed over.
        config: JSON text of the tap's settings, without its secrets.
        secrets: Dotted path inside the settings → secret, put in when the tap is run.
        catalog: File that says which streams and columns are selected, relative to the project; None asks the tap
            for its own and selects the stream.
        idle_s: A tap that writes nothing for so long is stopped.
    """

    command: tuple[str, ...]
    stream: str
    config: str = "{}"
    secrets: tuple[tuple[str, Secret], ...] = ()
    catalog: str | None = None
    idle_s: float = IDLE_S

    @property
    def kind(self) -> str:
        """`singer`."""
        return "singer"

    @property
    def place(self) -> str:
        """Tap, stream and settings; another secret asks for the same."""
        return f"{self.command} {self.stream} {self.config} {self.catalog}"

    @property
    def is_incremental(self) -> bool:
        """Whether a tap keeps state is its own affair; without, it sends everything each time."""
        return True
