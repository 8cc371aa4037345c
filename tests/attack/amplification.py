#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many bytes a byte brings, and to whom: of strangers, and of edges that are registered."""

import signal
import time

from arena import OWN, SPOOFED, VICTIM, Arena, family, note, wait_for

STRANGERS, REGISTERED = "PROTOCOL.md 4.1", "PROTOCOL.md 7.3"


def ratio(found):
    return found["got_bytes"] / found["sent_bytes"]


def strangers(arena, report):
    slow = {"rate": 15, "seconds": 4, "addresses": 1000}
    for mode, answer in ("inits", "RESPONSE"), ("hellos", "its answer"):
        found = arena.attack(mode, what="bare", **{"from": SPOOFED}, **slow).result()
        assert found["got"] > 0, f"no {mode} were answered: {found}"
        report.figure(f"{mode.upper()[:-1]} of a stranger, the shortest there is, and {answer}: "
                      "bytes out for a byte in", ratio(found), at_most=1, of=STRANGERS)
        shortest = found["sent_bytes"] / found["sent"]
        report.figure("longest answer by the shortest question", found["longest"] / shortest,
                      at_most=1, of=STRANGERS)


def cookies(arena, report):
    """An INIT that was seen before brings a COOKIE at most."""
    a = arena["a"]
    tap = arena.sn.background("tcpdump", "-i", "eth0", "-U", "-w", str(arena.dir / "init.pcap"),
                              "udp", "and", "dst", "port", "7654")
    tap.wait_says("listening on")
    edge = a.edge("n2n0", "10.9.0.1", "-k", arena.new_key(), *arena.at)
    edge.wait_says("registered")
    time.sleep(1)
    tap.stop(signal.SIGINT)
    found = arena.attack("replay", file=arena.dir / "init.pcap", rate=200, seconds=5,
                         addresses=1000, **{"from": SPOOFED}).result()
    report.figure("everything an edge sent is sent again by strangers (COOKIE): bytes out for a "
                  "byte in", ratio(found), at_most=1, of=STRANGERS)
    note(f"{found['got']} answers to {found['sent']}")
    edge.stop()


def registered(arena, report):
    ways = {"ping": "PING", "pings": "a packet full of PINGs", "probe": "PATH_PROBE",
            "unknown": "a message of an unknown type with a sequence",
            "unknowns": "a packet full of those", "gaps": "the same, with gaps between the sequences",
            "register": "REGISTER, nothing acknowledged",
            "wrong-register": "REGISTER with a wrong proof, nothing acknowledged"}
    attacks = {what: arena.attack("amplify", what=what, count=40, rate=10, hold=6, **own(n))
               for n, what in enumerate(ways)}
    once = arena.attack("amplify", what="register", count=1, rate=1, hold=25, **own(20))
    for what, attack in attacks.items():
        report.figure(f"{ways[what]}: bytes out for a byte in", ratio(attack.result()), at_most=2,
                      of=REGISTERED, before="4.5" if what == "unknowns" else "")
    found = once.result()
    report.figure("one REGISTER whose answers are never acknowledged: datagrams, each with messages of "
                  "two types", found["got"], at_most=8, of="PROTOCOL.md 7.2",
                  before="9 in 25 s, and on")
    note(f"{ratio(found):.2f} bytes for a byte")


def own(n):
    """Each attacker has an address of its own."""
    return {"from": OWN.replace(".0.0", f".{n}.1"), "port": 5000}


def forged(arena, report):
    """Each from another address, of which none was ever heard before."""
    ways = {"ping": "PING", "probe": "PATH_PROBE", "unknown": "a message of an unknown type",
            "register": "REGISTER", "nothing": "a keepalive"}
    before = {"ping": "5.0", "probe": "5.0", "unknown": "4.0", "register": "4.0", "nothing": "4.0"}
    attacks = {what: arena.attack("amplify", what=what, count=20, rate=2, hold=5, addresses=256,
                                  victim=VICTIM.replace(".0.", f".{n}."), **own(30 + n))
               for n, what in enumerate(ways)}
    for what, attack in attacks.items():
        found = attack.result()
        report.figure(f"{ways[what]} with a forged source: datagrams to the victim for each",
                      found["got"] / found["sent"], at_most=1, of=REGISTERED, before=before[what])
        note(f"{ratio(found):.2f} bytes for a byte")


def churn(arena, report, members):
    """Beyond what each may be told at once."""
    attack = arena.attack("register", name="restless", count=members, seconds=40, what="churn",
                          rate=1, hold=15, addresses=members, **{"from": OWN})
    first = attack.first(60)
    found = attack.result()
    report.figure(f"{first['registered']} members change incarnation once a second: bytes a second "
                  "for each of them (two pages have 2,364)", found["got_bytes"] / 10 / members, "",
                  at_most=3000, of="PROTOCOL.md 8.2", before="16,000")
    note(f"{found['got_bytes'] / 1e7:.1f} MB/s out of {found['sent_bytes'] / 1e7:.2f} MB/s")


def main(report, quick):
    with Arena("a") as arena:
        strangers(arena, report)
        cookies(arena, report)
        if not quick:
            registered(arena, report)
        forged(arena, report)
        churn(arena, report, 100 if quick else 900)


family(main)
