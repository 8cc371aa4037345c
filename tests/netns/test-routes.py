#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes that change under a running edge, and supernodes behind an interface of a network.

    sn 10.77.0.1 ----+
    a  10.77.0.2 ----+---- switch
    b  10.77.0.3 ----+
"""

import re
import subprocess
import time

from net import Net, Pings, step, wait_for

KEY = ("-k", "a long enough pass phrase")
ONE = ("-c", "mynetwork", *KEY)
TWO = ("-c", "othernetwork", *KEY)


def in_host(host, *commands):
    """Runs ip commands at a host, all at once."""
    subprocess.run(host.exec + ["ip", "-batch", "-"], input="\n".join(commands), text=True,
                   check=True, timeout=60)


def at(net):
    return ("-l", f"{net['sn'].ip}:7654")


def cpu_ms(host):
    """What the edge has used."""
    for p in host.net.started:
        if p.name == f"edge at {host.name}":
            fields = open(f"/proc/{p.pid}/stat").read().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) * 10
    raise AssertionError("no edge")


def a_route_changes():
    """A route that leads a path into its own network: the relay takes over, until it goes."""
    with Net("sn", "a", "b") as net:
        a, b = net["a"], net["b"]
        net["sn"].supernode("-l", 7654)
        a.edge("n2n0", "10.1.2.1", *ONE, *at(net))
        b.edge("n2n0", "10.1.2.2", *ONE, *at(net))
        a.wait_ping("10.1.2.2", 10)
        a.wait_direct()
        b.wait_direct()
        for address in (b.ip, b.ip6):
            a.run("ip", "route", "add", address, "dev", "n2n0")
        took = wait_for("the relay", lambda: a.paths() == ["relay"], 5)
        reason = a.peers()[0]["path"]["reason"]
        assert reason == "overlay", reason
        assert took < 3, f"{took:.1f} s until the path was given up"
        time.sleep(4)
        pings = Pings(a, "10.1.2.2")
        time.sleep(3)
        sent, lost, gap = pings.finish()
        assert lost == 0, f"{lost} of {sent} lost"
        assert a.paths() == ["relay"], a.peers()
        step(f"a route into the network: relayed after {took:.2f} s, the status says why, no loss")
        for address in (b.ip, b.ip6):
            a.run("ip", "route", "del", address, "dev", "n2n0")
        took = a.wait_direct(timeout=5)
        step(f"the route is gone: direct after {took:.2f} s")
        b.wait_direct()
        what_changes_all_the_time(a)


def what_changes_all_the_time(a):
    """A router's table, and interfaces of n2n: cost little, and nobody is told anything."""
    a.run("nft", "add table inet count; "
          "add chain inet count out { type filter hook output priority 0; }; "
          "add rule inet count out oifname eth0 meta l4proto udp counter")
    in_host(a, "tuntap add mode tap name other0", "link set other0 alias [n2n]")
    cpu, start = cpu_ms(a), time.monotonic()
    for i in range(20):
        in_host(a, *[f"route add 10.99.{i}.0/24 dev eth0" for i in range(200)])
        in_host(a, *[f"route del 10.99.{i}.0/24 dev eth0" for i in range(200)])
        in_host(a, "addr add 10.98.0.1/24 dev other0", "link set other0 up")
        time.sleep(0.2)
        in_host(a, "link set other0 down", "addr del 10.98.0.1/24 dev other0")
    used, took = cpu_ms(a) - cpu, time.monotonic() - start
    sent = int(re.search(r"counter packets (\d+)", a.run("nft", "list", "table", "inet", "count"))[1])
    assert a.paths() == ["direct"], a.peers()
    # Beside PINGs and what keeps a NAT open: 20 changes told would be 60 and more.
    assert sent < 20 + 2 * took, f"{sent} datagrams in {took:.1f} s"
    assert used < 500, f"8,000 changes of routes took {used} ms of CPU"
    step(f"8,000 changes of routes, 40 of an n2n interface in {took:.0f} s: {used} ms of CPU, {sent} datagrams")


def a_supernode_inside():
    """A supernode by our own interface is told; one inside another network is the user's will."""
    with Net("sn", "a", "b") as net:
        a, b, sn = net["a"], net["b"], net["sn"]
        sn.supernode("-l", 7654)
        edge = a.edge("n2n0", "10.77.0.102/16", *ONE, *at(net), "-p", 7779)
        assert "own-datagrams" not in str(a.status())
        a.run("ip", "route", "add", sn.ip, "dev", "n2n0")
        wait_for("the notice", lambda: "own-datagrams" in str(a.status()), 5)
        assert edge.says(r"our own packets to 10\.77\.0\.1 .* are led into n2n0"), edge.text()
        a.run("ip", "route", "del", sn.ip, "dev", "n2n0")
        wait_for("no notice", lambda: "own-datagrams" not in str(a.status()), 5)
        step("a supernode behind the network's own interface is told, while it is so")
        edge.stop()
        # sn and a are members of one network, and sn is a's supernode in it for another.
        sn.edge("n2n0", "10.1.0.1", *ONE, *at(net))
        a.edge("n2n0", "10.1.0.2", *ONE, *at(net))
        b.edge("n2n0", "10.1.0.3", *ONE, *at(net))
        a.wait_ping("10.1.0.1", 20)
        for host, number in ((a, 2), (b, 3)):
            host.edge("n2n1", f"10.2.0.{number}", *TWO, "-l", "10.1.0.1:7654", "-p", 7780)
        a.wait_ping("10.2.0.3", 20)
        assert "own-datagrams" not in str(a.status("n2n1"))
        took = a.wait_direct(timeout=20, instance="n2n1")
        where = a.peers("n2n1")[0]["path"]["endpoint"]
        assert not where.startswith("10.1.0."), where
        step(f"a supernode inside another network is used, and paths lead outside of it ({where})")


def main():
    a_route_changes()
    a_supernode_inside()


if __name__ == "__main__":
    main()
