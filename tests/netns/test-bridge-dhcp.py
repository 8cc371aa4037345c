#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""A DHCP server and IPv6 router on one LAN serves hosts on the other, and members without a bridge.

    sn      ----+      a, b: br0 and n2n0; a1, the server, and a2 behind a, b1 behind b
    a, b, c ----+      c: n2n0 without a bridge, and without an address

What --dhcp-server and --router at a are for is seen where they are missing.
"""

import time

from changes import link, notices
from dhcp import ask, need_tools, routers, serve
from lan import COMMUNITY, LanHost, bridged, check_reach, make_bridge, wait_met
from net import Net, step, wait_for


def restart(a, *words):
    if hasattr(a, "p"):
        a.p.stop()
    a.p = bridged(a, *words)


def check_served(a1, a2, b1, c):
    for host, device in ((a2, "eth0"), (b1, "eth0"), (c, "n2n0")):
        got = ask(host, device)
        assert got is not None and got[1] == a1.ip, f"{host.name} got {got}"
        host.wait_ping(a1.ip, 10)
        step(f"{host.name} got {got[0]} of {got[1]}")


def check_routers(host, device, wanted):
    """On a link that begins anew it asks for routers."""
    link(host, device, "down")
    host.run("sysctl", "-qw", f"net.ipv6.conf.{device}.accept_ra=2")
    link(host, device, "up")
    if wanted:
        took = wait_for(f"{host.name} has a router", lambda: routers(host, device), 8)
        step(f"{host.name} has an IPv6 router after {took:.1f} s")
    else:
        time.sleep(5)
        assert not routers(host, device), routers(host, device)


def main():
    need_tools()
    with Net("sn", "a", "b", "c") as net:
        a, b, c = net["a"], net["b"], net["c"]
        net["sn"].supernode("-l", 7654)
        at = (*COMMUNITY, "-l", f"{net['sn'].ip}:7654")
        for host in (a, b):
            make_bridge(host)
        restart(a, "--dhcp-server", "--router", *at)
        bridged(b, *at)
        c.start("edge", "-d", "n2n0", "--accept-ra", *at).wait_says(" is up with ")
        a1, a2, b1 = (LanHost(net, "a1", 11, a), LanHost(net, "a2", 12, a), LanHost(net, "b1", 21, b))
        a1.run("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
        server = serve(a1)
        wait_met(a, b, c)
        check_served(a1, a2, b1, c)
        check_routers(b1, "eth0", True)
        check_routers(c, "n2n0", True)

        restart(a, *at)
        wait_met(a, b, c)
        a2.forget()
        assert ask(a2) is not None, "its own LAN is no business of edge's"
        for host, device in ((b1, "eth0"), (c, "n2n0")):
            assert ask(host, device, 3) is None, f"{host.name} was served without --dhcp-server"
        check_routers(b1, "eth0", False)
        told = sorted(text for (code, _), text in notices(a).items() if code == "first-hop")
        assert len(told) == 2 and "--dhcp-server" in told[0] and "--router" in told[1], told
        drops = a.status()["drops"]
        assert drops["own-dhcp"] > 0 and drops["own-router"] > 0, drops
        step("without --dhcp-server and --router none of it comes to another LAN, and a says so")
        b1.run("ip", "addr", "add", f"{b1.ip}/24", "dev", "eth0")
        check_reach((a1, b1))
        step("all else does")
        server.stop()


main()
