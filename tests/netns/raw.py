# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole Ethernet frames at a host's card, tags included."""

import os
import socket
import struct

from flows import SO_RCVBUFFORCE, open_at
from frames import ETH_P_ALL, PACKET_AUXDATA, PACKET_OUTGOING, SOL_PACKET, TP_STATUS_VLAN_VALID
from lan import mac_of

TP_STATUS_VLAN_TPID_VALID = 1 << 6
PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC = 1, 1
VLAN, SERVICE_VLAN = 0x8100, 0x88a8
BROADCAST = b"\xff" * 6


def tag(number, kind=VLAN):
    return struct.pack("!HH", kind, number)


class Card:
    """A host's eth0. It hears all, as a switch port does."""

    def __init__(self, host):
        self.name = host.name
        self.mac = bytes.fromhex(mac_of(host).replace(":", ""))
        self.socket = open_at(host, socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self.socket.bind(("eth0", ETH_P_ALL))
        index = int(host.run("cat", "/sys/class/net/eth0/ifindex"))
        self.socket.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP,
                               struct.pack("=iHH8x", index, PACKET_MR_PROMISC, 0))
        self.socket.settimeout(3)

    def send(self, to, rest, source=None):
        """rest: tags, if any, EtherType and payload. Returns the frame."""
        frame = to + (source or self.mac) + rest
        self.socket.send(frame)
        return frame

    def receive(self):
        """The next frame that came in, as it was on the wire."""
        while True:
            data, controls, _, address = self.socket.recvmsg(70000, 64)
            if address[2] != PACKET_OUTGOING:
                return with_tag(data, controls)

    def expect(self, frame, what):
        """Whatever else comes in."""
        try:
            while self.receive() != frame:
                pass
        except TimeoutError:
            raise AssertionError(f"{self.name} did not get {what}: {frame[:40].hex()}..., "
                                 f"{len(frame)} bytes") from None

    def heard(self, source, seconds):
        """All frames from this address that come within this time of each other."""
        frames = []
        self.socket.settimeout(seconds)
        try:
            while True:
                frame = self.receive()
                if frame[6:12] == source:
                    frames.append(frame)
        except TimeoutError:
            return frames
        finally:
            self.socket.settimeout(3)


def with_tag(data, controls):
    """The kernel takes the first tag out of a frame and tells it beside."""
    status, _, _, _, _, tci, kind = struct.unpack("=IIIHHHH", controls[0][2])
    if not status & TP_STATUS_VLAN_VALID:
        return data
    kind = kind if status & TP_STATUS_VLAN_TPID_VALID else VLAN
    return data[:12] + struct.pack("!HH", kind, tci) + data[12:]


def noise(size):
    return os.urandom(size)
