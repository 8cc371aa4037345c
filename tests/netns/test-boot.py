#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network, or the way to names, comes after the program, as at boot.

    sn 10.77.0.1, dns ----+
    b, silent dns     ----+---- switch
    one host a case   - - +     its cable, address and DNS come later

Each of these has a copy of /etc of its own, so that what is written there is seen there alone.
"""

import os
import pathlib
import re
import sys
import time

from net import Net, sh, step, wait_for

COMMUNITY = ("-c", "mynetwork", "-k", "a long enough pass phrase")
DNS = str(pathlib.Path(__file__).with_name("dns.py"))
NAME = "sn.boot.test"
DARK_S = 17     # before the network comes; pauses have grown by then
HANG_S = 12     # before a server takes the place of one that is being asked
WITHIN_S = 4.5  # after that, the first answer to a ping
ETC = ("nsswitch.conf", "host.conf", "gai.conf", "passwd", "group")


class Late:
    """A host without a network, until plug_in."""

    def __init__(self, net, host):
        self.host, self.etc = host, net.dir / f"etc-{host.name}"
        self.run = net.dir / f"run-{host.name}"
        self.etc.mkdir()
        self.run.mkdir()
        for name in ETC:
            if os.path.exists(f"/etc/{name}"):
                (self.etc / name).write_bytes(pathlib.Path(f"/etc/{name}").read_bytes())
        sh("ip", "-n", host.ns, "addr", "flush", "dev", "eth0")
        sh("ip", "-n", host.ns, "link", "set", "eth0", "down")
        host.exec = [*host.exec, "unshare", "-m", "sh", "-c",
                     f'mount --bind {self.etc} /etc && exec "$@"', "-"]

    def plug_in(self):
        sh("ip", "-n", self.host.ns, "link", "set", "eth0", "up")
        sh("ip", "-n", self.host.ns, "addr", "add", f"{self.host.ip}/24", "dev", "eth0")

    def start(self, number, supernode):
        """Starts an edge, and pings from it."""
        self.host.edge("n2n0", f"10.1.2.{number}", *COMMUNITY, "-l", supernode)
        self.pings = self.host.background("ping", "-4", "-n", "-D", "-i", 0.1, "10.1.2.2")

    def first_answer(self):
        """When the first ping was answered, in seconds since 1970."""
        found = re.search(r"\[([\d.]+)\].* ttl=", self.pings.text())
        return float(found.group(1)) if found else None


def write(path, text, renamed=False):
    """A file in place, or one that takes another's place, as programs write resolv.conf."""
    to = path.with_name("new") if renamed else path
    to.write_text(text)
    to.rename(path)


def nameserver(host):
    return f"nameserver {host.ip}\n"


class Case:
    """before: makes what there is when the edge starts; later: what comes, after_s later."""

    def __init__(self, name, title, supernode, before, later, after_s=DARK_S):
        self.name, self.title, self.supernode = name, title, supernode
        self.before, self.later, self.after_s = before, later, after_s


def plug_in(net, late):
    late.plug_in()


def nothing(net, late):
    pass


def new_resolv_conf(net, late):
    late.plug_in()
    write(late.etc / "resolv.conf", nameserver(net["sn"]))


def resolv_conf_is_there(net, late):
    write(late.etc / "resolv.conf", nameserver(net["sn"]))


def dangling_link(net, late):
    (late.etc / "resolv.conf").symlink_to(late.run / "stub-resolv.conf")


def link_gets_its_file(net, late):
    late.plug_in()
    write(late.run / "stub-resolv.conf", nameserver(net["sn"]), renamed=True)


def silent_server(net, late):
    late.plug_in()
    write(late.etc / "resolv.conf", nameserver(net["b"]))


def other_server(net, late):
    write(late.etc / "resolv.conf", nameserver(net["sn"]), renamed=True)


def line_in_hosts(net, late):
    write(late.etc / "hosts", f"{net['sn'].ip} {NAME}\n")


CASES = (
    Case("late", "an address as the supernode: the network came", None, nothing, plug_in),
    Case("file", "no resolv.conf: network and file came", NAME, nothing, new_resolv_conf),
    Case("same", "resolv.conf was there: the network came", NAME, resolv_conf_is_there, plug_in),
    Case("link", "a dangling link to resolv.conf: network and file came", NAME, dangling_link,
         link_gets_its_file),
    Case("hang", "a server that is silent: another took its place", NAME, silent_server,
         other_server, HANG_S),
    Case("hosts", "a server that is silent: a line came into hosts", NAME, silent_server,
         line_in_hosts, HANG_S),
)


def main():
    with Net("sn", "b", *(case.name for case in CASES)) as net:
        sn, b = net["sn"], net["b"]
        sn.supernode("-l", 7654)
        for host, answer in ((sn, [sn.ip]), (b, [])):
            server = host.background(sys.executable, DNS, host.ip, *answer)
            server.wait_says("listening")
        b.edge("n2n0", "10.1.2.2", *COMMUNITY, "-l", f"{sn.ip}:7654")
        lates = [Late(net, net[case.name]) for case in CASES]
        for number, (case, late) in enumerate(zip(CASES, lates), 10):
            case.before(net, late)
            late.start(number, f"{case.supernode or sn.ip}:7654")
        begin, came = time.monotonic(), {}
        for case, late in sorted(zip(CASES, lates), key=lambda pair: pair[0].after_s):
            time.sleep(max(0, begin + case.after_s - time.monotonic()))
            assert not late.first_answer(), f"{case.title}, but there was a way before"
            case.later(net, late)
            came[case.name] = time.time()
        wait_for("all are answered", lambda: all(late.first_answer() for late in lates), 70, 0.2)
        took = {case.name: late.first_answer() - came[case.name]
                for case, late in zip(CASES, lates)}
        for case in CASES:
            print(f"      {case.title}: first ping after {took[case.name]:.1f} s")
        assert max(took.values()) < WITHIN_S, took
        step(f"whatever came late, pings were answered within {max(took.values()):.1f} s")


main()
