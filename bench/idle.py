# SPDX-License-Identifier: GPL-3.0-or-later
"""What an edge costs that has 50 peers and nothing to say: 51 edges at one host, all connected
directly to all others, left alone for a while."""

import json
import time

from machine import memory, process_seconds
from topology import Net, sh, wait_for

PEERS = 50
SETTLE_S, WATCH_S = 5, 20


def measure_idle():
    """Percent of one core, and resident bytes at most, of an edge; the mean of all."""
    with Net("sn", "many") as net:
        many, sn = net["many"], net["sn"]
        sn.supernode("-l", 7654)
        key = sh(net.programs["n2n"], "key", "new", "idle").split()[-1]
        edges = [many.background(net.programs["edge"], "--state-dir", state(net, i), "-d", f"n{i}",
                                 "-a", f"10.9.0.{i + 1}", "-l", f"{sn.ip}:7654", "-k", key)
                 for i in range(PEERS + 1)]
        wait_for(f"{PEERS} peers at each edge",
                 lambda: all(peers(net, many, i) == PEERS for i in range(PEERS + 1)), 90, 1)
        time.sleep(SETTLE_S)
        before = sum(process_seconds(p.pid) for p in edges)
        time.sleep(WATCH_S)
        used = sum(process_seconds(p.pid) for p in edges) - before
        return {"percent": 100 * used / WATCH_S / len(edges),
                "memory": sum(memory(p.pids())[1] for p in edges) / len(edges)}


def state(net, i):
    return net.dir / f"idle-{i}"


def peers(net, host, i):
    """How many peers an edge has on a direct path."""
    try:
        out = host.run(net.programs["n2n"], "status", "-j", "-d", f"n{i}", "--state-dir",
                       state(net, i))
    except AssertionError:
        return 0  # not up yet
    found = json.loads(out)["result"]["communities"][0]["peers"]
    return sum(p["up"] and p["path"]["kind"] == "direct" for p in found)
