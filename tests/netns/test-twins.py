#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hosts run with a copy of one state directory.

    sn 10.77.0.1 ----+
    a  10.77.0.2 ----+---- switch     a third member
    b  10.77.0.3 ----+
    c  10.77.0.4 ----+                b's state directory, copied
"""

import shutil

from net import Net, Pings, step, wait_for

COMMUNITY = ("-c", "mynetwork", "-k", "a long enough pass phrase")
ADDRESS = "10.1.2.9"
CODE = "identity-twice"


def start(host, address):
    return host.edge("n2n0", address, *COMMUNITY, "-l", f"{host.net['sn'].ip}:7654")


def notices(host):
    return [n for n in host.status()["notices"] if n["code"] == CODE]


def refused(host):
    return host.community()["state"] == "refused"


def refusals(sn):
    return sn.status("supernode-7654")["registry"]["refused"].get(CODE, 0)


def main():
    with Net("sn", "a", "b", "c") as net:
        a, b, c, sn = net["a"], net["b"], net["c"], net["sn"]
        sn.supernode("-l", 7654)
        pa, pb = start(a, "10.1.2.1"), start(b, ADDRESS)
        a.wait_ping(ADDRESS, 10)
        pb.stop()
        shutil.copytree(b.state, c.state, ignore=shutil.ignore_patterns("control"))
        pb = start(b, ADDRESS)
        took = a.wait_ping(ADDRESS, 10)
        b.wait_direct()
        assert not notices(a) and not notices(b)
        step(f"a restart of b is taken for no copy of it ({took:.1f} s)")

        pc = start(c, ADDRESS)
        pc.wait_says("registered in community")
        id = c.community()["id"]
        assert id == b.community()["id"]
        took = wait_for("b is refused", lambda: refused(b), 15, 0.2)
        pings = Pings(c, "10.1.2.1")
        wait_for("c has a direct path", lambda: c.paths() == ["direct"], 10)
        pings.p.wait_says("ttl=")
        pings.finish()
        before = refusals(sn)
        pings = Pings(c, "10.1.2.1")
        pings.p.wait_says("ttl=")
        # Each pause of b is twice as long as the one before.
        wait_for("b was refused again", lambda: refusals(sn) > before, 50)
        sent, lost, _ = pings.finish()
        assert sent > 1 and lost == 0, (sent, lost)
        step(f"b is refused after {took:.1f} s, and c loses nothing of {sent} pings")

        for host, program, says in ((b, pb, "we are refused"), (c, pc, "and is refused")):
            notice, = notices(host)
            assert notice["subject"] == id and says in notice["text"], notice
            assert program.text().count("copy of our identity") == 1, program.text()
        notice, = notices(a)
        assert notice["subject"] == id and id[:8] in notice["text"], notice
        assert pa.text().count("copy of its identity") == 1, pa.text()
        assert pa.text().count("was restarted") <= 2, pa.text()
        assert "refused" in b.run(net.programs["n2n"], "status", "--state-dir", b.state)
        step("both say why, and a says it once")

        assert pc.stop() == 0
        took = wait_for("b is registered", lambda: b.community()["state"] == "up", 30, 0.2)
        a.wait_ping(ADDRESS, 5)
        assert not notices(b)
        step(f"b has its place {took:.1f} s after c has left, and nothing to say any more")


main()
