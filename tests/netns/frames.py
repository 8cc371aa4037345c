# SPDX-License-Identifier: GPL-3.0-or-later
"""Ethernet frames made and read byte by byte, with the kernel's word on what is left to do.

A Frame has the facts that virtio-net has: a checksum that is still to be filled in, the size of the
segments it is to be cut to.
"""

import socket
import struct

from flows import open_at

SOL_PACKET, PACKET_AUXDATA, PACKET_VNET_HDR = 263, 8, 15
PACKET_OUTGOING = 4
ETH_P_ALL = 3
TP_STATUS_VLAN_VALID = 1 << 4
NEEDS_CSUM = 1
GSO_NONE, GSO_TCP4, GSO_TCP6, GSO_UDP = 0, 1, 4, 5
TCP, UDP = 6, 17
VNET_HDR = struct.Struct("=BBHHHH")  # flags, kind, header length, segment size, start, offset
VLAN = 0x8100
ACK, PSH_ACK = 0x10, 0x18
# Hop-by-hop and destination options of 8 and 16 bytes, nothing but padding.
EXTENSIONS = ((0, b"\1\4" + bytes(4)), (60, b"\1\x0c" + bytes(12)))


def sum16(data):
    """The one's complement sum of RFC 1071."""
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


class Frame:
    """A TCP or UDP packet; payload and headers as they are on the wire."""

    def __init__(self, v6, proto, payload, seq=1000, tag=None, extensions=(), flags=ACK):
        self.v6, self.proto, self.payload, self.tag = v6, proto, payload, tag
        self.seq, self.flags, self.extensions = seq, flags, tuple(extensions)
        self.unset, self.kind, self.segment_size = False, GSO_NONE, 0
        self.bad_sum = 0  # is added to a finished checksum
        self.no_sum = False  # UDP without a checksum

    def train(self, size):
        self.unset, self.segment_size = True, size
        self.kind = GSO_UDP if self.proto == UDP else GSO_TCP6 if self.v6 else GSO_TCP4
        return self

    def transport(self):
        if self.proto == UDP:
            head = struct.pack("!HHHH", 4000, 5000, 8 + len(self.payload), 0)
        else:
            head = struct.pack("!HHIIBBHHH", 4000, 5000, self.seq, 77, 5 << 4, self.flags, 512, 0,
                               0)
        field = 6 if self.proto == UDP else 16
        pseudo = sum16(self.addresses() + struct.pack("!II", len(head + self.payload), self.proto))
        value = pseudo if self.unset else 0 if self.no_sum else \
            (0xffff - sum16(struct.pack("!H", pseudo) + head + self.payload) or 0xffff)
        value = (value + self.bad_sum) & 0xffff
        return head[:field] + struct.pack("!H", value) + head[field + 2:] + self.payload

    def addresses(self):
        family = socket.AF_INET6 if self.v6 else socket.AF_INET
        return b"".join(socket.inet_pton(family, ("2001:db8::%d" if self.v6 else "192.0.2.%d") % n)
                        for n in (1, 2))

    def network(self):
        """The IP header and what is between it and the transport header."""
        rest = b""
        following = self.proto
        for number, options in reversed(self.extensions):
            rest = bytes((following, (len(options) + 2) // 8 - 1)) + options + rest
            following = number
        length = len(rest) + len(self.transport())
        if self.v6:
            return struct.pack("!IHBB", 6 << 28, length, following, 64) + self.addresses() + rest
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 7, 0x4000, 64, following, 0)
        total = 0xffff - sum16(head + self.addresses())
        return head[:10] + struct.pack("!H", total) + self.addresses()

    def to_bytes(self, to, source):
        """With the virtio-net header in front."""
        tag = b"" if self.tag is None else struct.pack("!HH", VLAN, self.tag)
        ether = to + source + tag + struct.pack("!H", 0x86dd if self.v6 else 0x0800)
        network, transport = self.network(), self.transport()
        start = len(ether) + len(network)
        facts = (NEEDS_CSUM, self.kind, start + (8 if self.proto == UDP else 20),
                 self.segment_size, start, 6 if self.proto == UDP else 16)
        return VNET_HDR.pack(*(facts if self.unset else (0,) * 6)) + ether + network + transport


class Received:
    """A frame that came in."""

    def __init__(self, data, tag):
        flags, self.kind, _, self.segment_size, self.start, self.offset = VNET_HDR.unpack(data[:10])
        self.unset = bool(flags & NEEDS_CSUM)
        self.bytes, self.tag = data[10:], tag
        ip = self.bytes[14:]
        self.v6 = ip[0] >> 4 == 6
        self.proto, at, end = (ip[6], 40, 40 + int.from_bytes(ip[4:6], "big")) if self.v6 else \
            (ip[9], 20, int.from_bytes(ip[2:4], "big"))
        self.extensions = []
        while self.v6 and self.proto in (0, 60):
            length = 8 * (ip[at + 1] + 1)
            self.extensions.append((self.proto, ip[at + 2:at + length]))
            self.proto, at = ip[at], at + length
        self.ip, self.transport = ip[:at], ip[at:end]
        self.payload = self.transport[8 if self.proto == UDP else 4 * (self.transport[12] >> 4):]
        self.seq = int.from_bytes(self.transport[4:8], "big")
        self.flags = self.transport[13] if self.proto == TCP else 0

    def pseudo(self):
        addresses = self.ip[8:40] if self.v6 else self.ip[12:20]
        return sum16(addresses + struct.pack("!II", len(self.transport), self.proto))

    def check_sums(self):
        assert self.v6 or sum16(self.ip) == 0xffff, "wrong checksum of an IPv4 header"
        if self.unset:
            field = 6 if self.proto == UDP else 16
            assert (self.start, self.offset) == (14 + len(self.ip), field), vars(self)
            value = int.from_bytes(self.transport[field:field + 2], "big")
            assert value == self.pseudo(), f"unset checksum {value:#x} for {self.pseudo():#x}"
        else:
            assert self.sum_is_right(), "wrong finished checksum"

    def sum_is_right(self):
        return sum16(struct.pack("!H", self.pseudo()) + self.transport) == 0xffff


class Tap:
    """A host's interface, for frames as they are."""

    def __init__(self, host, device, mac):
        self.mac = bytes.fromhex(mac.replace(":", ""))
        self.socket = open_at(host, socket.AF_PACKET, socket.SOCK_RAW, 0)
        for option in (PACKET_VNET_HDR, PACKET_AUXDATA):
            self.socket.setsockopt(SOL_PACKET, option, 1)
        self.socket.bind((device, ETH_P_ALL))
        self.socket.settimeout(3)

    def send(self, frame, to):
        self.socket.send(frame.to_bytes(to.mac, self.mac))

    def receive(self):
        """The next frame that came in between the addresses of all frames here."""
        while True:
            data, controls, _, address = self.socket.recvmsg(70000, 64)
            ours = Frame(data[24] >> 4 == 6, UDP, b"").addresses() in data[10:100]
            if address[2] == PACKET_OUTGOING or not ours:
                continue
            status, _, _, _, _, tci, _ = struct.unpack("=IIIHHHH", controls[0][2])
            return Received(data, tci if status & TP_STATUS_VLAN_VALID else None)
