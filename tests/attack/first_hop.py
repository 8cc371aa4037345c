#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""
A member that speaks for others, disguised in every way: where their addresses are, as a DHCP server, as
a router. It says that it is bridge, server and router; a trusts b alone. b is a bridge with a gateway.
"""

import socket
import struct
import time

from arena import Arena, Flow, family, wait_for
from overlay import (ARP, EVERYBODY, EXPERIMENT, IPV4, IPV6, Tap, icmp6_sum, mac_of,
                     quiet_interface, router_advertisement, udp_frame)

HERE = "PROTOCOL.md 9.7"
GATEWAY = bytes.fromhex("525400000001")
EACH = 5
VICTIM4, VICTIM6 = socket.inet_aton("10.9.0.2"), socket.inet_pton(socket.AF_INET6, "fd09::2")
ALL_NODES = socket.inet_pton(socket.AF_INET6, "ff02::1")


def arp(mac, operation):
    return struct.pack("!HHBBH", 1, IPV4, 6, 4, operation) + mac + VICTIM4 + bytes(6) + VICTIM4


def ipv6(next_header, payload, source=VICTIM6):
    return struct.pack("!IHBB", 6 << 28, len(payload), next_header, 255) + source + ALL_NODES + payload


def icmp6(kind, rest, source=VICTIM6):
    body = struct.pack("!BBH", kind, 0, 0) + rest
    return body[:2] + struct.pack("!H", icmp6_sum(source, ALL_NODES, body)) + body[4:]


def solicitation(mac):
    return icmp6(135, bytes(4) + ALL_NODES + b"\1\1" + mac)


def advertisement(mac):
    return icmp6(136, b"\x20\0\0\0" + VICTIM6 + b"\2\1" + mac)


def redirect(mac):
    return icmp6(137, bytes(4) + VICTIM6 + ALL_NODES + b"\2\1" + mac)


def summed(data, at):
    """With the checksum of IPv4 at its place, where zeros are."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return data[:at] + struct.pack("!H", total ^ 0xffff) + data[at + 2:]


def redirect_v4():
    """What a asked of the victim, to be sent to the liar from now on."""
    asked = udp_frame(socket.inet_aton("10.9.0.1"), VICTIM4, 5000, 53, b"")
    body = summed(b"\5\1\0\0" + socket.inet_aton("10.9.0.3") + asked, 2)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, 1, 0)
    return summed(head + VICTIM4 + socket.inet_aton("10.9.0.1"), 10) + body


def behind(headers, payload, last=58):
    """Behind extension headers: destination options, 60, or that of a whole fragment, 44."""
    chain = [*headers, last]
    return chain[0], b"".join(
        bytes([after]) + (b"\0\0\0" + b"n2n4" if which == 44 else b"\0\1\4\0\0\0\0")
        for which, after in zip(chain, chain[1:])) + payload


def messages(mac):
    """What is said, EtherType and payload, by kind."""
    ra = router_advertisement(mac)
    dhcp6 = struct.pack("!HHHH", 547, 546, 12, 0) + b"\x07\0\0\1"
    cut = struct.pack("!BBHI", 60, 0, 1, 7) + bytes([58, 40]) + bytes(6)
    return {
        "ARP for another's address": [(ARP, arp(mac, 2)), (ARP, arp(mac, 1))],
        "neighbour discovery for another's address": [
            (IPV6, ipv6(58, solicitation(mac))), (IPV6, ipv6(58, advertisement(mac))),
            (IPV6, ipv6(*behind((60, 60), advertisement(mac))))],
        "answers of a DHCP server": [
            (IPV4, udp_frame(VICTIM4, b"\xff" * 4, 67, 68, b"\2\1\6\0" + bytes(240))),
            (IPV4, udp_frame(VICTIM4, b"\xff" * 4, 5000, 68, b"\2\1\6\0" + bytes(240))),
            (IPV4, b"\x4f" + udp_frame(VICTIM4, b"\xff" * 4, 67, 68, bytes(244))[1:]),
            (IPV6, ipv6(17, dhcp6))],
        "router advertisements and redirects": [
            (IPV6, ra), (IPV6, ipv6(58, redirect(mac))), (IPV4, redirect_v4()),
            (IPV6, ipv6(*behind((60,), ra[40:], 58), ra[8:24]))],
        "what hides in fragments and behind headers": [
            (IPV6, ipv6(*behind((44,), ra[40:]), ra[8:24])),
            (IPV6, ipv6(*behind((60, 44, 60), advertisement(mac)))),
            (IPV6, ipv6(*behind((60,) * 9, ra[40:]), ra[8:24])), (IPV6, ipv6(44, cut))],
    }


WRAPPINGS = {
    "plain": b"",
    "in a VLAN": b"\x81\0\0\5",
    "behind two tags": b"\x88\xa8\0\5\x81\0\0\5",
    "behind priority tags": b"\x81\0\0\0" * 3,
    "behind five priority tags": b"\x81\0\0\0" * 5,
    "in IEEE 802.2": b"\0\x80\xaa\xaa\3\0\0\0",
}


def barred(host, peer):
    return next(p for p in host.peers() if p["id"] == peer)["barred"]


