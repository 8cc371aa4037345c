#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a member does to the others: it takes their addresses, and sends what no member should."""

import socket
import struct
import time

from arena import Arena, Flow, family
from overlay import (EXPERIMENT, IPV4, IPV6, Tap, join, mac_of, quiet_interface,
                     router_advertisement, udp_frame)

MAC = "PROTOCOL.md 9.4"
LATER = ""  # no bound before switches defend against it


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
    """What switches of this version do not look at: only a figure."""
    a, b, c = (arena[n] for n in "abc")
    mac, address = mac_of(c), {n: socket.inet_aton(f"10.9.0.{i}") for i, n in enumerate("abc", 1)}
    out, into = Tap(c), Tap(a)
    a.wait_ping("10.9.0.2", 5)
    for _ in range(20):
        out.send(mac_of(a), mac, IPV4, udp_frame(address["b"], address["a"], 68, 9, b"not mine"))
    report.figure("IPv4 packets of 20 from another member's address that arrive",
                  into.received(lambda f: f[26:30] == address["b"] and f[42:50] == b"not mine"),
                  of=LATER)


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
