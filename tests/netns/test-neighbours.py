#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real hosts ask where others are: who hears it, who answers, and what becomes of who floods.

    sn 10.77.0.1 ----+
    a  10.77.0.2 ----+---- switch      a, b, c: n2n0 10.1.2.N, fd55::N
    b  10.77.0.3 ----+
    c  10.77.0.4 ----+
    d  10.77.0.5 ----+                 d: br0, a host d1 10.1.2.51 behind it, which nobody claims
"""

import os
import re
import signal
import socket
import struct
import time

from changes import notices, wait_notice
from flows import SO_RCVBUFFORCE, open_at
from frames import ETH_P_ALL, PACKET_OUTGOING, sum16
from lan import COMMUNITY, LanHost, bridged, mac_of, make_bridge, wait_met
from net import Net, step, wait_for

ARP, IPV6, BROADCAST = b"\x08\x06", b"\x86\xdd", b"\xff" * 6
DEVICE = "n2n0"


class Ear:
    """What comes in by a host's interface, and what is sent by it."""

    def __init__(self, host, device=DEVICE):
        self.mac = bytes.fromhex(mac_of(host, device).replace(":", ""))
        self.socket = open_at(host, socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self.socket.bind((device, ETH_P_ALL))
        self.socket.settimeout(0.3)

    def heard(self):
        """All that came since the last time, and in the next moment."""
        frames = []
        try:
            while True:
                data, address = self.socket.recvfrom(4096)
                if address[2] != PACKET_OUTGOING:
                    frames.append(data)
        except TimeoutError:
            return frames

    def asks(self, about, sender):
        """ARP for an address, from one, or from nobody's."""
        self.socket.send(BROADCAST + self.mac + ARP + b"\0\1\x08\0\6\4\0\1" + self.mac
                         + socket.inet_aton(sender) + bytes(6) + socket.inet_aton(about))

    def detects(self, about):
        """Duplicate address detection of IPv6."""
        target = socket.inet_pton(socket.AF_INET6, about)
        group = socket.inet_pton(socket.AF_INET6, "ff02::1:ff00:0")[:13] + target[13:]
        body = bytes(4) + target
        pseudo = bytes(16) + group + struct.pack("!II", 4 + len(body), 58)
        check = 0xffff - sum16(pseudo + b"\x87\0\0\0" + body)
        self.socket.send(b"\x33\x33" + group[12:] + self.mac + IPV6 + struct.pack("!IHBB", 6 << 28,
                         4 + len(body), 58, 255) + bytes(16) + group + b"\x87\0"
                         + struct.pack("!H", check) + body)


def questions(frames, to_all=True):
    """Those that ask where an address is."""
    return [f for f in frames if (f[0] & 1 == 1) == to_all and
            ((f[12:14] == ARP and f[21] == 1 and f[28:32] != f[38:42]) or
             (f[12:14] == IPV6 and f[20] == 58 and f[54] == 135))]


def answers(frames):
    return [f for f in frames if (f[12:14] == ARP and f[21] == 2) or
            (f[12:14] == IPV6 and f[20] == 58 and f[54] == 136 and f[0] & 1 == 0)]


def knows(host, ip, device=DEVICE):
    """The MAC address and the state that the kernel has of a neighbour."""
    entry = host.run("ip", "neigh", "show", ip, "dev", device)
    found = re.search(r"lladdr (\S+)", entry)
    return found.group(1) if found else None, entry.split()[-1] if entry else None


def forget(host):
    host.run("ip", "neigh", "flush", "dev", DEVICE)
    host.run("ip", "-6", "neigh", "flush", "dev", DEVICE)


def check_answers(a, b, ears):
    for host in (a, b):
        forget(host)
    for ear in ears.values():
        ear.heard()
    for ip, family in (("10.1.2.3", "-4"), ("fd55::3", "-6")):
        assert a.can_ping(ip, 2, family)
        assert knows(a, ip)[0] == mac_of(b, DEVICE), knows(a, ip)
    # What b says of itself is not what it would say if it were a router.
    assert "router" not in a.run("ip", "-6", "neigh", "show", "fd55::3")
    for name in ("b", "c"):
        heard = [f for f in questions(ears[name].heard()) if f[6:12] == ears["a"].mac]
        assert heard == [], heard
    assert a.status()["drops"]["answered"] >= 2
    step("members find each other, IPv4 and IPv6, with the right addresses; nobody is asked")


def check_again(a, b, ears):
    """Linux asks again of the one host."""
    ears["b"].heard()
    a.run("ip", "neigh", "change", "10.1.2.3", "lladdr", mac_of(b, DEVICE), "dev", DEVICE, "nud",
          "probe")
    wait_for("b is asked and answers", lambda: knows(a, "10.1.2.3")[1] == "REACHABLE", 5)
    assert questions(ears["b"].heard(), to_all=False)
    step("asked again of that one host, it is asked, and answers by itself")


def check_duplicates(ears):
    for ear in ears.values():
        ear.heard()
    ears["a"].asks("10.1.2.3", "0.0.0.0")
    ears["a"].detects("fd55::3")
    for name in ("b", "c"):
        heard = [f for f in questions(ears[name].heard()) if f[6:12] == ears["a"].mac]
        assert {f[12:14] for f in heard} == {ARP, IPV6}, heard
    said = [f for f in ears["a"].heard() if f[6:12] == ears["b"].mac]
    assert any(f[12:14] == ARP and f[21] == 2 for f in said), said
    assert any(f[12:14] == IPV6 and f[54] == 136 for f in said), said
    step("who looks whether an address is free asks all, and who has it says so")


def check_lan(a, d1, ears):
    ears["c"].heard()
    assert a.can_ping(d1.ip, 2)
    assert knows(a, d1.ip)[0] == mac_of(d1), knows(a, d1.ip)
    assert questions(ears["c"].heard())
    assert d1.can_ping("10.1.2.4", 2)
    step("a host behind a bridge, which nobody claims, is asked for and found, and finds others")


def check_dead(a, edge, ears):
    # Not the process that was started, whose end the other one tells the members.
    os.kill(edge.pid, signal.SIGKILL)
    start = time.monotonic()
    assert not a.can_ping("10.1.2.4", 1)

    def is_answered():
        ears["a"].heard()
        ears["a"].asks("10.1.2.4", "10.1.2.2")
        return bool(answers(ears["a"].heard()))
    wait_for("nobody answers for c", lambda: not is_answered(), 8)
    took = time.monotonic() - start
    ears["b"].heard()
    a.run("ip", "neigh", "flush", "dev", DEVICE)
    assert not a.can_ping("10.1.2.4", 4)
    assert knows(a, "10.1.2.4")[1] in ("FAILED", "INCOMPLETE", None), knows(a, "10.1.2.4")
    heard = [f for f in questions(ears["b"].heard()) if f[6:12] == ears["a"].mac]
    assert heard == [], heard
    step(f"nobody answers for a member that died, {took:.1f} s after it, and nobody else is asked")


def check_flood(a, b, ears):
    frame = BROADCAST + ears["a"].mac + b"\x88\xb6" + b"\x66" * 200
    ears["b"].heard()
    end, sent = time.monotonic() + 4.5, 0
    while time.monotonic() < end:
        for _ in range(20):
            ears["a"].socket.send(frame)
        sent += 20
        time.sleep(0.005)
    heard = sum(f[12:14] == b"\x88\xb6" for f in ears["b"].heard())
    mac = ":".join(f"{byte:02x}" for byte in ears["a"].mac)
    wait_notice(a, "storm", DEVICE, mac, "broadcasts", "a second")
    assert notices(b) == {}, notices(b)
    assert 600 <= heard <= 2200 < sent, (heard, sent)
    assert a.status()["drops"]["storm"] >= sent - 2200
    shown = a.run(a.net.programs["n2n"], "status", "--state-dir", a.state)
    assert mac in shown and "broadcasts" in shown, shown
    assert a.can_ping("10.1.2.3", 1)
    step(f"of {sent} broadcasts in 4.5 s {heard} arrive, and the edge says whose they are")


def main():
    with Net("sn", "a", "b", "c", "d") as net:
        a, b, c, d = (net[name] for name in "abcd")
        net["sn"].supernode("-l", 7654)
        words = (*COMMUNITY, "-l", f"{net['sn'].ip}:7654")
        edges = {h.name: h.edge(DEVICE, f"10.1.2.{n}", "-a", f"fd55::{n}/64", *words)
                 for n, h in ((2, a), (3, b), (4, c))}
        make_bridge(d)
        bridged(d, *words)
        d1 = LanHost(net, "d1", 51, d)
        wait_met(a, b, c, d)
        ears = {h.name: Ear(h) for h in (a, b, c)}
        check_answers(a, b, ears)
        check_again(a, b, ears)
        check_duplicates(ears)
        check_lan(a, d1, ears)
        for host in (a, b, c, d):
            assert notices(host) == {}, notices(host)
            assert not {"storm", "peer-storm", "flood"} & set(host.status()["drops"])
        check_flood(a, b, ears)
        check_dead(a, edges["c"], ears)


main()
