# SPDX-License-Identifier: GPL-3.0-or-later
"""Other people's VPNs, as they come: default MTU, default buffers, and the cipher that each calls
its good one (AES-256-GCM where there is a choice). Compression is off everywhere.
"""

import re
import subprocess

from topology import sh, wait_for
from ways import Absent, Way


class N2n1(Way):
    key, title, package = "n2n1", "n2n 1.3 (Debian)", "n2n"
    about = "layer 2, Twofish"
    edge, supernode = "/usr/sbin/edge", "/usr/bin/supernode"
    needs = (edge, supernode)
    device = "edge0"
    port = 7701

    def check(self):
        super().check()
        said = subprocess.run([self.edge, "-h"], capture_output=True, text=True).stdout
        if not re.search(r"n2n v\.1\.", said):
            raise Absent(f"{self.edge} is not n2n 1 (package {self.package})")

    def start_middle(self):
        return [self.run(self.sn, self.supernode, "-l", self.port, name="supernode")]

    def start(self, side):
        return [self.run(self.host(side), self.edge, "-d", self.device, "-a", self.address(side),
                         "-c", "bench", "-k", "encryptme", "-l", f"{self.sn.ip}:{self.port}")]


class N2n3(Way):
    """A build of n2n 3 given by path."""

    key, title = "n2n3", "n2n 3"
    about = "layer 2, AES-CBC"
    device = "edge0"
    port = 7703

    def __init__(self, edge, supernode):
        super().__init__()
        self.edge, self.supernode = edge, supernode
        self.needs = (edge, supernode)
        self.package = "none: give its path"

    def start_middle(self):
        return [self.run(self.sn, self.supernode, "-p", self.port, "-f", name="supernode")]

    def start(self, side):
        return [self.run(self.host(side), self.edge, "-d", self.device, "-a",
                         f"{self.address(side)}/24", "-c", "bench", "-k", "encryptme", "-A3", "-f",
                         "-u", 0, "-g", 0, "-l", f"{self.sn.ip}:{self.port}")]


class Tinc(Way):
    key, title, package, needs = "tinc", "tinc", "tinc", ("tincd",)
    about = "layer 2 (Mode = switch), AES-256-CBC, SHA-256"
    device = "tinc0"

    def begin(self):
        for side in "ab":
            self.configure(side)
        for side, other in ("ab", "ba"):
            (self.dir(side) / "hosts" / other).write_text(
                (self.dir(other) / "hosts" / other).read_text())
        super().begin()

    def configure(self, side):
        conf = self.dir(side)
        (conf / "hosts").mkdir()
        (conf / "tinc.conf").write_text(
            f"Name = {side}\nMode = switch\nDeviceType = tap\nInterface = {self.device}\n"
            + ("ConnectTo = a\n" if side == "b" else ""))
        (conf / "hosts" / side).write_text(f"Address = {self.host(side).ip}\n"
                                           "Cipher = aes-256-cbc\nDigest = sha256\n")
        sh("tincd", "-c", conf, "-K2048")

    def start(self, side):
        conf = self.dir(side)
        p = self.run(self.host(side), "tincd", "-c", conf, "-D", f"--pidfile={conf}/pid")
        self.set_address(side)
        return [p]


class Fastd(Way):
    key, title, package, needs = "fastd", "fastd", "fastd", ("fastd",)
    about = "layer 2, salsa2012+umac"
    device = "fastd0"
    port = 7710

    def begin(self):
        self.secret, self.public = {}, {}
        for side in "ab":
            said = sh("sh", "-c", "fastd --generate-key 2>&1")
            self.secret[side], self.public[side] = re.findall(r": ([0-9a-f]{64})", said)
        super().begin()

    def start(self, side):
        other = "b" if side == "a" else "a"
        conf = self.dir(side) / "fastd.conf"
        conf.write_text(
            f'mode tap;\ninterface "{self.device}";\nmethod "salsa2012+umac";\n'
            f'bind {self.host(side).ip}:{self.port};\nsecret "{self.secret[side]}";\n'
            f'peer "{other}" {{ key "{self.public[other]}"; '
            f'remote {self.host(other).ip} port {self.port}; }}\n')
        p = self.run(self.host(side), "fastd", "-c", conf)
        self.set_address(side)
        return [p]


