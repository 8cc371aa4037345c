#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""What takes a while at a start and at a reload keeps nobody waiting: passphrases and leases.

    sn ----+---- s: 10.1.2.1, a DHCP server
           +---- a: one process with a file
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

from dhcp import need_tools, serve
from net import Net, step, wait_for

BLOCKS = 8
QUICK = 0.05 * BLOCKS  # s: less than all passphrases take together, wherever that is
SOON = 1.5


def write(net, blocks, *process):
    path = net.dir / "edge.conf"
    lines = [f"supernode {net['sn'].ip}:7654", *process]
    for device, (name, options) in blocks.items():
        lines += [f"[community {name}]", f"device {device}", *options]
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o600)
    return path


def with_passphrase(n, first=0):
    return {f"p{i}": (f"p{i}", [f"key a passphrase of many words {i}"])
            for i in range(first, first + n)}


def interrupted(net, a, how):
    shutil.rmtree(a.state, ignore_errors=True)
    edge = a.start("edge", "-F", write(net, with_passphrase(BLOCKS)))
    wait_for("it starts", lambda: os.path.exists(f"{a.state}/p{BLOCKS - 1}"), 5)
    began = time.monotonic()
    edge.process.send_signal(how)
    assert edge.ends(20) == 0, edge.text()
    return time.monotonic() - began


def ask(path):
    """How long "status" took."""
    began = time.monotonic()
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(path)
        s.sendall(b'{"v":1,"cmd":"status"}\n')
        while b"\n" not in s.recv(1 << 16):
            pass
    return time.monotonic() - began


class Reload(threading.Thread):
    def __init__(self, net, a):
        super().__init__()
        self.words = [*a.exec, net.programs["n2n"], "reload", "--state-dir", str(a.state),
                      "-d", "p0"]
        self.start()

    def run(self):
        began = time.monotonic()
        self.done = subprocess.run(self.words, capture_output=True, text=True, timeout=60)
        self.took = time.monotonic() - began


def memory(edge):
    """In KiB."""
    status = open(f"/proc/{edge.pid}/status").read()
    return int(re.search(r"VmData:\s*(\d+)", status).group(1))


def stretches(edge):
    """It takes 64 MiB more then."""
    return memory(edge) > edge.before + (48 << 10)


def while_it_reads(a, reload):
    """The longest time that an answer took meanwhile."""
    longest = 0
    while reload.is_alive():
        longest = max(longest, ask(f"{a.state}/p0/control"))
        time.sleep(0.01)
    reload.join()
    assert reload.done.returncode == 0, (reload.done.stdout, reload.done.stderr)
    return longest


def many_come(net, a):
    edge = a.start("edge", "-F", write(net, with_passphrase(1)))
    edge.wait_says("p0 is up")
    edge.before = memory(edge)
    write(net, with_passphrase(BLOCKS + 1))
    reload = Reload(net, a)
    longest = while_it_reads(a, reload)
    assert reload.took > QUICK, reload.took
    assert longest < min(0.8, max(0.25, reload.took / 4)), (longest, reload.took)
    assert reload.done.stdout.count("was joined") == BLOCKS, reload.done.stdout
    step(f"{BLOCKS} passphrases at a reload of {reload.took:.1f} s: status answers within "
         f"{longest * 1000:.0f} ms")
    return edge


def two_ask(net, a, edge):
    """p0 stays; all others are others."""
    write(net, {**with_passphrase(1), **with_passphrase(BLOCKS, 20)})
    first = Reload(net, a)
    wait_for("it is read", lambda: stretches(edge), 5)
    second = Reload(net, a)
    second.join()
    assert second.done.returncode == 1 and "being read again already" in second.done.stderr, (
        second.done.stdout, second.done.stderr)
    write(net, with_passphrase(1))
    edge.process.send_signal(signal.SIGHUP)
    first.join()
    assert first.done.stdout.count("was joined") == BLOCKS, first.done.stdout
    wait_for("SIGHUP has it read once more", lambda: not a.has_interface("p20"), 10)
    edge.before = memory(edge)
    step("a second reload is told to wait, and SIGHUP meanwhile counts")


def ended_meanwhile(net, a, edge):
    write(net, with_passphrase(BLOCKS + 1))
    reload = Reload(net, a)
    wait_for("it is read", lambda: stretches(edge), 5)
    began = time.monotonic()
    assert edge.stop(timeout=20) == 0, edge.text()
    took = time.monotonic() - began
    reload.join()
    assert took < SOON, took
    assert reload.done.returncode == 1, reload.done
    step(f"ended in the middle of a reload it is gone after {took:.2f} s")


