#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Communities do not meet, and who has the wrong secret is told so.

    sn 10.77.0.1 ----+      a, b: community red, one passphrase    c: blue, same inner addresses
    a, b, c, d   ----+      d: red with the wrong passphrase, then keys
"""

import base64
import hashlib
import time

from net import Net, step, wait_for


def quiet(host, *addresses):
    for to in addresses:
        assert not host.can_ping(to, 0.5), f"{host.name} reaches {to}"


def main():
    with Net("sn", "a", "b", "c", "d") as net:
        a, b, c, d = (net[n] for n in "abcd")
        net["sn"].supernode("-l", 7654)
        at = ("-l", f"{net['sn'].ip}:7654")
        a.edge("n2n0", "10.1.2.1", "-c", "red", "-k", "the red secret of many words", *at)
        b.edge("n2n0", "10.1.2.2", "-c", "red", "-k", "the red secret of many words", *at)
        blue = [c.edge("n2n0", "10.1.2.1", "-c", "blue", "-k", "the blue secret of many words", *at),
                c.edge("n2n1", "10.1.3.2", "-c", "blue", "-k", "the blue secret of many words", *at)]
        a.wait_ping("10.1.2.2", 10)
        wait_for("both blue edges meet", lambda: c.peers("n2n0") and c.peers("n2n1"), 10)
        time.sleep(1)
        assert len(a.peers()) == 1 and len(c.peers()) == 1
        assert len(a.community()["peers"]) == 1, "red sees somebody else"
        assert a.peers()[0]["id"] == b.community()["id"]
        quiet(c, "10.1.2.2")
        step("two communities with the same addresses on one supernode do not see each other")
        for p in blue:
            assert p.stop() == 0

        wrong = d.edge("n2n0", "10.1.2.9", "-c", "red", "-k", "the red secret of many birds", *at)
        took = wait_for("the status says why", lambda: d.community()["state"] == "wrong-passphrase",
                        30)
        wrong.wait_says(r"WARNING: community red: the passphrase differs")
        quiet(d, "10.1.2.1", "10.1.2.2")
        quiet(a, "10.1.2.9")
        assert a.community()["state"] == "up", "a must not doubt its own passphrase"
        step(f"wrong passphrase: nothing passes, log and status say why after {took:.1f} s")

        def notices():
            return [n for n in a.status()["notices"] if n["code"] == "other-passphrase"]
        took = wait_for("the right one hears of it", notices, 60, 0.2)
        assert [n["subject"] for n in notices()] == [d.community()["id"]], notices()
        assert net["sn"].ip not in notices()[0]["text"], "the relay is not who came"
        assert "other-passphrase" not in [n["code"] for n in d.status()["notices"]], "it accuses"
        step(f"the member with the right one hears of it {took:.1f} s later: {notices()[0]['text']}")
        assert wrong.stop() == 0
        wait_for("and that it is over", lambda: not notices(), 10, 0.2)

        keys = [net["sn"].run(net.programs["n2n"], "key", "new", "green").split()[0]
                for _ in range(2)]
        assert keys[0] != keys[1] and all(k.startswith("n2n4-") for k in keys)
        # The same community id under another key, as after a key roll that missed one member.
        k1, k2, k3 = (net.dir / n for n in ("k1", "k2", "k3"))
        k1.write_text(keys[0] + "\n")
        k2.write_text(other_key_of_the_same_id(keys[0], keys[1]) + "\n")
        k3.write_text(keys[1] + "\n")
        for k in (k1, k2, k3):
            k.chmod(0o600)
        c1 = c.edge("n2n0", "10.1.4.1", "-c", "green", "-K", k1, *at)
        c.edge("n2n1", "10.1.5.2", "-c", "green", "-K", "-", *at, stdin=keys[0])
        wait_for("two with one key meet", lambda: c.peers("n2n0") and c.peers("n2n1"), 10)
        assert c1.says("WARNING") is None, c1.text()
        wrong = d.edge("n2n0", "10.1.4.9", "-c", "green", "-K", k2, *at)
        took = wait_for("the status says why", lambda: d.community()["state"] == "wrong-key", 75)
        wrong.wait_says(r"WARNING: community green: no other member under this key")
        quiet(d, "10.1.4.1")
        assert c.community()["state"] == "up"
        step(f"wrong key: nothing passes, log and status say why after {took:.1f} s")
        assert wrong.stop() == 0

        def label(host):
            return [n for n in host.status()["notices"] if n["code"] == "label"]
        assert not label(c), "those who call it the same differ"
        moss = d.edge("n2n0", "10.1.4.9", "-c", "moss", "-K", k1, *at)
        d.wait_ping("10.1.4.1", 10)
        wait_for("both say so", lambda: label(c) and len(label(d)) == 2, 5, 0.2)
        assert 'calls this community "moss", here it is "green"' in label(c)[0]["text"], label(c)
        assert 'calls this community "green", here it is "moss"' in label(d)[0]["text"], label(d)
        assert {p["label"] for p in d.peers()} == {"green"}
        c1.wait_says(r'calls this community "moss"')
        status = c.run(net.programs["n2n"], "status", "-d", "n2n0", "--state-dir", c.state)
        assert status.count('calls this community "moss"') == 1, status
        step(f"who calls it otherwise is in it, and both say so: {label(c)[0]['text']}")
        assert moss.stop() == 0
        wait_for("it is over", lambda: not label(c), 10, 0.2)
        green = d.edge("n2n0", "10.1.4.9", "-c", "green", "-K", k1, *at)
        d.wait_ping("10.1.4.1", 10)
        assert not label(c) and not label(d)
        assert green.stop() == 0

        other = d.edge("n2n0", "10.1.4.9", "-c", "green", "-K", k3, *at)
        wait_for("it registers", lambda: d.community()["state"] == "alone", 10)
        quiet(d, "10.1.4.1")
        step("another key altogether is another community: nobody is there")
        assert other.stop() == 0


def other_key_of_the_same_id(text, donor):
    """Makes a key string from the id of one and the key of another (PROTOCOL.md 2.2)."""
    def decode(t):
        t = t[5:].upper()
        return base64.b32decode(t + "=" * (-len(t) % 8))

    def checksum(body):
        return hashlib.blake2b(b"n2n4 community key check" + body, digest_size=32).digest()[:2]

    own, other = decode(text), decode(donor)
    assert checksum(own[:-2]) == own[-2:]
    body = own[:17] + other[17:49]
    return "n2n4-" + base64.b32encode(body + checksum(body)).decode().lower().rstrip("=")


main()
