"""The gate: decides for each contact point whether a use is allowed, and why not.

Unknown, malformed, pending, stale or unproven is denied, each with a code of its own (`model.consent`). The gate needs
no lock, no approval and no network. It decides as of the rows of the ledger that it has seen; `refresh` reads what
came since, so that a withdrawal counts from the next batch on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Self

from segctl.compile.windows import span
from segctl.model.consent import CONSENT_CODES, SUPPRESSION_CODES, Decision, Purpose, Use
from segctl.model.times import Duration, WithinLast

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from segctl.consent.ledger import Ints, Ledger
    from segctl.consent.tokens import Keyring
    from segctl.consent.verdicts import Moment, Question
    from segctl.operations.session import Session

__all__ = ["Decision", "Gate", "Use"]

Points = Sequence[Sequence[bytes | None]]
"""One row a profile, with all its contact points of a kind; the first is the one that would be used."""


class Gate:
    """What the ledger knew at one moment, and the rules of the project.

    A contact point is known by the bytes that `token` gives. They hold tokens for every key of the ledger, so after a
    key was added, older ones are refused as ``malformed``: make them again.

    Attributes:
        head: Number of the newest row of the ledger that decisions know.
        now: The instant of decisions.
    """

    def __init__(
        self, session: Session, keyring: Keyring, *, now: datetime, until: int | None = None, is_past: bool = False
    ) -> None:
        from segctl.consent.ledger import Ledger

        self.now = now
        self._session = session
        self._keyring = keyring
        self._until = until
        self._is_past = is_past
        self._ledger: Ledger = Ledger()
        self._purposes = {purpose.name: purpose for purpose in session.project.purposes}
        self._size = 32 * len(keyring.keys)

    @classmethod
    def open(
        cls,
        session: Session,
        *,
        now: datetime,
        until: int | None = None,
        is_past: bool = False,
        only: Iterable[bytes] | None = None,
    ) -> Self:
        """A gate that knows the whole ledger.

        Args:
            session: The project and its workspace.
            now: Decisions are made as of this instant, or as of the newest row's arrival if that is later.
            until: Number of the last row to know, for answers about the past; None for all.
            is_past: Rows about times after `now` are not known, whenever they arrived: what was true then.
            only: Points that will be asked about, when they are few: only their rows are read.

        Raises:
            IntegrityError: A key that the ledger was written with is gone, so nobody could be recognised.
        """
        from segctl.operations.consent.keys import keyring

        gate = cls(session, keyring(session.project, session.workspace), now=now, until=until, is_past=is_past)
        if only is None:
            gate._read_all()
        else:
            gate._read(list(only))
        return gate

    @property
    def head(self) -> int:
        """Number of the newest row of the ledger that decisions know."""
        return self._ledger.head

    @property
    def ledger(self) -> Ledger:
        """The rows that decisions know."""
        return self._ledger

    def question(self, use: Use) -> Question:
        """A use with everything that the project says about it, as of now."""
        return self._question(use)

    @property
    def size(self) -> int:
        """Bytes of a contact point's tokens under all keys."""
        return self._size

    @property
    def keyring(self) -> Keyring:
        """The keys of the ledger."""
        return self._keyring

    def token(self, kind: str, value: str | None) -> bytes | None:
        """What a contact point is known by; None for what is none of its kind (`model.consent.KINDS`)."""
        return self.tokens(kind, [value])[0]

    def tokens(
        self, kind: str, values: Sequence[str | None], *, countries: Sequence[str | None] | None = None
    ) -> list[bytes | None]:
        """`token` of many values.

        Args:
            kind: Of contact point.
            values: As written, row by row.
            countries: ISO codes for phone numbers without one; otherwise that of the project's `identity`.
        """
        if kind == "phone":
            values = phones(values, countries, self._session.project.identity.country)
        return self._keyring.points(kind, values)

    def refresh(self) -> frozenset[bytes]:
        """Reads what came since `head`.

        Returns:
            Tokens of 16 bytes that the new rows concern; `concerned` finds the rows of points that have one of them.
        """
        return self._read(None)

    def concerned(self, points: Points, changed: frozenset[bytes]) -> list[int]:
        """Positions of the rows with a contact point that one of the tokens of `refresh` stands for."""
        if not changed:
            return []
        starts = range(0, self._size, 16)
        return [
            i
            for i, row in enumerate(points)
            if any(p is not None and any(p[at : at + 16] in changed for at in starts) for p in row)
        ]

    def decide(self, points: Points, use: Use) -> list[Decision]:
        """What stands against a use, one decision for each row of points.

        A row is allowed only if each of its contact points is; where just another one than the first denies, the code
        is ``merged``. Decisions are few distinct objects, whatever the number of rows.
        """
        found: list[Decision] = _decisions()[self._codes(points, use)].tolist()
        return found

    def objecting(self, points: Points) -> list[bool]:
        """Rows to leave out of every evaluation: one of their points objects to profiling, is restricted or erased."""
        if not self.objectors():
            return [False] * len(points)
        from segctl.consent.ages import kept_out

        sound = list(dict.fromkeys(p for row in points for p in row if p is not None and len(p) == self._size))
        answers = dict(zip(sound, kept_out(self._ledger, sound, self._question(Use(None, ""))), strict=True))
        return [any(answers.get(point, False) for point in row if point is not None) for row in points]

    def objectors(self) -> frozenset[bytes]:
        """Wide tokens (16 bytes) with an objection to profiling, a restriction or an erasure on record, lifted or not.

        Empty for most ledgers, which spares the question; `objecting` answers it for points.
        """
        actions = ("object_profiling", "restrict", "erase")
        codes = [code for code, shape in enumerate(self._ledger.shapes) if shape.action in actions]
        return frozenset(self._ledger.wides(codes)) if codes else frozenset()

    # --- Inside -----------------------------------------------------------------------------------------
    def _read(self, only: list[bytes] | None) -> frozenset[bytes]:
        from segctl.consent.tokens import parts
        from segctl.state.consents import states, taken_back

        workspace = self._session.workspace
        self._keep_time()
        void = taken_back(workspace, until=self._until, before=self.now)
        wides = None if only is None else {wide for point in only for _, wide in parts(point)}
        rows = states(workspace, self._ledger.head, until=self._until, wides=wides)
        return frozenset(self._ledger.add(rows, void))

    def _read_all(self) -> None:
        from segctl.consent.ledger import Block
        from segctl.state.consents import taken_back
        from segctl.state.consents_blocks import blocks

        self._keep_time()
        void = taken_back(self._session.workspace, until=self._until, before=self.now)
        self._ledger.load((Block(*one) for one in blocks(self._session.workspace, until=self._until)), void)

    def _keep_time(self) -> None:
        from segctl.state.consents import instant, newest_arrival

        if not self._is_past:
            # A command may run for hours; a withdrawal that came meanwhile lies after its beginning.
            self.now = max(self.now, instant(newest_arrival(self._session.workspace, until=self._until)))

    def _codes(self, points: Points, use: Use) -> tuple[Ints, Ints]:
        import numpy as np

        from segctl.consent import verdicts as v

        lengths = np.fromiter(map(len, points), np.int64, len(points))
        flat = list(chain.from_iterable(points))
        sound = [point for point in flat if point is not None and len(point) == self._size]
        consent, suppression = v.verdicts(self._ledger, sound, self._question(use))
        if len(sound) < len(flat):
            is_sound = np.fromiter((p is not None and len(p) == self._size for p in flat), np.bool_, len(flat))
            against, blocked = consent, suppression
            consent, suppression = np.full(len(flat), v.MALFORMED), np.zeros(len(flat), np.int64)
            consent[is_sound], suppression[is_sound] = against, blocked
        return (
            v.least_permissive(consent, lengths, empty=v.NO_POINT, merged=v.MERGED),
            v.least_permissive(suppression, lengths, empty=0, merged=v.MERGED_SUPPRESSION),
        )

    def _question(self, use: Use) -> Question:
        from segctl.consent.verdicts import Question

        destination = self._session.definitions.destinations.get(use.destination)
        bound: tuple[str, ...] | None = destination.purposes if destination is not None else None
        if use.destination and destination is None:
            bound = ()
        purpose = self._purposes.get(use.purpose or "")
        rules = self._session.project.consent
        return Question(use, purpose, self._purposes, rules, bound, self._moment(purpose))

    def _moment(self, purpose: Purpose | None) -> Moment:
        from segctl.consent.verdicts import LONG_AGO, Moment
        from segctl.state.consents import micros

        rules = self._session.project.consent
        stale_after = (purpose.stale_after if purpose is not None else None) or rules.stale_after
        now, confirm_from = micros(self.now), self._before(rules.confirm_within)
        return Moment(
            now,
            confirm_from,
            now - confirm_from,
            LONG_AGO if stale_after is None else self._before(stale_after),
            self._before(rules.soft_bounce_window),
        )

    def _before(self, length: Duration) -> int:
        found = span(WithinLast(length), self.now, self._session.project.timezone).lo
        return 0 if found is None else found


@cache
def _decisions() -> NDArray[np.object_]:
    """Each decision once, by the codes of consent and of suppression, from 1; 0 for nothing against it."""
    import numpy as np

    found = np.empty((len(CONSENT_CODES) + 1, len(SUPPRESSION_CODES) + 1), np.object_)
    for i, consent in enumerate((None, *CONSENT_CODES)):
        for j, suppression in enumerate((None, *SUPPRESSION_CODES)):
            found[i, j] = Decision(consent, suppression)
    return found


def phones(
    values: Sequence[str | None], countries: Sequence[str | None] | None, country: str | None
) -> list[str | None]:
    """Numbers in E.164, None for those that are none or whose country nobody knows."""
    import polars as pl

    from segctl.identity.phones import UNKNOWN, phone_keys

    written = pl.Series("phone", values, dtype=pl.String)
    of = None if countries is None else pl.Series("country", countries, dtype=pl.String)
    found: pl.Series = phone_keys(written, of, country)
    return found.set(found.str.starts_with(UNKNOWN).fill_null(value=False), None).to_list()
