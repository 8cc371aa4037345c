#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host asks before anybody is there is answered when somebody comes: it asks once only.

    sn ----+---- a: pings before b is there
           +---- b

The system's ARP does not ask again for 30 s, so that a lost question is no matter of time. The addresses are given by
hand, so that no edge claims them and announces them to its host.
"""

import re
import time

from lan import COMMUNITY
from net import Net, step

PATIENCE = 20
BEFORE = 0.7


def start(host, ip, at):
    if host.has_interface("n2n0"):
        host.run("ip", "link", "del", "n2n0")
    host.run("ip", "tuntap", "add", "n2n0", "mode", "tap")
    host.run("sysctl", "-qw", "net.ipv4.neigh.n2n0.retrans_time_ms=30000")
    host.run("ip", "addr", "add", f"{ip}/24", "dev", "n2n0")
    host.p = host.start("edge", "-d", "n2n0", *at)
    host.p.wait_says(" is up with ")


def ping(host, to):
    return host.background("ping", "-D", "-n", "-c1", f"-W{PATIENCE}", to)


def answered(p):
    """When."""
    p.ends(PATIENCE + 5)
    found = re.search(r"\[([\d.]+)\] .*ttl=", p.text())
    assert found, f"the ping was lost:\n{p.text()}"
    return float(found.group(1))


def registered(host):
    """When, to some milliseconds."""
    host.p.wait_says("registered in community", 20)
    return time.time()


def second_comes(a, b, at, what):
    start(a, "10.1.2.1", at)
    registered(a)
    pings = ping(a, "10.1.2.2")
    time.sleep(BEFORE)
    start(b, "10.1.2.2", at)
    since = registered(b)
    took = answered(pings) - since
    step(f"{what}: the first ping is answered {1000 * took:.0f} ms after the second edge's registration")
    for host in (a, b):
        host.p.stop()


def main():
    with Net("sn", "a", "b") as net:
        a, b, sn = net["a"], net["b"], net["sn"]
        supernode = sn.supernode("-l", 7654)
        key = a.run(net.programs["n2n"], "key", "new", "mynetwork").split()[-1]
        l = ("-l", f"{sn.ip}:7654")
        second_comes(a, b, (*COMMUNITY, *l), "passphrase")
        second_comes(a, b, ("-k", key, *l), "key")
        a.block(b)
        b.block(a)
        second_comes(a, b, (*COMMUNITY, *l), "relayed, passphrase")
        second_comes(a, b, ("-k", key, *l), "relayed, key")

        supernode.stop()
        start(a, "10.1.2.1", (*COMMUNITY, *l))
        start(b, "10.1.2.2", (*COMMUNITY, *l))
        pings = ping(a, "10.1.2.2")
        time.sleep(5)
        sn.supernode("-l", 7654)
        registered(a)
        since = registered(b)
        step(f"a supernode 5 s late: answered {1000 * (answered(pings) - since):.0f} ms after both are registered")


main()
