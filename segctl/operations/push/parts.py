"""What each audience needs: its delta, who leaves, and who is taken out because consent is gone, whatever the mode."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from segctl.model.consent import Use
from segctl.model.dataclass import dataclass
from segctl.operations.audience.gate import OWN_KIND, POINT_OF_IDENTIFIER
from segctl.operations.push.delta import Delta, delta
from segctl.operations.push.watch import allowed
from segctl.operations.push.work import Part, Tally

if TYPE_CHECKING:
    import polars as pl

    from segctl.connectors.destinations.base import Action
    from segctl.model.audience import Step
    from segctl.model.destinations import Destination, Mode
    from segctl.operations.audience.experiments import Decided
    from segctl.operations.push.watch import Gatekeeper
    from segctl.state.deliveries import LedgerAudience
    from segctl.state.workspace import Workspace

_ASKED = 100_000
"""People whose consent is asked at a time."""
_FEW = 20_000
"""So many rows are quicker read one by one than with their whole audience."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An audience as it should be.

    Attributes:
        rows: As in `audience.Audience`.
        ledger: The audience in the ledger; number 0 when it was never pushed.
        there: What the ledger holds of it, as `state.deliveries_told.told`; None when that was not read yet.
        places: Where each of `rows` stands in it, when that is known.
        retries: Send also what never worked as it is and what went out with an unknown outcome, and nothing else.
        troubled: Why nobody may be told.
        decided: Assignments to be written before anybody is told.
    """

    segment: str
    destination: Destination
    mode: Mode
    purpose: str | None
    use: Use
    rows: pl.DataFrame
    ledger: LedgerAudience
    waterfall: tuple[Step, ...] = ()
    retries: bool = False
    there: pl.DataFrame | None = None
    places: pl.Series | None = None
    troubled: str | None = None
    decided: tuple[Decided, ...] = ()


def part(workspace: Workspace, gate: Gatekeeper, wanted: Wanted) -> Part:
    """What an audience needs, before guards."""
    from segctl.state.deliveries_told import told

    number = wanted.ledger.id
    held = _failed(workspace, wanted)
    there = told(workspace, number) if wanted.there is None else wanted.there
    found = delta(wanted.rows, there, wanted.mode, held=None if wanted.retries else held.filter(_is_invalid()),
                  repeats_unknown=wanted.retries, places=wanted.places)  # fmt: skip
    if wanted.retries:
        found = _only(found, set(held["key"]))
    repeated = () if wanted.retries else _repeated(workspace, number, found, there)
    denied, staying = denied_of(workspace, gate, number, wanted.use, found.gone.to_list())
    leaves = wanted.mode == "mirror" and not wanted.retries and wanted.troubled is None
    out = set(denied)
    return Part(
        segment=wanted.segment,
        destination=wanted.destination.name,
        ledger=wanted.ledger,
        mode=wanted.mode,
        purpose=wanted.purpose,
        use=wanted.use,
        delta=found,
        leavers=[key for key in found.gone.to_list() if key not in out] if leaves else (),
        withdrawals=denied,
        watched=None if leaves else staying,
        waterfall=wanted.waterfall,
        repeated=repeated,
        refused=wanted.troubled,
        decided=wanted.decided,
        tally=Tally(held=found.held),
    )


def take_out(workspace: Workspace, part: Part, profiles: pl.Series) -> None:
    """Moves people of profiles that are denied to those who are taken out whatever the mode and the guards.

    What stands beside a row in the ledger is what was known when it was told; what speaks against its person may
    have come by another contact point since.

    Args:
        workspace: Open.
        part: Of which nobody was sent yet.
        profiles: Ids of profiles that the gate denies today.
    """
    import polars as pl

    from segctl.state.deliveries import told_profiles

    if part.delta is None or part.delta.gone.is_empty() or profiles.is_empty():
        return
    of_denied = told_profiles(workspace, part.ledger.id).join(profiles.to_frame("profile"), on="profile", how="semi")
    fresh = set(of_denied["key"].filter(of_denied["key"].is_in(part.delta.gone.implode()))) - set(part.withdrawals)
    if not fresh:
        return
    part.withdrawals = sorted({*part.withdrawals, *fresh})
    part.leavers = [key for key in part.leavers if key not in fresh]
    if part.watched is not None:
        part.watched = part.watched.filter(~pl.col("key").is_in(sorted(fresh)))


def hold_out(workspace: Workspace, part: Part, profiles: pl.Series) -> None:
    """People who are held out leave where others stay that are no longer in the audience, unless a guard says no.

    Args:
        workspace: Open.
        part: In the mode `add`; in a mirror they leave anyway, and an update puts nobody in.
        profiles: Ids of profiles that are held out today.
    """
    import polars as pl

    from segctl.state.deliveries import told_profiles

    if part.mode != "add" or part.watched is None or part.refused is not None or profiles.is_empty():
        return
    held = told_profiles(workspace, part.ledger.id).join(profiles.to_frame("profile"), on="profile", how="semi")
    out = part.watched["key"].filter(part.watched["key"].is_in(held["key"].implode()))
    part.leavers = sorted({*part.leavers, *out.to_list()})
    part.watched = part.watched.filter(~pl.col("key").is_in(out.implode()))


def forget_settled(workspace: Workspace, part: Part) -> None:
    """Drops failures of people who need not be told, or taken out, any more."""
    from segctl.state.deliveries import failures
    from segctl.state.deliveries_batches import drop_failures

    found = failures(workspace, part.destination, part.ledger.segment)
    if part.delta is None or not found:
        return
    out = {*part.leavers, *part.withdrawals}
    rows = part.delta.rows["key"]
    wanted = set(rows.filter(rows.is_in([one.key for one in found])))
    # Who is not wanted any more may come back while nobody knows whether they are there.
    done = [
        one.key for one in found
        if (one.key not in out if one.action == "remove" else one.key not in wanted and one.state != "unknown")
    ]  # fmt: skip
    drop_failures(workspace, part.ledger.id, done)


def other_parts(
    workspace: Workspace,
    gate: Gatekeeper,
    destination: Destination,
    known: Collection[int],
    purposes: Mapping[str, str | None],
    recipient: tuple[tuple[str, str], ...] = (),
    ended: Collection[str] = (),
) -> list[Part]:
    """Audiences of a destination that this push is not about: only who may not be there any more is taken out.

    Of a segment that is not sent there any more nobody belongs there, so a mirror becomes empty.

    Args:
        workspace: Open.
        gate: Decides.
        destination: That is pushed to.
        known: Numbers of the audiences that the push is about.
        purposes: Segment of today → its purpose; of others the one they were last told for counts.
        recipient: Of the destination, as the gate knows it.
        ended: Segments that are gone, or do not name the destination any more.
    """
    import polars as pl

    from segctl.state.deliveries import ledger_audiences
    from segctl.state.deliveries_moved import former_name
    from segctl.state.deliveries_told import told

    found = []
    for audience in ledger_audiences(workspace, destination.name):
        if audience.id in known:
            continue
        purpose = purposes.get(audience.segment, audience.purpose)
        use = Use(purpose, audience.channel or "", destination.name, recipient)
        there = told(workspace, audience.id)
        denied, staying = denied_of(workspace, gate, audience.id, use, there["key"].to_list())
        is_left = audience.segment == former_name(audience.remote)
        is_over = is_left or audience.segment in ended
        made = Part(audience.segment, destination.name, audience, destination.mode, purpose, use, withdrawals=denied,
                    watched=staying, is_over=is_over)  # fmt: skip
        if is_over and destination.mode == "mirror":
            made.delta = delta(pl.DataFrame(schema={"key": pl.String, "digest": pl.String}), there, "mirror")
            out = set(denied)
            made.leavers = [key for key in made.delta.gone.to_list() if key not in out]
            made.watched = None
        if made.withdrawals or made.leavers:
            found.append(made)
    return found


def denied_of(
    workspace: Workspace, gate: Gatekeeper, audience: int, use: Use, keys: Sequence[str]
) -> tuple[list[str], pl.DataFrame]:
    """Of people that may be in an audience those who may not be, and `key` and `points` of the others."""
    import polars as pl

    from segctl.state.deliveries import told_points, told_rows, unpacked

    schema = {"key": pl.String, "points": pl.Binary}
    if len(keys) <= _FEW:
        found = [(row["key"], row["points"]) for row in told_rows(workspace, audience, sorted(keys))]
        asked = pl.DataFrame(found, schema=schema, orient="row")
    else:
        every = told_points(workspace, audience)
        asked = every.join(pl.DataFrame({"key": keys}, schema={"key": pl.String}), on="key", how="semi")
    asked = _renewed(workspace, gate, audience, use, asked)
    answers: list[bool] = []
    for block in asked["points"].to_frame().iter_slices(_ASKED):
        answers += allowed(gate, use, [unpacked(value) for value in block["points"]])
    is_allowed = pl.Series("allowed", answers, dtype=pl.Boolean)
    return asked.filter(~is_allowed)["key"].to_list(), asked.filter(is_allowed)


def _renewed(
    workspace: Workspace, gate: Gatekeeper, audience: int, use: Use, asked: pl.DataFrame
) -> pl.DataFrame:  # fmt: skip
    """The rows with tokens under every key of the ledger, made anew from what the destination was told.

    After a key was added the gate knows no older token. Who was not told a contact point of the channel stays as they
    were, and is denied.
    """
    import polars as pl

    from segctl.state.deliveries import packed, told_rows, unpacked

    size, tokens = getattr(gate, "size", None), getattr(gate, "tokens", None)
    if size is None or tokens is None:
        return asked
    old = [key for key, value in asked.iter_rows() if any(p and len(p) != size for p in unpacked(value))]
    if not old:
        return asked
    found = {}
    for row in told_rows(workspace, audience, old):
        known = json.loads(row["identifiers"])
        kinds = [kind for kind in known if _is_of_channel(kind, use.channel)]
        if kinds:
            found[row["key"]] = packed([tokens(POINT_OF_IDENTIFIER[kind], [known[kind]])[0] for kind in kinds])
    values = [found.get(key, value) for key, value in asked.iter_rows()]
    return asked.with_columns(pl.Series("points", values, dtype=pl.Binary))


def _is_of_channel(kind: str, channel: str) -> bool:
    own = OWN_KIND.get(channel)
    return kind in POINT_OF_IDENTIFIER and own in (None, POINT_OF_IDENTIFIER[kind])


def _failed(workspace: Workspace, wanted: Wanted) -> pl.DataFrame:
    """Failed additions and updates of an audience: `key`, `digest`, `state`."""
    import polars as pl

    from segctl.state.deliveries import failures

    rows: Iterable[tuple[str, str | None, str]] = (
        (one.key, one.digest, one.state)
        for one in failures(workspace, wanted.destination.name, wanted.ledger.segment)
        if one.action != "remove"
    )
    return pl.DataFrame(list(rows), schema={"key": pl.String, "digest": pl.String, "state": pl.String}, orient="row")


def _is_invalid() -> pl.Expr:
    import polars as pl

    return pl.col("state") == "invalid"


def _only(found: Delta, keys: Collection[str]) -> Delta:
    """The delta with nothing but these keys."""
    from dataclasses import replace

    import polars as pl

    wanted = pl.Series(sorted(keys), dtype=pl.String)
    is_wanted = found.rows["key"].is_in(wanted.implode())
    return replace(found, adds=found.adds.filter(is_wanted.gather(found.adds)),
                   updates=found.updates.filter(is_wanted.gather(found.updates)), gone=found.gone.clear())  # fmt: skip


def without_removals(part: Part) -> Part:
    """A part whose destination can take nobody out."""
    part.stuck, part.leavers, part.withdrawals = len(part.withdrawals), (), ()
    return part


def _repeated(
    workspace: Workspace, audience: int, found: Delta, there: pl.DataFrame
) -> tuple[tuple[str, Action, pl.Series], ...]:
    """Lost calls whose every row is to be told the same again: they keep their key, by which a service knows them."""
    import polars as pl

    from segctl.state.deliveries_batches import lost_batches

    calls: list[tuple[str, Action, pl.Series]] = []
    for batch in lost_batches(workspace, audience):
        rows = pl.DataFrame({"key": batch.keys}).join(
            found.rows.select("key", "digest").with_row_index("row").join(there.select("key", "sent"), on="key"),
            on="key", how="left", maintain_order="left",
        )  # fmt: skip
        is_same = rows["digest"].eq_missing(rows["sent"]).all() and rows["row"].null_count() == 0
        action: Action = "update" if batch.action == "update" else "add"
        indexes = found.updates if action == "update" else found.adds
        if batch.action != "remove" and is_same and rows["row"].is_in(indexes.implode()).all():
            calls.append((batch.id, action, rows["row"]))
    return tuple(calls)
