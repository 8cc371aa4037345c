#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who knows the name of a passphrase network, and not the passphrase: newcomers meet its members."""

import time

from arena import OWN, Arena, family, median, note

NAME = "open house"
WORDS = ("-c", NAME, "-k", "a long enough pass phrase")


def meetings(arena, number, patience):
    """Newcomers to b, who is there: seconds from their start to the first frame."""
    b, new, took = arena["b"], arena["new"], []
    for _ in range(number):
        arena.guests = getattr(arena, "guests", 0) + 1
        new.state = str(arena.dir / f"guest-{arena.guests}")
        start = time.monotonic()
        edge = new.edge("n2n0", f"10.9.0.{9 + arena.guests}", *WORDS, *arena.at, ready=False)
        try:
            b.wait_ping(f"10.9.0.{9 + arena.guests}", patience)
        except AssertionError:
            pass
        took.append(time.monotonic() - start)
        edge.stop()
    return took


def knocks(arena, report, number, patience):
    calm = meetings(arena, 1, 20)
    attack = arena.attack("knock", name=NAME, rate=20, seconds=3600, **{"from": OWN}).ready()
    time.sleep(5)
    took = meetings(arena, number, patience)
    report.figure("one session guesses at a member 20 times a second: a newcomer meets that member "
                  f"later than without by, median of {number}", median(took) - min(calm), "s",
                  at_most=30 if number > 1 else 60, of="PROTOCOL.md 5.5", before="over 38 s")
    note(f"longest {max(took):.2f} s, without {median(calm):.2f} s; {attack.stop()['sent']} "
         "datagrams. Every 6 s one is drawn, half of the times it is the newcomer")


def statics(arena, report, sessions):
    """Each registers another static every second: members get to know very many."""
    calm = meetings(arena, 1, 20)
    attack = arena.attack("register", name=NAME, what="statics", count=sessions, rate=2, seconds=10,
                          hold=3600, **{"from": OWN})
    attack.first(30)
    time.sleep(12)
    took = meetings(arena, 2, 40)
    attack.stop()
    report.figure(f"{sessions} sessions name two new statics a second, each: a newcomer meets a "
                  "member later than without by", max(took) - min(calm), "s", at_most=5,
                  of="PROTOCOL.md 8.6", before="over 38 s")


def main(report, quick):
    with Arena("b", "new") as arena:
        arena["b"].edge("n2n0", "10.9.0.2", *WORDS, *arena.at).wait_says("registered")
        knocks(arena, report, *((1, 70) if quick else (5, 45)))
    if not quick:
        with Arena("b", "new") as arena:
            arena["b"].edge("n2n0", "10.9.0.2", *WORDS, *arena.at).wait_says("registered")
            statics(arena, report, 200)


family(main)