class Nebula(Way):
    key, title, package, needs = "nebula", "nebula", "nebula", ("nebula", "nebula-cert")
    about = "layer 3, AES-256-GCM"
    device = "neb0"
    port = 4242

    def begin(self):
        self.ca = self.dir("a")
        sh("nebula-cert", "ca", "-name", "bench", "-out-crt", self.ca / "ca.crt", "-out-key",
           self.ca / "ca.key")
        super().begin()

    def start(self, side):
        other = "b" if side == "a" else "a"
        conf = self.dir(side)
        if not (conf / "host.crt").exists():
            sh("nebula-cert", "sign", "-ca-crt", self.ca / "ca.crt", "-ca-key", self.ca / "ca.key",
               "-name", side, "-ip", f"{self.address(side)}/24", "-out-crt", conf / "host.crt",
               "-out-key", conf / "host.key")
        (conf / "config.yml").write_text(f"""
pki: {{ca: {self.ca}/ca.crt, cert: {conf}/host.crt, key: {conf}/host.key}}
static_host_map: {{"{self.address(other)}": ["{self.host(other).ip}:{self.port}"]}}
lighthouse: {{am_lighthouse: false, hosts: []}}
listen: {{host: 0.0.0.0, port: {self.port}}}
tun: {{dev: {self.device}}}
firewall:
  outbound: [{{port: any, proto: any, host: any}}]
  inbound: [{{port: any, proto: any, host: any}}]
""")
        return [self.run(self.host(side), "nebula", "-config", conf / "config.yml")]


class OpenVpn(Way):
    key, title, package = "openvpn", "OpenVPN (TAP)", "openvpn"
    needs = ("openvpn", "openssl")
    about = "layer 2 (dev tap), AES-256-GCM, without DCO"
    device = "tap0"

    def begin(self):
        self.print_of = {}
        for side in "ab":
            conf = self.dir(side)
            sh("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
               "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={side}",
               "-keyout", conf / "key", "-out", conf / "crt")
            said = sh("openssl", "x509", "-in", conf / "crt", "-noout", "-fingerprint", "-sha256")
            self.print_of[side] = said.strip().split("=")[1]
        super().begin()

    def start(self, side):
        other = "b" if side == "a" else "a"
        conf = self.dir(side)
        return [self.run(self.host(side), "openvpn", "--dev", self.device, "--dev-type", "tap",
                         "--proto", "udp", "--remote", self.host(other).ip, "--cert", conf / "crt",
                         "--key", conf / "key", "--peer-fingerprint", self.print_of[other],
                         "--tls-server" if side == "a" else "--tls-client", "--dh", "none",
                         "--cipher", "AES-256-GCM", "--data-ciphers", "AES-256-GCM",
                         "--ifconfig", self.address(side), "255.255.255.0")]


class WireGuardGo(Way):
    key, title = "wggo", "wireguard-go (Debian)"
    package = "wireguard-go wireguard-tools"
    about = "layer 3, ChaCha20-Poly1305"
    port = 51820

    def __init__(self, path="wireguard-go", key=None, title=None):
        super().__init__()
        self.path = path
        self.needs = (path, "wg")
        self.key, self.title = key or self.key, title or self.title

    def begin(self):
        self.secret = {side: sh("wg", "genkey").strip() for side in "ab"}
        self.public = {side: sh("sh", "-c", f"echo {key} | wg pubkey").strip()
                       for side, key in self.secret.items()}
        super().begin()

    def start(self, side):
        host = self.host(side)
        other = "b" if side == "a" else "a"
        # Its control sockets lie in one folder for all namespaces.
        self.device = f"{self.key[:5]}{side}{host.net.prefix[3:]}"[:15]
        key = self.dir(side) / "key"
        key.write_text(self.secret[side])
        p = self.run(host, "env", "WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD=1", self.path,
                     "-f", self.device, name="wireguard-go")
        wait_for("wireguard-go listens", lambda: self.is_there(host), 10, 0.002)
        host.run("wg", "set", self.device, "listen-port", self.port, "private-key", key, "peer",
                 self.public[other], "allowed-ips", "10.9.0.0/24", "endpoint",
                 f"{self.host(other).ip}:{self.port}")
        self.set_address(side)
        return [p]

    def is_there(self, host):
        return subprocess.run([*host.exec, "wg", "show", self.device],
                              capture_output=True).returncode == 0


def other_ways(wireguard_go=None, n2n3_edge=None, n2n3_supernode=None):
    """All that we know how to run, there or not."""
    ways = [N2n1(), Tinc(), Fastd(), Nebula(), OpenVpn(), WireGuardGo()]
    if wireguard_go:
        ways.append(WireGuardGo(wireguard_go, "wgnew", "wireguard-go (given)"))
    if n2n3_edge:
        ways.append(N2n3(n2n3_edge, n2n3_supernode))
    return ways
