"""The workspace's SQLite database: how it is opened, and its numbered migrations."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from segctl import __version__
from segctl.state import problems, workflows_tables

NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        f"""CREATE TABLE commits (
            seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, at TEXT NOT NULL DEFAULT ({NOW}), note TEXT)""",
        """CREATE TABLE files (
            id INTEGER PRIMARY KEY, dataset TEXT NOT NULL, path TEXT NOT NULL UNIQUE,
            rows INTEGER NOT NULL, bytes INTEGER NOT NULL, meta TEXT NOT NULL,
            added INTEGER NOT NULL REFERENCES commits, removed INTEGER REFERENCES commits,
            vacuumed INTEGER REFERENCES commits)""",
        "CREATE INDEX files_by_dataset ON files (dataset, removed)",
        "CREATE INDEX files_removed ON files (removed) WHERE removed IS NOT NULL AND vacuumed IS NULL",
        "CREATE TABLE counters (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID",
        f"""CREATE TABLE inputs (
            id INTEGER PRIMARY KEY, source TEXT NOT NULL, path TEXT NOT NULL, digest TEXT NOT NULL,
            size INTEGER NOT NULL, modified REAL, rows INTEGER, good INTEGER, bad INTEGER, note TEXT,
            seen TEXT NOT NULL DEFAULT ({NOW}), seq INTEGER REFERENCES commits)""",
        "CREATE INDEX inputs_by_source ON inputs (source, path)",
        "CREATE INDEX inputs_by_digest ON inputs (source, digest)",
        """CREATE TABLE runs (
            number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, status TEXT NOT NULL, as_of INTEGER NOT NULL,
            snapshot INTEGER NOT NULL, started TEXT NOT NULL, finished TEXT NOT NULL, tool_version TEXT NOT NULL,
            definitions TEXT NOT NULL, timings TEXT NOT NULL, note TEXT NOT NULL,
            reproducible INTEGER NOT NULL DEFAULT 1, seq INTEGER NOT NULL REFERENCES commits)""",
        """CREATE TABLE segments (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL, alive INTEGER NOT NULL,
            in_force INTEGER REFERENCES runs, in_force_as_of INTEGER)""",
        "CREATE UNIQUE INDEX segments_alive ON segments (name) WHERE alive",
        """CREATE TABLE run_segments (
            segment INTEGER NOT NULL REFERENCES segments, run INTEGER NOT NULL REFERENCES runs, state TEXT NOT NULL,
            size INTEGER NOT NULL, entered INTEGER NOT NULL, left_ INTEGER NOT NULL,
            reason TEXT, leaves TEXT, PRIMARY KEY (segment, run)) WITHOUT ROWID""",
        "CREATE INDEX run_segments_by_run ON run_segments (run)",
    ),
    (
        f"""CREATE TABLE bookmarks (
            source TEXT PRIMARY KEY, place TEXT NOT NULL, cursor TEXT NOT NULL, fetch TEXT NOT NULL,
            at TEXT NOT NULL DEFAULT ({NOW}), seq INTEGER REFERENCES commits) WITHOUT ROWID""",
    ),
    (
        """CREATE TABLE identity_runs (
            number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, at TEXT NOT NULL,
            counts TEXT NOT NULL, undone TEXT, seq INTEGER NOT NULL REFERENCES commits)""",
        """CREATE TABLE decisions (
            subject_a INTEGER NOT NULL, subject_b INTEGER NOT NULL, verdict TEXT NOT NULL, who TEXT, at TEXT NOT NULL,
            why TEXT, PRIMARY KEY (subject_a, subject_b)) WITHOUT ROWID""",
    ),
    ("ALTER TABLE files ADD COLUMN crc32 INTEGER",),
    ("CREATE TABLE texts (digest TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID",),
    (
        """CREATE TABLE pauses (
            id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, action TEXT NOT NULL, at TEXT NOT NULL,
            who TEXT, reason TEXT)""",
        "CREATE INDEX pauses_by_thing ON pauses (kind, name, id)",
    ),
    (
        """CREATE TABLE consent_events (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL,
            recorded INTEGER NOT NULL, kind TEXT NOT NULL, exact BLOB NOT NULL, wide BLOB NOT NULL,
            key_id TEXT NOT NULL REFERENCES consent_keys, action TEXT NOT NULL, purpose TEXT, channel TEXT, brand TEXT,
            recipient_class TEXT, legal_basis TEXT, notice_id TEXT, notice_version TEXT, notice_hash TEXT,
            language TEXT, jurisdiction TEXT, origin TEXT NOT NULL, source TEXT, capture_method TEXT, proof_ref TEXT,
            proof_hash TEXT, actor TEXT, is_own INTEGER NOT NULL, is_confirmed INTEGER NOT NULL, expires_at INTEGER,
            supersedes TEXT, reason TEXT, facts TEXT)""",
        "CREATE TABLE consent_keys (id TEXT PRIMARY KEY, at INTEGER NOT NULL)",
        "CREATE INDEX consent_by_point ON consent_events (wide)",
        "CREATE INDEX consent_corrections ON consent_events (supersedes) WHERE supersedes IS NOT NULL",
        """CREATE TRIGGER consent_is_never_changed BEFORE UPDATE ON consent_events
            BEGIN SELECT RAISE(ABORT, 'the consent ledger is append-only'); END""",
        """CREATE TRIGGER consent_is_never_deleted BEFORE DELETE ON consent_events
            BEGIN SELECT RAISE(ABORT, 'the consent ledger is append-only'); END""",
        # REPLACE deletes without the trigger above.
        """CREATE TRIGGER consent_is_written_once BEFORE INSERT ON consent_events
            WHEN EXISTS (SELECT 1 FROM consent_events WHERE event_id = NEW.event_id OR seq = NEW.seq)
            BEGIN SELECT RAISE(IGNORE); END""",
        """CREATE TRIGGER consent_keys_are_never_changed BEFORE UPDATE ON consent_keys
            BEGIN SELECT RAISE(ABORT, 'keys of the consent ledger are never forgotten'); END""",
        """CREATE TRIGGER consent_keys_are_never_deleted BEFORE DELETE ON consent_keys
            BEGIN SELECT RAISE(ABORT, 'keys of the consent ledger are never forgotten'); END""",
    ),
    (
        """CREATE TABLE push_audiences (
            id INTEGER PRIMARY KEY, destination TEXT NOT NULL, segment TEXT NOT NULL, remote TEXT, purpose TEXT,
            channel TEXT, UNIQUE (destination, segment))""",
        """CREATE TABLE pushes (
            number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, started TEXT NOT NULL, note TEXT NOT NULL)""",
        """CREATE TABLE push_parts (
            push INTEGER NOT NULL REFERENCES pushes, audience INTEGER NOT NULL REFERENCES push_audiences,
            status TEXT NOT NULL, finished TEXT, counts TEXT NOT NULL, reason TEXT,
            PRIMARY KEY (push, audience)) WITHOUT ROWID""",
        "CREATE INDEX push_parts_by_audience ON push_parts (audience, push)",
        """CREATE TABLE push_batches (
            number INTEGER PRIMARY KEY, id TEXT NOT NULL, push INTEGER NOT NULL REFERENCES pushes,
            audience INTEGER NOT NULL REFERENCES push_audiences, action TEXT NOT NULL, state TEXT NOT NULL,
            keys BLOB NOT NULL, rows INTEGER NOT NULL, consent_head INTEGER NOT NULL, attempts INTEGER NOT NULL,
            intended TEXT NOT NULL, settled TEXT, job TEXT, accepted INTEGER, invalid INTEGER, rejected INTEGER,
            unknown INTEGER, reason TEXT)""",
        "CREATE INDEX push_batches_open ON push_batches (audience) WHERE settled IS NULL",
        "CREATE INDEX push_batches_by_push ON push_batches (push)",
        """CREATE TABLE delivered (
            audience INTEGER NOT NULL REFERENCES push_audiences, key TEXT NOT NULL, profile TEXT, state TEXT NOT NULL,
            digest TEXT, sent TEXT, is_unsure INTEGER NOT NULL, identifiers TEXT NOT NULL, points BLOB, known_as TEXT,
            batch INTEGER NOT NULL, PRIMARY KEY (audience, key)) WITHOUT ROWID""",
        """CREATE TABLE push_failures (
            audience INTEGER NOT NULL REFERENCES push_audiences, key TEXT NOT NULL, profile TEXT, action TEXT NOT NULL,
            state TEXT NOT NULL, digest TEXT, reason TEXT NOT NULL, code TEXT, batch INTEGER NOT NULL,
            first_at TEXT NOT NULL, last_at TEXT NOT NULL, tries INTEGER NOT NULL,
            PRIMARY KEY (audience, key)) WITHOUT ROWID""",
    ),
    (
        # Nobody objects in most workspaces, and every evaluation asks.
        """CREATE INDEX consent_outside ON consent_events (seq)
            WHERE action IN ('object_profiling', 'restrict', 'erase')""",
    ),
    (
        """CREATE TABLE contacts_due (
            id INTEGER PRIMARY KEY, audience INTEGER NOT NULL, key TEXT NOT NULL, profile TEXT,
            batch INTEGER NOT NULL)""",
        # An addition is a contact from the moment it is acknowledged, whatever becomes of the process then.
        """CREATE TRIGGER contact_is_due AFTER UPDATE OF state ON delivered
            WHEN NEW.state = 'accepted' AND OLD.state <> 'accepted' AND OLD.digest IS NULL AND NEW.digest IS NOT NULL
            BEGIN INSERT INTO contacts_due (audience, key, profile, batch)
                VALUES (NEW.audience, NEW.key, NEW.profile, NEW.batch); END""",
    ),
    (
        """CREATE TABLE withdrawals_done (
            id INTEGER PRIMARY KEY, audience INTEGER NOT NULL, withdrawn INTEGER NOT NULL, batch INTEGER NOT NULL)""",
        # Somebody whose last word was no has been taken out: how long that took is a figure of `status`. A point is
        # a length and pairs of tokens, one a key; the second of a pair is what denials are recorded for.
        """CREATE TRIGGER withdrawal_is_done BEFORE DELETE ON delivered
            WHEN OLD.state = 'removing' AND OLD.points IS NOT NULL
            BEGIN INSERT INTO withdrawals_done (audience, withdrawn, batch)
                SELECT OLD.audience, e.recorded, OLD.batch FROM consent_events e
                    JOIN push_audiences a ON a.id = OLD.audience
                    WHERE e.wide IN (substr(OLD.points, 18, 16), substr(OLD.points, 50, 16))
                        AND (e.purpose IS NULL OR a.purpose IS NULL OR e.purpose = a.purpose)
                        AND e.seq = (SELECT max(n.seq) FROM consent_events n WHERE n.wide = e.wide
                            AND (n.purpose IS NULL OR a.purpose IS NULL OR n.purpose = a.purpose))
                        AND e.action IN ('deny', 'withdraw', 'expire', 'object_marketing', 'object_profiling',
                            'object_general', 'restrict', 'erase', 'suppress', 'bounce', 'complaint')
                    ORDER BY e.seq DESC LIMIT 1; END""",
    ),
    (
        """CREATE TABLE destination_places (
            destination TEXT PRIMARY KEY, place TEXT NOT NULL, at TEXT NOT NULL) WITHOUT ROWID""",
    ),
    (
        """CREATE TABLE experiments (
            name TEXT PRIMARY KEY, definition TEXT NOT NULL, digest TEXT NOT NULL, started TEXT NOT NULL,
            stopped TEXT, reason TEXT, winner TEXT) WITHOUT ROWID""",
        """CREATE TABLE experiment_epochs (
            experiment TEXT NOT NULL REFERENCES experiments, number INTEGER NOT NULL, at TEXT NOT NULL,
            weights TEXT NOT NULL, traffic TEXT NOT NULL, layer TEXT, low TEXT NOT NULL, high TEXT NOT NULL,
            PRIMARY KEY (experiment, number)) WITHOUT ROWID""",
        """CREATE TABLE experiment_looks (
            id INTEGER PRIMARY KEY, experiment TEXT NOT NULL, at TEXT NOT NULL, command TEXT NOT NULL)""",
        "CREATE INDEX experiment_looks_by_name ON experiment_looks (experiment, at)",
    ),
    ("ALTER TABLE destination_places ADD COLUMN gone TEXT",),
    (
        # What a stream has taken in and said, until a checkpoint makes files and a run of it.
        """CREATE TABLE stream_batches (
            number INTEGER PRIMARY KEY AUTOINCREMENT, input INTEGER NOT NULL, source TEXT NOT NULL,
            arrived INTEGER NOT NULL, first_line INTEGER NOT NULL, lines INTEGER NOT NULL, body BLOB NOT NULL)""",
        """CREATE TABLE stream_changes (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, segment TEXT NOT NULL, subject INTEGER NOT NULL,
            profile TEXT NOT NULL, entered INTEGER NOT NULL, effective INTEGER NOT NULL, event_time INTEGER,
            latency INTEGER NOT NULL, cause TEXT NOT NULL, run INTEGER)""",
        "CREATE INDEX stream_changes_pending ON stream_changes (seq) WHERE run IS NULL",
        """CREATE TABLE stream_positions (
            feed TEXT PRIMARY KEY, position TEXT NOT NULL, input INTEGER, line INTEGER NOT NULL) WITHOUT ROWID""",
        "CREATE TABLE stream_facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        """CREATE TABLE stream_requests (
            id INTEGER PRIMARY KEY, at TEXT NOT NULL, run INTEGER, error TEXT, done TEXT)""",
    ),
    workflows_tables.TABLES,
    (
        f"""CREATE TABLE write_keys (
            name TEXT PRIMARY KEY, source TEXT NOT NULL, digest TEXT NOT NULL UNIQUE,
            at TEXT NOT NULL DEFAULT ({NOW})) WITHOUT ROWID""",
    ),
    ("ALTER TABLE push_audiences ADD COLUMN name TEXT",),
    (
        *workflows_tables.TROUBLES,
        # What is asked of a stream: a run by today's definitions, or files of what it has taken in.
        "ALTER TABLE stream_requests ADD COLUMN what TEXT NOT NULL DEFAULT 'run'",
    ),
    workflows_tables.MERGED,
    workflows_tables.FACTS,
)


def connect(path: Path, *, busy_s: float) -> sqlite3.Connection:
    """An open connection in WAL mode that survives power cuts and waits for writers.

    Transactions are begun explicitly (`BEGIN IMMEDIATE`), never by the driver.
    """
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=busy_s)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    return db


def version(db: sqlite3.Connection) -> int:
    """Number of migrations the database has seen; 0 for an empty file."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def written_by(db: sqlite3.Connection) -> str:
    """Version of the segctl that last changed the database's form."""
    row = db.execute("SELECT value FROM settings WHERE name = 'tool_version'").fetchone()
    return str(row[0]) if row else "unknown"


def refuse_newer(db: sqlite3.Connection, folder: Path, *, known: int | None = None) -> None:
    """Raises `UsageError` when the database has seen migrations this program does not know."""
    found, known = version(db), len(MIGRATIONS) if known is None else known
    if found > known:
        raise problems.newer_workspace(folder, found=found, known=known, written_by=written_by(db), running=__version__)


def migrate(db: sqlite3.Connection, migrations: tuple[tuple[str, ...], ...] = MIGRATIONS) -> None:
    """Brings the database to the newest form; each migration is one transaction, so a crash leaves a whole one."""
    if version(db) == 0:
        db.execute("PRAGMA journal_mode = WAL")
    for number, statements in enumerate(migrations, start=1):
        db.execute("BEGIN IMMEDIATE")
        try:
            # Read inside the transaction: another process may have migrated while this one waited.
            if version(db) < number:
                for statement in statements:
                    db.execute(statement)
                db.execute("INSERT OR REPLACE INTO settings VALUES ('tool_version', ?)", (__version__,))
                db.execute(f"PRAGMA user_version = {number}")
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise
