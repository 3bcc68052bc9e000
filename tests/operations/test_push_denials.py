"""Denials that reach a push at an awkward moment, with the real gate and a folder of files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from end_to_end.program import ok

from segctl.operations.consent_record import Said, record
from segctl.operations.push import Asked, Pushed, push
from segctl.operations.push_work import Part
from segctl.operations.session import open_session

PROJECT = {
    "segctl.yaml": "segctl: 1\nname: shop\nidentifiers: {customer_id: {class: known}}\n"
    "traits: {country: text, email: {type: text, personal: true}, phone: {type: text, personal: true}}\n"
    "identity: {country: DE}\n"
    "purposes: {service: {title: Service, basis: contract, channels: [email]}}\n"
    "contact_points: {email: email, phone: phone}\n",
    "sources/crm.yaml": "source: crm\npath: crm.csv\nkey: {customer_id: nr}\n"
    "profiles: {country: land, email: mail, phone: tel}\n",
    "crm.csv": "nr,land,mail,tel\n1,DE,anna@example.org,+491701234561\n2,DE,bert@example.org,+491701234562\n",
    "segments/german.yaml": "segment: german\npurpose: service\nsend_to: [a_files, b_files]\n"
    "where: {trait: country, equals: DE}\n",
}


@dataclass
class Shop:
    """A project on disk."""

    folder: Path

    def destination(self, name: str, more: str = "") -> None:
        path = self.folder / f"destinations/{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            f"destination: {name}\nkind: file\npurposes: [service]\nchannel: email\nidentify: {{email: email}}\n{more}",
            "utf-8",
        )

    def push(self, *, withdraws: str | None = None) -> Pushed:
        """A push; somebody withdraws after it was planned."""
        now = datetime.now(UTC)
        with open_session(self.folder) as session:

            def agree(_parts: Sequence[Part]) -> None:
                if withdraws is not None:
                    record(session, withdraws, Said("withdraw"), now=datetime.now(UTC))

            return push(session, Asked(), now=now, agree=agree)

    def says(self, who: str, said: Said) -> None:
        with open_session(self.folder) as session:
            record(session, who, said, now=datetime.now(UTC))

    def there(self, name: str, segment: str = "german") -> str:
        return max((self.folder / "out" / name / segment).glob("*.csv")).read_text("utf-8")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    made = Shop(tmp_path)
    for name in ("a_files", "b_files"):
        made.destination(name)
    ok("ingest", cwd=tmp_path)
    ok("apply", cwd=tmp_path)
    return made


def test_who_withdraws_while_one_destination_is_told_is_not_told_to_the_next(shop: Shop) -> None:
    shop.push(withdraws="anna@example.org")

    assert "bert@example.org" in shop.there("b_files")
    assert "anna@example.org" not in shop.there("a_files")
    assert "anna@example.org" not in shop.there("b_files")
