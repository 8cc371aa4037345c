# SPDX-License-Identifier: GPL-3.0-or-later
"""Traffic by sockets that the test itself has at its hosts: streams, datagrams, trains, frames.

A socket belongs to the namespace in which it was made, whoever uses it; so the test holds both ends
and compares them without a process per transfer. Lengths are in bytes.
"""

import ctypes
import hashlib
import os
import socket
import struct
import threading

CLONE_NEWNET = 0x40000000
SO_RCVBUFFORCE = 33
SOL_UDP, UDP_SEGMENT, UDP_GRO = 17, 103, 104
LIBC = ctypes.CDLL(None, use_errno=True)
PATIENCE = 10  # seconds without progress
BLOCK = 1 << 18
WINDOW = 100 << 10  # that may be under way: less than any queue here holds


def open_at(host, *kind):
    """socket.socket(*kind) at a host."""
    def enter(space):
        if LIBC.setns(space.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{host.ns}") as there:
        enter(there)
        try:
            s = socket.socket(*kind)
        finally:
            enter(home)
    s.settimeout(PATIENCE)
    return s


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def udp_at(host, address="", port=0):
    """A UDP socket that can hold whatever a test sends before it reads."""
    s = open_at(host, family_of(address), socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    if port:
        s.bind((address, port))
    return s


# ---- streams ----

class Stream:
    """A TCP stream between two hosts that carries random bytes and hashes them at both ends."""

    def __init__(self, sender, receiver, address, size):
        self.size, self.sums = size, {}
        self.error = None
        with open_at(receiver, family_of(address), socket.SOCK_STREAM) as listener:
            listener.bind((address, 0))
            listener.listen(1)
            self.out = open_at(sender, family_of(address), socket.SOCK_STREAM)
            self.out.connect(listener.getsockname()[:2])
            self.into = listener.accept()[0]
        self.into.settimeout(PATIENCE)
        self.what = f"TCP from {sender.name} to {address}"
        self.threads = [threading.Thread(target=self.guard, args=(work,), daemon=True)
                        for work in (self.send, self.receive)]

    def guard(self, work):
        try:
            work()
        except OSError as e:
            self.error = e

    def send(self):
        digest = hashlib.sha256()
        left = self.size
        while left > 0:
            block = os.urandom(min(left, BLOCK))
            digest.update(block)
            self.out.sendall(block)
            left -= len(block)
        self.out.shutdown(socket.SHUT_WR)
        self.sums["sent"] = digest.hexdigest()

    def receive(self):
        digest = hashlib.sha256()
        while block := self.into.recv(BLOCK):
            digest.update(block)
        self.sums["received"] = digest.hexdigest()

    def finish(self):
        for t in self.threads:
            t.join()
        self.out.close()
        self.into.close()
        assert self.error is None, f"{self.what}: {self.error}"
        assert self.sums["sent"] == self.sums["received"], f"{self.what}: hashes differ"


def stream(*streams):
    """Lets streams (sender, receiver, address, size) run at once, until their hashes are equal."""
    running = [Stream(*s) for s in streams]
    for s in running:
        for t in s.threads:
            t.start()
    for s in running:
        s.finish()


# ---- datagrams ----

def contents(number, size):
    """Of a datagram; the start of it tells the number, if there is room."""
    return (struct.pack("!I", number) + hashlib.sha256(b"%d" % number).digest() * (size // 32 + 1))[
        :size]


def send_train(s, to, datagrams):
    """Has the kernel cut them from one call: all as long as the first, the last may be shorter."""
    size = struct.pack("=H", len(datagrams[0]))
    s.sendmsg([b"".join(datagrams)], [(SOL_UDP, UDP_SEGMENT, size)], 0, to)


def receive_train(s):
    """The datagrams of one call to a socket with UDP_GRO."""
    data, controls, flags, _ = s.recvmsg(65536, 64)
    size = next((struct.unpack("=i", value)[0] for level, kind, value in controls
                 if (level, kind) == (SOL_UDP, UDP_GRO)), len(data))
    return [data[i:i + size] for i in range(0, len(data), size)] if data else [data]


def sizes(mtu_payload):
    """Of datagrams: all sorts, and all near the largest that IP need not fragment."""
    yield from range(0, 4001, 61)
    yield from range(mtu_payload - 2, mtu_payload + 3)


def trains(mtu_payload):
    """(size of all but the last datagram, their number, size of the last)."""
    yield from ((1, 40, 1), (100, 30, 99), (512, 63, 512), (1000, 40, 1), (mtu_payload, 2, 7),
                (mtu_payload, min(44, 65000 // mtu_payload - 1), mtu_payload))


def sweep_messages(mtu_payload):
    """Lists of datagrams; those with more than one leave as a train."""
    number = 0
    for size in sizes(mtu_payload):
        yield [contents(number, size)]
        number += 1
    for size, n, last in trains(mtu_payload):
        yield [contents(number + i, size) for i in range(n)] + [contents(number + n, last)]
        number += n + 1


def sweep(sender, receiver, address, mtu, ordered=True):
    """
    UDP datagrams of many sizes, one by one and as trains, fragmented by IP where they are larger
    than the MTU. All must arrive, unharmed, once, and in order: within what is under way at a time,
    unless ordered is False. Returns their number.
    """
    mtu_payload = mtu - (48 if ":" in address else 28)
    sent = received = waiting = 0
    with udp_at(receiver, address, 9999) as sink, udp_at(sender, address) as source:
        sink.setsockopt(SOL_UDP, UDP_GRO, 1)
        sink.settimeout(2)
        pending = []
        for message in [*sweep_messages(mtu_payload), None]:
            if message:
                if len(message) > 1:
                    send_train(source, (address, 9999), message)
                else:
                    source.sendto(message[0], (address, 9999))
                pending += message
                waiting += sum(map(len, message))
            if waiting < WINDOW and message:
                continue
            while pending:
                try:
                    got = receive_train(sink)
                except TimeoutError:
                    raise AssertionError(
                        f"UDP from {sender.name} to {address}: datagram {received} of "
                        f"{len(pending[0])} bytes is missing") from None
                for datagram in got:
                    any_place = not ordered and datagram in pending
                    expected = pending.pop(pending.index(datagram) if any_place else 0)
                    assert datagram == expected, (
                        f"UDP from {sender.name} to {address}: datagram {received} has "
                        f"{len(datagram)} bytes for {len(expected)}, or other ones")
                    received += 1
            waiting = 0
    return received
