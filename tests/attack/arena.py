# SPDX-License-Identifier: GPL-3.0-or-later
"""Where attacks take place: hosts of tests/netns/net.py, one of them the attacker's.

    sn   10.77.0.1 ---+
    evil 10.77.0.2 ---+--- switch: a bridge
    a, b, ...      ---+

The attacker owns OWN, a whole network whose addresses it receives at, and sends from SPOOFED, which is
nobody's: what is answered there comes by at its interface, is counted, and goes nowhere. Nobody filters
by source. The attacker is tests/attack/attacker, or what $ATTACKER names.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "netns"))
from flows import udp_at  # noqa: E402
from net import Net, sh, wait_for  # noqa: E402, F401

OWN, OWN_NET = "10.64.0.0", "10.64.0.0/12"
SPOOFED, SPOOFED_NET = "10.128.0.0", "10.128.0.0/9"
VICTIM = "10.200.0.1"  # of SPOOFED_NET
PORT = 7654
ATTACKER = os.environ.get("ATTACKER", str(ROOT / "build" / "test-gcc" / "tests" / "attack" / "attacker"))


class Attack:
    """An attacker that runs."""

    def __init__(self, program):
        self.program = program

    def ready(self, timeout=30):
        self.program.wait_says("ready", timeout)
        return self

    def lines(self):
        return [json.loads(line) for line in re.findall(r"^\{.*\}$", self.program.text(), re.M)]

    def first(self, timeout):
        """Its first report, while it may go on."""
        self.program.wait_says(r"(?m)^\{.*\}$", timeout)
        return self.lines()[0]

    def result(self, timeout=120):
        """Its last report, after its end."""
        status = self.program.ends(timeout)
        assert status == 0, f"the attacker ended with {status}: {self.program.text()}"
        return self.lines()[-1]

    def stop(self):
        """Ends it; its report."""
        self.program.stop()
        return self.lines()[-1]


class Arena(Net):
    """sn and evil, and the named hosts, with a supernode at sn."""

    def __init__(self, *names):
        super().__init__("sn", "evil", *names)
        self.sn, self.evil = self["sn"], self["evil"]
        try:
            self.open_up()
            self.start_supernode()
        except BaseException:
            self.close()
            raise

    def open_up(self):
        for name, host in self.hosts.items():
            for way in ("all", "eth0"):
                host.run("sysctl", "-qw", f"net.ipv4.conf.{way}.rp_filter=0")
            if name != "evil":
                for net in (OWN_NET, SPOOFED_NET):
                    host.run("ip", "route", "add", net, "via", self.evil.ip)
        self.evil.run("sysctl", "-qw", "net.ipv4.ip_forward=0")
        self.evil.run("ip", "route", "add", "local", OWN_NET, "dev", "lo")

    def start_supernode(self, *words):
        self.supernode = self.sn.supernode("-p", PORT, *words)
        self.key = self.sn.status(f"supernode-{PORT}")["node"]["key"]

    @property
    def at(self):
        """-l for edges, with the key: no HELLO is needed."""
        return ("-l", f"{self.sn.ip}:{PORT}/{self.key}")

    @property
    def at_unknown(self):
        return ("-l", f"{self.sn.ip}:{PORT}")

    def attack(self, mode, to=None, **orders):
        """Starts the attacker in a mode; against the supernode unless another is named."""
        words = {"to": to or f"{self.sn.ip}:{PORT}", "key": self.key, **orders}
        return Attack(self.evil.background(
            ATTACKER, mode, *(f"{name}={value}" for name, value in words.items())))

    def spoofed(self, mode, rate, seconds, addresses=10000, **orders):
        return self.attack(mode, **{"from": SPOOFED, "addresses": addresses, "rate": rate,
                                    "seconds": seconds, **orders})

    def new_key(self):
        return sh(self.programs["n2n"], "key", "new", "arena").split()[-1]

    def watch(self, name):
        """A host's link, for the attacker to look on at."""
        return f"{self.switch}/{name}"

    def relayed_pair(self, a, b, *words):
        """Two edges that reach each other through the supernode alone."""
        a.block(b)
        b.block(a)
        edges = [a.edge("n2n0", "10.9.0.1", *words), b.edge("n2n0", "10.9.0.2", *words)]
        a.wait_ping("10.9.0.2", 20)
        return edges


