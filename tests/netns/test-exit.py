#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""All traffic through a member, as README.md describes it, in both ways.

    sn  --+
    a   --+-- r                a takes all traffic to b, through the network; b masquerades
    b   --+
    web --+
"""

import time

from net import Net, sh, step, wait_for
from routed import address, gateway, route_all, shadow_default

COMMUNITY = ("-c", "mynetwork", "-k", "a long enough pass phrase")
PINGS = 100
MARK = 7654


def notices(host):
    return {n["code"]: n["text"] for n in host.status()["notices"]}


def make_exit(b):
    b.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    b.run("nft", "add table ip nat; "
          "add chain ip nat post { type nat hook postrouting priority 100; }; "
          "add rule ip nat post ip saddr 10.1.2.0/24 oifname eth0 masquerade")


def count_at(web, sources):
    web.run("nft", "add table inet seen; add chain inet seen in { type filter hook input "
            "priority 0; }; " + "".join(
                f"add rule inet seen in ip saddr {host.ip} icmp type echo-request counter; "
                for host in sources))


def counted(web):
    words = web.run("nft", "list", "table", "inet", "seen").split()
    return [int(words[i + 1]) for i, word in enumerate(words) if word == "packets"]


def all_through(a, b, web, how):
    """What a sends to the web goes through b, and none is lost; n2n's own paths stay as they were."""
    a.wait_ping(web.ip, 5)
    before = counted(web)
    out = a.run("ping", "-n", "-c", PINGS, "-i", 0.02, "-W1", web.ip, timeout=60)
    assert " 0% packet loss" in out, out
    after = counted(web)
    assert after[0] == before[0] and after[1] >= before[1] + PINGS, (before, after)
    assert a.paths() == b.paths() == ["direct"], (a.peers(), b.peers())
    assert "own-datagram" not in a.status()["drops"], a.status()["drops"]
    assert not notices(a), notices(a)
    step(f"{how}: {PINGS} pings to the web left by b, 0 lost, and the path is direct")


def plug(net, host, number):
    """eth0 as a new device, with what the old one had."""
    sh("ip", "-n", host.ns, "link", "add", "eth0", "type", "veth", "peer", "name", host.name,
       "netns", net.switch)
    sh("ip", "-n", net.switch, "link", "set", "dev", host.name, "master", "br0", "up")
    host.run("sysctl", "-qw", "net.ipv6.conf.eth0.disable_ipv6=1")
    host.run("ip", "addr", "add", f"{address(number)}/24", "dev", "eth0")
    host.run("ip", "link", "set", "eth0", "up")
    host.run("ip", "route", "add", "default", "via", gateway(number), "dev", "eth0")


def the_device_comes_back(net, a, b, web):
    a.run("ip", "link", "del", "eth0")
    wait_for("the notice", lambda: "underlay-device" in notices(a), 5)
    text = notices(a)["underlay-device"]
    assert '"eth0"' in text, text
    time.sleep(2)
    assert "own-datagram" not in a.status()["drops"], a.status()["drops"]
    plug(net, a, 2)
    wait_for("the notice ends", lambda: "underlay-device" not in notices(a), 5)
    took = a.wait_ping(web.ip, 10)
    a.wait_direct(timeout=30)
    step(f"eth0 went away, which is told, and came back under another index: {took:.1f} s")


def start(net, *words):
    a = net["a"]
    return a.edge("n2n0", "10.1.2.1", *COMMUNITY, "-l", f"{net['sn'].ip}:7654", *words)


def wrong_names_are_refused(net):
    a = net["a"]
    p = a.edge("n2n0", "10.1.2.1", *COMMUNITY, "-l", f"{net['sn'].ip}:7654",
               "--underlay", "eth7", ready=False)
    assert p.ends() == 2, p.text()
    assert p.says(r'there is no interface "eth7".* \(option --underlay\)'), p.text()
    step("an interface that is not there: " + p.text().strip().splitlines()[-1])


def main():
    with Net("sn", "a", "b", "web", "r") as net:
        sn, a, b, web, r = (net[name] for name in ("sn", "a", "b", "web", "r"))
        route_all(r, [sn, a, b, web])
        a.run("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=2")
        count_at(web, [a, b])
        make_exit(b)
        sn.supernode("-l", 7654)
        b.edge("n2n0", "10.1.2.2", *COMMUNITY, "-l", f"{sn.ip}:7654")
        wrong_names_are_refused(net)
        edge = start(net, "--underlay", "eth0")
        a.wait_ping("10.1.2.2", 10)
        a.wait_direct()
        shadow_default(a, "10.1.2.2", "n2n0")
        all_through(a, b, web, "--underlay eth0")
        the_device_comes_back(net, a, b, web)
        edge.stop()
        edge = start(net, "--fwmark", MARK)
        a.run("ip", "route", "add", "default", "via", "10.1.2.2", "dev", "n2n0", "table", MARK)
        a.run("ip", "rule", "add", "not", "fwmark", MARK, "lookup", MARK)
        a.run("ip", "rule", "add", "lookup", "main", "suppress_prefixlength", 0)
        a.wait_ping("10.1.2.2", 10)
        a.wait_direct(timeout=30)
        all_through(a, b, web, f"--fwmark {MARK}")


main()
