#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checksums that a kernel leaves unset are right wherever they have to be.

    sn 10.77.0.1 ----+
    a  10.77.0.2 ----+---- switch
    b  10.77.0.3 ----+
    |
    +-- lan0 ---- c                   behind b, which forwards or bridges; the link computes no
                                      checksums, so c sees what b's kernel made of the facts
"""

import os
import pathlib
import random
import re
import shutil
import signal
import struct

import flows
from flows import stream, sweep
from frames import EXTENSIONS, GSO_NONE, PSH_ACK, TCP, UDP, Frame, Tap
from net import Net, sh, skip, step, wait_for, with_what

MTU = 1376
MEGABYTE = 1 << 20
SEGMENT = 1200
PLAIN = ("tx", "off", "sg", "off", "tso", "off", "gso", "off", "gro", "off",
         "tx-udp-segmentation", "off")


def start(net, key, left="", right=""):
    """Returns the programs and puts the interfaces of a and b into their hosts."""
    programs = []
    for n, (name, disabled) in enumerate((("a", left), ("b", right)), 1):
        words = [f"--disable={disabled}"] if disabled else []
        programs.append(net[name].edge(
            "n2n0", f"10.1.2.{n}", "-a", f"fd12::{n}/64", "-c", "x", "-l",
            f"{net['sn'].ip}:7654", "--workers", 1, *words, env={"N2N_KEY": key}))
    net["a"].wait_direct()
    net["b"].wait_direct()
    net["a"].wait_ping("10.1.2.2", 10)
    net["a"].wait_ping("fd12::2", 10, "-6")
    for name in "ab":
        net[name].tap = Tap(net[name], "n2n0", net[name].community()["mac"])
    return programs


def stop(programs):
    for p in programs:
        assert p.stop() == 0, p.text()


class Captured:
    """What arrives at c's link; tcpdump checks the sums."""

    def __init__(self, c):
        self.c, self.file = c, f"{c.state}-{c.count}.pcap"
        self.p = c.background("tcpdump", "-i", "lan0", "-Q", "in", "-s0", "-B8192", "-U",
                              "--immediate-mode", "-w",
                              self.file, "tcp or udp")
        self.p.wait_says("listening on")

    def check(self):
        """All sums must be right. Returns how many of TCP and UDP there were."""
        # What is on its way to the file.
        wait_for("tcpdump is idle", self.settled, 5, 0.2)
        self.p.stop(signal.SIGINT)
        assert re.search(r"^0 packets dropped by kernel", self.p.text(), re.M), self.p.text()
        text = self.c.run("tcpdump", "-r", self.file, "-nvv")
        wrong = re.findall(r".*(?:\(incorrect|bad cksum|bad udp cksum).*", text)
        assert not wrong, wrong[:3]
        lengths = map(int, re.findall(r"\blength:? (\d+)\)$", text, re.M))
        assert max(lengths) <= MTU, "a super-frame got through to c"
        return len(re.findall(r"cksum \S+ \(correct\)", text)), text.count("[udp sum ok]")

    def settled(self):
        size, self.size = getattr(self, "size", -1), os.path.getsize(self.file)
        return size == self.size


# ---- forwarding and bridging ----

def make_link(b, c):
    sh("ip", "-n", b.ns, "link", "add", "lan0", "type", "veth", "peer", "name", "lan0", "netns",
       c.ns)
    for host in (b, c):
        host.run("ip", "link", "set", "lan0", "mtu", MTU, "up")
        host.set_features("lan0", *PLAIN)


def forward(a, b, c):
    b.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
    b.run("ip", "addr", "add", "10.9.0.1/24", "dev", "lan0")
    b.run("ip", "addr", "add", "fd99::1/64", "dev", "lan0", "nodad")
    c.run("ip", "addr", "add", "10.9.0.2/24", "dev", "lan0")
    c.run("ip", "addr", "add", "fd99::2/64", "dev", "lan0", "nodad")
    c.run("ip", "route", "add", "10.1.2.0/24", "via", "10.9.0.1")
    c.run("ip", "route", "add", "fd12::/64", "via", "fd99::1")


def check_forwarding(net, key):
    a, b, c = net["a"], net["b"], net["c"]
    forward(a, b, c)
    for left, right in (("", ""), ("", "vnethdr"), ("vnethdr", "")):
        programs = start(net, key, left, right)
        a.run("ip", "route", "add", "10.9.0.0/24", "via", "10.1.2.2")
        a.run("ip", "route", "add", "fd99::/64", "via", "fd12::2")
        a.wait_ping("10.9.0.2", 5)
        a.wait_ping("fd99::2", 5, "-6")
        captured = Captured(c)
        stream((a, c, "10.9.0.2", MEGABYTE), (a, c, "fd99::2", MEGABYTE))
        for to in ("10.9.0.2", "fd99::2"):
            sweep(a, c, to, MTU)
        tcp, udp = captured.check()
        assert tcp > 2 * MEGABYTE / MTU and udp >= 500, (tcp, udp)
        # The other way b's interface reads what came from c: finished, or joined by b's kernel.
        for features in (PLAIN, [w.replace("off", "on") for w in PLAIN]):
            b.set_features("lan0", *features)
            c.set_features("lan0", *features)
            stream((c, a, "10.1.2.1", MEGABYTE), (c, a, "fd12::1", MEGABYTE))
            for to in ("10.1.2.1", "fd12::1"):
                sweep(c, a, to, MTU)
        b.set_features("lan0", *PLAIN)
        c.set_features("lan0", *PLAIN)
        errors = a.run("nstat", "-asz", "TcpInCsumErrors", "UdpInCsumErrors", "Udp6InCsumErrors")
        assert not re.search(r"Errors +[1-9]", errors), errors
        stop(programs)
        step(f"forwarded, a {with_what(left)}, b {with_what(right)}: {tcp} TCP and {udp} UDP "
             "packets with right checksums at c; and back")