class Newcomers:
    """
    Edges that nobody has seen before, started one after the other at one host: each has a state
    directory, an address and a /24 of its own.
    """

    NET = "10.80.0.0/12"

    def __init__(self, arena, host):
        self.arena, self.host, self.number = arena, host, 0
        arena.sn.run("ip", "route", "add", self.NET, "via", host.ip)

    def join(self, *words, patience=60):
        """Starts one, waits until it is registered and ends it; the seconds that took."""
        self.number += 1
        address = f"10.80.{self.number}.1"
        self.host.run("ip", "addr", "add", f"{address}/32", "dev", "eth0")
        self.host.state = str(self.arena.dir / f"newcomer-{self.number}")
        start = time.monotonic()
        edge = self.host.edge("n2n0", "10.9.1.1", "-p", f"{address}:40000", *words, ready=False)
        try:
            wait_for("an edge is registered", lambda: edge.says("registered in community"),
                     patience, 0.005)
            return time.monotonic() - start
        except AssertionError:
            return float(patience)
        finally:
            edge.stop()


class Flow:
    """UDP datagrams from host to host inside the tunnel at an even pace, counted at the far TAP."""

    def __init__(self, sender, receiver, address, rate, size=1000, port=9000):
        self.rate, self.size = rate, size
        self.sink = udp_at(receiver, address, port)
        self.source = udp_at(sender)
        self.source.connect((address, port))
        self.sink.settimeout(0.2)
        self.sent, self.seen, self.twice, self.over = 0, set(), 0, False
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self.send, self.take)]
        for t in self.threads:
            t.start()

    def send(self):
        start = time.monotonic()
        while not self.over:
            due = int((time.monotonic() - start) * self.rate)
            if due > self.sent + self.rate // 20:  # a pause of this machine is not made up for
                start += (due - self.sent) / self.rate
                due = self.sent
            while self.sent < due:
                try:
                    self.source.send(self.sent.to_bytes(8, "big") + bytes(self.size - 8))
                except OSError:  # its interface is gone for a moment
                    pass
                self.sent += 1
            time.sleep(0.002)

    def take(self):
        quiet = 0
        while quiet < 5:
            try:
                number = int.from_bytes(self.sink.recv(2048)[:8], "big")
                self.twice += number in self.seen
                self.seen.add(number)
                quiet = 0
            except TimeoutError:
                quiet += self.over

    def finish(self):
        """Datagrams sent, and lost on the way."""
        self.over = True
        for t in self.threads:
            t.join()
        self.sink.close()
        self.source.close()
        return self.sent, self.sent - len(self.seen)


def socket_drops(host):
    """What UDP sockets of the host had no room for."""
    return sum(int(line.split()[-1]) for name in ("udp", "udp6")
               for line in host.run("cat", f"/proc/net/{name}").splitlines()[1:])


def memory(program):
    """Resident bytes of a program that was started by "ip netns exec", which it replaced."""
    text = pathlib.Path(f"/proc/{program.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) * 1024


def percentile(values, share):
    """The smallest value that so large a share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * share // 100) - 1))]


class Report:
    """The figures of one family of attacks. Every one is printed, and kept for the table."""

    def __init__(self, family):
        self.family, self.failed = family, 0
        self.start = time.monotonic()

    def figure(self, attack, value, unit="", at_most=None, at_least=None, of="", before="",
               open_yet=False):
        """
        of: the section that states the bound; before: the figure when nothing was done yet;
        open_yet: this version is known not to hold the bound.
        """
        held = (at_most is None or value <= at_most) and (at_least is None or value >= at_least)
        bound = f"at most {number(at_most, unit)}" if at_most is not None else \
            f"at least {number(at_least, unit)}" if at_least is not None else ""
        verdict = "ok  " if held else "open" if open_yet else "FAIL"
        print(f"  {verdict}  {attack}: {number(value, unit)} ({bound or 'no bound yet'})", flush=True)
        held = held or open_yet
        self.failed += not held
        row = {"attack": attack, "figure": number(value, unit), "of": of, "before": before,
               "bound": f"to come: {bound}" if open_yet else bound, "held": held}
        if os.environ.get("N2N_FIGURES"):
            with open(os.environ["N2N_FIGURES"], "a") as f:
                f.write(json.dumps(row) + "\n")

    def end(self):
        print(f"  {self.family}: {time.monotonic() - self.start:.0f} s", flush=True)
        sys.exit(1 if self.failed else 0)


def note(text):
    print(f"        {text}", flush=True)


def number(value, unit):
    text = f"{value:,.0f}" if isinstance(value, int) or abs(value) >= 100 else f"{value:.2f}"
    return f"{text} {unit}".strip()


def family(main):
    """Runs a family of attacks: main(report, quick)."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the part that ./dev test runs")
    report = Report(pathlib.Path(sys.argv[0]).stem)
    main(report, parser.parse_args().quick)
    report.end()


def median(values):
    return statistics.median(values)
