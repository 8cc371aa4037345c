#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs die and come back; traffic notices as little as possible.

    sn 10.77.0.1 ----+
    a, b, c      ----+---- switch
"""

import signal
import time

from net import Net, Pings, step, wait_for

COMMUNITY = ("-c", "mynetwork", "-k", "a long enough pass phrase")


def main():
    with Net("sn", "a", "b", "c") as net:
        a, b, c, sn = net["a"], net["b"], net["c"], net["sn"]
        at = ("-l", f"{sn.ip}:7654")
        supernode = sn.supernode("-l", 7654)
        ea = a.edge("n2n0", "10.1.2.1", *COMMUNITY, *at)
        eb = b.edge("n2n0", "10.1.2.2", *COMMUNITY, *at)
        a.wait_ping("10.1.2.2", 10)
        a.wait_direct()
        b.wait_direct()
        key = sn.status("supernode-7654")["node"]["key"]

        pings = Pings(a, "10.1.2.2")
        supernode.stop(signal.SIGKILL)
        time.sleep(8)
        sent, lost, gap = pings.finish()
        assert lost == 0, f"{lost} of {sent} lost"
        step(f"supernode killed: {sent} pings on the direct path, none lost, "
             f"longest gap {gap * 1000:.0f} ms")

        pings = Pings(a, "10.1.2.2")
        supernode = sn.supernode("-l", 7654)
        assert sn.status("supernode-7654")["node"]["key"] == key, "its key changed"
        c.edge("n2n0", "10.1.2.3", *COMMUNITY, *at)
        took = wait_for("both are registered again and c is with them",
                        lambda: len(c.peers()) == 2, 30)
        c.wait_ping("10.1.2.1", 3)
        c.wait_ping("10.1.2.2", 3)
        sent, lost, gap = pings.finish()
        assert lost == 0, f"{lost} of {sent} lost"
        assert not ea.says("its key is not"), ea.text()
        step(f"supernode restarted with its old key: a new edge met all after {took:.1f} s, "
             f"{sent} pings, none lost")

        pings = Pings(a, "10.1.2.2")
        eb.stop(signal.SIGKILL)
        time.sleep(1)
        start = time.monotonic()
        b.edge("n2n0", "10.1.2.2", *COMMUNITY, *at)
        b.wait_ping("10.1.2.1", 10)
        took = time.monotonic() - start
        a.wait_ping("10.1.2.2", 5)
        sent, lost, gap = pings.finish()
        assert took < 3, f"{took:.1f} s"
        assert gap < 1 + 3 + 0.5, f"gap of {gap:.1f} s"
        step(f"edge killed and restarted: traffic {took:.2f} s after its start, gap of the other "
             f"side {gap:.2f} s with 1 s of death")

        assert ea.stop() == 0
        took = wait_for("b hears that a left", lambda: len(b.peers()) == 1, 5)
        step(f"an edge that leaves is gone from its peers after {took:.2f} s")


main()
