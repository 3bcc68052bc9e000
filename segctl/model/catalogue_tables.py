"""SEG660 to SEG669: tables that are read in place."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES = {
    "SEG660": Entry(
        "The package that reads this kind of table is not installed",
        "Delta and Iceberg tables are read with packages of their own, which only those need who have such tables.",
        "Install them: `pip install 'segctl[lake]'`.",
    ),
    "SEG661": Entry(
        "There is no such table",
        "The folder does not exist or holds no log of a table, or the catalog does not know the name.",
        "Correct `path`, `table` or `catalog`; relative paths begin at the project's folder.",
        "table: {format: delta, path: lake/oders}",
    ),
    "SEG662": Entry(
        "A version of a table cannot be read",
        "It never was, or a vacuum or the expiry of snapshots has deleted its files.",
        "Name a version that the table still keeps, or leave `version` out to read the newest.",
        "table: {format: delta, path: lake/orders, version: 3}",
    ),
    "SEG663": Entry(
        "A table's files went while they were read",
        "A vacuum or an expiry deleted files of the version that was being read. Nothing was taken.",
        "Ingest again; let vacuums keep files at least as long as a reading takes.",
    ),
    "SEG664": Entry(
        "A table uses a feature that cannot be read here",
        "Reading it without the feature would give wrong rows, for instance deleted ones: column mapping in Delta, "
        "equality deletes in Iceberg.",
        "Rewrite the table without the feature, for instance by a compaction, or export it as Parquet.",
    ),
    "SEG665": Entry(
        "A table that had events is empty",
        "All events that came from it would be gone, which is more often a mistake of a pipeline than meant.",
        "Look at the table; when it is meant so, repeat with `--yes`.",
    ),
    "SEG666": Entry(
        "The storage of a table cannot be reached",
        "The address is wrong, the network is away, or the credentials under `options` are missing or not accepted.",
        "Check them with `segctl doctor --online SOURCE`; secrets stand under `options` as `{env: NAME}`.",
        "table: {format: delta, path: s3://lake/orders, options: {AWS_REGION: eu-central-1}}",
    ),
    "SEG667": Entry(
        "A table is damaged",
        "Its log, its metadata or one of its data files cannot be understood. Nothing was taken.",
        "Look at the table with the program that writes it; most can check and repair one.",
    ),
}
