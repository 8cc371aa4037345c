#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as underlay: no path leads through an n2n network of the host, and all others do.

    sn 10.77.0.1 ----+
    a  10.77.0.2 ----+---- switch
    b  10.77.0.3 ----+
"""

import re
import signal
import subprocess
import time

from net import Net, Pings, sh, step, wait_for

KEY = ("-k", "a long enough pass phrase")
ONE = ("-c", "mynetwork", *KEY)
TWO = ("-c", "othernetwork", "-k", "another long pass phrase")


def in_host(host, *commands):
    """Runs ip commands at a host, all at once."""
    subprocess.run(host.exec + ["ip", "-batch", "-"], input="\n".join(commands), text=True,
                   check=True, timeout=60)


def at(net):
    return ("-l", f"{net['sn'].ip}:7654")


def paths_of(edge):
    """What an edge said of its paths, in order."""
    return re.findall(r"(direct path|through the relay)", edge.text())


def two_networks_on_a_host():
    """README's set-up for two networks, and only the relay is left: neither carries the other."""
    with Net("sn", "a", "b") as net:
        a, b = net["a"], net["b"]
        net["sn"].supernode("-l", 7654)
        a.block(b)
        b.block(a)
        edges = []
        for number, host in ((1, a), (2, b)):
            for n, community in ((1, ONE), (2, TWO)):
                edges.append(host.edge(f"n2n{n - 1}", f"10.{n}.0.{number}", *community, *at(net),
                                       "-a", f"fd5{n}::{number}/64", "-p", 7776 + n))
        a.wait_ping("10.1.0.2", 10)
        a.wait_ping("10.2.0.2", 10)
        time.sleep(3)
        pings = [Pings(a, "10.1.0.2"), Pings(a, "10.2.0.2")]
        time.sleep(8)
        for p in pings:
            sent, lost, gap = p.finish()
            assert lost == 0, f"{lost} of {sent} lost, {gap:.1f} s at a time"
        for host in (a, b):
            for instance in ("n2n0", "n2n1"):
                assert host.paths(instance) == ["relay"], host.peers(instance)
        for e in edges:
            assert "direct path" not in paths_of(e), f"{e.name}: {e.text()}"
        step("two networks on each of two hosts, only the relay is left: nothing nested, no loss")
        a.run("bash", "-c", "for i in 1 2 3; do echo a datagram as long as any >/dev/udp/10.2.0.2/7777; "
              "done")
        wait_for("what comes by another network is dropped",
                 lambda: b.status()["drops"].get("overlay", 0) == 3, 5)
        assert "alias [n2n]" in a.run("ip", "link", "show", "n2n1")
        a.unblock()
        b.unblock()
        took = a.wait_direct(timeout=60)
        b.wait_direct(timeout=60, instance="n2n1")
        step(f"unblocked: direct, by the network underneath, after {took:.1f} s")
        for host in (a, b):
            for instance in ("n2n0", "n2n1"):
                for p in host.peers(instance):
                    where = p["path"].get("endpoint", "10.77.0.")
                    assert where.startswith(("10.77.0.", "[fd77::")), p


def many_interfaces():
    """A host of containers, whose card comes last of all, is reached directly."""
    with Net("sn", "a", "b") as net:
        a, b, sn = net["a"], net["b"], net["sn"]
        sn.supernode("-l", 7654)
        commands = ["link del eth0"]
        for i in range(40):
            commands += [f"link add br{i} type bridge", f"link set br{i} up",
                         f"link add c{i} type veth peer name d{i}",
                         f"link set c{i} master br{i} up", f"link set d{i} up",
                         f"addr add 172.20.{i}.1/24 dev br{i}"]
        commands += [f"link add eth0 type veth peer name a netns {net.switch}",
                     "link set eth0 up", f"addr add {a.ip}/24 dev eth0"]
        in_host(a, *commands)
        sh("ip", "-n", net.switch, "link", "set", "dev", "a", "master", "br0", "up")
        # The supernode sees a NAT that takes nothing from b, and a does not reach b by itself.
        outside = "10.77.0.222"
        a.run("nft", "add table inet test; "
              "add chain inet test to_b { type filter hook output priority 0; }; "
              f"add rule inet test to_b ip daddr {b.ip} ct state new drop; "
              "add chain inet test nat { type nat hook postrouting priority 100; }; "
              f"add rule inet test nat ip daddr {sn.ip} snat ip to {outside}; "
              "add chain inet test input { type filter hook input priority 0; }; "
              f"add rule inet test input ip saddr {b.ip} ip daddr {outside} drop")
        in_host(a, f"addr add {outside}/32 dev lo")
        edge = a.edge("n2n0", "10.1.2.1", *ONE, *at(net))
        edge.wait_says(f"we are seen as {outside}")
        b.edge("n2n0", "10.1.2.2", *ONE, *at(net))
        took = b.wait_direct(timeout=5)
        assert b.peers()[0]["path"]["endpoint"].startswith(f"{a.ip}:"), b.peers()
        assert b.can_ping("10.1.2.1"), b.peers()
        step(f"a host with 40 container bridges: direct {took:.1f} s after the start")


