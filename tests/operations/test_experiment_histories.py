"""Random histories of experiments: whoever is held out is in no request, and nobody ever changes arm."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest
from experiment_world import KIND, NOW, Told, experiment, world
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segctl.model.destinations import Destination
from segctl.model.errors import Refused
from segctl.model.experiments import ARM, Arm, UniversalHoldout
from segctl.operations.consent.record import Said, record
from segctl.operations.experiment.assign import assign
from segctl.operations.experiment.check import check
from segctl.operations.experiment.run import stop
from segctl.operations.push import stations as push_stations
from segctl.state.experiments import record as recorded

COUNT = 18
GENERATIONS = tuple(
    UniversalHoldout(f"g{n}", Decimal("0.2"), NOW + timedelta(hours=6 * n), NOW + timedelta(hours=6 * (n + 1)))
    for n in range(4)
)
TO = tuple(Destination(name, KIND, purposes=("service",), fields=(("variant", ARM),)) for name in ("ads", "mail"))


class Killed(BaseException):
    """Stands for kill -9."""


class History:
    """One shop, checked at every request and after every push.

    Args:
        folder: Of its project.
        unit: Trait whose value is the unit; None for profiles.
        strata: Within which arms are dealt.
    """

    def __init__(self, folder: Path, unit: str | None, strata: tuple[str, ...]) -> None:
        people = [{"email": f"c{i}@post.example", "first_name": f"h{i // 2}" if i % 5 else None} for i in range(COUNT)]
        self.world = world(
            folder, people=people, destinations=TO, members={"winback": range(12), "news": range(0, COUNT, 2)}
        )
        self.world.universal(*GENERATIONS)
        self.traffic, self.control = Decimal("0.5"), Decimal(1)
        self.unit, self.strata, self.people = unit, strata, list(range(COUNT))
        self.before: dict[str, dict[str, str]] = {}
        self.began = NOW
        self._declare()

    def _declare(self) -> None:
        arms = (Arm("control", self.control, is_sent=False), Arm("mail", Decimal(1)), Arm("coupon", Decimal(1)))
        self.world.declare(experiment(arms=arms, traffic=self.traffic, same=self.unit, strata=self.strata))

    def happen(self, step: tuple[Any, ...]) -> None:
        kind, *of = step
        getattr(self, f"do_{kind}")(*of)
        self._look_at_arms()

    def do_start(self) -> None:
        with suppress(Refused):  # it runs, or has ended
            self.world.start()

    def do_stop(self, winner: str | None) -> None:
        with suppress(Refused):
            stop(self.world.session, "mail_test", winner=winner, now=self.world.now)

    def do_ramp(self) -> None:
        self.traffic = min(Decimal(1), self.traffic + Decimal("0.25"))
        self._declare()

    def do_weigh(self, control: int) -> None:
        self.control = Decimal(control)
        self._declare()

    def do_members(self, winback: set[int], news: set[int]) -> None:
        self.world.members(winback=winback, news=news)

    def do_merge(self, one: int, other: int) -> None:
        kept, gone = sorted((self.people[one], self.people[other]))
        self.people = [kept if owner == gone else owner for owner in self.people]
        groups = [tuple(i for i in range(COUNT) if self.people[i] == owner) for owner in set(self.people)]
        self.world.merge(*groups)

    def do_say(self, one: int, action: str) -> None:
        self.world.now += timedelta(minutes=1)
        with suppress(Refused):
            record(self.world.session, f"c{one}@post.example", Said(action, reason="asked"), now=self.world.now)

    def do_wait(self) -> None:
        self.world.now += timedelta(hours=3)

    def do_assign(self) -> None:
        with suppress(Refused):
            assign(self.world.session, "mail_test", now=self.world.now)

    def do_dry(self) -> None:
        told, commits = len(self.world.services.requests), self.world.session.workspace.snapshot()
        self.world.push(dry_run=True)
        assert (len(self.world.services.requests), self.world.session.workspace.snapshot()) == (told, commits)

    def do_push(self, to: tuple[str, ...], mode: str, dies: str | None) -> None:
        self.began = self.world.now
        with _dying(dies), self._watched(), suppress(Killed):
            pushed = self.world.push(to=to, mode=mode)
            assert {one.status for one in pushed.outcomes} <= {"ok"}, pushed.outcomes
            for (name, segment), people in self.world.services.there.items():
                if name in to:
                    for email in people:
                        self._may_be_told(segment, email)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        seen = self.world.services.requests

        class Watched(list[Told]):
            def append(inner, told: Told) -> None:  # noqa: N805 - two selves
                if told.action != "remove":
                    self._may_be_told(told.audience, told.email)
                super().append(told)

        self.world.services.requests = Watched(seen)
        try:
            yield
        finally:
            self.world.services.requests = list(self.world.services.requests)

    def _may_be_told(self, segment: str, email: str) -> None:
        """What is on record allows it: looked up at the moment of the request, by another way than the product's."""
        owner = self.people[int(email.partition("@")[0][1:])]
        person = [i for i in range(COUNT) if self.people[i] == owner]
        generation = next((one for one in GENERATIONS if one.begin <= self.began < (one.end or NOW)), None)
        if generation is not None:
            universal = self._rows(f"universal:{generation.name}", person)
            assert {arm for _, arm, _ in universal} == {"open"}, f"{email} is held out, or was not written down"
        found = recorded(self.world.session.workspace, "mail_test")
        if segment != "winback" or found is None or found.stopped is not None:
            return
        rows = self._rows("mail_test", person)
        assert rows, f"{email} was told before it was written down"
        assert rows[0][1] != "control", f"{email} is in the control group"
        assert rows[0][2] is not None, f"{email} was told before it was exposed"

    def _rows(self, name: str, person: list[int]) -> list[tuple[Any, ...]]:
        frame = self.world.record(name).filter(pl.col("subject").is_in(person))
        return frame.select("profile_id", "arm", "exposed_at").rows()

    def _look_at_arms(self) -> None:
        """Nobody has another arm than before, and units have one."""
        for name in ("mail_test", *(f"universal:{one.name}" for one in GENERATIONS)):
            frame, before = self.world.record(name), self.before.get(name, {})
            arms = dict(frame.select("profile_id", "arm").iter_rows())
            assert {person: arms.get(person) for person in before} == before
            assert frame.select("unit", "arm").n_unique() == frame["unit"].n_unique()
            self.before[name] = arms
        if recorded(self.world.session.workspace, "mail_test") is not None:
            found = check(self.world.session, "mail_test")
            assert (found.differing, found.outside, found.two_arms) == (0, 0, 0)


