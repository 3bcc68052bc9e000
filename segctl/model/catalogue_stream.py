"""Codes about streams (SEG735 to SEG739)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG724": Entry(
        "changes that are not kept any more",
        "A stream keeps its last million changes; runs hold the others.",
        "Take the members as they are from `segctl show`, and go on without `--after`.",
        "segctl stream web --after 17",
    ),
    "SEG725": Entry(
        "a file to stream is not there",
        "With `--once` a stream ends with what is there, and there is nothing.",
        "Check the path, or leave `--once` out: then the stream waits for the file.",
        "segctl stream web --from no_such.ndjson --once",
    ),
    "SEG726": Entry(
        "a Kafka broker does not answer, or has no such topic",
        "The brokers are away, the address is wrong, or the topic does not exist yet.",
        "Check the address and start again: the stream goes on where it ended.",
    ),
    "SEG727": Entry(
        "the Kafka client is not installed",
        "Kafka is read with `confluent-kafka`, which comes with the extra `live`.",
        "Run `pip install 'segctl[live]'`.",
        "segctl stream shop --from kafka://broker:9092/events",
    ),
    "SEG728": Entry(
        "an address that names no brokers and topic",
        "A topic is named as `kafka://HOST:PORT/TOPIC`, several brokers with commas between them.",
        "Write brokers and topic, such as `kafka://broker:9092/events`.",
        "segctl stream shop --from kafka://broker:9092",
    ),
    "SEG729": Entry(
        "a file of changes that ends with something else",
        "`--changes` goes on behind the last change in the file, and its last line is none.",
        "Name a new file; the changes that are kept are written to it from the first.",
        "segctl stream web --changes README.md",
    ),
    "SEG730": Entry(
        "`--after` together with `--changes`",
        "A file of `--changes` knows its last number and goes on behind it.",
        "Leave one of them out.",
        "segctl stream web --after 17 --changes changes.ndjson",
    ),
    "SEG731": Entry(
        "not beside a running stream",
        "A running stream records its runs as of now. A plan, another as-of or loosened guards would bring into force "
        "what it has not said.",
        "Leave it out, so that the stream takes the definitions and records the run; or stop the stream for this run.",
        "segctl apply --allow removed=80% --reason spring-clean",
    ),
    "SEG732": Entry(
        "a running stream could not take the definitions",
        "`apply` hands its definitions to the stream, which reads them from the project folder it was started in.",
        "Mend what the message names there; the stream goes on with the definitions it had.",
    ),
    "SEG733": Entry(
        "`--push` names no declared destination",
        "Audiences go to destinations of `destinations/*.yaml`, and none of them has that name.",
        "Look at the names with `segctl ls destinations`.",
        "segctl stream web --push mailing_flies",
    ),
    "SEG734": Entry(
        "lines wait whose source is gone",
        "A stream took in lines of a source and was killed before they were stored. Without the declaration nobody "
        "knows what they mean.",
        "Put the declaration back and start the stream once; after that it may go.",
    ),
    "SEG735": Entry(
        "no source, or several, for a stream",
        "Lines are read as the ingest of one declared source reads them, and it is not clear which that is.",
        "Name the source: `segctl stream web`. Its format is NDJSON, or its records are those of a tracking tool.",
        "segctl stream --from events.ndjson",
    ),
    "SEG736": Entry(
        "a full picture cannot be streamed",
        "In a source with `picture: full` whoever is absent is gone, and no single line says who is absent.",
        "Stream events, or single records, and ingest the full picture with `segctl ingest`.",
    ),
    "SEG737": Entry(
        "`--as-of` without a clock of events",
        "A stream that goes by the wall clock begins now.",
        "Add `--clock event`, which lets the events of a recorded day move the present.",
        "segctl stream web --as-of 2026-11-01",
        "segctl stream web --clock event --as-of 2026-11-01",
    ),
    "SEG738": Entry(
        "a stream would begin before the run in force",
        "A run with an earlier as-of than the one in force is a what-if, so nothing that is said could count.",
        "Replay recorded days in an environment of their own, such as `--env replay`.",
    ),
}
