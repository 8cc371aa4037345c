#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""n2n bench path and n2n bench serve: a user measures the own path.

    sn 10.77.0.1 ----+
    a  10.77.0.2 ----+---- switch        a: 10.1.2.1, measures    b: 10.1.2.2, serves
    b  10.77.0.3 ----+

Over the bare cable, over the tunnel direct and relayed, with UDP blocked, interrupted, and used
wrongly or by strangers.
"""

import contextlib
import json
import signal
import socket
import struct
import subprocess
import sys
import time

from flows import open_at
from net import Net, step, wait_for

COMMUNITY = ("-c", "mynetwork", "-k", "encryptme")
PORT = 7656
MESSAGE = struct.Struct("!4sHBBQQQ")
HELLO, WELCOME, BUSY, TCP_UP, _, ECHO, _, FLOOD_DOWN, READY, DATA, _, RESULT = range(1, 13)
UNITS = {"tcp1_up": "bit/s", "tcp1_down": "bit/s", "tcp4_up": "bit/s", "tcp4_down": "bit/s",
         "rtt_p50": "us", "rtt_p90": "us", "rtt_p99": "us", "rtt_lost": "part",
         "udp_up": "1/s", "udp_down": "1/s"}

# Answers whoever connects with the bytes given in hex, and takes what comes.
ANSWER = """
import socket, sys
s = socket.create_server((sys.argv[1], 7656))
print("ready", flush=True)
c = s.accept()[0]
c.sendall(bytes.fromhex(sys.argv[2]))
while c.recv(4096):
    pass
