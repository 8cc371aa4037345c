#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""A flood of what no receiver may take: no frame is lost by it, no memory, and it is not answered."""

import pathlib
import signal
import time

from arena import SPOOFED, Arena, Flow, family, memory, note, socket_drops, wait_for

GOAL = "PROTOCOL.md 6.5"


def is_sanitized(program):
    return b"__asan_init" in pathlib.Path(f"/proc/{program.pid}/exe").read_bytes()


def capture(arena):
    """Something to change and cut: handshakes and frames, relayed."""
    file = arena.dir / "some.pcap"
    tap = arena.sn.background("tcpdump", "-i", "eth0", "-U", "-c", "400", "-w", str(file), "udp")
    tap.wait_says("listening on")
    return tap, file


def drops(arena):
    return sum(socket_drops(arena[n]) for n in ("sn", "a", "b"))


def flood(arena, report, file, edges, rate, seconds):
    where = {"the supernode": f"{arena.sn.ip}:7654", "an edge": f"{arena['b'].ip}:40002"}
    programs = {"the supernode": arena.supernode, "an edge": edges[1]}
    before = drops(arena)
    flow = Flow(arena["a"], arena["b"], "10.9.0.2", 2500)
    attacks = [arena.attack("junk", to=to, file=file, rate=rate, seconds=seconds, addresses=5000,
                            **{"from": SPOOFED}).ready() for to in where.values()]
    time.sleep(seconds / 2)
    grown = {name: -memory(p) for name, p in programs.items()}
    found = [a.result(seconds + 60) for a in attacks]
    for name, program in programs.items():
        grown[name] += memory(program)
    sent, lost = flow.finish()
    dropped = drops(arena) - before
    junk = sum(f["sent"] for f in found)
    report.figure(f"{junk:,} malformed datagrams at {junk / seconds:,.0f} a second, to the "
                  f"supernode and an edge: frames lost of {sent:,} at 20 Mbit/s, beyond what sockets "
                  "had no room for", max(0, lost - dropped), at_most=0, of=GOAL)
    note(f"{lost} lost; sockets had no room for {dropped} datagrams")
    for name, size in grown.items():
        if is_sanitized(programs[name]):
            continue  # it keeps what was freed
        report.figure(f"memory of {name} that is gone after it", size / 1024, "KiB", at_most=1024,
                      of="SECURITY.md")
    report.figure("answers for 1,000 datagrams", 1000 * sum(f["got"] for f in found) / junk, at_most=1,
                  of="PROTOCOL.md 4.1")
    report.figure("longest answer", max(f["longest"] for f in found), "bytes", at_most=66,
                  of="PROTOCOL.md 4.1")


def main(report, quick):
    with Arena("a", "b") as arena:
        a, b = arena["a"], arena["b"]
        tap, file = capture(arena)
        a.block(b)
        b.block(a)
        words = ("-k", arena.new_key(), *arena.at)
        edges = [a.edge("n2n0", "10.9.0.1", *words),
                 b.edge("n2n0", "10.9.0.2", "-p", f"{b.ip}:40002", *words)]
        a.wait_ping("10.9.0.2", 20)
        Flow(a, b, "10.9.0.2", 500).finish()
        tap.stop(signal.SIGINT)
        wait_for("tcpdump has counted", lambda: tap.says("dropped by kernel"), 5)
        flood(arena, report, file, edges, 5000 if quick else 12500, 4 if quick else 40)


family(main)
