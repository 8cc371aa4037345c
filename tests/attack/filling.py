#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""One address registers as many as it can: others find room all the same."""

from arena import OWN, Arena, Newcomers, family, note

NAME, PASSPHRASE = "open house", "a long enough pass phrase"


def fill_community(arena, report, newcomers):
    """Who knows the name of a passphrase community can register in it."""
    words = ("-c", NAME, "-k", PASSPHRASE, *arena.at)
    calm = newcomers.join(*words)
    attack = arena.attack("register", name=NAME, count=1200, seconds=15, hold=3600,
                          **{"from": OWN})
    found = attack.first(30)
    took = newcomers.join(*words, patience=15)
    report.figure("1,200 registrations in a passphrase community from one address: a newcomer "
                  "elsewhere is registered later than without by", took - calm, "s", at_most=1.5,
                  of="PROTOCOL.md 8.6", before="never, it is full")
    report.figure("of these, registered", found["registered"], at_most=300, of="PROTOCOL.md 8.6",
                  before="999")
    note(f"{found['registered']} registered in {found['seconds']} s, {found['full']} were told "
         f"it is full, {found['unanswered']} heard nothing")
    attack.stop()
    return found["registered"]


def fill_supernode(arena, report, newcomers, seconds):
    """Communities of its own, one for each registration."""
    words = ("-k", arena.new_key(), *arena.at)
    calm = newcomers.join(*words)
    attack = arena.attack("register", count=19999, seconds=seconds, hold=3600, window=64,
                          **{"from": OWN})
    found = attack.first(seconds + 30)
    took = newcomers.join(*words, patience=15)
    report.figure(f"registrations that one address gets in {seconds} s", found["registered"], "",
                  at_most=1200, of="PROTOCOL.md 8.6", before="about 500 a second")
    report.figure("meanwhile a newcomer elsewhere is registered later than without by", took - calm,
                  "s", at_most=1.5, of="PROTOCOL.md 8.6")
    note(f"{found['full']} were told it is full, {found['unanswered']} heard nothing")
    attack.stop()


def main(report, quick):
    with Arena("new") as arena:
        newcomers = Newcomers(arena, arena["new"])
        fill_community(arena, report, newcomers)
        fill_supernode(arena, report, newcomers, 5 if quick else 60)


family(main)
