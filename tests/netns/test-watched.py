#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""An interface that others change while it runs is followed.

    sn 10.77.0.1 ----+      a, b, c: one community; at a somebody changes things
    a, b, c      ----+
"""

import re
import time

from changes import (COMMUNITY, OURS, OURS6, THEIRS, THEIRS6, has_address, link, notices, wait_no_notices,
                     wait_notice)
from net import Net, sh, step, wait_for


def check_untouched(a, p):
    time.sleep(2)
    assert notices(a) == {}, notices(a)
    c = a.community()
    assert (c["interface"], c["interface_state"], c["bridge"]) == ("n2n0", "up", None), c
    assert not p.says("put back|was given|was set"), p.text()
    step("left alone it is left alone: no line, no notice")


def check_mac(a, b, c):
    for device, mac in (("n2n0", "02:aa:bb:cc:dd:01"), ("n2n0", "52:54:00:12:34:56")):
        link(a, "dev", device, "address", mac)
        start = time.monotonic()
        # Their hosts know the old one: it is they that have to be told.
        b.wait_ping(OURS, 3)
        c.wait_ping(OURS, 3)
        b.wait_ping(OURS6, 3, "-6")
        a.wait_ping(THEIRS, 3)
        took = time.monotonic() - start
        assert took < 3, took
        assert a.community()["mac"] == mac
        assert all(mac in [p["mac"] for p in h.peers()] for h in (b, c))
    step(f"another MAC address: all hosts reach it again in {took:.1f} s, status is right")


def alias(host, device="n2n0"):
    found = re.search(r"^ +alias (.*?) *$", host.run("ip", "link", "show", device), re.M)
    return found and found.group(1)


def check_alias(a, p):
    """Who notes something takes away the mark by which others know the network."""
    for note in ("the office", "the cellar", "the attic"):
        link(a, "n2n0", "alias", note)
        wait_for("the mark is back", lambda: alias(a) == f"[n2n] {note}", 3)
        assert notices(a) == {}, notices(a)
    link(a, "n2n0", "alias", "mine alone")
    wait_notice(a, "mark-missing", "n2n0", "[n2n]")
    assert alias(a) == "mine alone", alias(a)
    link(a, "n2n0", "alias", "[n2n] mine")
    wait_no_notices(a)
    assert len(re.findall("the mark of n2n0 was gone", p.text())) == 3, p.text()
    step("another alias: the mark is back in front of it, three times, and then it is told")


def check_rename_and_mtu(a, b, p):
    link(a, "n2n0", "down")
    link(a, "n2n0", "name", "vpn7")
    link(a, "vpn7", "up")
    wait_for("status has the new name", lambda: a.community()["interface"] == "vpn7", 4)
    wait_for("the IPv6 address is back", lambda: has_address(a, OURS6, "vpn7"), 4)
    b.wait_ping(OURS, 3)
    link(a, "vpn7", "mtu", 1300)
    wait_for("status has the MTU", lambda: a.community()["mtu"] == 1300, 4)
    assert notices(a) == {}, notices(a)
    # IPv6 ends below 1280, and begins anew above, believing routers as it does everywhere.
    link(a, "vpn7", "mtu", 1000)
    wait_notice(a, "address-missing", OURS6, "cannot be put back", "MTU below 1280")
    link(a, "vpn7", "mtu", 1300)
    wait_for("the IPv6 address is back", lambda: has_address(a, OURS6, "vpn7"), 4)
    for setting in ("accept_ra", "autoconf"):
        shown = a.run("cat", f"/proc/sys/net/ipv6/conf/vpn7/{setting}").strip()
        assert shown == "0", f"{setting} is {shown}"
    wait_no_notices(a)
    link(a, "vpn7", "mtu", 9000)
    wait_notice(a, "mtu-too-large", "n2n0", "ip link set vpn7 mtu 1376")
    link(a, "vpn7", "mtu", 1376)
    wait_no_notices(a)
    p.wait_says("the interface made as n2n0 is called vpn7 now")
    step("renamed and given another MTU: status follows, and nothing breaks")


FIGHT = """i=0
while :; do
    i=$((i + 1))
    ip addr del 10.1.2.1/24 dev vpn7; ip link set vpn7 down; ip link set vpn7 up
    ip link set dev vpn7 address 02:00:00:00:00:$((i % 2))1
    sleep 0.1
