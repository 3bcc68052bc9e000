"""Work that goes on at a service after a call was taken, and which rows of the batch it is about.

A job's text is kept by the push and is all that `Connector.poll` is given, also after a crash: what answers name by
order alone must be found from it again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from segctl.connectors.destinations.base import Row, Trouble, place


@dataclass(frozen=True, slots=True)
class Job:
    """What was sent of a batch.

    Attributes:
        parts: Id at the service and number of rows of each call, in order.
        left_out: Place in the batch → why that row was not sent at all.
        audience: Id of the audience, where the service asks for it again.
        marks: Short digests of the rows sent, by which a service's report can be matched; see `marks_of`.
    """

    parts: tuple[tuple[str, int], ...]
    left_out: Mapping[int, str]
    audience: str = ""
    marks: tuple[str, ...] = ()

    def __str__(self) -> str:
        found = {"parts": self.parts, "out": {str(at): why for at, why in self.left_out.items()}}
        if self.audience:
            found["audience"] = self.audience
        if self.marks:
            found["marks"] = "".join(self.marks)
        return json.dumps(found, separators=(",", ":"), sort_keys=True)

    @classmethod
    def of(cls, text: str) -> Job:
        """The job of its text."""
        found = json.loads(text)
        marks = found.get("marks", "")
        return cls(
            tuple((str(name), int(count)) for name, count in found["parts"]),
            {int(at): why for at, why in found["out"].items()},
            found.get("audience", ""),
            tuple(marks[at : at + MARK] for at in range(0, len(marks), MARK)),
        )

    def places(self) -> list[list[int]]:
        """Places in the batch of each part's rows, in the order they were sent."""
        count = sum(rows for _, rows in self.parts) + len(self.left_out)
        sent = iter([at for at in range(count) if at not in self.left_out])
        return [[next(sent) for _ in range(rows)] for _, rows in self.parts]

    def troubles(self) -> dict[str, Trouble]:
        """Place → trouble of the rows that were left out."""
        return {place(at): Trouble("invalid", why, "left_out") for at, why in self.left_out.items()}


MARK = 8
"""Signs of a mark: among some thousand rows two alike are rarer than one in a hundred."""


def left_out(rows: Iterable[Row], reasons: Mapping[int, str]) -> dict[str, Trouble]:
    """Row's key → trouble of the rows at the places of `reasons`."""
    return {row.key: Trouble("invalid", reasons[at], "left_out") for at, row in enumerate(rows) if at in reasons}
