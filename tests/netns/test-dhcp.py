#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""-a dhcp: the system's DHCP client gets the address, is watched over, and gives it back.

    sn ----+---- s: 10.1.2.1, a real dnsmasq for DHCP and router advertisements
           +---- a, b: by udhcpc, dhcpcd and dhclient, whichever is left to be found
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import threading
import time

from changes import notices
from dhcp import need_tools, routers, serve
from lan import COMMUNITY
from net import Net, Program, sh, skip, step, wait_for

CLIENTS = ("udhcpc", "dhcpcd", "dhclient")
CLIENT_MTU = "1300"


def only(net, *left):
    """An edge that finds no DHCP client but these."""
    name = "edge-" + "-".join(left or ("none",))
    script = net.dir / name
    hide = "".join(f"mount --bind /dev/null {shutil.which(c)}\n" for c in CLIENTS
                   if c not in left)
    script.write_text(f"#!/bin/sh -e\n{hide}exec {net.programs['edge']} \"$@\"\n")
    script.chmod(0o755)
    net.programs[name] = str(script)
    return name


def pids(host, client):
    """Of the clients that run at the host."""
    found = []
    for pid in sh("ip", "netns", "pids", host.ns, check=False).split():
        with contextlib.suppress(OSError):
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if pathlib.Path(words[0].decode()).name.startswith(client):
                found.append(int(pid))
    return found


def addresses(host):
    return [a for a in host.community()["addresses"] if a.startswith("10.1.2.")]


def address_of(host):
    found = re.findall(r"inet (10\.1\.2\.\d+)/24", host.run("ip", "-4", "addr", "show", "dev", "n2n0"))
    return found[0] if found else None


def join(host, client, at):
    host.p = host.start(only(host.net, client), "-d", "n2n0", "-a", "dhcp:0.0.0.0", "--accept-ra", *at)
    host.p.wait_says("registered in community")
    return wait_for(f"{host.name} has an address by {client}", lambda: address_of(host), 25)


def check_served(server, host, client):
    ip = address_of(host)
    wait_for("the status has it", lambda: addresses(host) == [f"{ip}/24"], 5)
    wait_for("the server's edge knows it by its claim",
             lambda: any(f"{ip}/24" in p["addresses"] for p in server.peers()), 5)
    host.wait_ping("10.1.2.1", 5)
    assert host.community()["dhcp"]["client"] == client and host.community()["dhcp"]["running"]
    assert host.community()["mtu"] == 1376, "the server's MTU was taken"
    assert "default" not in host.run("ip", "-4", "route"), "a default route was taken"
    wait_for(f"{host.name} has an IPv6 router", lambda: routers(host, "n2n0"), 10)
    wait_for("an IPv6 address is told, too",
             lambda: any(a.startswith("fd12:") for a in host.community()["addresses"]), 10)


def check_restarted(server, host, client):
    first = pids(host, client)
    acks = server.text().count("DHCPACK(n2n0)")
    assert first, f"no {client} runs"
    os.kill(first[-1] if client == "udhcpc" else first[0], signal.SIGKILL)
    wait_for("that is told", lambda: any(code == "dhcp-client" for code, _ in notices(host)), 8)
    wait_for("another one runs", lambda: set(pids(host, client)) - set(first), 10)
    wait_for("that has the address", lambda: server.text().count("DHCPACK(n2n0)") > acks, 25)
    wait_for("it is there", lambda: address_of(host), 25)


def check_released(server, host, client, how):
    ip = address_of(host)
    before = server.text().count(f"DHCPRELEASE(n2n0) {ip}")
    began = time.monotonic()
    assert host.p.stop(how) == 0
    took = time.monotonic() - began
    wait_for(f"{client} has given back {ip}",
             lambda: server.text().count(f"DHCPRELEASE(n2n0) {ip}") > before, 2)
    wait_for(f"no {client} is left behind", lambda: not pids(host, client), 1)
    assert took < 5, took
    return took


def capabilities(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"CapPrm:\s*(\w+)", text).group(1), 16)


def elsewhere(net, a, client, at, server):
    """The interface, and so the client, is in another namespace."""
    ns = f"{net.prefix}-inside"
    if ns not in net.spaces:
        net.space(ns)
    p = a.start(only(net, client), "-d", "n2n0", "-a", "dhcp", "--netns", ns, *at)
    p.wait_says(r"n2n0 got the address 10\.1\.2\.\d+/24", 25)
    ip = addresses(a)[0].split("/")[0]
    assert ip in sh("ip", "-n", ns, "-4", "addr", "show", "dev", "n2n0")
    assert not a.has_interface("n2n0")
    sh("ip", "netns", "exec", ns, "ping", "-c1", "-W3", "10.1.2.1")
    running = [pid for pid in map(int, sh("ip", "netns", "pids", ns).split())]
    assert running, f"no {client} is there"
    # CAP_SYS_ADMIN, CAP_SYS_PTRACE
    assert not any(capabilities(pid) & (1 << 21 | 1 << 19) for pid in running)
    before = server.text().count(f"DHCPRELEASE(n2n0) {ip}")
    assert p.stop() == 0
    wait_for(f"{client} has given back {ip}",
             lambda: server.text().count(f"DHCPRELEASE(n2n0) {ip}") > before, 2)
    assert "lost an address" not in p.text(), p.text()
    wait_for("it is gone", lambda: not sh("ip", "netns", "pids", ns).split(), 5)