def a_bridged_host():
    """The only address is at a bridge that holds the card and the network's interface."""
    with Net("sn", "a", "b") as net:
        a, b = net["a"], net["b"]
        net["sn"].supernode("-l", 7654)
        a.edge("n2n0", "10.1.2.1", *ONE, *at(net))
        in_host(a, "addr flush dev eth0 scope global", "link add br0 type bridge",
                "link set br0 up", "link set eth0 master br0", f"addr add {a.ip}/24 dev br0")
        b.edge("n2n0", "10.1.2.2", *ONE, *at(net))
        a.wait_ping("10.1.2.2", 20)
        b.wait_direct(timeout=10)
        a.run("ip", "link", "set", "n2n0", "master", "br0")
        time.sleep(3)
        assert a.paths() == b.paths() == ["direct"], (a.peers(), b.peers())
        assert a.ip in b.peers()[0]["path"]["endpoint"], b.peers()
        step("an address at a bridge with the network's interface as a port: direct")


def an_address_inside_the_range():
    """A member's address lies in our own range, and is reached by the card: it is used."""
    with Net("sn", "a", "b") as net:
        a, b = net["a"], net["b"]
        net["sn"].supernode("-l", 7654)
        in_host(a, f"addr add 10.1.2.101/32 dev eth0", "route add 10.1.2.102/32 dev eth0 src 10.1.2.101")
        in_host(b, f"addr add 10.1.2.102/32 dev eth0", "route add 10.1.2.101/32 dev eth0 src 10.1.2.102")
        a.block(b)
        b.block(a)
        a.edge("n2n0", "10.1.2.1/24", *ONE, *at(net))
        b.edge("n2n0", "10.1.2.2/24", *ONE, *at(net))
        a.wait_ping("10.1.2.2", 10)
        took = a.wait_direct(timeout=10)
        b.wait_direct(timeout=10)
        assert a.peers()[0]["path"]["endpoint"].startswith("10.1.2.102:"), a.peers()
        step(f"an address inside the network's range with a route by the card: direct, {took:.1f} s")


def the_mark_comes_and_goes():
    """What a user noted at a persistent interface is put back, also after a kill."""
    with Net("sn", "a") as net:
        a = net["a"]
        note = ["to the cellar"]

        def alias():
            return [line.split(" ", 1)[1] for line in map(
                str.strip, a.run("ip", "link", "show", "n2n0").splitlines()) if line.startswith("alias ")]

        in_host(a, "tuntap add mode tap name n2n0", f"link set n2n0 alias '{note[0]}'")
        for how in (signal.SIGKILL, signal.SIGTERM):
            edge = a.edge("n2n0", "10.1.2.1", *ONE, *at(net))
            assert alias() == [f"[n2n] {note[0]}"], alias()
            edge.stop(how)
            wait_for("nobody uses it", lambda: "NO-CARRIER" in a.run("ip", "link", "show", "n2n0")
                     or "state DOWN" in a.run("ip", "link", "show", "n2n0"), 5)
        assert alias() == note, alias()
        step("a persistent interface is marked while it is used, and then as it was")


def more_than_are_known():
    """Whatever is made upon an interface leads into its network; 64 are known to what drops."""
    with Net("sn", "a") as net:
        a = net["a"]
        edge = a.edge("n2n0", "10.1.2.1", *ONE, *at(net))
        upon = [f"link add link n2n0 name v{i} type macvlan" for i in range(1, 71)]
        in_host(a, *upon[:60])
        time.sleep(2)
        assert not edge.says("lead into n2n networks"), edge.text()
        in_host(a, *upon[60:])
        edge.wait_says("more than 64 interfaces of this host lead into n2n networks")
        in_host(a, "link del v1")
        time.sleep(2)
        assert len(re.findall("lead into n2n networks", edge.text())) == 1, edge.text()
        step("more interfaces than are known: told, once")


def main():
    two_networks_on_a_host()
    many_interfaces()
    a_bridged_host()
    an_address_inside_the_range()
    the_mark_comes_and_goes()
    more_than_are_known()


if __name__ == "__main__":
    main()
