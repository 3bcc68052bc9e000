"""Codes of workflows: what their files say, and what happens while they run (SEG670–SEG694)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG670": Entry(
        "a workflow without a name, or declared twice",
        "The name is the key `workflow`, unique in the project; people who wait are on record by it.",
        "Write `workflow: NAME` with the name of the file, or rename one of the two.",
    ),
    "SEG671": Entry(
        "a trigger that is none, or several",
        "Exactly one thing begins a workflow: a segment that is entered, left, or held for some time, an event, or "
        "the clock.",
        "Write one of `entered`, `left`, `stayed` with `for`, `event`, `every`; make a workflow for each trigger.",
        "trigger: {enters: vip}",
        "trigger: {entered: vip}",
    ),
    "SEG672": Entry(
        "a step that is none, or several",
        "A step does one thing: it waits, chooses a way, sends a mail, fills an audience, opens a task, sets a "
        "trait, runs a command, or stops.",
        "Begin each step with `- ` and one of the words that the message names.",
        "steps:\n  - delay: 2 hours",
        "steps:\n  - wait: 2 hours",
    ),
    "SEG673": Entry(
        "a step's name that stands twice",
        "What was done to whom is on record by the step's name, and people who wait go on from it after an edit.",
        "Rename one of the steps.",
    ),
    "SEG674": Entry(
        "shares of a split or of a control group that do not fit",
        "The arms of a split are two or more and together 100 %, each has a way under `then`; a control group is a "
        "part of those who begin, not all of them.",
        "Write `split: {a: 50 %, b: 50 %}`, and `control: 10 %`.",
    ),
    "SEG675": Entry(
        "a time of a workflow that cannot be meant",
        "Times of day are hours and minutes, days of the week have their English or German names, quiet hours begin "
        "and end, and somebody may come again `once`, `always` or after a length.",
        'Write it as the message says, for example `quiet: {from: "21:00", to: "08:00"}`.',
    ),
    "SEG676": Entry(
        "a name in a workflow that the project does not have",
        "The workflow speaks of a segment, destination, experiment or purpose that is not declared.",
        "Correct the name, or declare it.",
    ),
    "SEG677": Entry(
        "a trait that a workflow cannot set",
        "A step sets one stored trait with a single value; computed traits follow from events.",
        "Declare the trait under `traits` in segctl.yaml, and write a step for each.",
    ),
    "SEG678": Entry(
        "a step without a purpose, or with one that its destination is not for",
        "Nobody is told anything for which the gate finds no consent, and consent is given for a purpose.",
        "Add `purpose` to the workflow or the step, and to `purposes` of the destination.",
    ),
    "SEG679": Entry(
        "an audience that a push fills too",
        "A push mirrors its segment: it takes out of the audience whoever the workflow has put in.",
        "Give the workflow an audience of its own.",
    ),
    "SEG680": Entry(
        "a workflow that does nothing",
        "No step sends, fills, sets or calls anything.",
        "Add a step that does something, or delete the file.",
    ),
    "SEG681": Entry(
        "a step that nobody reaches",
        "It stands behind a `stop`, or behind ways that all end.",
        "Delete it, or take the `stop` before it away.",
    ),
    "SEG682": Entry(
        "a step that its destination cannot do",
        "Mails go through a mail server (`kind: smtp`; every mail service has one), audiences to a destination that "
        "keeps lists, tasks to a webhook.",
        "Name another destination, or declare one of the kind that the message names.",
    ),
    "SEG683": Entry(
        "an unknown workflow, or none at all",
        "The command was given a name that no file under `workflows/` has.",
        "`segctl ls workflows` lists them.",
    ),
    "SEG685": Entry(
        "effects of which nobody knows whether they happened",
        "The process ended between sending and the answer. A mail cannot be asked for, so it is not sent again by "
        "itself.",
        "Look for KEY@ (the Message-ID) in the log of the mail server, then say what you found: "
        "`segctl workflow resolve KEY --sent`, or `--not-sent`.",
    ),
    "SEG686": Entry(
        "people who wait by a version that does not bind any more",
        "They entered before an edit, and what their version names is gone from the project.",
        "Bring back what it names, or let them go on by today's steps: `segctl workflow run NAME --migrate`.",
    ),
    "SEG687": Entry(
        "a step that cannot be done now",
        "The destination takes nothing, is paused, or its experiment does not run; those who stand there wait.",
        "The message says why; they go on with the next run.",
    ),
    "SEG688": Entry(
        "a command of a workflow that failed",
        "The program ended with another code than 0, or could not be started.",
        "Try it by hand; it gets the person's id as JSON on standard input.",
    ),
    "SEG689": Entry(
        "a test of a workflow that fails",
        "What the workflow does to a person on the virtual clock is not what the case expects.",
        "Correct the workflow, or the case; the message shows both.",
    ),
    "SEG690": Entry(
        "a test file of a workflow that cannot be read",
        "Cases of workflows give people with traits and events, and expect what is done to whom, when.",
        "`segctl help workflows` shows the form.",
    ),
    "SEG691": Entry(
        "a span that cannot be simulated",
        "A simulation goes from an instant to a later one, both not in the future, in steps of a length.",
        "Write `--from 2026-10-01 --until 2026-11-01 --every '1 hour'`.",
    ),
    "SEG692": Entry(
        "a word of `segctl workflow` that does not go with the action",
        "Each action has options of its own.",
        "`segctl workflow --help` lists them.",
    ),
    "SEG693": Entry(
        "workflows could not see the newest events of a running stream",
        "Before they look, workflows ask the stream to make files of what it has taken in, and it did not answer "
        "within five seconds; it may be starting, or behind its input. They went on with what was stored before.",
        "Nothing is lost: the next look sees them. If it goes on, `segctl status` shows how the stream does.",
    ),
    "SEG694": Entry(
        "something of workflows that is not to be forgotten yet",
        "A cap of a workflow counts what it did in its window, which reaches further back than `--keep`; without that "
        "it would let more through.",
        "Give `segctl workflow forget` a longer `--keep`, such as `--keep 400d`.",
    ),
}
