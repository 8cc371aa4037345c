#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""What programs on a LAN find each other by, with nothing set up: mDNS, SSDP, NetBIOS, and games
that call out to everybody.

    sn 10.77.0.1 ----+
    a, b, c      ----+    nobody but sn reaches another one
"""

import shutil
import socket
import struct
import time

from flows import open_at
from lan import COMMUNITY
from net import Net, skip, step, wait_for

TOOLS = ("dbus-daemon", "avahi-daemon", "avahi-browse", "avahi-publish", "minissdpd")
SSDP = ("239.255.255.250", 1900)
SEARCH = (b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n"
          b"MX: 1\r\nST: %s\r\n\r\n")
ROOT_DEVICE = b"upnp:rootdevice"
NOTIFY = (b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nCACHE-CONTROL: max-age=1800\r\n"
          b"LOCATION: http://10.1.2.3:80/d.xml\r\nNT: upnp:rootdevice\r\nNTS: ssdp:alive\r\n"
          b"SERVER: test/1 UPnP/1.1 test/1\r\nUSN: uuid:1234::upnp:rootdevice\r\n\r\n")
BUS = """<busconfig><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/>
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy></busconfig>
"""
AVAHI = """[server]
host-name=host-{0}
allow-interfaces=n2n0
use-ipv6=no
enable-dbus=yes
ratelimit-burst=100
[wide-area]
enable-wide-area=no
[publish]
publish-hinfo=no
publish-workstation=no
"""


class Bus:
    """A host's own message bus with avahi-daemon on it; /run is the host's alone."""

    def __init__(self, net, host):
        self.host = host
        self.dir = net.dir / f"{host.name}-run"
        (self.dir / "dbus").mkdir(parents=True)
        (self.dir / "avahi-daemon").mkdir()
        (self.dir / "bus.conf").write_text(BUS)
        (self.dir / "avahi.conf").write_text(AVAHI.format(host.name))
        self.daemons = host.background(*self.inside(
            "dbus-daemon --config-file=/run/bus.conf --fork --nopidfile; "
            "exec avahi-daemon --no-drop-root --no-chroot --no-rlimits -f /run/avahi.conf"))
        self.daemons.wait_says("Server startup complete")

    def inside(self, command):
        return ("unshare", "-m", "--propagation", "private", "sh", "-ec",
                f"mount --bind {self.dir} /run; {command}")

    def run(self, command, **kw):
        return self.host.run(*self.inside(command), **kw)

    def background(self, command):
        return self.host.background(*self.inside(command))


def udp(host, port=0, group=None):
    """A socket at the network's interface, as of a program that knows nothing of it."""
    s = open_at(host, socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(host.address))
    s.bind(("", port))
    if group is not None:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                     socket.inet_aton(group) + socket.inet_aton(host.address))
    s.settimeout(3)
    return s


def heard_from(s):
    data, (ip, port) = s.recvfrom(2000)
    return data, ip, port


def check_mdns(net, hosts):
    buses = [Bus(net, h) for h in hosts]
    services = [bus.background(f"exec avahi-publish -s 'printer {bus.host.name}' _ipp._tcp 631")
                for bus in buses]
    for service in services:
        service.wait_says("Established under name")
    browser = buses[0].background("exec avahi-browse -r -p _ipp._tcp")
    for h in hosts[1:]:
        browser.wait_says(rf"=;n2n0;IPv4;printer\\032{h.name};.*;host-{h.name}\.local;"
                          rf"{h.address.replace('.', chr(92) + '.')};631;")
    step("avahi: each service of the others is found")
    for h in hosts[1:]:
        out = buses[0].run(f"avahi-resolve -4 -n host-{h.name}.local", timeout=10)
        assert h.address in out, out
    step("and each name resolved")
    services[1].stop()
    browser.wait_says(rf"-;n2n0;IPv4;printer\\032{hosts[1].name};")
    step("and gone when it goes")


