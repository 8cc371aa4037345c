#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two LANs joined by bridged edges carry every frame as it is: tags, odd EtherTypes, odd lengths.

    sn 10.77.0.1 ----+
    a  10.77.0.2 ----+---- switch        a, b: br0 with n2n0; host a1 behind a, b1 behind b
    b  10.77.0.3 ----+
"""

import struct

import flows
from frames import TCP, UDP, Frame, Tap
from lan import COMMUNITY, PLAIN_MTU, LanHost, bridged, check_reach, make_bridge, mac_of, wait_met
from net import Net, step
from raw import BROADCAST, SERVICE_VLAN, Card, noise, tag

# PROFINET, ATA over Ethernet, PTP, MPLS, PPPoE, FCoE, AVTP, IPX, DECnet, wake on LAN, HomePlug,
# EtherCAT, an unknown one, the highest; and a length, as of 802.2.
TYPES = (0x8892, 0x88a2, 0x88f7, 0x8847, 0x8863, 0x8864, 0x8906, 0x22f0, 0x8137, 0x6003, 0x0842,
         0x887b, 0x88a4, 0x1234, 0xffff, 0x0026)
GROUP = bytes.fromhex("010ecf000000")  # of PROFINET
SEGMENT, SEGMENTS = 1000, 20
FULL_SEGMENT, FULL_SEGMENTS, LARGE = PLAIN_MTU - 40, 48, 20


def check_types(one, other):
    for kind in TYPES:
        for to in (other.mac, BROADCAST, GROUP):
            frame = one.send(to, struct.pack("!H", kind) + noise(46))
            other.expect(frame, f"EtherType {kind:#06x}")


def check_tags(one, other):
    for tags, what in ((tag(5), "VLAN 5"), (tag(0xe000), "a priority alone"),
                       (tag(0x7fff), "VLAN 4095 with priority 3"),
                       (tag(100, SERVICE_VLAN) + tag(5), "QinQ"),
                       (tag(100) + tag(5), "two tags of 802.1Q"),
                       (tag(1) + tag(2) + tag(3), "three tags"), (b"", "no tag")):
        for to in (other.mac, BROADCAST):
            for size in (46, 1000):
                frame = one.send(to, tags + struct.pack("!H", 0x88a2) + noise(size))
                other.expect(frame, what)


def check_lengths(one, other):
    """From the header alone to the longest that the interface takes. Linux drops tagged frames of
    less than two bytes."""
    for size in (*range(64), *range(PLAIN_MTU - 2, PLAIN_MTU + 1)):
        for tags in (b"", tag(5))[:1 if size < 2 else 2]:
            frame = one.send(other.mac, tags + struct.pack("!H", 0x88a2) + noise(size))
            other.expect(frame, f"{size} bytes of payload")


def check_trains(one, other):
    """Super-frames inside VLAN 5 and outside of it at once; whoever cuts them, the sums are right."""
    for v6 in (False, True):
        for proto in (TCP, UDP):
            waiting = {}
            for number, vlan in enumerate((5, None, 5, None)):
                payload = flows.contents(number, SEGMENT * SEGMENTS)
                one.send(Frame(v6, proto, payload, tag=vlan).train(SEGMENT), other)
                waiting.setdefault(vlan, bytearray()).extend(payload)
            while any(waiting.values()):
                got = other.receive()
                got.check_sums()
                expected = waiting[got.tag]
                assert expected.startswith(got.payload), (v6, proto, got.tag, len(got.payload))
                del expected[:len(got.payload)]


def sent_by(host):
    return int(host.run("cat", "/sys/class/net/n2n0/statistics/tx_packets"))


def check_large_trains(one, other, host):
    """The largest that the TCP of another host makes comes to n2n as one frame, not cut before."""
    before = sent_by(host)
    for number in range(LARGE):
        expected = flows.contents(number, FULL_SEGMENT * FULL_SEGMENTS)
        one.send(Frame(False, TCP, expected).train(FULL_SEGMENT), other)
        while expected:
            got = other.receive()
            assert expected.startswith(got.payload), (number, len(got.payload))
            expected = expected[len(got.payload):]
    frames = sent_by(host) - before
    assert LARGE <= frames < 2 * LARGE, f"{frames} frames for {LARGE} super-frames"


def first_difference(heard, frames):
    return next((f"number {i}: {h.hex()} for {f.hex()}"
                 for i, (h, f) in enumerate(zip(heard, frames)) if h != f), "the last are missing")


def check_untouched(one, other):
    """Nothing comes twice, changed, or back to where it came from."""
    for vlan in (b"", tag(5)):
        frames = [one.send(to, vlan + struct.pack("!HH", 0x88a2, n) + noise(44))
                  for n in range(100) for to in (other.mac, BROADCAST)]
        heard = [f for f in other.heard(one.mac, 1) if b"\x88\xa2" in f[12:18]]
        assert heard == frames, f"{len(heard)} of {len(frames)}, {first_difference(heard, frames)}"
    assert one.heard(one.mac, 0.5) == []


def main():
    with Net("sn", "a", "b") as net:
        a, b = net["a"], net["b"]
        net["sn"].supernode("-l", 7654)
        net.keep_order()
        for host in (a, b):
            make_bridge(host)
            bridged(host, *COMMUNITY, "-l", f"{net['sn'].ip}:7654")
        a1, b1 = LanHost(net, "a1", 11, a), LanHost(net, "b1", 12, b)
        wait_met(a, b)
        a.wait_direct()
        b.wait_direct()
        check_reach((a1, b1))
        one, other = Card(a1), Card(b1)
        for check, what in (
                (check_types, f"{len(TYPES)} EtherTypes, to one host, to all, and to a group"),
                (check_tags, "VLAN, priority tags, QinQ, three tags, no tag"),
                (check_lengths, f"payloads of 0 to 63 and up to {PLAIN_MTU} bytes, tagged and not"),
                (check_untouched, "400 frames tagged and not: each once, in order, none comes "
                                  "back")):
            check(one, other)
            check(other, one)
            step(f"both ways: {what}")
        one, other = Tap(a1, "eth0", mac_of(a1)), Tap(b1, "eth0", mac_of(b1))
        check_trains(one, other)
        check_trains(other, one)
        step("both ways: super-frames of TCP and UDP in VLAN 5 and outside at once, sums are right")
        check_large_trains(one, other, a)
        check_large_trains(other, one, b)
        step(f"both ways: super-frames of {FULL_SEGMENTS} full segments, whole at the interface")
        check_reach((a1, b1), family="-6")


main()
