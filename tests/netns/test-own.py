#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes that lead n2n's own packets into its own interface: no storm, and it is said what to do.

    sn --+
    a  --+-- r                 a takes all traffic to b, through the network
    b  --+
         c behind a bridge of a that holds a's interface
"""

import re
import sys
import time

from net import Net, Pings, step, wait_for
from routed import frames_out, route_all, shadow_default

COMMUNITY = ("-c", "mynetwork", "-k", "a long enough pass phrase")
SECONDS = 10
FEW = 300  # frames in that time; a storm has 150,000

SEND = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("{source}", {port}))
for i in range(100):
    s.sendto(b"x" * 100, ("10.1.2.2", 5000))
"""
TAKE = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.1.2.2", 5000))
s.settimeout(3)
n = 0
print("listening", flush=True)
try:
    while n < 100:
        s.recv(200)
        n += 1
except TimeoutError:
    pass
print(n)
"""


def notice(host, code):
    return next((n for n in host.status()["notices"] if n["code"] == code), None)


def dropped(host):
    return host.status()["drops"].get("own-datagram", 0)


def lead_all_in(a):
    """All traffic of a is to go through b: n2n's own packets too."""
    before = frames_out(a, "n2n0")
    shadow_default(a, "10.1.2.2", "n2n0")
    a.run("ping", "-n", "-c", SECONDS * 5, "-i", 0.2, "-W1", "10.1.2.2", check=False)
    frames = frames_out(a, "n2n0") - before
    assert frames < FEW, f"{frames} frames in {SECONDS} s"
    step(f"all traffic by n2n0, n2n's own too: {frames} frames at the interface in {SECONDS} s, "
         f"{dropped(a)} own datagrams dropped")


def follow_the_cure(a, b, sn):
    wait_for("the notice", lambda: notice(a, "own-datagrams"), 10)
    told = notice(a, "own-datagrams")
    assert sn.ip in told["text"], told
    assert '"0.0.0.0/1 via 10.1.2.2 dev n2n0"' in told["text"], told
    assert told["text"].endswith("or have edge send by eth0 alone (option --underlay)"), told
    cure = re.search(r"Keep them outside: (ip route replace \S+ via \S+ dev \S+),", told["text"])
    assert cure, told
    step(f"told: {told['text']}")
    a.run(*cure.group(1).split())
    a.wait_ping("10.1.2.2", 10)
    wait_for("the notice ends", lambda: not notice(a, "own-datagrams"), 10)
    assert a.paths() == ["relay"] and a.peers()[0]["path"]["reason"] == "overlay", a.peers()
    a.run(*cure.group(1).replace(sn.ip, b.ip).split())
    took = a.wait_direct(timeout=30)
    step(f"as told, a route for the supernode: through the relay; one for b: direct, {took:.1f} s")


def send_from_port(host, source, port):
    host.run(sys.executable, "-c", SEND.format(source=source, port=port))


def arrives(a, b, host, source, port):
    """100 datagrams from this port come to b, and none is taken for n2n's own."""
    before = dropped(a)
    sink = b.background(sys.executable, "-c", TAKE)
    wait_for("b listens", lambda: "listening" in sink.text(), 5)
    send_from_port(host, source, port)
    sink.ends(10)
    assert int(sink.text().split()[-1]) == 100, sink.text()
    assert dropped(a) == before, (dropped(a), before)


def others_are_carried(a, b, c):
    """c sends from the port that edge has at a: routed by a, then from behind its bridge."""
    port = a.status()["node"]["udp_ports"]["ipv4"]
    a.run("ip", "link", "add", "lan0", "type", "veth", "peer", "name", "lan1", "netns", c.ns)
    a.run("ip", "addr", "add", "10.9.0.1/24", "dev", "lan0")
    a.run("ip", "link", "set", "lan0", "up")
    a.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    c.run("ip", "link", "set", "lan1", "mtu", 1376, "up")
    c.run("ip", "addr", "add", "10.9.0.9/24", "dev", "lan1")
    c.run("ip", "route", "add", "10.1.2.0/24", "via", "10.9.0.1")
    b.run("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.n2n0.rp_filter=0")
    arrives(a, b, c, "10.9.0.9", port)
    arrives(a, b, a, "10.1.2.1", port + 1 if port < 65535 else 1025)
    step("a host behind a sends from edge's port, and a from another: all arrives")

    build_bridge(a)
    wait_for("frames of others pass", lambda: a.community()["bridge"] == "br1" and
             a.community()["port"]["state"] == "open", 10)
    c.run("ip", "route", "flush", "dev", "lan1")
    c.run("ip", "addr", "replace", "10.1.2.9/24", "dev", "lan1")
    c.run("ip", "neigh", "replace", "10.1.2.2", "lladdr", b.community()["mac"], "dev", "lan1")
    before, sent = dropped(a), a.peers()[0]["frames_out"]
    send_from_port(c, "10.1.2.9", port)
    wait_for("they are sent", lambda: a.peers()[0]["frames_out"] >= sent + 100, 5)
    assert dropped(a) == before, (dropped(a), before)
    assert not notice(a, "own-datagrams"), a.status()["notices"]
    step("the same from behind a bridge that holds a's interface: all is sent")


