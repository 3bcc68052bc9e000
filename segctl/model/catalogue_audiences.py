"""Codes of audiences, priority lists, caps and holdouts, of `reconcile` and `status` (SEG845–SEG869)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG850": Entry(
        "a holdout that has never been evaluated",
        "`holdout:` in segctl.yaml keeps the members of this segment out of every push, and no run has found out who "
        "they are. Nothing is sent before that is known.",
        "Run `segctl apply`, which evaluates it.",
    ),
}
