#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two LANs joined by bridged edges, and a member that is not bridged: one Ethernet for all hosts.

    sn 10.77.0.1 ----+
    a  10.77.0.2 ----+---- switch      a: br0 10.1.2.1    hosts a1 10.1.2.11, a2 10.1.2.12 behind it
    b  10.77.0.3 ----+                 b: br0 10.1.2.2    hosts b1 10.1.2.21, b2 10.1.2.22 behind it
    c  10.77.0.4 ----+                 c: n2n0 10.1.2.3, no bridge

First through the relay, then directly.
"""

import select
import socket
import struct

from changes import notices
from flows import open_at, stream, sweep
from lan import (COMMUNITY, PLAIN_MTU, LanHost, bridged, check_reach, mac_of, make_bridge, wait_met)
from net import Net, step, wait_for

MEGABYTE = 1 << 20
SPOKEN = 20  # datagrams to a group


def check_hosts(a1, b1, b2):
    for host in (a1, b1, b2):
        host.forget()
    check_reach((a1, b1))
    check_reach((a1, b2), family="-6")
    for x, y in ((a1, b1), (b1, a1)):
        entry = x.run("ip", "neigh", "show", y.ip, "dev", "eth0")
        assert mac_of(y) in entry, entry
    step("hosts behind both edges: 10 of 10 pings each way, IPv4 and IPv6, once each; ARP is right")


def check_edges(a, b, c, a1, b1):
    for one, to in ((a1, b.bridged), (b1, a.bridged), (a, b.bridged), (a1, "10.1.2.3"),
                    (b1, "10.1.2.3"), (c, a1.ip), (c, b1.ip), (c, a.bridged)):
        one.wait_ping(to, 10)
    c.wait_ping(a1.ip6, 10, "-6")
    step("so do the bridges' own addresses, and a member that is not bridged")


def group_socket(host, group, port, listens):
    """At a host with an interface eth0."""
    s = open_at(host, socket.AF_INET6 if ":" in group else socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(2)
    index = int(host.run("cat", "/sys/class/net/eth0/ifindex"))
    if ":" in group:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        joined = socket.inet_pton(socket.AF_INET6, group) + struct.pack("=i", index)
        kind = (socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP)
    else:
        joined = socket.inet_aton(group) + socket.inet_aton(host.ip)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(host.ip))
        kind = (socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    if listens:
        s.bind(("", port))
        if not group.endswith(".255"):
            s.setsockopt(*kind, joined)
    return s


def wait_until_heard(source, sinks, to):
    """Streams begin when the speaker's edge has heard who listens."""
    def all_hear():
        source.sendto(b"begin", to)
        return len(select.select(sinks, [], [], 0.1)[0]) == len(sinks)

    wait_for("all listeners hear the group", all_hear, 10)


def after_begin(s):
    while (heard := s.recv(100)) == b"begin":
        pass
    return heard


def check_group(speaker, listeners, group, port):
    sinks = [group_socket(host, group, port, True) for host in listeners]
    source = group_socket(speaker, group, port, False)
    wait_until_heard(source, sinks, (group, port))
    for number in range(SPOKEN):
        source.sendto(b"%d" % number, (group, port))
    for host, s in zip(listeners, sinks):
        heard = [int(after_begin(s))] + [int(s.recv(100)) for _ in range(SPOKEN - 1)]
        assert heard == list(range(SPOKEN)), f"{host.name} at {group}: {heard}"
        s.setblocking(False)
        try:
            raise AssertionError(f"{host.name} heard {s.recv(100)} twice")
        except BlockingIOError:
            s.close()
    source.close()


def check_groups(a1, a2, b1, b2):
    for speaker, listeners in ((a1, (a2, b1, b2)), (b2, (b1, a1, a2))):
        check_group(speaker, listeners, "239.7.7.7", 9007)
        check_group(speaker, listeners, "ff15::77", 9008)
        check_group(speaker, listeners, "10.1.2.255", 9009)
    step("multicast of IPv4 and IPv6, and broadcast: each host hears each datagram once, in order")


def check_bulk(a1, a2, b1, b2, what):
    stream((a1, b1, b1.ip, 64 * MEGABYTE))
    stream((b1, a1, a1.ip, 64 * MEGABYTE))
    stream((a1, b1, b1.ip6, 16 * MEGABYTE), (b2, a2, a2.ip, 16 * MEGABYTE))
    for x, y in ((a1, b1), (b1, a1)):
        sweep(x, y, y.ip, PLAIN_MTU)
        sweep(x, y, y.ip6, PLAIN_MTU)
    step(f"TCP and UDP of all sizes, single, in trains and in fragments, {what}: hashes are equal")


def check_offloads(a1, a2, b1, b2):
    """Those of the cables: what the hosts leave to their cards, the edges' kernels pass on."""
    for host in (a1, b1):
        host.set_features("eth0", "gro", "on")
        host.at.set_features(host.name, "gro", "on")
    check_bulk(a1, a2, b1, b2, "cards that join segments")
    for host in (a1, b1):
        for at, device in ((host, "eth0"), (host.at, host.name)):
            at.set_features(device, "tso", "off", "gso", "off", "gro", "off", "tx", "off", "rx",
                            "off")
    check_bulk(a1, a2, b1, b2, "cards that can nothing")


def main():
    with Net("sn", "a", "b", "c") as net:
        a, b, c = net["a"], net["b"], net["c"]
        net["sn"].supernode("-l", 7654)
        net.keep_order()
        at = (*COMMUNITY, "-l", f"{net['sn'].ip}:7654")
        a.block(b)
        b.block(a)
        for number, host in enumerate((a, b), 1):
            make_bridge(host)
            host.bridged = f"10.1.2.{number}"
            host.run("ip", "addr", "add", f"{host.bridged}/24", "dev", "br0")
            bridged(host, *at)
        c.edge("n2n0", "10.1.2.3", "-a", "fd12::3/64", *at)
        a1, a2 = LanHost(net, "a1", 11, a), LanHost(net, "a2", 12, a)
        b1, b2 = LanHost(net, "b1", 21, b), LanHost(net, "b2", 22, b)
        wait_met(a, b, c)
        kinds = [p["path"]["kind"] for p in a.peers() if p["mac"] == mac_of(b, "n2n0")]
        assert kinds == ["relay"], kinds
        check_hosts(a1, b1, b2)
        check_groups(a1, a2, b1, b2)
        stream((a1, b1, b1.ip, 32 * MEGABYTE))
        step("all of it relayed")
        a.unblock()
        b.unblock()
        a.wait_direct(2, 40)
        b.wait_direct(2, 40)
        check_hosts(a1, b1, b2)
        check_edges(a, b, c, a1, b1)
        check_groups(a1, a2, b1, b2)
        check_bulk(a1, a2, b1, b2, "with all offloads")
        check_offloads(a1, a2, b1, b2)
        for host in (a, b, c):
            assert notices(host) == {}, notices(host)
            drops = host.status()["drops"]
            assert not {"auth", "malformed", "source-mac", "foreign-source"} & set(drops), drops
        step("no edge has anything to complain of")


main()
