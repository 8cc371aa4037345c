#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two bridged edges on one LAN, and a LAN elsewhere: one of the two carries it, the other stands by.

    host h1 ---- br0 and n2n0 at a ----+
                  |  a cable           +---- ... ---- n2n0 and br0 at c ---- host h2
                 br0 and n2n0 at b ----+
"""

import os
import signal
import time

from changes import notices
from lan import COMMUNITY, LanHost, bridged, check_reach, make_bridge, wait_met
from net import Net, Pings, sh, step, wait_for
from raw import BROADCAST, Card, noise

TAKEN_OVER_S = 5  # 2.7 s without probes, and a look ten times a second


def port(host):
    return host.community()["port"]


def lay_cable(one, other):
    """Between the bridges of two hosts."""
    sh("ip", "-n", one.ns, "link", "add", "cable", "type", "veth", "peer", "name", "cable",
       "netns", other.ns)
    for host in (one, other):
        sh("ip", "-n", host.ns, "link", "set", "dev", "cable", "master", "br0", "up")


def wait_settled(*hosts):
    """One carries the LAN, the others stand by."""
    wait_for("one carries the LAN",
             lambda: sorted(port(h)["state"] for h in hosts) ==
             ["open"] + ["standby"] * (len(hosts) - 1), 20)


def who(state, *hosts):
    return next(h for h in hosts if port(h)["state"] == state)


def check_broadcasts(h1, h2):
    """Each comes once to the other LAN, and not back to its own."""
    one, other = Card(h1), Card(h2)
    for number in range(20):
        for source, sink in ((one, other), (other, one)):
            source.send(BROADCAST, b"\x88\xb6" + bytes([number]) + noise(60))
    for source, sink in ((one, other), (other, one)):
        heard = sink.heard(source.mac, 0.5)
        assert sorted(f[14] for f in heard if f[12:14] == b"\x88\xb6") == list(range(20)), \
            f"{sink.name} heard {len(heard)} of 20 broadcasts of {source.name}"
    assert one.heard(one.mac, 0.1) == [] and other.heard(other.mac, 0.1) == [], "some came back"


def told_of(host):
    """What is said of BPDUs."""
    return "".join(text for (code, _), text in notices(host).items() if code == "bpdu")


def kill(program):
    """Without a goodbye: the process that moves packets first."""
    for pid in reversed(program.pids()):
        os.kill(pid, signal.SIGKILL)
    program.ends()


def main():
    with Net("sn", "a", "b", "c") as net:
        a, b, c = net["a"], net["b"], net["c"]
        net["sn"].supernode("-l", 7654)
        at = (*COMMUNITY, "-l", f"{net['sn'].ip}:7654")
        for host in (a, b, c):
            make_bridge(host)
        lay_cable(a, b)
        h1, h2 = LanHost(net, "h1", 11, a), LanHost(net, "h2", 21, c)
        edges = {h: bridged(h, *at) for h in (a, b)}
        bridged(c, "--bpdu-guard", *at)
        wait_met(a, b, c)
        wait_settled(a, b)
        wait_for("the other LAN is open", lambda: port(c)["state"] == "open", 10)
        check_reach((h1, h2))
        check_broadcasts(h1, h2)
        standby, server = who("standby", a, b), who("open", a, b)
        assert port(standby)["peer"] == server.community()["id"], port(standby)
        for host in (a, b, c):
            assert notices(host) == {}, notices(host)
        step("two edges on one LAN: nothing comes twice, one stands by and says for whom")

        pings = Pings(h2, h1.ip)
        kill(edges[server])
        wait_for("the other one carries the LAN", lambda: port(standby)["state"] == "open",
                 TAKEN_OVER_S)
        time.sleep(1)
        sent, lost, gap = pings.finish()
        assert gap < TAKEN_OVER_S, f"no answer for {gap:.1f} s"
        check_reach((h1, h2))
        check_broadcasts(h1, h2)
        step(f"the one that carried it was killed: {gap:.1f} s without an answer")

        edges[server] = bridged(server, *at)
        wait_met(a, b, c)
        wait_settled(a, b)
        check_reach((h1, h2))
        check_broadcasts(h1, h2)
        step("it was started again: nothing comes twice")

        carries = who("open", a, b)
        carries.run("ip", "link", "set", "br0", "type", "bridge", "stp_state", "1")
        wait_for("the guard names who sends BPDUs", lambda: told_of(c), 15)
        assert carries.community()["id"][:8] in told_of(c), notices(c)
        assert c.status()["drops"]["bpdu"] > 0
        step("BPDUs end at the guard, which says whose they are")


main()
