#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host's own users can do at the control socket and see in /proc, and what idle links tell."""

import collections
import pathlib
import signal
import socket
import struct
import time

from arena import Arena, family, note

SLOW = 40


def slow_clients(arena, report):
    """They connect, say half a line, and stay."""
    a = arena["a"]
    edge = a.edge("n2n0", "10.9.0.1", "-k", arena.new_key(), *arena.at)
    start = time.monotonic()
    a.status()
    calm = time.monotonic() - start
    path = next(pathlib.Path(a.state).rglob("control"))
    clients = []
    for _ in range(SLOW):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(0.05)
        try:
            s.connect(str(path))
            s.send(b'{"v":1,')
            clients.append(s)
        except OSError:
            s.close()
    start = time.monotonic()
    answered = False
    while not answered and time.monotonic() < start + 15:
        try:
            a.status()
            answered = True
        except AssertionError:
            time.sleep(0.05)
    report.figure(f"{SLOW} slow clients of the control socket: n2n status is answered that much "
                  "later than without", time.monotonic() - start - calm, "s", at_most=1,
                  of="CONTROL.md 1", before="5.0 s")
    note(f"{len(clients)} were connected")
    for s in clients:
        s.close()
    edge.stop()


def arguments(arena, report):
    """The same options but for the length of -k."""
    lengths = []
    for n, word in enumerate(("short pass phrase", "a pass phrase that is very much longer than that")):
        edge = arena["a"].edge("n2n0", "10.9.0.1", "-c", "net", "-k", word, *arena.at)
        lines = [pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() for pid in edge.pids()]
        assert word.encode() not in b"".join(lines), lines
        assert all(arena["a"].state.encode() in line for line in lines), "these are not its arguments"
        lengths.append(sum(map(len, lines)))
        edge.stop()
    report.figure("bytes by which /proc/PID/cmdline tells the length of -k",
                  abs(lengths[1] - lengths[0]), at_most=0, of="SECURITY.md", before="31")


def lengths_of(pcap):
    """UDP payload lengths by direction: True from the supernode."""
    at, found = 24, {True: collections.Counter(), False: collections.Counter()}
    while at + 16 <= len(pcap):
        length, = struct.unpack_from("=I", pcap, at + 8)
        p = pcap[at + 16:at + 16 + length]
        at += 16 + length
        if p[12:14] == b"\x08\x00" and p[23] == 17:
            sport, _, udp = struct.unpack("!HHH", p[34:40])
            found[sport == 7654][udp - 8] += 1
    return found


def idle_sizes(arena, report, seconds):
    """Edges that have nothing to say, each of another community."""
    names = "abcd"
    for n in names:
        arena[n].run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        arena[n].edge("n2n0", "10.9.0.1", "-k", arena.new_key(), *arena.at).wait_says("registered")
    time.sleep(4)
    tap = arena.sn.background("tcpdump", "-i", "eth0", "-U", "-w", str(arena.dir / "idle.pcap"),
                              "udp", "and", "port", "7654")
    tap.wait_says("listening on")
    time.sleep(seconds)
    tap.stop(signal.SIGINT)
    for down, sizes in lengths_of((arena.dir / "idle.pcap").read_bytes()).items():
        total = sum(sizes.values())
        assert total > 0, "nothing was captured"
        report.figure(f"idle {len(names)} edges, {'to' if down else 'from'} them: share of the most "
                      f"frequent length among {total} datagrams",
                      100 * max(sizes.values()) / total, "%", at_most=40, of="SECURITY.md",
                      before="100 %")
        note(f"{len(sizes)} lengths")


def main(report, quick):
    with Arena("a", "b", "c", "d") as arena:
        slow_clients(arena, report)
        arguments(arena, report)
        idle_sizes(arena, report, 20 if quick else 60)


family(main)
