#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of the control socket that ask nothing, half of something, or take no answer; and what
"n2n status" makes of the answers."""

import pathlib
import re
import socket
import subprocess
import sys
import threading
import time

from net import Net, step, wait_for

SLOW = 40
SAID = (b"", b'{"v":1,', b'{"v":1,"cmd":"status"}\n')


def connect(path, said):
    s = socket.socket(socket.AF_UNIX)
    s.connect(str(path))
    s.sendall(said)
    return s


def status(net, host, *words):
    return host.run(net.programs["n2n"], "status", "--state-dir", host.state, *words)


def check_numbers(net, a):
    """Seconds come from milliseconds, and have no more decimals than these."""
    a.edge("n2n0", "10.1.2.1", "-c", "mynetwork", "-k", "a long enough pass phrase", "-l",
           f"{net['sn'].ip}:7654")
    wait_for("a supernode is heard", lambda: a.community()["supernodes"][0]["heard_s"], 10)
    seen = []
    for _ in range(20):
        text = status(net, a, "-j")
        seen += re.findall(r"[0-9]\.([0-9]+)", re.sub(r'"[^"]*"', "", text))
        time.sleep(0.037)
    assert seen and max(map(len, seen)) <= 3, max(seen, key=len)
    step(f"{len(seen)} numbers with a point have three decimals at most")


def check_drops(net, a, sn):
    """What was dropped is shown with what that means, a line for each reason."""
    a.run(sys.executable, "-c", f"import socket; s = socket.socket(2, 2); "
          f"[s.sendto(b'abc', ('{sn.ip}', 7654)) for _ in range(3)]")
    wait_for("three are dropped",
             lambda: sn.status("supernode-7654")["drops"].get("too-short") == 3, 5)
    text = status(net, sn)
    assert re.search(r"^ +dropped +3 too-short +shorter than any packet$", text, re.M), text
    step("what was dropped is explained")


def check_ended(net, sn):
    """One of several hangs up: if it has ended by then it is none of them, else that is told."""
    path = pathlib.Path(sn.state) / "other" / "control"
    path.parent.mkdir(mode=0o700)
    for ends in (True, False):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()

            def hang_up():
                for _ in range(1 if ends else 2):
                    client = listener.accept()[0]
                    if ends:
                        path.unlink()
                        listener.close()
                    client.close()
            server = threading.Thread(target=hang_up)
            server.start()
            done = subprocess.run(sn.exec + [net.programs["n2n"], "status", "--state-dir",
                                             sn.state], capture_output=True, text=True, timeout=20)
            server.join()
        assert "supernode-7654: supernode" in done.stdout, done
        if ends:
            assert (done.returncode, done.stderr) == (0, ""), done
        else:
            assert done.returncode == 1 and "hung up before it answered" in done.stderr, done
            path.unlink()
    step("who ended while all were asked is left out; who hangs up and lives on is told")


def main():
    with Net("sn", "a") as net:
        sn = net["sn"]
        p = sn.supernode("-l", 7654)
        check_numbers(net, net["a"])
        check_drops(net, net["a"], sn)
        check_ended(net, sn)
        path = pathlib.Path(sn.state) / "supernode-7654" / "control"
        slow = [connect(path, SAID[i % len(SAID)]) for i in range(SLOW)]
        start = time.monotonic()
        sn.status("supernode-7654")
        took = time.monotonic() - start
        assert took < 1, f"{took:.2f} s"
        step(f"n2n status beside {SLOW} slow clients: {took:.2f} s")
        for s in slow:
            s.close()
        assert p.stop() == 0


main()
