# SPDX-License-Identifier: GPL-3.0-or-later
"""
A "virtual machine": a program behind a TAP interface that answers ARP and pings and knows no more
of a network. Arguments: the interface to make, its MAC and its IPv4 address.
"""

import fcntl
import os
import socket
import struct
import sys

TUNSETIFF = 0x400454ca
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
ARP, IP, ICMP = 0x0806, 0x0800, 1


def open_tap(name):
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return tap


def arp_answer(frame, mac, ip):
    if frame[20:22] != b"\0\1" or frame[38:42] != ip:
        return None
    asker = frame[22:32]
    return asker[:6] + mac + frame[12:20] + b"\0\2" + mac + ip + asker


def ping_answer(frame, mac, ip):
    head = 14 + 4 * (frame[14] & 15)
    if frame[23] != ICMP or frame[30:34] != ip or frame[head] != 8 or frame[:6] != mac:
        return None
    # Its type goes from 8 to 0, so its checksum up by 8 << 8.
    total = int.from_bytes(frame[head + 2:head + 4], "big") + 0x800
    total = (total & 0xffff) + (total >> 16)
    return frame[6:12] + mac + frame[12:26] + ip + frame[26:30] + frame[34:head] + \
        b"\0" + frame[head + 1:head + 2] + struct.pack("!H", total) + frame[head + 4:]


def main(name, mac, address):
    mac, ip = bytes.fromhex(mac.replace(":", "")), socket.inet_aton(address)
    tap = open_tap(name)
    print("running", flush=True)
    while frame := os.read(tap, 2000):
        kind = int.from_bytes(frame[12:14], "big")
        answer = arp_answer(frame, mac, ip) if kind == ARP and len(frame) >= 42 else \
            ping_answer(frame, mac, ip) if kind == IP and len(frame) >= 34 else None
        if answer:
            os.write(tap, answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