def speak(report, a, c, into, out, liar):
    """Everything in every wrapping; nothing arrives, all is counted: with the liar's name, but for what
    hides, which its edge keeps in."""
    mac, sent = mac_of(c), 0
    for kind, said in messages(mac).items():
        number = 0
        for wrapping in WRAPPINGS.values():
            for ethertype, payload in said * EACH:
                frame = EVERYBODY + mac + wrapping + struct.pack("!H", ethertype) + payload
                out.socket.send(frame + bytes(max(0, 60 - len(frame))))
                number += 1
        arrived = into.received(lambda f: f[6:12] == mac and f[12:14] != b"\x88\xb5")
        report.figure(f"{kind}: of {number} frames, arrive", arrived, at_most=0, of=HERE)
        sent += number
    counted = sum(barred(a, liar).values()) + c.status()["drops"].get("own-router", 0)
    report.figure(f"of these {sent} frames, counted with its name, or at its own edge", counted,
                  at_least=sent, of=HERE)
    table = a.run("ip", "neigh", "show", "dev", "n2n0").replace(":", "")
    routes = a.run("ip", "-6", "route", "show", "default").count("default")
    report.figure("entries and routes of the host that lead to the liar",
                  table.count(mac.hex()) + routes, at_most=0, of=HERE)


def sources(report, a, b, c, into, out, liar):
    """Addresses of others and of hosts behind it."""
    before = barred(a, liar).get("source-mac", 0)
    for source in (mac_of(b), GATEWAY, bytes.fromhex("525400000009")):
        for _ in range(20):
            out.send(mac_of(a), source, EXPERIMENT, b"not mine" * 6)
    arrived = into.received(lambda f: f[12:14] == b"\x88\xb5" and f[14:22] == b"not mine")
    report.figure("frames of 60 from others' MAC addresses that arrive", arrived, at_most=0,
                  of=HERE)
    # Those from a member's address its own edge keeps in.
    report.figure("of the 40 from addresses that no member owns, counted with its name",
                  barred(a, liar)["source-mac"] - before, at_least=40, of=HERE)
    out.send(mac_of(a), mac_of(c), EXPERIMENT, b"mine" * 12)
    assert into.received(lambda f: f[12:14] == b"\x88\xb5") == 1, "nor do its own frames"


def gateway_is_learned(a, b):
    """b's gateway speaks; a frame for it goes to b."""
    Tap(b).send(EVERYBODY, GATEWAY, EXPERIMENT, b"here I am" * 6)
    time.sleep(0.3)


def stolen(a, thief):
    """How many of 20 frames for the gateway another member gets."""
    sees, sends = Tap(thief), Tap(a)
    for _ in range(20):
        sends.send(GATEWAY, mac_of(a), EXPERIMENT, b"for the gateway" * 4)
    return sees.received(lambda f: f[:6] == GATEWAY)


def claim_gateway(report, a, b, c, words):
    """The liar claims the gateway's MAC address."""
    edge = c.edge("n2n0", "10.9.0.3", "-m", "52:54:00:00:00:01", *words)
    wait_for("a sees the claim", lambda: any(p["mac_refused"] or p["mac"] == "52:54:00:00:00:01"
                                             for p in a.peers()), 15)
    report.figure("a member claims the MAC address of a gateway behind a bridge: frames of 20 for it "
                  "that it gets", stolen(a, c), at_most=0, of="PROTOCOL.md 9.4")
    edge.stop()


def flood(report, a, b, c, number):
    """Nobody is named; the liar is a bridge with very many hosts."""
    flow = Flow(a, b, "10.9.0.2", 200, 200)
    out, start = Tap(c), time.monotonic()
    for n in range(number):
        out.send(EVERYBODY, b"\x06" + n.to_bytes(5, "big"), EXPERIMENT, b"one of many sources")
        while time.monotonic() < start + n / 8000:
            time.sleep(0.001)
    time.sleep(1)
    report.figure(f"a bridge sends from {number:,} addresses: of a flow between others, frames lost",
                  flow.finish()[1], at_most=0, of=HERE)
    report.figure("and frames of 20 for a gateway behind another bridge that it gets then",
                  stolen(a, c), at_most=0, of=HERE)


def main(report, quick):
    with Arena("a", "b", "c") as arena:
        a, b, c = (arena[n] for n in "abc")
        key = ("-k", arena.new_key(), *arena.at)
        all_roles = ("-r", "--dhcp-server", "--router")
        quiet_interface(c)
        bridge = b.edge("n2n0", "10.9.0.2", "-a", "fd09::2/64", *all_roles, *key)
        trust = ("--trust", f"{b.community()['id']}=bridge,dhcp,router")
        receiver = a.edge("n2n0", "10.9.0.1", "--accept-ra", *key, *trust)
        liar_edge = c.edge("n2n0", "10.9.0.3", *all_roles, *key)
        liar = c.community()["id"]
        wait_for("a sees both", lambda: len([p for p in a.peers() if p["mac"]]) == 2, 20)
        into, out = Tap(a), Tap(c)
        speak(report, a, c, into, out, liar)
        gateway_is_learned(a, b)
        sources(report, a, b, c, into, out, liar)
        liar_edge.stop()
        receiver.stop()
        receiver = a.edge("n2n0", "10.9.0.1", *key)
        wait_for("a sees b", lambda: [p for p in a.peers() if p["mac"]], 20)
        gateway_is_learned(a, b)
        claim_gateway(report, a, b, c, key)
        c.edge("n2n0", "10.9.0.3", "-r", *key)
        wait_for("c sees both", lambda: len([p for p in c.peers() if p["mac"]]) == 2, 20)
        wait_for("a sees both", lambda: len([p for p in a.peers() if p["mac"]]) == 2, 20)
        gateway_is_learned(a, b)
        flood(report, a, b, c, 4096 if quick else 65536)
        bridge.stop()


family(main)
