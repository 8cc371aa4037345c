# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of the bench: one switch, a host "sn" for whatever a way needs in the middle, and two
hosts for each way, so that no way sees the interfaces, routes or firewall rules of another.

            vxlan-a ---+        +--- n2n-a
            vxlan-b ---+ switch +--- n2n-b
                 sn ---+        +--- ...

A way with bridges has a host behind each of its two, at the port "lan0" of a bridge "br0" there.
"""

import itertools
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "netns"))
from net import Host, Net, find_programs, sh, wait_for  # noqa: E402, F401

# What a NIC may do for segments. Checksums stay with the interface: NICs without that are gone.
SEGMENT_FEATURES = ("tcp-segmentation-offload", "generic-segmentation-offload",
                    "generic-receive-offload", "tx-udp-segmentation", "tx-udp_tnl-segmentation",
                    "tx-udp_tnl-csum-segmentation")


class Topology(Net):
    """Pairs of hosts by the names of the ways; of some of them with a host behind each."""

    def __init__(self, ways, bridged=()):
        self.next_port = itertools.count(7654).__next__     # for a supernode at "sn"
        self.lans = {}      # host behind, by the name of the one with the bridge
        self.bridged = [f"{way}-{side}" for way in bridged for side in "ab"]
        super().__init__("sn", *(f"{way}-{side}" for way in ways for side in "ab"))
        self.offloads = {port: features(*port) for port in self.ports()}
        self.is_plain = False

    def make(self, names):
        super().make(names)
        for name in self.bridged:
            self.put_behind(self[name])

    def put_behind(self, host):
        behind = self.lans[host.name] = Host(self, f"{host.name}-lan", 0)
        self.space(behind.ns)
        host.run("ip", "link", "add", "br0", "type", "bridge", "stp_state", 0)
        host.run("ip", "link", "set", "br0", "up")
        behind.run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "lan0", "netns",
                   host.ns)
        host.run("ip", "link", "set", "lan0", "master", "br0", "up")

    def pair(self, way):
        return self[f"{way}-a"], self[f"{way}-b"]

    def behind(self, way):
        return self.lans[f"{way}-a"], self.lans[f"{way}-b"]

    def ports(self):
        """Both ends of every cable, as (namespace, interface)."""
        for name, host in self.hosts.items():
            yield host.ns, "eth0"
            yield self.switch, name
        for name, host in self.lans.items():
            yield host.ns, "eth0"
            yield self[name].ns, "lan0"

    def set_plain(self, plain):
        """With plain, no cable carries more than one segment at a time, as between simple NICs."""
        if plain == self.is_plain:
            return
        for (ns, name), usual in self.offloads.items():
            words = [word for feature, on in usual.items()
                     for word in (feature, "off" if plain or not on else "on")]
            sh("ip", "netns", "exec", ns, "ethtool", "-K", name, *words)
        self.is_plain = plain


def features(ns, name):
    """The segment features that an interface has and may change, and whether they are on."""
    text = sh("ip", "netns", "exec", ns, "ethtool", "-k", name)
    found = re.findall(r"^\s*([\w-]+): (on|off)$", text, re.MULTILINE)
    return {feature: state == "on" for feature, state in found if feature in SEGMENT_FEATURES}


def block(host, other, port):
    """Drops at a host what comes from another one's UDP port."""
    host.run("nft", "add table inet bench; "
             "add chain inet bench input { type filter hook input priority 0; }; "
             f"add rule inet bench input ip saddr {other.ip} udp sport {port} drop; "
             f"add rule inet bench input ip6 saddr {other.ip6} udp sport {port} drop; "
             f"add rule inet bench input ip6 saddr fe80::/10 udp sport {port} drop")
