# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts for the tests with the real programs: network namespaces on one switch.

    host a ----+
    host b ----+---- switch: a bridge in a namespace of its own
    ...    ----+

Each host has 10.77.0.N and fd77::N on "eth0", and a state directory of its own. Names are unique to
the run, and everything is taken down at the end, also after Ctrl-C. Standard library only.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77
INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def find_programs():
    """Where the programs are: as $EDGE, $SUPERNODE and $N2N say, or from ./dev build."""
    found = {name: os.environ.get(name.upper(), str(ROOT / "build" / name))
             for name in ("edge", "supernode", "n2n")}
    for path in found.values():
        if not os.access(path, os.X_OK):
            sys.exit(f"there is no program {path}; make it with ./dev build")
    return found


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def leave(number, frame):
    """Ends the script. What then takes everything down is not interrupted again."""
    for s in INTERRUPTIONS:
        signal.signal(s, signal.SIG_IGN)
    sys.exit(128 + number)


def sh(*words, check=True, timeout=60):
    """Runs a command and returns its output; a failure shows what it said."""
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=timeout)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, words))}: {done.stdout}{done.stderr}")
    return done.stdout


def wait_for(what, test, timeout, pause=0.02):
    """Waits until test() is true and returns how long that took."""
    start = time.monotonic()
    while time.monotonic() - start < timeout:
        if test():
            return time.monotonic() - start
        time.sleep(pause)
    raise AssertionError(f"not within {timeout} s: {what}")


class Program:
    """A program under test, running at a host; its output goes to a file."""

    def __init__(self, host, name, words, log, env=None, stdin=None):
        self.host, self.name, self.log = host, name, log
        with open(log, "w") as out:
            self.process = subprocess.Popen(
                host.exec + words, stdout=out, stderr=subprocess.STDOUT,
                stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                env={**os.environ, **(env or {})}, start_new_session=True)
        if stdin is not None:
            self.process.stdin.write(stdin.encode())
            self.process.stdin.close()

    def pids(self):
        """The process that was started and, if it parted in two, the one that moves packets."""
        started = self.process.pid
        children = pathlib.Path(f"/proc/{started}/task/{started}/children").read_text()
        return [started] + [int(pid) for pid in children.split()]

    @property
    def pid(self):
        """The process that moves packets."""
        return self.pids()[-1]

    def text(self):
        return pathlib.Path(self.log).read_text(errors="replace")

    def says(self, pattern):
        return re.search(pattern, self.text())

    def wait_says(self, pattern, timeout=10):
        def look():
            if self.process.poll() is not None and not self.says(pattern):
                raise AssertionError(f"{self.name} ended ({self.process.returncode}) without "
                                     f"saying {pattern!r}:\n{self.text()}")
            return self.says(pattern)
        try:
            return wait_for(f"{self.name} says {pattern!r}", look, timeout)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.text()}") from None

    def ends(self, timeout=10):
        """Waits for its end and returns the exit status."""
        return self.process.wait(timeout)

    def stop(self, how=signal.SIGTERM, timeout=10):
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.ends(timeout)


