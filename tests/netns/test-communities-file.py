#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""One process in several communities, from a file that is read again while it runs.

    sn 10.77.0.1 ----+            red   10.1.2.1 in a namespace of its own    b: red, 10.1.2.2
    a, b, c      ----+---- a: one process
                                  blue  10.1.2.1 in another one               c: blue, 10.1.2.2
"""

import json
import os
import pathlib
import signal
import subprocess
import time

from net import Net, Pings, Program, sh, step, wait_for

KEYS = {name: f"the secret of {name} in many long words" for name in ("red", "blue", "green")}


class Inside:
    """A namespace of a host's interface, for commands and pings in it."""

    def __init__(self, net, name):
        self.net, self.name = net, name
        self.ns = f"{net.prefix}-{name}"
        self.exec = ["ip", "netns", "exec", self.ns]
        net.space(self.ns)

    def run(self, *words, **kw):
        return sh(*self.exec, *words, **kw)

    def can_ping(self, to, wait=0.5):
        return subprocess.run(self.exec + ["ping", "-n", "-c1", f"-W{wait}", to],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def wait_ping(self, to, timeout=40):
        return wait_for(f"{self.name} reaches {to}", lambda: self.can_ping(to, 0.2), timeout, 0)

    def background(self, *words):
        p = Program(self, f"{words[0]} in {self.name}", [str(w) for w in words],
                    self.net.dir / f"{self.name}-{len(self.net.started)}.log")
        self.net.started.append(p)
        return p

    def mac_of(self, ip):
        return json.loads(self.run("ip", "-j", "neigh", "show", ip))[0]["lladdr"]


class File:
    """The file of an edge: options of the process, and blocks."""

    def __init__(self, net, host):
        self.net, self.host = net, host
        self.path = net.dir / "edge.conf"
        self.process = [f"supernode {net['sn'].ip}:7654", "workers 2"]
        self.blocks = {}
        self.pipes = set()

    def write(self):
        lines = list(self.process)
        for device, (name, options) in self.blocks.items():
            key = self.net.dir / f"{name}.key"
            if name not in self.pipes:
                key.write_text(KEYS[name] + "\n")
                key.chmod(0o600)
            lines += [f"[community {name}]", f"device {device}", f"key-file {key}", *options]
        self.path.write_text("\n".join(map(str, lines)) + "\n")
        self.path.chmod(0o600)

    def start(self):
        self.write()
        return self.host.start("edge", "-F", self.path)

    def reload(self, status=0):
        self.write()
        done = subprocess.run(self.host.exec + [self.net.programs["n2n"], "reload", "--state-dir",
                                                str(self.host.state)],
                              capture_output=True, text=True, timeout=30)
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr


def files_of(host, device):
    d = pathlib.Path(host.state) / device
    return {p.name for p in d.iterdir() if p.name.startswith(("seed", "peers", "owners"))}


def alone_then_together(net, a, inside, conf):
    ids = {}
    for device, name in (("red0", "red"), ("blue0", "blue")):
        p = a.edge(device, "10.1.2.1", "-c", name, "-l", f"{net['sn'].ip}:7654",
                   env={"N2N_KEY": KEYS[name]})
        wait_for("it meets the other", lambda: a.peers(device), 40)
        c = a.community(device)
        ids[device] = c["id"], c["mac"]
        assert p.stop() == 0
        ids[device] += (files_of(a, device),)
    for device, name in (("red0", "red"), ("blue0", "blue")):
        conf.blocks[device] = name, ["address 10.1.2.1/24", f"netns {inside[name].ns}"]
    edge = conf.start()
    edge.wait_says("blue0 is up")
    for device in ids:
        c = a.community(device)
        assert (c["id"], c["mac"], files_of(a, device)) == ids[device], (ids, c)
    step("edges that ran alone are in one process, and are who they were: id, MAC, files")
    return edge


def underlay_elsewhere(net, a, b, at):
    """The reverse: the sockets are in the other namespace, the interface where we are."""
    home = Inside(net, "home")
    state = net.dir / "home"
    words = [net.programs["edge"], "--state-dir", str(state), "-d", "n2n0", "-a", "10.1.2.9",
             "-c", "red", "--underlay-netns", a.ns, *map(str, at)]
    p = Program(home, "edge at home", words, net.dir / "home.log", {"N2N_KEY": KEYS["red"]})
    net.started.append(p)
    p.wait_says("is up with")
    home.wait_ping("10.1.2.2")
    assert "10.1.2.9/24" in home.run("ip", "-br", "addr", "show", "n2n0")
    wait_for("a direct path", lambda: "direct" in [x["path"]["kind"] for x in b.peers()
                                                   if x["addresses"] == ["10.1.2.9/24"]], 20)
    home.run("ip", "addr", "del", "10.1.2.9/24", "dev", "n2n0")
    p.wait_says("10.1.2.9/24 of n2n0 was gone and is put back")
    assert p.stop() == 0, p.text()
    missing = a.start("edge", "-d", "x0", "-c", "red", "--netns", "no-such-space", *at,
                      env={"N2N_KEY": KEYS["red"]})
    assert missing.ends() == 2 and missing.says('no network namespace "no-such-space"'), missing.text()
    step("sockets in another namespace, the interface here; one that is missing is named")


def leave_and_join(inside, conf):
    """Blue leaves and comes back under the traffic of red, of which it returns what was lost."""
    pings = Pings(inside["red"], "10.1.2.2")
    blue = conf.blocks.pop("blue0")
    said = conf.reload()
    assert "community blue was left" in said and "red" not in said, said
    assert "blue0" not in inside["blue"].run("ip", "link")
    conf.blocks["blue0"] = blue
    said = conf.reload()
    assert "community blue was joined at blue0" in said, said
    sent, lost, gap = pings.finish()
    inside["blue"].wait_ping("10.1.2.2")
    return lost, sent, gap


def main():
    with Net("sn", "a", "b", "c") as net:
        a, b, c = (net[n] for n in "abc")
        # With many namespaces on a busy machine links take their time.
        for host in (a, b, c):
            wait_for("the supernode's host is there", lambda h=host: h.can_ping(net["sn"].ip, 0.2),
                     90)
        net["sn"].supernode("-l", 7654)
        at = ("-l", f"{net['sn'].ip}:7654")
        inside = {name: Inside(net, name) for name in ("red", "blue")}
        b.edge("n2n0", "10.1.2.2", "-c", "red", *at, env={"N2N_KEY": KEYS["red"]})
        c.edge("n2n0", "10.1.2.2", "-c", "blue", *at, env={"N2N_KEY": KEYS["blue"]})
        conf = File(net, a)
        edge = alone_then_together(net, a, inside, conf)

        for name, other in (("red", b), ("blue", c)):
            inside[name].wait_ping("10.1.2.2")
            assert inside[name].mac_of("10.1.2.2") == other.community()["mac"]
        nodes = [a.status(d)["node"] for d in ("red0", "blue0")]
        assert nodes[0]["process"] == nodes[1]["process"] == edge.pid
        assert nodes[0]["udp_ports"] == nodes[1]["udp_ports"]
        assert not a.has_interface("red0"), "it is in its namespace"
        assert not [n for n in a.status("red0")["notices"] if n["code"] != "alone"], \
            a.status("red0")["notices"]
        text = a.run(net.programs["n2n"], "status", "--state-dir", a.state)
        assert text.count("community red") + text.count("red (") >= 1 and "blue" in text, text
        assert [text.count(f"{d}: edge") for d in ("red0", "blue0")] == [1, 1], text
        step("two communities with the same addresses in two namespaces, one port, one process")

        other = a.start("edge", "-d", "blue0", "-c", "blue", "--state-dir", a.state, *at,
                        env={"N2N_KEY": KEYS["blue"]})
        assert other.ends() == 2 and other.says('instance "blue0"'), other.text()
        step("who wants the directory of a block, too, is told which: " +
             other.text().strip().splitlines()[-1])

        underlay_elsewhere(net, a, b, at)
        # What a busy machine loses by itself is not lost each time.
        tries = []
        while not tries or (tries[-1][0] > 0 and len(tries) < 4):
            tries.append(leave_and_join(inside, conf))
        lost, sent, gap = tries[-1]
        assert lost == 0 and gap < 0.5, tries
        step(f"blue left and joined again: red lost {lost} of {sent} pings, longest gap {gap:.2f} s")

        conf.blocks["red0"] = "red", ["address 10.1.2.7/24", "address fd12::7/64",
                                      f"netns {inside['red'].ns}",
                                      f"trust {b.community()['id']}=dhcp"]
        pid = edge.pid
        said = conf.reload()
        assert "the addresses" in said and "trusted" in said and "left" not in said, said
        addresses = inside["red"].run("ip", "-br", "addr", "show", "red0")
        assert "10.1.2.7/24" in addresses and "fd12::7/64" in addresses, addresses
        assert "10.1.2.1/" not in addresses, addresses
        wait_for("the other member knows", lambda: ["10.1.2.7/24", "fd12::7/64"] in
                 [p["addresses"] for p in b.peers()], 10)
        assert b.can_ping("10.1.2.7") and not b.can_ping("10.1.2.1", 0.3)
        assert edge.pid == pid
        step("addresses and trust change at once, and the members are told")

        conf.process += ["verbose", "fwmark 7"]
        edge.process.send_signal(signal.SIGHUP)
        said = conf.reload()
        assert "needs a restart: the mark of packets" in said, said
        edge.wait_says("the mark of packets")
        conf.process = conf.process[:-1]
        assert "restart" not in conf.reload()
        step("what takes a restart is said by name, and that it is over")

        conf.blocks["red0"][1].append("nonsense 3")
        conf.process.append("fwmark many")
        said = conf.reload(1)
        assert "nonsense" in said and "many" in said and "nothing was changed" in said, said
        assert a.peers("red0") and a.peers("blue0")
        conf.process.pop()
        conf.blocks["red0"][1].pop()
        step("a file with mistakes: all are told, nothing changes")

        key = net.dir / "red.key"
        key.unlink()
        os.mkfifo(key, 0o600)
        conf.pipes.add("red")
        said = conf.reload()
        assert "red" not in said, said
        assert a.peers("red0") and b.can_ping("10.1.2.7")
        key.unlink()
        conf.pipes.clear()
        step("a key that came through a pipe stays as it is: nobody waits for it to come again")

        a.run("ip", "link", "add", "green0", "type", "bridge")
        conf.blocks["green0"] = "green", []
        said = conf.reload(1)
        assert "green0 is not joined" in said, said
        assert [n["subject"] for n in a.status("red0")["notices"]
                if n["code"] == "community-refused"] == ["green0"]
        a.run("ip", "link", "del", "green0")
        assert "community green was joined" in conf.reload()
        assert not [n for n in a.status("red0")["notices"] if n["code"] == "community-refused"]
        del conf.blocks["green0"]
        conf.reload()
        step("a community whose interface cannot be made is refused and told, the others go on")

        sh("ip", "netns", "del", inside["blue"].ns)
        wait_for("it is told", lambda: [n for n in a.status("red0")["notices"]
                                        if n["code"] == "netns-gone"], 10)
        sh("ip", "netns", "add", inside["blue"].ns)
        said = conf.reload()
        assert "made anew" in said, said
        inside["blue"].wait_ping("10.1.2.2")
        wait_for("it is over", lambda: not [n for n in a.status("red0")["notices"]
                                            if n["code"] == "netns-gone"], 10)
        step("a namespace that goes away is told; made anew, it is used after a reload")

        inside["blue"].run("ip", "link", "del", "blue0")
        wait_for("it is told", lambda: [n for n in a.status("red0")["notices"]
                                        if n["code"] == "interface-gone"], 10)
        assert a.peers("red0")
        assert "community blue was joined" in conf.reload()
        inside["blue"].wait_ping("10.1.2.2")
        assert not [n for n in a.status("red0")["notices"] if n["code"] == "interface-gone"]
        step("an interface removed from under it: its community is left, told, and joined by a reload")

        def figures():
            stat = pathlib.Path(f"/proc/{pid}/status").read_text()
            rss = int(stat.split("VmRSS:")[1].split()[0])
            return len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir())), rss
        for _ in range(10):
            blue = conf.blocks.pop("blue0")
            conf.reload()
            conf.blocks["blue0"] = blue
            conf.reload()
        before = figures()
        for _ in range(20):
            blue = conf.blocks.pop("blue0")
            conf.reload()
            conf.blocks["blue0"] = blue
            conf.reload()
        # What was left is closed within a second.
        wait_for("descriptors are as they were", lambda: figures()[0] <= before[0], 5)
        after = figures()
        assert after[1] < before[1] + 2048, (before, after)
        step(f"60 reloads: descriptors {before[0]} and {after[0]}, memory {before[1]} and {after[1]} KiB")

        conf.blocks.clear()
        said = conf.reload(1)
        assert "nothing was changed" in said, said
        for name, device in (("red", "red0"), ("blue", "blue0")):
            assert edge.process.poll() is None, edge.text()
            inside[name].run("ip", "link", "del", device)
        assert edge.ends() == 1, edge.text()
        step("the last interface removed from under it: it ends, as nobody could ask it for anything")

        assert b.start("edge", "-d", "x").ends() == 2
        said = subprocess.run(b.exec + [net.programs["n2n"], "reload", "--state-dir",
                                        str(b.state)], capture_output=True, text=True)
        assert said.returncode == 1 and "without a file" in said.stderr, said
        step("a file without communities is wrong; an edge without a file says so")


main()
