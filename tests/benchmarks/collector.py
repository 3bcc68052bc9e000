"""Requests a second that `segctl listen` takes, loader and collector on the same cores.

Run: ``python tests/benchmarks/collector.py [seconds]``; needs wrk (``apt-get install wrk``). Every accepted request is
flushed to disk before its answer; the lines are counted afterwards.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KEY = "wk_benchmark_0123456789"
PROJECT = """segctl: 1
name: bench
identifiers: {user_id: {class: known}, anonymous_id: {class: anonymous}}
events: {product_viewed: {properties: {product_id: text, price: number}}}
"""
SOURCE = """source: web
kind: collector
collector: {keys: {shop: {env: BENCH_KEY}}, rate: 1000000}
tracking: segment
"""
SCRIPT = f"""
local n = 0
request = function()
  n = n + 1
  local body = '{{"type":"track","userId":"u' .. n % 100000 .. '","event":"Product Viewed","messageId":"m' .. n ..
    '","timestamp":"2026-11-22T12:00:00.000Z","properties":{{"product_id":"p' .. n % 500 ..
    '","price":12.5}},"context":{{"library":{{"name":"analytics-node","version":"2"}},"page":' ..
    '{{"url":"https://shop.example/p/1","title":"Shoe"}}}}}}'
  return wrk.format("POST", "/k/{KEY}/v1/track", {{["Content-Type"] = "application/json"}}, body)
end
"""


def main(seconds: int) -> None:
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as folder:
        root = Path(folder)
        (root / "sources").mkdir()
        (root / "segctl.yaml").write_text(PROJECT)
        (root / "sources" / "web.yaml").write_text(SOURCE)
        (root / "post.lua").write_text(SCRIPT)
        for connections in (16, 64, 256):
            _round(root, seconds, connections)


def _round(root: Path, seconds: int, connections: int) -> None:
    command = [sys.executable, "-m", "segctl", "listen", "--bind", "127.0.0.1:0"]
    server = subprocess.Popen(
        command,
        cwd=root,
        env={**os.environ, "BENCH_KEY": KEY},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    url = re.search(r"http://\S+", server.stderr.readline())
    assert url is not None
    before = sum(1 for file in root.rglob("*.ndjson") for _ in file.open("rb"))
    wrk = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(root / "post.lua"), url[0]]
    said = subprocess.run(wrk, capture_output=True, text=True, check=True).stdout
    cpu = _cpu_s(server.pid)
    metrics = subprocess.run(["curl", "-s", f"{url[0]}/metrics"], capture_output=True, text=True, check=True).stdout
    server.send_signal(signal.SIGTERM)
    server.wait(30)
    lines = sum(1 for file in root.rglob("*.ndjson") for _ in file.open("rb")) - before
    done = int(re.search(r"(\d+) requests in", said)[1])
    figures = {name: re.search(rf"(?m)^\s*{name}\s+(\S+)", said)[1] for name in ("50%", "99%", "Requests/sec:")}
    commits = re.search(r"commit_seconds_count (\d+)", metrics)
    late = re.search(r'commit_seconds_bucket\{le="0.01"\} (\d+)', metrics)
    _tell(f"{connections} connections: {figures['Requests/sec:']} requests/s")
    _tell(f"  p50 {figures['50%']}, p99 {figures['99%']}; answered {done}, on disk {lines}")
    _tell(f"  commits {commits[1]}, within 10 ms {late[1]}; CPU of the collector {cpu:.1f} s")
    _tell("  " + (" ".join(re.findall(r"Non-2xx.*|Socket errors.*", said)) or "no errors"))
    time.sleep(0.5)


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
