#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Streams to groups go to hosts that listen, by the IGMP and MLD of real kernels and bridges.

    sn ---+
    a  ---+---- switch     a: br0, and host a1 behind it      c, d: members that are no bridges
    b  ---+                b: br0, and host b1 behind it
    c, d -+

The bridges snoop, as Linux's do unless told otherwise.
"""

import re
import socket
import struct
import sys
import time

from flows import open_at
from lan import COMMUNITY, LanHost, bridged, make_bridge, wait_met
from net import Net, step, wait_for

PORT = 5004
LEARNED_S = 4.5
FRAMES = 50
LENGTH = 1004


class Listener:
    """Counts the frames to a group at an interface, whether its host listens or not."""

    def __init__(self, host, device):
        self.socket = open_at(host, socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind((device, 3))
        # Without this the interface itself would keep back what nobody joined.
        index = int(host.run("cat", f"/sys/class/net/{device}/ifindex"))
        self.socket.setsockopt(263, 1, struct.pack("=iHH8s", index, 2, 0, b""))  # PACKET_ALLMULTI
        self.socket.setblocking(False)

    def heard(self, mac):
        """The numbers of the frames of the stream to this address."""
        numbers = []
        while True:
            try:
                frame = self.socket.recv(1 << 16)
            except BlockingIOError:
                return numbers
            # Datagrams may come joined.
            for at in range(len(frame) % LENGTH, len(frame), LENGTH):
                if frame[:6] == mac and len(frame) > LENGTH:
                    numbers.append(int.from_bytes(frame[at:at + 4], sys.byteorder))


def mac_of_group(group):
    if ":" in group:
        return b"\x33\x33" + socket.inet_pton(socket.AF_INET6, group)[12:]
    ip = socket.inet_aton(group)
    return bytes((1, 0, 0x5e, ip[1] & 0x7f)) + ip[2:]


def group_socket(host, device, group, listens):
    v6 = ":" in group
    s = open_at(host, socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(2)
    index = int(host.run("cat", f"/sys/class/net/{device}/ifindex"))
    if v6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 4)
        member = (socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                  socket.inet_pton(socket.AF_INET6, group) + struct.pack("=i", index))
    else:
        here = struct.pack("=4s4si", bytes(4), bytes(4), index)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, here)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 4)
        member = (socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                  struct.pack("=4s4si", socket.inet_aton(group), bytes(4), index))
    if listens:
        s.bind(("", PORT))
        s.setsockopt(*member)
    return s


def speak(source, group, n=FRAMES):
    for number in range(n):
        source.sendto(struct.pack("=I", number) + bytes(LENGTH - 4), (group, PORT))
        time.sleep(0.004)


def check(places, speaker, group, listeners):
    """What comes to each place of a stream of this group."""
    mac = mac_of_group(group)
    source = group_socket(*places[speaker], group, False)
    taps = {name: Listener(*at) for name, at in places.items() if name != speaker}
    speak(source, group)
    time.sleep(0.3)
    for name, tap in taps.items():
        heard = tap.heard(mac)
        wanted = list(range(FRAMES)) if name in listeners else []
        assert heard == wanted, f"{name} got {heard} of {speaker}'s {FRAMES} frames to {group}"
        tap.socket.close()
    source.close()


def check_join(places, speaker, listener, group):
    source = group_socket(*places[speaker], group, False)
    began = time.monotonic()
    sink = group_socket(*places[listener], group, True)
    sink.settimeout(0.005)
    while True:
        source.sendto(struct.pack("=I", 0) + bytes(LENGTH - 4), (group, PORT))
        try:
            sink.recv(2000)
            break
        except TimeoutError:
            assert time.monotonic() < began + 5, f"{listener} hears nothing of {group}"
    took = time.monotonic() - began
    source.close()
    return sink, took


def main():
    with Net("sn", "a", "b", "c", "d") as net:
        sn, a, b, c, d = (net[name] for name in ("sn", "a", "b", "c", "d"))
        sn.supernode("-f")
        for at in (a, b):
            make_bridge(at, "mcast_startup_query_interval", 100)
        a1, b1 = LanHost(net, "a1", 11, a), LanHost(net, "b1", 21, b)
        for at in (a, b):
            bridged(at, *COMMUNITY, "-l", f"{sn.ip}:7654")
        for at, address in ((c, "10.1.2.3"), (d, "10.1.2.4")):
            at.run("sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0", check=False)
            at.edge("n2n0", address, *COMMUNITY, "-l", f"{sn.ip}:7654")
        wait_met(a, b, c, d)
        places = {"a1": (a1, "eth0"), "b1": (b1, "eth0"), "c": (c, "n2n0"), "d": (d, "n2n0")}
        time.sleep(LEARNED_S)
        for group in ("239.1.2.3", "ff15::1234"):
            check(places, "c", group, ())
            check(places, "a1", group, ())
        step("nobody listens, and nobody gets a frame")
        for group in ("224.0.0.251", "224.0.0.5"):
            check(places, "c", group, ("a1", "b1", "d"))
            check(places, "a1", group, ("b1", "c", "d"))
        # Of IPv6 Linux's bridges themselves hold back all of the link's but ff02::1.
        check(places, "c", "ff02::fb", ("d",))
        check(places, "a1", "ff02::fb", ("c", "d"))
        step("groups of the link go to all")
        for group in ("239.1.2.3", "ff15::1234"):
            sink, took = check_join(places, "c", "b1", group)
            mac = ":".join(f"{b:02x}" for b in mac_of_group(group))
            assert mac in b.community()["groups"]["macs"], b.community()["groups"]
            told = [p["groups"] for p in c.peers()]
            assert all(g["all"] is None for g in told), told
            assert sum(mac in g["macs"] for g in told) == 1, told
            check(places, "c", group, ("b1",))
            check(places, "a1", group, ("b1",))
            shown = b.run(net.programs["n2n"], "status", "--state-dir", b.state)
            assert re.search(r"^  groups    hosts here listen to \d+ multicast group", shown, re.M), shown
            for h, port in ((b, "here"), (c, b.community()["id"][:8])):
                shown = h.run(net.programs["n2n"], "fdb", "--state-dir", h.state)
                assert re.search(rf"^  {mac} +{port} +\S+ +listens ", shown, re.M), shown
            sink.close()
            step(f"{group}: one behind a bridge hears it {1000 * took:.0f} ms after it joined, alone")
            wait_for("it does not any more", lambda: is_quiet(places, group), 6)
            sink, took = check_join(places, "a1", "d", group)
            check(places, "a1", group, ("d",))
            sink.close()
            step(f"and a member what comes from behind a snooping bridge, {1000 * took:.0f} ms")


def is_quiet(places, group):
    try:
        check(places, "c", group, ())
        return True
    except AssertionError:
        return False


if __name__ == "__main__":
    main()
