# SPDX-License-Identifier: GPL-3.0-or-later
"""Members, and whole frames in and out of their interfaces, as a hostile one makes them."""

import socket
import struct
import time

from arena import wait_for
from flows import open_at

ETH_P_ALL, EXPERIMENT, ARP, IPV4, IPV6 = 3, 0x88b5, 0x0806, 0x0800, 0x86dd
FORCED = 32  # SO_SNDBUFFORCE
EVERYBODY = b"\xff" * 6


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


def udp_frame(source, to, sport, dport, payload):
    udp = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + source + to
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xffff) + (total >> 16)
    total = (total & 0xffff) + (total >> 16)
    return head[:10] + struct.pack("!H", total ^ 0xffff) + head[12:] + udp