@contextmanager
def _dying(at: str | None) -> Iterator[None]:
    """A push that is killed before its assignments are written, after that, or after the first destination."""

    def die(*_: object, **__: object) -> Any:
        raise Killed

    real_send = push_stations.Station.send
    if at == "before":
        with patch("segctl.state.assignments.record_assignments", die):
            yield
    elif at == "after":
        with patch.object(push_stations.Station, "send", die):
            yield
    elif at == "between":
        sent = []

        def once(self: Any, *args: Any, **options: Any) -> None:
            if sent:
                raise Killed
            sent.append(self.name)
            real_send(self, *args, **options)

        with patch.object(push_stations.Station, "send", once):
            yield
    else:
        yield


number = st.integers(0, COUNT - 1)
some = st.sets(number, min_size=4)
steps = st.one_of(
    st.just(("start",)),
    st.tuples(st.just("stop"), st.sampled_from([None, "mail", "coupon"])),
    st.just(("ramp",)),
    st.tuples(st.just("weigh"), st.integers(1, 5)),
    st.tuples(st.just("members"), some, some),
    st.tuples(st.just("merge"), number, number),
    st.tuples(st.just("say"), number, st.sampled_from(["withdraw", "suppress", "grant"])),
    st.just(("wait",)),
    st.just(("assign",)),
    st.just(("dry",)),
    *[
        st.tuples(
            st.just("push"), st.sampled_from([("ads",), ("mail",), ("ads", "mail")]),
            st.sampled_from(["mirror", "mirror", "add"]), st.sampled_from([None, None, "before", "after", "between"]),
        )
    ] * 4,
)  # fmt: skip
histories = st.lists(steps, min_size=4, max_size=12).map(lambda found: [("start",), *found])


def live(history: list[tuple[Any, ...]], unit: str | None, strata: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = History(Path(folder), unit, strata)
        for step in history:
            made.happen(step)
        made.happen(("push", ("ads", "mail"), "mirror", None))
        made.world.session.workspace.close()


shapes = {"unit": st.sampled_from([None, "first_name"]), "strata": st.sampled_from([(), ("first_name",)])}


@settings(max_examples=5, suppress_health_check=list(HealthCheck))
@given(history=histories, **shapes)
def test_whoever_is_held_out_is_in_no_request(
    history: list[tuple[Any, ...]], unit: str | None, strata: tuple[str, ...]
) -> None:
    live(history, unit, strata)


@pytest.mark.slow
@settings(max_examples=80, suppress_health_check=list(HealthCheck))
@given(history=histories, **shapes)
def test_whoever_is_held_out_is_in_no_request_of_many_histories(
    history: list[tuple[Any, ...]], unit: str | None, strata: tuple[str, ...]
) -> None:
    live(history, unit, strata)
