#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Broadcasts to more members behind the relay than a few: one packet for all of them, and each has
it once.

    sn 10.77.0.1 ----+
    a to g       ----+    nobody but sn reaches another one
"""

import re

from net import Net, step, wait_for

NAMES = "abcdefg"
OTHERS = len(NAMES) - 1
SECRET = ("-c", "Friends", "-k", "a long enough pass phrase")


def answers(host, n):
    """To how many broadcast pings how many answers came, those of each other host once each."""
    out = host.run("ping", "-b", "-n", "-i", "0.05", "-c", n, "-W", 1, "10.1.5.255", check=False)
    return re.findall(r"from (10\.1\.5\.\d+): icmp_seq=(\d+)", out)


def broadcast(host):
    return host.community()["broadcast"]


def main():
    with Net("sn", *NAMES) as net:
        sn = net["sn"]
        hosts = [net[n] for n in NAMES]
        sn.supernode("-l", 7654)
        programs = []
        for i, h in enumerate(hosts):
            h.run("sysctl", "-qw", "net.ipv4.icmp_echo_ignore_broadcasts=0")
            h.run("nft", "add table inet test; "
                  "add chain inet test input { type filter hook input priority 0; }; "
                  f"add rule inet test input iifname eth0 ip saddr != {sn.ip} drop; "
                  "add rule inet test input iifname eth0 udp dport 1-65535 "
                  "meta nfproto ipv6 drop")
            words = ("--signed-broadcast",) if i == 1 else ()
            programs.append(h.edge("n2n0", f"10.1.5.{i + 1}", *SECRET, "-l", f"{sn.ip}:7654",
                                   *words))
        for h in hosts:
            wait_for(f"{h.name} has met all", lambda: len(h.peers()) == OTHERS, 60)
        step("seven members, all of them behind the relay")
        for h in hosts[:2]:
            wait_for("a set of all", lambda: answers(h, 1) and broadcast(h)["group"] == OTHERS, 60)
            before = broadcast(h)
            came = answers(h, 20)
            after = broadcast(h)
            assert len(came) == len(set(came)), f"some came twice: {came}"
            assert len(came) >= 19 * OTHERS, f"of 20 broadcasts {len(came)} answers came"
            assert after["frames"] - before["frames"] >= 20
            assert after["signed"] == (h is hosts[1])
            assert after["refused"] == 0
        step("one packet for six, plain and signed: each has it once")
        for line in hosts[0].run(net.programs["n2n"], "status", "--state-dir",
                                 hosts[0].state).splitlines():
            if "broadcast" in line:
                print(line)
        hosts[2].run("nft", "delete", "table", "inet", "test")
        hosts[0].run("nft", "delete", "table", "inet", "test")
        wait_for("a direct path", lambda: "direct" in hosts[0].paths(), 60)
        wait_for("it leaves the set", lambda: answers(hosts[0], 1) and
                 broadcast(hosts[0])["group"] == OTHERS - 1, 60)
        came = answers(hosts[0], 20)
        assert len(came) == len(set(came)), f"some came twice: {came}"
        assert len(came) >= 19 * OTHERS, f"of 20 broadcasts {len(came)} answers came"
        assert broadcast(hosts[0])["copies"] == 1
        step("one with a direct path has copies")
        for p in programs:
            assert p.stop() == 0


main()
