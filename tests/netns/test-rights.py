#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the programs may do, in which process, and how the two processes live and die.

    sn 10.77.0.1 ----+
    a  10.77.0.2 ----+---- switch
    b  10.77.0.3 ----+
"""

import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time

from net import Net, step

KEY = "a long enough pass phrase"
COMMUNITY = ("-c", "mynetwork", "-k", KEY)
LOW_PORT = 443
NOBODY = 65534
MAPPING_MAX = 1 << 28

DAC_OVERRIDE, NET_BIND_SERVICE, NET_ADMIN = 1 << 1, 1 << 10, 1 << 12


def tasks(pid):
    """What /proc says of every thread of a process."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        text = (task / "status").read_text()
        found.append(dict(re.findall(r"^(\w+):\s+(.*)$", text, re.M)))
    return found


def expect_rights(pid, rights, bounding=0):
    for task in tasks(pid):
        got = {name: int(task[name], 16) for name in ("CapPrm", "CapEff", "CapInh", "CapAmb",
                                                      "CapBnd")}
        want = {"CapPrm": rights, "CapEff": rights, "CapInh": 0, "CapAmb": 0, "CapBnd": bounding}
        assert got == want, (task["Name"], got, want)
        assert task["NoNewPrivs"] == "1", task["Name"]


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def check_rights(net, edge, supernode):
    assert net["a"].status()["node"]["parent"] == edge.pids()[0]
    assert net["sn"].status("supernode-7654")["node"]["parent"] == supernode.pids()[0]
    for program, child, parent in ((edge, NET_ADMIN, NET_ADMIN | NET_BIND_SERVICE | DAC_OVERRIDE),
                                   (supernode, 0, NET_ADMIN | NET_BIND_SERVICE)):
        pids = program.pids()
        assert len(pids) == 2, pids
        expect_rights(pids[1], child)
        expect_rights(pids[0], parent)
        assert len(tasks(pids[1])) > 1 and len(tasks(pids[0])) == 1
        assert tasks(pids[0])[0]["Name"] == "n2n-parent"
    step("every thread of the edge has CAP_NET_ADMIN and no other right, of the supernode none; "
         "their parents have what their requests take")


def check_files(parent):
    """Standard error, its end of the socket, its signals."""
    links = {fd: os.readlink(f"/proc/{parent}/fd/{fd}") for fd in os.listdir(f"/proc/{parent}/fd")}
    assert links.pop("0") == links.pop("1") == "/dev/null", links
    links.pop("2")
    kinds = sorted(link.split(":")[0] + link[-10:] * link.startswith("anon") for link in links.values())
    assert len(kinds) == 2 and kinds[1] == "socket" and "signalfd" in kinds[0], links


def memory_of(pid):
    with open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            start, end = (int(x, 16) for x in line.split()[0].split("-"))
            # What a sanitizer keeps beside the memory is larger than the machine's.
            if line.split()[1].startswith("rw") and end - start <= MAPPING_MAX:
                mem.seek(start)
                try:
                    yield mem.read(end - start)
                except OSError:
                    pass


def check_secret(a, at):
    given = [(("-k", KEY), None)]
    # The sanitizer has a copy of the environment of its own.
    if b"AddressSanitizer" not in pathlib.Path(a.net.programs["edge"]).read_bytes():
        given.append(((), {"N2N_KEY": KEY}))
    for words, env in given:
        p = a.edge("n2n0", "10.1.2.1", "-c", "mynetwork", *words, *at, env=env)
        parent = p.pids()[0]
        check_files(parent)
        found = b"".join(memory_of(parent))
        assert len(found) > 100000 and b"mynetwork" in found
        assert KEY.encode() not in found, "the parent has the key"
        assert p.stop() == 0
    step("the parent has three files open, and no copy of the key in its memory")


def check_signals(a, at):
    for how, to in ((signal.SIGTERM, "parent"), (signal.SIGINT, "parent"),
                    (signal.SIGTERM, "group"), (signal.SIGINT, "group"), (signal.SIGTERM, "child")):
        p = a.edge("n2n0", "10.1.2.1", *COMMUNITY, *at)
        parent, child = p.pids()
        {"parent": os.kill, "child": lambda pid, s: os.kill(child, s), "group": os.killpg}[to](
            parent, how)
        assert p.ends() == 0, p.text()
        assert p.says("is down") and not p.says("killed"), p.text()
    p = a.edge("n2n0", "10.1.2.1", *COMMUNITY, *at)
    os.killpg(p.process.pid, signal.SIGHUP)
    time.sleep(0.2)
    a.status()
    assert p.stop() == 0
    step("SIGTERM and SIGINT to the parent, the child, or to both, as a terminal sends them: "
         "status 0 and an orderly end")


