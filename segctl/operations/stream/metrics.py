"""How fast a stream is: rates, and latencies in a histogram of fixed size."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

_PER_DOUBLING = 8
_SHORTEST_MS = 0.1
_BUCKETS = 24 * _PER_DOUBLING
"""Up to half an hour; a bucket is 9 % wide."""


@dataclass(slots=True)
class Latencies:
    """Milliseconds in buckets that grow by a fixed share."""

    counts: list[int] = field(default_factory=lambda: [0] * _BUCKETS)
    total: int = 0
    longest_ms: float = 0.0

    def add(self, milliseconds: float, times: int = 1) -> None:
        """Takes one latency, so many times."""
        place = int(math.log2(max(milliseconds, _SHORTEST_MS) / _SHORTEST_MS) * _PER_DOUBLING)
        self.counts[min(place, _BUCKETS - 1)] += times
        self.total += times
        self.longest_ms = max(self.longest_ms, milliseconds)

    def quantile(self, share: float) -> float:
        """The upper end, in milliseconds, of the bucket that holds this share; 0 of nothing."""
        wanted, seen = share * self.total, 0
        for place, count in enumerate(self.counts):
            seen += count
            if count and seen >= wanted:
                return min(_SHORTEST_MS * 2 ** ((place + 1) / _PER_DOUBLING), self.longest_ms)
        return 0.0


@dataclass(slots=True)
class Metrics:
    """What happened since some moment.

    Attributes:
        lines: Lines taken in.
        events: New events among them.
        known: Rows that were known.
        bad: Rows that went to quarantine.
        changes: Changes said.
        timers: Profiles asked again because time had passed.
        batches: Steps.
        latencies: From the arrival of a line to the commit of its batch.
        busy_s: Seconds of work.
    """

    lines: int = 0
    events: int = 0
    known: int = 0
    bad: int = 0
    changes: int = 0
    timers: int = 0
    batches: int = 0
    latencies: Latencies = field(default_factory=Latencies)
    busy_s: float = 0.0

    def add(self, other: Metrics) -> None:
        """Takes what happened in a part of the time."""
        self.lines += other.lines
        self.events += other.events
        self.known += other.known
        self.bad += other.bad
        self.changes += other.changes
        self.timers += other.timers
        self.batches += other.batches
        self.busy_s += other.busy_s
        mine, its = self.latencies, other.latencies
        mine.counts = [a + b for a, b in zip(mine.counts, its.counts, strict=True)]
        mine.total += its.total
        mine.longest_ms = max(mine.longest_ms, its.longest_ms)
