"""Withdrawals of people in an audience that itself needs nothing, while another one of the destination is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from end_to_end.program import ok

from segctl.operations.consent.record import Said, record
from segctl.operations.push.push import Asked, push
from segctl.operations.push.work import Part
from segctl.operations.session import open_session

PROJECT = {
    "segctl.yaml": "segctl: 1\nname: shop\nidentifiers: {customer_id: {class: known}}\n"
    "traits: {country: text, email: {type: text, personal: true}}\n"
    "purposes: {service: {title: Service, basis: contract, channels: [email]}}\ncontact_points: {email: email}\n",
    "sources/crm.yaml": "source: crm\npath: crm.csv\nkey: {customer_id: nr}\nprofiles: {country: land, email: mail}\n",
    "crm.csv": "nr,land,mail\n1,DE,anna@example.org\n2,DE,bert@example.org\n3,AT,cora@example.org\n",
    "destinations/export.yaml": "destination: export\nkind: file\npurposes: [service]\nchannel: email\nkeep: 1\n",
    **{
        f"segments/{name}.yaml": f"segment: {name}\npurpose: service\nsend_to: [export]\n"
        f"where: {{trait: country, equals: {country}}}\n"
        for name, country in (("austrian", "AT"), ("german", "DE"))
    },
}


def test_who_withdraws_from_an_audience_that_needs_nothing_is_taken_out_of_it(tmp_path: Path) -> None:
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    for command in ("ingest", "apply"):
        ok(command, cwd=tmp_path)
    ok("push", "german", cwd=tmp_path)

    with open_session(tmp_path) as session:

        def withdraw(_parts: Sequence[Part]) -> None:
            record(session, "anna@example.org", Said("withdraw"), now=datetime.now(UTC))

        done = push(session, Asked(), now=datetime.now(UTC), agree=withdraw)

    there = {path.parent.name: path.read_text("utf-8") for path in sorted((tmp_path / "out/export").glob("*/*.csv"))}
    assert [(one.segment, one.counts["withdrawn"]) for one in done.outcomes] == [("austrian", 0), ("german", 1)]
    assert "cora@example.org" in there["austrian"]
    assert "bert@example.org" in there["german"]
    assert "anna@example.org" not in there["german"]
