# SPDX-License-Identifier: GPL-3.0-or-later
"""A DNS server for the tests: every name has one IPv4 address. dns.py ADDRESS ANSWER; without an
answer it is silent, as one that is not reached."""

import socket
import struct
import sys

TYPE_A, CLASS_IN, TTL_S = 1, 1, 1


def answer_to(question, address):
    """The datagram that answers a query of one question."""
    end = question.index(0, 12) + 5
    kind = struct.unpack("!H", question[end - 4:end - 2])[0]
    found = b""
    if kind == TYPE_A:
        found = struct.pack("!HHHIH4s", 0xc00c, TYPE_A, CLASS_IN, TTL_S, 4,
                            socket.inet_aton(address))
    return (question[:2] + struct.pack("!HHHHH", 0x8180, 1, 1 if found else 0, 0, 0) +
            question[12:end] + found)


def main():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((sys.argv[1], 53))
    print("listening", flush=True)
    while True:
        question, asker = s.recvfrom(512)
        print("asked", flush=True)
        if len(sys.argv) > 2:
            s.sendto(answer_to(question, sys.argv[2]), asker)


main()
