#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that went over a link is sent again: nobody accepts it, and nobody answers at length."""

import signal
import time

from arena import SPOOFED, Arena, Flow, family, note, wait_for

REPLAY = "PROTOCOL.md 6.6"


def capture(arena, host):
    file = arena.dir / f"{host.name}.pcap"
    tap = host.background("tcpdump", "-i", "eth0", "-B", "16384", "-U", "-w", str(file), "udp")
    tap.wait_says("listening on")
    return tap, file


def replay(arena, file, to, seconds, **orders):
    return arena.attack("replay", to=to, file=file, rate=3000, seconds=seconds, addresses=1000,
                        **{"from": SPOOFED, **orders})


def while_it_lives(arena, report, file, where, seconds):
    """To the supernode and to an edge, from anywhere and from the addresses it came from."""
    flow = Flow(arena["a"], arena["b"], "10.9.0.2", 200, 300)
    found = []
    for what in "", "same":
        running = [replay(arena, file, to, seconds, what=what) for to in where]
        found += [r.result() for r in running]
    time.sleep(0.5)
    sent, lost = flow.finish()
    total = sum(f["sent"] for f in found)
    report.figure(f"{total:,} replays, shuffled, from anywhere and from where they came: frames "
                  f"lost of {sent} meanwhile", lost, at_most=0, of=REPLAY)
    report.figure("frames that were delivered twice", flow.twice, at_most=0, of=REPLAY)
    report.figure("bytes out for a byte in", sum(f["got_bytes"] for f in found) /
                  sum(f["sent_bytes"] for f in found), at_most=1, of="PROTOCOL.md 4.1")
    longest = max(f["longest"] for f in found)
    report.figure("longest answer (a COOKIE has 66 bytes)", longest, "bytes", at_most=66,
                  of="PROTOCOL.md 5.5")


def after_restarts(arena, report, file, where, edges, words):
    b = arena["b"]
    arena.supernode.stop(signal.SIGKILL)
    for edge in edges:
        edge.stop(signal.SIGKILL)
    arena.start_supernode()
    found = replay(arena, file, where[0], 4).result()
    report.figure(f"{found['sent']:,} replays to a supernode that was restarted: answers",
                  found["got"], at_most=0, of="PROTOCOL.md 5.8", before="193 RESPONSEs")
    note(f"longest {found['longest']} bytes")
    b.edge("n2n0", "10.9.0.2", "-p", f"{b.ip}:40002", *words)
    found = replay(arena, file, where[1], 4).result()
    report.figure(f"{found['sent']:,} replays to an edge that was restarted: answers a second",
                  found["got"] / 5, at_most=1, of="PROTOCOL.md 5.5")
    report.figure("longest answer of the edge (a COOKIE has 66 bytes)", found["longest"], "bytes",
                  at_most=66, of="PROTOCOL.md 5.5")
    arena["a"].edge("n2n0", "10.9.0.1", *words)
    took = arena["a"].wait_ping("10.9.0.2", 15)
    report.figure("the pair is up again after the restarts and replays within", took, "s", at_most=3,
                  of="PROTOCOL.md 5.6")


def main(report, quick):
    with Arena("a", "b") as arena:
        a, b = arena["a"], arena["b"]
        words = ("-k", arena.new_key(), *arena.at)
        tap, file = capture(arena, arena.sn)
        tap_b, file_b = capture(arena, b)
        edges = [a.edge("n2n0", "10.9.0.1", *words),
                 b.edge("n2n0", "10.9.0.2", "-p", f"{b.ip}:40002", *words)]
        a.wait_ping("10.9.0.2", 20)
        flow = Flow(a, b, "10.9.0.2", 100, 300)
        edges[0].stop()
        edges[0] = a.edge("n2n0", "10.9.0.1", *words)
        a.wait_ping("10.9.0.2", 20)
        flow.finish()
        for t in tap, tap_b:
            t.stop(signal.SIGINT)
            wait_for("tcpdump has counted", lambda t=t: t.says("dropped by kernel"), 5)
        both = arena.dir / "both.pcap"
        both.write_bytes(file.read_bytes() + file_b.read_bytes()[24:])
        where = (f"{arena.sn.ip}:7654", f"{b.ip}:40002")
        while_it_lives(arena, report, both, where, 3 if quick else 15)
        after_restarts(arena, report, both, where, edges, words)


family(main)
