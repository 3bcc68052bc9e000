"""The installed program beside its peers by hand, on the generator's data: whole processes, interleaved.

    python make_events.py DATA --profiles 100000 --events 5000000 --seed 7 --replay-rate 0
    python tests/benchmarks/product.py prepare DATA WORK      write the project, ingest, compact
    python tests/benchmarks/product.py apply DATA WORK [N]    `segctl apply` beside DuckDB and Polars, members compared
    python tests/benchmarks/product.py start WORK             start-up of verbs over the bare interpreter
    python tests/benchmarks/product.py ask WORK [N]           `size` and `diff`
    python tests/benchmarks/product.py ingest CSV WORK [N]    `segctl ingest` beside Polars' typed scan to Parquet

CPU is user plus system time of the whole process, memory its largest resident set, both as the kernel counts them.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from apply_segments import AS_OF, SEGMENTS
from product_project import write_project

HERE = Path(__file__).parent
SEGCTL = [sys.executable, "-m", "segctl"]
BARE = [sys.executable, "-c", "pass"]
Figures = dict[str, float]


def say(line: str) -> None:
    """One line of the report."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def measured(command: list[str], cwd: Path | None = None) -> Figures:
    """CPU, wall and memory of one process that must succeed."""
    start = time.perf_counter()
    child = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert child.stderr is not None
    told = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{' '.join(command)}: {told.decode()}")
    return {"cpu": usage.ru_utime + usage.ru_stime, "wall": time.perf_counter() - start, "mb": usage.ru_maxrss / 1024}


