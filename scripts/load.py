"""Load the page's server on loopback: parallel clients for a time, then errors, percentiles and memory over time.

    python scripts/load.py --clients 50 --seconds 60

Each client sends one made example after another (corpus/en) and waits for the answer. Memory is the server's resident
set, read from /proc twice a second (Linux). Exit code 1 when a request failed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from classifier.rows import read_records

ROOT = Path(__file__).resolve().parents[1]


def texts() -> list[str]:
    return [record["text"] for path in sorted((ROOT / "corpus" / "en").glob("t*.jsonl")) for _, record in read_records(path)]


async def ask(port: int, text: str) -> int:
    """One POST /v1/assess over a connection of its own; the status."""
    body = json.dumps({"text": text}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        head = f"POST /v1/assess HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        answer = await reader.read()
    finally:
        writer.close()
    return int(answer.split(b" ", 2)[1])


async def client(port: int, drafts: list[str], first: int, until: float, taken: list[float], failed: list[str]) -> None:
    number = first
    while time.monotonic() < until:
        began = time.monotonic()
        try:
            status = await ask(port, drafts[number % len(drafts)])
            if status != 200:
                failed.append(str(status))
        except (OSError, ValueError, IndexError) as error:
            failed.append(type(error).__name__)
        taken.append(time.monotonic() - began)
        number += 1


def resident(pid: int) -> float:
    """Resident memory in MB."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


async def watch(pid: int, until: float, memory: list[tuple[float, float]]) -> None:
    began = time.monotonic()
    while time.monotonic() < until:
        memory.append((time.monotonic() - began, resident(pid)))
        await asyncio.sleep(0.5)


async def load(port: int, pid: int, clients: int, seconds: float) -> int:
    drafts, taken, failed, memory = texts(), [], [], []
    # The encoder's memory grows to what the longest text needs, and stays there: reach that before measuring.
    for draft in sorted(drafts, key=len)[-20:]:
        await ask(port, draft)
    until = time.monotonic() + seconds
    await asyncio.gather(watch(pid, until, memory), *(client(port, drafts, 97 * i, until, taken, failed) for i in range(clients)))
    p50, p95, p99 = np.percentile(taken, [50, 95, 99])
    half = seconds / 2
    early = np.mean([m for t, m in memory if half / 2 <= t < half])
    late = np.mean([m for t, m in memory if t >= half])
    print(f"{clients} clients, {seconds:g} s: {len(taken)} requests ({len(taken) / seconds:.1f} a second), {len(failed)} failed {sorted(set(failed))}")
    print(f"time of a request: p50 {p50:.2f} s, p95 {p95:.2f} s, p99 {p99:.2f} s, longest {max(taken):.2f} s")
    most = max(m for _, m in memory)
    print(f"memory: {memory[0][1]:.0f} MB at first, {early:.0f} MB in the second quarter, {late:.0f} MB in the second half, {most:.0f} MB at most")
    return 1 if failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    server = subprocess.Popen([sys.executable, "-m", "classifier", "serve", "--port", "0"], stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        address = re.search(r"http://[\d.]+:(\d+)/", server.stderr.readline())
        if address is None:
            print("The server did not start.", file=sys.stderr)
            return 1
        return asyncio.run(load(int(address[1]), server.pid, options.clients, options.seconds))
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    raise SystemExit(main())
