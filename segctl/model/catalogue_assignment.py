"""Codes of running experiments and of who is assigned to them (SEG955–SEG964)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG955": Entry(
        "the arms of an experiment do not have the sizes that their weights say",
        "A sample ratio mismatch: a split like this one comes by chance once in a hundred (warning) or in a thousand "
        "(error) experiments. Something treats the arms differently before people are counted.",
        "Look at when and in which stratum it began (`segctl experiment assign NAME --check`); results of the "
        "experiment cannot be used until that is explained.",
    ),
    "SEG956": Entry(
        "an experiment that cannot start",
        "It runs already, has ended (its people know their arms, so it never starts twice), its planned end has "
        "passed, or its segment is not active.",
        "`segctl experiment status` shows how it stands; copy the file under a new name for another one.",
    ),
    "SEG957": Entry(
        "an experiment was changed while it runs",
        "When an experiment starts, what it compares is written down: segment, unit, arms, control, window, layer, "
        "exclusions, strata, looks and primary metrics. A result means nothing if they change on the way, so its "
        "segment is not sent until they are as they were.",
        "Take the change back. Weights, traffic (upwards), end, size, money, titles and metrics that are not primary "
        "may change; for anything else stop the experiment and start another with a new name.",
    ),
    "SEG958": Entry(
        "an experiment would lose people who take part",
        "Whoever was assigned stays assigned, so `traffic` and the range of a layer may only grow: who would fall out "
        "has got messages already, or was kept from them.",
        "Set the share back to what it was, or stop the experiment.",
        "traffic: 10 %   # it was 20 %",
        "traffic: 20 %",
    ),
    "SEG959": Entry(
        "an experiment runs and nobody knows its definition",
        "Its file is gone, was renamed without `salt`, or two files say that they are the same experiment. People in "
        "its control group must stay without messages, so its segment is not sent.",
        "Bring the file back; a renamed experiment keeps its arms with `salt: FORMER_NAME`; or end it with `segctl "
        "experiment stop NAME`.",
        "experiment: winback_mail_2026   # it was winback_mail",
        "experiment: winback_mail_2026\nsalt: winback_mail",
    ),
    "SEG960": Entry(
        "an experiment that does not run",
        "What was asked needs a running experiment, and this one was never started or has been stopped.",
        "`segctl experiment start NAME` starts one that is declared; `segctl experiment status` shows all.",
    ),
    "SEG961": Entry(
        "the winner is no arm of the experiment that is sent something",
        "`--winner` names the arm that everybody gets from now on. A stopped experiment holds nobody out, so an arm "
        "that is sent nothing cannot be what everybody gets.",
        "Use one of the arms that the message lists. If nothing is to be sent any more, stop without a winner and "
        "pause the segment.",
        "segctl experiment stop winback_mail --winner cupon",
        "segctl experiment stop winback_mail --winner coupon",
    ),
    "SEG962": Entry(
        "other commands assign people to the same experiments",
        "Arms are written down before anybody is told. While this push made its audiences, others wrote down people of "
        "the same experiments in another way, several times in a row; nothing was sent.",
        "Try again when they are done.",
    ),
    "SEG963": Entry(
        "an assignment on record is not what it should be",
        "Arms are hashes of the project's name, the experiment and the unit, written once. Some on record have another "
        "arm, two arms, or lie outside the traffic that was in force when they were written.",
        "Find out who wrote to the workspace, or whether the project was renamed since. Who is on record keeps the "
        "arm; a report on the experiment should not be trusted.",
    ),
    "SEG964": Entry(
        "people of different arms are one person now",
        "Profiles that were merged after they were assigned had different arms. The older assignment decides what the "
        "person is sent; both stay on record, and reports leave the person out of every arm.",
        "Nothing, while they are few (under 1 %); else assign by what stays the same, such as `unit: {same: "
        "household_id}`.",
    ),
}