def make_bridge(b, c, mac):
    b.run("ip", "link", "add", "br1", "address", mac, "type", "bridge")
    for port in ("n2n0", "lan0"):
        b.run("ip", "link", "set", port, "master", "br1")
    b.run("ip", "addr", "flush", "dev", "n2n0")
    b.run("ip", "link", "set", "br1", "up")
    b.run("ip", "addr", "add", "10.1.2.2/24", "dev", "br1")
    b.run("ip", "addr", "add", "fd12::2/64", "dev", "br1", "nodad")
    for device in ("lan0", "br1"):
        (b if device == "br1" else c).run("sysctl", "-qw", f"net.ipv6.conf.{device}.accept_dad=0",
                                          check=False)
    c.run("ip", "addr", "add", "10.1.2.3/24", "dev", "lan0")
    c.run("ip", "addr", "add", "fd12::3/64", "dev", "lan0", "nodad")


def check_bridging(net, key):
    a, b, c = net["a"], net["b"], net["c"]
    for host in (b, c):
        for address in ("10.9.0.%d/24", "fd99::%d/64"):
            host.run("ip", "addr", "del", address % (1 if host is b else 2), "dev", "lan0")
    programs = start(net, key)
    make_bridge(b, c, b.community()["mac"])
    a.wait_ping("10.1.2.2", 10)
    a.wait_ping("fd12::2", 10, "-6")
    stream((a, b, "10.1.2.2", MEGABYTE), (b, a, "10.1.2.1", MEGABYTE),
           (a, b, "fd12::2", MEGABYTE), (b, a, "fd12::1", MEGABYTE))
    for x, y, to in ((a, b, "10.1.2.2"), (b, a, "fd12::1")):
        sweep(x, y, to, MTU)
    step("bridged: TCP and UDP between a and the bridge that b's interface is a port of")
    # A member sends from its own MAC only, so nothing comes back: what a needs to know is told.
    mac = re.search(r"link/ether (\S+)", c.run("ip", "link", "show", "lan0")).group(1)
    for to in ("10.1.2.3", "fd12::3"):
        a.run("ip", "neigh", "replace", to, "lladdr", mac, "dev", "n2n0", "nud", "permanent")
    captured = Captured(c)
    for to in ("10.1.2.3", "fd12::3"):
        sweep(a, c, to, MTU)
    _, udp = captured.check()
    assert udp >= 500, udp
    step(f"bridged: {udp} UDP packets with right checksums at c, which is no member")
    check_long_segments(net)
    stop(programs)
    b.run("ip", "link", "del", "br1")
    sh("ip", "-n", b.ns, "link", "del", "lan0")


def underlay_mtu(net, mtu):
    sh("ip", "-n", net.switch, "link", "set", "br0", "mtu", mtu)
    for name in "ab":
        sh("ip", "-n", net.switch, "link", "set", "dev", name, "mtu", mtu)
        net[name].run("ip", "link", "set", "eth0", "mtu", mtu)


def check_long_segments(net):
    """
    A bridge passes super-frames on to an interface for whose MTU their segments are too long. They
    are carried, in halves where the network asks for that, unless they are too long for a frame.
    """
    a, b = net["a"], net["b"]
    for segment, underlay, lost in ((1500, 2000, {}), (1500, 1500, {}), (3000, 9000, {"uncut": 1})):
        underlay_mtu(net, underlay)
        b.run("ip", "link", "set", "br1", "mtu", segment)
        before = b.status()["drops"]
        sent = [flows.contents(i, segment - 28) for i in range(4)]
        got = []
        with flows.udp_at(a, "10.1.2.1", 9999) as sink, flows.udp_at(b, "10.1.2.1") as source:
            sink.settimeout(1)
            flows.send_train(source, ("10.1.2.1", 9999), sent)
            try:
                while len(got) < len(sent):
                    got.append(sink.recv(4000))
            except TimeoutError:
                pass
        # What c says of itself, by the bridge, is not carried: b's edge is none. It comes when it likes.
        new = {why: n - before.get(why, 0) for why, n in b.status()["drops"].items()
               if n > before.get(why, 0) and why != "foreign-source"}
        assert got == ([] if lost else sent) and new == lost, f"{len(got)} of 4, drops {new}"
        step(f"bridged, segments of {segment} bytes for an MTU of {MTU}, on a network with "
             f"{underlay}: {f'dropped and counted, {lost}' if lost else 'carried'}")


