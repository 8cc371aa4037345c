# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways from host a to host b: what they are made of, how they start. Here the references and n2n
itself; other people's VPNs are in peers.py.

Every way runs with its own defaults (MTU, buffers), but for what is said in its class.
"""

import json
import os
import pathlib
import shutil

from topology import block, wait_for

COMMUNITY = ("-c", "bench", "-k", "a long enough pass phrase")


class Absent(Exception):
    """This way cannot be measured here, and why."""


class Way:
    """One way between two hosts. Subclasses start what it takes; "to" is b's address in it."""

    key = title = None
    about = ""
    encrypts = True
    needs = ()          # programs
    package = None      # and what brings them
    to = "10.9.0.2"
    device = "tun0"
    bridged = False     # hosts behind its two ends measure; see bridged.py
    restarts = True     # b's side can be taken down and started again
    own = False         # n2n 4 itself

    def __init__(self):
        self.a = self.b = self.sn = None    # where it runs
        self.near = self.far = None         # between which it is measured
        self.middle, self.at_a, self.at_b = [], [], []

    def check(self):
        """Raises Absent when something is missing."""
        missing = [name for name in self.needs if shutil.which(name) is None]
        if missing:
            raise Absent(f"{missing[0]} is not there (package {self.package})")

    def place(self, net):
        self.a, self.b = self.near, self.far = net.pair(self.key)
        self.sn = net["sn"]

    def begin(self):
        """Starts all, and waits until b answers."""
        self.middle = self.start_middle()
        self.at_a = self.start("a")
        self.start_b()
        self.wait_ready()

    def wait_ready(self):
        self.near.wait_ping(self.to, 20)

    def verify(self):
        """After all measurements: raises AssertionError when it was not what it is named for."""

    def start_b(self):
        self.at_b = self.start("b")

    def stop_b(self):
        for program in self.at_b:
            program.stop()

    def programs(self):
        return self.middle + self.at_a + self.at_b

    def mtu(self, host=None):
        path = f"/sys/class/net/{self.device}/mtu"
        return int((host or self.b).run("cat", path))

    def start_middle(self):
        """What runs at "sn": its programs, if any."""
        return []

    def start(self, side):
        """Starts one side; returns its programs."""
        raise NotImplementedError

    def run(self, host, *words, name=None):
        """A daemon of this way."""
        p = host.background(*words)
        p.name = name or pathlib.Path(words[0]).name
        return p

    def host(self, side):
        return self.a if side == "a" else self.b

    def address(self, side):
        return "10.9.0.1" if side == "a" else "10.9.0.2"

    def dir(self, side):
        """A folder for the configuration of one side."""
        path = self.host(side).net.dir / f"{self.key}-{side}-conf"
        path.mkdir(exist_ok=True)
        return path

    def wait_device(self, side):
        host = self.host(side)
        wait_for(f"{self.device} at {host.name}", lambda: host.has_interface(self.device), 10,
                 0.002)

    def set_address(self, side):
        """For those that leave the interface's address to us."""
        self.wait_device(side)
        host = self.host(side)
        host.run("ip", "addr", "add", f"{self.address(side)}/24", "dev", self.device)
        host.run("ip", "link", "set", self.device, "up")


class Veth(Way):
    key, title, encrypts = "veth", "bare veth", False
    about = "the cable itself: no tunnel"
    device = "eth0"
    restarts = False

    def begin(self):
        self.to = self.b.ip
        self.wait_ready()


class Vxlan(Way):
    key, title, encrypts = "vxlan", "kernel VXLAN", False
    about = "layer 2, in the kernel, no encryption"
    device = "vx0"

    def start(self, side):
        host, other = (self.a, self.b) if side == "a" else (self.b, self.a)
        host.run("ip", "link", "add", self.device, "type", "vxlan", "id", 7, "remote", other.ip,
                 "dstport", 4789, "dev", "eth0")
        self.set_address(side)
        return []

    def stop_b(self):
        self.b.run("ip", "link", "del", self.device)


class N2n(Way):
    """n2n 4, on its direct path. Other programs and more options for an edge may be given."""

    key, title = "n2n", "n2n direct"
    about = "layer 2, AES-256-GCM"
    path = "direct"
    own = True
    device = "n2n0"

    def __init__(self, programs, key=None, title=None, options=()):
        super().__init__()
        self.found, self.options = programs, options
        self.key, self.title = key or self.key, title or self.title
        self.port = None    # of its supernode

    def place(self, net):
        super().place(net)
        self.port = net.next_port()

    def check(self):
        for path in self.found.values():
            if not os.access(path, os.X_OK):
                raise Absent(f"there is no program {path}")

    def start_middle(self):
        state = self.a.net.dir / f"{self.key}-sn"
        p = self.run(self.sn, self.found["supernode"], "--state-dir", state, "-l", self.port,
                     name="supernode")
        p.wait_says("listening at UDP port")
        return [p]

    def start(self, side):
        host = self.host(side)
        edge = self.run(host, self.found["edge"], "--state-dir", host.state, "-d", self.device,
                        *self.interface_words(side), *COMMUNITY, "-l",
                        f"{self.sn.ip}:{self.port}", *self.options)
        return [edge]

    def interface_words(self, side):
        """What its interface is to be."""
        return ("-a", self.address(side))

    def paths(self):
        out = self.a.run(self.found["n2n"], "status", "-j", "-d", self.device, "--state-dir",
                         self.a.state)
        peers = json.loads(out)["result"]["communities"][0]["peers"]
        return [p["path"]["kind"] for p in peers if p["up"]]

    def wait_ready(self):
        super().wait_ready()
        wait_for(f"{self.title}: a path that is {self.path}",
                 lambda: self.paths() == [self.path], 20)

    def verify(self):
        found = self.paths()
        assert found == [self.path], f"its path was {found} in the end, not {self.path}"


class N2nRelayed(N2n):
    """n2n 4 through its supernode: a firewall lets nothing pass between the two edges."""

    key, title = "relayed", "n2n relayed"
    about = "layer 2, AES-256-GCM, through the supernode"
    path = "relay"
    edge_port = 7001

    def __init__(self, programs):
        super().__init__(programs, options=("-p", self.edge_port))

    def begin(self):
        block(self.a, self.b, self.edge_port)
        block(self.b, self.a, self.edge_port)
        super().begin()


def own_ways(programs, more=()):
    """All that are always there, and n2n with other (programs, options); each n2n has a supernode
    of its own."""
    n2ns = [N2n(programs), N2n(programs, "n2n-1500", "n2n direct (-M 1500)", ("-M", 1500)),
            N2nRelayed(programs)]
    for number, (found, options) in enumerate(more, 1):
        said = " ".join(options) or str(pathlib.Path(found["edge"]).parent)
        n2ns.append(N2n(found, f"n2n-{number}", f"n2n direct ({said})", options))
    return [Veth(), Vxlan(), *n2ns]
