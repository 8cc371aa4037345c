#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody sees a link, stops nothing, and repeats handshakes from elsewhere: they end all the same."""

import time

from arena import OWN, SPOOFED, Arena, Flow, family, median, note
from net import Pings

SECONDS = 215  # a key set lives for 180 s: what cannot be renewed is over by then


def new_pairs(arena, report, number, before):
    """b is somebody else each time, with another address, as a's host remembers the last one's MAC."""
    a, b = arena["a"], arena["b"]
    words = ("-k", arena.new_key(), *arena.at)
    a.block(b)
    b.block(a)
    a.edge("n2n0", "10.9.0.1", *words).wait_says("registered")
    attack = arena.attack("repeat", watch=f"{arena.watch('a')},{arena.watch('b')}",
                          rate=30, seconds=3600, addresses=1000, **{"from": SPOOFED}).ready()
    took = []
    for n in range(number):
        b.state = str(arena.dir / f"b{n}")
        edge = b.edge("n2n0", f"10.9.0.{n + 2}", *words)
        start = time.monotonic()
        try:
            took.append(a.wait_ping(f"10.9.0.{n + 2}", 15))
        except AssertionError:
            took.append(time.monotonic() - start)
        edge.stop()
        if took[-1] > 10:
            break
    sent = attack.stop()["sent"]
    report.figure("what may be an INIT is repeated 30 times a second, each: a new pair that the "
                  f"supernode relays for is up, longest of {len(took)}", max(took), "s", at_most=2,
                  of="PROTOCOL.md 6.5", before=before)
    note(f"median {median(took):.2f} s; {sent} repetitions")


def oldest_keys(host, address, seconds):
    """How old the keys with the member at that address became meanwhile. Those of idle ones may end."""
    end, oldest = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        oldest = max([oldest] + [p["key_age_s"] for p in host.peers()
                                 if f"{address}/24" in p["addresses"]])
        time.sleep(1)
    return oldest


def renewals(arena, report):
    """Two pairs through the time of a renewal, each with an attacker of its own."""
    words = ("-k", arena.new_key(), *arena.at)
    flows = []
    for names, address in ("ab", 1), ("cd", 3):
        one, other = (arena[n] for n in names)
        one.block(other)
        other.block(one)
        if names == "cd":
            stale = arena.attack("stale", watch=arena.watch("c"), rate=10, seconds=3600,
                                 port=5000, **{"from": OWN})
        one.edge("n2n0", f"10.9.0.{address}", *words)
        other.edge("n2n0", f"10.9.0.{address + 1}", *words)
        one.wait_ping(f"10.9.0.{address + 1}", 20)
        flows.append(Flow(one, other, f"10.9.0.{address + 1}", 20, 600))
    stale.ready()
    repeat = arena.attack("repeat", watch=f"{arena.watch('a')},{arena.watch('b')}",
                          rate=18, seconds=3600, addresses=1000, **{"from": SPOOFED}).ready()
    # Both ways: who hears nothing shakes hands anew before the keys are old.
    back = Pings(arena["b"], "10.9.0.1")
    oldest = oldest_keys(arena["b"], "10.9.0.1", SECONDS)
    back.finish()
    (sent_ab, lost_ab), (sent_cd, lost_cd) = [f.finish() for f in flows]
    note(f"{repeat.stop()['sent']} repetitions; the captured INIT was shown "
         f"{stale.stop()['with_cookie']} times with a cookie")
    report.figure(f"the same, 18 times a second, for {SECONDS} s: age of the keys between edges that "
                  "were there before, which are to be renewed after 100 to 120 s", oldest, "s", at_most=125,
                  of="PROTOCOL.md 5.7")
    report.figure(f"frames lost of {sent_ab} between them", lost_ab, "frames", at_most=0,
                  of="PROTOCOL.md 6.5", before="0 to 461")
    report.figure(f"an old INIT of an edge with the right cookie, 10 times a second for {SECONDS} s: "
                  f"frames lost of {sent_cd} that are relayed for it", lost_cd, "frames", at_most=0,
                  of="PROTOCOL.md 5.5", before="742")


def main(report, quick):
    with Arena("a", "b") as arena:
        new_pairs(arena, report, 3 if quick else 15, "never up")
    if not quick:
        with Arena("a", "b", "c", "d") as arena:
            renewals(arena, report)


family(main)
