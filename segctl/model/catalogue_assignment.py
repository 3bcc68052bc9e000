"""Codes of running experiments and of who is assigned to them (SEG955–SEG964)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
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
    "SEG962": Entry(
        "other commands assign people to the same experiments",
        "Arms are written down before anybody is told. While this push made its audiences, others wrote down people of "
        "the same experiments in another way, several times in a row; nothing was sent.",
        "Try again when they are done.",
    ),
}
