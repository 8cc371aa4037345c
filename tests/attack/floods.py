#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Floods of strangers: whoever is new gets in all the same, and who is there notices nothing."""

import signal
import time

from arena import OWN, Arena, Flow, Newcomers, family, median, note, percentile, wait_for

GET_IN = "PROTOCOL.md 8.5"


class Floods:
    def __init__(self, arena, report):
        self.arena, self.report = arena, report
        self.newcomers = Newcomers(arena, arena["new"])

    def flood(self, mode, rate, number, bound, before):
        """Newcomers before the flood tell what this machine takes for one anyway."""
        arena, join = self.arena, self.newcomers.join
        words = ("-k", arena.new_key(), *(arena.at if mode == "inits" else arena.at_unknown))
        calm = [join(*words) for _ in range(3)]
        attack = arena.spoofed(mode, rate, 3600, pool=10000).ready()
        time.sleep(2)  # what may be saved up is spent
        start = time.monotonic()
        took = []
        while len(took) < number and sum(took) < 3 * number * bound:
            took.append(join(*words, patience=30))
        sent = attack.stop()["sent"] / (time.monotonic() - start + 2)
        self.report.figure(
            f"{rate:,} {mode.upper()[:-1]}s a second from 10,000 addresses: a newcomer is "
            f"registered that much later than without, p99 of {len(took)}",
            percentile(took, 99) - min(calm), "s", at_most=bound, of=GET_IN, before=before)
        note(f"median {median(took):.2f} s, without {median(calm):.2f} s; {sent:,.0f} a second "
             "were sent")


    def established(self, mode, rate, rounds, before):
        """Frames that the supernode relays, with the flood and without by turns."""
        arena, report = self.arena, self.report
        shares = {True: [], False: []}
        for n in range(2 * rounds):
            flooded = n % 2 == 1
            attack = arena.spoofed(mode, rate, 60, pool=10000).ready() if flooded else None
            flow = Flow(arena["a"], arena["b"], "10.9.0.2", 2000)
            time.sleep(4)
            sent, lost = flow.finish()
            shares[flooded].append(1 - lost / sent)
            if attack:
                attack.stop()
        report.figure(f"{rate:,} {mode.upper()[:-1]}s a second: what is left of 16 Mbit/s that the "
                      f"supernode relays, median of {rounds}",
                      100 * median(shares[True]) / median(shares[False]), "%", at_least=90,
                      of=GET_IN, before=before)

    def known_address(self, number, before):
        """One who is registered floods, and another whose address is known as well comes again."""
        arena, a = self.arena, self.arena["a"]
        member = arena.attack("register", count=1, seconds=10, hold=3600, port=5000,
                              **{"from": OWN})
        assert member.first(20)["registered"] == 1
        words = ("-k", arena.new_key(), *arena.at)

        def again(port):
            start = time.monotonic()
            edge = a.edge("n2n1", "10.9.2.1", "-p", f"{a.ip}:{port}", *words, ready=False)
            try:
                wait_for("registered", lambda: edge.says("registered in"), 15, 0.005)
            except AssertionError:
                pass
            took = time.monotonic() - start
            time.sleep(0.2)
            edge.stop(signal.SIGKILL)
            return took
        # Which worker of the supernode an edge and the attacker share hangs on their ports.
        ports = range(40001, 40001 + number)
        calm = [again(port) for port in ports]
        attack = arena.attack("hellos", rate=20000, seconds=3600, port=5000, **{"from": OWN}).ready()
        time.sleep(2)
        took = [again(port) for port in ports]
        attack.stop()
        member.stop()
        self.report.figure(
            "20,000 HELLOs a second from a registered edge's address: another member that comes "
            f"again is registered that much later than without, longest of {number}",
            max(took) - min(calm), "s", at_most=3, of=GET_IN, before=before)


def main(report, quick):
    with Arena("new", "a", "b") as arena:
        arena.relayed_pair(arena["a"], arena["b"], "-k", arena.new_key(), *arena.at)
        floods = Floods(arena, report)
        floods.flood("inits", 5000, 3 if quick else 50, 1.5, "30 s")
        floods.flood("hellos", 5000, 3 if quick else 50, 1.5, "29 s")
        floods.known_address(3 if quick else 12, "6.4 s")
        floods.established("inits", 5000, 1 if quick else 3, "")
        if not quick:
            floods.flood("inits", 20000, 20, 3, "")
            floods.flood("hellos", 20000, 20, 3, "")
            floods.established("inits", 20000, 3, "")
            floods.established("hellos", 20000, 3, "")


family(main)
