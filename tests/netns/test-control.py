#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of the control socket that ask nothing, half of something, or take no answer."""

import pathlib
import socket
import time

from net import Net, step

SLOW = 40
SAID = (b"", b'{"v":1,', b'{"v":1,"cmd":"status"}\n')


def connect(path, said):
    s = socket.socket(socket.AF_UNIX)
    s.connect(str(path))
    s.sendall(said)
    return s


def main():
    with Net("sn") as net:
        sn = net["sn"]
        p = sn.supernode("-l", 7654)
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
