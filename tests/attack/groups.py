#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members who have the supernode copy as much as it will: what that costs it, and others."""

import os
import pathlib

from arena import OWN, Arena, Flow, family, memory, note

LIMITS = "PROTOCOL.md 10.2"


def processor(program):
    """Seconds that all threads of a program have used."""
    words = pathlib.Path(f"/proc/{program.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def attack(arena, report, seconds, count, **orders):
    """Made-up members attack while two of another community talk through the supernode."""
    before = memory(arena.supernode)
    program = arena.attack("groups", name="open house", count=count, addresses=count,
                           hold=seconds, **{"from": OWN, **orders}).ready(60)
    grown = memory(arena.supernode) - before
    flow = Flow(arena["a"], arena["b"], "10.9.0.2", 200, 200)
    found = program.result(seconds + 60)
    sent, lost = flow.finish()
    return found, grown, memory(arena.supernode) - before, lost / max(sent, 1)


def main(report, quick):
    seconds, count = (4, 60) if quick else (15, 200)
    with Arena("a", "b") as arena:
        arena.relayed_pair(arena["a"], arena["b"], "-k", arena.new_key(), *arena.at)

        found, _, _, lost = attack(arena, report, seconds, count, rate=1000, window=1)
        packets = found["copies"] / (count - 1) / (seconds + 1)
        report.figure("one member sends 1,000 group packets a second: of these, copied to all",
                      packets, "a second", at_most=205, of=LIMITS, before="all")
        report.figure("it is told how many were not", found["told_refused"],
                      at_least=found["sent"] // 4, of=LIMITS)
        report.figure("of a flow between members of another network, lost meanwhile", 100 * lost,
                      "%", at_most=10, of="PROTOCOL.md 10.2")

        used = processor(arena.supernode)
        found, _, _, lost = attack(arena, report, seconds, count, rate=300, window=20)
        used = processor(arena.supernode) - used
        report.figure("copies that a whole processor of the supernode makes of 400 bytes",
                      found["copies"] / max(used, 0.01), "a second")
        report.figure("20 members send 300 a second each: copies", found["copies"] / (seconds + 1),
                      "a second", at_most=51000, of=LIMITS, before="all")
        report.figure("of a flow between members of another network, lost meanwhile", 100 * lost,
                      "%", at_most=10, of="PROTOCOL.md 10.2")

        found, _, _, _ = attack(arena, report, seconds, count, rate=300, window=20, what="versions")
        report.figure("20 members send in versions that there are not: copies", found["copies"],
                      at_most=0, of=LIMITS)

        found, before, grown, lost = attack(arena, report, seconds, count, rate=200, window=20,
                                            what="changes")
        report.figure("20 members change sets 200 times a second each: the supernode grows by",
                      (grown - before) / 1024, "KiB", at_most=20 * 16 * 2 + 1024, of=LIMITS)
        report.figure("of a flow between members of another network, lost meanwhile", 100 * lost,
                      "%", at_most=10, of="PROTOCOL.md 10.2")
        note(f"of all, {arena.sn.status('supernode-7654')['relay']['groups']}")


family(main)
