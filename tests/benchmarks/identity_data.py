"""A million made-up records of people who share phones, with junk in them; the truth stands beside, for measuring."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

SHARED_PHONE, JUNK = 0.04, 0.002
_MAIL = ("post.example", "mail.example", "firma.example", "web.example")


def write(path: Path, rows: int, *, seed: int = 7) -> None:
    """One Parquet file: ``row``, ``person`` (truth), ``email``, ``phone``, ``device``; a field is there or null.

    There are rows / 2.2 persons; 4 % of them share their phone with somebody; 0.2 % of the rows hold a junk
    e-mail, and 0.2 % a junk phone. Values are written in several forms.
    """
    random = np.random.default_rng(seed)
    persons = round(rows / 2.2)
    person = random.integers(0, persons, rows)
    phone_of = np.arange(persons)
    sharing = np.flatnonzero(random.random(persons) < SHARED_PHONE)
    pairs = random.permutation(sharing)[: len(sharing) // 2 * 2].reshape(-1, 2)
    phone_of[pairs[:, 1]] = pairs[:, 0]
    frame = pl.DataFrame(
        {
            "row": np.arange(rows, dtype=np.int64),
            "person": person,
            "phone_of": phone_of[person],
            "mail_form": random.integers(0, 6, rows),
            "phone_form": random.integers(0, 6, rows),
            "device_number": random.integers(0, 3, rows),
            "has_email": random.random(rows) < 0.6,
            "has_phone": random.random(rows) < 0.5,
            "has_device": random.random(rows) < 0.4,
            "junk_email": random.random(rows) < JUNK,
            "junk_phone": random.random(rows) < JUNK,
        }
    )
    frame.select("row", "person", email(), phone(), device()).write_parquet(path)


def email() -> pl.Expr:
    number = pl.col("person").cast(pl.String)
    domain = pl.lit(_MAIL[0])
    for at, name in enumerate(_MAIL[1:], start=1):
        domain = pl.when(pl.col("person") % len(_MAIL) == at).then(pl.lit(name)).otherwise(domain)
    address = pl.lit("vorname.") + number + "@" + domain
    written = pl.when(pl.col("mail_form") == 0).then(address.str.to_uppercase()).otherwise(address)
    junk = pl.when(pl.col("mail_form") < 3).then(pl.lit("test@test.de")).otherwise(pl.lit("noreply@shop.example"))
    return pl.when("junk_email").then(junk).when("has_email").then(written).alias("email")


def phone() -> pl.Expr:
    digits = (pl.col("phone_of") + 20_000_000).cast(pl.String)
    form = pl.col("phone_form")
    written = (
        pl.when(form == 0).then(pl.lit("0151/") + digits)
        .when(form == 1).then(pl.lit("+49 (0)151 ") + digits)
        .when(form == 2).then(pl.lit("0049151") + digits)
        .otherwise(pl.lit("+49151") + digits)
    )  # fmt: skip
    junk = pl.when(form < 3).then(pl.lit("0000000000")).otherwise(pl.lit("+49 151 99999999"))
    return pl.when("junk_phone").then(junk).when("has_phone").then(written).alias("phone")


def device() -> pl.Expr:
    return pl.when("has_device").then(
        pl.lit("d") + pl.col("person").cast(pl.String) + "-" + pl.col("device_number").cast(pl.String)
    ).alias("device")  # fmt: skip


def pairwise(clusters: np.ndarray, persons: np.ndarray) -> tuple[float, float, int]:
    """Precision and recall over pairs of rows, and the size of the largest cluster."""

    def pairs(*columns: np.ndarray) -> int:
        frame = pl.DataFrame({str(i): column for i, column in enumerate(columns)})
        sizes = frame.group_by(pl.all()).len()["len"].cast(pl.Int64)
        return int((sizes * (sizes - 1) // 2).sum())

    both, found, true = pairs(clusters, persons), pairs(clusters), pairs(persons)
    largest = int(pl.Series(clusters).value_counts()["count"].max() or 0)
    return both / max(found, 1), both / true, largest
