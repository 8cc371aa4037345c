#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""A member claims another's MAC and IP address, and waits until that one is away.

    sn 10.77.0.1 ----+
    a  10.77.0.2 ----+---- switch
    b  10.77.0.3 ----+     the owner
    c  10.77.0.4 ----+     the thief
"""

import pathlib
import signal
import subprocess

from net import Net, step, wait_for

COMMUNITY = ("-c", "mynetwork", "-k", "a long enough pass phrase")
MAC = "52:54:00:01:02:03"
ADDRESS = "10.1.2.9"


def tool(host, *words):
    """n2n at a host: exit status, output, errors."""
    done = subprocess.run(host.exec + [host.net.programs["n2n"], words[0], f"--state-dir={host.state}",
                                       *words[1:]], capture_output=True, text=True, timeout=20)
    return done.returncode, done.stdout, done.stderr


def peer(host, id):
    return next((p for p in host.community()["peers"] if p["id"] == id), None)


def start(host, address, *words):
    p = host.edge("n2n0", address, *COMMUNITY, "-l", f"{host.net['sn'].ip}:7654", *words)
    p.wait_says("registered in community")
    return p


def start_a(a):
    p = start(a, "10.1.2.1")
    # The addresses are the question here, not who answers for them first.
    a.run("ip", "neigh", "replace", ADDRESS, "lladdr", MAC, "dev", "n2n0", "nud", "permanent")
    return p


def start_b(b):
    return start(b, ADDRESS, "-m", MAC)


def stolen(a, capture, why):
    """Nobody answers for the owner, and nothing comes to the thief."""
    for _ in range(3):
        assert not a.can_ping(ADDRESS, 0.5), f"somebody else answers {why}"
    assert "ICMP" not in capture.text(), f"the thief got frames {why}:\n{capture.text()}"


def check_named(a, pa, pb, b_id, c_id):
    pa.wait_says(f"peer {c_id[:8]}.*claims an address that is not its own: {MAC} belongs to "
                 f"{b_id[:8]}.*n2n forget {MAC}.*option -m")
    pb.wait_says(f"peer {c_id[:8]}.*{MAC} is ours")
    refused = peer(a, c_id)
    assert refused["mac"] is None and refused["up"], refused
    assert refused["mac_refused"] == {"mac": MAC, "owner": b_id}, refused
    assert refused["addresses"] == [f"{ADDRESS}/24"], refused
    owner = peer(a, b_id)
    assert owner["mac"] == MAC and owner["mac_refused"] is None, owner
    status, out, _ = tool(a, "status")
    line = f"refused   {c_id[:8]} claims MAC {MAC}, which belongs to {b_id[:8]}"
    assert status == 0 and line in out, out
    notice, = a.status()["notices"]
    assert notice["code"] == "mac-conflict" and notice["subject"] == c_id, notice
    step("the thief, the owner and what to do are named in the log and in the status")


def check_told(c, pc, a_id, b_id):
    """Who claims it knows it too, and from whom."""
    def told(code):
        return [n for n in c.status()["notices"] if n["code"] == code]
    wait_for("it is told", lambda: told("mac-refused") and told("mac-conflict"), 5)
    notice, = told("mac-refused")
    assert notice["subject"] == MAC and f"belongs to {b_id[:8]}" in notice["text"], notice
    assert a_id[:8] in notice["text"] and "option -m" in notice["text"], notice
    notice, = told("mac-conflict")
    assert notice["subject"] == b_id and "is ours" in notice["text"], notice
    assert pc.text().count("our MAC address") == 1, pc.text()
    step("the one who claims it is told who refuses it, and whose it is")


def check_forget(a, b, c, c_id, b_id):
    own = a.community()["mac"]
    for words, says, code in ((("forget", "nonsense"), "n2n forget MAC", 2),
                              (("forget",), "n2n forget MAC", 2),
                              (("forget", "-d", "n2n7", MAC), "not running here", 1),
                              (("forget", "52:54:00:00:00:01"), "belongs to no other member", 1),
                              (("forget", "-d", "n2n0", "52:54:00:00:00:01"), "belongs to no", 1),
                              (("forget", MAC, "foo"), "\"foo\" is one word too many", 2),
                              (("forget", "foo", MAC), "\"foo\" is one word too many", 2),
                              (("forget", own), "is this edge's own in community", 1)):
        status, out, err = tool(a, *words)
        assert status == code and says in err and out == "", (words, status, out, err)
    status, out, err = tool(a, "forget", MAC, "-d", "n2n0")
    assert status == 0 and err == "", (status, out, err)
    assert f"n2n0: {MAC} belonged to {b_id[:8]}, and belongs to {c_id[:8]} now" in out, out
    took = a.wait_ping(ADDRESS, 5)
    assert peer(a, c_id)["mac"] == MAC
    wait_for("nobody is wrong any more", lambda: not a.status()["notices"] and
             not c.status()["notices"], 10)
    pb = start_b(b)
    wait_for("the former owner is refused", lambda: (peer(a, b_id) or {}).get("mac_refused") ==
             {"mac": MAC, "owner": c_id}, 10)
    pb.stop()
    step(f"\"n2n forget\" gives it to the one who waits, after {took:.2f} s; mistakes are explained")


def check_file(a, pa):
    file, = (pathlib.Path(a.state) / "n2n0").glob("owners-*")
    assert file.stat().st_mode & 0o777 == 0o600
    assert pa.stop() == 0
    file.write_bytes(file.read_bytes()[:-1])
    pa = start_a(a)
    assert pa.says("owners-.* is damaged; it is replaced"), pa.text()
    assert pa.stop() == 0
    step("a damaged file is said to be one, and replaced")


def main():
    with Net("sn", "a", "b", "c") as net:
        a, b, c, sn = net["a"], net["b"], net["c"], net["sn"]
        sn.supernode("-l", 7654)
        pa, pb = start_a(a), start_b(b)
        a.wait_ping(ADDRESS, 10)
        b_id = b.community()["id"]
        pc = start(c, ADDRESS, "-m", MAC)
        c_id = c.community()["id"]
        capture = c.background("tcpdump", "-lnpi", "n2n0", "icmp")
        capture.wait_says("listening on")
        wait_for("c is up at a", lambda: (peer(a, c_id) or {}).get("up"), 10)
        check_named(a, pa, pb, b_id, c_id)
        check_told(c, pc, a.community()["id"], b_id)
        assert "ICMP" not in capture.text(), f"the thief got what waited:\n{capture.text()}"

        for how in (signal.SIGTERM, signal.SIGKILL):
            pb.stop(how)
            # The one that was killed is the parent: its child sees that, and ends.
            wait_for("the owner is gone", lambda: "n2n0" not in b.run("ip", "-o", "link"), 10)
            stolen(a, capture, f"after {how.name} of the owner")
            pb = start_b(b)
            took = a.wait_ping(ADDRESS, 10)
            step(f"owner away after {how.name}: nobody answers for it, and it has its traffic "
                 f"{took:.2f} s after it is back")
        assert pb.stop() == 0
        assert pa.stop() == 0
        pa = start_a(a)
        wait_for("c is up at a again", lambda: (peer(a, c_id) or {}).get("up"), 10)
        wait_for("it is refused again", lambda: peer(a, c_id)["mac_refused"] is not None, 5)
        stolen(a, capture, "after a restart of the one who looks on")
        step("neither after a restart of the one who looks on, with the owner away")
        assert "ICMP" not in capture.text()

        check_forget(a, b, c, c_id, b_id)
        check_file(a, pa)


main()
