# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that reach each other through a router, so that their default routes matter.

    a  10.78.1.2 ---+
    b  10.78.2.2 ---+--- r: 10.78.N.1, the router of all
    .. 10.78.N.2 ---+
"""

from net import sh


def address(number):
    return f"10.78.{number}.2"


def gateway(number):
    return f"10.78.{number}.1"


def connect(host, number):
    """Gives a host its address and the default route."""
    host.run("ip", "addr", "flush", "dev", "eth0")
    host.run("sysctl", "-qw", "net.ipv6.conf.eth0.disable_ipv6=1")
    host.run("ip", "addr", "add", f"{address(number)}/24", "dev", "eth0")
    host.run("ip", "route", "add", "default", "via", gateway(number), "dev", "eth0")
    host.ip = address(number)


def route_all(router, hosts):
    """The router's other addresses are gone; numbers are those of the hosts in the list, from 1."""
    router.run("ip", "addr", "flush", "dev", "eth0")
    router.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.send_redirects=0",
               "net.ipv4.conf.eth0.send_redirects=0")
    for number, host in enumerate(hosts, 1):
        router.run("ip", "addr", "add", f"{gateway(number)}/24", "dev", "eth0")
        connect(host, number)


def shadow_default(host, via, device):
    """All traffic by this way, the old default route left as it is."""
    for half in ("0.0.0.0/1", "128.0.0.0/1"):
        host.run("ip", "route", "add", half, "via", via, "dev", device)


def frames_out(host, device):
    """How many frames the host has handed to an interface."""
    return int(sh("ip", "netns", "exec", host.ns, "cat",
                  f"/sys/class/net/{device}/statistics/tx_packets"))
