"""Effects of workflows on the world outside: mails, audiences, tasks, traits, commands."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from segctl.compile.zones import from_us
from segctl.connectors.destinations import abilities, connected
from segctl.connectors.destinations.base import (
    Around,
    Batch,
    BatchRefusedError,
    Message,
    NotNowError,
    Row,
    Sent,
    Trouble,
    UnknownOutcomeError,
    by_key,
)
from segctl.model.errors import SegctlError
from segctl.operations.workflow.world import Doing, Result

if TYPE_CHECKING:
    from segctl.connectors.destinations.base import Action, Connector
    from segctl.model.destinations import Destination
    from segctl.model.workflows import Act, Node, Workflow
    from segctl.operations.content.content import Desk
    from segctl.operations.session import Session
    from segctl.operations.workflow.gate import Told
    from segctl.operations.workflow.world import Outcome

_POLLS, _COMMAND_S = 120, 300
_FAILED = "SEG688"


class Effects:
    """Connectors that are open, and messages that are written, for one call of the engine."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._open: dict[str, Connector] = {}
        self._audiences: dict[tuple[str, str], str] = {}
        self._desks: dict[str, Desk] = {}

    def close(self) -> None:
        """Lets go of connections."""
        for connector in self._open.values():
            connector.close()
        self._open.clear()

    def send(
        self, workflow: str, node: Node, act: Act, told: Mapping[str, Told], doing: Sequence[Doing], now: int
    ) -> dict[str, Result]:
        """Tells a destination of some people in one call; key of the effect → what became of it."""
        assert act.destination is not None
        destination = self._session.definitions.destinations[act.destination]
        try:
            message = self._message(act, doing[0], now) if act.kind == "mail" else None
        except SegctlError as error:
            # What a person lacks stays so; a template that is wrong is mended, and whoever it was for still waits.
            outcome: Outcome = "invalid" if error.code == "SEG776" else "not_now"
            return {one.key: Result(outcome, f"{error.code}: {error.message}", is_personal=True) for one in doing}
        return self._told(workflow, node, act, destination, told, doing, now, message)

    def _told(
        self, workflow: str, node: Node, act: Act, destination: Destination, told: Mapping[str, Told],
        doing: Sequence[Doing], now: int, message: Message | None,
    ) -> dict[str, Result]:  # fmt: skip
        """One call, and when it is refused for what is in it, halves of it, until it is known who is meant."""
        try:
            sent = self._sent(workflow, node, act, destination, told, doing, now, message)
        except BatchRefusedError as error:
            if len(doing) == 1:
                return {doing[0].key: Result("invalid", error.reason)}
            half = len(doing) // 2
            found: dict[str, Result] = {}
            for part in (doing[:half], doing[half:]):
                found |= self._told(workflow, node, act, destination, told, part, now, message)
            return found
        except UnknownOutcomeError as error:
            why = f"nobody knows whether it arrived: {error}"
            return {one.key: self._unknown(destination, act, why) for one in doing}
        except NotNowError as error:
            result = Result("not_now", error.reason, is_personal=error.is_answer, may_be_all=True)
            return dict.fromkeys((one.key for one in doing), result)
        except SegctlError as error:
            return {one.key: Result("not_now", f"{error.code}: {error.message}") for one in doing}
        return {one.key: self._result(destination, act, sent.troubles.get(told[one.key].key)) for one in doing}

    def _sent(
        self,
        workflow: str,
        node: Node,
        act: Act,
        destination: Destination,
        told: Mapping[str, Told],
        doing: Sequence[Doing],
        now: int,
        message: Message | None,
    ) -> Sent:
        connector = self._connector(destination, now)
        name = act.audience or workflow
        context = {"workflow": workflow, "step": node.id}
        if act.kind == "task":
            context |= {"entry": doing[0].entry, "profile": doing[0].someone.profile, **dict(act.fields)}
        batch = Batch(
            id=_id_of(doing),
            segment=name,
            audience=name if act.kind in ("mail", "task") else self._audience(connector, destination, name),
            action=_ACTIONS[act.kind],
            rows=tuple(_row(told[one.key]) for one in doing),
            at=from_us(now),
            purpose=act.purpose,
            granted=self._granted(act.purpose),
            context=context,
            message=message,
        )
        return self._settled(connector, batch)

    def _settled(self, connector: Connector, batch: Batch) -> Sent:
        """The answer, once what goes on there is over."""
        keys = [row.key for row in batch.rows]
        sent = by_key(connector.send(batch), keys)
        troubles: dict[str, Trouble] = dict(sent.troubles)
        for _ in range(_POLLS):
            if sent.job is None:
                return replace(sent, troubles=troubles)
            self._around(sent.wait_s)
            sent = by_key(connector.poll(sent.job), keys)
            troubles |= sent.troubles
        raise UnknownOutcomeError("the destination is not done")

    def _around(self, seconds: float) -> None:
        import time

        time.sleep(min(seconds, 5.0))

    def _connector(self, destination: Destination, now: int) -> Connector:
        if destination.name not in self._open:
            around = Around(destination.name, self._session.root, from_us(now))
            self._open[destination.name] = connected(destination, around)
        return self._open[destination.name]

    def _audience(self, connector: Connector, destination: Destination, name: str) -> str:
        key = (destination.name, name)
        if key not in self._audiences:
            self._audiences[key] = connector.audience(name, name)
        return self._audiences[key]

    def _granted(self, purpose: str | None) -> frozenset[str]:
        signals = {one.name: one.signals for one in self._session.project.purposes}
        return frozenset({purpose, *signals.get(purpose, ())}) if purpose is not None else frozenset()

    def _result(self, destination: Destination, act: Act, trouble: Trouble | None) -> Result:
        if trouble is None:
            return Result("done")
        if trouble.state == "unknown":
            return self._unknown(destination, act, trouble.reason)
        if trouble.state == "invalid":
            return Result("invalid", trouble.reason)
        return Result("not_now", trouble.reason, is_personal=trouble.code != "not_now")

    def _unknown(self, destination: Destination, act: Act, reason: str) -> Result:
        """What can be repeated without harm is asked again by sending it again, with the same key."""
        outcome: Outcome = "again" if is_repeatable(destination, act.kind) else "unknown"
        return Result(outcome, reason, is_personal=True, may_be_all=True)

    # --- Messages ------------------------------------------------------------------------------------------
    def load(self, act: Act, roots: Sequence[int], now: int) -> None:
        """Reads what the messages of these people need, in one evaluation.

        Raises:
            SegctlError: There is no such template, or it cannot be compiled.
        """
        self._desk(act, now).load(roots)

    def _desk(self, act: Act, now: int) -> Desk:
        from segctl.operations.content.content import Desk

        assert act.content is not None
        if act.content not in self._desks:
            self._desks[act.content] = Desk(self._session, act.content, as_of=from_us(now), channel="email")
        return self._desks[act.content]

    def _message(self, act: Act, one: Doing, now: int) -> Message:
        from segctl.content.library import TemplateError
        from segctl.content.rendering import MissingError
        from segctl.model.errors import DataError

        try:
            found = self._desk(act, now).written(one.someone.root)
        except MissingError as error:
            raise DataError("SEG776", f"the message lacks `{error.name}`") from error
        except TemplateError as error:
            raise DataError("SEG777", f"the template `{act.content}` cannot be filled") from error
        return Message(found.subject_line, found.text, found.html, found.unsubscribe_url)


