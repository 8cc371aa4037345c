#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three LANs joined by bridged edges, on which hosts, edges and bridges come, go and move.

    sn      ----+
    a, b, c ----+      each with br0 and n2n0 in it; a1 behind a, b1 behind b, c1 behind c; a virtual
                       machine at b; m moves from one to the other
"""

import pathlib
import signal
import sys
import time

from changes import link, notices, wait_notice
from lan import (COMMUNITY, LanHost, bridged, check_reach, join, join_late, mac_of, make_bridge,
                 part, wait_met)
from net import Net, Pings, step, wait_for

MACHINE = ("vm0", "52:54:00:00:00:77", "10.1.2.77")
SOON = 1.0  # seconds; pings are 0.05 s apart
LINK = 1.0  # Linux looks at links that come up once a second at most, of all hosts together
LISTENS = 3.0  # what has become a port of a bridge, before frames pass


def check_late_bridge(a, a1, b1, c1, *at):
    """The bridge is made when the edge has run for long, with an address of its own."""
    a.p = a.start("edge", "-r", "-d", "n2n0", "-a", "10.1.2.1", *at)
    a.p.wait_says(" is up with ")
    b1.wait_ping("10.1.2.1", 10)
    join_late(a)
    took = a1.wait_ping(b1.ip, LISTENS + 2)
    check_reach((a1, b1), (a1, c1), (b1, c1))
    wait_notice(a, "bridged-address", "10.1.2.1", "ip addr add 10.1.2.1/24 dev br0")
    a.run("ip", "addr", "del", "10.1.2.1/24", "dev", "n2n0")
    a.run("ip", "addr", "add", "10.1.2.1/24", "dev", "br0")
    wait_for("the notice ends", lambda: not notices(a), 5)
    check_bridge_address(a, b1, a1)
    step(f"an interface that was put into the bridge late: hosts are joined {took:.2f} s later, "
         "and the edge says where its address has to be")


def check_bridge_address(a, *hosts):
    for host in hosts:
        host.wait_ping("10.1.2.1", 10)
        assert host.answered("10.1.2.1", 5) == (5, 0), f"{host.name} does not reach a's bridge"


def check_macs(a, a1, b1):
    """Bridges take the lowest address of a port, be it n2n0's, unless they are told one."""
    for device, mac in (("br0", mac_of(a, "n2n0")), ("br0", mac_of(a, "a1")),
                        ("br0", "52:54:00:aa:bb:cc"), ("n2n0", "52:54:00:aa:bb:cc")):
        link(a, "dev", device, "address", mac)
        for host in (a1, b1):
            host.forget()  # nobody tells them
        check_bridge_address(a, a1, b1)
        check_reach((a1, b1))
    step("the bridge's MAC is that of n2n0, of another port, its own, and n2n0 gets the bridge's")


def check_out_and_in(a, a1, b1):
    pings = Pings(b1, a1.ip)
    part(a)
    time.sleep(0.5)
    join_late(a)
    a1.wait_ping(b1.ip, LISTENS + 2)
    _, _, gap = pings.finish()
    assert 0.4 < gap < 0.5 + LISTENS + SOON, gap
    step(f"out of the bridge for 0.5 s, and in again: nothing for {gap:.2f} s")


def check_restarts(a, a1, b1, c1, *at):
    for how in (signal.SIGTERM, signal.SIGKILL):
        a.p.stop(how)
        a.p = bridged(a, *at)
        took = a1.wait_ping(b1.ip, 10)
        check_reach((a1, b1), (a1, c1))
        step(f"the edge ended by {how.name} and begun anew: hosts are joined after {took:.2f} s")
    a.p.stop()
    a.run("ip", "tuntap", "add", "n2n0", "mode", "tap")
    link(a, "n2n0", "up")
    join(a)
    for _ in range(2):
        a.p = a.start("edge", "-r", "-d", "n2n0", *at)
        a.p.wait_says(" is up with ")
        a1.wait_ping(b1.ip, 10)
        check_reach((a1, b1))
        assert a.p.stop() == 0
    a.run("ip", "tuntap", "del", "n2n0", "mode", "tap")
    a.p = bridged(a, *at)
    a1.wait_ping(b1.ip, 10)
    step("an interface that is there, in the bridge, before the edge comes and after it went")


def check_machine(b, hosts):
    tool = pathlib.Path(__file__).with_name("vm.py")
    b.background(sys.executable, tool, *MACHINE).wait_says("running")
    link(b, "dev", MACHINE[0], "master", "br0", "up")
    for host in hosts:
        host.wait_ping(MACHINE[2], 10)
        assert host.answered(MACHINE[2]) == (10, 0), host.name
    step("a virtual machine's TAP at b: all hosts reach it, 10 of 10")


def check_moves(m, sites, hosts):
    """It speaks, if only to one of them, as hosts do."""
    longest = 0
    m.background("ping", "-n", "-i", "0.2", hosts[0].ip)
    for to in sites:
        pings = [Pings(host, m.ip) for host in hosts]
        m.move(to)
        time.sleep(LINK + SOON)
        for host, p in zip(hosts, pings):
            _, _, gap = p.finish()
            assert gap < LINK + SOON, f"{host.name} did not reach m for {gap} s when it moved to {to.name}"
            longest = max(longest, gap)
        check_reach(*[(m, host) for host in hosts])
    step(f"a host that moves from LAN to LAN {len(sites)} times: never out of reach for more than "
         f"{longest:.2f} s")


def main():
    with Net("sn", "a", "b", "c") as net:
        a, b, c = net["a"], net["b"], net["c"]
        net["sn"].supernode("-l", 7654)
        at = (*COMMUNITY, "-l", f"{net['sn'].ip}:7654")
        for host in (a, b, c):
            make_bridge(host)
        for host in (b, c):
            host.p = bridged(host, *at)
        a1, b1, c1 = LanHost(net, "a1", 11, a), LanHost(net, "b1", 21, b), LanHost(net, "c1", 31, c)
        hosts = (a1, b1, c1)
        check_late_bridge(a, a1, b1, c1, *at)
        wait_met(a, b, c)
        check_macs(a, a1, b1)
        check_out_and_in(a, a1, b1)
        check_machine(b, hosts)
        check_moves(LanHost(net, "m", 99, a), (b, c, a), hosts)
        check_restarts(a, a1, b1, c1, *at)
        check_reach((a1, b1), (b1, c1), (c1, a1), family="-6")
        for host in (a, b, c):
            assert notices(host) == {}, notices(host)
            drops = host.status()["drops"]
            assert not {"auth", "malformed", "foreign-source"} & set(drops), (host.name, drops)


main()
