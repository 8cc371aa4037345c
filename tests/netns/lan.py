# SPDX-License-Identifier: GPL-3.0-or-later
"""LANs behind edges: each a bridge at the edge's host, with hosts of its own behind it.

    host a1 ----+
    host a2 ----+---- br0 and n2n0 at a ---- ... ---- n2n0 and br0 at b ----+---- host b1
                                                                           +---- host b2

Hosts behind an edge have 10.1.2.N and fd12::N on "eth0", and know nothing of n2n.
"""

import re
import subprocess

from changes import link
from net import Host, sh, wait_for

COMMUNITY = ("-c", "mynetwork", "-k", "encryptme")
PLAIN_MTU = 1376  # what an interface of n2n has unless told otherwise


def make_bridge(at, *options, name="br0"):
    """At a host; options are those of ip link, such as "stp_state", 1."""
    sh("ip", "-n", at.ns, "link", "add", name, "type", "bridge", *options)
    at.run("sysctl", "-qw", f"net.ipv6.conf.{name}.accept_dad=0")
    link(at, name, "up")


def join(at, device="n2n0", bridge="br0"):
    link(at, "dev", device, "master", bridge)


def part(at, device="n2n0"):
    link(at, "dev", device, "nomaster")


def bridged(at, *words, device="n2n0", bridge="br0", **kw):
    """Starts an edge that carries frames of others, and puts its interface into the bridge."""
    p = at.start("edge", "-r", "-d", device, *words, **kw)
    p.wait_says(r" is up with ")
    join(at, device, bridge)
    p.wait_says(f"{device} is a port of {bridge} now")
    return p


def keep_order(at, device):
    """See Net.keep_order."""
    at.run("sh", "-c", f"echo 1 >/sys/class/net/{device}/queues/rx-0/rps_cpus")


def mac_of(at, device="eth0"):
    return re.search(r"link/ether (\S+)", at.run("ip", "link", "show", device)).group(1)


class LanHost(Host):
    """A host on the LAN of an edge's host; its cable ends in a port of that one's bridge."""

    def __init__(self, net, name, number, at, bridge="br0", mtu=PLAIN_MTU):
        super().__init__(net, name, number)
        self.ip, self.ip6 = f"10.1.2.{number}", f"fd12::{number}"
        self.at, self.bridge = at, bridge
        net.space(self.ns)
        net.hosts[name] = self
        sh("ip", "-n", self.ns, "link", "add", "eth0", "mtu", mtu, "type", "veth", "peer",
           "name", name, "mtu", mtu, "netns", at.ns)
        self.run("sysctl", "-qw", "net.ipv6.conf.eth0.accept_dad=0", check=False)
        self.plug()
        self.run("ip", "addr", "add", f"{self.ip}/24", "dev", "eth0")
        self.run("ip", "addr", "add", f"{self.ip6}/64", "dev", "eth0", "nodad")
        link(self, "eth0", "up")
        keep_order(self, "eth0")

    def plug(self):
        link(self.at, "dev", self.name, "master", self.bridge, "up")
        keep_order(self.at, self.name)

    def move(self, to):
        """Pulls the cable, and plugs it in at another edge's bridge."""
        link(self.at, "dev", self.name, "nomaster", "netns", to.ns)
        self.at = to
        self.plug()

    def forget(self):
        """It has to ask for everybody's MAC address again."""
        self.run("ip", "neigh", "flush", "dev", "eth0")

    def answered(self, to, count=10, family="-4"):
        """How many of so many pings in a row are answered, the first included, and by how many
        answers more than that. With -w, ping waits for late ones, and sends more meanwhile."""
        done = subprocess.run(
            self.exec + ["ping", family, "-n", "-i", "0.01", "-c", str(count), "-w", "3", to],
            capture_output=True, text=True, timeout=60)
        times = [int(n) for n in re.findall(r"bytes from .*icmp_seq=(\d+)", done.stdout)
                 if int(n) <= count]
        return len(set(times)), len(times) - len(set(times))


def listens(at):
    """As what became a port of a bridge does for 3 s; nothing passes."""
    port = at.community()["port"]
    return port is not None and port["state"] == "listening"


def join_late(at):
    """The edge runs already, and is told of it in its own time."""
    join(at)
    wait_for(f"{at.name} listens", lambda: listens(at), 5)


def wait_met(*hosts, timeout=15):
    """Until each of these edges has keys with all the others, and does not listen any more."""
    for h in hosts:
        wait_for(f"{h.name} has met the others",
                 lambda: len([p for p in h.peers() if p["mac"]]) >= len(hosts) - 1, timeout)
    for h in hosts:
        wait_for(f"{h.name} ceases to listen", lambda: not listens(h), timeout)


def check_reach(*pairs, family="-4"):
    """Each of a pair pings the other ten times: all are answered, once."""
    for x, y in pairs:
        for one, to in ((x, y), (y, x)):
            answered = one.answered(to.ip6 if family == "-6" else to.ip, family=family)
            assert answered == (10, 0), \
                f"{one.name} to {to.name} ({family}): {answered[0]} of 10, {answered[1]} twice"


def wait_reach(*pairs, timeout=10):
    """Until that is so: what is under way while a network is rebuilt may be lost."""
    def do():
        try:
            check_reach(*pairs)
            return True
        except AssertionError:
            return False
    return wait_for(f"all of {[(x.name, y.name) for x, y in pairs]} reach each other", do, timeout)
