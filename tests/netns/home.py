# SPDX-License-Identifier: GPL-3.0-or-later
"""Homes: a router with NAT, and hosts behind its switch.

    internet (the switch of net.py) ---- router: lan0 ----+---- eth0 of an edge's host
                                                          +---- eth0 of others

All are one subnet, 10.1.2.0/24, so that bridged edges can make one LAN of several homes.
"""

from changes import link
from lan import LanHost, make_bridge

LAN_MTU = 1500


class Home:
    """The router's own address is 10.1.2.N; its hosts' numbers begin with it."""

    def __init__(self, net, router, number):
        self.net, self.router = net, router
        self.gateway = f"10.1.2.{number}"
        make_bridge(router, name="lan0")
        router.run("ip", "addr", "add", f"{self.gateway}/24", "dev", "lan0")
        router.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.disable_ipv6=1")
        router.run("nft", "add table ip nat; "
                   "add chain ip nat post { type nat hook postrouting priority 100; }; "
                   "add rule ip nat post oifname eth0 masquerade; "
                   "add chain ip nat forward { type filter hook forward priority 0; }; "
                   "add rule ip nat forward iifname eth0 ct state new drop; "
                   "add chain ip nat input { type filter hook input priority 0; }; "
                   "add rule ip nat input iifname eth0 ct state new drop")

    def host(self, name, number):
        host = LanHost(self.net, name, number, self.router, "lan0", LAN_MTU)
        host.run("ip", "route", "add", "default", "via", self.gateway)
        return host

    def bridge(self, host):
        """As guides say: the card becomes a port of a bridge, its address goes to the bridge."""
        make_bridge(host)
        host.run("ip", "addr", "flush", "dev", "eth0")
        link(host, "dev", "eth0", "master", "br0")
        host.run("ip", "addr", "add", f"{host.ip}/24", "dev", "br0")
        host.run("ip", "route", "replace", "default", "via", self.gateway, "dev", "br0")

    def unbridge(self, host):
        host.run("ip", "link", "del", "br0")
        host.run("ip", "addr", "add", f"{host.ip}/24", "dev", "eth0")
        host.run("ip", "route", "replace", "default", "via", self.gateway, "dev", "eth0")
