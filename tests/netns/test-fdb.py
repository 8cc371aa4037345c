#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Ethernet addresses are: `n2n fdb`, and what is said where hosts are not carried.

    sn --+
    a  --+-- switch      hosts a1 behind a, b1 behind b, each at a bridge of its edge
    b  --+
"""

import json
import re
import socket
import time

from changes import link, notices
from flows import open_at
from lan import COMMUNITY, LanHost, bridged, join, mac_of, make_bridge, part, wait_met
from net import Net, step, wait_for

MANY = 32768
# Sets of eight that are half full on average leave 0.84 % without a place, by the table's random key
# 0.07 % more or less (one deviation): this is nine of them away.
ENOUGH = MANY * 985 // 1000
AT_ONCE = 256  # what the queue of an interface has room for
ROUNDS = 8     # until what the queues lost has come too


def fdb(host, *words):
    return host.run(host.net.programs["n2n"], "fdb", "--state-dir", host.state, *words)


def rows(host):
    """By address: port, state, how it is known, age."""
    return {m.group(1): m.groups()[1:] for m in
            re.finditer(r"^ +([0-9a-f:]{17}) +(\S+) +(\S+) +(\S+) +(.+)$", fdb(host), re.M)}


def entries(host):
    """The same in JSON, of all parts."""
    found = {}
    for line in fdb(host, "-j").splitlines():
        for c in json.loads(line)["result"]["communities"]:
            found.update({a["mac"]: a for a in c["addresses"]})
    return found


def check_hint(a, b, a1):
    """An edge that is no bridge drops what others send, and says how to change that."""
    p = a.start("edge", *COMMUNITY, "-l", f"{a.net['sn'].ip}:7654")
    p.wait_says(" is up with ")
    wait_met(a, b)
    # The interface gets another address by hand: that is no other host.
    link(a, "dev", "n2n0", "address", "02:00:5e:00:00:77")
    a.run("ip", "addr", "add", "10.1.2.99/24", "dev", "n2n0")
    a.run("ping", "-n", "-c", 25, "-i", 0.2, "-W1", "10.1.2.22", check=False)
    assert ("foreign-source", "n2n0") not in notices(a), notices(a)
    a.run("ip", "addr", "del", "10.1.2.99/24", "dev", "n2n0")
    join(a)
    ping = a1.background("ping", "-n", "-i", "0.2", "10.1.2.21")
    took = wait_for("the notice", lambda: ("foreign-source", "n2n0") in notices(a), 15)
    text = notices(a)["foreign-source", "n2n0"]
    macs = {mac_of(a1), mac_of(a, "br0"), mac_of(a, "a1")}
    assert re.search(r"for example from ([0-9a-f:]{17}),", text).group(1) in macs, text
    assert "n2n0, a port of br0," in text and text.endswith("(option -r)"), text
    assert p.text().count("frames of other hosts") == 1, p.text()
    assert a.status()["drops"]["foreign-source"] > 0
    assert "NOTICE" in a.run(a.net.programs["n2n"], "status", "--state-dir", a.state)
    step(f"no bridge: told after {took:.1f} s: {text}")
    ping.stop()
    part(a)
    p.stop()


def check_table(a, b, a1, b1):
    ids = {h.name: h.community()["id"][:8] for h in (a, b)}
    a1.wait_ping(b1.ip, 10)
    here, there = rows(a)[mac_of(a1)], rows(a)[mac_of(b1)]
    assert here[:3] == ("here", "-", "learned"), here
    assert there[:3] == (ids["b"], "up", "learned") and there[3] == "0-50 s", there
    assert rows(b)[mac_of(a1)][:3] == (ids["a"], "up", "learned"), rows(b)
    assert rows(a)[mac_of(a, "n2n0")][:3] == ("here", "-", "own"), rows(a)
    assert rows(a)[mac_of(b, "n2n0")][:3] == (ids["b"], "up", "claimed"), rows(a)
    a1.move(b)
    a1.wait_ping(b1.ip, 10)
    wait_for("a sees a1 behind b", lambda: rows(a)[mac_of(a1)][0] == ids["b"], 5)
    wait_for("b sees a1 here", lambda: rows(b)[mac_of(a1)][0] == "here", 5)
    a1.move(a)
    step("n2n fdb: own, claimed and learned addresses, and a host that moves")


def send_many(host, to):
    """One frame each from so many addresses."""
    s = open_at(host, socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.bind(("eth0", 0))
    for i in range(MANY):
        s.send(to + b"\x52\x54\x77" + i.to_bytes(3, "big") + b"\x88\xb5" + b"x" * 46)
        if i % AT_ONCE == 0:
            time.sleep(0.002)
    s.close()


def learned(host):
    return host.community()["switch"]["learned"]


def check_many(a, b, a1):
    to = bytes.fromhex(mac_of(b, "n2n0").replace(":", ""))
    for _ in range(ROUNDS):
        send_many(a1, to)
        if min(learned(a), learned(b)) >= ENOUGH:
            break
    for host, port in ((a, "here"), (b, "peer")):
        s = host.community()["switch"]
        assert s["learned"] >= ENOUGH and s["room"] == MANY and s["bridge"], s
        found = [e for e in entries(host).values() if e["mac"].startswith("52:54:77:")]
        assert len(found) >= ENOUGH - 10, len(found)
        assert all(e["known"] == "learned" and e["port"] == port for e in found)
        assert len(rows(host)) >= ENOUGH
    tail = [line for line in fdb(b).splitlines() if line.startswith("  in all ")][-1]
    assert re.match(rf"  in all    .*{a.community()['id'][:8]} 3\d\d\d\d", tail), tail
    step(f"{MANY} addresses behind one edge: {learned(a)} known there, {learned(b)} at the other, "
         "and all are shown")


def main():
    with Net("sn", "a", "b") as net:
        a, b = net["a"], net["b"]
        net["sn"].supernode("-l", 7654)
        at = (*COMMUNITY, "-l", f"{net['sn'].ip}:7654")
        for host in (a, b):
            make_bridge(host, "ageing_time", 100)
        a1, b1 = LanHost(net, "a1", 11, a), LanHost(net, "b1", 21, b)
        bridged(b, *at)
        check_hint(a, b, a1)
        bridged(a, *at)
        wait_met(a, b)
        check_table(a, b, a1, b1)
        check_many(a, b, a1)
        for host in (a, b):
            assert notices(host) == {}, notices(host)
            drops = host.status()["drops"]
            assert not {"foreign-source", "claimed-source", "malformed"} & set(drops), drops


main()
