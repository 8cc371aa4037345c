#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP through the tunnel beside kernel VXLAN and bare veth, in one run and by turns; how long a
start and a handshake take; memory. Prints Markdown. Root only.

    sn ----+
    a  ----+---- switch
    b  ----+

usage: bench/firstlight.py [ROUNDS [SECONDS]]     default 5 rounds of 3 s
"""

import json
import pathlib
import platform
import re
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "netns"))
from net import Net, wait_for  # noqa: E402

COMMUNITY = ("-c", "bench", "-k", "a long enough pass phrase")
WAYS = {"bare veth": "10.77.0.3", "VXLAN": "10.8.0.2", "n2n": "10.1.2.2"}


def make_vxlan(host, other, address):
    host.run("ip", "link", "add", "vx0", "type", "vxlan", "id", 7, "remote", other.ip, "dstport",
             4789, "dev", "eth0")
    host.run("ip", "addr", "add", f"{address}/24", "dev", "vx0")
    host.run("ip", "link", "set", "vx0", "up")


def iperf(host, to, seconds, *more):
    """Bits a second that arrived."""
    out = json.loads(host.run("iperf3", "-J", "-c", to, "-t", seconds, *more))
    return out["end"]["sum_received"]["bits_per_second"]


def throughput(a, b, rounds, seconds):
    server = b.background("iperf3", "-s", "--forceflush")
    server.wait_says("Server listening")
    found = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, to in WAYS.items():
            found[way].append(iperf(a, to, seconds))
    return {way: (statistics.median(v), min(v), max(v)) for way, v in found.items()}


def start_times(b, at, rounds):
    """Milliseconds from an edge's start: to its own readiness, registration, peer, first answer."""
    found = []
    for _ in range(rounds):
        p = b.start("edge", "-d", "n2n0", "-a", "10.1.2.2", *COMMUNITY, *at)
        steps = [wait_for(text, lambda t=text: p.says(t), 10, 0.001)
                 for text in ("is up with", "registered in", "connected")]
        steps.append(b.wait_ping("10.1.2.1", 10))
        found.append([sum(steps[:i + 1]) * 1000 for i in range(len(steps))])
        assert p.stop() == 0
    return [statistics.median(column) for column in zip(*found)]


def memory(p):
    """Resident kilobytes, now and at most."""
    text = pathlib.Path(f"/proc/{p.pid}/status").read_text()
    return [int(re.search(rf"{name}:\s+(\d+)", text).group(1)) for name in ("VmRSS", "VmHWM")]


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with Net("sn", "a", "b") as net:
        a, b, sn = net["a"], net["b"], net["sn"]
        at = ("-l", f"{sn.ip}:7654")
        programs = {"supernode": sn.supernode("-l", 7654)}
        programs["edge that sends"] = a.edge("n2n0", "10.1.2.1", *COMMUNITY, *at)
        times = start_times(b, at, 7)
        programs["edge that receives"] = b.edge("n2n0", "10.1.2.2", *COMMUNITY, *at)
        make_vxlan(a, b, "10.8.0.1")
        make_vxlan(b, a, "10.8.0.2")
        a.wait_ping("10.1.2.2", 10)
        a.wait_direct()
        a.wait_ping("10.8.0.2", 10)
        rates = throughput(a, b, rounds, seconds)

        print(f"Linux {platform.release()}, {platform.machine()}; TCP, one connection, {rounds} "
              f"rounds of {seconds} s by turns.\n")
        print("| Way | Median Gbit/s | Lowest | Highest | Part of veth |\n|---|---|---|---|---|")
        for way, values in rates.items():
            cells = " | ".join(f"{v / 1e9:.2f}" for v in values)
            print(f"| {way} | {cells} | {values[0] / rates['bare veth'][0]:.1%} |")
        print("\n| From the start of an edge (median of 7) | ms |\n|---|---|")
        for what, ms in zip(("interface is up (Argon2id included)", "registered at the supernode",
                             "first key set with the peer", "first answer to a ping"), times):
            print(f"| {what} | {ms:.0f} |")
        print("\n| Memory after the run, kB | Resident | At most |\n|---|---|---|")
        for name, p in programs.items():
            now, most = memory(p)
            print(f"| {name} | {now} | {most} |")


main()