def check_parent_killed(a, at):
    for _ in range(3):
        p = a.edge("n2n0", "10.1.2.1", "-p", 5001, *COMMUNITY, *at)
        child = p.pid
        p.stop(signal.SIGKILL)
        q = a.edge("n2n0", "10.1.2.1", "-p", 5001, *COMMUNITY, *at)
        assert not is_alive(child)
        assert p.says("n2n-parent with number [0-9]+, was killed") and p.says("is down"), p.text()
        assert q.stop() == 0
        assert not q.says("was killed"), q.text()
    step("the parent killed: the child says so and is gone, and the next start finds all free, "
         "three times")


def check_child_left_behind(a, at):
    """One that is stopped, or hangs, when its parent is killed: it would hold all for good."""
    p = a.edge("n2n0", "10.1.2.1", "-p", 5001, *COMMUNITY, *at)
    parent, child = p.pids()
    os.kill(child, signal.SIGSTOP)
    os.kill(parent, signal.SIGKILL)
    p.ends()
    q = a.edge("n2n0", "10.1.2.1", "-p", 5001, *COMMUNITY, *at)
    assert not is_alive(child)
    assert q.says(f"process {child} of an earlier run had lost its parent"), q.text()
    # With its parent it is left alone, whatever its state.
    parent, child = q.pids()
    os.kill(child, signal.SIGSTOP)
    second = a.edge("n2n0", "10.1.2.1", *COMMUNITY, *at, ready=False)
    assert second.ends(20) == 2 and second.says("already runs instance"), second.text()
    assert is_alive(child)
    os.kill(child, signal.SIGCONT)
    assert q.stop() == 0
    step("the parent killed while the child is stopped: the next start ends it, and has all free")


def check_child_killed(a, at):
    for number, name in ((signal.SIGKILL, "Killed"), (signal.SIGABRT, "Aborted")):
        p = a.edge("n2n0", "10.1.2.1", *COMMUNITY, *at)
        os.kill(p.pid, number)
        assert p.ends() == 128 + number, p.text()
        assert p.says(rf"ERROR: killed by signal {number:d} \({name}\)"), p.text()
        assert not a.has_interface("n2n0")
    step("the child killed: one line with the signal, and status 128 and its number")


def check_stopped_parent(a, at):
    p = a.edge("n2n0", "10.1.2.1", *COMMUNITY, *at)
    parent = p.pids()[0]
    os.kill(parent, signal.SIGSTOP)
    a.status()
    os.kill(parent, signal.SIGTERM)
    os.kill(parent, signal.SIGCONT)
    assert p.ends() == 0, p.text()
    step("the parent stopped: the child goes on, and what was sent meanwhile comes through")


def check_low_ports(net):
    a, b, sn = net["a"], net["b"], net["sn"]
    supernode = sn.supernode("-l", LOW_PORT, "--workers", 2)
    expect_rights(supernode.pid, 0)
    at = ("-l", f"{sn.ip}:{LOW_PORT}")
    for host in (a, b):
        host.block(a if host is b else b)
    edges = [a.edge("n2n0", "10.1.2.1", "-p", 500, *COMMUNITY, *at),
             b.edge("n2n0", "10.1.2.2", "-p", 500, "--workers", 2, *COMMUNITY, *at)]
    a.wait_ping("10.1.2.2", 15)
    assert set(a.paths()) == {"relay"}
    for host in (a, b):
        host.unblock()
    a.wait_direct()
    assert a.status()["node"]["udp_ports"] == {"ipv4": 500, "ipv6": 500}
    for p in edges + [supernode]:
        assert p.stop() == 0, p.text()
    step(f"supernode at port {LOW_PORT}, edges at 500, with one worker and two: relayed and direct")


def check_buffers(sn):
    supernode = sn.supernode("-l", 7690)
    lines = sn.run("ss", "-uanmH", "sport", "=", ":7690")
    sizes = [int(x) for x in re.findall(r"rb(\d+)", lines)]
    assert sizes and min(sizes) >= 8 << 20, lines
    assert supernode.stop() == 0
    step("a supernode without rights has the large buffers that its parent made")


def with_device(mode, owner):
    """Runs what follows where the driver's node has that mode and owner."""
    return ("unshare", "-m", "sh", "-c",
            f"mount -t tmpfs none /dev/net && mknod -m {mode} /dev/net/tun c 10 200 && "
            f"chown {owner} /dev/net/tun && exec \"$@\"", "-")


