#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration files: looked at by anybody, and edges that run from them.

    sn 10.77.0.1 ----+
    a  10.77.0.2 ----+---- switch
    b  10.77.0.3 ----+
"""

import os
import pathlib
import shutil
import subprocess
import tempfile

from net import Net, step

NOBODY = 65534
SECRET = "a long enough pass phrase"

WRONG = """supernode sn.example.org
prot 7777
[community a]
device t0
key n2n4-not a key
adress 10.0.0.1
[community b]
device t0
address 10.0.0.1
"""

RIGHT = f"""supernode sn:7654
[community a]
key {SECRET}
[community b]
key-file b.key
[community c]
key fd:7
"""


def put(folder, name, text, mode=0o600):
    path = pathlib.Path(folder) / name
    path.write_bytes(text.encode())
    path.chmod(mode)
    return path


def look(host, folder, *words):
    """Lets another user look, who has no rights; returns status and lines."""
    p = host.background("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                        pathlib.Path(folder) / "edge", *words)
    return p.ends(), p.text().splitlines()


def check_looking(net, folder):
    a = net["a"]
    edge = pathlib.Path(folder) / "edge"
    shutil.copy(net.programs["edge"], edge)
    os.chmod(folder, 0o755)
    wrong = put(folder, "wrong.conf", WRONG, 0o644)
    right = put(folder, "right.conf", RIGHT)
    os.chown(right, NOBODY, NOBODY)

    status, lines = look(a, folder, "--check", wrong)
    assert status == 2, lines
    told = [int(line.split(":")[2]) for line in lines]
    assert sorted(told) == [1, 2, 6, 7, 8], lines
    assert all(line.startswith(f"edge: {wrong}:") for line in lines), lines
    assert any('"adress"; did you mean "address"' in line for line in lines), lines
    assert any('"t0" is that of line 4' in line for line in lines), lines

    status, lines = look(a, folder, "--check", right)
    assert status == 2 and len(lines) == 1 and f"{right}:5: cannot read" in lines[0], lines
    put(folder, "b.key", SECRET)  # which only root may read
    status, lines = look(a, folder, right, "--check")
    assert status == 0, lines
    assert lines[-1] == f"{right} is right: 3 communities" and len(lines) == 2, lines
    assert "was not looked at" in lines[0], lines
    os.chmod(right, 0o644)
    status, lines = look(a, folder, "--check", "-F", right)
    assert status == 0 and any("chmod it to 600" in line for line in lines), lines

    status, lines = look(a, folder, "--check", "-c", "x", "-k", SECRET, "-l", "sn:1")
    assert status == 0 and lines == ["the command line is right: 1 community"], lines
    status, lines = look(a, folder, "--check", "-c", "x", "-k", "n2n4-y", "-l", "sn:1")
    assert status == 2 and "is none" in lines[0], lines

    os.mkfifo(pathlib.Path(folder) / "pipe")
    for name, says in (("none", "No such file"), (".", "name a file"), ("pipe", "no file on a disk")):
        status, lines = look(a, folder, "--check", pathlib.Path(folder) / name)
        assert status == 2 and len(lines) == 1 and says in lines[0], lines
    assert not pathlib.Path(a.state).exists(), "looking has made a state directory"
    assert not a.has_interface("t0")
    step("--check, without any rights: every wrong line with its number, and nothing is touched")


def check_start(net, folder):
    a = net["a"]
    wrong = put(folder, "wrong.conf", WRONG)
    p = a.start("edge", "-F", wrong)
    assert p.ends() == 2 and len(p.text().splitlines()) >= 4, p.text()
    assert not a.has_interface("t0")
    step("a start with a wrong file: the same lines and status 2")


def seen_by_others(program):
    """What other processes see of it."""
    return b"".join(pathlib.Path(f"/proc/{pid}/{what}").read_bytes()
                    for pid in program.pids() for what in ("cmdline", "environ"))


def reload(host, status):
    done = subprocess.run(host.exec + [host.net.programs["n2n"], "reload", "--state-dir", host.state],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def check_key_is_gone(host, program, conf):
    """What takes the key again is refused before anything is left; the rest is done."""
    text = conf.read_text()
    conf.write_text(text + "mtu 1300\n")
    said = reload(host, 1)
    assert "the MTU of the community" in said and "needs a restart" in said, said
    assert "nothing was changed" in said and host.has_interface("n2n0"), said
    host.run("sysctl", "-q", "net.ipv6.conf.n2n0.disable_ipv6=1")
    conf.write_text(text + "address fd00::2\n")
    said = reload(host, 1)
    assert "n2n0 has not all of its addresses" in said, said
    assert "community-refused" in [n["code"] for n in host.status()["notices"]]
    host.run("sysctl", "-q", "net.ipv6.conf.n2n0.disable_ipv6=0")
    said = reload(host, 0)
    assert "has another: the addresses" in said, said
    assert "fd00::2" in host.run("ip", "-br", "addr", "show", "n2n0")
    assert not host.status()["notices"], host.status()["notices"]


def check_version_3(net, folder):
    a, b, sn = net["a"], net["b"], net["sn"]
    old = put(folder, "edge.conf", "#\r\n-d=n2n0\r\n-c=mynetwork\r\n"
              f"-k={SECRET}\r\n-a=10.1.2.1\r\n-p=50001\r\n-l={sn.ip}:7654\r\n-A5\r\n-f\r\n", 0o644)
    pa = a.background(net.programs["edge"], old, "--state-dir", a.state)
    pa.wait_says(r"n2n0 is up with 10\.1\.2\.1/24.* UDP port 50001, community mynetwork")
    assert pa.says(r"edge\.conf:8: -A: not needed any more"), pa.text()
    assert pa.says("with a key in it; chmod it to 600"), pa.text()

    new = put(folder, "new.conf", f"supernode {sn.ip}:7654\n[community mynetwork]\n"
              "key env:OUR_KEY\naddress 10.1.2.2\n")
    pb = b.start("edge", "-F", new, env={"OUR_KEY": SECRET})
    pb.wait_says(r"n2n0 is up with 10\.1\.2\.2/24.* community mynetwork")
    a.wait_ping("10.1.2.2", 10)
    for p in (pa, pb):
        assert SECRET.encode() not in seen_by_others(p)
    check_key_is_gone(b, pb, new)
    a.wait_ping("10.1.2.2", 10)
    for p in (pa, pb):
        assert p.stop() == 0, p.text()
    step("a file of n2n 3 and one with a block meet; no key is in arguments or environment")


def check_places(net, folder):
    a, b, sn = net["a"], net["b"], net["sn"]
    put(folder, "net.key", SECRET + "\n", 0o400)
    conf = put(folder, "cred.conf", f"supernode {sn.ip}:7654\n[community mynetwork]\n"
               "key cred:net.key\naddress 10.1.2.1\n")
    pa = a.start("edge", "-F", conf, env={"CREDENTIALS_DIRECTORY": str(folder)})
    pa.wait_says("n2n0 is up")
    words = [net.programs["edge"], "--state-dir", b.state, "-c", "mynetwork", "-a", "10.1.2.2",
             "-l", f"{sn.ip}:7654", "-k", "fd:7"]
    pb = b.background("sh", "-c", f'exec 7<{folder}/net.key; exec "$@"', "-", *words)
    pb.wait_says("n2n0 is up")
    b.wait_ping("10.1.2.1", 10)
    for pid in pb.pids():
        held = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        assert f"{folder}/net.key" not in held, f"{pid} holds the key open"
    for p in (pa, pb):
        assert not p.says("WARNING"), p.text()
        assert p.stop() == 0, p.text()
    step("a credential of systemd and an open file hold the key, without a warning")


def main():
    with Net("sn", "a", "b") as net, tempfile.TemporaryDirectory() as folder:
        net["sn"].supernode("-p", 7654)
        check_looking(net, folder)
        check_start(net, folder)
        check_version_3(net, folder)
        check_places(net, folder)


main()
