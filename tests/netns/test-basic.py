#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two edges and a supernode: everything an Ethernet carries, both ways.

    sn 10.77.0.1 ----+
    a  10.77.0.2 ----+---- switch        a: 10.1.2.1, fd12::1   b: 10.1.2.2, fd12::2
    b  10.77.0.3 ----+

First with IPv4 alone as the underlay, then with IPv6 alone.
"""

import re

from net import Net, datagrams, step, transfer, wait_for

COMMUNITY = ("-c", "mynetwork", "-k", "encryptme")


def check_traffic(a, b):
    for x, y, to in ((a, b, "10.1.2.2"), (b, a, "10.1.2.1")):
        assert x.can_ping(to), f"{x.name} cannot ping {to}"
        mac = re.search(r"link/ether (\S+)", y.run("ip", "link", "show", "n2n0")).group(1)
        assert mac in x.run("ip", "neigh", "show", "dev", "n2n0"), "no ARP entry"
    step("ping and ARP, both ways")
    for x, y, to, to6 in ((a, b, "10.1.2.2", "fd12::2"), (b, a, "10.1.2.1", "fd12::1")):
        x.wait_ping(to6, 5, "-6")
        rate = transfer(y, x, to, 9000, 64)
        transfer(y, x, to6, 9001, 8)
        step(f"TCP from {x.name}, {rate:.0f} MB/s; IPv6 inside as well; hashes are equal")
        arrived = datagrams(y, x, to, 9002, 500)
        assert arrived >= 495, f"{arrived} of 500 datagrams arrived"
        step(f"UDP from {x.name}: {arrived} of 500")
    assert a.run("ping", "-4", "-n", "-c1", "-W2", "-M", "do", "-s", 1376 - 28, "10.1.2.2")
    step("a packet of exactly the MTU of the interface, not fragmented")
    a.run("ping", "-4", "-n", "-c2", "-W2", "-s", 4000, "10.1.2.2")
    step("a packet that IP has to fragment")


def start_pair(net, supernode):
    a, b = net["a"], net["b"]
    edges = [
        a.edge("n2n0", "10.1.2.1", "-a", "fd12::1/64", *COMMUNITY, "-l", supernode),
        b.edge("n2n0", "10.1.2.2", "-a", "fd12::2/64", *COMMUNITY, "-l", supernode),
    ]
    took = a.wait_ping("10.1.2.2", 10)
    step(f"first answer to a ping after {took:.2f} s")
    took = a.wait_direct() + b.wait_direct()
    step(f"direct paths after {took:.2f} s more")
    return edges


def main():
    with Net("sn", "a", "b") as net:
        a, b = net["a"], net["b"]
        net["sn"].supernode("-l", 7654)
        for host in net.hosts.values():
            host.run("ip", "addr", "del", f"{host.ip6}/64", "dev", "eth0")
        edges = start_pair(net, f"{net['sn'].ip}:7654")
        assert a.peers()[0]["path"]["endpoint"].startswith(b.ip), a.peers()
        check_traffic(a, b)
        drops = a.status()["drops"]
        assert not {"auth", "malformed", "source-mac"} & set(drops), drops
        for e in edges:
            assert e.stop() == 0
        wait_for("the supernode forgets them", lambda: net["sn"].status("supernode-7654")[
            "registry"]["members"] == 0, 3)
        step("both left, and the supernode knows it")

        for host in net.hosts.values():
            host.run("ip", "addr", "del", f"{host.ip}/24", "dev", "eth0")
            host.run("ip", "addr", "add", f"{host.ip6}/64", "dev", "eth0", "nodad")
        edges = start_pair(net, f"[{net['sn'].ip6}]:7654")
        assert b.ip6 in a.peers()[0]["path"]["endpoint"], a.peers()
        step("IPv6 outside")
        check_traffic(a, b)


main()
