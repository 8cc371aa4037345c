#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one broadcast to many members costs: datagrams and bytes on its sender's cable, and the CPU
time of the sender, of what stands in the middle and of a receiver. Root only: the hosts are network
namespaces of this machine.

n2n, of one or two builds, goes through its supernode, as a firewall lets nothing pass between
edges; so do tinc and fastd, whose members are connected to one in the middle alone. A sender of
"fastd, direct" and of VXLAN has all receivers as its peers. All ways are there at once and are
measured by turns; what a way does while nothing is sent is measured as well, and taken off.

All but VXLAN encrypt. Who sends the frame takes CPU time too, in which the kernel does all that
VXLAN takes at its sender.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import sys
import time

from topology import Net, find_programs, sh, wait_for

CASES = {   # frame, broadcasts a second, seconds
    "60": (60, 100, 3),
    "1390": (1390, 80, 3),      # full at the MTU that n2n has by default
    "60-fast": (60, 1000, 1),
}
SETTLE_S = 0.5      # until what was sent has come everywhere


def busy_ns(pids):
    """CPU time of processes with all their threads, in nanoseconds."""
    return sum(int(task.read_text().split()[0]) for pid in pids
               for task in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"))


def counters(host, device):
    """Packets received, sent and bytes sent by an interface of a host."""
    text = pathlib.Path(f"/proc/{host.inside.pid}/net/dev").read_text()
    words = re.search(rf"^\s*{device}:(.*)$", text, re.MULTILINE).group(1).split()
    return int(words[1]), int(words[9]), int(words[8])


class Way:
    """One way to reach all. sender, middle, receivers: programs that are measured."""

    def __init__(self, title, device):
        self.title, self.device = title, device
        self.sender, self.middle, self.receivers = [], [], []

    def begin(self, net):
        self.net = net
        self.start()
        for host in net.members:
            wait_for(f"{self.device} at {host.name}",
                     lambda host=host: host.has_interface(self.device), 20)
            host.run("sysctl", "-qw", f"net.ipv6.conf.{self.device}.disable_ipv6=1")
            host.run("ip", "link", "set", self.device, "up")
        self.wait_ready()

    def wait_ready(self):
        """Until what is sent once comes to all."""
        def all_have():
            before = self.received()
            self.net.shout(self.device, 60, 100, 1)
            time.sleep(SETTLE_S)
            return all(now > then for now, then in zip(self.received(), before))
        wait_for(f"all hear a broadcast by {self.title}", all_have, 240, 0.5)

    def received(self):
        """Frames that the interface of each receiver has brought so far."""
        return [counters(host, self.device)[0] for host in self.net.members[1:]]


class N2n(Way):
    def __init__(self, title, device, port, programs, options=(), supernode_options=()):
        super().__init__(title, device)
        self.port, self.programs = port, programs
        self.options, self.supernode_options = options, supernode_options

    def state(self, host):
        return self.net.dir / f"{host.name}-{self.device}"

    def start(self):
        sn = self.net["sn"]
        key = sh(self.programs["n2n"], "key", "new", "bench").split()[-1]
        self.middle = [sn.background(self.programs["supernode"], "--state-dir", self.state(sn),
                                     "-l", self.port, *self.supernode_options)]
        self.middle[0].wait_says("listening at UDP port")
        for number, host in enumerate(self.net.members, 1):
            block_edges(host, sn, self.device, self.port)
            p = host.background(self.programs["edge"], "--state-dir", self.state(host), "-d",
                                self.device, "-a", f"10.9.0.{number}", "-k", key, "-p",
                                self.port, "-l", f"{sn.ip}:{self.port}", *self.options)
            (self.receivers if number > 1 else self.sender).append(p)

    def paths(self):
        try:
            out = self.net.members[0].run(self.programs["n2n"], "status", "-j", "-d", self.device,
                                          "--state-dir", self.state(self.net.members[0]))
        except AssertionError:
            return []   # not up yet
        peers = json.loads(out)["result"]["communities"][0]["peers"]
        return [p["path"]["kind"] for p in peers if p["up"]]

    def wait_ready(self):
        wait_for(f"{self.title}: all are there, through the relay",
                 lambda: self.paths() == ["relay"] * (len(self.net.members) - 1), 240, 1)
        super().wait_ready()


def block_edges(host, supernode, name, port):
    """Drops at a host what comes from the edges of others."""
    host.run("nft", f"add table inet {name}; "
             f"add chain inet {name} input {{ type filter hook input priority 0; }}; "
             f"add rule inet {name} input ip saddr != {supernode.ip} udp dport {port} drop; "
             f"add rule inet {name} input ip6 saddr != {supernode.ip6} udp dport {port} drop")


class Vxlan(Way):
    """Head-end replication in the kernel: there are no programs to measure but who sends."""

    def start(self):
        sender, *others = self.net.members
        for host in self.net.members:
            host.run("ip", "link", "add", self.device, "type", "vxlan", "id", 7, "dstport", 4789,
                     "dev", "eth0", "nolearning", *(() if host is sender else
                                                    ("remote", sender.ip)))
        for host in others:
            sender.run("bridge", "fdb", "append", "00:00:00:00:00:00", "dev", self.device, "dst",
                       host.ip)


class Tinc(Way):
    """All are connected to the one in the middle, which hands broadcasts on."""

    def start(self):
        hosts = [self.net["sn"], *self.net.members]
        for host in hosts:
            self.configure(host)
        for host in hosts[1:]:
            for at, of in ((host, hosts[0]), (hosts[0], host)):
                shutil.copy(self.conf(of) / "hosts" / of.name, self.conf(at) / "hosts" / of.name)
        programs = [host.background("tincd", "-c", self.conf(host), "-D",
                                    f"--pidfile={self.conf(host)}/pid") for host in hosts]
        self.middle, self.sender, self.receivers = programs[:1], programs[1:2], programs[2:]

    def conf(self, host):
        return self.net.dir / f"{host.name}-tinc"

    def configure(self, host):
        conf, middle = self.conf(host), self.net["sn"]
        (conf / "hosts").mkdir(parents=True)
        (conf / "tinc.conf").write_text(
            f"Name = {host.name}\nMode = switch\nDeviceType = tap\nInterface = {self.device}\n"
            + ("" if host is middle else f"ConnectTo = {middle.name}\n"))
        (conf / "hosts" / host.name).write_text(
            f"Address = {host.ip}\nCipher = aes-256-cbc\nDigest = sha256\n")
        sh("tincd", "-c", conf, "-K1024")


class Fastd(Way):
    """All have one peer: who is in the middle and forwards, or the sender."""

    def __init__(self, title, device, port, relayed):
        super().__init__(title, device)
        self.port, self.relayed = port, relayed

    def start(self):
        hosts = ([self.net["sn"]] if self.relayed else []) + self.net.members
        keys = [re.findall(r": ([0-9a-f]{64})", sh("sh", "-c", "fastd --generate-key 2>&1"))
                for _ in hosts]
        programs = []
        for n, host in enumerate(hosts):
            peers = range(1, len(hosts)) if n == 0 else [0]
            conf = self.net.dir / f"{host.name}-{self.device}.conf"
            conf.write_text(
                f'mode tap;\ninterface "{self.device}";\nmethod "salsa2012+umac";\n'
                f'bind {host.ip}:{self.port};\nsecret "{keys[n][0]}";\n'
                + ("forward yes;\n" if self.relayed and n == 0 else "")
                + "".join(f'peer "p{i}" {{ key "{keys[i][1]}"; '
                          f'remote {hosts[i].ip} port {self.port}; }}\n' for i in peers))
            programs.append(host.background("fastd", "-c", conf))
        at = 1 if self.relayed else 0
        self.middle, self.sender = programs[:at], programs[at:at + 1]
        self.receivers = programs[at + 1:]


class Crowd(Net):
    """Hosts m0, who sends, and those who receive."""

    def __init__(self, receivers, shout):
        self.program = shout
        super().__init__("sn", *(f"m{i}" for i in range(receivers + 1)))
        self.members = [host for name, host in self.hosts.items() if name != "sn"]
        for host in self.members:
            host.inside = host.background("sleep", "infinity")
        for host in (self["sn"], self.members[0]):      # datagrams are counted one by one
            host.set_features("eth0", "tx-udp-segmentation", "off")

    def shout(self, device, frame, rate, count):
        """Sends broadcasts; returns the CPU time in ns that the sending program took."""
        return int(self.members[0].run(self.program, device, frame, rate, count, timeout=120))

    def uplink(self):
        return counters(self.members[0], "eth0")[1:]


def span(way, action):
    """What the programs of a way and the sender's cable did during an action; and its result."""
    def now():
        return [*(busy_ns(pids) for pids in places), *way.net.uplink(), sum(way.received())]
    places = [[pid for p in programs for pid in p.pids()]
              for programs in (way.sender, way.middle, way.receivers)]
    before = now()
    result = action()
    return [b - a for a, b in zip(before, now())], result


def measure(way, case):
    """One measurement, for each broadcast."""
    frame, rate, seconds = CASES[case]
    count, receivers = rate * seconds, len(way.net.members) - 1

    def send():
        took = way.net.shout(way.device, frame, rate, count)
        time.sleep(SETTLE_S)
        return took
    quiet, _ = span(way, lambda: time.sleep(seconds + SETTLE_S))
    used, by_sender = span(way, send)
    sender, middle, all_receivers, datagrams, length, came = (
        (u - q) / count for u, q in zip(used, quiet))
    return {"datagrams": datagrams, "bytes": length, "sender": sender / 1000,
            "shout": by_sender / count / 1000, "middle": middle / 1000, "receiver": all_receivers / receivers / 1000,
            "came": 100 * came / receivers}


COLUMNS = {"datagrams": "datagrams", "bytes": "bytes", "sender": "sender, us",
           "shout": "who sends, us", "middle": "middle, us", "receiver": "a receiver, us", "came": "came, %"}


def cell(samples, digits):
    low, mid, high = min(samples), statistics.median(samples), max(samples)
    return f"{mid:.{digits}f} ({low:.{digits}f}..{high:.{digits}f})"


def report(ways, case, samples):
    frame, rate, _ = CASES[case]
    print(f"\n## {frame}-byte frames, {rate} a second\n\n| Way | "
          + " | ".join(COLUMNS.values()) + " | both, by the first |\n"
          + "|---" * (len(COLUMNS) + 2) + "|")
    first = samples[ways[0].title, case]
    for way in ways:
        rows = samples[way.title, case]
        ratio = statistics.median((r["sender"] + r["shout"]) / (f["sender"] + f["shout"])
                                  for r, f in zip(rows, first))
        print(f"| {way.title} | " + " | ".join(
            cell([r[name] for r in rows], 1 if name in ("datagrams", "came") else 0)
            for name in COLUMNS) + f" | {ratio:.3f} |", flush=True)


def programs_at(folder):
    """Those that ./dev build made, or a build directory of Meson."""
    found = {}
    for name, path in (("edge", "edge/edge"), ("supernode", "supernode/supernode"),
                       ("n2n", "ctl/n2n")):
        places = [pathlib.Path(folder) / name, pathlib.Path(folder) / "src" / path]
        found[name] = next((str(p) for p in places if p.is_file() and os.access(p, os.X_OK)), None)
        if found[name] is None:
            sys.exit(f"there is no {name} in {folder}")
    return found


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("--shout", required=True, metavar="FILE",
                   help="the sender: ninja -C build/release bench/shout")
    p.add_argument("--against", metavar="DIRECTORY", help="another build, measured first")
    p.add_argument("--receivers", type=int, default=50, metavar="N", help="default 50")
    p.add_argument("--rounds", type=int, default=5, metavar="N", help="default 5")
    p.add_argument("--only", default=",".join(CASES), help=f"of {','.join(CASES)}")
    p.add_argument("--supernode", default="", metavar="OPTIONS", help="for the newer supernode")
    p.add_argument("--json", metavar="FILE", help="all samples")
    return p.parse_args()


def ways_of(args):
    ways = []
    if args.against:
        ways.append(N2n("n2n before", "n2nold", 7001, programs_at(args.against)))
    ways.append(N2n("n2n", "n2nnew", 7002, find_programs(),
                    supernode_options=args.supernode.split()))
    ways.append(Vxlan("kernel VXLAN", "vx0"))
    if shutil.which("fastd"):
        ways += [Fastd("fastd", "fastd0", 7710, True), Fastd("fastd, direct", "fastd1", 7711, False)]
    if shutil.which("tincd"):
        ways.append(Tinc("tinc", "tinc0"))
    return ways


def main():
    args = arguments()
    ways, cases, samples = ways_of(args), args.only.split(","), {}
    with Crowd(args.receivers, os.path.abspath(args.shout)) as net:
        for way in ways:
            way.begin(net)
            print(f"{way.title}: ready", file=sys.stderr, flush=True)
        for number in range(args.rounds):
            for case in cases:
                for way in ways if number % 2 == 0 else reversed(ways):
                    samples.setdefault((way.title, case), []).append(measure(way, case))
            print(f"round {number + 1} of {args.rounds}", file=sys.stderr, flush=True)
        print(f"One broadcast to {args.receivers} members; median (lowest..highest) of "
              f"{args.rounds}")
        for case in cases:
            report(ways, case, samples)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(
            {f"{title}: {case}": rows for (title, case), rows in samples.items()}, indent=1))


main()
