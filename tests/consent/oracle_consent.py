"""The gate once more, slowly: one contact point, one walk through its history, one rule a line.

Written from the rules in `segctl help consent`, not from the code: it walks where the gate takes maxima.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

DAY = 86_400_000_000
NOW = 1_000 * DAY
GIVING = ("request", "grant", "confirm", "used")
ENDING = ("deny", "withdraw", "expire")
BLOCKS = {
    "erase": "erased", "restrict": "restricted", "suppress": "suppressed", "complaint": "complained",
    "bounce": "bounced", "object_marketing": "objected_marketing", "object_profiling": "objected_profiling",
    "object_general": "objected_general",
}  # fmt: skip
SUPPRESSIONS = ("erased", "restricted", "suppressed", "complained", "bounced")
OBJECTIONS = ("objected_marketing", "objected_profiling", "objected_general")


@dataclass(frozen=True)
class Row:
    """A row of the ledger."""

    seq: int
    at: int
    exact: bytes
    wide: bytes
    action: str
    purpose: str | None = None
    channel: str | None = None
    brand: str | None = None
    recipient: str | None = None
    basis: str | None = None
    notice: str | None = None
    proof: bool = True
    own: bool = False
    confirmed: bool = False
    origin: str = "import"
    reason: str | None = None
    expires: int | None = None
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """Rows, and what the project says."""

    rows: tuple[Row, ...]
    purposes: dict[str, dict[str, Any]]
    double_opt_in: tuple[str, ...]
    confirm_span: int
    stale: int | None
    soft_bounces: int
    bounce_window: int
    brand: str | None
    bound: tuple[str, ...] | None


def decide(world: World, exact: bytes, wide: bytes, use: dict[str, Any]) -> tuple[str | None, str | None]:
    """Consent code and suppression code for one contact point."""
    history = [row for row in world.rows if row.at <= NOW and _is_about(row, exact, wide)]
    # At one instant: what is asked and given, then confirmations, then what is taken away.
    history.sort(key=lambda row: (row.at, row.action in ENDING or row.action in BLOCKS, row.action == "confirm"))
    against = _against_use(world, use)
    purpose = world.purposes.get(use["purpose"] or "")
    walk = _Walk(world, use, purpose or {"bases": ("consent",), "marketing": True})
    for row in history:
        walk.step(row)
    codes = against + walk.objections() + [walk.status()]
    order = [
        *OBJECTIONS, "no_purpose", "unknown_purpose", "not_bound", "wrong_channel", "no_lia", "ads_basis", "unknown",
        "pending", "lapsed", "denied", "withdrawn", "tcf_malformed", "tcf_denied", "basis", "soft_opt_in", "expired",
        "stale", "notice_old", "unproven", "signals", "recipient", "transfer",
    ]  # fmt: skip
    consent = min((c for c in codes if c is not None), key=order.index, default=None)
    return consent, next((name for name in SUPPRESSIONS if name in walk.blocked), None)


def _is_about(row: Row, exact: bytes, wide: bytes) -> bool:
    denies = row.action in ENDING or row.action in BLOCKS
    return row.wide == wide if denies else row.exact == exact


def _against_use(world: World, use: dict[str, Any]) -> list[str]:
    name = use["purpose"]
    if name is None:
        return ["no_purpose"]
    if name not in world.purposes:
        return ["unknown_purpose"]
    purpose, found = world.purposes[name], []
    if world.bound is not None and not any(name == one or name.startswith(one + ".") for one in world.bound):
        found.append("not_bound")
    if use["channel"] not in purpose["channels"]:
        found.append("wrong_channel")
    if _is_ads(use) and "consent" not in purpose["bases"]:
        found.append("ads_basis")
    elif not _is_ads(use) and purpose["bases"] == ("legitimate_interest",) and not purpose.get("lia"):
        found.append("no_lia")
    if use["country"] == "US" and not use["transfer"]:
        found.append("transfer")
    return found


def _is_ads(use: dict[str, Any]) -> bool:
    return use["channel"] == "ads" or use["class"] == "ads"


class _Walk:
    """What is known after each row, in order of time."""

    def __init__(self, world: World, use: dict[str, Any], purpose: dict[str, Any]) -> None:
        self.world, self.use, self.purpose = world, use, purpose
        self.ended: str | None = None
        self.requests: list[Row] = []
        self.lonely = False
        self.given: list[tuple[Row, Row]] = []
        self.used: int | None = None
        self.blocked: dict[str, int] = {}
        self.soft: list[int] = []

    def step(self, row: Row) -> None:
        if row.action in BLOCKS:
            self._block(row)
        elif row.action in ("lift", "unrestrict"):
            self._lift(row)
        elif row.action in ENDING:
            self._end(row)
        else:
            self._give(row)

    def _channel_fits(self, row: Row) -> bool:
        return row.channel in (None, self.use["channel"])

    def _block(self, row: Row) -> None:
        name = BLOCKS[row.action]
        if name in ("suppressed", "complained", "bounced") and not self._channel_fits(row):
            return
        if name in ("objected_marketing", "objected_profiling") and not self.purpose["marketing"]:
            return
        others = {"legitimate_interest", "public_task", "soft_opt_in"}
        if name == "objected_general" and not others & set(self.purpose["bases"]):
            return
        if name == "bounced" and row.reason == "soft":
            self.soft.append(row.at)
            recent = [at for at in self.soft if at > NOW - self.world.bounce_window]
            if len(recent) < self.world.soft_bounces:
                return
        self.blocked[name] = row.at

    def _lift(self, row: Row) -> None:
        target = "restrict" if row.action == "unrestrict" else row.facts.get("target", "")
        if target not in BLOCKS:
            return
        if row.action == "lift":
            if row.origin == "import" or not self._channel_fits(row):
                return
            if target not in ("bounce", "restrict") and not (row.own and row.proof and row.confirmed):
                return
        self.blocked.pop(BLOCKS[target], None)
        if target == "bounce":
            self.soft.clear()

    def _end(self, row: Row) -> None:
        name = self.use["purpose"] or ""
        covered = self.world.purposes.get(row.purpose or "", {}).get("covers", ())
        reaches = row.purpose in (None, name) or name.startswith(f"{row.purpose}.") or name in covered
        if not reaches or not self._channel_fits(row):
            return
        self.requests, self.given, self.lonely = [], [], False
        word = {"deny": "denied", "withdraw": "withdrawn", "expire": "expired"}[row.action]
        word = row.reason if row.reason in ("tcf_malformed", "tcf_denied") else word
        ranks = ["denied", "withdrawn", "expired", "tcf_malformed", "tcf_denied"]
        if self.ended is None or getattr(self, "ended_at", None) != row.at:
            self.ended, self.ended_at = word, row.at
        else:
            self.ended = min(self.ended, word, key=ranks.index)

    def _give(self, row: Row) -> None:
        name, world = self.use["purpose"], self.world
        covered = world.purposes.get(row.purpose or "", {}).get("covers", ())
        if name not in world.purposes and name is not None:
            return
        if row.purpose != (name or "") and (name or "") not in covered:
            return
        if row.channel != self.use["channel"] or (row.brand and world.brand and row.brand != world.brand):
            return
        if row.action == "used":
            self.used = max(self.used or 0, row.at)
        elif row.action == "confirm":
            if self.requests and row.at - self.requests[-1].at <= world.confirm_span:
                self.given.append((self.requests[-1], row))
            self.lonely = True
        elif row.action == "request" or self._must_be_confirmed(row):
            self.requests.append(row)
        else:
            self.given.append((row, row))

    def _must_be_confirmed(self, row: Row) -> bool:
        return (
            self.use["channel"] in self.world.double_opt_in
            and not row.confirmed
            and self._bases(row) != {"soft_opt_in"}
        )

    def _bases(self, row: Row) -> set[str]:
        if row.basis is not None:
            return {row.basis}
        recorded = [one for one in self.purpose["bases"] if one in ("consent", "soft_opt_in")]
        if len(self.purpose["bases"]) > 1:
            return {"consent", "soft_opt_in"}
        return {recorded[0] if recorded else "consent"}

    def _wrong(self, first: Row, last: Row) -> str | None:
        purpose = self.purpose
        bases = self._bases(first) & set(purpose["bases"])
        bases &= {"consent"} if _is_ads(self.use) else bases
        facts = [first.facts.get(f, "") for f in ("sale_ref", "similar_goods_of", "notice_at_collection",
                                                  "opt_out_in_each")]  # fmt: skip
        only_soft = self._bases(first) == {"soft_opt_in"}
        if not bases & {"consent", "soft_opt_in"}:
            return "basis"
        if "consent" not in bases and not all(facts):
            return "soft_opt_in"
        ends = [row.expires for row in (first, last) if row.expires is not None]
        if ends and min(ends) <= NOW:
            return "expired"
        if self.world.stale is not None and max(last.at, self.used or 0) < NOW - self.world.stale:
            return "stale"
        least = purpose.get("notice")
        if least is not None and (first.notice is None or int(first.notice) < int(least)):
            return "notice_old"
        if not (first.proof or last.proof or (only_soft and facts[0])):
            return "unproven"
        wanted = set(purpose.get("signals", ()))
        if not any(wanted <= set(row.facts.get("signals", "").split()) for row in (first, last)):
            return "signals"
        if first.recipient is not None and first.recipient != self.use["class"]:
            return "recipient"
        return None

    def status(self) -> str | None:
        """Why there is no consent, None when there is."""
        verdicts = [self._wrong(*pair) for pair in self.given]
        if None in verdicts:
            return None
        recorded = {"consent", "soft_opt_in"}
        rowless = set(self.purpose["bases"]) - recorded
        if _is_ads(self.use):
            rowless = set()
        if not self.purpose.get("lia"):
            rowless -= {"legitimate_interest"}
        if rowless and self.ended is None and self.use["purpose"] in self.world.purposes:
            return None
        late = ["basis", "soft_opt_in", "expired", "stale", "notice_old", "unproven", "signals", "recipient"]
        if verdicts:
            return max((v for v in verdicts if v is not None), key=late.index)
        if self.requests:
            return "pending" if NOW - self.requests[-1].at <= self.world.confirm_span else "lapsed"
        if self.lonely:
            return "unproven"
        return self.ended or "unknown"

    def objections(self) -> list[str]:
        """Those that no later word of the person herself lifts."""
        began = [
            first.at
            for first, last in self.given
            if self._wrong(first, last) is None
            and all(row.own and row.origin != "import" for row in (first, last))
            and (first.proof or last.proof)
            and (first is not last or first.confirmed)
        ]
        return [name for name in OBJECTIONS if name in self.blocked and not any(b > self.blocked[name] for b in began)]


def random_world(seed: int) -> tuple[World, list[tuple[bytes, bytes]], list[dict[str, Any]]]:
    """A small nasty world: few people, few instants, many ties."""
    rng = random.Random(seed)
    purposes = {
        "news": {"bases": rng.choice([("consent",), ("consent", "soft_opt_in"), ("soft_opt_in",)]), "marketing": True,
                 "channels": ("email", "sms"), "covers": rng.choice([(), ("news.weekly",)]),
                 "notice": rng.choice([None, "2"])},
        "news.weekly": {"bases": ("consent",), "channels": ("email",), "marketing": True},
        "service": {"bases": rng.choice([("contract",), ("contract", "consent")]), "channels": ("email",),
                    "marketing": False},
        "survey": {"bases": ("legitimate_interest",), "channels": rng.choice([("email",), ("email", "ads")]),
                   "marketing": True, "lia": rng.choice([None, "LIA"])},
        "ads": {"bases": ("consent",), "channels": ("ads",), "marketing": True,
                "signals": rng.choice([(), ("ad_user_data",)]), "notice": rng.choice([None, "2"])},
    }  # fmt: skip
    points = [(b"a" * 16, b"a" * 16), (b"b" * 16, b"a" * 16), (b"c" * 16, b"c" * 16), (b"d" * 16, b"c" * 16)]
    rows = tuple(_random_row(rng, number, points) for number in range(1, rng.randrange(1, 14)))
    world = World(
        rows, purposes, rng.choice([("email",), ()]), rng.choice([2, 7]) * DAY, rng.choice([None, 6 * DAY]),
        rng.choice([1, 2]), rng.choice([3, 30]) * DAY, rng.choice([None, "x"]), rng.choice([None, ("news", "ads")]),
    )  # fmt: skip
    uses = [
        {"purpose": p, "channel": c, "class": k, "country": land, "transfer": t}
        for p in (*purposes, "other", None)
        for c, k, land, t in (
            ("email", None, None, None),
            ("ads", "ads", "IE", None),
            ("email", "esp", "US", None),
            ("sms", "esp", "US", "scc"),
        )
    ]
    return world, points, uses


def _random_row(rng: random.Random, number: int, points: list[tuple[bytes, bytes]]) -> Row:
    exact, wide = rng.choice(points)
    kinds = rng.choices([GIVING, ENDING, tuple(BLOCKS), ("lift", "lift", "unrestrict")], [60, 12, 10, 8])[0]
    action = rng.choice(kinds)
    facts: dict[str, str] = {}
    if action == "lift":
        facts["target"] = rng.choice([*BLOCKS, "nothing"])
    if rng.random() < 0.5:
        facts |= {"sale_ref": "1", "similar_goods_of": "2", "notice_at_collection": "3"}
        facts |= {"opt_out_in_each": "4"} if rng.random() < 0.7 else {}
    if rng.random() < 0.5:
        facts["signals"] = "ad_user_data"
    gives = action in GIVING
    return Row(
        number, NOW - rng.randrange(0, 12) * DAY, exact, wide, action,
        rng.choice(["news", "news", "news.weekly", "ads", "ads", "service", "survey"] + ([] if gives else [None])),
        rng.choice(["email", "email", "ads", "ads", "sms"] + ([] if gives else [None, None])),
        rng.choice([None, None, "x", "y"]), rng.choice([None, None, "ads", "esp"]),
        rng.choice([None, None, "consent", "soft_opt_in", "contract"]), rng.choice([None, "1", "2", "3"]),
        rng.random() < 0.8, rng.random() < 0.6, rng.random() < 0.5, rng.choice(["import", "command"]),
        rng.choice([None, "soft", "hard", "tcf_malformed", "tcf_denied"]),
        NOW + rng.randrange(-3, 4) * DAY if rng.random() < 0.2 else None, facts,
    )  # fmt: skip
