# SPDX-License-Identifier: GPL-3.0-or-later
"""What n2n is to reach, and whether a run did. Every goal is a ratio in the same round to another
way, so that it does not depend on the machine; see Results.ratio()."""

import collections

Goal = collections.namedtuple("Goal", "metric way sign factor others")
AT_LEAST, AT_MOST, BELOW = ">=", "<=", "<"
ENCRYPTING = ("every encrypting peer",)
# The newer one counts, if there are both.
WIREGUARD_GO = ("wgnew", "wggo")
SINGLE_FRAME = ("n2n1", "tinc", "openvpn")

GOALS = [
    *(Goal(m, "n2n", AT_LEAST, 0.6, ("vxlan",)) for m in ("tcp1", "tcp1r", "tcp4", "tcp4r")),
    *(Goal(m, "n2n", AT_LEAST, 3, WIREGUARD_GO) for m in ("tcp1", "tcp4")),
    *(Goal(m, "n2n", AT_LEAST, 15, (peer,)) for m in ("tcp1", "tcp4") for peer in SINGLE_FRAME),
    *(Goal(m, "n2n", AT_LEAST, 0.45, ("vxlan",)) for m in ("plain:tcp1", "plain:tcp4")),
    Goal("udp64", "n2n", AT_LEAST, 1.0, ("vxlan",)),
    *(Goal(m, "relayed", AT_LEAST, 0.4, ("n2n",)) for m in ("tcp1", "tcp4")),
    Goal("idle p50", "n2n", AT_MOST, 2.5, ("vxlan",)),
    Goal("loaded p99", "n2n", BELOW, 1.0, ENCRYPTING),
    Goal("cpu", "n2n", AT_MOST, 0.5, ENCRYPTING),
    # Full frames, each in two pieces.
    *(Goal(m, full, AT_LEAST, 0.5, (whole,)) for m in ("tcp1", "tcp4")
      for full, whole in (("n2n-1500", "n2n"), ("n2n-br-1500", "n2n-br"))),
]
IDLE_PERCENT = 0.3
# What a bridge takes from n2n, beside what it takes from VXLAN.
BRIDGED = ("tcp1", "tcp4", "udp64")
BRIDGED_PART = 0.95


def compare(sign, value, limit):
    return {AT_LEAST: value >= limit, AT_MOST: value <= limit, BELOW: value < limit}[sign]


def opponent(goal, results):
    """Which way to compare with, and the ratio to it: of "every", the one that is worst for us."""
    others = results.peers() if goal.others == ENCRYPTING else goal.others
    ratios = [(results.ratio(goal.metric, goal.way, other), other) for other in others]
    ratios = [(ratio, other) for ratio, other in ratios if ratio is not None]
    if not ratios:
        return None, None
    return max(ratios) if goal.others == ENCRYPTING else ratios[0]


def judge(goal, results):
    """One row: metric, way, what is wanted, what was reached, the verdict."""
    ratio, other = opponent(goal, results)
    titles = {key: way["title"] for key, way in results.ways.items()}
    named = titles.get(other, goal.others[0])
    name = goal.others[0] if goal.others == ENCRYPTING else named
    row = {"metric": goal.metric, "way": titles.get(goal.way, goal.way),
           "wanted": f"{goal.sign} {goal.factor:g} x {name}", "reached": "",
           "verdict": "not measured"}
    if ratio is not None:
        row["reached"] = f"{ratio:.2f}" + (f" ({named})" if name != named else "")
        row["verdict"] = "met" if compare(goal.sign, ratio, goal.factor) else "missed"
    return row


def judge_bridged(metric, results):
    """n2n with bridges by n2n without, beside the same of VXLAN."""
    own, vxlan = (results.ratio(metric, f"{way}-br", way) for way in ("n2n", "vxlan"))
    row = {"metric": metric, "way": "n2n bridged by direct",
           "wanted": f">= {BRIDGED_PART:g} x kernel VXLAN's", "reached": "",
           "verdict": "not measured"}
    if own is not None and vxlan:
        row["reached"] = f"{own:.2f} by {vxlan:.2f}: {own / vxlan:.2f}"
        row["verdict"] = "met" if own >= BRIDGED_PART * vxlan else "missed"
    return row


def judge_idle(results):
    row = {"metric": "CPU of an edge with 50 idle peers", "way": "n2n",
           "wanted": f"< {IDLE_PERCENT} % of a core", "reached": "", "verdict": "not measured"}
    if results.idle:
        row["reached"] = f"{results.idle['percent']:.2f} %"
        row["verdict"] = "met" if results.idle["percent"] < IDLE_PERCENT else "missed"
    return row


def judge_all(results):
    return [*(judge(goal, results) for goal in GOALS),
            *(judge_bridged(metric, results) for metric in BRIDGED), judge_idle(results)]
