#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Less of the system, the same network: what --disable turns off, alone and in mixed pairs.

    sn 10.77.0.1 ----+
    a, b         ----+---- switch        a and b find a direct path
    c, d         ----+                   a firewall keeps c and d to the relay

Each time TCP and UDP go both ways, over IPv4 and IPv6, and all of it has to arrive.
"""

import os
import platform
import shutil
import time

from flows import stream, sweep
from net import Net, sh, skip, step, with_what

MTU = 1376
ETHERNET = 14
OFFLOADS = {"uso", "tso", "gso", "gro", "vnethdr"}
EVERYTHING = "uso,tso,gso,gro,vnethdr,ipsec-mb"
NEEDS_VNET_HDR = {"uso", "tso"}
MEGABYTE = 1 << 20

# What a and c, and what b and d do without.
PAIRS = (("", ""), ("uso", "uso"), ("tso,uso", "tso,uso"), ("gso", "gso"), ("gro", "gro"),
         ("gso,gro", "gso,gro"), ("vnethdr", "vnethdr"), ("ipsec-mb", "ipsec-mb"),
         (EVERYTHING, EVERYTHING), ("", "vnethdr"), (EVERYTHING, ""))


def options(disabled):
    return [f"--disable={disabled}"] if disabled else []


def in_use(disabled):
    without = set(disabled.split(","))
    return OFFLOADS - without - (NEEDS_VNET_HDR if "vnethdr" in without else set())


def check_status(status, disabled, offloads):
    node = status["node"]
    assert set(node["offloads"]) == in_use(disabled) & offloads, (disabled, node["offloads"])
    if "ipsec-mb" in disabled:
        assert "libipsec-mb" not in node["cipher_providers"].values(), node["cipher_providers"]


def check_interface(host, disabled):
    """The kernel's word on what the status says."""
    on, used = host.features("n2n0"), in_use(disabled)
    for name, feature in (("vnethdr", "tx-checksumming"), ("tso", "tx-tcp-segmentation"),
                          ("uso", "tx-udp-segmentation")):
        assert (name in used) == (feature in on), f"{host.name} without {disabled!r}: {feature}"


class Mean:
    """The mean length of what passes a device meanwhile."""

    def __init__(self, host, device, way):
        self.host, self.device, self.way = host, device, way
        self.start = self.read()

    def read(self):
        at = f"/sys/class/net/{self.device}/statistics/{self.way}_"
        return [int(n) for n in self.host.run("cat", at + "bytes", at + "packets").split()]

    def get(self):
        size, n = (b - a for a, b in zip(self.start, self.read()))
        return size / n


def check_sizes(x, y, to, left, right, underlay_trains):
    """Trains are what crosses the interfaces and the network, if and only if they may."""
    read, written = Mean(x, "n2n0", "tx"), Mean(y, "n2n0", "rx")
    sent = Mean(x, "eth0", "tx")
    stream((x, y, to, 4 * MEGABYTE))
    whole = ETHERNET + MTU
    for what, mean, super_frames, plain in (
            ("read", read, "tso" in in_use(left), whole),
            ("written", written, "tso" in in_use(right), whole),
            ("sent", sent, underlay_trains and "gso" in in_use(left), ETHERNET + 1500)):
        mean = mean.get()
        assert (mean > plain) == super_frames, f"{what}: {mean:.0f} bytes on average, {left!r}"


def check_traffic(x, y, x_at, y_at):
    """Returns the number of datagrams."""
    both = (x, y, y_at), (y, x, x_at)
    stream(*((s, r, to, MEGABYTE) for s, r, at in both for to in at))
    return sum(sweep(s, r, to, MTU) for s, r, at in both for to in at)


def drops(net):
    found = {name: net[name].status()["drops"] for name in "abcd"}
    return {"sn": net["sn"].status("supernode-7654")["drops"], **found}


def start(net, key, left, right):
    """All of it; returns the programs."""
    sn = net["sn"]
    programs = [sn.supernode("-l", 7654, "--workers", 1, *options(left))]
    for n, (name, disabled, community) in enumerate((("a", left, "x"), ("b", right, "x"),
                                                     ("c", left, "y"), ("d", right, "y")), 1):
        programs.append(net[name].edge(
            "n2n0", f"10.1.2.{n}", "-a", f"fd12::{n}/64", "-c", community, "-l",
            f"{sn.ip}:7654", "--workers", 1, *options(disabled), env={"N2N_KEY": key[community]}))
    net["a"].wait_direct()
    net["b"].wait_direct()
    for x, n in (("a", 2), ("b", 1), ("c", 4), ("d", 3)):
        net[x].wait_ping(f"10.1.2.{n}", 10)
        net[x].wait_ping(f"fd12::{n}", 5, "-6")
    return programs


def run(net, key, left, right, offloads, underlay_trains=True):
    programs = start(net, key, left, right)
    a, b, c, d, sn = (net[name] for name in ("a", "b", "c", "d", "sn"))
    for host, disabled in ((a, left), (b, right), (c, left), (d, right)):
        check_status(host.status(), disabled, offloads)
        check_interface(host, disabled)
    check_status(sn.status("supernode-7654"), left, offloads & {"gso", "gro"})
    # A handshake that the roster asked for may still be under way, and its second answer is for nobody.
    time.sleep(1)
    before = drops(net)
    direct = check_traffic(a, b, ("10.1.2.1", "fd12::1"), ("10.1.2.2", "fd12::2"))
    check_sizes(a, b, "10.1.2.2", left, right, underlay_trains)
    relayed = check_traffic(c, d, ("10.1.2.3", "fd12::3"), ("10.1.2.4", "fd12::4"))
    check_sizes(c, d, "fd12::4", left, right, underlay_trains)
    assert a.paths() == ["direct"] and c.paths() == ["relay"], (a.paths(), c.paths())
    after = drops(net)
    assert before == after, f"drops: {before} before, {after} after"
    for p in reversed(programs):
        assert p.stop() == 0, p.text()
    return direct + relayed


def main():
    if shutil.which("ethtool") is None:
        skip("ethtool is not installed")
    os.environ.pop("N2N_DISABLE", None)
    new_uso = tuple(map(int, platform.release().split(".")[:2])) >= (6, 2)
    offloads = OFFLOADS if new_uso else OFFLOADS - {"uso"}
    with Net("sn", "a", "b", "c", "d") as net:
        net.keep_order()
        net["c"].block(net["d"])
        net["d"].block(net["c"])
        for name in "abcd":
            net[name].run("sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0", check=False)
        key = {name: sh(net.programs["n2n"], "key", "new", name).split()[-1] for name in "xy"}
        for left, right in PAIRS:
            n = run(net, key, left, right, offloads)
            what = with_what(left) if left == right else \
                f"{with_what(left)} on one side, {with_what(right)} on the other"
            step(f"{what}: TCP, and {n} datagrams of many sizes")
        for host in net.hosts.values():
            host.set_features("eth0", "tx", "off", "sg", "off", "tso", "off", "gso", "off",
                              "gro", "off", "tx-udp-segmentation", "off")
        for disabled in ("", "gso"):
            n = run(net, key, disabled, disabled, offloads, underlay_trains=False)
            step(f"{with_what(disabled)}, over network cards without offloads: TCP, and {n} "
                 "datagrams")


main()
