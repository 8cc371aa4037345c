#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the status says of members and supernodes is so, soon after it came to be.

    sn 10.77.0.1 ----+
    a  10.77.0.2 ----+---- switch        the link of one of them is cut, or its program stopped
    b  10.77.0.3 ----+
"""

import os
import re
import signal
import time

from net import Net, sh, step, wait_for

COMMUNITY = ("-c", "mynetwork", "-k", "a long enough pass phrase")
SLACK = 3  # for a busy machine


def peer(host):
    return host.community()["peers"][0]


def wait_state(host, state, timeout):
    return wait_for(f"{host.name} says {state}", lambda: peer(host)["state"] == state, timeout)


def cut(net, host, how):
    sh("ip", "-n", net.switch, "link", "set", "dev", host.name, how)


def table(host, state):
    """The row of its only peer, with this state, as people see it."""
    out = host.run(host.net.programs["n2n"], "status", "-d", "n2n0", "--state-dir", host.state)
    return next((line for line in out.splitlines() if re.search(rf"^  \w{{8}}  {state} ", line)), out)


def main():
    with Net("sn", "a", "b") as net:
        a, b, sn = net["a"], net["b"], net["sn"]
        at = ("-l", f"{sn.ip}:7654")
        relay = sn.supernode("-l", 7654)
        at_a = a.edge("n2n0", "10.1.2.1", *COMMUNITY, *at)
        at_b = b.edge("n2n0", "10.1.2.2", *COMMUNITY, *at)
        a.wait_ping("10.1.2.2", 10)
        a.wait_direct()
        p = peer(a)
        assert p["state"] == "up" and 0 < p["path"]["rtt_us"] < 1000000, p
        assert p["path"]["rtt_ms"] == p["path"]["rtt_us"] // 1000, p
        assert re.search(r"direct +10\.77\.0\.3:\d+ +\d+(\.\d+)? ms", table(a, "up")), table(a, "up")
        rtt = re.search(r"direct path to 10\.77\.0\.3:\d+, (\d+(\.\d+)? ms)", at_a.text()).group(1)
        step(f"up and direct, with a round trip of {rtt}, {p['path']['rtt_us']} us")

        pings = a.background("ping", "-n", "-i", "0.2", "10.1.2.2")
        time.sleep(1)
        for pid in at_b.pids():
            signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGSTOP)
        took = wait_state(a, "silent", 6 + SLACK)
        assert table(a, "silent").startswith("  "), table(a, "silent")
        assert a.community()["state"] == "silent", a.community()
        step(f"the peer stopped while spoken to: silent after {took:.1f} s")
        for pid in at_b.pids():
            signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGCONT)
        took = wait_state(a, "up", 10)
        step(f"it goes on: up after {took:.1f} s")

        time.sleep(1)
        cut(net, b, "down")
        took = wait_state(a, "silent", 6 + SLACK)
        step(f"its link cut while spoken to: silent after {took:.1f} s")
        cut(net, b, "up")
        took = wait_state(a, "up", 20)
        pings.stop(signal.SIGINT)
        step(f"its link is back: up after {took:.1f} s")

        time.sleep(1)
        cut(net, b, "down")
        took = wait_for("it is not up", lambda: peer(a)["state"] in ("idle", "silent"), 6 + SLACK)
        step(f"its link cut while nobody spoke: {peer(a)['state']} after {took:.1f} s")
        cut(net, b, "up")
        a.wait_ping("10.1.2.2", 20)
        wait_state(a, "up", 5)
        assert at_a.says("peer .*: gone") is None, at_a.text()

        relay.stop(signal.SIGKILL)
        took = wait_for("the supernode does not answer", lambda: a.community()["supernodes"][0][
            "state"] == "no-answer", 13 + SLACK)
        assert a.community()["supernode"] is None
        time.sleep(3)
        assert a.community()["supernodes"][0]["state"] == "no-answer"
        assert a.can_ping("10.1.2.2")
        c = a.community()
        assert c["state"] == "up" and "no supernode" in c["state_text"], c
        step(f"the supernode killed: no-answer after {took:.1f} s; {c['state_text']}")
        sn.supernode("-l", 7654)
        took = wait_for("it is up", lambda: a.community()["supernodes"][0]["state"] == "up", 10)
        step(f"started again: up after {took:.1f} s")

        at_b.stop()
        took = wait_state(a, "away", 3)
        at_a.wait_says(r"peer .*: gone")
        step(f"the peer left: away after {took:.1f} s")


if __name__ == "__main__":
    main()