def leases(net, a, s):
    """Two leave; their servers are gone, so that giving back takes as long as it may."""
    key = ["key-file " + str(net.dir / "key")]
    (net.dir / "key").write_text("the passphrase of the two\n")
    (net.dir / "key").chmod(0o600)
    s.edge("n2n0", "10.1.2.1", "--dhcp-server", "-c", "leased", "-K", net.dir / "key", "-l",
           f"{net['sn'].ip}:7654")
    server = serve(s, "n2n0")
    leased = {"d0": ("leased", [*key, "address dhcp"])}
    edge = a.start("edge", "-F", write(net, {**with_passphrase(1), **leased}))
    edge.wait_says(r"d0 got the address 10\.1\.2\.", 30)
    stopped = []
    for pid in subprocess.run(["ip", "netns", "pids", a.ns], capture_output=True,
                              text=True).stdout.split():
        if "udhcpc" in open(f"/proc/{pid}/comm").read() or "dhc" in open(f"/proc/{pid}/comm").read():
            stopped.append(int(pid))
    assert stopped, "there is no client"
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    write(net, with_passphrase(1))
    reload = Reload(net, a)
    longest = while_it_reads(a, reload)
    assert reload.took > 0.9, reload.took
    assert longest < 0.5, longest
    assert not a.has_interface("d0")
    wait_for("the client is gone", lambda: not any(os.path.exists(f"/proc/{p}") for p in stopped), 5)
    step(f"a client that hangs holds up the reload, {reload.took:.1f} s, and nothing else: "
         f"{longest * 1000:.0f} ms")
    write(net, {**with_passphrase(1), **leased})
    again = Reload(net, a)
    again.join()
    wait_for("it has an address again", lambda: edge.text().count("d0 got the address") == 2, 30)
    given_back = server.text().count("DHCPRELEASE(n2n0)")
    write(net, with_passphrase(1))
    last = Reload(net, a)
    last.join()
    wait_for("it is given back", lambda: server.text().count("DHCPRELEASE(n2n0)") > given_back, 3)
    step(f"one that does not gives its lease back first: {last.took:.2f} s")
    assert edge.stop() == 0


def refused(a, instance="good"):
    return {n["subject"]: n["text"] for n in a.status(instance)["notices"]
            if n["code"] == "community-refused"}


def n2n(net, a, *words):
    return subprocess.run([*a.exec, net.programs["n2n"], *words, "--state-dir", str(a.state)],
                          capture_output=True, text=True, timeout=60)


def some_lack_something(net, a):
    """A start goes on with those of several communities that nothing is in the way of."""
    key = net.dir / "missing.key"
    bad = {"taken": ("taken", ["key of the first of them"]),
           "keyless": ("keyless", [f"key-file {key}"]),
           "locked": ("locked", ["key of the third of them"])}
    good = {"good": ("good", ["key of one that is right"])}
    a.run("ip", "link", "add", "taken", "type", "bridge")
    other = a.start("edge", "-d", "locked", "-c", "locked", "-l", f"{net['sn'].ip}:7654",
                    env={"N2N_KEY": "key of the third of them"})
    other.wait_says("is up")

    p = a.start("edge", "-F", write(net, bad))
    assert p.ends(20) == 2, p.text()
    assert "none of the 3 communities" in p.text() and p.text().count("is not joined") == 3, p.text()
    p = a.start("edge", "-F", write(net, {**bad, **good}))
    p.wait_says("good is up")
    told = refused(a)
    assert sorted(told) == ["keyless", "locked", "taken"], told
    assert "edge.conf:" in told["keyless"] and "missing.key" in told["keyless"], told
    assert all("n2n reload" in text for text in told.values()), told
    assert p.text().count("WARNING: the community at") == 3, p.text()
    second = a.start("edge", "-F", net.dir / "edge.conf")
    assert second.ends(20) == 2 and "good is not joined" in second.text(), second.text()
    step("of several communities those start that nothing is in the way of; if none, it ends with 2")

    key.write_text("key of the second of them\n")
    key.chmod(0o600)
    a.run("ip", "link", "del", "taken")
    assert other.stop() == 0
    said = n2n(net, a, "reload")
    assert said.returncode == 0 and said.stdout.count("was joined") == 3, said
    assert not refused(a)
    step("what was in the way is gone: a reload joins them")

    said = n2n(net, a, "forget", "02:00:00:00:00:99")
    assert said.returncode == 1, said
    assert re.fullmatch(r"n2n: that MAC address belongs to no other member as far as is known here; "
                        r".* \(asked: good, keyless, locked, taken\)\n", said.stderr), said
    step("an address that nobody has: n2n forget says so, and whom it asked")

    net.space(f"{net.prefix}-late")
    write(net, {**good, "late": ("late", ["key of a late one", f"netns {net.prefix}-late"])})
    said = n2n(net, a, "reload")
    text = refused(a)["late"]
    assert said.returncode == 1 and "is kept only if a namespace is named at the start" in text, text
    assert "reload" not in text, text
    step("what takes a new start is not told to be reloaded")
    assert p.stop() == 0


def main():
    need_tools()
    with Net("sn", "s", "a") as net:
        a = net["a"]
        net["sn"].supernode("-l", 7654)
        for how in (signal.SIGINT, signal.SIGTERM):
            took = interrupted(net, a, how)
            assert took < SOON, took
            step(f"{how.name} while {BLOCKS} passphrases are stretched: ends in {took * 1000:.0f} ms")
        edge = many_come(net, a)
        two_ask(net, a, edge)
        ended_meanwhile(net, a, edge)
        leases(net, a, net["s"])
        some_lack_something(net, a)


main()
