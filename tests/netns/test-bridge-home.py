#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two homes become one LAN: at each, one bridge holds n2n0 and the only card, and the host's address.

    sn 10.77.0.1 ----+---- ra (NAT) ----+---- a: br0 10.1.2.11 with eth0 and n2n0    c: no bridge
    c  10.77.0.4 ----+      10.1.2.1    +---- a1
                     +---- rb (NAT) ----+---- b: br0 10.1.2.21 with eth0 and n2n0
                            10.1.2.2    +---- b1

What the edges send to each other leaves by the very bridge that n2n0 is a port of, and each learns
an address of the other that leads into the network itself.
"""

import time

from changes import notices
from flows import stream
from home import Home
from lan import COMMUNITY, bridged, join_late, wait_met, wait_reach
from net import Net, step
from routed import frames_out

MEGABYTE = 1 << 20
IDLE = 10
FEW = 40  # frames in that time, with ARP and what IPv6 does by itself


def check_joined(sn, a, b, c, a1, b1, what):
    wait_met(a, b, c)
    took = wait_reach((a1, b1), (a, b1), (a, b))
    for host in (a, b):
        assert notices(host) == {} and not host.p.says("led into"), host.p.text()
    for one, to in ((c, a1.ip), (c, b.ip), (a1, c.inside), (b1, c.inside)):
        one.wait_ping(to, 10)
    for one in (a, a1, b, b1):
        one.wait_ping(sn.ip, 10)
    step(f"{what}: both homes are one LAN, and reach the internet each by its own "
         f"router, {took:.1f} s after the edges met")
    a.wait_direct(2, 40)
    b.wait_direct(2, 40)
    stream((a1, b1, b1.ip, 16 * MEGABYTE), (b1, a1, a1.ip, 16 * MEGABYTE))
    stream((c, b1, b1.ip, 8 * MEGABYTE), (a, b1, b1.ip, 8 * MEGABYTE))
    ways = [p["path"]["endpoint"] for host in (a, b) for p in host.peers()]
    assert all(w.startswith("10.77.0.") for w in ways), ways
    step("directly, and by the internet: " + ", ".join(ways))


def check_idle(a, b):
    before = [frames_out(host, "n2n0") for host in (a, b)]
    time.sleep(IDLE)
    frames = [frames_out(host, "n2n0") - n for host, n in zip((a, b), before)]
    assert max(frames) < FEW, frames
    for host in (a, b):
        assert notices(host) == {}, notices(host)
    step(f"nothing to say: {frames[0]} and {frames[1]} frames into n2n0 in {IDLE} s, no notice")


def start(hosts, homes, at, bridge_first):
    for host, home in zip(hosts, homes):
        if bridge_first:
            home.bridge(host)
            host.p = bridged(host, *at)
        else:
            host.p = host.start("edge", "-r", "-d", "n2n0", *at)
            host.p.wait_says(" is up with ")
    if not bridge_first:
        wait_met(*hosts)
        for host, home in zip(hosts, homes):
            home.bridge(host)
            join_late(host)


def main():
    with Net("sn", "ra", "rb", "c") as net:
        sn, c = net["sn"], net["c"]
        sn.supernode("-l", 7654)
        at = (*COMMUNITY, "-l", f"{sn.ip}:7654")
        homes = Home(net, net["ra"], 1), Home(net, net["rb"], 2)
        a, a1 = homes[0].host("a", 11), homes[0].host("a1", 12)
        b, b1 = homes[1].host("b", 21), homes[1].host("b1", 22)
        c.inside = "10.1.2.99"
        c.edge("n2n0", c.inside, *at)
        start((a, b), homes, at, False)
        check_joined(sn, a, b, c, a1, b1, "the bridges were made while edge ran")
        for host, home in ((a, homes[0]), (b, homes[1])):
            assert host.p.stop() == 0
            home.unbridge(host)
        start((a, b), homes, at, True)
        check_joined(sn, a, b, c, a1, b1, "the bridges were there before")
        check_idle(a, b)


main()
