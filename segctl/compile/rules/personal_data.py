"""An e-mail address, a phone number or an account number of a person, written into a definition."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.definition_files import DefinitionFile
from segctl.compile.private_text import personal_data_in, secrets_in
from segctl.compile.rules.base import Finding, Rule, Subject, part_of, scalars
from segctl.compile.waivers import comments_in
from segctl.model.diagnostics import Location

# An owner is a mailbox by its nature; blocked values are there because they belong to nobody.
_MAY_HOLD = frozenset({"owner", "blocked"})


def _check(subject: Subject) -> Iterator[Finding]:
    for file in subject.files.values():
        text = file.content.decode("utf-8-sig", errors="replace")
        if next(personal_data_in(text), None) is None:
            continue
        yield from _in_file(file)


def _in_file(file: DefinitionFile) -> Iterator[Finding]:
    if file.root is not None:
        for keys, scalar in scalars(file.root):
            if _MAY_HOLD.isdisjoint(keys) and next(secrets_in(scalar.text), None) is None:
                for found in personal_data_in(scalar.text):
                    yield _finding(found.what, part_of(file, scalar, found.text))
    for comment in comments_in(file):
        for found in personal_data_in(comment.text):
            start = comment.location.column + comment.text.find(found.text)
            yield _finding(found.what, Location(file.path, comment.location.line, start, len(found.text)))


def _finding(what: str, place: Location) -> Finding:
    return Finding(
        f"{what} stands in the file",
        place,
        hint="take it out; identifiers belong into a file below `lists/` that is not under version control",
        why="it stays in the history of the repository, and a request to erase it cannot be met",
        is_private=True,
    )


RULE = Rule(
    "SEG705",
    "personal_data",
    "warning",
    title="Personal data stand in a definition",
    why="Definitions are copied, mailed and kept for ever in version control, where nobody can erase a person. Texts, "
    "literals and comments are looked at; `owner` and mailboxes of teams such as crm@ may stand there.",
    remedy="Put identifiers into a list file that is not under version control and name it with `list`.",
    check=_check,
    bad="""
segment: testers
description: Ask Anna, 0171 2345678, before changing this.   # here
where:
  trait: email_address
  in:
    - anna.muster@mail.example   # here
""",
    good="""
segment: testers
description: Ask crm@shop.example before changing this.
where: {list: lists/testers.csv, column: email, identifier: email}
""",
)
