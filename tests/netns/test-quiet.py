#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""What waits in silence says why: nobody else there, no address, a supernode that nobody reaches.

    sn  10.77.0.1 ----+      sn: a supernode that only an edge of its own host uses
    sn2 10.77.0.2 ----+      sn2: the one of a, b and c
    a, b, c       ----+
"""

import time

from net import Net, step, wait_for

SECRET = ("-k", "a long enough pass phrase")


def codes(host, instance="n2n0"):
    return {n["code"]: n["text"] for n in host.status(instance)["notices"]}


def wait_code(host, code, timeout, instance="n2n0"):
    return wait_for(f"{host.name} has the notice {code}", lambda: code in codes(host, instance),
                    timeout, 0.2)


def wait_none(host, timeout=4, instance="n2n0"):
    wait_for(f"{host.name} has no notice", lambda: not codes(host, instance), timeout)


def check_alone(a, b, p, at):
    wait_code(a, "alone", 30)
    text = codes(a)["alone"]
    assert "community Friends" in text and "capital letters" in text, text
    assert "WARNING: nobody" not in p.text() and p.text().count("nobody else is in") == 1
    assert a.community()["state"] == "alone"
    subjects = {n["code"]: n["subject"] for n in a.status("n2n0")["notices"]}
    assert subjects["alone"] == "n2n0", subjects
    friend = b.edge("n2n1", "10.1.5.2", "-c", "Friends", *SECRET, *at)
    wait_for("it is not alone any more", lambda: "alone" not in codes(a), 10)
    a.wait_ping("10.1.5.2", 10)
    assert friend.stop() == 0
    step("alone in a community: told after 15 s, not as a warning, until somebody comes")


def check_not_alone(a, p):
    """It has met somebody before, so that name and key are right."""
    assert p.stop() == 0
    p = a.edge("n2n0", "10.1.5.1", "-c", "Friends", *SECRET, *p.at)
    p.since = time.monotonic()
    return p


def main():
    with Net("sn", "sn2", "a", "b", "c") as net:
        sn, sn2, a, b, c = (net[n] for n in ("sn", "sn2", "a", "b", "c"))
        at = ("-l", f"{sn2.ip}:7654")
        lonely = sn.supernode("-l", 7654)
        began = time.monotonic()
        for device, ip in (("n2n0", "127.0.0.1"), ("n2n1", sn.ip)):
            sn.edge(device, f"10.1.{device[-1]}.1", "-c", "x", *SECRET, "-l", f"{ip}:7654")
        sn2.supernode("-l", 7654)
        typo = a.edge("n2n0", "10.1.5.1", "-c", "Friends", *SECRET, *at)
        typo.at = at
        met = [h.edge("n2n2", f"10.1.6.{i}", "-c", "friends", *SECRET, *at)
               for i, h in ((1, a), (2, b))]
        # Without an address: left so, given one by hand, put into a bridge, asked for by a VLAN.
        bare = c.start("edge", "-d", "n2n0", "-c", "x", *SECRET, *at)
        c.start("edge", "-d", "n2n1", "-c", "x", *SECRET, *at)
        c.start("edge", "-d", "n2n2", "-c", "x", *SECRET, *at)
        for device in ("n2n0", "n2n1", "n2n2"):
            wait_for(f"{device} is there", lambda: c.has_interface(device), 5)
        c.run("ip", "link", "add", "br0", "type", "bridge")
        time.sleep(5)
        c.run("ip", "addr", "add", "10.1.7.1/24", "dev", "n2n1")
        c.run("ip", "link", "set", "n2n2", "master", "br0")

        check_alone(a, b, typo, at)
        assert codes(a, "n2n2") == codes(b, "n2n2") == {}, "two who met are told"
        typo = check_not_alone(a, typo)
        wait_code(c, "no-address", 15)
        assert "ip addr add" in codes(c)["no-address"]
        bare.wait_says("WARNING: n2n0 has no address")
        assert codes(c, "n2n1") == codes(c, "n2n2") == {}
        c.run("ip", "addr", "add", "10.1.8.1/24", "dev", "n2n0")
        wait_none(c)
        step("without an address: told after 15 s, but not with one given later or in a bridge")

        time.sleep(max(0, typo.since + 20 - time.monotonic()))
        assert codes(a) == {} and a.community()["state"] == "alone", codes(a)
        step("alone after others were met: nothing is told")

        wait_code(sn, "nobody-came", began + 65 - time.monotonic(), "supernode-7654")
        assert time.monotonic() - began > 59
        text = codes(sn, "supernode-7654")["nobody-came"]
        assert "UDP port 7654" in text and "firewall" in text, text
        assert lonely.says("no edge on another host") and not lonely.says("WARNING: no edge")
        assert codes(sn2, "supernode-7654") == {}
        b.edge("n2n0", "10.1.9.1", "-c", "x", *SECRET, "-l", f"{sn.ip}:7654")
        wait_none(sn, 10, "supernode-7654")
        step("a supernode that only its own host reached says so after 60 s, until one comes")
        for p in met:
            assert p.stop() == 0


main()