def build_bridge(a):
    """a's interface and the way to c in one bridge, which has a's addresses in the network."""
    a.run("ip", "link", "add", "br1", "address", a.community()["mac"], "type", "bridge")
    a.run("ip", "addr", "flush", "dev", "lan0")
    a.run("ip", "addr", "flush", "dev", "n2n0")
    for port in ("lan0", "n2n0"):
        a.run("ip", "link", "set", port, "master", "br1", "up")
    a.run("ip", "addr", "add", "10.1.2.1/24", "dev", "br1")
    a.run("ip", "link", "set", "br1", "up")
    a.wait_ping("10.1.2.2", 10)


def lead_in_by_bridge(a, b):
    a.run("ip", "link", "set", "n2n0", "down")
    a.run("ip", "link", "set", "n2n0", "name", "vpn0")
    a.run("ip", "link", "set", "vpn0", "up")
    wait_for("status has the new name", lambda: a.community()["interface"] == "vpn0", 5)
    a.wait_ping("10.1.2.2", 10)
    a.wait_direct()
    before = frames_out(a, "vpn0")
    pings = Pings(a, "10.1.2.2")
    a.run("ip", "route", "replace", b.ip, "via", "10.1.2.2", "dev", "br1")
    wait_for("the path is given up", lambda: a.paths() == ["relay"], 10)
    time.sleep(5)
    sent, lost, _ = pings.finish()
    frames = frames_out(a, "vpn0") - before
    told = notice(a, "own-datagrams")
    assert told and "led into vpn0 by" in told["text"] and b.ip in told["text"] and "dev br1" in told["text"], a.status()["notices"]
    assert frames - sent < FEW and dropped(a) > 0, (frames, sent, dropped(a))
    assert lost <= 3, f"{lost} of {sent}"
    step(f"bridged and renamed, the bridge's route leads them in: relayed at once, {lost} of {sent} pings "
         f"lost, {frames - sent} other frames at the interface; told: {told['text']}")


def subjects(host):
    return {n["subject"] for n in host.status()["notices"] if n["code"] == "own-datagrams"}


def both_supernodes():
    """Two are tried in turn, and both are led in: that of each holds, whichever is tried."""
    with Net("sn", "sn2", "a", "b", "r") as net:
        sn, sn2, a, b, r = (net[name] for name in ("sn", "sn2", "a", "b", "r"))
        route_all(r, [sn, sn2, a, b])
        at = ("-l", f"{sn.ip}:7654", "-l", f"{sn2.ip}:7654")
        sn.supernode("-l", 7654)
        sn2.supernode("-l", 7654)
        a.edge("n2n0", "10.1.2.1", *COMMUNITY, *at)
        b.edge("n2n0", "10.1.2.2", *COMMUNITY, *at)
        a.wait_ping("10.1.2.2", 10)
        a.wait_direct()
        shadow_default(a, "10.1.2.2", "n2n0")
        both = {f"{sn.ip}:7654", f"{sn2.ip}:7654"}
        wait_for("both are told", lambda: both <= subjects(a), 20)
        for _ in range(40):
            time.sleep(0.25)
            assert both <= subjects(a), subjects(a)
        step("two supernodes, both led in: told of both for 10 s without a break")


def main():
    both_supernodes()
    with Net("sn", "a", "b", "r", "c") as net:
        sn, a, b, r, c = (net[name] for name in ("sn", "a", "b", "r", "c"))
        route_all(r, [sn, a, b])
        c.run("ip", "link", "set", "eth0", "down")
        at = ("-l", f"{sn.ip}:7654")
        sn.supernode("-l", 7654)
        ea = a.edge("n2n0", "10.1.2.1", "-r", *COMMUNITY, *at)
        b.edge("n2n0", "10.1.2.2", *COMMUNITY, *at)
        a.wait_ping("10.1.2.2", 10)
        a.wait_direct()
        lead_all_in(a)
        follow_the_cure(a, b, sn)
        others_are_carried(a, b, c)
        lead_in_by_bridge(a, b)
        assert not ea.says("fell silent"), ea.text()


main()
