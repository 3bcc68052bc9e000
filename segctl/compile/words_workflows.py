"""Workflows in words: what begins them, what each step does, which way is for whom; in English and German."""

from __future__ import annotations

from datetime import time

from segctl.compile.words import describe
from segctl.compile.words_times import length_words
from segctl.model.conditions import Count, EventCondition, EventSelection, ValueTest
from segctl.model.project import Language
from segctl.model.workflows import (
    Act,
    Branch,
    Node,
    Signal,
    Split,
    StepBody,
    Stop,
    Trigger,
    Wait,
    WaitFor,
    WaitUntil,
    Workflow,
)

_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "de": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
}
_WORDS: dict[str, tuple[str, str]] = {
    "entered": ("enters {}", "kommt in {}"),
    "left": ("leaves {}", "verlässt {}"),
    "stayed": ("in {} for {}", "in {} seit {}"),
    "event": ("{}", "{}"),
    "every_day": ("every day at {}: {}", "täglich um {}: {}"),
    "every_week": ("every {} at {}: {}", "jeden {} um {}: {}"),
    "every_month": ("on day {} of the month at {}: {}", "am {}. des Monats um {}: {}"),
    "wait": ("wait {}", "weiter nach {}"),
    "until": ("wait until {}", "bis {} warten"),
    "on": ("{} on {}", "{} am {}"),
    "for": ("wait for: {}, at most {}", "warten auf: {}; sonst weiter nach {}"),
    "branch": ("which holds?", "was trifft zu?"),
    "split": ("split by chance", "nach Zufall teilen"),
    "experiment": ("split by the experiment {}", "nach Experiment {} teilen"),
    "mail": ("mail {} through {}", "Mail {} über {}"),
    "add": ("add to {} at {}", "zu {} bei {} hinzufügen"),
    "remove": ("remove from {} at {}", "aus {} bei {} entfernen"),
    "task": ("task “{}” to {}", "Aufgabe „{}“ an {}"),
    "set": ("set {} to {}", "{} auf {} setzen"),
    "command": ("run {}", "{} ausführen"),
    "stop": ("end: {}", "Ende: {}"),
    "end": ("end", "Ende"),
    "else": ("otherwise", "sonst"),
    "reached": ("happened", "eingetreten"),
    "timeout": ("not in time", "nicht rechtzeitig"),
    "exit": ("ends at any time when: {}", "endet jederzeit, wenn: {}"),
    "control": ("{} % get nothing and are recorded", "{} % erhalten nichts und werden vermerkt"),
}


def say(key: str, language: Language, *parts: object) -> str:
    """A fixed phrase with its parts."""
    return _WORDS[key][language == "de"].format(*parts)


def signal_words(signal: Signal, language: Language) -> str:
    """What is waited for."""
    if signal.condition is not None:
        return describe(signal.condition, language)
    assert signal.selection is not None
    return selection_words(signal.selection, language)


def selection_words(selection: EventSelection, language: Language) -> str:
    """Some event of a selection."""
    return describe(EventCondition(selection, Count(), ValueTest("at_least", (1,))), language)


def trigger_words(trigger: Trigger, language: Language) -> str:
    """What begins a workflow."""
    if trigger.selection is not None:
        return say("event", language, selection_words(trigger.selection, language))
    if trigger.kind == "every":
        at, day = _clock(trigger.at), trigger.day
        if trigger.period == "week" and day is not None:
            return say("every_week", language, _DAYS[language][day - 1], at, trigger.segment)
        if trigger.period == "month":
            return say("every_month", language, day, at, trigger.segment)
        return say("every_day", language, at, trigger.segment)
    if trigger.length is not None:
        return say("stayed", language, trigger.segment, length_words(trigger.length, language))
    return say(trigger.kind, language, trigger.segment)


def step_words(body: StepBody, language: Language) -> str:
    """What a step does."""
    match body:
        case Wait(length):
            return say("wait", language, length_words(length, language))
        case WaitUntil(at, days):
            until = say("until", language, _clock(at))
            named = ", ".join(_DAYS[language][day - 1] for day in days)
            return say("on", language, until, named) if days else until
        case WaitFor(signal, at_most):
            return say("for", language, signal_words(signal, language), length_words(at_most, language))
        case Branch():
            return say("branch", language)
        case Split(_, experiment):
            return say("split", language) if experiment is None else say("experiment", language, experiment)
        case Act() as act:
            return _act(act, language)
        case Stop(reason):
            return say("stop", language, reason)


def _act(act: Act, language: Language) -> str:
    match act.kind:
        case "mail":
            return say("mail", language, act.content, act.destination)
        case "add" | "remove":
            return say(act.kind, language, act.audience, act.destination)
        case "task":
            return say("task", language, dict(act.fields)["title"], act.destination)
        case "set":
            return say("set", language, act.trait, act.value)
        case _:
            return say("command", language, act.command[0])


def way_words(node: Node, way: str, language: Language) -> str:
    """For whom a way is; empty for the only one."""
    if way == "next":
        return ""
    if way in ("else", "reached", "timeout"):
        return say(way, language)
    if isinstance(node.body, Branch):
        return describe(node.body.conditions[int(way) - 1], language)
    if isinstance(node.body, Split) and node.body.experiment is None:
        return f"{way} {(dict(node.body.arms)[way] * 100).normalize():f} %"
    return way


def exit_words(workflow: Workflow, language: Language) -> list[str]:
    """What ends a workflow at any time."""
    return [say("exit", language, signal_words(rule.signal, language)) for rule in workflow.exits]


def _clock(at: time | None) -> str:
    return "" if at is None else at.strftime("%H:%M")
