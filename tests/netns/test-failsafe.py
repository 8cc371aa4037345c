#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""The failsafe network of the product page: two interfaces with the same parameters but the
supernode in one bridge, two processes at each of two hosts.

    s1 <---- n2n0 at a ----+                       +---- n2n0 at b ----> s1
                           +---- br0     br0 ----+
    s2 <---- n2n1 at a ----+                       +---- n2n1 at b ----> s2

With a spanning tree, which blocks one port; then without.
"""

from lan import COMMUNITY, LanHost, bridged, check_reach, make_bridge
from net import Net, step, wait_for
from raw import BROADCAST, Card, noise

PORTS = {"n2n0": 7100, "n2n1": 7101}
FORWARDING = "3"
# Until the other way is used: what was heard of the first gets old in max_age, then forward_delay
# twice, and a little for timers and for asking.
STP = ("stp_state", 1, "forward_delay", 200, "hello_time", 100, "max_age", 600)
STP_S = 6 + 2 * 2 + 4
REOPENED_S = 5 + 2 + 2  # without a probe, and at random


def set_stp(host, on):
    host.run("ip", "link", "set", "br0", "type", "bridge", "stp_state", str(on))


def forwards(host, device):
    return host.run("cat", f"/sys/class/net/{device}/brport/state").strip() == FORWARDING


def state(host, device):
    return host.community(device)["port"]["state"]


def loop_told(host, device):
    return "".join(n["text"] for n in host.status(device)["notices"] if n["code"] == "loop")


def states(*hosts):
    return [state(h, d) for h in hosts for d in PORTS]


def cut(host, device):
    """The underlay carries nothing of this edge any more."""
    port = PORTS[device]
    host.run("nft", "add table inet cut; "
             "add chain inet cut in { type filter hook input priority 0; }; "
             "add chain inet cut out { type filter hook output priority 0; }; "
             f"add rule inet cut in udp dport {port} drop; "
             f"add rule inet cut out udp sport {port} drop")


def mend(host):
    host.run("nft", "delete", "table", "inet", "cut")


def check_broadcasts(one, other, n=20):
    cards = Card(one), Card(other)
    for number in range(n):
        cards[0].send(BROADCAST, b"\x88\xb6" + bytes([number]) + noise(60))
    heard = [f for f in cards[1].heard(cards[0].mac, 0.5) if f[12:14] == b"\x88\xb6"]
    assert sorted(f[14] for f in heard) == list(range(n)), f"{len(heard)} of {n} broadcasts"
    assert cards[0].heard(cards[0].mac, 0.1) == [], "some came back"


def reach(one, other):
    """Hosts that have forgotten each other ask everybody: what switches learned is in nobody's way."""
    one.forget()
    other.forget()
    return one.can_ping(other.ip, 0.3)


def with_stp(net, a, b, a1, b1):
    wait_for("the spanning tree has one way", lambda: a1.can_ping(b1.ip, 0.3), 30)
    check_reach((a1, b1))
    check_broadcasts(a1, b1)
    used = [d for d in PORTS if forwards(a, d) and forwards(b, d)]
    assert len(used) == 1, f"both ways are open: {used}"
    assert "closed" not in states(a, b), states(a, b)
    step("with a spanning tree: nothing comes twice, and nobody closes a port of his own accord")
    supernode = net.supernodes[used[0]]
    supernode.process.kill()
    supernode.ends()
    for _ in range(20):
        assert a1.can_ping(b1.ip, 1)
    cut(a, used[0])
    assert not a1.can_ping(b1.ip, 0.3)
    took = wait_for("traffic goes the other way", lambda: reach(a1, b1), STP_S)
    check_reach((a1, b1))
    check_broadcasts(a1, b1)
    step(f"its supernode was killed: nothing is lost; its path cut: the other way {took:.1f} s later")
    mend(a)
    net.start_supernode(used[0])


def without_stp(net, a, b, a1, b1):
    for host in (a, b):
        for device in PORTS:
            wait_for("all are connected", lambda: [p["state"] for p in host.peers(device)] == ["up"],
                     60)
        set_stp(host, 0)
    for host in (a, b):
        for device in PORTS:
            wait_for("all ports forward", lambda: forwards(host, device), 20)
    wait_for("one port is closed", lambda: sorted(states(a, b)) == ["closed"] + ["open"] * 3, 20)
    wait_for("the network is alive", lambda: reach(a1, b1), 5)
    check_reach((a1, b1))
    check_broadcasts(a1, b1)
    host, device = next((h, d) for h in (a, b) for d in PORTS if state(h, d) == "closed")
    other = b if host is a else a
    peer = other.community(device)["id"]
    assert host.community(device)["port"]["peer"] == peer
    assert peer[:8] in loop_told(host, device), loop_told(host, device)
    step("without: one port of four is closed, says why and by whom, and nothing comes twice")
    cut(a, "n2n1" if device == "n2n0" else "n2n0")
    took = wait_for("the closed port opens", lambda: state(host, device) == "open", REOPENED_S)
    wait_for("traffic goes by it", lambda: reach(a1, b1), 3)
    assert loop_told(host, device) == ""
    check_reach((a1, b1))
    check_broadcasts(a1, b1)
    step(f"the open way was cut: the closed port opened after {took:.1f} s")


def main():
    with Net("s1", "s2", "a", "b") as net:
        a, b = net["a"], net["b"]
        at = {"n2n0": net["s1"], "n2n1": net["s2"]}
        net.supernodes = {}

        def start_supernode(device):
            net.supernodes[device] = at[device].supernode("-l", 7654)

        net.start_supernode = start_supernode
        for device in PORTS:
            start_supernode(device)
        for host in (a, b):
            make_bridge(host, *STP)
            for device, port in PORTS.items():
                bridged(host, *COMMUNITY, "-l", f"{at[device].ip}:7654", "-p", port, device=device)
        a1, b1 = LanHost(net, "a1", 11, a), LanHost(net, "b1", 21, b)
        with_stp(net, a, b, a1, b1)
        without_stp(net, a, b, a1, b1)


main()
