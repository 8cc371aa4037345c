#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines set up anew, with a new identity and the old IP address; and two that have one address.

    sn 10.77.0.1 ----+
    a  10.77.0.2 ----+---- switch     who pings
    b, c, d, e   ----+                old and new ones
"""

import signal
import time

from net import Net, step, wait_for

COMMUNITY = ("-c", "mynetwork", "-k", "a long enough pass phrase")
ONE, OTHER = ("10.1.2.9", "fd88::9"), ("10.1.2.8", "fd88::8")
FAMILIES = ("-4", "-6")


def start(host, addresses):
    p = host.edge("n2n0", addresses[0], "-a", addresses[1], *COMMUNITY,
                  "-l", f"{host.net['sn'].ip}:7654")
    p.wait_says("registered in community")
    return p


def known(a, address):
    """The MAC address that the host remembers."""
    words = a.run("ip", "neigh", "show", address, "dev", "n2n0").split()
    return words[words.index("lladdr") + 1] if "lladdr" in words else None


def reach(a, addresses, timeout):
    for family, address in zip(FAMILIES, addresses):
        a.wait_ping(address, timeout, family)


def replaced(a, new, addresses, stopped, limit):
    """Everything goes to the new one within the limit; only a speaks."""
    reach(a, addresses, limit + 5)
    took = time.monotonic() - stopped
    mac = new.community()["mac"]
    assert all(known(a, address) == mac for address in addresses), (mac, addresses)
    assert took < limit, took
    return took


def conflicts(host, addresses):
    return [n for n in host.status()["notices"] if n["code"] == "ip-conflict" and
            n["subject"] in addresses]


def main():
    with Net("sn", "a", "b", "c", "d", "e") as net:
        a, b, c, d, e, sn = (net[name] for name in ("a", "b", "c", "d", "e", "sn"))
        sn.supernode("-l", 7654)
        pa = start(a, ("10.1.2.1", "fd88::1"))
        pb, pd = start(b, ONE), start(d, OTHER)
        reach(a, ONE, 10)
        reach(a, OTHER, 10)

        killed = time.monotonic()
        pd.stop(signal.SIGKILL)
        stopped = time.monotonic()
        assert pb.stop() == 0
        pc = start(c, ONE)
        took = replaced(a, c, ONE, stopped, 3)
        step(f"after a clean stop the new machine is reached {took:.1f} s later")

        start(e, OTHER)
        start(b, ONE)
        for host, other in ((b, c), (c, b)):
            wait_for("the two are told", lambda: len(conflicts(host, ONE)) == 2, 5)
            text = conflicts(host, ONE)[0]["text"]
            assert other.community()["id"][:8] in text and other.community()["mac"] in text, text
            assert "is ours" in text and "option -a" in text, text
        step("two members with one address are told at once")

        took = replaced(a, e, OTHER, killed, 35)
        for host in (a, b, c, e):
            assert not conflicts(host, OTHER), host.status()["notices"]
        step(f"after SIGKILL the new machine is reached {took:.1f} s later, and nobody takes it "
             "for a conflict")

        wait_for("a is told", lambda: len(conflicts(a, ONE)) == 2, 50)
        text = next(n for n in conflicts(a, ONE) if n["subject"] == ONE[0])["text"]
        assert all(host.community()["id"][:8] in text for host in (b, c)), text
        assert pa.text().count(f"{ONE[0]} is claimed by two members") == 1, pa.text()
        assert pc.stop() == 0
        wait_for("it is over", lambda: not a.status()["notices"] and not b.status()["notices"], 5)
        a.wait_ping(ONE[0], 3)
        step("and so is a third one, until one of the two ends")


main()
