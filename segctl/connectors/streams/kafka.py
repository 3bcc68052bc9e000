"""Messages of a Kafka topic, each one line; its places stand in the workspace and not with the brokers."""

from __future__ import annotations

import json
import time
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from segctl.connectors.streams.base import Chunk, PositionOf
from segctl.model.errors import TemporaryError, UsageError

_GROUP = "segctl"
_BROKER_WAIT_S = 20.0


class KafkaFeed:
    """Reads all partitions of one topic.

    Args:
        address: ``kafka://HOST:PORT,HOST:PORT/TOPIC?setting=value``; the settings are librdkafka's.
        position_of: Where an earlier stream ended: offsets by partition.
        once: It ends at what is there now.

    Raises:
        UsageError: The extra is not installed, or the address is none.
        TemporaryError: No broker answers, or there is no such topic yet.
    """

    def __init__(self, address: str, position_of: PositionOf, *, once: bool) -> None:
        brokers, self._topic, settings = _taken_apart(address)
        self._kafka = _library()
        self._name = f"kafka://{brokers}/{self._topic}"
        self._once = once
        place = position_of(self._name)
        self._is_new = place is None
        self._offsets = {} if place is None else {int(k): int(v) for k, v in json.loads(place).items()}
        self._consumer = self._kafka.Consumer(
            {
                "bootstrap.servers": brokers, "group.id": _GROUP, "enable.auto.commit": False,
                "auto.offset.reset": "earliest", "enable.partition.eof": True, "fetch.wait.max.ms": 10,
                # What was read ahead and not taken stands with the brokers still.
                "queued.max.messages.kbytes": 16_384, **settings,
            }
        )  # fmt: skip
        self._at_end: set[int] = set()
        self._waiting: list[Any] = []
        self._partitions = self._assign()

    def _assign(self) -> list[int]:
        until = time.monotonic() + _BROKER_WAIT_S
        while True:
            try:
                known = self._consumer.list_topics(self._topic, timeout=5.0).topics.get(self._topic)
            except self._kafka.KafkaException as error:
                raise TemporaryError(
                    "SEG726", f"no broker of `{self._name}` answers", why=str(error.args[0]),
                    hint="check the address; `segctl stream` goes on where it ended when they are back",
                ) from error  # fmt: skip
            if known is not None and known.partitions and known.error is None:
                break
            if time.monotonic() > until:
                raise TemporaryError("SEG726", f"there is no topic `{self._topic}` at `{self._name}`")
            time.sleep(0.2)
        partitions = sorted(known.partitions)
        part = self._kafka.TopicPartition
        beginning = self._kafka.OFFSET_BEGINNING
        self._consumer.assign([part(self._topic, p, self._offsets.get(p, beginning)) for p in partitions])
        return partitions

    @property
    def has_ended(self) -> bool:
        """Everything that was there has been given, and no more was asked for."""
        return self._once and len(self._at_end) == len(self._partitions)

    def read(self, timeout_s: float, most_lines: int) -> list[Chunk]:
        """The messages that are there; waits at most so long for the first of them.

        Raises:
            TemporaryError: The brokers refuse to go on.
        """
        until = time.monotonic() + timeout_s
        lines: list[bytes] = []
        came = 0.0
        while not lines:
            found = self._consumer.consume(most_lines, max(0.0, min(0.05, until - time.monotonic())))
            came = time.monotonic()
            for message in found:
                self._take(message, lines)
            if self.has_ended or came >= until:
                break
        if not lines:
            return []
        is_new, self._is_new = self._is_new, False
        place = json.dumps({str(p): offset for p, offset in sorted(self._offsets.items())})
        return [Chunk(self._name, lines, place, came, is_new)]

    def _take(self, message: Any, lines: list[bytes]) -> None:  # noqa: ANN401 - the library has no types
        error = message.error()
        if error is None:
            self._offsets[message.partition()] = message.offset() + 1
            self._at_end.discard(message.partition())
            # A message without a value is a deletion in a compacted topic; a line end inside would make two of one.
            lines.append((message.value() or b"").replace(b"\n", b" "))
        elif error.code() == self._kafka.KafkaError._PARTITION_EOF:
            self._at_end.add(message.partition())
        elif error.fatal() or not error.retriable():
            raise TemporaryError("SEG726", f"`{self._name}`: the brokers refuse to go on", why=error.str())

    def close(self) -> None:
        """Leaves the brokers."""
        self._consumer.close()


def _library() -> Any:  # noqa: ANN401 - the library has no types
    try:
        return import_module("confluent_kafka")
    except ImportError as error:
        raise UsageError(
            "SEG727", "reading Kafka needs a package that is not installed", hint="`pip install 'segctl[live]'`"
        ) from error


def _taken_apart(address: str) -> tuple[str, str, dict[str, str]]:
    """Brokers, topic and settings."""
    parts = urlsplit(address)
    topic = parts.path.strip("/")
    if not parts.netloc or not topic or "/" in topic:
        raise UsageError("SEG728", f"`{address}` names no brokers and topic", hint="write `kafka://HOST:9092/TOPIC`")
    settings = dict(parse_qsl(parts.query))
    file = settings.pop("config", None)
    return parts.netloc, topic, {**(_properties(file) if file else {}), **settings}


def _properties(file: str) -> dict[str, str]:
    """Settings of a file of lines ``name=value``: what is secret does not belong on a command line."""
    try:
        lines = Path(file).read_text("utf-8").splitlines()
    except OSError as error:
        raise UsageError("SEG728", f"`{file}` cannot be read: {error.strerror}", hint="check `?config=`") from error
    pairs = [line.partition("=") for line in lines if "=" in line and not line.lstrip().startswith("#")]
    return {name.strip(): value.strip() for name, _, value in pairs}
