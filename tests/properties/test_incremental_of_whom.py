"""Whatever happens between two runs, the second asks all whose answers it changes: it says what `--full` says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from incremental_world import Shop, address

from segctl.model.consent import ConsentEvent
from segctl.operations.compact import compact
from segctl.operations.consent.keys import keyring_for_writing
from segctl.operations.dedupe.decisions import decide
from segctl.operations.dedupe.dedupe import dedupe
from segctl.operations.dedupe.undo import undo
from segctl.operations.incremental import incremental
from segctl.operations.ingest.ingest import ingest, sources_of
from segctl.operations.quarantine.replay import replay
from segctl.operations.session import open_session
from segctl.state.consents import append
from segctl.state.subjects import Subjects

ASKED = (
    "{related: tickets, where: {status: open}}",
    "{event: order, within_last: 5 days}",
    "{event: order, sum: {of: value, at_least: 6}}",
    "{trait: tier, equals: gold}",
    "{trait: tier, changed: {within_last: 2 days}}",
    "{consent: news, channel: email}",
    "{consent: news, channel: email, status: expired}",
    "{list: vips.txt, identifier: nr}",
    "{related: countrymen, where: {event: order, within_last: 4 days}, count: {at_least: 2}}",
)
LOYALTY = "source: loyalty\npath: loyalty.csv\nkey: {nr: nr}\npicture: full\nprofiles: {tier: tier}\n"


@pytest.fixture(autouse=True)
def however_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a small world something is soon new of most."""
    monkeypatch.setattr(incremental, "MOST_TOUCHED", 2.0)


