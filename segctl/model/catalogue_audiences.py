"""Codes of audiences, priority lists, caps and holdouts, of `reconcile` and `status` (SEG845–SEG869)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG845": Entry(
        "a priority list of one segment",
        "A priority list says which of several segments a profile goes to; of one segment there is nothing to say.",
        "Name the segments that share people, the most important first, or delete the list.",
        "priority: {mailings: [winback]}",
        "priority: {mailings: [cart_abandoners, winback]}",
    ),
    "SEG846": Entry(
        "a cap on a purpose that is not declared",
        "`purpose` under `caps` counts contacts for one of the purposes of segctl.yaml, and this is none of them.",
        "Declare the purpose, or take one that is.",
        "caps: {mails: {at_most: 3, within_last: 7 days, purpose: newsleter}}",
        "caps: {mails: {at_most: 3, within_last: 7 days, purpose: newsletter}}",
    ),
    "SEG847": Entry(
        "a segment under `priority` or `holdout` that does not exist",
        "The lists name segments of the project, by today's name or one that stands under `formerly`.",
        "Write the segment's name, or take it out of the list.",
        "holdout: [holdout_five]",
        "holdout: [holdout_5]",
    ),
    "SEG848": Entry(
        "priority lists that contradict each other",
        "Of two segments each comes before the other, in one list and another, so nobody could say where a profile "
        "that belongs to both goes.",
        "Put the segments in the same order in every list.",
        "priority: {mailings: [winback, vip], calls: [vip, winback]}",
        "priority: {mailings: [vip, winback], calls: [vip, winback]}",
    ),
    "SEG851": Entry(
        "a saved plan whose push would be another one now",
        "`segctl push plan.json` sends exactly what the plan says. Since it was made, memberships, consent, what the "
        "destinations accepted or the settings have changed, so other people would be told.",
        "Apply the plan first if its memberships are not in force yet; else make a new plan and look at it.",
    ),
    "SEG852": Entry(
        "no step of a waterfall",
        "The steps from the members to those whom a destination took have fixed names.",
        "Use one of `members identifier consent suppression cap holdout priority change accepted`.",
        "segctl show winback --waterfall --step consents",
        "segctl show winback --waterfall --step consent",
    ),
    "SEG853": Entry(
        "a segment without an audience at that destination",
        "A waterfall leads from a segment to a destination, and this segment is not sent there.",
        "Name the destination under `send_to` in the segment's file, or ask for one that stands there.",
        "segctl show staff --waterfall",
        "segctl show winback --waterfall",
    ),
    "SEG854": Entry(
        "a destination that does not exist",
        "The name is none of `destinations/NAME.yaml`.",
        "Write the destination's name, or declare it.",
        "segctl reconcile maler",
        "segctl reconcile mailer",
    ),
    "SEG855": Entry(
        "a destination that cannot be read",
        "`reconcile` compares who is there with the ledger, and this kind of destination does not tell who is there.",
        "Look there by hand. What it accepted stands in the ledger: `segctl status`.",
    ),
    "SEG856": Entry(
        "a destination that does not tell who is there now",
        "It limits calls, is down, or its answer broke off. Nothing was changed.",
        "Run the same again later.",
    ),
    "SEG857": Entry(
        "a repair that takes many people out",
        "A quarter of an audience or more would be taken out at once, and nobody can be asked.",
        "Look who it is. If that is right, name the segment with `--confirm`.",
        "segctl reconcile mailer --apply --yes",
        "segctl reconcile mailer --apply --yes --confirm winback",
    ),
    "SEG850": Entry(
        "a holdout that has never been evaluated",
        "`holdout:` in segctl.yaml keeps the members of this segment out of every push, and no run has found out who "
        "they are. Nothing is sent before that is known.",
        "Run `segctl apply`, which evaluates it.",
    ),
}
