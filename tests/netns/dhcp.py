# SPDX-License-Identifier: GPL-3.0-or-later
"""A real DHCP server, which is an IPv6 router as well, and real clients."""

import re
import shutil

from net import skip

TOOLS = ("dnsmasq", "udhcpc")
SCRIPT = """#!/bin/sh
case $1 in
bound | renew) ip addr replace $ip/24 dev $interface ;;
deconfig) ip addr flush dev $interface scope global ;;
esac
echo "$1 $ip from $serverid"
"""


def need_tools():
    for tool in TOOLS:
        if shutil.which(tool) is None:
            skip(f"{tool} is not installed")


def serve(host, device="eth0", *more):
    """It gives out 10.1.2.100 to 10.1.2.150, and tells of the prefix fd12::/64."""
    p = host.background(
        "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", f"--interface={device}",
        "--bind-interfaces", "--user=root", "--log-dhcp", "--no-ping",
        "--dhcp-range=10.1.2.100,10.1.2.150,255.255.255.0,2m", "--dhcp-authoritative",
        "--dhcp-range=fd12::,ra-only", "--enable-ra", f"--ra-param={device},4,30",
        f"--dhcp-leasefile={host.state}-leases", f"--pid-file={host.state}-dnsmasq.pid", *more)
    p.wait_says("DHCP, (sockets bound|IP range)")
    return p


def ask(host, device="eth0", seconds=5):
    """Returns the address that the host got, or None, and from which server."""
    script = host.net.dir / "udhcpc.sh"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    host.run("ip", "addr", "flush", "dev", device, "scope", "global")
    said = host.run("udhcpc", "-i", device, "-s", script, "-f", "-q", "-n", "-t", seconds, "-T", 1,
                    "-A", 1, check=False)
    got = re.search(r"^bound (\S+) from (\S+)", said, re.M)
    return got.groups() if got else None


def routers(host, device="eth0"):
    """IPv6 routers that it takes its default route from."""
    return re.findall(r"^default (?:nhid \S+ )?via (\S+) .*proto ra",
                      host.run("ip", "-6", "route", "show", "dev", device), re.M)