_ACTIONS: dict[str, Action] = {"mail": "add", "task": "add", "add": "add", "remove": "remove"}


def is_repeatable(destination: Destination, action: str) -> bool:
    """Whether the same once more changes nothing there; a second mail is a second mail, whoever takes it."""
    return action != "mail" and abilities(destination).is_repeatable


def _id_of(doing: Sequence[Doing]) -> str:
    """Of a call: of one person the effect's own key; of several what changes when somebody joins them."""
    if len(doing) == 1:
        return doing[0].key
    return blake2b("".join(one.key for one in doing).encode(), digest_size=16).hexdigest()


def _row(told: Told) -> Row:
    return Row(told.key, told.identifiers, told.fields)


# --- Programs and traits ------------------------------------------------------------------------------------
def run_command(session: Session, workflow: Workflow, node: Node, act: Act, one: Doing, now: int) -> Result:
    """Runs a program of one's own; it is told on standard input whom and what it is about, by profile id alone."""
    about: dict[str, Any] = {
        "schema": "segctl/workflow-command/1",
        "key": one.key,
        "workflow": workflow.name,
        "step": node.id,
        "entry": one.entry,
        "profile": one.someone.profile,
        "at": from_us(now).isoformat(),
    }
    # Nothing is read of what it prints: bytes that are no text, or a child that keeps the pipe, would stop everybody.
    try:
        done = subprocess.run(
            act.command, input=json.dumps(about).encode(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=_COMMAND_S, cwd=session.root, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Result("unknown", f"{_FAILED}: `{act.command[0]}` did not end within {_COMMAND_S} s")
    except OSError as error:
        return Result("failed", f"{_FAILED}: `{act.command[0]}` cannot be started: {error.strerror}")
    if done.returncode:
        return Result("failed", f"{_FAILED}: `{act.command[0]}` ended with {done.returncode}")
    return Result("done")