"""


def message(kind, version=1, streams=0, token=0, amount=0, time_ns=0):
    return MESSAGE.pack(b"n2nb", version, kind, streams, token, amount, time_ns)


def bench(host, *words, timeout=90):
    return subprocess.run([*host.exec, host.net.programs["n2n"], "bench", *map(str, words)],
                          capture_output=True, text=True, timeout=timeout)


def fails(host, status, says, *words):
    done = bench(host, *words)
    said = done.stderr.splitlines()
    assert done.returncode == status, f"{words}: {done}"
    assert says in said[-1] and said[-1].startswith("n2n: ") and not done.stdout, f"{words}: {done}"


def measure(host, *words, status=0):
    """The paths of the report by address."""
    done = bench(host, "path", *words, "-j", "--state-dir", host.state)
    assert done.returncode == status, done
    report = json.loads(done.stdout)
    assert report["complete"] is True and report["port"] == PORT, report
    return {path["address"]: path for path in report["paths"]}


@contextlib.contextmanager
def serving(host, *addresses):
    words = [word for address in addresses for word in ("-b", address)]
    p = host.background(host.net.programs["n2n"], "bench", "serve", *words)
    p.wait_says(r"until Ctrl-C(?s:.*)n2n bench path")
    yield p
    assert p.process.poll() is None, p.text()
    assert p.stop(signal.SIGINT) == 0, p.text()


def check_measures(path, rounds=1, without=()):
    assert set(path["measures"]) == set(UNITS), path
    for name, m in path["measures"].items():
        assert m["unit"] == UNITS[name], (name, m)
        if name in without:
            assert m["median"] is None and m["samples"] == [], (name, m)
            continue
        assert len(m["samples"]) == rounds, (name, m)
        assert m["least"] <= m["median"] <= m["most"], (name, m)
        assert m["least"] > 0 or name == "rtt_lost", (name, m)
    if not without:
        medians = {name: m["median"] for name, m in path["measures"].items()}
        assert medians["rtt_p50"] <= medians["rtt_p90"] <= medians["rtt_p99"] < 1e6, medians
        assert medians["rtt_lost"] < 0.1, medians
        assert 1e6 < medians["tcp1_up"] < 1e12 and 100 < medians["udp_down"] < 1e8, medians


def check_command_line(a):
    fails(a, 2, "bench crypto")
    fails(a, 2, "cannot measure \"paths\"", "paths")
    fails(a, 2, "no address is given", "path")
    fails(a, 2, "\"10.1.2\" is not an address", "path", "10.1.2")
    fails(a, 2, "\"10.1.2.2:7656\" is not an address", "path", "10.1.2.2:7656")
    fails(a, 2, "\"0.0.0.0\" is not an address", "path", "0.0.0.0")
    fails(a, 2, "one address too many", "path", *(f"10.1.2.{i}" for i in range(2, 7)))
    fails(a, 2, "\"0\" is no number of rounds", "path", "10.1.2.2", "-n", 0)
    fails(a, 2, "\"31\" is no number of seconds", "path", "10.1.2.2", "-t", 31)
    fails(a, 2, "\"0\" is no port", "path", "10.1.2.2", "-p", 0)
    fails(a, 2, "unknown option --round", "path", "10.1.2.2", "--rounding", 1)
    fails(a, 2, "give -b", "serve")
    fails(a, 2, "\"eth0\" is not an address", "serve", "-b", "eth0")
    fails(a, 2, "one too many", "serve", *(w for i in range(5) for w in ("-b", f"127.0.0.{i}")))
    fails(a, 1, "no such address", "serve", "-b", "10.1.2.99")
    for words in ((), ("path",), ("serve",), ("crypto",)):
        done = bench(a, *words, "--help")
        assert done.returncode == 0 and done.stdout.startswith("Usage: n2n bench"), done
    step("wrong command lines: what is wrong, and status 2")


def check_other_ends(a, b):
    fails(a, 1, f"nobody serves at {b.ip}:7656 (connection refused)", "path", b.ip)
    other = message(WELCOME, version=2).hex()
    for answer, says in ((other, "speaks version 2 of the bench and this program version 1"),
                         (b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n".hex(), "is no \"n2n bench"),
                         (message(READY).hex(), "is no \"n2n bench serve\"")):
        p = b.background(sys.executable, "-c", ANSWER, b.ip, answer)
        p.wait_says("ready")
        fails(a, 1, says, "path", b.ip)
        p.stop()
    b.block(a)
    fails(a, 1, "no answer from 10.77.0.3:7656 within 5 s", "path", b.ip)
    b.unblock()
    step("nobody there, another version, another program, nothing but silence: told apart")


def check_server_addresses(a, b):
    with serving(b, b.ip):
        fails(b, 1, "port 10.77.0.3:7656 is in use", "serve", "-b", b.ip)
        fails(a, 1, "nobody serves at [fd77::3]:7656", "path", b.ip6)
    with serving(b, b.ip, b.ip6) as p:
        assert f"n2n bench path {b.ip} {b.ip6}" in p.text(), p.text()
        check_measures(measure(a, b.ip6, "-n", 1, "-t", 1)[b.ip6])
        assert p.says(f"{a.ip6} measures"), p.text()
    p = b.background(b.net.programs["n2n"], "bench", "serve", "-b", "0.0.0.0", "-p", 7700)
    p.wait_says("bench path ADDRESS -p 7700")
    assert p.says("warning: serving at every address"), p.text()
    done = bench(a, "path", b.ip, "-n", 1, "-t", 1, "-p", 7700)
    assert done.returncode == 0 and f"{b.ip}: no edge of this host has such a peer" in done.stdout, \
        done
    assert p.stop(signal.SIGTERM) == 0
    step("serves at the addresses given only; at all of them with a warning")


def check_udp_blocked(a, b):
    b.run("nft", "add table inet test; "
          "add chain inet test input { type filter hook input priority 0; }; "
          f"add rule inet test input udp dport {PORT} drop")
    with serving(b, b.ip):
        path = measure(a, b.ip, "-n", 1, "-t", 1, status=1)[b.ip]
        assert path["udp_blocked"] is True, path
        check_measures(path, without=[name for name in UNITS if not name.startswith("tcp")])
        done = bench(a, "path", b.ip, "-n", 1, "-t", 1)
        assert done.returncode == 1, done
        assert f"let a firewall there pass UDP port {PORT}" in done.stdout, done
    b.unblock()
    step("TCP passes and UDP does not: measured what passes, said so, status 1")


def check_interrupt(a, b):
    words = (a.net.programs["n2n"], "bench", "path", b.ip, "-n", 20, "-t", 1, "-j")
    with serving(b, b.ip):
        p = a.background(*words)
        p.wait_says("round 1 of 20")
        time.sleep(2)
        start = time.monotonic()
        assert p.stop(signal.SIGINT) == 0, p.text()
        assert time.monotonic() - start < 1, "slow to end"
        report = json.loads(p.text().splitlines()[-1])
        measures = report["paths"][0]["measures"]
        assert report["complete"] is False, report
        assert measures["tcp1_up"]["median"] > 0 and measures["udp_up"]["median"] is None, report
        # The server is free again.
        p = a.background(*words)
        p.wait_says("round 1 of 20")
        assert p.stop(signal.SIGINT) == 1, "nothing was measured: " + p.text()
        assert len(p.text().splitlines()) == 2, p.text()
    step("Ctrl-C shows what there is by then")


def check_server_dies(a, b):
    with contextlib.suppress(AssertionError), serving(b, b.ip) as server:
        p = a.background(a.net.programs["n2n"], "bench", "path", b.ip, "-n", 20, "-t", 1)
        p.wait_says("round 1 of 20")
        time.sleep(2)
        server.stop(signal.SIGKILL)
        assert p.ends() == 1
        died = p.text()
    assert "10.77.0.3:7656 hung up" in died or "nobody serves at" in died, died
    assert "TCP, 1 connection, up" in died and "Ended before all was measured" in died, died
    step("the server dies: said so, with what there is")


class Client:
    """Speaks to the server by hand, from the namespace of a host."""

    def __init__(self, host, address):
        self.control = open_at(host, socket.AF_INET, socket.SOCK_STREAM)
        self.control.connect((address, PORT))
        self.udp = open_at(host, socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.settimeout(0.5)
        self.address = address

    def ask(self, *args, **kw):
        """Says something and returns kind and token of the answer, or None at the end."""
        self.control.sendall(message(*args, **kw))
        return self.hear()

    def hear(self):
        with contextlib.suppress(ConnectionResetError):
            got = self.control.recv(MESSAGE.size, socket.MSG_WAITALL)
            if got:
                fields = MESSAGE.unpack(got)
                return fields[2], fields[4]
        return None

    def echo(self, token):
        """Whether a datagram with this token is answered."""
        sent = struct.pack("!QI10x", token, 7)
        self.udp.sendto(sent, (self.address, PORT))
        try:
            return self.udp.recv(100) == sent
        except TimeoutError:
            return False

    def close(self):
        self.control.close()
        self.udp.close()


def check_strangers(net):
    a, b, sn = net["a"], net["b"], net["sn"]
    with serving(b, b.ip):
        first = Client(a, b.ip)
        assert first.ask(HELLO) == (WELCOME, 0)
        fails(sn, 1, "measures with another client", "path", b.ip)
        kind, token = first.ask(ECHO, time_ns=3 * 10**9)
        assert kind == READY and token != 0
        assert not first.echo(token ^ 1), "echo without the token"
        other = Client(sn, b.ip)
        assert not other.echo(token), "echo to another address"
        assert first.echo(token), "no echo to the client"
        other.close()
        first.close()
        for wrong in (message(TCP_UP, streams=5, time_ns=10**9), message(ECHO, time_ns=31 * 10**9),
                      message(DATA), message(99), b"GET / HTTP/1.0\r\nHost: 10.77.0.3\r\n\r\n"):
            first = Client(a, b.ip)
            assert first.ask(HELLO) == (WELCOME, 0)
            first.control.sendall(wrong)
            assert first.hear() is None, wrong
            first.close()
        first = Client(a, b.ip)
        assert first.ask(HELLO, version=9) == (WELCOME, 0) and first.hear() is None
        first.close()
        check_measures(measure(a, b.ip, "-n", 1, "-t", 1)[b.ip])
    step("one client at a time; datagrams only to whom the token was given; nonsense ends it")


def check_no_flood_unasked(a, b):
    with serving(b, b.ip):
        client = Client(a, b.ip)
        client.ask(HELLO)
        assert client.ask(FLOOD_DOWN, time_ns=10**9)[0] == READY
        assert client.hear() == (RESULT, 0)
        try:
            raise AssertionError(f"unasked: {client.udp.recv(100)}")
        except TimeoutError:
            client.close()
    step("no flood to one who has not shown a port")


def check_tunnel(net):
    a, b = net["a"], net["b"]
    net["sn"].supernode("-l", 7654)
    for host, address in ((a, "10.1.2.1"), (b, "10.1.2.2")):
        host.edge("n2n0", address, *COMMUNITY, "-l", f"{net['sn'].ip}:7654")
    a.wait_ping("10.1.2.2", 10)
    a.wait_direct()
    with serving(b, "10.1.2.2", b.ip):
        paths = measure(a, "10.1.2.2", b.ip, "-n", 2, "-t", 1)
        tunnel, cable = paths["10.1.2.2"], paths[b.ip]
        check_measures(tunnel, rounds=2)
        check_measures(cable, rounds=2)
        assert tunnel["measures"]["tcp1_up"]["ratio"] == 1, tunnel
        assert cable["measures"]["tcp1_up"]["ratio"] > 0, cable
        assert cable["peer"] is None, cable
        peer, known = tunnel["peer"], a.peers()[0]
        assert (peer["path"], peer["id"], peer["cipher"], peer["instance"]) == \
            ("direct", known["id"], known["cipher"], "n2n0"), peer
        assert peer["endpoint"].startswith(b.ip) and peer["changed"] is False, peer
        assert peer["workers"] >= 1 and peer["library"], peer
        step("tunnel and cable by turns; direct, cipher and engine told")

        for x, y in ((a, b), (b, a)):
            x.block(y)
        a.wait_ping("10.1.2.2", 10)
        wait_for("relayed", lambda: a.can_ping("10.1.2.2") and a.paths() == ["relay"], 20)
        peer = measure(a, "10.1.2.2", "-n", 1, "-t", 1)["10.1.2.2"]["peer"]
        assert peer["path"] == "relay" and peer["reason"] and peer["endpoint"] is None, peer
        done = bench(a, "path", "10.1.2.2", "-n", 1, "-t", 1, "--state-dir", a.state)
        assert done.returncode == 0, done
        assert "10.1.2.2: through n2n0, RELAYED by the supernode, because " in done.stdout, done
        step("direct blocked: says that it is relayed, and why")


def main():
    with Net("sn", "a", "b") as net:
        a, b = net["a"], net["b"]
        check_command_line(a)
        check_other_ends(a, b)
        check_server_addresses(a, b)
        check_udp_blocked(a, b)
        check_interrupt(a, b)
        check_server_dies(a, b)
        check_strangers(net)
        check_no_flood_unasked(a, b)
        check_tunnel(net)


if __name__ == "__main__":
    main()
