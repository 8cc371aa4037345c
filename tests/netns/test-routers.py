#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""A member advertises itself as an IPv6 router: who did not ask for that gets neither a default
route nor an address.

    sn 10.77.0.1 ----+
    rogue        ----+---- switch
    plain, kept  ----+     kept has a persistent TAP
    asks         ----+     with --accept-ra
"""

import socket
import struct
import sys
import time

from changes import notices, wait_notice
from net import Net, step, wait_for

COMMUNITY = ("-c", "mynetwork", "-k", "a long enough pass phrase")
PREFIX = "fd66:6::"
ALL_NODES = "ff02::1"


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def advertisement(mac):
    """A router of high preference for half an hour, with a prefix for addresses."""
    source, to = (socket.inet_pton(socket.AF_INET6, x) for x in ("fe80::6", ALL_NODES))
    prefix = struct.pack("!BBBBIII16s", 3, 4, 64, 0xc0, 1800, 1800, 0,
                         socket.inet_pton(socket.AF_INET6, PREFIX))
    body = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0x08, 1800, 0, 0) + prefix
    pseudo = source + to + struct.pack("!II", len(body), 58)
    body = body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:]
    return (bytes.fromhex("333300000001") + mac + b"\x86\xdd" +
            struct.pack("!IHBB", 0x60000000, len(body), 58, 255) + source + to + body)


def send(device):
    """Run at the rogue: as its host would send it."""
    with open(f"/sys/class/net/{device}/address", encoding="ascii") as f:
        mac = bytes.fromhex(f.read().strip().replace(":", ""))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind((device, 0))
        s.send(advertisement(mac))


def setting(host, name):
    return host.run("sysctl", "-n", f"net.ipv6.conf.n2n0.{name}").strip()


def caught(host):
    """What of the advertisement took effect."""
    routes = host.run("ip", "-6", "route", "show", "default", "dev", "n2n0")
    addresses = host.run("ip", "-6", "addr", "show", "dev", "n2n0")
    return [what for what, text in (("route", routes), (PREFIX, addresses))
            if ("via fe80::6" if what == "route" else PREFIX) in text]


def main():
    with Net("sn", "rogue", "plain", "kept", "asks") as net:
        sn, rogue, plain, kept, asks = (net[x] for x in ("sn", "rogue", "plain", "kept", "asks"))
        at = ("-l", f"{sn.ip}:7654")
        sn.supernode("-l", 7654)
        kept.run("ip", "tuntap", "add", "mode", "tap", "name", "n2n0")
        kept.run("sysctl", "-qw", "net.ipv6.conf.n2n0.accept_ra=2")
        rogue.edge("n2n0", "10.1.2.1", *COMMUNITY, *at, "--router")
        plain.edge("n2n0", "10.1.2.2", *COMMUNITY, *at)
        edge = kept.edge("n2n0", "10.1.2.3", *COMMUNITY, *at)
        asking = asks.edge("n2n0", "10.1.2.4", *COMMUNITY, *at, "--accept-ra")
        for host, last in (plain, 2), (kept, 3), (asks, 4):
            rogue.wait_ping(f"10.1.2.{last}", 20)

        def advertise():
            rogue.run(sys.executable, __file__, "send", "n2n0")
            return len(caught(asks)) == 2

        wait_for("who asks for it has the route and an address", advertise, 20, 0.3)
        time.sleep(0.5)
        for host in plain, kept:
            assert caught(host) == [], f"{host.name}: {caught(host)}"
            assert setting(host, "accept_ra") == setting(host, "autoconf") == "0", host.name
        step("a router advertised by a member: taken with --accept-ra, by nobody else")

        assert edge.stop() == asking.stop() == 0
        assert setting(kept, "accept_ra") == "2" and setting(kept, "autoconf") == "1"
        step("a persistent interface takes what it took before")

        # As in containers that may not change the system's settings.
        p = asks.background("unshare", "-m", "sh", "-c", "mount --bind /proc/sys /proc/sys && "
                            "mount -o remount,ro,bind /proc/sys && exec \"$@\"", "sh",
                            net.programs["edge"], "--state-dir", asks.state, "-d", "n2n0",
                            "-a", "10.1.2.4", *COMMUNITY, *at)
        p.wait_says(" is up with ")
        p.wait_says("cannot have interface \"n2n0\" ignore router advertisements: Read-only")
        wait_notice(asks, "routers-believed", "n2n0", "Read-only")
        for name in ("accept_ra", "autoconf"):
            asks.run("sh", "-c", f"echo 0 >/proc/sys/net/ipv6/conf/n2n0/{name}")
        asks.run("ip", "link", "set", "n2n0", "mtu", 1300)
        wait_for("the notice is gone",
                 lambda: ("routers-believed", "n2n0") not in notices(asks), 4)
        p.stop()
        step("where it cannot be told to the system, that is said until somebody does it")

        edge = kept.edge("n2n0", "10.1.2.3", *COMMUNITY, *at, "--accept-ra")
        assert setting(kept, "accept_ra") == "2" and setting(kept, "autoconf") == "1"
        assert edge.stop() == 0
        step("with --accept-ra nothing is changed")


if sys.argv[1:2] == ["send"]:
    send(sys.argv[2])
else:
    main()
