#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Full frames, of 1,500 bytes and two VLAN tags, over links that take no more than 1,500 bytes
altogether, and over smaller ones: they go in halves.

    sn 10.77.0.1 ----+
    a  10.77.0.2 ----+---- switch         n2n0: a 10.1.2.1, b 10.1.2.2, MTU 1,500
    b  10.77.0.3 ----+

First through the relay, then directly.
"""

import os
import socket
import struct
import subprocess

from changes import link, notices, wait_notice
from flows import SO_RCVBUFFORCE, open_at, stream, sweep
from frames import (ETH_P_ALL, PACKET_AUXDATA, PACKET_OUTGOING, PACKET_VNET_HDR, SOL_PACKET, TCP,
                    VNET_HDR, Frame)
from lan import COMMUNITY, LanHost, bridged, mac_of, make_bridge
from net import Net, step, wait_for
from raw import SERVICE_VLAN, Card, tag, with_tag

MEGABYTE = 1 << 20
ETHERTYPE = b"\x88\xb5"
# Several take fragments and whole packets from different queues: these may overtake each other.
ONE_WORKER = os.environ.get("N2N_WORKERS", "1") == "1"
BAD = {"underlay-mtu", "piece-late", "piece-room", "malformed", "frame-long", "uncut", "cipher",
       "auth", "socket"}


def answered(host, to, size, family="-4", count=10):
    """How many pings of this many bytes are answered, that nobody may fragment."""
    done = subprocess.run(
        host.exec + ["ping", family, "-n", "-q", "-i", "0.05", "-c", str(count), "-W", "1",
                     "-M", "do", "-s", str(size), to],
        capture_output=True, text=True, timeout=60)
    return int(done.stdout.split(" received")[0].split()[-1])


def assert_clean(*hosts):
    for host in hosts:
        drops = host.status()["drops"]
        assert not BAD & set(drops), f"{host.name}: {drops}"
        assert notices(host) == {}, notices(host)


def check_pings(a, b):
    for one, to, to6 in ((a, "10.1.2.2", "fd12::2"), (b, "10.1.2.1", "fd12::1")):
        got = answered(one, to, 1472), answered(one, to6, 1452, "-6")
        assert got == (10, 10), f"{one.name}: {got} of 10 full pings, IPv4 and IPv6"


def check_bulk(a, b, size):
    stream((a, b, "10.1.2.2", size), (b, a, "fd12::1", size))
    for one, other, to in ((a, b, "10.1.2.2"), (b, a, "10.1.2.1"), (a, b, "fd12::2")):
        sweep(one, other, to, 1500, ONE_WORKER)


class Tap:
    """An edge's interface, for frames as they are."""

    def __init__(self, host, train=False):
        self.mac = bytes.fromhex(mac_of(host, "n2n0").replace(":", ""))
        self.socket = open_at(host, socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.setsockopt(SOL_PACKET, PACKET_VNET_HDR, int(train))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self.socket.bind(("n2n0", ETH_P_ALL))
        self.socket.settimeout(3)
        self.skip = VNET_HDR.size if train else 0

    def receive(self):
        """The next frame with our EtherType or our tags; what the kernel says of it is left out."""
        while True:
            data, controls, _, address = self.socket.recvmsg(70000, 64)
            frame = with_tag(data[self.skip:], controls)
            if address[2] != PACKET_OUTGOING and ETHERTYPE in frame[12:22] + frame[12:14] or \
                    address[2] != PACKET_OUTGOING and frame[12:14] == struct.pack("!H", SERVICE_VLAN):
                return frame


def check_tags(a, b):
    """Frames of 1,514 and 1,518 bytes, and trains of 1,522 behind two tags."""
    one, other = Tap(a), Tap(b)
    for tags in (b"", tag(5)):
        frame = other.mac + one.mac + tags + ETHERTYPE + os.urandom(1500)
        for _ in range(3):
            one.socket.send(frame)
            got = other.receive()
            assert got == frame, f"{len(got)} bytes for {len(frame)}"
    one, other = Tap(a, True), Tap(b, True)
    for v6 in (False, True):
        payload = os.urandom(20000)
        train = Frame(v6, TCP, payload, tag=5).train(1500 - (60 if v6 else 40))
        flags, kind, head, size, start, at = VNET_HDR.unpack(
            train.to_bytes(other.mac, one.mac)[:VNET_HDR.size])
        frame = train.to_bytes(other.mac, one.mac)[VNET_HDR.size:]
        frame = frame[:12] + tag(7, SERVICE_VLAN) + frame[12:]
        one.socket.send(VNET_HDR.pack(flags, kind, head + 4, size, start + 4, at) + frame)
        headers = 22 + (60 if v6 else 40)
        got = b""
        while len(got) < len(payload):
            part = other.receive()
            assert part[:22] == frame[:22], part[:22].hex()
            got += part[headers:]
        assert got == payload, "a train behind two tags came altered"


def check_all(a, b, how):
    check_pings(a, b)
    check_tags(a, b)
    check_bulk(a, b, 32 * MEGABYTE)
    assert_clean(a, b)
    step(f"{how}: pings of 1,500 bytes, TCP with offloads, UDP of all sizes, one and two tags")


def check_small_link(a, b, mtu):
    link(a, "dev", "eth0", "mtu", mtu)
    wait_for("the edge has seen the new MTU", lambda: answered(a, "10.1.2.2", 1472, count=1) == 1, 5)
    before = a.status()["drops"].get("underlay-mtu", 0)
    check_pings(a, b)
    stream((a, b, "10.1.2.2", 4 * MEGABYTE), (b, a, "10.1.2.1", 4 * MEGABYTE))
    lost = a.status()["drops"].get("underlay-mtu", 0) - before
    assert lost == 0, f"{lost} datagrams were larger than {mtu}"
    assert notices(a) == {}, notices(a)


def check_hopeless_link(a):
    """Not even halves fit: the status says so."""
    link(a, "dev", "eth0", "mtu", 600)
    a.background("ping", "-n", "-q", "-i", "0.2", "-s", "1472", "10.1.2.2")
    wait_notice(a, "underlay-mtu", "", "larger than the interface takes", timeout=15)


def check_cards(a, b):
    one, other = Card(a), Card(b)
    one.send(b"\xff" * 6, ETHERTYPE + b"here am I")
    other.send(one.mac, ETHERTYPE + b"and I")
    for tags in (b"", tag(5), tag(5, SERVICE_VLAN), tag(7, SERVICE_VLAN) + tag(5),
                 tag(7) + tag(5)):
        for x, y in ((one, other), (other, one)):
            for _ in range(3):
                frame = x.send(y.mac, tags + ETHERTYPE + os.urandom(1500))
                y.expect(frame, f"a frame of {len(frame)} bytes with {len(tags) // 4} tags")


def bridged_cards():
    """Two LANs of 1,500 bytes, joined by edges that were told nothing of MTUs."""
    with Net("sn", "a", "b") as net:
        a, b = net["a"], net["b"]
        net["sn"].supernode("-l", 7654)
        net.keep_order()
        for host in (a, b):
            make_bridge(host)
            bridged(host, *COMMUNITY, "-l", f"{net['sn'].ip}:7654")
        # Room for two tags, which a card has and a pair of veth has not.
        a1, b1 = LanHost(net, "a1", 11, a, mtu=1508), LanHost(net, "b1", 21, b, mtu=1508)
        a1.wait_ping(b1.ip, 15)
        a.wait_direct(timeout=40)
        b.wait_direct(timeout=40)
        check_cards(a1, b1)
        for host in (a1, b1):
            link(host, "dev", "eth0", "mtu", 1500)
        got = answered(a1, b1.ip, 1472), answered(b1, a1.ip6, 1452, "-6")
        assert got == (10, 10), got
        stream((a1, b1, b1.ip, 16 * MEGABYTE), (b1, a1, a1.ip6, 16 * MEGABYTE))
        assert_clean(a, b)
        step("bridged, without a word of MTUs: frames of 1,522 bytes with two tags, pings, TCP")


def main():
    with Net("sn", "a", "b") as net:
        a, b = net["a"], net["b"]
        net["sn"].supernode("-l", 7654)
        net.keep_order()
        a.block(b)
        b.block(a)
        for n, host in ((1, a), (2, b)):
            host.edge("n2n0", f"10.1.2.{n}", "-a", f"fd12::{n}/64", "-M", 1500, *COMMUNITY,
                      "-l", f"{net['sn'].ip}:7654")
        a.wait_ping("10.1.2.2", 10)
        a.wait_ping("fd12::2", 10, "-6")
        b.wait_ping("fd12::1", 10, "-6")
        assert a.paths() == ["relay"], a.paths()
        check_all(a, b, "relayed")
        a.unblock()
        b.unblock()
        a.wait_direct(timeout=40)
        b.wait_direct(timeout=40)
        check_all(a, b, "directly")
        for mtu in (1400, 1280):
            check_small_link(a, b, mtu)
        step("the same over a link of 1,400 and of 1,280 bytes, from when the edge sees it")
        check_hopeless_link(a)
        step("a link of 600 bytes is named as what is wrong")


main()
bridged_cards()
