#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an eavesdropper on the switch sees: nothing to recognise anybody by.

    sn 10.77.0.1 ----+
    a  10.77.0.2 ----+---- switch; everything is captured at each port
    b  10.77.0.3 ----+

First a firewall on a and b drops what comes from the other, and the supernode relays; then they
talk directly.
"""

import ipaddress
import signal
import struct
import time

from net import Net, step, wait_for

PATTERN = b"a pattern that must not be seen outside the tunnel"
NAME = "very-particular-name"
SECRET = "the pass phrase nobody may see"
LONGEST = 1300  # bytes in a ping: more than any control packet has


def capture(host, device):
    t = host.background("tcpdump", "-i", device, "-U", "-B", "16384", "-w",
                        str(host.net.dir / f"{host.name}-{device}.pcap"))
    t.wait_says("listening on")
    return t


def captured(host, device):
    return (host.net.dir / f"{host.name}-{device}.pcap").read_bytes()


def packets(pcap):
    """The Ethernet packets in a capture."""
    at = 24
    while at < len(pcap):
        length, = struct.unpack_from("=I", pcap, at + 8)
        yield pcap[at + 16:at + 16 + length]
        at += 16 + length


def long_between(host, other):
    """How many packets too long for anything but pings were captured at host, to or from other."""
    ends = {end for h in (host, other) for end in (h.ip, h.ip6)}

    def ends_of(packet):
        start, size = (26, 4) if packet[12:14] == b"\x08\x00" else (22, 16)
        return {str(ipaddress.ip_address(packet[i:i + size])) for i in (start, start + size)}

    return sum(len(p) > LONGEST and ends_of(p) <= ends for p in packets(captured(host, "eth0")))


def send_pattern(host, to):
    for size in (60, 600, LONGEST):
        host.run("ping", "-n", "-c5", "-i", "0.05", "-s", size, "-p", PATTERN.hex()[:32], to)


def inner_needles(host, address):
    community = host.community()
    mac = bytes.fromhex(community["mac"].replace(":", ""))
    return {
        f"MAC of {host.name}": mac,
        f"MAC of {host.name} as text": community["mac"].encode(),
        f"inner address of {host.name}": ipaddress.ip_address(address).packed,
        f"inner address of {host.name} as text": address.encode(),
        f"id of {host.name}": community["id"].encode(),
    }


def main():
    with Net("sn", "a", "b") as net:
        a, b, sn = net["a"], net["b"], net["sn"]
        taps = [capture(host, "eth0") for host in (sn, a, b)]
        sn.supernode("-l", 7654)
        of_all = ("-c", NAME, "-k", SECRET, "-l", f"{sn.ip}:7654")
        a.block(b)
        b.block(a)
        a.edge("n2n0", "172.29.231.17", *of_all)
        edge_b = b.edge("n2n0", "172.29.231.18", *of_all)
        taps.append(capture(a, "n2n0"))
        a.wait_ping("172.29.231.18", 10)
        send_pattern(a, "172.29.231.18")
        assert a.paths() == b.paths() == ["relay"], (a.peers(), b.peers())
        a.unblock()
        b.unblock()
        for host in (a, b):
            host.wait_direct(timeout=60)
        send_pattern(a, "172.29.231.18")
        assert a.paths() == b.paths() == ["direct"], (a.peers(), b.peers())
        needles = {**inner_needles(a, "172.29.231.17"), **inner_needles(b, "172.29.231.18"),
                   "test pattern": PATTERN[:16], "community name": NAME.encode(),
                   "passphrase": SECRET.encode()}
        # A restart too: more handshakes, and leaving.
        assert edge_b.stop() == 0
        b.edge("n2n0", "172.29.231.18", *of_all)
        b.wait_ping("172.29.231.17", 10)
        time.sleep(1)
        for t in taps:
            t.stop(signal.SIGINT)
            wait_for("tcpdump has counted", lambda t=t: t.says("dropped by kernel"), 5)
            assert t.says(r"\b0 packets dropped by kernel"), t.text()

        relayed, direct = long_between(a, sn), long_between(a, b)
        assert relayed > 0 and direct > 0, f"{relayed} relayed, {direct} direct packets captured"
        inside = captured(a, "n2n0")
        for what in ("test pattern", "MAC of a", "MAC of b", "inner address of a"):
            assert needles[what] in inside, f"{what} is not even seen inside the tunnel"
        data = b"".join(captured(host, "eth0") for host in (sn, a, b))
        for what, needle in needles.items():
            # Four bytes may turn up by chance; a relayed packet is captured four times.
            allowed = 4 if len(needle) <= 4 else 0
            assert data.count(needle) <= allowed, f"{what} is seen on the wire"
        step(f"{len(data)} bytes captured at three hosts, with {relayed} relayed and {direct} direct "
             f"packets of the test's; none of {len(needles)} needles in them")


main()
