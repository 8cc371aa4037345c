#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resident memory over time: edges that talk directly, by the relay, and not at all, and their
supernode. Prints a line a minute and at the end how much each grew. Root only: the hosts are network
namespaces of this machine.

    direct-a  --- direct-b      the sizes of ping from 16 to 1300 bytes, 50 a second, and once a
    relayed-a --- relayed-b     minute 20 MB of TCP
    idle-a    --- idle-b        nothing
"""

import argparse
import pathlib
import re
import sys
import time

from topology import Net, block, sh, wait_for

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "netns"))
from net import transfer  # noqa: E402

MEGABYTES = 20
SETTLE_S = 10   # paths are found, and the first transfer is through
PAIRS = ("direct", "relayed", "idle")


def rss(pid):
    """Resident KiB of a process."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1))


def start(net):
    """The programs, by name."""
    sn = net["sn"]
    programs = {"supernode": sn.supernode("-l", 7654)}
    block(net["relayed-a"], net["relayed-b"], 50000)
    block(net["relayed-b"], net["relayed-a"], 50000)
    for pair in PAIRS:
        key = sh(net.programs["n2n"], "key", "new", pair).split()[-1]
        for number, side in enumerate("ab", 1):
            name = f"{pair}-{side}"
            programs[name] = net[name].edge("n2n0", f"10.9.0.{number}", "-k", key, "-p", 50000,
                                            "-l", f"{sn.ip}:7654")
    for pair in PAIRS:
        net[f"{pair}-a"].wait_ping("10.9.0.2", 20)
    net["direct-a"].wait_direct()
    assert net["relayed-a"].paths() == ["relay"], net["relayed-a"].paths()
    return programs


def talk(net, pair):
    for side, other in (("a", 2), ("b", 1)):
        for size in (16, 100, 500, 900, 1300):
            net[f"{pair}-{side}"].background("ping", "-4", "-n", "-q", "-i", 0.1, "-s", size,
                                             f"10.9.0.{other}")


def transfers(net):
    for pair in PAIRS[:2]:
        a, b = net[f"{pair}-a"], net[f"{pair}-b"]
        transfer(b, a, "10.9.0.2", 5000, MEGABYTES)
        transfer(a, b, "10.9.0.1", 5001, MEGABYTES)


def slope(rows):
    """KiB a minute, by least squares."""
    n = len(rows)
    mean_x, mean_y = (n - 1) / 2, sum(rows) / n
    spread = sum((x - mean_x) ** 2 for x in range(n))
    return sum((x - mean_x) * (y - mean_y) for x, y in enumerate(rows)) / spread


def watch(net, programs, minutes):
    """RSS of each, now and after each minute."""
    pids = {name: p.pid for name, p in programs.items()}
    rows = {name: [] for name in pids}
    print("| minute | " + " | ".join(pids) + " |\n" + "|---" * (len(pids) + 1) + "|", flush=True)
    begin = time.monotonic()
    for minute in range(minutes + 1):
        time.sleep(max(0, begin + 60 * minute - time.monotonic()))
        for name, pid in pids.items():
            rows[name].append(rss(pid))
        print(f"| {minute} | " + " | ".join(str(r[-1]) for r in rows.values()) + " |", flush=True)
        if minute < minutes:
            transfers(net)
    return rows


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("--minutes", type=int, default=30, metavar="N", help="default 30")
    minutes = p.parse_args().minutes
    with Net("sn", *(f"{pair}-{side}" for pair in PAIRS for side in "ab")) as net:
        programs = start(net)
        for pair in PAIRS[:2]:
            talk(net, pair)
        transfers(net)
        wait_for("all are registered", lambda: all(net[f"{pair}-{side}"].peers()
                 for pair in PAIRS for side in "ab"), 20)
        time.sleep(SETTLE_S)
        print("Resident KiB of the process that moves packets\n")
        rows = watch(net, programs, minutes)
        print("\n| | grew by KiB | KiB a minute |\n|---|---|---|")
        for name, r in rows.items():
            print(f"| {name} | {r[-1] - r[0]} | {slope(r):.1f} |")


main()