# ---- frame by frame ----

def expect(a, b, frame):
    """Sends a frame and checks what arrives: all of it, in order, under the same headers."""
    size = len(frame.payload)
    a.tap.send(frame, b.tap)
    payload, got = b"", []
    while len(payload) < size:
        r = b.tap.receive()
        r.check_sums()
        assert (r.v6, r.proto, r.tag) == (frame.v6, frame.proto, frame.tag), vars(r)
        assert tuple(r.extensions) == frame.extensions, r.extensions
        assert frame.proto == UDP or r.seq == frame.seq + len(payload), (r.seq, len(payload))
        assert r.kind in (GSO_NONE, frame.kind), r.kind
        step_size = r.segment_size if r.kind else len(r.payload)
        assert step_size == min(frame.segment_size or size, size - len(payload)), vars(r)
        payload += r.payload
        got.append(r)
    assert payload == frame.payload
    assert [r.flags & 8 for r in got][:-1] == [0] * (len(got) - 1), "PSH before the end"
    assert got[-1].flags == (frame.flags if frame.proto == TCP else 0)
    return got


def all_frames():
    for v6 in (False, True):
        for proto in (TCP, UDP):
            for tag in (None, 42):
                for extensions in ((), EXTENSIONS[:1], EXTENSIONS) if v6 else ((),):
                    for size in (1, 2, 999, 1200, 2400, 2401, 30001):
                        f = Frame(v6, proto, random.randbytes(size), tag=tag,
                                  extensions=extensions, flags=PSH_ACK)
                        f.unset = True
                        yield f.train(SEGMENT) if size > SEGMENT else f


def check_frames(net, key):
    a, b = net["a"], net["b"]
    for right in ("", "vnethdr"):
        programs = start(net, key, right=right)
        single, trains, joined = 0, 0, 0
        for frame in all_frames():
            got = expect(a, b, frame)
            single += frame.kind == GSO_NONE
            trains += frame.kind != GSO_NONE
            joined += any(r.kind for r in got)
            unset = {r.unset for r in got}
            assert unset == {not right}, f"{unset} with {right!r} disabled"
        assert (joined > 0) == (not right), joined
        step(f"b {with_what(right)}: {single} frames and {trains} super-frames with an "
             f"unset checksum, tagged and with extension headers; {joined} were joined again, "
             f"all sums {'finished' if right else 'handed on'}")
        check_wrong_sums(net, programs[0], joins=not right)
        check_no_sum(a, b)
        stop(programs)


def pause(program):
    """Until SIGCONT; what it would read meanwhile makes one batch."""
    os.kill(program.pid, signal.SIGSTOP)
    wait_for("all threads have stopped", lambda: all(
        re.search(r"\) T ", stat.read_text())
        for stat in pathlib.Path(f"/proc/{program.pid}/task").glob("*/stat")), 5, 0.001)


def check_wrong_sums(net, edge, joins):
    """A segment damaged before a saw it stays so, alone, among others that are joined."""
    a, b = net["a"], net["b"]
    for v6 in (False, True):
        for proto in (TCP, UDP):
            frames = []
            for i in range(12):
                frames.append(Frame(v6, proto, random.randbytes(SEGMENT), seq=i * SEGMENT))
                frames[i].bad_sum = 0x101 if i == 5 else 0
            pause(edge)
            for f in frames:
                a.tap.send(f, b.tap)
            os.kill(edge.pid, signal.SIGCONT)
            got, payload = [], b""
            while len(payload) < 12 * SEGMENT:
                got.append(b.tap.receive())
                payload += got[-1].payload
            assert payload == b"".join(f.payload for f in frames), "not in order"
            bad = [r for r in got if not r.unset and not r.sum_is_right()]
            assert len(bad) == 1 and not bad[0].kind, [vars(r) for r in bad]
            assert bad[0].transport == frames[5].transport(), "it was changed"
            assert joins == any(r.kind for r in got), [r.kind for r in got]
            for r in got:
                if r is not bad[0]:
                    r.check_sums()
    step(f"a wrong checksum among right ones arrives wrong and by itself; the others "
         f"{'were joined' if joins else 'as well'}")


def check_no_sum(a, b):
    f = Frame(False, UDP, b"no checksum")
    f.no_sum = True
    a.tap.send(f, b.tap)
    r = b.tap.receive()
    assert not r.unset and r.transport == struct.pack("!HHHH", 4000, 5000, 19, 0) + f.payload
    step("UDP over IPv4 without a checksum stays so")


def main():
    if shutil.which("ethtool") is None:
        skip("ethtool is not installed")
    os.environ.pop("N2N_DISABLE", None)
    random.seed(4)
    with Net("sn", "a", "b", "c") as net:
        net.keep_order()
        for name in "abc":
            net[name].run("sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0", check=False)
        key = sh(net.programs["n2n"], "key", "new", "x").split()[-1]
        net["sn"].supernode("-l", 7654)
        check_frames(net, key)
        make_link(net["b"], net["c"])
        check_forwarding(net, key)
        check_bridging(net, key)


main()
