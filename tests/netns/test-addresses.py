#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses of an interface, taken away, moved or given twice: put back, or told of.

    sn 10.77.0.1 ----+      a, b: one community; at a somebody changes things
    a, b         ----+
"""

import time

from changes import (COMMUNITY, OURS, OURS6, THEIRS, THEIRS6, has_address, link, notices, wait_no_notices,
                     wait_notice)
from net import Net, step, wait_for


def check_down(a, b, p):
    link(a, "n2n0", "down")
    wait_notice(a, "interface-down", "n2n0", "ip link set n2n0 up")
    assert a.community()["interface_state"] == "down"
    assert not has_address(a, OURS6), "this kernel keeps IPv6 addresses"
    time.sleep(1.2)
    assert a.community()["interface_state"] == "down", "it was set up again"
    link(a, "n2n0", "up")
    wait_for("the IPv6 address is back", lambda: has_address(a, OURS6), 3)
    wait_no_notices(a)
    b.wait_ping(OURS6, 5, "-6")
    p.wait_says(f"{OURS6}/64 of n2n0 was gone and is put back")
    step("set down: told, and left so; set up: its IPv6 address is back")


def check_removed_address(a, b):
    a.run("ip", "addr", "del", f"{OURS}/24", "dev", "n2n0")
    wait_for("the address is back", lambda: has_address(a, OURS), 3)
    b.wait_ping(OURS, 3)
    # Whoever insists has his will.
    for _ in range(3):
        wait_for("the address is back", lambda: has_address(a, OURS), 3)
        a.run("ip", "addr", "del", f"{OURS}/24", "dev", "n2n0")
    wait_notice(a, "address-missing", OURS, f"ip addr add {OURS}/24 dev n2n0")
    time.sleep(1.5)
    assert not has_address(a, OURS), "it is fought for"
    a.run("ip", "addr", "add", f"{OURS}/24", "dev", "n2n0")
    wait_no_notices(a)
    step("an address taken away is put back three times, and then told of")


def check_bridge(a, b):
    a.run("ip", "link", "add", "br7", "type", "bridge")
    link(a, "br7", "up")
    link(a, "n2n0", "master", "br7")
    wait_notice(a, "bridged-address", OURS, "br7", f"ip addr add {OURS}/24 dev br7")
    assert a.community()["bridge"] == "br7"
    text = a.run(a.net.programs["n2n"], "status", "--state-dir", a.state)
    assert "interface n2n0, up, MTU 1376, a port of br7" in text, text
    for ip, bits in ((OURS, 24), (OURS6, 64)):
        a.run("ip", "addr", "del", f"{ip}/{bits}", "dev", "n2n0")
        a.run("ip", "addr", "add", f"{ip}/{bits}", "dev", "br7")
    wait_no_notices(a)
    b.wait_ping(OURS, 5)
    time.sleep(2)
    assert not has_address(a, OURS) and notices(a) == {}, notices(a)
    link(a, "n2n0", "nomaster")
    wait_notice(a, "address-elsewhere", OURS, "br7")
    assert a.community()["bridge"] is None and not has_address(a, OURS)
    a.run("ip", "link", "del", "br7")
    wait_no_notices(a)
    wait_for("both addresses are back",
             lambda: has_address(a, OURS) and has_address(a, OURS6), 3)
    b.wait_ping(OURS, 5)
    step("in a bridge and out again: told, and its addresses follow")


def check_elsewhere(a, at):
    a.run("ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
    link(a, "v0", "up")
    link(a, "v1", "up")
    # What does no harm is not told: a range around ours, and one beside it.
    a.run("ip", "addr", "add", "10.0.0.1/8", "dev", "v0")
    a.run("ip", "addr", "add", "10.1.3.1/24", "dev", "v0")
    time.sleep(2.5)
    assert notices(a) == {}, notices(a)
    a.run("ip", "addr", "add", f"{OURS}/32", "dev", "v0")
    wait_notice(a, "address-elsewhere", OURS, "v0", "n2n0")
    a.run("ip", "addr", "del", f"{OURS}/32", "dev", "v0")
    wait_no_notices(a)
    a.run("ip", "addr", "add", "10.1.2.77/24", "dev", "v1")
    wait_notice(a, "range-elsewhere", OURS, "v1", f"{OURS}/24")
    a.run("ip", "link", "del", "v0")
    wait_no_notices(a)
    step("its address, or its range, at another interface: told, with its name")
    other = a.edge("n2n5", "10.1.2.50", "-c", "other", "-k", COMMUNITY[-1], *at)
    wait_notice(a, "range-elsewhere", OURS, "n2n5")
    other.wait_says("the range of 10.1.2.50/24, which is reached by n2n5, is in use at n2n0")
    assert other.stop() == 0, other.text()
    wait_no_notices(a)
    step("two networks of one host with the same range: told at both")


def check_persistent(b, at):
    """An interface that stays has what an earlier run left, and says so."""
    b.run("ip", "tuntap", "add", "dev", "n2n9", "mode", "tap")
    p = b.edge("n2n9", "10.1.9.1", "--workers", 1, *COMMUNITY, *at)
    p.stop(9)
    p = b.edge("n2n9", "10.1.9.2", "--workers", 1, *COMMUNITY, *at)
    p.wait_says("n2n9 has the address 10.1.9.1/24, too, which was not given here")
    assert p.stop() == 0, p.text()
    step("an address that a killed run left on an interface that stays is told")


def check_no_ipv6(b, at):
    p = b.background("sh", "-c", "sysctl -qw net.ipv6.conf.default.disable_ipv6=1; exec \"$@\"",
                     "-", b.net.programs["edge"], "--state-dir", b.state + "-y", "-d", "n2n7",
                     "-a", "fd88::1", *COMMUNITY, *at)
    assert p.ends() == 2 and "IPv6 is enabled" in p.text(), p.text()
    b.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=0")
    step("IPv6 switched off and an IPv6 address given: status 2, and why")


def main():
    with Net("sn", "a", "b") as net:
        a, b = net["a"], net["b"]
        at = ("-l", f"{net['sn'].ip}:7654")
        net["sn"].supernode("-l", 7654)
        p = a.edge("n2n0", OURS, "-a", OURS6, *COMMUNITY, *at)
        b.edge("n2n0", THEIRS, "-a", THEIRS6, *COMMUNITY, *at)
        a.wait_ping(THEIRS, 10)
        b.wait_ping(OURS6, 10, "-6")
        check_down(a, b, p)
        check_removed_address(a, b)
        check_bridge(a, b)
        check_elsewhere(a, at)
        check_persistent(b, at)
        check_no_ipv6(b, at)
        assert p.stop() == 0


main()