done 2>/dev/null"""


def check_fight(a, b, p):
    """Of our own changes, and claims, there is at most one a second."""
    monitor = a.background("ip", "-ts", "monitor", "address", "dev", "vpn7")
    fighter = a.background("sh", "-c", FIGHT)
    time.sleep(6)
    fighter.stop(9)
    adds = len(re.findall(rf"^[^\n]*(?<!Deleted )\d+: vpn7 +inet6? ({OURS}|{OURS6})/",
                          monitor.text(), re.M))
    monitor.stop()
    changes = len(re.findall("was given the MAC", p.text()))
    assert changes <= 12, changes
    assert adds <= 2 * 8, f"{adds} addresses were put back in 6 s"
    link(a, "vpn7", "up")
    a.run("ip", "addr", "replace", f"{OURS}/24", "dev", "vpn7")
    a.run("ip", "addr", "replace", f"{OURS6}/64", "dev", "vpn7")
    b.wait_ping(OURS, 5)
    wait_no_notices(a, 6)
    wait_for("status has the MAC address",
             lambda: a.community()["mac"] in a.run("ip", "link", "show", "vpn7"), 4)
    step(f"somebody changes all every 0.1 s: {adds} addresses put back in 6 s, then all is well")


def check_away(net, a, b):
    other = f"{net.prefix}-other"
    net.space(other)
    link(a, "vpn7", "netns", other)
    wait_for("status says where it is", lambda: a.community()["interface_state"] == "away", 5)
    sh("ip", "-n", other, "addr", "add", f"{OURS}/24", "dev", "vpn7")
    sh("ip", "-n", other, "link", "set", "vpn7", "up")
    b.wait_ping(OURS, 5)
    assert notices(a) == {}, notices(a)
    step("moved to another namespace, as to a container: it works there, and is not told wrong")


RACE = """until ip link set dev n2n0 address 02:12:34:56:78:9a 2>/dev/null; do :; done
for i in 1 2 3 4 5 6 7 8; do ip link set dev n2n0 address 02:12:34:56:78:9a; done"""


def check_race(c, a, at):
    """As udev does: as soon as it is there somebody gives it another MAC address."""
    racer = c.background("sh", "-c", RACE)
    c.edge("n2n0", "10.1.2.3", *COMMUNITY, *at)
    racer.ends()
    start = time.monotonic()
    c.wait_ping(THEIRS, 10)
    shown = re.search("link/ether (\\S+)", c.run("ip", "link", "show", "n2n0")).group(1)
    wait_for("its MAC is the one that it has", lambda: c.community()["mac"] == shown, 3)
    wait_for("the others know it", lambda: shown in [p["mac"] for p in a.peers()], 3)
    step(f"changed while it was made: in the network {time.monotonic() - start:.1f} s later")


def check_without_sys(net, at, b):
    """As in a container: nothing of /sys, and /proc/sys cannot be written."""
    p = b.background("unshare", "-m", "sh", "-c",
                     "umount -l /sys; mount --bind -o ro /proc/sys /proc/sys;"
                     "mount -o remount,ro,bind /proc/sys; exec \"$@\"", "-",
                     net.programs["edge"], "--state-dir", b.state + "-x", "-d", "n2n8",
                     "-a", "10.1.8.1", *COMMUNITY, *at)
    wait_for("it is up", lambda: p.says(" is up with ") or p.process.poll() is not None, 10)
    assert p.process.poll() is None, p.text()
    link(b, "dev", "n2n8", "address", "02:00:00:00:08:08")
    wait_for("its MAC is followed", lambda: p.says("02:00:00:00:08:08"), 4)
    for mtu in range(1300, 1305):
        link(b, "dev", "n2n8", "mtu", mtu)
        wait_for("its MTU is followed", lambda: p.says(f"has the MTU {mtu} now"), 4)
    told = re.findall("ignore router advertisements", p.text())
    assert len(told) == 1, p.text()
    assert p.stop() == 0, p.text()
    step("without /sys and with /proc/sys read-only it is watched as well")


def main():
    with Net("sn", "a", "b", "c") as net:
        a, b, c = net["a"], net["b"], net["c"]
        at = ("-l", f"{net['sn'].ip}:7654")
        net["sn"].supernode("-l", 7654)
        p = a.edge("n2n0", OURS, "-a", OURS6, *COMMUNITY, *at)
        b.edge("n2n0", THEIRS, "-a", THEIRS6, *COMMUNITY, *at)
        check_race(c, a, at)
        a.wait_ping(THEIRS, 10)
        a.wait_ping(THEIRS6, 10, "-6")
        c.wait_ping(OURS, 10)
        check_untouched(a, p)
        check_mac(a, b, c)
        check_alias(a, p)
        check_rename_and_mtu(a, b, p)
        check_fight(a, b, p)
        check_away(net, a, b)
        check_without_sys(net, at, b)
        assert p.process.poll() is None
        assert p.stop() == 0


main()
