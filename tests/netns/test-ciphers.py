#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cipher libraries: what n2n bench crypto writes, what a supernode uses, and doing without one.

    sn 10.77.0.1 ---- switch
"""

import json
import os
import pathlib
import re
import subprocess

from net import Net, find_programs, step

N2N = find_programs()["n2n"]
SUITES = {"AES-256-GCM", "ChaCha20-Poly1305"}
BUILT_IN = {"openssl", "sodium"}
LENGTHS = [16, 64, 512, 1400]


def bench(*words, **env):
    """Exit status, standard output and standard error."""
    done = subprocess.run([N2N, "bench", *words], capture_output=True, text=True, timeout=60,
                          env={**os.environ, **env})
    return done.returncode, done.stdout, done.stderr


def results(*words, **env):
    """{(cipher, library): result} of a run with --json."""
    status, out, err = bench("crypto", "--json", *words, **env)
    assert status == 0 and err == "" and out.count("\n") == 1, (status, out, err)
    return {(r["cipher"], r["library"]): r for r in json.loads(out)["ciphers"]}


def check_results(found):
    for suite in SUITES:
        chosen = [lib for (s, lib), r in found.items() if s == suite and r["chosen"]]
        assert len(chosen) == 1, f"{suite} is run by {chosen}"
    for key, r in found.items():
        assert [p["bytes"] for p in r["packets"]] == LENGTHS, key
        for p in r["packets"]:
            for work in ("seal", "open"):
                assert p[f"{work}_ns"] > 0, (key, p)
                speed = 8 * p["bytes"] / p[f"{work}_ns"]
                assert abs(p[f"{work}_gbit_s"] / speed - 1) < 0.001, (key, p)


def check_table():
    status, out, _ = bench("crypto")
    assert status == 0
    rows = [line for line in out.splitlines() if line.split(" ")[0] in SUITES]
    columns = re.compile(r"\S+ +\S+( \*)? +(seal|open)( +[0-9]+ +[0-9]+\.[0-9]){4}")
    assert len(rows) >= 6 and all(columns.fullmatch(row) for row in rows), out
    assert sum(" * " in row for row in rows) == 4, out


def check_absent(found, table):
    assert {library for _, library in found} <= BUILT_IN, found.keys()
    assert "libipsec-mb is not there" in table and "libipsec-mb1" in table, table


def check_usage():
    for words in ((), ("nets",), ("crypto", "more"), ("crypto", "--disable=foo")):
        status, out, err = bench(*words)
        assert status == 2 and out == "" and err.startswith("n2n: "), (words, status, out, err)


def main():
    found = results()
    check_results(found)
    check_table()
    step(f"measured {', '.join(sorted({library for _, library in found}))}")
    without = results("--disable=ipsec-mb")
    check_results(without)
    check_absent(without, bench("crypto", "--disable=ipsec-mb")[1])
    step("without libipsec-mb the others do, and the package is named")
    with Net("sn") as net:
        broken = pathlib.Path(net.dir) / "broken"
        broken.mkdir()
        (broken / "libIPSec_MB.so.1").write_text("not a library")
        check_absent(results(LD_LIBRARY_PATH=str(broken)),
                     bench("crypto", LD_LIBRARY_PATH=str(broken))[1])
        step("a broken libipsec-mb is as good as none")
        sn = net["sn"]
        for words in ((), ("--disable=ipsec-mb",)):
            supernode = sn.supernode("-l", 7654, *words)
            used = sn.status("supernode-7654")["node"]["cipher_providers"]
            allowed = without if words else found
            assert set(used) == SUITES and set(used.items()) <= set(allowed), used
            supernode.stop()
        step("a supernode uses what is there, and what is not disabled")
    check_usage()
    step("errors of the command line")


main()