def check_device_of_another_user(a, at):
    """The node of the driver belongs to somebody else, and only all rights open it."""
    p = a.background(*with_device(600, NOBODY), a.net.programs["edge"], "--state-dir", a.state,
                     "-d", "n2n0", *COMMUNITY, *at)
    p.wait_says(" is up with ")
    assert p.stop() == 0
    step("/dev/net/tun of another user is opened by the parent")


def check_few_rights(net, at, folder):
    """A process with no more rights than the child may keep is not parted in two."""
    a = net["a"]
    for path in net.programs.values():
        shutil.copy(path, folder)
    state = pathlib.Path(folder) / "state"
    state.mkdir()
    for path in (folder, state):
        os.chown(path, NOBODY, NOBODY)
    as_nobody = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    p = a.background(*with_device(666, 0), *as_nobody, "--inh-caps=-all,+net_admin", "--ambient-caps=-all,+net_admin",
                     f"{folder}/edge", "--state-dir", state, "-d", "n2n0", *COMMUNITY, *at)
    p.wait_says(" is up with ")
    assert len(p.pids()) == 1
    everything = int(tasks(os.getpid())[0]["CapBnd"], 16)
    expect_rights(p.pid, NET_ADMIN, everything)
    assert p.stop() == 0
    p = a.background(*as_nobody, f"{folder}/supernode", "--state-dir", state, "-l", 7691)
    p.wait_says("listening")
    assert len(p.pids()) == 1
    expect_rights(p.pid, 0, everything)
    assert p.stop() == 0
    step("with CAP_NET_ADMIN only, and without rights: one process")


def check_file_with_rights(a, folder):
    """Who may run a program to which a file capability gives rights has none of them by himself."""
    edge = pathlib.Path(folder) / "edge"
    os.setxattr(edge, "security.capability", struct.pack("<5I", 0x02000001, NET_ADMIN, 0, 0, 0))
    a.run("ip", "link", "add", "rights0", "type", "bridge")
    lease = ["env", "N2N_DHCP_HOOK=rights0", "ip=198.51.100.7", "mask=24", "lease=600", edge, "bound"]
    as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    assert subprocess.run(a.exec + as_nobody + lease, capture_output=True).returncode == 2
    assert "198.51.100.7" not in a.run("ip", "addr", "show", "rights0")
    for ip, mask in (("198.51.100.7", 1), ("127.0.0.9", 24), ("224.0.0.9", 24), ("0.0.0.0", 24)):
        wide = ["env", "N2N_DHCP_HOOK=rights0", f"ip={ip}", f"mask={mask}", edge, "bound"]
        assert subprocess.run(a.exec + wide, capture_output=True).returncode == 1
        assert "inet " not in a.run("ip", "addr", "show", "rights0")
    a.run(*lease)
    assert "198.51.100.7" in a.run("ip", "addr", "show", "rights0")
    a.run("ip", "link", "del", "rights0")
    step("the script of DHCP clients is none for users whom the file gives rights, and takes no odd address")


def check_key_of_another_user(a, at, folder):
    key = pathlib.Path(folder) / "a.key"
    key.write_text(KEY + "\n")
    key.chmod(0o600)
    os.chown(key, NOBODY, NOBODY)
    p = a.edge("n2n0", "10.1.2.1", "-c", "mynetwork", "-K", key, *at)
    assert p.stop() == 0
    p = a.edge("n2n0", "10.1.2.1", "-c", "mynetwork", "-K", key, *at, "--state-dir", folder)
    assert p.says(f'WARNING: the directory "{folder}" belongs to user {NOBODY}.*'
                  "name another state directory .option --state-dir"), p.text()
    assert p.stop() == 0
    step("root reads a key file of another user, as with sudo, but keeps no state there")


def main():
    with Net("sn", "a", "b") as net, \
            tempfile.TemporaryDirectory(prefix="n2n-rights-", dir="/tmp") as folder:
        a, sn = net["a"], net["sn"]
        at = ("-l", f"{sn.ip}:7654")
        supernode = sn.supernode("-l", 7654, "--workers", 2)
        edge = a.edge("n2n0", "10.1.2.1", "--workers", 2, *COMMUNITY, *at)
        check_rights(net, edge, supernode)
        assert edge.stop() == 0
        check_secret(a, at)
        check_signals(a, at)
        check_parent_killed(a, at)
        check_child_left_behind(a, at)
        check_child_killed(a, at)
        check_stopped_parent(a, at)
        check_low_ports(net)
        check_buffers(sn)
        check_device_of_another_user(a, at)
        check_few_rights(net, at, folder)
        check_file_with_rights(a, folder)
        check_key_of_another_user(a, at, folder)
        assert supernode.stop() == 0


main()
