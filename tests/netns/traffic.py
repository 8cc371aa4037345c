# SPDX-License-Identifier: GPL-3.0-or-later
"""Traffic for the tests: TCP with a hash at both ends, UDP datagrams that check themselves."""

import hashlib
import os
import signal
import socket
import sys
import time

CHUNK = 1 << 20


def open_socket(kind, address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.socket(family, kind), (address, int(port))


def tcp_receive(address, port):
    listener, at = open_socket(socket.SOCK_STREAM, address, port)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(at)
    listener.listen(1)
    print("listening", flush=True)
    connection, _ = listener.accept()
    digest = hashlib.sha256()
    while chunk := connection.recv(CHUNK):
        digest.update(chunk)
    print(digest.hexdigest())


def tcp_send(address, port, megabytes):
    s, to = open_socket(socket.SOCK_STREAM, address, port)
    s.connect(to)
    block = os.urandom(CHUNK)
    digest = hashlib.sha256()
    for i in range(int(megabytes)):
        # A different block each time, at less cost than fresh random bytes.
        block = block[i % 251 + 1:] + block[:i % 251 + 1]
        digest.update(block)
        s.sendall(block)
    s.close()
    print(digest.hexdigest())


def contents(number):
    size = 40 + number * 37 % 1200
    head = b"%08d" % number
    return (head + hashlib.sha256(head).digest() * 40)[:size]


def udp_receive(address, port, count):
    s, at = open_socket(socket.SOCK_DGRAM, address, port)
    s.bind(at)
    s.settimeout(3)
    print("listening", flush=True)
    seen = set()
    try:
        while len(seen) < int(count):
            data = s.recv(2000)
            number = int(data[:8])
            if data == contents(number):
                seen.add(number)
    except socket.timeout:
        pass
    print(len(seen))


def udp_send(address, port, count):
    s, to = open_socket(socket.SOCK_DGRAM, address, port)
    for number in range(int(count)):
        s.sendto(contents(number), to)
        time.sleep(0.001)


signal.signal(signal.SIGINT, signal.SIG_DFL)

COMMANDS = {"tcp-receive": tcp_receive, "tcp-send": tcp_send, "udp-receive": udp_receive,
            "udp-send": udp_send}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
