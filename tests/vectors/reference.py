#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second implementation of the wire formats, written from docs/PROTOCOL.md (sections 4.1 to 4.6, 5.3,
6.1 to 6.4 and 7) and sharing nothing with the C code. Standard library only, primitives included; not
constant-time and not meant for use.

    reference.py --write    makes wire.json beside this file
    reference.py --check    says whether wire.json is what this file makes; exit 1 if not
"""

import hashlib
import json
import os
import struct
import sys

# --- Primitives, each checked below against its published vector ---------------------------------

M64 = (1 << 64) - 1


def rotl(x, n, bits):
    return (x << n | x >> (bits - n)) & ((1 << bits) - 1)


def siphash(key, data, size):
    """SipHash-2-4 with 8 or 16 bytes of output."""
    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]
    if size == 16:
        v[1] ^= 0xEE

    def rounds(n):
        for _ in range(n):
            v[0] = (v[0] + v[1]) & M64
            v[2] = (v[2] + v[3]) & M64
            v[1] = rotl(v[1], 13, 64) ^ v[0]
            v[3] = rotl(v[3], 16, 64) ^ v[2]
            v[0] = rotl(v[0], 32, 64)
            v[2] = (v[2] + v[1]) & M64
            v[0] = (v[0] + v[3]) & M64
            v[1] = rotl(v[1], 17, 64) ^ v[2]
            v[3] = rotl(v[3], 21, 64) ^ v[0]
            v[2] = rotl(v[2], 32, 64)

    def result():
        return struct.pack("<Q", v[0] ^ v[1] ^ v[2] ^ v[3])

    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) & 0xFF])
    for (m,) in struct.iter_unpack("<Q", padded):
        v[3] ^= m
        rounds(2)
        v[0] ^= m
    v[2] ^= 0xEE if size == 16 else 0xFF
    rounds(4)
    out = result()
    if size == 16:
        v[1] ^= 0xDD
        rounds(4)
        out += result()
    return out


def chacha_rounds(state):
    x = list(state)

    def quarter(a, b, c, d):
        for n1, n2 in ((16, 12), (8, 7)):
            x[a] = (x[a] + x[b]) & 0xFFFFFFFF
            x[d] = rotl(x[d] ^ x[a], n1, 32)
            x[c] = (x[c] + x[d]) & 0xFFFFFFFF
            x[b] = rotl(x[b] ^ x[c], n2, 32)

    for _ in range(10):
        for i in range(4):
            quarter(i, i + 4, i + 8, i + 12)
        for i in range(4):
            quarter(i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12)
    return x


def chacha_state(key, last16):
    return list(struct.unpack("<16I", b"expand 32-byte k" + key + last16))


def chacha20(key, counter, nonce, data):
    out = bytearray()
    for i in range(0, len(data), 64):
        state = chacha_state(key, struct.pack("<I", counter + i // 64) + nonce)
        words = [(a + b) & 0xFFFFFFFF for a, b in zip(chacha_rounds(state), state)]
        out += bytes(a ^ b for a, b in zip(data[i : i + 64], struct.pack("<16I", *words)))
    return bytes(out)


def poly1305(key, data):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    s = int.from_bytes(key[16:], "little")
    acc = 0
    for i in range(0, len(data), 16):
        acc = (acc + int.from_bytes(data[i : i + 16] + b"\x01", "little")) * r % ((1 << 130) - 5)
    return ((acc + s) & ((1 << 128) - 1)).to_bytes(16, "little")


def chachapoly_seal(key, nonce, text, ad):
    sealed = chacha20(key, 1, nonce, text)
    pad = lambda b: b + bytes(-len(b) % 16)
    lengths = struct.pack("<QQ", len(ad), len(sealed))
    return sealed + poly1305(chacha20(key, 0, nonce, bytes(32)), pad(ad) + pad(sealed) + lengths)


def xchachapoly_seal(key, nonce, text, ad):
    x = chacha_rounds(chacha_state(key, nonce[:16]))
    subkey = struct.pack("<8I", *x[:4], *x[12:])
    return chachapoly_seal(subkey, bytes(4) + nonce[16:], text, ad)


def x25519(secret, public):
    p = 2**255 - 19
    k = int.from_bytes(secret, "little") & ~(1 << 255) & ~7 | 1 << 254
    u = int.from_bytes(public, "little") & ~(1 << 255)
    x2, z2, x3, z3 = 1, 0, u, 1
    for bit in range(254, -1, -1):
        swap = k >> bit & 1
        if swap:
            x2, x3, z2, z3 = x3, x2, z3, z2
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % p, b * b % p, d * a % p, c * b % p
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % p, u * (da - cb) ** 2 % p
        x2, z2 = aa * bb % p, e * (aa + 121665 * e) % p
        if swap:
            x2, x3, z2, z3 = x3, x2, z3, z2
    return (x2 * pow(z2, p - 2, p) % p).to_bytes(32, "little")


def blake2b(size, data, key=b""):
    return hashlib.blake2b(data, digest_size=size, key=key).digest()


def check_primitives():
    count = bytes(range(64))
    # SipHash paper, appendix A; and vectors.h of the reference code for 128 bits.
    assert siphash(count[:16], count[:15], 8).hex() == "e545be4961ca29a1"
    assert siphash(count[:16], b"", 16).hex() == "a3817f04ba25a8e66df67214c7550293"
    # RFC 7748, 5.2.
    assert (
        x25519(
            bytes.fromhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
            bytes.fromhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
        ).hex()
        == "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
    )
    # RFC 8439, 2.8.2, and draft-irtf-cfrg-xchacha, A.3.1: the same text, AD and key.
    text = (
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
        b"future, sunscreen would be it."
    )
    ad = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    key = bytes(range(0x80, 0xA0))
    sealed = chachapoly_seal(key, bytes.fromhex("070000004041424344454647"), text, ad)
    assert sealed[-16:].hex() == "1ae10b594f09e26a7e902ecbd0600691"
    sealed = xchachapoly_seal(key, bytes(range(0x40, 0x58)), text, ad)
    assert sealed[-16:].hex() == "c0875924c1c7987947deafd8780acf49"


# --- PROTOCOL.md 4: envelopes --------------------------------------------------------------------


def envelope(key, nonce, body, ad=b""):
    return nonce + xchachapoly_seal(key, nonce, body, ad)


def env_key_hop(r):
    return blake2b(32, b"n2n4 env hop" + r)


def env_key_community(env, r):
    return blake2b(32, r, key=env)


def env_key_passphrase(tag, r):
    return blake2b(32, b"n2n4 env pass" + tag + r)


def env_key_hello():
    return blake2b(32, b"n2n4 env hello")


def init_covered(m):
    return struct.pack(">BBIHHH", 0x10, 1, m["sender"], m["key_index"], 0, len(m["noise"])) + m["noise"]


def init_mac2(m, cookie):
    return blake2b(16, init_covered(m), key=cookie)


def init_body(m):
    return init_covered(m) + m["mac2"] + m["pad"]


def response_body(m):
    head = struct.pack(">BBHIIH", 0x20, 1, 0, m["sender"], m["receiver"], len(m["noise"]))
    return head + m["noise"] + bytes(16) + m["pad"]


def cookie_body(m):
    return struct.pack(">BBIBBH", 0x30, 1, m["receiver"], 0, m["reason"], 0) + m["cookie"]


def hello_body(m):
    return struct.pack(">BBH", 0x70, 1, m["answer"]) + m["static_public"] + bytes(16) + struct.pack(">Q", m["freshness"]) + m["pad"]


# --- PROTOCOL.md 5.3: payload --------------------------------------------------------------------


def tlv(kind, value):
    return struct.pack(">BH", kind, len(value)) + value


def payload(m):
    out = struct.pack(
        ">QIIIIH4HH",
        m["freshness"],
        m["caps"],
        m["transforms"],
        m["generation"],
        m["incarnation"],
        m["mtu"],
        *m["key_indexes"],
        m.get("result", 0),
    )
    if "share" in m:
        out += tlv(1, m["share"])
    if "hop_mask" in m:
        out += tlv(2, m["hop_mask"])
    return out


# --- PROTOCOL.md 6: packets ----------------------------------------------------------------------


def data_header(m):
    first = (5 if m.get("group") else 4) << 4 | m["kind"] << 2 | m["piece"]
    second = m["cipher"] << 4 | m["csum_unset"]
    return struct.pack(">BBII", first, second, m["index"], m["counter"])


def mask(packet, n, key):
    m = siphash(key, packet[-16:], 16)
    return bytes(a ^ b for a, b in zip(packet[:n], m)) + packet[n:]


def data_packet(m):
    """Before masking; transform 2."""
    header = data_header(m)
    number = int.from_bytes(m["iv"], "big") ^ m["counter"]
    return header + chachapoly_seal(m["key"], number.to_bytes(12, "big"), m["text"], header)


def relay_header(m):
    return struct.pack(">BBIII", 0x60 | m.get("group", 0), m["hop_limit"], m["index"], m["counter"], m["handle"])


def relay_packet(m):
    header, inner = relay_header(m), m["inner"]
    mac = siphash(m["mac_key"], header + struct.pack(">H", len(inner)) + inner[-16:], 8)
    return mask(header + mac + inner, 14, m["mask_key"])


# --- PROTOCOL.md 9.8: frames of bridges ----------------------------------------------------------


def loop_frame(m):
    vlan = struct.pack(">HH", 0x88A8 if m["service"] else 0x8100, m["vlan"]) if m["vlan"] else b""
    frame = b"\xff" * 6 + m["source"] + vlan + struct.pack(">HIBBBB", 0x88B5, 0x6E326E34, 1, m["kind"], m["flags"], 0)
    frame += m["tag"] + struct.pack(">I", m["number"])
    return frame.ljust(60 + len(vlan), b"\0")


# --- PROTOCOL.md 7: control messages -------------------------------------------------------------


def control(kind, seq, body):
    return struct.pack(">BBHI", kind, 0, len(body), seq) + body


def endpoint(e):
    return e["ip"] + struct.pack(">H", e["port"])


def counted(data):
    return bytes([len(data)]) + data


def roster_entry(e):
    flags = e["gone"] | e.get("twice", 0) << 1
    head = struct.pack(">BII", flags, e["handle"], e["incarnation"])
    return head + e["static_public"] + counted(e["locator"])


def statics(keys):
    return bytes([len(keys)]) + b"".join(k["static_public"] for k in keys)


def register_proof(edge_secret, supernode_public, h, tag, static_public):
    key = x25519(edge_secret, supernode_public)
    return blake2b(32, b"n2n4 register" + h + tag + static_public, key=key)[:16]


CONTROL_TYPES = {
    "ack": (1, lambda m: bytes([len(m["ranges"])]) + b"".join(struct.pack(">II", *r) for r in m["ranges"])),
    "ping": (2, lambda m: struct.pack(">Q", m["token"])),
    "pong": (3, lambda m: struct.pack(">Q", m["token"]) + endpoint(m["observed"])),
    "register": (
        4,
        lambda m: m["tag"]
        + m["static_public"]
        + m["proof"]
        + struct.pack(">IQ", m["incarnation"], m["roster_version"])
        + counted(m["locator"]),
    ),
    "registered": (
        5,
        lambda m: struct.pack(">BIH", m["result"], m["handle"], m["lease_s"])
        + endpoint(m["observed"])
        + bytes([m.get("twice", 0)]),
    ),
    "unregister": (6, lambda m: b""),
    "roster": (
        7,
        lambda m: struct.pack(">QQBB", m["base"], m["version"], m["last"], len(m["entries"]))
        + b"".join(map(roster_entry, m["entries"])),
    ),
    "bye": (8, lambda m: bytes([m["reason"]])),
    "candidates": (
        9,
        lambda m: m["mask"]
        + bytes([m["port_count"], len(m["candidates"])])
        + b"".join(bytes([c["kind"]]) + endpoint(c["endpoint"]) for c in m["candidates"]),
    ),
    "path_probe": (10, lambda m: struct.pack(">Q", m["token"])),
    "path_echo": (11, lambda m: struct.pack(">Q", m["token"]) + endpoint(m["observed"])),
    "claim": (
        12,
        lambda m: m["mac"]
        + bytes([m["roles"]])
        + m["tag"]
        + bytes([len(m["addresses"])])
        + b"".join(a["ip"] + bytes([a["prefix"]]) for a in m["addresses"]),
    ),
    "vouch_ask": (20, lambda m: statics(m["statics"])),
    "vouch": (21, lambda m: statics(m["statics"])),
    "claim_refused": (22, lambda m: m["mac"] + m["owner"]),
    "group_key": (
        13,
        lambda m: struct.pack(">IBB", m["index"], m["suite"], "verify" in m)
        + m["key"]
        + m["iv"]
        + m["mask"]
        + struct.pack(">I", m["floor"])
        + m.get("verify", b""),
    ),
    "group_ask": (14, lambda m: struct.pack(">I", m["index"])),
    "listeners": (15, lambda m: bytes([m["all"], len(m["groups"])]) + b"".join(g["mac"] for g in m["groups"])),
    "names": (16, lambda m: counted(m["community"])),
    "fanout": (
        23,
        lambda m: struct.pack(">BIIBB", m["set"], m["from"], m["to"], len(m["gone"]), len(m["new"]))
        + b"".join(struct.pack(">I", h) for h in m["gone"] + m["new"]),
    ),
    "fanned": (
        24,
        lambda m: struct.pack(
            ">BIIII", m["set"], m["has"], m["refused"], m["packets_s"], m["bytes_s"]
        ),
    ),
}


def control_message(name, seq, m):
    kind, body = CONTROL_TYPES[name]
    return control(kind, seq, body(m))


# --- The vectors ---------------------------------------------------------------------------------


def some(label, n):
    """n bytes that look random and are the same each time."""
    return hashlib.shake_256(b"n2n4 vectors " + label.encode()).digest(n)


def v4(a, b, c, d, port):
    return {"ip": bytes(10) + b"\xff\xff" + bytes([a, b, c, d]), "port": port}


def v6(words, port):
    return {"ip": struct.pack(">8H", *words), "port": port}


SIX = v6([0x2001, 0xDB8, 0, 0, 0, 0, 0, 0x17], 65535)
NONE = {"ip": bytes(16), "port": 0}
U32 = 0xFFFFFFFF
U64 = (1 << 64) - 1
RESPONDER = some("responder static", 32)
INITIATOR = some("initiator static", 32)
TAG = some("tag", 16)
ENV = some("env subkey", 32)


def envelope_vectors():
    init = {
        "sender": 0x01020304,
        "key_index": 1,
        "noise": some("noise 1", 132),
        "mac2": bytes(16),
        "pad": some("pad init", 77),
    }
    again = dict(init, sender=U32, key_index=0, noise=some("noise 1 again", 186), pad=b"")
    cookie = some("cookie", 16)
    again["mac2"] = init_mac2(again, cookie)
    widest = dict(init, key_index=0xFFFF, noise=some("noise widest", 887), pad=some("widest pad", 255))
    response = {
        "sender": 0x0A0B0C0D,
        "receiver": 0x01020304,
        "noise": some("noise 2", 84),
        "pad": some("pad response", 46),
    }
    refusal = {"receiver": U32, "reason": 1, "cookie": cookie}
    ask = {"answer": 0, "static_public": bytes(32), "freshness": 0, "pad": some("pad hello", 100)}
    answer = {"answer": 1, "static_public": RESPONDER, "freshness": 0x0102030405060708,
              "pad": some("pad answer", 9)}
    init_tag = envelope(env_key_passphrase(TAG, RESPONDER), some("nonce 1", 24), init_body(again))[-16:]
    ask_tag = envelope(env_key_hello(), some("nonce 6", 24), hello_body(ask))[-16:]
    rows = [
        ("init", init, init_body, env_key_community(ENV, RESPONDER), b""),
        ("init", again, init_body, env_key_passphrase(TAG, RESPONDER), b""),
        ("init", widest, init_body, env_key_hop(RESPONDER), b""),
        ("response", response, response_body, env_key_community(ENV, INITIATOR), b""),
        ("response", dict(response, pad=b""), response_body, env_key_hop(INITIATOR), b""),
        ("cookie", refusal, cookie_body, env_key_passphrase(TAG, RESPONDER), init_tag),
        ("hello", ask, hello_body, env_key_hello(), b""),
        ("hello", answer, hello_body, env_key_hello(), ask_tag),
    ]
    for i, (name, m, body, key, ad) in enumerate(rows):
        nonce = some(f"nonce {i}", 24)
        yield {
            "message": name,
            "fields": m,
            "body": body(m),
            "key": key,
            "nonce": nonce,
            "ad": ad,
            "datagram": envelope(key, nonce, body(m), ad),
        }


def mac2_vectors():
    m = {"sender": 7, "key_index": 3, "noise": some("noise mac2", 132)}
    cookie = some("cookie mac2", 16)
    yield {"cookie": cookie, "fields": m, "mac2": init_mac2(m, cookie)}


def key_vectors():
    yield {
        "static_public": RESPONDER,
        "tag": TAG,
        "env": ENV,
        "hop": env_key_hop(RESPONDER),
        "community": env_key_community(ENV, RESPONDER),
        "passphrase": env_key_passphrase(TAG, RESPONDER),
        "hello": env_key_hello(),
    }


def proof_vectors():
    base = (9).to_bytes(32, "little")
    edge, supernode = some("edge secret", 32), some("supernode secret", 32)
    hash_ = some("handshake hash", 32)
    public = x25519(edge, base)
    yield {
        "edge_secret": edge,
        "supernode_secret": supernode,
        "edge_public": public,
        "supernode_public": x25519(supernode, base),
        "hash": hash_,
        "tag": TAG,
        "proof": register_proof(edge, x25519(supernode, base), hash_, TAG, public),
    }


def payload_vectors():
    plain = {
        "freshness": 1790000000000,
        "caps": 1,
        "transforms": 6,
        "generation": 1,
        "incarnation": 0xDEADBEEF,
        "mtu": 1376,
        "key_indexes": [1, 0, 0, 0],
    }
    full = {
        "freshness": U64,
        "caps": U32,
        "transforms": U32,
        "generation": U32,
        "incarnation": U32,
        "mtu": 0xFFFF,
        "key_indexes": [0xFFFF, 2, 3, 4],
    }
    for m in (
        plain,
        dict(plain, share=some("share", 32)),
        dict(plain, hop_mask=some("hop mask", 16)),
        dict(full, share=some("share", 32), hop_mask=some("hop mask", 16)),
        dict(plain, hop_mask=some("hop mask", 16), result=6),
    ):
        yield {"fields": m, "bytes": payload(m)}


def data_vectors():
    key, iv = some("packet key", 32), some("packet iv", 12)
    whole, first, last = 0, 1, 2
    frame = some("frame in halves", 1515)
    for i, (kind, piece, csum, index, counter, text) in enumerate(
        [
            (0, whole, 0, 0x11223344, 0, b""),
            (0, whole, 1, U32, (1 << 28) - 1, some("frame", 1390)),
            (3, whole, 0, 1, 0x01020304, control_message("ping", 0, {"token": 5})),
            (0, first, 1, 0x55667788, 0x00FFFFFF, frame[:758]),
            (0, last, 1, 0x55667788, 0x01000000, frame[758:]),
            (0, whole, 0, 0x99AABBCC, 7, some("group frame", 60)),
        ]
    ):
        m = {
            "kind": kind,
            "piece": piece,
            "cipher": 2,
            "csum_unset": csum,
            "index": index,
            "counter": counter,
            "key": key,
            "iv": iv,
            "text": text,
            "group": int(index == 0x99AABBCC),
        }
        mask_key = some(f"mask {i}", 16)
        clear = data_packet(m)
        yield {"fields": m, "mask_key": mask_key, "clear": clear, "datagram": mask(clear, 10, mask_key)}


def relay_vectors():
    inners = [d["datagram"] for d in data_vectors()] + [e["datagram"] for e in envelope_vectors()][:1]
    for i, inner in enumerate(inners):
        m = {
            "hop_limit": 2 if i else 0,
            "index": some(f"relay index {i}", 4),
            "counter": i * 0x01010101,
            "handle": U32 - i,
            "mac_key": some("hop mac key", 16),
            "mask_key": some(f"hop mask key {i}", 16),
            "inner": inner,
            "group": int(i % 3 == 1),
        }
        m["index"] = int.from_bytes(m["index"], "big")
        yield {"fields": m, "header": relay_header(m), "datagram": relay_packet(m)}


def loop_frame_vectors():
    for i, (kind, flags, vlan, service) in enumerate(
        [(1, 0, 0, 0), (1, 5, 0, 0), (1, 3, 5, 0), (1, 2, 4095, 1), (2, 0, 0, 0), (2, 0, 4000, 0)]
    ):
        tag = some(f"loop tag {i}", 16)
        m = {
            "source": b"\x0a" + tag[:5] if kind == 1 else some(f"announced {i}", 6),
            "vlan": vlan,
            "service": service,
            "kind": kind,
            "flags": flags,
            "tag": tag,
            "number": U32 - i if kind == 1 else 0,
        }
        yield {"fields": m, "frame": loop_frame(m)}


def control_vectors():
    def entry(i, gone, locator):
        return {
            "gone": gone,
            "handle": 0x80000000 + i,
            "incarnation": 0 if gone else 0x51515151 * i & U32,
            "static_public": some(f"member {i}", 32),
            "locator": locator,
        }

    register = {
        "tag": TAG,
        "static_public": INITIATOR,
        "proof": some("proof", 16),
        "incarnation": U32,
        "roster_version": U64,
        "locator": some("locator", 32),
    }
    many = [entry(i, 0, b"") for i in range(24)]
    rows = [
        ("ack", 0, {"ranges": []}),
        ("ack", 0, {"ranges": [[1, 1]]}),
        ("ack", 0, {"ranges": [[i * 10, U32 - i] for i in range(16)]}),
        ("ping", 0, {"token": U64}),
        ("pong", 0, {"token": 1, "observed": v4(192, 0, 2, 1, 7654)}),
        ("pong", 0, {"token": 0, "observed": NONE}),
        ("register", 1, dict(register, incarnation=0, roster_version=0, locator=b"")),
        ("register", U32, register),
        ("registered", 2, {"result": 0, "handle": 0x12345678, "lease_s": 120, "observed": SIX}),
        ("registered", 2, {"result": 0, "handle": 1, "lease_s": 30, "observed": SIX, "twice": 1}),
        ("registered", 3, {"result": 2, "handle": 0, "lease_s": 0, "observed": NONE}),
        ("registered", 3, {"result": 255, "handle": 0, "lease_s": 65535, "observed": NONE}),
        ("unregister", 0, {}),
        ("roster", 4, {"base": 0, "version": 1, "last": 1, "entries": []}),
        (
            "roster",
            5,
            {
                "base": 41,
                "version": U64,
                "last": 0,
                "entries": [entry(1, 0, some("loc", 8)), entry(2, 1, b""), entry(3, 0, some("loc", 32))],
            },
        ),
        ("roster", 6, {"base": 0, "version": 9, "last": 1, "entries": many}),
        ("roster", 6, {"base": 9, "version": 10, "last": 1, "entries": [dict(entry(1, 0, b""), twice=1)]}),
        ("bye", 0, {"reason": 1}),
        ("candidates", 7, {"mask": some("direct mask", 16), "port_count": 1, "candidates": []}),
        (
            "candidates",
            8,
            {
                "mask": some("direct mask", 16),
                "port_count": 1,
                "candidates": [{"kind": 1, "endpoint": v4(10, 0, 0, 2, 40000)}, {"kind": 2, "endpoint": SIX}],
            },
        ),
        (
            "candidates",
            9,
            {
                "mask": bytes(16),
                "port_count": 255,
                "candidates": [
                    {"kind": i, "endpoint": v4(198, 51, 100, i + 1, 1000 + i)} for i in range(16)
                ],
            },
        ),
        ("path_probe", 0, {"token": 0x0102030405060708}),
        ("path_echo", 0, {"token": 0x0102030405060708, "observed": SIX}),
        (
            "claim",
            10,
            {
                "mac": bytes.fromhex("025e10000001"),
                "roles": 0,
                "tag": bytes(16),
                "addresses": [],
            },
        ),
        (
            "claim",
            11,
            {
                "mac": bytes.fromhex("025e10000001"),
                "roles": 11,
                "tag": some("loop tag", 16),
                "addresses": [
                    {"ip": v4(10, 1, 2, 1, 0)["ip"], "prefix": 24},
                    {"ip": SIX["ip"], "prefix": 128},
                    {"ip": v4(10, 1, 2, 2, 0)["ip"], "prefix": 32},
                ]
                + [{"ip": some(f"address {i}", 16), "prefix": i} for i in range(5)],
            },
        ),
        ("vouch_ask", 0, {"statics": [{"static_public": some(f"static {i}", 32)} for i in range(2)]}),
        ("vouch", 0, {"statics": []}),
        ("vouch", 0, {"statics": [{"static_public": some(f"static {i}", 32)} for i in range(32)]}),
        ("claim_refused", 0, {"mac": bytes.fromhex("025e10000001"), "owner": some("owner", 16)}),
        ("claim_refused", 0, {"mac": bytes.fromhex("525400010203"), "owner": bytes(16)}),
        (
            "group_key",
            12,
            {
                "index": 0x01020304,
                "suite": 2,
                "key": some("group key", 32),
                "iv": some("group iv", 12),
                "mask": some("group mask", 16),
                "floor": 0,
            },
        ),
        (
            "group_key",
            13,
            {
                "index": 0xFFFFFFFF,
                "suite": 1,
                "key": some("group key 2", 32),
                "iv": some("group iv 2", 12),
                "mask": some("group mask 2", 16),
                "floor": 0x00ABCDEF,
                "verify": some("verify", 32),
            },
        ),
        ("group_ask", 0, {"index": 0x01020304}),
        ("listeners", 14, {"all": 1, "groups": []}),
        ("listeners", 15, {"all": 0, "groups": [{"mac": bytes.fromhex("01005e7ffffa")}, {"mac": bytes.fromhex("3333000000fb")}]}),
        ("names", 16, {"community": b""}),
        ("names", 17, {"community": "Büro".encode()}),
        ("fanout", 0, {"set": 0, "from": 0, "to": 1, "gone": [], "new": [7, 0x80000001]}),
        ("fanout", 0, {"set": 15, "from": 9, "to": 0x0FFFFFFF, "gone": [7], "new": []}),
        ("fanned", 0, {"set": 3, "has": 9, "refused": 4, "packets_s": 200, "bytes_s": 125000}),
    ]
    for name, seq, m in rows:
        yield {"message": name, "seq": seq, "fields": m, "bytes": control_message(name, seq, m)}


U64_FIELDS = ("freshness", "token", "roster_version", "base", "version")


def to_json(v, name=""):
    """Byte strings and 64-bit numbers become hexadecimal."""
    if isinstance(v, bytes):
        return v.hex()
    if isinstance(v, dict):
        return {k: to_json(x, k) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [to_json(x) for x in v]
    if isinstance(v, int) and name in U64_FIELDS:
        return f"{v:016x}"
    return v


def make():
    check_primitives()
    return {
        "envelopes": list(envelope_vectors()),
        "mac2": list(mac2_vectors()),
        "envelope_keys": list(key_vectors()),
        "register_proof": list(proof_vectors()),
        "payloads": list(payload_vectors()),
        "data": list(data_vectors()),
        "relay": list(relay_vectors()),
        "loop_frames": list(loop_frame_vectors()),
        "control": list(control_vectors()),
    }


def main():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "wire.json")
    text = json.dumps(to_json(make()), indent=1) + "\n"
    if sys.argv[1:] == ["--write"]:
        with open(path, "w") as f:
            f.write(text)
        return 0
    if sys.argv[1:] != ["--check"]:
        print("usage: reference.py --write | --check", file=sys.stderr)
        return 2
    with open(path) as f:
        if f.read() == text:
            return 0
    print(f"{path} is not what reference.py makes: run reference.py --write and look", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
