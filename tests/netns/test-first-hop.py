#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""A DHCP server and an IPv6 router at a member's interface, real ones, and hosts that ask there.

    sn 10.77.0.1 ----+
    s  10.77.0.2 ----+---- switch      s: n2n0 10.1.2.1, with dnsmasq
    c  10.77.0.3 ----+                 c: n2n0 without an address: it asks for one
"""

import pathlib
import shutil
import subprocess

from changes import notices, wait_notice
from net import Net, skip, step, wait_for

COMMUNITY = ("-c", "mynetwork", "-k", "encryptme")
SCRIPT = """#!/bin/sh
[ "$1" = bound ] && ip addr add "$ip/$mask" dev "$interface"
exit 0
"""


def serve(s):
    return s.background(
        "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=n2n0",
        "--bind-dynamic", "--user=root", "--no-ping", "--dhcp-authoritative",
        "--dhcp-leasefile=/dev/null", "--pid-file=", "--dhcp-range=10.1.2.100,10.1.2.110,1h",
        "--enable-ra", "--dhcp-range=fd55::,ra-only", "--ra-param=n2n0,4")


class Client:
    def __init__(self, host, words):
        self.host, self.words = host, words
        self.script = pathlib.Path(host.net.dir) / "udhcpc-script"
        self.script.write_text(SCRIPT)
        self.script.chmod(0o755)
        self.edge = None

    def start(self, *more):
        if self.edge is not None:
            self.edge.stop()
        self.edge = self.host.start("edge", "-d", "n2n0", *self.words, *more)
        self.edge.wait_says(r" is up with ")
        wait_for("the server's edge is met", self.host.peers, 15)

    def asks(self, tries):
        """Whether a DHCP server answers."""
        return subprocess.run(
            self.host.exec + ["udhcpc", "-i", "n2n0", "-f", "-n", "-q", "-t", str(tries), "-T", "1",
                              "-s", str(self.script)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def addresses(self, prefix):
        return self.host.run("ip", "-o", "addr", "show", "dev", "n2n0").count(f" {prefix}")


def server_edge(s, words, *more):
    edge = s.edge("n2n0", "10.1.2.1", "-a", "fd55::1/64", *words, *more)
    return edge, s.community()["id"]


def main():
    for tool in ("dnsmasq", "udhcpc"):
        if shutil.which(tool) is None:
            skip(f"{tool} is not installed")
    with Net("sn", "s", "c") as net:
        s, c = net["s"], net["c"]
        net["sn"].supernode("-l", 7654)
        words = (*COMMUNITY, "-l", f"{net['sn'].ip}:7654")
        c.run("sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0", check=False)

        edge, server = server_edge(s, words)
        serve(s)
        client = Client(c, words)
        client.start("--accept-ra")
        assert not client.asks(2) and client.addresses("10.1.2.") == 0
        wait_notice(s, "first-hop", f"{server} dhcp", "DHCP server", "--dhcp-server")
        wait_notice(s, "first-hop", f"{server} router", "a router", "--router", timeout=15)
        assert client.addresses("fd55::") == 0
        assert {"own-dhcp", "own-router"} <= set(s.status()["drops"])
        assert not {"dhcp", "router"} & set(c.status()["drops"]), c.status()["drops"]
        step("a server that is not said to be one: nothing comes of it, and its edge says why")

        edge.stop()
        edge, _ = server_edge(s, words, "--dhcp-server", "--router")
        client.start("--accept-ra")
        assert client.asks(10) and client.addresses("10.1.2.") == 1
        c.wait_ping("10.1.2.1", 5)
        wait_for("an address of the router's prefix", lambda: client.addresses("fd55::") == 1, 15)
        for host in (s, c):
            assert notices(host) == {}, notices(host)
            assert not {"dhcp", "router", "neighbour"} & set(host.status()["drops"])
        assert c.peers()[0]["roles"] == ["dhcp", "router"] and c.peers()[0]["barred"] == {}
        step("with --dhcp-server and --router it gives addresses, and nobody has to say anything")

        client.start("--accept-ra", "--trust", f"{client.host.community()['id']}=dhcp,router")
        assert not client.asks(2) and client.addresses("10.1.2.") == 0
        wait_notice(c, "first-hop", f"{server} dhcp", "--trust", server[:8])
        wait_notice(c, "first-hop", f"{server} router", "--trust", server[:8], timeout=15)
        assert client.addresses("fd55::") == 0
        assert set(c.peers()[0]["barred"]) == {"dhcp", "router"}, c.peers()
        assert c.peers()[0]["roles"] == [] and c.peers()[0]["roles_said"] == ["dhcp", "router"]
        shown = c.run(net.programs["n2n"], "status", "--state-dir", c.state)
        assert f"dropped   of {server[:8]}: " in shown, shown
        step("where others are trusted it is not heard, and it is said who that is")

        client.start("--trust", f"{server}=dhcp")
        assert client.asks(10) and client.addresses("10.1.2.") == 1
        c.wait_ping("10.1.2.1", 5)
        step("named there it is")


main()