def medians(runs: list[Figures]) -> Figures:
    """The median of each figure."""
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def interleaved(commands: dict[str, Callable[[], Figures]], rounds: int) -> dict[str, Figures]:
    """Medians of commands that run in turn, so that a drifting machine hits all alike."""
    runs: dict[str, list[Figures]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(command())
    found = {name: medians(of) for name, of in runs.items()}
    for name, of in found.items():
        spread = " ".join(f"{run['cpu']:.2f}" for run in runs[name])
        say(f"{name:24} cpu {of['cpu']:7.2f} s  wall {of['wall']:7.2f} s  rss {of['mb']:6.0f} MB   ({spread})")
    return found


def prepare(data: Path, work: Path) -> None:
    """The project, its data and its sorted files."""
    write_project(work, data)
    for verb in ("ingest", "compact"):
        found = measured([*SEGCTL, verb], cwd=work)
        say(f"{verb:24} cpu {found['cpu']:7.2f} s  wall {found['wall']:7.2f} s  rss {found['mb']:6.0f} MB")


def apply(data: Path, work: Path, rounds: int) -> None:
    """`segctl apply` and the peers; then the member sets."""
    out = {peer: work / ".peers" / peer for peer in ("duckdb", "polars")}
    for folder in out.values():
        folder.mkdir(parents=True, exist_ok=True)
    script = str(HERE / "apply_peers.py")
    commands: dict[str, Callable[[], Figures]] = {
        "segctl apply": lambda: measured([*SEGCTL, "apply", "--full", "--as-of", AS_OF.isoformat()], cwd=work),
        "bare interpreter": lambda: measured(BARE),
    }
    for peer, folder in out.items():
        call = [sys.executable, script, peer, str(data), str(work), str(folder)]
        commands[f"{peer}, one query each"] = lambda call=call: measured(call)
    best, scan = [sys.executable, str(HERE / "apply_best.py")], "scan as delivered"
    commands["duckdb, one statement"] = lambda: measured([*best, str(work), str(work / ".peers")])
    commands[scan] = lambda: measured([*best, "scan", str(data)])
    found = interleaved(commands, rounds)
    ours = found["segctl apply"]["cpu"]
    for peer, of in found.items():
        say(f"CPU of segctl / {peer}: {ours / of['cpu']:.3f}")
    different = [name for name, members in _members(work).items() if not _is_same(name, members, out)]
    say(f"segments with other members than the peers: {different or 'none'}")


def _members(work: Path) -> dict[str, set[int]]:
    """Members that the newest run found, in force or not, as the numbers that the peers know them by."""
    from segctl.operations.people import with_profile_ids
    from segctl.operations.session import open_session
    from segctl.state.memberships import members
    from segctl.state.runs import runs

    with open_session(work) as session:
        newest = runs(session.workspace, limit=1)[0]
        subjects = {name: members(session.workspace, name, newest) for name in SEGMENTS}
        ids = {name: with_profile_ids(session.workspace, found.to_frame()) for name, found in subjects.items()}
    return {name: {int(profile_id) for profile_id in frame["profile_id"]} for name, frame in ids.items()}


def _is_same(name: str, ours: set[int], out: dict[str, Path]) -> bool:
    import polars as pl

    return all(ours == set(pl.read_parquet(folder / f"{name}.parquet").to_series()) for folder in out.values())


def start(work: Path) -> None:
    """Start-up over the bare interpreter, CPU, median of five."""
    bare = medians([measured(BARE) for _ in range(5)])["cpu"]
    for arguments in (
        ["--version"],
        ["--help"],
        ["apply", "--help"],
        ["__complete", "segments", "v"],
        ["ls"],
        ["lint"],
    ):
        mine = medians([measured([*SEGCTL, *arguments], cwd=work) for _ in range(5)])["cpu"]
        say(f"{' '.join(arguments):24} + {1000 * (mine - bare):5.0f} ms over {1000 * bare:.0f} ms")


def ask(work: Path, rounds: int) -> None:
    """Questions over a prepared workspace with two runs."""
    interleaved(
        {
            "diff": lambda: measured([*SEGCTL, "diff"], cwd=work),
            "size best_customers": lambda: measured(
                [*SEGCTL, "size", "best_customers", "--as-of", AS_OF.isoformat()], cwd=work
            ),
            "size vip_dach": lambda: measured([*SEGCTL, "size", "vip_dach", "--as-of", AS_OF.isoformat()], cwd=work),
            "bare interpreter": lambda: measured(BARE),
        },
        rounds,
    )


def ingest(csv: Path, work: Path, rounds: int) -> None:
    """A CSV of events through `segctl ingest`, and through Polars' typed scan to Parquet."""
    from product_project import dumped

    shutil.rmtree(work, ignore_errors=True)
    (work / "sources").mkdir(parents=True)
    properties = {"value": {"type": "money", "unit": "EUR"}, "category": "text", "quantity": "integer"}
    project = {"segctl": 1, "name": "bench", "identifiers": {"customer_id": {"class": "known"}},
               "events": {"order_completed": {"properties": properties}}}  # fmt: skip
    source = {"source": "orders", "kind": "file", "path": str(csv), "key": {"customer_id": "customer_id"},
              "events": [{"event": "order_completed", "time": "ts", "id": "event_id",
                          "properties": {name: name for name in properties}}]}  # fmt: skip
    (work / "segctl.yaml").write_text(dumped(project))
    (work / "sources" / "orders.yaml").write_text(dumped(source))
    peer = (
        "import polars as pl, sys; s = {'event_id': pl.String, 'customer_id': pl.String, 'ts': pl.String,"
        " 'value': pl.Float64, 'category': pl.String, 'quantity': pl.Int64};"
        " pl.scan_csv(sys.argv[1], schema=s).with_columns(pl.col('ts').str.to_datetime(time_zone='UTC'))"
        ".sink_parquet(sys.argv[2])"
    )

    def ours() -> Figures:
        shutil.rmtree(work / ".segctl", ignore_errors=True)
        return measured([*SEGCTL, "ingest"], cwd=work)

    found = interleaved(
        {
            "segctl ingest": ours,
            "polars scan to sink": lambda: measured([sys.executable, "-c", peer, str(csv), str(work / "peer.parquet")]),
        },
        rounds,
    )
    rate = found["polars scan to sink"]["cpu"] / found["segctl ingest"]["cpu"]
    say(f"{csv.stat().st_size / 1e9:.2f} GB: rate of segctl / polars by CPU {rate:.2f}")


def write_csv(path: Path, rows: int) -> None:
    """Events with ids, six columns, about 80 bytes a row; the same rows for the same number."""
    import polars as pl

    kinds = pl.Series(["schuhe", "jacken", "taschen", "garten", "technik"])
    done = 0
    with path.open("wb") as file:
        while done < rows:
            n = min(1_000_000, rows - done)
            i = pl.int_range(done, done + n, eager=True).cast(pl.UInt64)
            mixed = (i * 2_654_435_761) % 4_294_967_296
            at = (1_700_000_000_000_000 + i.cast(pl.Int64) * 7_000_000).cast(pl.Datetime("us"))
            frame = pl.DataFrame({
                "event_id": "ev-" + i.cast(pl.String).str.zfill(12),
                "customer_id": "C" + (mixed % 500_000).cast(pl.String).str.zfill(7),
                "ts": at.dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "value": ((mixed % 50_000).cast(pl.Int64) / 100).round(2).cast(pl.Decimal(12, 2)).cast(pl.String),
                "category": kinds.gather((mixed // 7 % 5).cast(pl.Int64)),
                "quantity": (mixed // 11 % 9 + 1).cast(pl.Int64),
            })  # fmt: skip
            frame.write_csv(file, include_header=done == 0)
            done += n


if __name__ == "__main__":
    os.environ["PYTHONPATH"] = str(HERE.parents[1])
    verb, *given = sys.argv[1:]
    if verb == "prepare":
        prepare(Path(given[0]).resolve(), Path(given[1]))
    elif verb == "apply":
        apply(Path(given[0]).resolve(), Path(given[1]), int(given[2]) if len(given) > 2 else 3)
    elif verb == "start":
        start(Path(given[0]))
    elif verb == "ask":
        ask(Path(given[0]), int(given[1]) if len(given) > 1 else 5)
    elif verb == "csv":
        write_csv(Path(given[0]), int(given[1]))
    elif verb == "ingest":
        ingest(Path(given[0]).resolve(), Path(given[1]), int(given[2]) if len(given) > 2 else 3)
    else:
        raise SystemExit(__doc__)
