#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several workers per program: nothing lost, nothing overtaken, no more idle work than with one.

    sn 10.77.0.1 ----+
    a, b         ----+---- switch        direct paths, but for c, d and e to each other
    c, d, e      ----+

Then a network that is slower than what is sent into the tunnel.
"""

import os
import pathlib
import re
import signal
import struct
import threading
import time

from flows import stream, udp_at
from net import Net, sh, step

MEGABYTE = 1 << 20
RELAYED = "cde"
ADDRESS = {name: f"10.1.2.{n}" for n, name in enumerate("abcde", 1)}
ADDRESS6 = {name: f"fd12::{n}" for n, name in enumerate("abcde", 1)}
FLOWS = 32
NUMBER = struct.Struct("!I")


def edge_words(net, name, workers):
    return ("n2n0", ADDRESS[name], "-a", f"{ADDRESS6[name]}/64", "-c", "x", "-l",
            f"{net['sn'].ip}:7654", "--workers", workers)


def start(net, key, names, workers):
    """Returns the supernode and the edges by name."""
    programs = {"sn": net["sn"].supernode("-l", 7654, "--workers", workers)}
    for name in names:
        programs[name] = net[name].edge(*edge_words(net, name, workers), env={"N2N_KEY": key})
    wait_all(net, names)
    return programs


def wait_all(net, names):
    for x in names:
        net[x].wait_direct(len(names) - (3 if x in RELAYED else 1))
        for y in names:
            if x != y:
                net[x].wait_ping(ADDRESS[y], 10)
                net[x].wait_ping(ADDRESS6[y], 5, "-6")


def stop(programs):
    for name in reversed(list(programs)):
        assert programs[name].stop() == 0, programs[name].text()


def check_status(net, programs, workers):
    for name in programs:
        status = net[name].status(*(["supernode-7654"] if name == "sn" else []))
        assert status["node"]["workers"] == workers, status["node"]
        if name != "sn":
            queues = net[name].run("ls", "/sys/class/net/n2n0/queues").split()
            assert queues.count(f"tx-{workers - 1}") == 1 and f"tx-{workers}" not in queues, queues


def pairs(names):
    return [(x, y) for x in names for y in names if x != y]


def check_streams(net, names):
    todo = [(net[x], net[y], to[y], MEGABYTE)
            for x, y in pairs(names) for to in (ADDRESS, ADDRESS6)]
    try:
        stream(*todo)
    except AssertionError as e:
        drops = net["sn"].status("supernode-7654")["drops"]
        raise AssertionError(f"{e}; drops at the supernode: {drops}") from None
    step(f"{len(todo)} TCP streams at once between {len(names)} edges, {len(RELAYED)} of them "
         "relayed: hashes are equal")


# ---- order ----

class Flows:
    """Numbered datagrams from one host to another, each flow between ports of its own."""

    def __init__(self, net, x, y, first_port):
        self.what = f"UDP from {x} to {y}"
        self.ends = []
        self.next = 0
        self.may_move = False
        for port in range(first_port, first_port + FLOWS):
            self.ends.append((udp_at(net[x], ADDRESS[x], port), udp_at(net[y], ADDRESS[y], port),
                              (ADDRESS[x], port), (ADDRESS[y], port)))

    def back(self):
        """
        The same flows the other way. The kernel moves a flow once to the queue of the interface
        through which its answers come, and then what is in both queues may change places.
        """
        other = object.__new__(Flows)
        other.what, other.next = self.what + " and back", 0
        other.ends = [(sink, source, to, at) for source, sink, at, to in self.ends]
        self.may_move = other.may_move = True
        return other

    def send(self, n):
        for number in range(self.next, self.next + n):
            for source, _, _, to in self.ends:
                source.sendto(NUMBER.pack(number) * (1 + number % 300), to)

    def receive(self, n):
        expected = list(range(self.next, self.next + n))
        for _, sink, _, (_, port) in self.ends:
            got = []
            try:
                while len(got) < n:
                    got.append(NUMBER.unpack(sink.recv(2000)[:4])[0])
            except TimeoutError:
                pass
            if self.may_move and self.next == 0:
                got.sort()
            assert got == expected, f"{self.what}, port {port}: {got} for {expected}"
        self.next += n

    def close(self):
        for source, sink, *_ in self.ends:
            source.close()
            sink.close()


def wake_ups(program):
    """How often each worker of a program has slept."""
    found = {}
    for task in pathlib.Path(f"/proc/{program.pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        if name.startswith("worker"):
            found[name] = int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)",
                                        (task / "status").read_text(), re.M).group(1))
    return found


def check_order(net, programs, workers):
    """In windows that no queue is too short for, so that a lossless network stays so."""
    before = wake_ups(programs["a"])
    assert sorted(before) == [f"worker {i}" for i in range(workers)], before
    ways = [Flows(net, "a", to, 7000 + 100 * i) for i, to in enumerate("bcd")]
    ways += [Flows(net, "b", "a", 8000), Flows(net, "c", "d", 8100)]
    two_ways = Flows(net, "a", "b", 8200)
    ways += [two_ways, two_ways.back()]
    for _ in range(25):
        for way in ways:
            way.send(8)
        for way in ways:
            way.receive(8)
    after = wake_ups(programs["a"])
    assert all(after[name] > before[name] for name in before), (before, after)
    for way in ways:
        way.close()
    step(f"{FLOWS * len(ways)} flows of {ways[0].next} datagrams: each in order, by all workers")


# ---- starting again, and not twice ----

def check_restart(net, programs, key, workers):
    b = net["b"]
    programs["b"].stop(signal.SIGKILL)
    del programs["b"]
    start_time = time.monotonic()
    programs["b"] = b.edge(*edge_words(net, "b", workers), env={"N2N_KEY": key})
    for name in "acde":
        b.wait_ping(ADDRESS[name], 10)
        net[name].wait_ping(ADDRESS["b"], 10)
    took = time.monotonic() - start_time
    stream(*((b, net[name], ADDRESS[name], MEGABYTE) for name in "acde"),
           *((net[name], b, ADDRESS["b"], MEGABYTE) for name in "acde"))
    step(f"killed and started again: all others reached after {took:.1f} s, and TCP with each")


def check_alone(net, key, programs, workers):
    a = net["a"]
    port = a.status()["node"]["udp_ports"]["ipv4"]
    for device, more, says in (("n2n0", (), "already runs instance"),
                               ("n2n0", ("--state-dir", a.state + "-other"), '"n2n0" is in use'),
                               ("n2n9", ("-p", port), f"UDP port {port} is in use")):
        p = a.start("edge", "-d", device, *edge_words(net, "a", workers)[2:], *more,
                    env={"N2N_KEY": key})
        assert p.ends() == 2 and says in p.text(), p.text()
    sn = net["sn"].start("supernode", "-l", 7654, "--workers", workers, "--state-dir",
                         net["sn"].state + "-other")
    assert sn.ends() == 2 and "UDP port 7654 is in use" in sn.text(), sn.text()
    assert len(wake_ups(programs["a"])) == workers
    a.wait_ping(ADDRESS["b"], 2)
    step("a second process on the same instance, interface or port is refused")


# ---- idle ----

def ticks(program):
    fields = pathlib.Path(f"/proc/{program.pid}/stat").read_text().rsplit(")")[1].split()
    return int(fields[11]) + int(fields[12])


def check_idle(programs):
    time.sleep(1)
    before = {name: ticks(p) for name, p in programs.items()}
    time.sleep(10)
    used = {name: ticks(p) - before[name] for name, p in programs.items()}
    assert max(used.values()) <= 3, used
    step(f"10 s without traffic cost at most {max(used.values())} ticks of "
         f"1/{os.sysconf('SC_CLK_TCK')} s")


# ---- a slow network ----

def limit(host, queue):
    host.run("tc", "qdisc", "replace", "dev", "eth0", "root", "tbf", "rate", "50mbit", "burst",
             "64kb", "limit", queue)


class Flood:
    """Numbered datagrams of 1,000 bytes at so many Mbit/s, whatever becomes of them."""

    def __init__(self, net, x, y, rate, seconds):
        self.rate = rate * 1e6 / 8 / 1000
        self.count = int(self.rate * seconds)
        self.source, self.sink = udp_at(net[x], ADDRESS[x]), udp_at(net[y], ADDRESS[y], 9990)
        self.sink.settimeout(2)
        self.to = (ADDRESS[y], 9990)
        self.got = []
        self.threads = [threading.Thread(target=work, daemon=True)
                        for work in (self.receive, self.send)]
        for t in self.threads:
            t.start()

    def receive(self):
        try:
            while True:
                self.got.append(NUMBER.unpack(self.sink.recv(2000)[:4])[0])
        except TimeoutError:
            pass

    def send(self):
        start_time = time.monotonic()
        for number in range(self.count):
            ahead = number / self.rate - (time.monotonic() - start_time)
            if ahead > 0.002:
                time.sleep(ahead)
            self.source.sendto(NUMBER.pack(number) * 250, self.to)

    def finish(self):
        for t in self.threads:
            t.join()
        self.source.close()
        self.sink.close()
        inversions = sum(b <= a for a, b in zip(self.got, self.got[1:]))
        assert inversions == 0, f"{inversions} datagrams were overtaken"
        return self.count - len(self.got)


def tap_dropped(host):
    return int(host.run("cat", "/sys/class/net/n2n0/statistics/tx_dropped"))


def queue_dropped(host):
    return int(re.search(r"dropped (\d+)", host.run("tc", "-s", "qdisc", "show", "dev",
                                                    "eth0")).group(1))


def check_slow_network(net, workers):
    """A short queue drops by itself; a long one pushes back to the socket and the interface."""
    a, b = net["a"], net["b"]
    for queue, what in (("128kb", "short"), ("64mb", "long")):
        limit(a, queue)
        before = a.status()["drops"].get("socket", 0), tap_dropped(a)
        flood = Flood(net, "a", "b", 100, 3)
        other = Flood(net, "b", "a", 20, 3)
        lost, lost_back = flood.finish(), other.finish()
        socket_drops = a.status()["drops"].get("socket", 0) - before[0]
        interface_drops = tap_dropped(a) - before[1]
        network_drops = queue_dropped(a)  # of a train they may be one
        drops = f"socket {socket_drops}, interface {interface_drops}, network {network_drops}"
        assert lost_back == 0, f"{lost_back} of {other.count} lost on the way back"
        assert 0.2 * flood.count < lost < 0.8 * flood.count, f"{lost} of {flood.count} lost"
        if what == "short":
            assert network_drops > 0, drops
        else:
            # What the programs say to each other is dropped, too.
            excess = socket_drops + interface_drops - lost
            assert network_drops == 0 and 0 <= excess < 100, f"{lost} lost; drops: {drops}"
        stream((a, b, ADDRESS["b"], MEGABYTE), (b, a, ADDRESS6["a"], MEGABYTE))
        step(f"{workers} workers, twice what a network with a {what} queue carries: "
             f"{lost} of {flood.count} datagrams lost and counted ({drops}), none overtaken, none "
             "lost the other way; then TCP")
        a.run("tc", "qdisc", "del", "dev", "eth0", "root")


def main():
    for name in ("N2N_DISABLE", "N2N_WORKERS"):
        os.environ.pop(name, None)
    with Net("sn", *ADDRESS) as net:
        net.keep_order()
        for name in ADDRESS:
            net[name].run("sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0", check=False)
        for x, y in pairs(RELAYED):
            net[x].block(net[y])
        key = sh(net.programs["n2n"], "key", "new", "x").split()[-1]
        for workers in (2, 3):
            programs = start(net, key, ADDRESS, workers)
            check_status(net, programs, workers)
            step(f"{workers} workers each")
            check_streams(net, ADDRESS)
            check_order(net, programs, workers)
            check_restart(net, programs, key, workers)
            check_alone(net, key, programs, workers)
            if workers == 2:
                check_idle(programs)
            stop(programs)
        for workers in (1, 2):
            programs = start(net, key, "ab", workers)
            check_slow_network(net, workers)
            stop(programs)


main()
