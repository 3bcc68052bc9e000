"""All verbs, in the order of help; a module is imported only when its verb is chosen."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from segctl.model.dataclass import dataclass

GROUPS: dict[str, str] = {
    "start": "Start",
    "data": "Data",
    "define": "Define",
    "look": "Look",
    "send": "Send",
    "measure": "Measure",
    "consent": "Consent",
    "live": "Live",
}


@dataclass(frozen=True, slots=True)
class Command:
    """Where a verb lives.

    Attributes:
        target: ``module:function``.
        group: Key of `GROUPS`.
        summary: One line for lists, without a full stop.
    """

    target: str
    group: str
    summary: str

    @property
    def module(self) -> ModuleType:
        """The verb's module, imported now."""
        return import_module(self.target.partition(":")[0])

    def load(self) -> object:
        """The verb's function, decorated by `options.verb`."""
        return getattr(self.module, self.target.partition(":")[2])


def _at(verb: str, group: str, summary: str) -> Command:
    return Command(f"segctl.cli.commands.{verb}:command", group, summary)


COMMANDS: dict[str, Command] = {
    "init": _at("init", "start", "Write a commented project that works at once"),
    "demo": _at("demo", "start", "Run the whole way on packaged sample data"),
    "doctor": _at("doctor", "start", "Check Python, engines, project, workspace and disk"),
    "config": _at("config", "start", "Show settings with their origin, or validate them"),
    "schema": _at("schema", "start", "Print a JSON Schema for editors"),
    "help": _at("help", "start", "Explain a verb, a topic or an error code"),
    "completion": _at("completion", "start", "Print or install shell completion"),
    "ingest": _at("ingest", "data", "Read source files into the workspace"),
    "validate": _at("validate", "data", "Check definitions and data without changing anything"),
    "quarantine": _at("quarantine", "data", "Look at rows that were set aside"),
    "dedupe": _at("dedupe", "data", "Recognise people: which identifiers are one person"),
    "compact": _at("compact", "data", "Rewrite stored files so that reading is fast"),
    "lint": _at("lint", "define", "Check definitions without touching data"),
    "test": _at("test", "define", "Run the tests of segments, or find what they miss"),
    "size": _at("size", "define", "Count a definition, saved or not, leaf by leaf"),
    "explain": _at("explain", "define", "Say why a person is in or out of a segment"),
    "ls": _at("ls", "look", "List segments, traits, events, sources, destinations, experiments"),
    "show": _at("show", "look", "Show one thing: segment, trait, event, destination, experiment …"),
    "profile": _at("profile", "look", "Show one person's timeline"),
    "history": _at("history", "look", "Show how a segment's size moved from run to run"),
    "diff": _at("diff", "look", "Show who entered and left between two runs"),
    "overlap": _at("overlap", "look", "Compare segments: proved relation, intersections, likeness"),
    "plan": _at("plan", "send", "Show what apply would do, and why"),
    "apply": _at("apply", "send", "Evaluate segments and record a run"),
    "push": _at("push", "send", "Send audiences to destinations"),
    "reconcile": _at("reconcile", "send", "Compare a destination with what it accepted, and repair it"),
    "status": _at("status", "send", "Show how things stand, on one screen"),
    "pause": _at("pause", "send", "Stop segments or destinations until they are resumed"),
    "resume": _at("resume", "send", "Let paused segments or destinations run again"),
    "experiment": _at("experiment", "measure", "Plan, start and stop experiments, and assign their arms"),
    "report": _at("report", "measure", "Report what experiments earned, and how segments do"),
    "consent": _at("consent", "consent", "Record, import and check who may be contacted"),
    "suppress": _at("suppress", "consent", "Keep contact points from getting anything"),
    "listen": _at("listen", "live", "Take what tracking libraries and webhooks send"),
    "stream": _at("stream", "live", "Evaluate continuously, and say who enters and leaves"),
    "workflow": _at("workflow", "live", "Act when people move: mails, audiences, tasks, tests, simulations"),
    "content": _at("content", "live", "Look at messages, check them, and see what is recommended"),
    "usecase": _at("usecase", "live", "Install ready journeys, and see which of them earn"),
}