class Host:
    def __init__(self, net, name, number):
        self.net, self.name = net, name
        self.ns = f"{net.prefix}-{name}"
        self.exec = ["ip", "netns", "exec", self.ns]
        self.ip, self.ip6 = f"10.77.0.{number}", f"fd77::{number}"
        self.state = str(net.dir / name)
        self.count = 0

    def run(self, *words, **kw):
        return sh(*self.exec, *words, **kw)

    def start(self, program, *words, env=None, stdin=None):
        """Starts edge or supernode with this host's state directory."""
        self.count += 1
        log = self.net.dir / f"{self.name}-{program}-{self.count}.log"
        p = Program(self, f"{program} at {self.name}",
                    [self.net.programs[program], "--state-dir", self.state, *map(str, words)],
                    log, env, stdin)
        self.net.started.append(p)
        return p

    def background(self, *words):
        """Any other command, ended with the run at the latest."""
        self.count += 1
        p = Program(self, str(words[0]), [str(w) for w in words],
                    self.net.dir / f"{self.name}-{self.count}.log")
        self.net.started.append(p)
        return p

    def edge(self, device, address, *words, ready=True, **kw):
        p = self.start("edge", "-d", device, "-a", address, *words, **kw)
        if ready:
            p.wait_says(r" is up with ")
        return p

    def supernode(self, *words):
        p = self.start("supernode", *words)
        p.wait_says("listening at UDP port")
        return p

    def status(self, instance="n2n0"):
        out = self.run(self.net.programs["n2n"], "status", "-j", "-d", instance,
                       "--state-dir", self.state)
        answer = json.loads(out)
        assert answer["v"] == 1 and answer["ok"] is True, out
        return answer["result"]

    def told(self):
        """What its programs say of themselves, for who has to find out why a test failed."""
        try:
            done = subprocess.run(
                self.exec + [self.net.programs["n2n"], "status", "--state-dir", self.state],
                capture_output=True, text=True, timeout=30)
            return done.stdout + done.stderr
        except subprocess.TimeoutExpired:
            return "n2n status did not end"

    def community(self, instance="n2n0"):
        return self.status(instance)["communities"][0]

    def peers(self, instance="n2n0"):
        return [p for p in self.community(instance)["peers"] if p["up"]]

    def paths(self, instance="n2n0"):
        return [p["path"]["kind"] for p in self.peers(instance)]

    def can_ping(self, to, wait=1, family="-4"):
        return subprocess.run(self.exec + ["ping", family, "-n", "-c1", f"-W{wait}", to],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def wait_ping(self, to, timeout, family="-4"):
        return wait_for(f"{self.name} reaches {to}",
                        lambda: self.can_ping(to, 0.2, family), timeout, 0)

    def block(self, other):
        """Drops what comes from the other host, so that no direct path works."""
        self.run("nft", "add table inet test; "
                 "add chain inet test input { type filter hook input priority 0; }; "
                 f"add rule inet test input ip saddr {other.ip} drop; "
                 f"add rule inet test input ip6 saddr {other.ip6} drop")

    def unblock(self):
        self.run("nft", "delete", "table", "inet", "test")

    def set_features(self, device, *words):
        """ethtool -K"""
        self.run("ethtool", "-K", device, *words)

    def features(self, device):
        """What of ethtool -k is on."""
        return set(re.findall(r"^\s*(\S+): on", self.run("ethtool", "-k", device), re.M))

    def wait_direct(self, n=1, timeout=20, instance="n2n0"):
        return wait_for(f"{self.name} has {n} direct paths",
                        lambda: self.paths(instance).count("direct") >= n, timeout)

    def has_interface(self, name):
        return subprocess.run(self.exec + ["ip", "link", "show", name],
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0


class Pings:
    """Pings at an even pace in the background; tells what was lost and for how long."""

    INTERVAL = 0.05

    def __init__(self, host, to):
        self.p = host.background("ping", "-4", "-n", "-D", "-i", self.INTERVAL, to)
        time.sleep(0.5)

    def finish(self):
        """Returns the number sent, lost, and the longest gap in seconds."""
        time.sleep(0.5)
        self.p.stop(signal.SIGINT)
        text = self.p.text()
        seen = [(float(t), int(n)) for t, n in re.findall(r"\[([\d.]+)\].*icmp_seq=(\d+) ttl", text)]
        sent = int(re.search(r"(\d+) packets transmitted", text).group(1))
        gap = max((b[0] - a[0] for a, b in zip(seen, seen[1:])), default=float("inf"))
        # What is on its way when ping stops is not lost.
        lost = max(n for _, n in seen) - len({n for _, n in seen})
        return sent, lost, gap


class Net:
    def __init__(self, *names):
        if os.geteuid() != 0:
            skip("network namespaces need root")
        if not os.path.exists("/dev/net/tun"):
            skip("there is no /dev/net/tun")
        for tool in ("ip", "ping", "nft", "tcpdump"):
            if shutil.which(tool) is None:
                skip(f"{tool} is not installed")
        self.programs = find_programs()
        self.prefix = f"n2n{os.getpid()}"
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="n2n-netns-"))
        self.started, self.spaces, self.hosts = [], [], {}
        for s in INTERRUPTIONS:
            signal.signal(s, leave)
        try:
            self.make(names)
        except BaseException:
            self.close()
            raise

    def space(self, name):
        sh("ip", "netns", "add", name)
        self.spaces.append(name)
        sh("ip", "-n", name, "link", "set", "lo", "up")

    def make(self, names):
        self.switch = f"{self.prefix}-switch"
        self.space(self.switch)
        sh("ip", "-n", self.switch, "link", "add", "br0", "type", "bridge")
        sh("ip", "-n", self.switch, "link", "set", "br0", "up")
        for number, name in enumerate(names, 1):
            host = self.hosts[name] = Host(self, name, number)
            self.space(host.ns)
            sh("ip", "-n", host.ns, "link", "add", "eth0", "type", "veth", "peer", "name", name,
               "netns", self.switch)
            sh("ip", "-n", self.switch, "link", "set", "dev", name, "master", "br0", "up")
            host.run("sysctl", "-qw", "net.ipv6.conf.eth0.accept_dad=0", check=False)
            sh("ip", "-n", host.ns, "addr", "add", f"{host.ip}/24", "dev", "eth0")
            sh("ip", "-n", host.ns, "addr", "add", f"{host.ip6}/64", "dev", "eth0", "nodad")
            sh("ip", "-n", host.ns, "link", "set", "eth0", "up")

    def keep_order(self):
        """
        Has one CPU take whatever arrives. Otherwise packets overtake each other on the way from
        host to host whenever their sender moves to another CPU.
        """
        ports = [(self.switch, name) for name in self.hosts]
        for space, device in ports + [(host.ns, "eth0") for host in self.hosts.values()]:
            sh("ip", "netns", "exec", space, "sh", "-c",
               f"echo 1 >/sys/class/net/{device}/queues/rx-0/rps_cpus")

    def close(self):
        for p in self.started:
            if p.process.poll() is None:
                p.process.kill()
                p.process.wait()
        for name in reversed(self.spaces):
            for pid in sh("ip", "netns", "pids", name, check=False).split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            sh("ip", "netns", "del", name, check=False)
        self.spaces = []
        if not os.environ.get("N2N_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def report(self, error):
        print(f"FAILED: {error}")
        ours = [p for p in self.started
                if isinstance(p, Program) and p.name.split()[0] in self.programs]
        for p in ours:
            print(f"---- {p.name} (status {p.process.poll()})\n{p.text()[-3000:]}")
        for host in {p.host.name: p.host for p in ours}.values():
            print(f"---- status at {host.name}\n{host.told()}")

    def __exit__(self, kind, error, trace):
        try:
            if kind is not None and kind is not SystemExit:
                self.report(error)
        finally:
            # Also when nobody reads the report any more.
            self.close()
        if kind is AssertionError:
            sys.exit(1)

    def __getitem__(self, name):
        return self.hosts[name]


def step(text):
    print(f"  ok  {text}", flush=True)


def with_what(disabled):
    """For people: what --disable= leaves."""
    return f"without {disabled}" if disabled else "with everything"


def transfer(receiver, sender, address, port, megabytes):
    """Sends random bytes over TCP and compares hashes. Returns MB/s."""
    tool = str(pathlib.Path(__file__).with_name("traffic.py"))
    sink = receiver.background(sys.executable, tool, "tcp-receive", address, port)
    wait_for("the receiver listens", lambda: "listening" in sink.text(), 5)
    start = time.monotonic()
    sent = sender.run(sys.executable, tool, "tcp-send", address, port, megabytes, timeout=300).split()
    sink.ends(30)
    got = sink.text().split()[-1]
    assert sent[-1] == got, f"hashes differ: sent {sent[-1]}, received {got}"
    return megabytes / (time.monotonic() - start)


def datagrams(receiver, sender, address, port, count):
    """Sends numbered UDP datagrams of many sizes; returns how many arrived unharmed."""
    tool = str(pathlib.Path(__file__).with_name("traffic.py"))
    sink = receiver.background(sys.executable, tool, "udp-receive", address, port, count)
    wait_for("the receiver listens", lambda: "listening" in sink.text(), 5)
    sender.run(sys.executable, tool, "udp-send", address, port, count)
    sink.ends(30)
    return int(sink.text().split()[-1])