def underlay_elsewhere(net, a, at):
    """The reverse: the interface and the client are where the program was started."""
    ns = f"{net.prefix}-start"
    net.space(ns)
    state = net.dir / "reverse"
    p = Program(Started(ns), "edge of the reverse", [
        net.programs[only(net, "udhcpc")], "--state-dir", str(state), "-d", "n2n0", "-a", "dhcp",
        "--underlay-netns", a.ns, *map(str, at)], net.dir / "reverse.log")
    net.started.append(p)
    p.wait_says(r"n2n0 got the address 10\.1\.2\.\d+/24", 25)
    assert "10.1.2." in sh("ip", "-n", ns, "-4", "addr", "show", "dev", "n2n0")
    assert p.stop() == 0


class Started:
    def __init__(self, ns):
        self.exec = ["ip", "netns", "exec", ns]


def while_it_waits(net, a, at, server):
    """Before there is a server, after it has given, and at an end that the next look falls into."""
    p = a.start(only(net, "udhcpc"), "-d", "n2n0", "-a", "dhcp", *at)
    p.wait_says("is up with DHCP")
    words = (net.programs["n2n"], "status", "--state-dir", a.state)
    wait_for("the client is told", lambda: (a.community()["dhcp"] or {}).get("client"), 5)
    assert a.community()["dhcp"]["waiting"]
    assert "waiting for an address from DHCP" in a.run(*words)
    server.start()
    p.wait_says("got the address", 25)
    wait_for("it waits no more", lambda: not a.community()["dhcp"]["waiting"], 5)
    assert "waiting for an address" not in a.run(*words)
    for _ in range(2):
        [client] = pids(a, "udhcpc")
        os.kill(client, signal.SIGSTOP)
        threading.Timer(1.5, os.kill, (client, signal.SIGCONT)).start()
        assert p.stop() == 0
        assert "lost an address" not in p.text(), p.text()
        p = a.start(only(net, "udhcpc"), "-d", "n2n0", "-a", "dhcp", *at)
        p.wait_says("got the address", 25)
    assert p.stop() == 0


class Later:
    """A DHCP server that is still to be started."""

    def __init__(self, s):
        self.s = s

    def start(self):
        self.p = serve(self.s, "n2n0", f"--dhcp-option=26,{CLIENT_MTU}")


def main():
    need_tools()
    for client in CLIENTS:
        if shutil.which(client) is None:
            skip(f"{client} is not installed")
    resolv = pathlib.Path("/etc/resolv.conf").read_text()
    with Net("sn", "s", "a", "b") as net:
        s, a, b = net["s"], net["a"], net["b"]
        net["sn"].supernode("-l", 7654)
        at = (*COMMUNITY, "-l", f"{net['sn'].ip}:7654")

        none = a.start(only(net), "-d", "n2n0", "-a", "dhcp", *at)
        assert none.ends() == 2, none.text()
        assert "install udhcpc, dhcpcd-base or isc-dhcp-client" in none.text(), none.text()
        step("without a client it ends with status 2 and says which to install")

        s.edge("n2n0", "10.1.2.1", "-a", "fd12::1", "--dhcp-server", "--router", *at)
        s.run("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
        later = Later(s)
        while_it_waits(net, a, at, later)
        server = later.p
        step("status says while it waits for an address; an orderly end loses none")
        for host, client in ((a, "udhcpc"), (b, "dhclient"), (a, "dhcpcd")):
            took = join(host, client, at)
            check_served(s, host, client)
            step(f"{client} got {address_of(host)} {took:.1f} s after registration")
            if client == "dhcpcd":
                b.wait_ping(address_of(a), 5)
            if host is a:
                check_restarted(server, host, client)
                how = signal.SIGINT if client == "udhcpc" else signal.SIGTERM
                took = check_released(server, host, client, how)
                step(f"killed, {client} is started again; it gave back its address in {took:.1f} s")
        took = check_released(server, b, "dhclient", signal.SIGINT)
        step(f"dhclient gave back its address in {took:.1f} s")

        for client in CLIENTS:
            elsewhere(net, a, client, at, server)
        underlay_elsewhere(net, a, at)
        step("in another network namespace all of them do, and have no right to enter others")
        missing = a.start("edge", "-d", "n2n0", "-a", "dhcp", "--netns", "n2n-nowhere", *at)
        assert missing.ends() == 2 and "no network namespace" in missing.text(), missing.text()

        join(a, "udhcpc", at)
        a.p.process.kill()
        wait_for("no client is left behind", lambda: not pids(a, "udhcpc"), 5)
        step("no client outlives a program that was killed")
    assert pathlib.Path("/etc/resolv.conf").read_text() == resolv, "name servers were changed"


main()
