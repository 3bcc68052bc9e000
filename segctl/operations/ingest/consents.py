"""What the rows of a source say about consent, on their way into the ledger with the commit of the ingest.

Rows are read as `segctl consent import` reads those of a file, so the same row always has the same id and is recorded
once, however often it is ingested. What denies is taken from every row, also from a bad one; what gives only from rows
that are good. Of tracking records only a change is taken: the same word of the same person again adds nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from segctl.model.consent import DENYING, KINDS, ConsentEvent
from segctl.model.sources import Column

if TYPE_CHECKING:
    from segctl.connectors.files import RawBatch
    from segctl.connectors.typing_rows import TypedBatch
    from segctl.model.project import Project
    from segctl.model.sources import ConsentRule, NumberForm, Source
    from segctl.operations.consent.columns import Reading
    from segctl.state.workspace import Workspace

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PREFERENCES = "context.consent.categoryPreferences"
_MOST_EXAMPLES = 3


@dataclass(slots=True)
class ConsentSink:
    """Takes batches; `write` adds what they said to the ledger, inside the transaction of the ingest.

    Attributes:
        refused: Why rows said nothing that could be taken → how many.
    """

    workspace: Workspace
    source: Source
    reading: Reading
    dry_run: bool
    refused: Counter[str] = field(default_factory=Counter)
    _events: dict[str, ConsentEvent] = field(default_factory=dict)
    _last: dict[tuple[object, ...], str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, workspace: Workspace, project: Project, source: Source, now: datetime, *, dry_run: bool
    ) -> ConsentSink | None:
        """The sink of a source; None where it says nothing about consent."""
        if not source.consents:
            return None
        from segctl.operations.consent.importing import reading_of
        from segctl.operations.consent.keys import keyring, keyring_for_writing

        ring = keyring(project, workspace) if dry_run else keyring_for_writing(project, workspace, now=now)
        return cls(workspace, source, reading_of(project, ring, source=source.name, now=now), dry_run)

    def add(self, batch: RawBatch, typed: TypedBatch, form: NumberForm) -> None:
        """Takes what the rows of a batch say; of tracking records what the records say that they came from."""
        bad = frozenset(typed.bad["row"].to_list()) if typed.bad.height else frozenset[int]()
        if self.source.tracking is not None:
            for rule in self.source.consents:
                self._take_records(rule, getattr(batch, "records", ()))
            return
        for rule in self.source.consents:
            for number, row in self._rows(rule, batch, form):
                self._take(row, is_good=number not in bad)

    def write(self, db: Any) -> None:  # noqa: ANN401 - a connection of SQLite
        """Adds the rows, those that deny first."""
        from segctl.state.consents import insert

        ordered = sorted(self._events.values(), key=lambda event: event.action not in DENYING)
        insert(db, ordered, recorded=self.reading.now)

    def notes(self) -> list[str]:
        """What a person should know of it."""
        found = [f"{len(self._events):,} statements about consent were read for the ledger"] if self._events else []
        reasons = self.refused.most_common(_MOST_EXAMPLES)
        found += [f"{count:,} statements about consent were not taken: {reason}" for reason, count in reasons]
        return found

    # --- Rows ---------------------------------------------------------------------------------------------
    def _rows(self, rule: ConsentRule, batch: RawBatch, form: NumberForm) -> Iterator[tuple[int, dict[str, str]]]:
        from segctl.connectors.typing_filters import passes
        from segctl.connectors.typing_formulas import Columns, as_text, evaluate

        frame = batch.frame
        columns = Columns(frame, form, self.source.missing_values)
        texts = {name: as_text(evaluate(value, columns, form)).to_list() for name, value in rule.columns}
        inside = passes(self.source.only, frame, form).to_list() if self.source.only else [True] * frame.height
        words = dict(rule.words)
        for number in range(frame.height):
            if not inside[number]:
                continue
            row = {name: of[number].strip() for name, of in texts.items() if of[number] and of[number].strip()}
            said = _worded({**dict(rule.fixed), **row}, words)
            if said is not None:
                yield number, said

    def _take(self, row: Mapping[str, str], *, is_good: bool, own: bool = False) -> None:
        from segctl.operations.consent.columns import BadRow, events_of

        try:
            found = events_of(row, self.reading)
        except BadRow as error:
            self.refused[str(error)] += 1
            return
        for event in found:
            if not is_good and event.action not in DENYING:
                self.refused["the row is bad"] += 1
            elif not own or self._is_change(event):
                self._events[event.event_id] = replace(event, origin="event", is_own=True) if own else event

    def _is_change(self, event: ConsentEvent) -> bool:
        key = (event.kind, event.exact, event.purpose, event.channel)
        word = f"{event.action} {event.reason} {sorted(event.facts.items())}"
        if self._last.get(key) == word:
            return False
        self._last[key] = word
        return True

    # --- Records ------------------------------------------------------------------------------------------
    def _take_records(self, rule: ConsentRule, records: Iterable[Mapping[str, Any]]) -> None:
        from segctl.connectors.tracking import shape_of
        from segctl.connectors.tracking.base import LeftOut

        tracking = self.source.tracking
        assert tracking is not None, "only called for tracking sources"
        shape = shape_of(tracking.shape)
        for record in records:
            rows = list(_said(rule, record))
            if not rows:
                continue
            try:
                outcomes = [*shape.events(dict(record)), *(shape.profiles(dict(record)) if shape.profiles else ())]
            except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError):
                outcomes = []
            times = [out["time"] for out in outcomes if isinstance(out, dict) and not isinstance(out, LeftOut)]
            at = {"at": (_EPOCH + timedelta(microseconds=times[0])).isoformat()} if times else {}
            for row in rows:
                self._take({**at, **row}, is_good=True, own=True)


def _said(rule: ConsentRule, record: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """What one record says: a row for each category, or one for its signals and strings."""
    told = dict(rule.fixed)
    for name, value in rule.columns:
        if isinstance(value, Column) and (text := _text(_inside(record, value.name))) is not None:
            told[name] = text
    if not any(kind in told for kind in KINDS):
        return
    preferences = _inside(record, _PREFERENCES) if rule.categories else None
    if isinstance(preferences, Mapping):
        for category, purpose in rule.categories:
            if category in preferences:
                # Whatever is not plainly true is no.
                action = "grant" if preferences[category] is True else "deny"
                yield {**told, "purpose": purpose, "action": action}
        return
    says = [name for name, _ in rule.columns if name not in KINDS and name not in ("at", "event_id") and name in told]
    if not rule.categories and says:
        worded = _worded(told, dict(rule.words))
        if worded is not None:
            yield worded


def _worded(row: dict[str, str], words: Mapping[str, str]) -> dict[str, str] | None:
    """The row with the ledger's word for its status; None where the status says nothing."""
    status = row.get("action")
    if status is None:
        signals = ("tcf", "gcs", "gcd", "ad_storage", "ad_user_data", "ad_personalization", "analytics_storage")
        return row if any(name in row for name in signals) else None
    word = words.get(status, status)
    return {**row, "action": word} if word else None


def _inside(record: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - JSON is of any type
    """What stands at a path of names, which may hold dots themselves."""
    if path in record:
        return record[path]
    head, dot, rest = path.partition(".")
    below = record.get(head) if dot else None
    return _inside(below, rest) if isinstance(below, Mapping) else None


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value).strip() or None
    return None
