#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""The direct path comes, goes and moves.

    sn 10.77.0.1 ----+
    a  10.77.0.2 ----+---- switch        a firewall on a and b drops what comes from the other
    b  10.77.0.3 ----+
"""

import time

from net import Net, Pings, sh, step, wait_for

COMMUNITY = ("-c", "mynetwork", "-k", "a long enough pass phrase")


def main():
    with Net("sn", "a", "b") as net:
        a, b, sn = net["a"], net["b"], net["sn"]
        at = ("-l", f"{sn.ip}:7654")
        sn.supernode("-l", 7654)
        a.block(b)
        b.block(a)
        a.edge("n2n0", "10.1.2.1", *COMMUNITY, *at)
        b.edge("n2n0", "10.1.2.2", *COMMUNITY, *at)
        a.wait_ping("10.1.2.2", 10)
        time.sleep(5)
        assert a.paths() == ["relay"], a.peers()
        reason = a.peers()[0]["path"]["reason"]
        assert reason in ("no-answer", "searching"), reason
        assert sn.status("supernode-7654")["relay"]["packets"] > 0
        step(f"blocked from the start: through the relay, and the status says {reason}")
        a.unblock()
        b.unblock()
        took = a.wait_direct(timeout=60)
        step(f"unblocked: direct after {took:.1f} s")
        b.wait_direct(timeout=60)
        time.sleep(1)

        pings = Pings(a, "10.1.2.2")
        a.block(b)
        b.block(a)
        time.sleep(6)
        sent, lost, gap = pings.finish()
        assert gap < 4, f"{gap:.1f} s until the relay took over"
        assert a.paths() == ["relay"] and b.paths() == ["relay"], (a.peers(), b.peers())
        step(f"blocked while in use: the relay took over after {gap:.2f} s")
        pings = Pings(a, "10.1.2.2")
        a.unblock()
        b.unblock()
        took = wait_for("direct on both sides",
                        lambda: a.paths() == b.paths() == ["direct"], 60)
        sent, lost, gap = pings.finish()
        assert lost <= 1, f"{lost} of {sent} lost on the way back to the direct path"
        step(f"unblocked: direct after {took:.1f} s, {lost} of {sent} pings lost")

        pings = Pings(a, "10.1.2.2")
        sh("ip", "-n", b.ns, "addr", "flush", "dev", "eth0", "scope", "global")
        sh("ip", "-n", b.ns, "addr", "add", "10.77.0.99/24", "dev", "eth0")
        took = wait_for("a direct path to the new address", lambda: any(
            p["path"].get("endpoint", "").startswith("10.77.0.99") for p in a.peers()), 60)
        sent, lost, gap = pings.finish()
        assert gap < 5, f"gap of {gap:.1f} s"
        step(f"address of b changed: direct to the new one after {took:.1f} s, "
             f"gap of {gap:.2f} s, {lost} of {sent} pings lost")
        wait_for("b is registered from its new address", lambda: b.community()["supernodes"][0][
            "observed"].startswith("10.77.0.99"), 30)
        step("and the supernode sees it there")


main()
