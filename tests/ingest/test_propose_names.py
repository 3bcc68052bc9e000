"""What a proposal calls the columns, and which ones it takes for key and time."""

from __future__ import annotations

import json

from segctl.compile.project import load_project
from segctl.operations.ingest.propose import propose
from segctl.operations.ingest.save import save_proposal


def test_a_saved_proposal_never_breaks_the_project(shop) -> None:
    long = "a" * 70
    shop.file("visits.csv", f"customer_id,at,source,kind,Total Price,total-price,{long}\n7,2026-11-01,web,x,1,2,y\n")
    project, _ = load_project(shop.root)

    proposal = propose(project, "visits.csv", "visited")
    save_proposal(project, proposal)

    _, findings = load_project(shop.root)
    assert findings == []
    assert list(proposal.events["visited"]) == ["source_value", "kind_value", "total_price", "total_price_2", "a" * 56]
    assert shop.ingest("visits").new == 1


def test_key_and_time_are_columns_that_hold_something(shop) -> None:
    rows = [
        {"user_id": None, "user_pseudo_id": "b1", "created_at": None, "sent_at": "2026-11-01T10:00:00Z"},
        {
            "user_id": None,
            "user_pseudo_id": "b2",
            "created_at": "2026-11-01T09:00:00Z",
            "sent_at": "2026-11-01T11:00:00Z",
        },
    ]
    shop.file("log.ndjson", "".join(f"{json.dumps(row)}\n" for row in rows))
    project, _ = load_project(shop.root)

    proposal = propose(project, "log.ndjson", "visited")

    assert "customer_id: user_pseudo_id" in proposal.yaml
    assert "time: sent_at" in proposal.yaml
