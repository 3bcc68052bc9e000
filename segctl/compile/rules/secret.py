"""A key, token or password written into a file of the project."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.definition_files import DefinitionFile
from segctl.compile.private_text import has_secret_keys, is_secret_value, secrets_in
from segctl.compile.rules.base import Finding, Rule, Subject, part_of, scalars
from segctl.compile.source import Scalar
from segctl.compile.waivers import comments_in
from segctl.model.diagnostics import Location


def _check(subject: Subject) -> Iterator[Finding]:
    for file in subject.files.values():
        text = file.content.decode("utf-8-sig", errors="replace")
        has_secret = next(secrets_in(text), None) is not None
        if file.root is not None and (has_secret or has_secret_keys(text)):
            for keys, scalar in scalars(file.root):
                yield from _in_scalar(file, keys, scalar)
        if has_secret:
            yield from _in_comments(file)


def _in_scalar(file: DefinitionFile, keys: tuple[str, ...], scalar: Scalar) -> Iterator[Finding]:
    # Names and words, nearly everything that stands in definitions, are shorter than any secret.
    if len(scalar.text) < 8:
        return
    found = next(secrets_in(scalar.text), None)
    if found is not None:
        yield _finding(found.what, part_of(file, scalar, found.text.splitlines()[0]))
    elif keys and scalar.text != keys[-1] and is_secret_value(keys[-1], scalar.text):
        yield _finding(f"the value of `{keys[-1]}`", scalar.location)


def _in_comments(file: DefinitionFile) -> Iterator[Finding]:
    for comment in comments_in(file):
        for found in secrets_in(comment.text):
            start = comment.location.column + comment.text.find(found.text)
            yield _finding(found.what, Location(file.path, comment.location.line, start, len(found.text)))


def _finding(what: str, place: Location) -> Finding:
    return Finding(
        f"{what} stands in the file in plain text",
        place,
        hint="name where it lies: `{file: …}`, `{env: NAME}` or `{command: […]}`; and have this one revoked",
        why="everybody who can read the repository, or its history, can use it",
        is_private=True,
    )


RULE = Rule(
    "SEG706",
    "secret",
    "error",
    title="A secret stands in plain text",
    why="Keys, tokens and passwords in a repository are read by more people and programs than they were made for.",
    remedy="Name the place of the secret instead, and have the one that was written revoked.",
    check=_check,
    bad="""
segment: buyers
description: "Synced with token ghp_0123456789abcdefghijABCDEFGHIJ012345"   # here
where: {event: order_completed, count: {at_least: 1}}
""",
    good="""
segment: buyers
description: Synced with the token in the variable SYNC_TOKEN.
where: {event: order_completed, count: {at_least: 1}}
""",
)
