# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests share in which somebody changes an interface: three hosts in one community."""

from net import wait_for

COMMUNITY = ("-c", "watched", "-k", "a long enough pass phrase")
OURS, OURS6, THEIRS, THEIRS6 = "10.1.2.1", "fd99::1", "10.1.2.2", "fd99::2"


def notices(host):
    return {(n["code"], n["subject"]): n["text"] for n in host.status()["notices"]}


def wait_notice(host, code, subject, *words, timeout=4):
    wait_for(f"{host.name} has the notice {code}", lambda: (code, subject) in notices(host),
             timeout)
    text = notices(host)[code, subject]
    assert all(w in text for w in words), text


def wait_no_notices(host, timeout=4):
    wait_for(f"{host.name} has no notice", lambda: not notices(host), timeout)


def has_address(host, ip, device="n2n0"):
    return f" {ip}/" in host.run("ip", "addr", "show", "dev", device, check=False)


def link(host, *words):
    host.run("ip", "link", "set", *words)
