"""`status` as a text file for the textfile collector of Prometheus' node exporter.

Format: version 0.0.4 of the text exposition format. Names of metrics and labels are promises.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from segctl import __version__
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from segctl.operations.status import DestinationStatus, Status

_STATES = ("ok", "partial", "refused", "stopped", "paused", "interrupted", "running", "never")


@dataclass(frozen=True, slots=True)
class Metric:
    """A gauge with its samples: labels → value."""

    name: str
    help: str
    samples: tuple[tuple[Mapping[str, str], float], ...]


def metrics_text(found: Status, *, project: str, environment: str) -> str:
    """The whole file; every sample names project and environment, so that several may be scraped from one machine."""
    common = {"project": project, "environment": environment}
    lines = []
    for metric in _metrics(found):
        if metric.samples:
            lines += [f"# HELP {metric.name} {_help(metric.help)}", f"# TYPE {metric.name} gauge"]
            lines += [f"{metric.name}{_labels({**common, **own})} {value!r}" for own, value in metric.samples]
    return "\n".join(lines) + "\n"


def _metrics(found: Status) -> Iterable[Metric]:
    yield Metric("segctl_info", "Version of segctl that wrote this file.", (({"version": __version__}, 1.0),))
    yield Metric("segctl_status_timestamp_seconds", "When this was found out.", (({}, found.now.timestamp()),))
    if found.run is not None:
        run = found.run
        yield Metric("segctl_last_run_timestamp_seconds", "When the last run ended.", (({}, run.finished.timestamp()),))
        yield Metric("segctl_last_run_as_of_timestamp_seconds", "Instant that the last run speaks about.",
                     (({}, run.as_of.timestamp()),))  # fmt: skip
        yield Metric("segctl_last_run_ok", "1 when every segment of the last run came into force.",
                     (({}, float(run.status.value == "ok")),))  # fmt: skip
        yield Metric("segctl_last_run_failed_segments", "Segments that kept their members at the last run.",
                     (({}, float(len(found.failed_segments))),))  # fmt: skip
    yield Metric("segctl_segment_members", "Members in force.",
                 tuple(({"segment": name}, float(size)) for name, size in sorted(found.members.items())))  # fmt: skip
    yield Metric("segctl_delivered_people", "People who may be in an audience at a destination.",
                 tuple(({"destination": to, "segment": name}, float(people))
                       for (to, name), people in sorted(found.delivered.items())))  # fmt: skip
    yield from _of_destinations(found.destinations)
    paused = [({"kind": "segment", "name": name}, 1.0) for name in found.paused]
    paused += [({"kind": "destination", "name": one.destination}, 1.0) for one in found.destinations if one.paused]
    paused += [({"kind": "all", "name": ""}, 1.0)] if found.everything_paused else []
    yield Metric("segctl_paused", "1 for what is paused.", tuple(paused))


def _of_destinations(there: Iterable[DestinationStatus]) -> Iterable[Metric]:
    there = tuple(there)
    yield Metric("segctl_last_push_timestamp_seconds", "When the last push to a destination began.",
                 tuple(({"destination": d.destination}, d.at.timestamp()) for d in there if d.at))  # fmt: skip
    yield Metric("segctl_last_push_status", "1 for what became of the last push to a destination.",
                 tuple(({"destination": d.destination, "status": word}, float(word == d.status))
                       for d in there for word in _STATES))  # fmt: skip
    yield Metric("segctl_push_failures", "Rows that a destination did not accept.",
                 tuple(({"destination": d.destination, "state": word}, float(getattr(d, word)))
                       for d in there for word in ("invalid", "rejected", "unknown")))  # fmt: skip
    yield Metric("segctl_removals_waiting", "Removals that a destination did not acknowledge.",
                 tuple(({"destination": d.destination}, float(d.removals_waiting)) for d in there))  # fmt: skip
    yield Metric("segctl_push_behind_seconds", "How long members are in force that were not sent.",
                 tuple(({"destination": d.destination}, round(d.behind_s, 3)) for d in there))  # fmt: skip
    yield Metric("segctl_withdrawal_seconds", "From a recorded withdrawal to the acknowledged removal, last 30 days.",
                 tuple(({"destination": d.destination, "quantile": quantile}, round(value, 3))
                       for d in there if d.withdrawals is not None
                       for quantile, value in (("0.5", d.withdrawals.p50), ("0.95", d.withdrawals.p95),
                                               ("1", d.withdrawals.most))))  # fmt: skip


def _labels(labels: Mapping[str, str]) -> str:
    parts = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{parts}}}" if parts else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")
