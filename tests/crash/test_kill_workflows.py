"""`segctl workflow run` killed at any moment while it writes to a mail server: nobody gets a mail twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from end_to_end.program import PROGRAM

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "operations"))
from workflow_shop import NOON, Shop, copied, later

from segctl.operations.session import open_session
from segctl.operations.workflow.workflow import unknown_effects
from segctl.state.workflows import Books

pytestmark = pytest.mark.crash
controllers = pytest.importorskip("aiosmtpd.controller")

PEOPLE, KILLS = 150, 25


def test_however_often_it_is_killed_each_mail_is_sent_once_or_known_as_unknown(tmp_path: Path) -> None:
    shop = copied(tmp_path)
    server = controllers.Controller(shop.post, hostname="127.0.0.1", port=shop.port)
    server.start()
    shop.write("crm.csv", "nr,land,mail\n" + "".join(f"{n},DE,p{n}@example.org\n" for n in range(PEOPLE)))
    shop.events(*((n, "added", NOON) for n in range(PEOPLE)), at=later(minutes=10))
    rng = random.Random(4)

    killed = 0
    for minutes in (20, 90):
        while kill_once(shop, minutes, rng):
            killed += 1
            if killed % KILLS == 0:
                break
        shop.run(later(minutes=minutes))
    server.stop()

    with open_session(shop.folder) as session:
        effects = Books(session.workspace).effects()
        unknown = {(one.profile, one.step) for one in unknown_effects(session)}
        assert {one.state for one in Books(session.workspace).instances()} == {"done"}
    ids = Counter(mail["Message-ID"] for _, mail in shop.post.taken)
    assert killed >= 5
    assert max(ids.values()) == 1
    assert max(Counter(to for to, _ in shop.post.taken).values()) <= 2
    assert len(effects) == 2 * PEOPLE
    assert {one.state for one in effects} <= {"done", "unknown"}
    assert len(unknown) <= killed
    done = sum(one.state == "done" for one in effects)
    assert done <= len(shop.post.taken) <= done + len(unknown)


def kill_once(shop: Shop, minutes: int, rng: random.Random) -> bool:
    """Starts a run and kills it; false when it was done before."""
    command = [*PROGRAM, "workflow", "run", "--as-of", later(minutes=minutes).isoformat(), "-q"]
    process = subprocess.Popen(command, cwd=shop.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    before, deadline = len(shop.post.taken), time.monotonic() + 60
    more = rng.randint(0, 12)
    # Most kills hit while mails are on their way, some before the first.
    while process.poll() is None and len(shop.post.taken) < before + more and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(rng.random() * 0.02)
    if process.poll() is not None:
        return False
    process.send_signal(signal.SIGKILL)
    process.wait()
    return True
