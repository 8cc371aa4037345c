#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""LANs of 1,500 bytes joined over a network of 1,500 bytes, where full frames do not fit as they are.

    sn      ----+
    a, b, c ----+      a, b: br0 and n2n0, with hosts a1 and b1 of 1,500 bytes behind them
                       c: n2n0 of the default MTU, no bridge

Through the relay, which takes more room yet, and directly; then with eth0 and n2n0 in one bridge.
"""

import struct

from changes import link, notices
from flows import stream, sweep
from frames import TCP, UDP, Frame, Tap
from lan import COMMUNITY, PLAIN_MTU, LanHost, bridged, check_reach, mac_of, make_bridge, wait_met
from net import Net, step
from raw import BROADCAST, SERVICE_VLAN, Card, noise, tag

MEGABYTE = 1 << 20
MTU = 1500


def check_sizes(one, other):
    for tags in (b"", tag(5), tag(100, SERVICE_VLAN) + tag(5)):
        for to in (other.mac, BROADCAST):
            for size in (*range(1280, MTU, 20), *range(MTU - 5, MTU + 1)):
                frame = one.send(to, tags + struct.pack("!H", 0x88a2) + noise(size))
                other.expect(frame, f"{size} bytes of payload")


def check_order(one, other):
    """Of halves and whole frames mixed."""
    frames = [one.send(other.mac, struct.pack("!HH", 0x88a2, n) + noise(n * 37 % MTU))
              for n in range(400) if n * 37 % MTU <= MTU - 2]
    heard = [f for f in other.heard(one.mac, 1) if f[12:14] == b"\x88\xa2"]
    assert heard == frames, (len(heard), len(frames))


def check_trains(one, other):
    """Segments that fill a frame, from cards that leave cutting to others."""
    for v6, size in ((False, MTU - 40), (True, MTU - 60)):
        for proto in (TCP, UDP):
            size = min(size, MTU - (48 if v6 else 28)) if proto == UDP else size
            payload = noise(size * 20)
            one.send(Frame(v6, proto, payload).train(size), other)
            while payload:
                got = other.receive()
                got.check_sums()
                assert payload.startswith(got.payload), (v6, proto, len(got.payload))
                payload = payload[len(got.payload):]


def set_cables(hosts, mtu):
    for host in hosts:
        link(host, "eth0", "mtu", mtu)
        link(host.at, host.name, "mtu", mtu)


def check_full(a1, b1, c, what):
    """Pings that may not be fragmented; and what is larger still."""
    for one, to in ((a1, b1), (b1, a1)):
        for to_ip, overhead in ((to.ip, 28), (to.ip6, 48)):
            family = "-6" if ":" in to_ip else "-4"
            one.wait_ping(to_ip, 10, family)
            for size in (MTU - overhead, 8000):
                dont = ("-M", "do") if size < MTU else ()
                one.run("ping", family, "-n", "-c", 10, "-i", 0.01, "-W2", *dont, "-s", size, to_ip)
        stream((one, to, to.ip, 24 * MEGABYTE))
        sweep(one, to, to.ip, MTU)
        sweep(one, to, to.ip6, MTU)
    stream((a1, b1, b1.ip6, 8 * MEGABYTE), (b1, a1, a1.ip, 8 * MEGABYTE))
    set_cables((a1, b1), MTU + 8)  # the kernel wants room for the tags
    for one, to in ((Card(a1), Card(b1)), (Card(b1), Card(a1))):
        check_sizes(one, to)
        check_order(one, to)
    set_cables((a1, b1), MTU)
    for one, to in ((a1, b1), (b1, a1)):
        check_trains(Tap(one, "eth0", mac_of(one)), Tap(to, "eth0", mac_of(to)))
    step(f"{what}: pings, TCP, UDP, frames of any type, tagged once, twice or not, up to {MTU} bytes")
    for one, to in ((a1, c.inside), (c, a1.ip), (b1, c.inside)):
        one.wait_ping(to, 10)
    stream((a1, c, c.inside, 8 * MEGABYTE), (c, b1, b1.ip, 8 * MEGABYTE))
    sweep(c, a1, a1.ip, PLAIN_MTU)
    step(f"{what}: the same with a member whose MTU is {PLAIN_MTU}")


def main():
    with Net("sn", "a", "b", "c") as net:
        a, b, c = net["a"], net["b"], net["c"]
        net["sn"].supernode("-l", 7654)
        net.keep_order()
        at = (*COMMUNITY, "-l", f"{net['sn'].ip}:7654")
        a.block(b)
        b.block(a)
        for host in (a, b):
            make_bridge(host)
            bridged(host, *at)
        c.inside = "10.1.2.3"
        c.edge("n2n0", c.inside, *at)
        a1, b1 = (LanHost(net, "a1", 11, a, mtu=MTU), LanHost(net, "b1", 21, b, mtu=MTU))
        wait_met(a, b, c)
        check_reach((a1, b1))
        check_full(a1, b1, c, "relayed")
        a.unblock()
        b.unblock()
        a.wait_direct(2, 40)
        b.wait_direct(2, 40)
        check_full(a1, b1, c, "directly")
        for host in (a, b, c):
            assert notices(host) == {}, notices(host)
            drops = host.status()["drops"]
            assert not {"auth", "malformed", "underlay-mtu", "frame-long"} & set(drops), drops


main()
