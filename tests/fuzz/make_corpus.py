#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the seeds of the fuzz targets of wire and core in corpus/, with the reference implementation of
tests/vectors. Run it after a change of the wire; the files are checked in."""

import itertools
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "vectors"))
sys.dont_write_bytecode = True

import reference as ref  # noqa: E402

ZERO_KEY = bytes(32)
MACS = b"\x02\0\0\0\0\2\x02\0\0\0\0\1"
SEED_MAX = 320


def sized(data):
    return len(data).to_bytes(2, "big") + data


def op(action, source=0):
    return bytes([action << 2 | source])


def repeat(source, index, *changes):
    """A recorded datagram, the index-th from the newest, with bytes changed: pairs of place and bits."""
    changed = b"".join(place.to_bytes(2, "big") + bytes([bits]) for place, bits in changes)
    return op(1, source) + bytes([index, len(changes)]) + changed


def held(arrival):
    """The same as part of a batch, which the next operation without this mark ends."""
    return bytes([arrival[0] | 0x80]) + arrival[1:]


def core_seeds():
    """Inputs of fuzz_edge_in, fuzz_supernode_in and fuzz_edge_frames: see step() there."""
    messages = [v["bytes"] for v in ref.control_vectors()]
    bodies = [v["body"] for v in ref.envelope_vectors() if len(v["body"]) < 400]
    second, minutes = op(7) + b"\x09", (op(7) + b"\x3f") * 45
    traffic, hold, release = op(6), op(6, 1), op(6)
    both = [
        b"".join(op(0, s) + sized(ref.some(f"noise {s} {n}", n)) for s in range(4) for n in (0, 25, 26, 90, 1200)),
        b"".join(repeat(s, i) for s in range(4) for i in range(12)),
        b"".join(repeat(0, i, (0, 0x10), (5, 1)) + repeat(1, i, (12, 0x80)) for i in range(20)),
        b"".join(op(3, 2) + sized(b) for b in bodies),
        hold + traffic * 3 + repeat(1, 0) + repeat(2, 1) + second * 3 + release + traffic,
        minutes + traffic + repeat(0, 40) + minutes,
        hold + second * 20 + release + second * 10 + traffic,
    ]
    batches = [
        hold + traffic * 20 + b"".join(held(repeat(s, i)) for i in reversed(range(20))) + release + traffic
        for s in range(4)
    ]
    batches += [
        hold + traffic * 30 + b"".join(held(repeat(i % 2, i, *[(30, 1)] * (i % 5 == 0))) for i in range(40)) + minutes,
        hold
        + traffic * 5
        + b"".join(held(repeat(i % 2, i % 7)) + held(op(0, i % 4) + sized(b"n" * i)) for i in range(60)),
    ]
    for target in "edge_in", "supernode_in":
        for data in both:
            yield target, data
    for i in range(0, len(messages), 4):
        group = messages[i : i + 4]
        for action in 4, 5:
            yield "edge_in", b"".join(op(action) + sized(m) + second for m in group)
        for who in 0, 1:
            yield "supernode_in", b"".join(op(5, who) + sized(m) + second for m in group)
    for body in bodies:
        yield "supernode_in", op(4, 2) + sized(body) + op(4, 0) + sized(body)
    frames = [ref.some(f"frame {n}", n) for n in (0, 1, 2, 3, 46, 1000, 1502)]
    for kind in 0, 1, 4, 5:
        yield "edge_frames", b"\x07" + b"".join(bytes([kind]) + sized(f) for f in frames)
    yield "edge_frames", b"".join(b"\x02" + bytes([2]) + sized(f) for f in frames)
    for data in offload_seeds():
        for options in 0xF0, 0x00:
            yield "edge_frames", super_frames(options, data)
    for target in "edge_in", "supernode_in":
        for data in batches:
            yield target, data
    listed = op(5) + sized(roster_of_strangers())
    words = op(4, 3) + b"\x20" + bytes(range(32))
    yield "edge_in", listed + (second + words) * 6
    yield "edge_in", listed + second * 2 + words + minutes
    for n in 0, 1, 32:
        question = op(4, 2) + bytes([n])
        yield "edge_in", (question + bytes(n) + question + bytes(range(n))) * 2 + listed + question + b"\xfe" * n
    yield "edge_in", op(4, 2) + b"\x02\xff" + sized(b"short") + b"\xff" + sized(ref.some("anybody", 32))
    for how in 1, 3:
        for freshness in b"\0" * 8, b"\0\0\x01\x8b" + bytes(4), b"\xff" * 8:
            answers = b"".join(op(5, 2) + bytes([how | tag]) + freshness for tag in (0, 4))
            yield "edge_in", hold + minutes[:6] + (second + answers) * 3 + release + second * 20


def roster_of_strangers():
    """So many new members that there are not guesses for all: others are asked for a word."""
    return next(v["bytes"] for v in ref.control_vectors() if len(v["fields"].get("entries", [])) == 24)


def offload_seeds():
    """Inputs of fuzz_offload: kinds; then facts, segment size and length before each frame."""

    def frame(kind, size, body, places=0):
        return struct.pack(">HHH", places << 8 | 0x30 | kind, size, len(body)) + body

    def ip4(proto, body, number=7, flags=0x4000):
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), number, flags, 64, proto, 0) + b"\x0a\0\0\1\x0a\0\0\2"
        total = sum(struct.unpack(">10H", head))
        total = (total & 0xFFFF) + (total >> 16)
        return MACS + b"\x08\0" + head[:10] + struct.pack(">H", total ^ 0xFFFF) + head[12:] + body

    def ip6(proto, body, extensions=b""):
        first = 60 if extensions else proto
        head = struct.pack(">IHBB", 6 << 28, len(extensions + body), first, 64) + ref.some("addresses", 32)
        return MACS + b"\x86\xdd" + head + extensions + body

    def tcp(body, flags=0x18, seq=1, options=b""):
        return struct.pack(">HHIIBBHHH", 1, 2, seq, 3, 80 + 4 * len(options), flags, 9, 0, 0) + options + body

    def udp(body):
        return struct.pack(">HHHH", 5, 6, 8 + len(body), 0) + body

    every = b"\xff\xff"
    text = ref.some("offload", 300)
    options = b"\1\1\x08\x0a" + bytes(8)
    rest = bytes([17, 0]) + bytes(6)
    yield every + frame(1, 100, ip4(6, tcp(text, 0x99, 0xFFFFFFF0, options)))
    yield every + frame(2, 70, ip6(6, tcp(text)))
    yield every + frame(2, 70, ip6(6, tcp(text), bytes([6, 0]) + bytes(6)))
    yield every + frame(3, 90, ip4(17, udp(text))) + frame(3, 90, ip6(17, udp(text)))
    yield every + frame(3, 299, ip6(17, udp(text), rest))
    tagged = ip4(6, tcp(text))
    yield every + frame(1, 60, tagged[:12] + b"\x81\0\0\x05" + tagged[12:])
    yield every + b"".join(frame(0, 0, ip4(6, tcp(text, 0x10, 300 * i), i), 34) for i in range(4))
    yield every + b"".join(frame(1, 50, ip4(6, tcp(text[:100], 0x10, 100 * i), 2 * i)) for i in range(4))
    yield every + frame(0, 0, ip4(17, udp(text), 1, 0x2000)) + frame(0, 0, text) + frame(0, 0, text[:9])


def super_frames(options, data):
    """An input of fuzz_offload as a batch of fuzz_edge_frames, its frames without their MAC addresses."""
    out, n, rest = b"", 0, data[2:]
    while rest:
        facts, size, length = struct.unpack(">HHH", rest[:6])
        out += b"\x09" + struct.pack(">BBH", facts & 0xFF, facts >> 8, size) + sized(rest[18 : 6 + length])
        n, rest = n + 1, rest[6 + length :]
    return bytes([options | n - 1]) + out


def seeds():
    """Pairs of target and bytes."""
    bodies = [v["body"] for v in ref.envelope_vectors()]
    for i, body in enumerate(bodies):
        yield "envelope", body
        yield "envelope", ref.envelope(ZERO_KEY, ref.some(f"seed nonce {i}", 24), body)
    for v in ref.payload_vectors():
        yield "payload", v["bytes"]
    yield "payload", next(ref.payload_vectors())["bytes"] + ref.tlv(3, b"credential") + ref.tlv(99, b"")
    messages = [v["bytes"] for v in ref.control_vectors()]
    for message in messages:
        yield "control", message
    yield "control", b"".join(m for m in messages if len(m) < 60)
    yield "control", ref.control(0, 0, bytes(9)) + ref.control(200, 77, b"of a later version")
    for v in ref.data_vectors():
        yield "data_header", v["clear"]
        yield "data_header", ref.mask(v["clear"], 10, bytes(16))
    clear = next(ref.data_vectors())["clear"]
    for piece in (1, 2, 3):
        yield "data_header", bytes([clear[0] | piece]) + clear[1:]
    for v in ref.relay_vectors():
        m = dict(v["fields"], mask_key=bytes(16), mac_key=bytes(16))
        packet = ref.relay_packet(m)
        yield "relay_header", packet
        yield "relay_header", ref.mask(packet, 14, bytes(16))
    for v in ref.loop_frame_vectors():
        yield "loop_frame", v["frame"]
        yield "loop_frame", v["frame"][:45]


def pieces_seeds():
    """Inputs of fuzz_pieces: see step() there."""
    def half(last, index=4, counter=0, length=700, later=0, unset=0, times=0):
        what = last | unset << 1 | (4 | times // 8 << 3 if times else 0)
        return struct.pack(">BBBHB", what, index, counter + last, length, later)

    yield half(0) + half(1)
    yield half(1, length=699) + half(0)
    yield half(0, later=255) + half(1, later=255)
    yield half(0, times=248) + half(1, times=248) + half(0, times=8)
    yield half(0) + half(1, length=701) + half(0, counter=4, unset=1) + half(1, counter=4)
    yield b"".join(half(0, index=i, times=128) for i in range(0, 80, 4)) + half(0, index=81) + half(1, index=81)
    yield b"".join(half(i % 2, index=4 * (i // 2)) for i in range(40)) + half(0, later=255)
    yield b"".join(half(0, index=4 * i, times=16 + i, later=i // 16) for i in range(64)) * 2


def bench_seeds():
    """Messages of n2n bench as src/ctl/bench_message.h has them, and a datagram."""
    def message(kind, streams=0, token=0, amount=0, time_ns=0, version=1):
        return struct.pack(">4sHBBQQQ", b"n2nb", version, kind, streams, token, amount, time_ns)

    yield message(1)
    yield message(2)
    for step in (4, 5):
        yield message(step, streams=4, time_ns=2 * 10**9)
    for step in (6, 7, 8):
        yield message(step, time_ns=30 * 10**9)
    yield message(9, token=0x1122334455667788)
    yield message(12, amount=10**10, time_ns=2 * 10**9)
    yield message(1, version=2)
    yield struct.pack(">QI10x", 0x1122334455667788, 7)


def first_hop_seeds():
    """Frames that speak of the first hop, plain, tagged, behind extension headers and in fragments."""
    ends, link = bytes(12), bytes(15)
    arp = b"\x08\x06\0\1\x08\0\6\4\0\1" + bytes(6) + b"\x0a\1\2\3" + bytes(10)
    udp = b"\0\x43\0\x44\0\x30\0\0" + b"\2" + bytes(39)
    ip4 = b"\x08\0\x45\0\0\x44\0\0\x20\0\x40\x11\0\0" + bytes(8)
    for type_ in (133, 134, 135, 136, 137):
        icmp = bytes([type_]) + bytes(7) + b"\xfd" + link + b"\2\1" + bytes(6)
        for chain in ((), (0,), (60, 44), (44, 60), (51, 43), (60,) * 9):
            first, *rest = (*chain, 58)
            head = b"\x86\xdd\x60" + bytes(5) + bytes([first, 255]) + b"\xfd" + link + b"\xff" + link
            body = b"".join(bytes([after]) + bytes(7) for after in rest)
            yield ends + head + body + icmp
    for frame in (arp, ip4 + udp, b"\x86\xdd\x60" + bytes(5) + b"\x11\xff" + bytes(32)
                  + b"\2\x23\2\x22" + bytes(30)):
        yield ends + frame
        yield ends + b"\x88\xa8\0\5\x81\0\0\0" + frame
        yield ends + b"\0\x40\xaa\xaa\3\0\0\0" + frame
        yield ends + b"\x81\0\0\0" * 5 + frame
    for head, protocol, message in ((0x4f, 17, udp), (0x04, 17, udp), (0x47, 1, b"\x05" * 60)):
        yield (ends + b"\x08\0" + bytes([head]) + bytes(8) + bytes([protocol]) + bytes(2)
               + b"\x0a\1\2\3" * 2 + message)
    ours = b"\2\0\0\0\x09\x09"
    yield (b"\xff" * 6 + ours + b"\x08\x06\0\1\x08\0\6\4\0\1" + ours + b"\x0a\1\2\x09" + bytes(6)
           + b"\x0a\1\2\3")
    yield (b"\x33\x33\xff\x12\x34\x56" + ours + b"\x86\xdd\x60" + bytes(4) + b"\x20\x3a\xff\xfd" + bytes(14)
           + b"\x09\xff\2" + bytes(9) + b"\1\xff\x12\x34\x56\x87\0\x0b\xbb" + bytes(4) + b"\xfd" + bytes(12)
           + b"\x12\x34\x56\1\1" + ours)


def igmp(message, to, tag=b""):
    body = message[:2] + ref_sum(message).to_bytes(2, "big") + message[4:]
    head = b"\x46\xc0" + (24 + len(body)).to_bytes(2, "big") + bytes(4) + b"\1\2\0\0" + bytes(4) + to + b"\x94\4\0\0"
    head = head[:10] + ref_sum(head).to_bytes(2, "big") + head[12:]
    return b"\1\0\x5e" + to[1:] + bytes(6) + tag + b"\x08\0" + head + body


def mld(message, to, tag=b""):
    ends = b"\xfe\x80" + bytes(13) + b"\1" + to
    full = ref_sum(ends + len(message).to_bytes(4, "big") + b"\0\0\0\x3a" + message)
    message = message[:2] + full.to_bytes(2, "big") + message[4:]
    head = b"\x60\0\0\0" + (8 + len(message)).to_bytes(2, "big") + b"\0\1"
    return b"\x33\x33" + to[12:] + bytes(6) + tag + b"\x86\xdd" + head + ends + b"\x3a\0\5\2\0\0\1\0" + message


def ref_sum(data):
    """RFC 1071; the field itself is zero."""
    total = sum(int.from_bytes(data[i:i + 2].ljust(2, b"\0"), "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def membership_seeds():
    """Reports, leaves and queries of each version, plain and tagged, and what makes routers known."""
    group, tag = b"\xef\1\2\3", b"\x81\0\0\5"
    group6 = b"\xff\5" + bytes(13) + b"\7"
    for t in (b"", tag, b"\x88\xa8\0\6" + tag):
        for kind in (0x11, 0x12, 0x16, 0x17, 0x30):
            yield igmp(bytes([kind, 20, 0, 0]) + group, group, t)
        yield igmp(b"\x11\x8a\0\0" + group + b"\2\x7d\0\0", b"\xe0\0\0\1", t)
        records = b"".join(bytes([k, k == 5, 0, k % 3]) + group + group * (k % 3) + bytes(4 * (k == 5))
                           for k in range(1, 8))
        yield igmp(b"\x22\0\0\0\0\0\0\7" + records, b"\xe0\0\0\x16", t)
        for kind in (130, 131, 132, 151):
            yield mld(bytes([kind, 0, 0, 0, 3, 0xe8, 0, 0]) + group6, group6, t)
        yield mld(b"\x82\0\0\0\x8f\0\0\0" + group6 + b"\2\x7d\0\0", group6, t)
        records = b"".join(bytes([k, 0, 0, k % 3]) + group6 + group6 * (k % 3) for k in range(1, 8))
        yield mld(b"\x8f\0\0\0\0\0\0\7" + records, b"\xff\2" + bytes(13) + b"\x16", t)


def main():
    count = {}
    small = ((t, d) for t, d in seeds() if len(d) <= SEED_MAX or t == "control")
    offload = (("offload", d) for d in offload_seeds())
    bench = (("bench_message", d) for d in bench_seeds())
    first_hop = (("first_hop", d) for d in first_hop_seeds())
    pieces = (("pieces", d) for d in pieces_seeds())
    membership = (("membership", d) for d in membership_seeds())
    for target, data in itertools.chain(small, core_seeds(), offload, pieces, bench, first_hop, membership):
        folder = os.path.join(HERE, "corpus", target)
        os.makedirs(folder, exist_ok=True)
        count[target] = count.get(target, 0) + 1
        with open(os.path.join(folder, f"seed-{count[target]:02d}"), "wb") as f:
            f.write(data)
    for target, n in sorted(count.items()):
        print(f"{target}: {n} seeds")


if __name__ == "__main__":
    main()