class Lived(Shop):
    """The shop with all segments that are asked for, each alone."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, 5, wide=True)
        for path in (root / "segments").glob("*.yaml"):
            path.unlink()
        for at, asked in enumerate(ASKED):
            (root / f"segments/a{at}.yaml").write_text(f"segment: a{at}\nwhere: {asked}\n")
        (root / "segments/kept.yaml").write_text("segment: kept\nwhere: {event: order}\nkeep: {top: 30 %, by: spend}\n")

    def write(self, name: str, *lines: str) -> None:
        (self.root / f"{name}.csv").write_text("".join(f"{line}\n" for line in lines))

    def desk_now(self, *lines: str) -> None:
        self.write("desk", "ticket,nr,status", *lines)

    def loyalty(self, *lines: str) -> None:
        (self.root / "sources/loyalty.yaml").write_text(LOYALTY)
        self.write("loyalty", "nr,tier", *lines)

    def number(self, nr: str) -> int:
        """Of the subject with a customer number."""
        with open_session(self.root) as session:
            values = Subjects(session.workspace).table().select("value").collect()["value"].to_list()
        return values.index(nr)

    def together(self, nr: str, other: str) -> None:
        one, two = self.number(nr), self.number(other)
        with open_session(self.root) as session:
            owners = self._owners(session)
            owners[max(one, two)] = min(one, two)
            self._identity(session, owners)

    def apart(self) -> None:
        with open_session(self.root) as session:
            self._identity(session, list(range(len(self._owners(session)))))

    def says(self, nr: str, action: str) -> None:
        with open_session(self.root) as session:
            ring = keyring_for_writing(session.project, session.workspace, now=self.now)
            exact, tokens = ring.newest_pair("email", address(nr)) or (b"", b"")
            self.words += 1
            event = ConsentEvent(
                f"w{self.words}", self.now - timedelta(hours=1), "email", exact, tokens, ring.newest[0], action,
                "news", "email", origin="command", proof_ref="p", is_own=True, is_confirmed=True,
            )  # fmt: skip
            append(session.workspace, [event], recorded=self.now)

    def again_in_full(self, *names: str) -> None:
        with open_session(self.root) as session:
            found = [of for name, of in sources_of(session.project).items() if name in names]
            ingest(session.project, session.workspace, found, now=self.now, full=True)

    def order(self, name: str, nr: str, value: str, days: float) -> None:
        """An order of a known number, in a file of its own."""
        at = self.now + timedelta(days=days)
        self.write(f"shop_{name}", "what,id,nr,at,value", f"order,own,{nr},{at.isoformat()},{value}")

    def call(self, name: str, nr: str, days: float) -> None:
        """A version of a row of a known number."""
        at = self.now + timedelta(days=days)
        self.write(f"calls_{name}", "ticket,nr,status,since", f"X1,{nr},open,{at.isoformat()}")

    def same_mail(self, nr: str, other: str) -> None:
        """Somebody gets the address of another."""
        self.write(f"crm_{nr}_{other}", "nr,since,country,tier,born,mail",
                   f"{other},{self.now.isoformat()},DE,gold,1990-01-01,{address(nr)}")  # fmt: skip

    def packed(self, *, vacuum: bool = False) -> None:
        self.ingested()
        compact(self.root, env=None, now=self.now, vacuum=vacuum, retention=timedelta(0))

    def without_values(self) -> None:
        """Orders need no value that can be read."""
        path = self.root / "sources/shop.yaml"
        path.write_text(path.read_text().replace(", properties: {value: value}", ""))

    def tried_again(self) -> None:
        with open_session(self.root) as session:
            replay(session.project, session.workspace, sources_of(session.project)["shop"], now=self.now)

    def recognised(self) -> None:
        with open_session(self.root) as session:
            decide(session.workspace, "1", "2", "must", now=self.now)
            dedupe(session.project, session.workspace, now=self.now)

    def undone(self) -> None:
        with open_session(self.root) as session:
            undo(session.project, session.workspace, "last", now=self.now)


Step = Callable[[Lived], object]


def _gone(name: str) -> Step:
    return lambda shop: (shop.root / name).unlink()


CASES: dict[str, tuple[Step, Step]] = {
    "an event is corrected to another person": (
        lambda shop: shop.order("a", "1", "9", -1),
        lambda shop: shop.order("b", "2", "9", -1),
    ),
    "an event is corrected to another time": (
        lambda shop: shop.order("a", "1", "9", -1),
        lambda shop: shop.order("b", "1", "9", -9),
    ),
    "an event is corrected to another person, and all is compacted": (
        lambda shop: shop.order("a", "1", "9", -1),
        lambda shop: (shop.order("b", "2", "9", -1), shop.packed()),
    ),
    "a compacted event is corrected to another person": (
        lambda shop: (shop.order("a", "1", "9", -1), shop.packed()),
        lambda shop: shop.order("b", "2", "9", -1),
    ),
    "an event is corrected, and what was is deleted": (
        lambda shop: shop.order("a", "1", "9", -1),
        lambda shop: (shop.order("b", "2", "9", -1), shop.packed(vacuum=True)),
    ),
    "a coming event is corrected to another person": (
        lambda shop: shop.order("a", "1", "9", 0.01),
        lambda shop: shop.order("b", "2", "9", 0.02),
    ),
    "a row goes over to somebody else and back": (
        lambda shop: (shop.desk_now("X1,1,open"), shop.ingested(), shop.desk_now("X1,2,open")),
        lambda shop: shop.desk_now("X1,1,open"),
    ),
    "a row of one who was merged is gone": (
        lambda shop: (shop.desk_now("X1,1,open", "X2,3,open"), shop.ingested(), shop.together("1", "2")),
        lambda shop: shop.desk_now("X2,3,open"),
    ),
    "a row is gone, and its owner is parted": (
        lambda shop: (shop.desk_now("X1,2,open", "X2,3,open"), shop.ingested(), shop.together("1", "2")),
        lambda shop: (shop.desk_now("X2,3,open"), shop.ingested(), shop.apart()),
    ),
    "a row is gone, and all is compacted": (
        lambda shop: shop.desk_now("X1,1,open", "X2,3,open"),
        lambda shop: (shop.desk_now("X2,3,open"), shop.packed()),
    ),
    "a row is gone, and what was is deleted": (
        lambda shop: shop.desk_now("X1,1,open", "X2,3,open"),
        lambda shop: (shop.desk_now("X2,3,open"), shop.packed(vacuum=True)),
    ),
    "rows are read again in full": (
        lambda shop: shop.desk_now("X1,1,open", "X2,3,open"),
        lambda shop: (shop.desk_now("X2,1,open"), shop.again_in_full("desk")),
    ),
    "a coming version of a row is another's": (
        lambda shop: shop.call("a", "1", -1),
        lambda shop: shop.call("b", "2", 0.01),
    ),
    "a late version of a row is another's": (
        lambda shop: shop.call("a", "1", -1),
        lambda shop: shop.call("b", "2", -2),
    ),
    "a source of rows is no longer declared": (
        lambda shop: shop.desk_now("X1,1,open", "X2,3,open"),
        _gone("sources/desk.yaml"),
    ),
    "a source of events is no longer declared": (lambda shop: None, _gone("sources/shop.yaml")),
    "a source of records is no longer declared": (
        lambda shop: shop.loyalty("1,gold", "99,gold"),
        _gone("sources/loyalty.yaml"),
    ),
    "a person is no longer in a full picture": (
        lambda shop: shop.loyalty("1,gold", "99,gold", "98,gold"),
        lambda shop: shop.loyalty("98,gold"),
    ),
    "a person of a full picture was merged": (
        lambda shop: (shop.loyalty("1,gold", "99,gold", "98,gold"), shop.ingested(), shop.together("1", "99")),
        lambda shop: shop.loyalty("98,gold"),
    ),
    "a person leaves a full picture and is parted": (
        lambda shop: (shop.loyalty("1,gold", "99,gold", "98,gold"), shop.ingested(), shop.together("1", "99")),
        lambda shop: (shop.loyalty("98,gold"), shop.ingested(), shop.apart()),
    ),
    "a full picture is read again in full": (
        lambda shop: shop.loyalty("1,gold", "99,gold"),
        lambda shop: (shop.loyalty("1,silver", "97,gold"), shop.again_in_full("loyalty")),
    ),
    "events are read again in full": (
        lambda shop: (shop.order("a", "1", "9", -1), shop.order("b", "3", "9", -1)),
        lambda shop: (shop.order("b", "4", "9", -1), (shop.root / "shop_a.csv").unlink(), shop.again_in_full("shop")),
    ),
    "compacted events are read again in full": (
        lambda shop: (shop.order("a", "1", "9", -1), shop.packed()),
        lambda shop: (shop.order("a", "4", "9", -1), shop.again_in_full("shop"), shop.packed()),
    ),
    "a bad row is mended": (
        lambda shop: shop.order("a", "1", "many", -1),
        lambda shop: (shop.without_values(), shop.tried_again()),
    ),
    "people are recognised": (
        lambda shop: shop.order("a", "2", "9", -1),
        lambda shop: shop.recognised(),
    ),
    "and are not the same after all": (
        lambda shop: (shop.order("a", "2", "9", -1), shop.ingested(), shop.recognised()),
        lambda shop: shop.undone(),
    ),
    "one of two with one address says no": (
        lambda shop: (shop.same_mail("1", "2"), shop.says("1", "grant")),
        lambda shop: shop.says("1", "withdraw"),
    ),
    "an address that said yes is another's too": (
        lambda shop: shop.says("1", "grant"),
        lambda shop: shop.same_mail("1", "2"),
    ),
    "an address that said yes is nobody's": (
        lambda shop: shop.says("1", "grant"),
        lambda shop: shop.same_mail("2", "1"),
    ),
    "somebody who says no was merged": (
        lambda shop: (shop.says("1", "grant"), shop.together("1", "2")),
        lambda shop: shop.says("2", "withdraw"),
    ),
    "a list names others": (
        lambda shop: shop.together("1", "2"),
        lambda shop: (shop.root / "vips.txt").write_text("2\n5\n"),
    ),
}


QUICK = (
    "a row of one who was merged is gone",
    "one of two with one address says no",
)


@pytest.mark.parametrize("case", [*QUICK, *(pytest.param(c, marks=pytest.mark.slow) for c in CASES if c not in QUICK)])
def test_the_second_run_says_what_a_full_one_says(tmp_path: Path, case: str) -> None:
    before, after = CASES[case]
    shop = Lived(tmp_path / "shop")
    before(shop)
    shop.ingested()
    shop.applied()
    shop.now += timedelta(hours=1)
    after(shop)
    shop.ingested()

    for again in (False, True):
        expected = shop.beside(tmp_path / "beside")
        done, found = shop.applied()
        for part, right in expected.items():
            assert found[part] == right, (part, again)
        assert done.extent is not None
        assert not done.extent.is_full, done.extent.reason
        # What is dated ahead is there by then.
        shop.now += timedelta(hours=1)
