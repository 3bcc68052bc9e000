"""Tables of workflows: versions, how far each has read, who is where, and what was done to whom."""

from __future__ import annotations

TABLES = (
    """CREATE TABLE workflow_versions (
        workflow TEXT NOT NULL, digest TEXT NOT NULL, text BLOB NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (workflow, digest)) WITHOUT ROWID""",
    """CREATE TABLE workflow_places (
        workflow TEXT PRIMARY KEY, feed TEXT NOT NULL, snapshot INTEGER NOT NULL, at INTEGER NOT NULL,
        began INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE workflow_instances (
        id INTEGER PRIMARY KEY, workflow TEXT NOT NULL, version TEXT NOT NULL, subject INTEGER NOT NULL,
        profile TEXT NOT NULL, entry TEXT NOT NULL, entered INTEGER NOT NULL, arm TEXT NOT NULL, state TEXT NOT NULL,
        step TEXT NOT NULL, reached INTEGER NOT NULL, wake INTEGER, ended INTEGER, reason TEXT,
        UNIQUE (workflow, subject, entry))""",
    "CREATE INDEX workflow_instances_active ON workflow_instances (workflow) WHERE state = 'active'",
    """CREATE TABLE workflow_pending (
        workflow TEXT NOT NULL, subject INTEGER NOT NULL, entry TEXT NOT NULL, effective INTEGER NOT NULL,
        due INTEGER NOT NULL, PRIMARY KEY (workflow, subject)) WITHOUT ROWID""",
    """CREATE TABLE workflow_effects (
        key TEXT PRIMARY KEY, instance INTEGER NOT NULL, workflow TEXT NOT NULL, version TEXT NOT NULL,
        subject INTEGER NOT NULL, profile TEXT NOT NULL, entry TEXT NOT NULL, step TEXT NOT NULL, action TEXT NOT NULL,
        destination TEXT, audience TEXT, purpose TEXT, channel TEXT, state TEXT NOT NULL, reason TEXT,
        intended INTEGER NOT NULL, settled INTEGER, tries INTEGER NOT NULL, is_contact INTEGER NOT NULL,
        is_event INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID""",
    "CREATE INDEX workflow_effects_by_workflow ON workflow_effects (workflow, step, state)",
    """CREATE INDEX workflow_contacts ON workflow_effects (is_event)
        WHERE is_contact = 1 AND is_event = 0 AND state IN ('done', 'unknown')""",
)
"""One migration of the workspace; a simulation makes the same in memory."""
TROUBLES = (
    """CREATE TABLE workflow_troubles (
        key TEXT PRIMARY KEY, since INTEGER NOT NULL, last INTEGER NOT NULL, tries INTEGER NOT NULL,
        reason TEXT) WITHOUT ROWID""",
)
"""A later one: effects that were tried and have no result, which says something about one person alone."""
MERGED = ("ALTER TABLE workflow_instances ADD COLUMN merged_into INTEGER",)
"""A later one: into which way somebody's was merged, so that it can be told when the merge is undone."""
FACTS = (
    "CREATE TABLE workflow_facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX workflow_effects_sending ON workflow_effects (state) WHERE state = 'sending'",
    "CREATE INDEX workflow_effects_unknown ON workflow_effects (state) WHERE state = 'unknown'",
    """CREATE INDEX workflow_audiences ON workflow_effects (destination, audience)
        WHERE action IN ('add', 'remove')""",
)
"""A later one: what is remembered between two looks, and what each look asks for, found without reading all effects."""
