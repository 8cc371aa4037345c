#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a member does to the others: it takes their addresses, and sends what no member should."""

import socket
import struct
import time

from arena import Arena, Flow, family, note, wait_for
from flows import open_at

ETH_P_ALL, EXPERIMENT, ARP, IPV4, IPV6 = 3, 0x88b5, 0x0806, 0x0800, 0x86dd
FORCED = 32  # SO_SNDBUFFORCE
MAC = "PROTOCOL.md 9.4"
LATER = ""  # no bound before switches defend against it


class Tap:
    """Frames in and out of a host's interface, past its network stack."""

    def __init__(self, host, device="n2n0"):
        self.socket = open_at(host, socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, FORCED, 16 << 20)
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)
        self.socket.bind((device, ETH_P_ALL))

    def send(self, to, source, kind, payload):
        self.socket.send(to + source + struct.pack("!H", kind) + payload)

    def received(self, test, quiet=0.5):
        """How many frames came in for which test(frame) holds, until it was quiet so long."""
        self.socket.settimeout(quiet)
        number, last = 0, time.monotonic()
        while time.monotonic() < last + quiet:
            try:
                frame, address = self.socket.recvfrom(2048)
            except TimeoutError:
                break
            if address[2] != socket.PACKET_OUTGOING and test(frame):
                number += 1
                last = time.monotonic()
        return number


def mac_of(host):
    return bytes.fromhex(host.community()["mac"].replace(":", ""))


def quiet_interface(host):
    host.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")


def join(arena, names, words):
    """Members 10.9.0.1, .2, ... that all see each other."""
    edges = [arena[n].edge("n2n0", f"10.9.0.{i}", *words) for i, n in enumerate(names, 1)]
    for n in names:
        wait_for(f"{n} sees all", lambda n=n: len(arena[n].peers()) == len(names) - 1, 20)
    return edges


def takeover(arena, report, idle):
    """c says that b's address is its own; then b is away for a while."""
    words = ("-k", arena.new_key(), *arena.at)
    a, b, c = arena["a"], arena["b"], arena["c"]
    for host in (a, b, c):
        quiet_interface(host)
    edges = join(arena, "ab", words)
    a.wait_ping("10.9.0.2", 5)
    victim = mac_of(b)
    edges.append(c.edge("n2n0", "10.9.0.3", "-m", ":".join(f"{x:02x}" for x in victim), *words))
    time.sleep(2)
    tap = Tap(c)
    if idle:
        time.sleep(190)
        what = "after 190 s without a frame"
    else:
        edges[1].stop()
        time.sleep(2)
        edges[1] = b.edge("n2n0", "10.9.0.2", *words)
        what = "after a restart"
    start = time.monotonic()
    try:
        took = a.wait_ping("10.9.0.2", 12)
    except AssertionError:
        took = time.monotonic() - start
    report.figure(f"a member claims another's MAC address: that one is reached {what} within", took,
                  "s", at_most=3, of=MAC, before="never")
    for _ in range(20):
        a.can_ping("10.9.0.2", 0.1)
    stolen = tap.received(lambda f: f[:6] == victim and f[12:14] == b"\x08\x00")
    report.figure(f"frames for it that the other member got {what}", stolen, at_most=0, of=MAC,
                  before="all")
    for edge in edges:
        edge.stop()


def icmp6_sum(source, to, payload):
    data = source + to + struct.pack("!II", len(payload), 58) + payload
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def router_advertisement(mac):
    """From a router for half an hour, with a prefix to make addresses of."""
    source = bytes.fromhex("fe80000000000000") + bytes((mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe)) \
        + mac[3:]
    to = bytes.fromhex("ff020000000000000000000000000001")
    body = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
    body += struct.pack("!BBBBIII", 3, 4, 64, 0xc0, 86400, 14400, 0) + \
        bytes.fromhex("fd99000000000000") + bytes(8)
    body = body[:2] + struct.pack("!H", icmp6_sum(source, to, body)) + body[4:]
    return struct.pack("!IHBB", 6 << 28, len(body), 58, 255) + source + to + body