def check_ssdp(net, hosts):
    a, b, c = hosts
    # To a group that hosts join: who has just joined hears it.
    device = udp(b, SSDP[1], SSDP[0])
    seeker = udp(a)
    began = time.monotonic()
    while True:
        seeker.sendto(SEARCH % ROOT_DEVICE, SSDP)
        try:
            device.settimeout(0.3)
            question, ip, port = heard_from(device)
            break
        except TimeoutError:
            assert time.monotonic() < began + 5, "no M-SEARCH came"
    assert ip == a.address and question == SEARCH % ROOT_DEVICE
    device.sendto(b"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n\r\n", (ip, port))
    answer, ip, port = heard_from(seeker)
    assert ip == b.address and answer.startswith(b"HTTP/1.1 200 OK")
    step("SSDP: M-SEARCH is heard by who listens, and answered")
    daemon = c.background("minissdpd", "-d", "-i", "n2n0", "-s", net.dir / "minissdpd.sock",
                          "-p", net.dir / "minissdpd.pid")
    wait_for("minissdpd has joined", lambda: "239.255.255.250" in c.run("ip", "maddr", "show", "n2n0"), 5)

    def is_known():
        device.sendto(NOTIFY, SSDP)
        time.sleep(0.2)
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(3)
            s.connect(str(net.dir / "minissdpd.sock"))
            s.send(bytes([1, len(ROOT_DEVICE)]) + ROOT_DEVICE)
            return b"http://10.1.2.3:80/d.xml" in s.recv(2000)
    wait_for("minissdpd knows the device", is_known, 8)
    daemon.stop()
    step("minissdpd learns of a device by NOTIFY")


def netbios_name(name):
    padded = name.ljust(15).encode() + b"\0"
    return b"\x20" + bytes(65 + n for byte in padded for n in (byte >> 4, byte & 15)) + b"\0"


def check_netbios(hosts):
    a, b, c = hosts
    name = netbios_name("FILESERVER")
    query = struct.pack("!HHHHHH", 0x1234, 0x0110, 1, 0, 0, 0) + name + struct.pack("!HH", 0x20, 1)
    servers = [udp(h, 137) for h in (b, c)]
    seeker = udp(a, 137)
    seeker.sendto(query, ("10.1.2.255", 137))
    for s in servers:
        data, ip, port = heard_from(s)
        assert (data, ip, port) == (query, a.address, 137)
    answer = (struct.pack("!HHHHHH", 0x1234, 0x8500, 0, 1, 0, 0) + name +
              struct.pack("!HHIHH", 0x20, 1, 300, 6, 0) + socket.inet_aton(c.address))
    servers[1].sendto(answer, (a.address, 137))
    while True:
        data, ip, _ = heard_from(seeker)
        if ip != a.address:
            break
    assert (data, ip) == (answer, c.address)
    step("NetBIOS: a name is asked of all by broadcast, and answered by who has it")


def check_games(hosts):
    """Servers that call out, and clients that ask, by both broadcast addresses."""
    for to in ("10.1.2.255", "255.255.255.255"):
        for speaker in hosts:
            others = [h for h in hosts if h is not speaker]
            listeners = [udp(h, 27015) for h in others]
            s = udp(speaker)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"n2n0")
            s.sendto(b"\xff\xff\xff\xffTSource Engine Query\0", (to, 27015))
            for listener, h in zip(listeners, others):
                _, ip, port = heard_from(listener)
                assert ip == speaker.address
                listener.sendto(f"game at {h.name}".encode(), (ip, port))
            came = sorted(heard_from(s)[:2] for _ in others)
            assert came == [(f"game at {h.name}".encode(), h.address) for h in others], came
            for listener in listeners:
                listener.setblocking(False)
                try:
                    raise AssertionError(f"twice: {listener.recv(2000)}")
                except BlockingIOError:
                    listener.close()
    step("games: each is found by each, once, by both addresses of broadcast")


def main():
    for tool in TOOLS:
        if shutil.which(tool) is None:
            skip(f"{tool} is not installed")
    with Net("sn", "a", "b", "c") as net:
        sn = net["sn"]
        hosts = [net[n] for n in "abc"]
        sn.supernode("-f")
        for i, h in enumerate(hosts):
            h.address = f"10.1.2.{i + 1}"
            h.run("nft", "add table inet test; "
                  "add chain inet test input { type filter hook input priority 0; }; "
                  f"add rule inet test input iifname eth0 ip saddr != {sn.ip} drop; "
                  "add rule inet test input iifname eth0 udp dport 1-65535 meta nfproto ipv6 drop")
            h.edge("n2n0", h.address, *COMMUNITY, "-l", f"{sn.ip}:7654")
        for h in hosts:
            wait_for(f"{h.name} has met all", lambda: len(h.peers()) == 2, 20)
            assert set(h.paths()) == {"relay"}, h.paths()
        check_mdns(net, hosts)
        check_ssdp(net, hosts)
        check_netbios(hosts)
        check_games(hosts)


if __name__ == "__main__":
    main()
