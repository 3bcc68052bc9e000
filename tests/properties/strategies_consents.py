"""Random purposes, states of consents that change at awkward instants, and random conditions on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle_data import Consent, Profile
from strategies_data import Dice

from segctl.model import conditions as c
from segctl.model import times as t
from segctl.model.consent import Purpose
from segctl.model.project import Project

if TYPE_CHECKING:
    from strategies import Author

PURPOSES = (Purpose("news", channels=("email", "sms")), Purpose("ads.upload", channels=("ads",)))


def consents(dice: Dice, of: Project, profiles: tuple[Profile, ...]) -> tuple[Consent, ...]:
    """None, one or several states of each person for each purpose and channel, some of them only after as_of."""
    made = []
    for profile in profiles:
        for purpose in of.purposes:
            for channel in purpose.channels:
                for number in range(dice.one((0, 1, 1, 2, 3))):
                    at = None if number == 0 and dice.chance(0.2) else dice.instant()
                    status = dice.one(c.CONSENT_STATUSES)
                    made.append(Consent(profile.profile_id, purpose.name, channel, status, at))
    return tuple(made)


def leaf(author: Author) -> c.ConsentCondition:
    """A condition on the state of a consent and perhaps its age."""
    purpose = author.dice.one(author.project.purposes)
    status = author.dice.one(c.CONSENT_STATUSES)
    window: t.Window | None = None
    if status != "none" and author.dice.chance(0.5):
        window = author.window(of_events=True)
    if isinstance(window, t.WithinNext):
        window = None
    return c.ConsentCondition(purpose.name, author.dice.one(purpose.channels), status, window)