def rogue_router(arena, report):
    a, c = arena["a"], arena["c"]
    mac = mac_of(c)
    tap = Tap(c)
    for _ in range(5):
        tap.send(bytes.fromhex("333300000001"), mac, IPV6, router_advertisement(mac))
        time.sleep(0.3)
    routes = a.run("ip", "-6", "route", "show", "default").count("default")
    addresses = a.run("ip", "-6", "addr", "show", "dev", "n2n0").count("fd99:")
    report.figure("router advertisements of a member: default routes and addresses that another got",
                  routes + addresses, at_most=0, of="SECURITY.md", before="2")


def udp_frame(source, to, sport, dport, payload):
    udp = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + source + to
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xffff) + (total >> 16)
    total = (total & 0xffff) + (total >> 16)
    return head[:10] + struct.pack("!H", total ^ 0xffff) + head[12:] + udp


def foreign_frames(arena, report, sources):
    a, b, c = (arena[n] for n in "abc")
    macs = {n: mac_of(arena[n]) for n in "abc"}
    out, into = Tap(c), Tap(a)

    def mine(kind):
        return lambda f: f[12:14] == struct.pack("!H", kind)
    for source in "cb":
        for _ in range(100):
            out.send(macs["a"], macs[source], EXPERIMENT, b"foreign source" * 4)
        if source == "c":
            assert into.received(mine(EXPERIMENT)) == 100, "its own frames do not arrive either"
    report.figure("frames of 100 from another member's MAC address that arrive",
                  into.received(mine(EXPERIMENT)), at_most=0, of="SECURITY.md")
    flow = Flow(a, b, "10.9.0.2", 200, 200)
    start = time.monotonic()
    for n in range(sources):
        out.send(b"\xff" * 6 if n % 2 else macs["a"], b"\x06" + n.to_bytes(5, "big"), EXPERIMENT,
                 b"one of many sources")
        while time.monotonic() < start + n / 8000:
            time.sleep(0.001)
    report.figure(f"frames of {sources:,} from as many MAC addresses that arrive",
                  into.received(mine(EXPERIMENT)), at_most=0, of="SECURITY.md")
    time.sleep(1)
    report.figure("of a flow between others, frames lost meanwhile", flow.finish()[1], at_most=0,
                  of="SECURITY.md")
    for n in range(1000):
        out.send(b"\x06\x01" + n.to_bytes(4, "big"), macs["c"], EXPERIMENT, b"to nobody" * 6)
        time.sleep(0.0005)
    report.figure("frames of 1,000 to MAC addresses of nobody that each member gets",
                  into.received(mine(EXPERIMENT)), of=LATER)


def foreign_addresses(arena, report):
    """What switches of this version do not look at: only figures."""
    a, b, c = (arena[n] for n in "abc")
    mac, address = mac_of(c), {n: socket.inet_aton(f"10.9.0.{i}") for i, n in enumerate("abc", 1)}
    out, into = Tap(c), Tap(a)
    a.wait_ping("10.9.0.2", 5)
    for _ in range(20):
        out.send(mac_of(a), mac, IPV4, udp_frame(address["b"], address["a"], 68, 9, b"not mine"))
    report.figure("IPv4 packets of 20 from another member's address that arrive",
                  into.received(lambda f: f[26:30] == address["b"] and f[42:50] == b"not mine"),
                  of=LATER)
    for _ in range(20):
        out.send(b"\xff" * 6, mac, IPV4,
                 udp_frame(address["c"], b"\xff" * 4, 67, 68, b"\2\1\6\0" + bytes(240)))
    report.figure("DHCP offers of 20 that arrive",
                  into.received(lambda f: f[34:38] == b"\0\x43\0\x44"), of=LATER)
    for _ in range(3):
        out.send(mac_of(a), mac, ARP, struct.pack("!HHBBH", 1, IPV4, 6, 4, 2) + mac + address["b"]
                 + mac_of(a) + address["a"])
        time.sleep(0.3)
    table = a.run("ip", "neigh", "show", "10.9.0.2", "dev", "n2n0")
    wrong = int(mac.hex() in table.replace(":", ""))
    report.figure("false ARP answers: addresses of others that lead to the liar", wrong, of=LATER)


def main(report, quick):
    with Arena("a", "b", "c") as arena:
        words = ("-k", arena.new_key(), *arena.at)
        edges = join(arena, "abc", words)
        rogue_router(arena, report)
        foreign_frames(arena, report, 4096 if quick else 65536)
        foreign_addresses(arena, report)
        for edge in edges:
            edge.stop()
        takeover(arena, report, idle=False)
        if not quick:
            takeover(arena, report, idle=True)


family(main)
