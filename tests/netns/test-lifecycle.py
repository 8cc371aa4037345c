#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting, refusing to start, and leaving nothing behind.

    sn 10.77.0.1 ----+
    a  10.77.0.2 ----+---- switch
    b  10.77.0.3 ----+     whose cable is plugged in late
"""

import os
import pathlib
import re
import shutil
import signal
import tempfile
import time

from net import Net, step, wait_for

COMMUNITY = ("-c", "mynetwork", "-k", "a long enough pass phrase")
NOBODY = 65534


class Nobody:
    """Another user, with copies of the programs: the folder that they are in may be closed to it."""

    def __init__(self, net, folder):
        self.folder = pathlib.Path(folder)
        for name, path in net.programs.items():
            shutil.copy(path, self.folder / name)
        os.chown(folder, NOBODY, NOBODY)

    def start(self, host, program, *words, env=()):
        return host.background("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}",
                               "--clear-groups", "env", *env, self.folder / program, *words)


def refused(host, *words, says, env=None, program="edge", stdin=None):
    p = host.start(program, *words, env=env, stdin=stdin)
    status = p.ends()
    lines = [x for x in p.text().splitlines() if "WARNING" not in x]
    assert status == 2, f"status {status}: {words}: {p.text()}"
    assert len(lines) == 1 and says in lines[0], f"{words}: {p.text()}"


def check_signals(net, at):
    a = net["a"]
    for how in (signal.SIGTERM, signal.SIGINT):
        p = a.edge("n2n0", "10.1.2.1", *COMMUNITY, *at)
        p.wait_says("registered in community")
        assert a.has_interface("n2n0")
        assert p.stop(how) == 0, p.text()
        assert not a.has_interface("n2n0")
        assert not (pathlib.Path(a.state) / "n2n0" / "control").exists()
        wait_for("the registration is gone", lambda: net["sn"].status("supernode-7654")[
            "registry"]["members"] == 0, 3)
        step(f"{how.name}: status 0, no interface, no socket, no registration left")


def check_identity(a, at):
    ids = []
    for _ in range(2):
        p = a.edge("n2n0", "10.1.2.1", *COMMUNITY, *at)
        ids.append((a.community()["id"], a.community()["mac"]))
        assert p.stop() == 0
    assert ids[0] == ids[1]
    seed = pathlib.Path(a.state) / "n2n0" / "seed"
    assert seed.stat().st_mode & 0o777 == 0o600 and seed.stat().st_size == 32
    step("identity and MAC survive a restart; the seed is readable by its owner only")


def check_secret_length(a, at):
    """Whatever the key and the way it is given, the processes show the same."""
    shown = set()
    for give in (lambda k: ("-k", k), lambda k: (f"-k{k}",), lambda k: ("--key", k),
                 lambda k: (f"--key={k}",)):
        for key in ("short", "a pass phrase of quite another length"):
            p = a.start("edge", "-d", "n2n0", "-c", "mynetwork", *give(key), *at)
            p.wait_says(" is up with ")
            for pid in p.pids():
                line = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
                shown.add(line.replace(b"--key=", b"-k").replace(b"--key", b"-k"))
            assert p.stop() == 0, p.text()
    assert len(shown) == 1, shown


def check_secret(a, at):
    p = a.edge("n2n0", "10.1.2.1", *COMMUNITY, *at)
    line = pathlib.Path(f"/proc/{p.pid}/cmdline").read_bytes()
    assert b"long enough" not in line and b"mynetwork" in line, line
    assert p.text().count("-k shows the key") == 1
    assert p.stop() == 0
    check_secret_length(a, at)
    p = a.edge("n2n0", "10.1.2.1", "-c", "mynetwork", *at, env={"N2N_KEY": "a long enough pass phrase"})
    environ = pathlib.Path(f"/proc/{p.pid}/environ").read_bytes()
    assert b"long enough" not in environ, "the key stays in the environment"
    assert "WARNING" not in p.text(), p.text()
    assert p.stop() == 0
    p = a.edge("n2n0", "10.1.2.1", "-c", "mynetwork", "-k", "encryptme", *at)
    assert p.says("WARNING: the passphrase is easy to guess")
    assert p.stop() == 0
    step("the key is wiped from arguments and environment; -k and weak ones are warned about")


def check_refusals(net, at):
    a = net["a"]
    running = a.edge("n2n0", "10.1.2.1", "-p", 5000, *COMMUNITY, *at)
    base = ("-d", "n2n9", *COMMUNITY, *at)
    refused(a, "-d", "n2n0", *COMMUNITY, *at, says="; stop it, or choose another name or state directory (option -d or --state-dir)")
    refused(a, *base, "-p", 5000, says="port 5000 is in use by another program; stop that one or choose "
            "another port (option -p)")
    a.run("ip", "link", "add", "taken", "type", "bridge")
    refused(a, "-d", "taken", *COMMUNITY, *at, says="another name (option -d)")
    refused(a, *base, "-M", 9000, says="1500")
    refused(a, *base, "-M", 1200, "-a", "fd00::1", says="1280")
    refused(a, *base, "-a", "10.1.2", says='"10.1.2"')
    refused(a, *base, "-a", "10.1.2.1/33", says="prefix")
    refused(a, "-d", "n2n:0", *COMMUNITY, *at, says='"n2n:0"')
    assert not (pathlib.Path(a.state) / "n2n:0").exists(), "state was made for a wrong name"
    refused(a, *base, "--frobnicate", says="--frobnicate")
    refused(a, "-d", "n2n9", *at, "-k", "x", says="ommunity")
    refused(a, "-d", "n2n9", "-c", "x", *at, says="key")
    refused(a, "-d", "n2n9", "-c", "x", "-k", "y", says="-l")
    refused(a, "-d", "n2n9", "-c", "x", *at, "-k", "n2n4-abc", says="copy it again")
    refused(a, "-d", "n2n9", "-c", "x", *at, "-K", "/nonexistent", says="/nonexistent")
    refused(a, "-d", "n2n9", "-c", "x", *at, "-K", "-", stdin="", says="empty")
    refused(a, "-d", "n2n9", "-c", "x", "-k", "y", "-l", f"{net['sn'].ip}:7654/nokey", says="supernode prints when it starts (option -l)")
    refused(net["sn"], "-l", 7654, program="supernode", says="port or state directory (option -p or --state-dir)")
    refused(net["sn"], "-l", "nonsense", program="supernode", says="nonsense")
    assert a.community()["state"] in ("alone", "up"), "the running edge was disturbed"
    assert running.stop() == 0
    step("20 wrong starts: each one line and status 2")


def check_no_device(net, nobody, at):
    a = net["a"]
    # A mount namespace in which /dev/net is empty.
    p = a.background("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /dev/net && exec "$@"', "-",
                     net.programs["edge"], "--state-dir", a.state, *COMMUNITY, *at)
    assert p.ends() == 2 and "tun" in p.text(), p.text()
    p = nobody.start(a, "edge", "--state-dir", nobody.folder / "state", *COMMUNITY, *at)
    assert p.ends() == 2 and "root" in p.text(), p.text()
    step("without /dev/net/tun and without root: one line that says what to do")


def check_unprivileged_supernode(b, nobody):
    p = nobody.start(b, "supernode", "-l", "7700", "--state-dir", nobody.folder / "state")
    p.wait_says("listening at UDP port 7700; for edges: -l ")
    assert p.stop() == 0
    step("the supernode needs no root")


def check_closed_streams(net, at):
    a, sn, programs = net["a"], net["sn"], net.programs
    closed = ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "-")
    started = (
        (a, a.background(*closed, programs["edge"], "--state-dir", a.state, *COMMUNITY, *at), "n2n0"),
        (sn, sn.background(*closed, programs["supernode"], "--state-dir", sn.state, "-l", 7701),
         "supernode-7701"))
    for host, p, instance in started:
        control = pathlib.Path(host.state) / instance / "control"
        wait_for(f"{instance} runs", control.exists, 10)
        host.status(instance)
        links = [os.readlink(f"/proc/{p.pid}/fd/{fd}") for fd in range(3)]
        assert links == ["/dev/null"] * 3, links
        assert p.stop() == 0, p.text()
    p = a.background(*closed, programs["edge"], "--state-dir", a.state, "-c", "x", "-K", "-", *at)
    assert p.ends() == 2
    step("without standard streams: started, served and stopped as always")


def check_lost_output(a, n2n, edge):
    for words, what in ((f"{n2n} key new x", "the key"), (f"{n2n} help", "the help"),
                        (f"{n2n} version", "the version"), (f"{edge} --help", "the help")):
        for to, why in ((">/dev/full", "No space left"), (">&-", "Bad file descriptor")):
            p = a.background("sh", "-c", f"{words} {to}")
            assert p.ends() == 1, f"{words} {to}: {p.text()}"
            assert f"cannot write {what}: {why}" in p.text(), p.text()
            assert len(p.text().splitlines()) == 1, p.text()
    step("output that is lost: one line and status 1")


def check_ignored_signals(a, at):
    p = a.edge("n2n0", "10.1.2.1", *COMMUNITY, *at)
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE, signal.SIGHUP):
        p.process.send_signal(number)
    a.status()
    assert p.stop() == 0, p.text()
    step("SIGUSR1, SIGUSR2, SIGPIPE and SIGHUP do not end it")


def check_warnings(a, at):
    key = pathlib.Path(a.state) / "open.key"
    key.write_text("a long enough pass phrase\n")
    key.chmod(0o644)
    pins = pathlib.Path(a.state) / "n2n0" / "supernodes"
    pins.chmod(0o644)
    p = a.edge("n2n0", "10.1.2.1", "-c", "mynetwork", "-K", key, *at)
    assert len(re.findall("WARNING: others can read or change the file", p.text())) == 1, p.text()
    assert p.says("WARNING: others can read .*supernodes.* are not used"), p.text()
    assert p.stop() == 0
    pins.chmod(0o600)
    p = a.start("edge", "-d", "n2n0", *COMMUNITY, *at, "--state-dir", "/proc/none")
    p.wait_says(" is up with ")
    assert p.says('nothing is kept for the next start, and n2n status cannot show "n2n0"')
    assert p.stop() == 0
    step("open key files and pins, and a useless state directory: a warning each")


def check_removed_interface(a, at):
    p = a.edge("n2n0", "10.1.2.1", *COMMUNITY, *at)
    a.run("ip", "link", "del", "n2n0")
    assert p.ends() == 1, p.text()
    step("the interface taken away from under it: status 1")


def check_status_tool(a, at, n2n, nobody):
    p = a.edge("n2n0", "10.1.2.1", *COMMUNITY, *at)
    text = a.run(n2n, "status", "--state-dir", a.state)
    assert "community mynetwork:" in text and "10.1.2.1/24" in text, text
    assert p.stop() == 0
    p = a.background(n2n, "status", "-d", "n2n0", "--state-dir", a.state)
    assert p.ends() == 1 and "not running" in p.text(), p.text()
    p = nobody.start(a, "n2n", "status", "-d", "n2n0", env=["XDG_RUNTIME_DIR=/none"])
    assert p.ends() == 1 and "run as root to see those of root" in p.text(), p.text()
    for words in (("stauts",), ("version", "surplus"), ("help", "surplus")):
        p = a.background(n2n, *words)
        assert p.ends() == 2 and words[-1] in p.text(), p.text()
    step("n2n status for people; of what does not run, too")


def check_names(a):
    p = a.edge("n2n0", "10.1.2.1", *COMMUNITY, "-l", "no-such-host.invalid:7654")
    p.wait_says('WARNING: supernode "no-such-host.invalid": the name does not resolve')
    assert a.community()["state"] == "no-supernode"
    assert a.community()["supernodes"][0]["state"] == "unresolved"
    assert p.stop() == 0
    p = a.edge("n2n0", "10.1.2.1", *COMMUNITY, "-l", "no-such-host.invalid:7654")
    start = time.monotonic()
    assert p.stop() == 0 and time.monotonic() - start < 2
    step("a name that does not resolve: a warning, and it goes on; no wait at the end")


def check_boot_without_network(net):
    a, b, sn = net["a"], net["b"], net["sn"]
    for h in (a, b):
        h.run("ip", "link", "set", "eth0", "down")
    at = ("-l", f"{sn.ip}:7655")
    edges = [a.edge("n2n0", "10.1.2.1", *COMMUNITY, *at),
             b.edge("n2n0", "10.1.2.2", *COMMUNITY, *at)]
    time.sleep(3)
    for h in (a, b):
        h.run("ip", "link", "set", "eth0", "up")
    time.sleep(3)
    assert a.community()["state"] == "no-supernode"
    start = time.monotonic()
    supernode = sn.supernode("-l", 7655)
    a.wait_ping("10.1.2.2", 15)
    step(f"started before its link and its supernode: traffic {time.monotonic() - start:.1f} s "
         "after the supernode's start")
    for p in edges + [supernode]:
        assert p.stop() == 0


def main():
    with Net("sn", "a", "b") as net, \
            tempfile.TemporaryDirectory(prefix="n2n-nobody-", dir="/tmp") as folder:
        at = ("-l", f"{net['sn'].ip}:7654")
        nobody = Nobody(net, folder)
        net["sn"].supernode("-l", 7654)
        check_signals(net, at)
        check_identity(net["a"], at)
        check_secret(net["a"], at)
        check_refusals(net, at)
        check_no_device(net, nobody, at)
        check_unprivileged_supernode(net["b"], nobody)
        check_closed_streams(net, at)
        check_lost_output(net["a"], net.programs["n2n"], net.programs["edge"])
        check_ignored_signals(net["a"], at)
        check_warnings(net["a"], at)
        check_removed_interface(net["a"], at)
        check_status_tool(net["a"], at, net.programs["n2n"], nobody)
        check_names(net["a"])
        check_boot_without_network(net)


main()
