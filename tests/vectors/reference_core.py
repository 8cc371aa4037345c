#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second implementation, part two: identities, the handshake and its keys, written from
docs/PROTOCOL.md (sections 2, 4.2, 5 and 7.4), the Noise specification, draft-irtf-cfrg-cpace, RFC 9496
and RFC 9106, sharing nothing with the C code. Standard library only; not meant for use.

    reference_core.py --write    makes core.json beside this file; stretching takes some minutes
    reference_core.py --check    says whether core.json is what this file makes, stretching apart
"""

import hashlib
import hmac
import json
import os
import struct
import sys

sys.dont_write_bytecode = True

import reference as ref
from reference import blake2b, some

# --- ristretto255, RFC 9496 ----------------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
SQRT_AD_MINUS_ONE = 25063068953384623474111414158702152701244531502492656460079210482610430750235
INVSQRT_A_MINUS_D = 54469307008909316920995813868745141605393597292927456921205312896311721017578
NEUTRAL = (0, 1, 1, 0)


def negative(x):
    return x % P & 1


def absolute(x):
    return -x % P if negative(x) else x % P


def sqrt_ratio(u, v):
    r = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    check = v * r * r % P
    u %= P
    if check in (-u % P, -u * SQRT_M1 % P):
        r = r * SQRT_M1 % P
    return check in (u, -u % P), absolute(r)


def point_add(a, b):
    (x1, y1, z1, t1), (x2, y2, z2, t2) = a, b
    m, n = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2)
    c, d = 2 * t1 * D * t2, 2 * z1 * z2
    e, f, g, h = n - m, d - c, d + c, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def point_mul(k, a):
    result = NEUTRAL
    for bit in bin(k)[2:]:
        result = point_add(result, result)
        if bit == "1":
            result = point_add(result, a)
    return result


def point_encode(a):
    x, y, z, t = a
    u1, u2 = (z + y) * (z - y), x * y
    _, inv = sqrt_ratio(1, u1 * u2 * u2)
    den1, den2 = inv * u1, inv * u2
    z_inv = den1 * den2 * t
    if negative(t * z_inv):
        x, y, den2 = y * SQRT_M1, x * SQRT_M1, den1 * INVSQRT_A_MINUS_D
    if negative(x * z_inv):
        y = -y
    return absolute(den2 * (z - y)).to_bytes(32, "little")


def point_decode(data):
    s = int.from_bytes(data, "little")
    u1, u2 = 1 - s * s, 1 + s * s
    v = -D * u1 * u1 - u2 * u2
    square, inv = sqrt_ratio(1, v * u2 * u2)
    x = absolute(2 * s * inv * u2)
    y = u1 * inv * inv * u2 * v % P
    t = x * y % P
    assert s < P and not negative(s) and square and not negative(t) and y != 0
    return x, y, 1, t


def point_map(t):
    r = SQRT_M1 * t * t
    u, v = (r + 1) * (1 - D * D), (-1 - r * D) * (r + D)
    square, s = sqrt_ratio(u, v)
    c = -1
    if not square:
        s, c = -absolute(s * t), r
    n = c * (r - 1) * (D - 1) ** 2 - v
    w0, w1, w2, w3 = 2 * s * v, n * SQRT_AD_MINUS_ONE, 1 - s * s, 1 + s * s
    return w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P


def point_from_hash(data):
    halves = (int.from_bytes(h, "little") & (1 << 255) - 1 for h in (data[:32], data[32:]))
    return point_add(*map(point_map, halves))


# --- Argon2id, RFC 9106 --------------------------------------------------------------------------

M32 = 0xFFFFFFFF
M64 = ref.M64


def argon_hash(data, size):
    data = struct.pack("<I", size) + data
    if size <= 64:
        return blake2b(size, data)
    out, v = b"", blake2b(64, data)
    while size - len(out) > 64:
        out += v[:32]
        v = blake2b(min(64, size - len(out)), v)
    return out + v


ROWS = [[16 * i + j for j in range(16)] for i in range(8)]
COLUMNS = [[16 * i + 2 * j + k for i in range(8) for k in (0, 1)] for j in range(8)]
QUARTERS = [(i, i + 4, i + 8, i + 12) for i in range(4)] + [
    (i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12) for i in range(4)
]
STEPS = [tuple(group[k] for k in q) for group in ROWS + COLUMNS for q in QUARTERS]


def argon_compress(x, y):
    """Two blocks of 128 words."""
    r = [a ^ b for a, b in zip(x, y)]
    z = list(r)
    for ia, ib, ic, id_ in STEPS:
        a, b, c, d = z[ia], z[ib], z[ic], z[id_]
        a = a + b + 2 * (a & M32) * (b & M32) & M64
        d ^= a
        d = d >> 32 | d << 32 & M64
        c = c + d + 2 * (c & M32) * (d & M32) & M64
        b ^= c
        b = b >> 24 | b << 40 & M64
        a = a + b + 2 * (a & M32) * (b & M32) & M64
        d ^= a
        d = d >> 16 | d << 48 & M64
        c = c + d + 2 * (c & M32) * (d & M32) & M64
        b ^= c
        z[ia], z[ib], z[ic], z[id_] = a, b >> 63 | b << 1 & M64, c, d
    return [a ^ b for a, b in zip(r, z)]


def argon2id(password, salt, memory, passes, lanes, size, secret=b"", ad=b""):
    lv = lambda b: struct.pack("<I", len(b)) + b
    h0 = struct.pack("<6I", lanes, size, memory, passes, 0x13, 2) + lv(password) + lv(salt) + lv(secret) + lv(ad)
    h0 = blake2b(64, h0)
    segment = memory // (4 * lanes)
    q = 4 * segment
    block = lambda j, i: list(struct.unpack("<128Q", argon_hash(h0 + struct.pack("<II", j, i), 1024)))
    b = [[block(0, i), block(1, i)] + [None] * (q - 2) for i in range(lanes)]
    zero = [0] * 128

    def fill(turn, part, lane):
        fixed = turn == 0 and part < 2
        for index in range(2 if turn == part == 0 else 0, segment):
            if fixed and (index % 128 == 0 or (index == 2 and part == 0)):
                head = [turn, lane, part, q * lanes, passes, 2, index // 128 + 1]
                addresses = argon_compress(zero, argon_compress(zero, head + [0] * 121))
            j = part * segment + index
            previous = b[lane][j - 1]
            j1, j2 = divmod(addresses[index % 128] if fixed else previous[0], 1 << 32)[::-1]
            from_lane = lane if turn == part == 0 else j2 % lanes
            area = (part if turn == 0 else 3) * segment
            if from_lane == lane:
                area += index - 1
            elif index == 0:
                area -= 1
            at = area - 1 - (area * (j1 * j1 >> 32) >> 32)
            start = 0 if turn == 0 else (part + 1) % 4 * segment
            new = argon_compress(previous, b[from_lane][(start + at) % q])
            b[lane][j] = [x ^ y for x, y in zip(new, b[lane][j])] if turn else new

    for turn in range(passes):
        for part in range(4):
            for lane in range(lanes):
                fill(turn, part, lane)
    last = [0] * 128
    for lane in b:
        last = [x ^ y for x, y in zip(last, lane[-1])]
    return argon_hash(struct.pack("<128Q", *last), size)


def check_primitives():
    # RFC 9496, A.1 and A.3.
    base = point_decode(bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"))
    assert point_encode(NEUTRAL) == bytes(32)
    assert point_encode(point_mul(2, base)).hex().startswith("6a493210f7499cd1")
    assert point_encode(point_mul(L, base)) == bytes(32)
    text = b"Ristretto is traditionally a short shot of espresso coffee"
    mapped = point_encode(point_from_hash(hashlib.sha512(text).digest()))
    assert mapped.hex() == "3066f82a1a747d45120d1740f14358531a8f04bbffe6a819f86dfe50f44a0a46"
    # RFC 9106, 5.3.
    tag = argon2id(bytes([1] * 32), bytes([2] * 16), 32, 3, 4, 32, bytes([3] * 8), bytes([4] * 12))
    assert tag.hex() == "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"


# --- PROTOCOL.md 2: identities -------------------------------------------------------------------

BASE = (9).to_bytes(32, "little")


def static(seed, *what):
    secret = blake2b(32, b"".join(what), key=seed)
    return secret, ref.x25519(secret, BASE)


def prologue(role, mode, tag, key_index):
    return b"n2n4" + bytes([1, role, mode]) + tag + struct.pack(">H", key_index)


def party(role, mode, tag, key_index, keys, psk, env_key, prs=b""):
    return {
        "secret": keys[0],
        "public": keys[1],
        "tag": tag,
        "psk": psk,
        "prs": prs,
        "env_key": env_key,
        "prologue": prologue(role, mode, tag, key_index),
        "key_index": key_index,
    }


def member_key(community, key, seed):
    keys = static(seed, b"n2n4 static", community)
    env = ref.env_key_community(blake2b(32, b"n2n4 env", key=key), keys[1])
    return party(1, 1, community, 1, keys, blake2b(32, b"n2n4 psk", key=key), env)


def member_passphrase(name, prs, seed):
    tag = blake2b(16, b"n2n4 tag" + name)
    keys = static(seed, b"n2n4 static", tag)
    psk = blake2b(32, b"n2n4 psk pass" + tag)
    return party(1, 2, tag, 0, keys, psk, ref.env_key_passphrase(tag, keys[1]), prs)


def hop(seed, tag, supernode):
    keys = static(seed, b"n2n4 hop", tag, supernode)
    return party(2, 0, bytes(16), 0, keys, bytes(32), ref.env_key_hop(keys[1]))


def supernode_party(secret):
    keys = secret, ref.x25519(secret, BASE)
    return party(2, 0, bytes(16), 0, keys, bytes(32), ref.env_key_hop(keys[1]))


def stretch(name, passphrase):
    salt = blake2b(16, b"n2n4 pw salt" + bytes([len(name)]) + name)
    return argon2id(passphrase, salt, 64 * 1024, 3, 1, 32)


# --- PROTOCOL.md 5: handshake --------------------------------------------------------------------


def hkdf_expand(prk, info, size):
    out, block = b"", b""
    while len(out) < size:
        block = hmac.digest(prk, block + info + bytes([len(out) // 32 + 1]), "sha256")
        out += block
    return out[:size]


def noise_hkdf(ck, ikm, n):
    out = hkdf_expand(hmac.digest(ck, ikm, "sha256"), b"", 32 * n)
    return [out[32 * i : 32 * i + 32] for i in range(n)]


class Noise:
    """The state of one who knows both sides' secrets: it writes what either side would."""

    def __init__(self, prologue_, responder_public):
        self.h = hashlib.sha256(b"Noise_IKpsk1_25519_ChaChaPoly_SHA256").digest()
        self.ck = self.h
        self.mix_hash(prologue_)
        self.mix_hash(responder_public)

    def mix_hash(self, data):
        self.h = hashlib.sha256(self.h + data).digest()

    def mix_key(self, ikm):
        self.ck, self.k = noise_hkdf(self.ck, ikm, 2)
        self.n = 0

    def mix_psk(self, psk):
        self.ck, extra, self.k = noise_hkdf(self.ck, psk, 3)
        self.n = 0
        self.mix_hash(extra)

    def ephemeral(self, secret):
        public = ref.x25519(secret, BASE)
        self.mix_hash(public)
        self.mix_key(public)
        return public

    def seal(self, text):
        sealed = ref.chachapoly_seal(self.k, struct.pack("<IQ", 0, self.n), text, self.h)
        self.n += 1
        self.mix_hash(sealed)
        return sealed

    def message1(self, e, s, rs, psk, text):
        out = self.ephemeral(e)
        self.mix_key(ref.x25519(e, rs))
        out += self.seal(ref.x25519(s, BASE))
        self.mix_key(ref.x25519(s, rs))
        self.mix_psk(psk)
        return out + self.seal(text)

    def message2(self, e, initiator_ephemeral, initiator_static, text):
        out = self.ephemeral(e)
        self.mix_key(ref.x25519(e, initiator_ephemeral))
        self.mix_key(ref.x25519(e, initiator_static))
        return out + self.seal(text)


def lv(data):
    """As CPace puts strings in a row; all of ours are shorter than 128 bytes."""
    assert len(data) < 128
    return bytes([len(data)]) + data


class CPace:
    def __init__(self, i, r, ephemeral_public):
        dsi, self.sid = b"CPaceRistretto255", blake2b(32, ephemeral_public)[:16]
        ci = lv(i["prologue"]) + lv(i["public"]) + lv(r["public"])
        zeros = bytes(128 - 1 - len(lv(dsi)) - len(lv(i["prs"])))
        text = lv(dsi) + lv(i["prs"]) + lv(zeros) + lv(ci) + lv(self.sid)
        self.g = point_from_hash(hashlib.sha512(text).digest())

    def share(self, uniform):
        scalar = int.from_bytes(uniform, "little") % L
        return scalar, point_encode(point_mul(scalar, self.g))

    def key(self, scalar, theirs, ya, yb):
        k = point_encode(point_mul(scalar, point_decode(theirs)))
        text = lv(b"CPaceRistretto255_ISK") + lv(self.sid) + lv(k) + lv(ya) + lv(b"") + lv(yb) + lv(b"")
        return hashlib.sha512(text).digest()


def direction(prk, h, name, transform):
    data = hkdf_expand(prk, b"n2n4 data " + name + bytes([transform]) + h, 44)
    return {
        "key": data[:32],
        "iv": data[32:],
        "mask": hkdf_expand(prk, b"n2n4 mask " + name + b"\0" + h, 16),
        "hop": hkdf_expand(prk, b"n2n4 hop " + name + b"\0" + h, 16),
    }


def handshake(name, i, r, caps, transform, hop_masks=None):
    """Both messages and all keys. Random bytes are named in the order in which they are drawn."""
    drawn = {k: some(f"{name} {k}", n) for k, n in (("ei", 32), ("er", 32), ("ui", 64), ("ur", 64))}
    common = {"mtu": 1376, "caps": caps, "key_indexes": [i["key_index"], 0, 0, 0]}
    one = dict(common, freshness=1790000000001, transforms=6, generation=3, incarnation=0x11111111)
    two = dict(common, freshness=0, transforms=1 << transform, generation=5, incarnation=0x22222222)
    aux = b""
    ephemeral = ref.x25519(drawn["ei"], BASE)
    if i["prs"]:
        cpace = CPace(i, r, ephemeral)
        (a, one["share"]), (b, two["share"]) = cpace.share(drawn["ui"]), cpace.share(drawn["ur"])
        aux = cpace.key(a, two["share"], one["share"], two["share"])
        assert aux == cpace.key(b, one["share"], one["share"], two["share"])
    if hop_masks:
        one["hop_mask"], two["hop_mask"] = hop_masks
    n = Noise(i["prologue"], r["public"])
    noise1 = n.message1(drawn["ei"], i["secret"], r["public"], i["psk"], ref.payload(one))
    noise2 = n.message2(drawn["er"], ephemeral, i["public"], ref.payload(two))
    prk = hmac.digest(n.ck, aux, "sha256")
    return {
        "name": name,
        "caps": caps,
        "transform": transform,
        "one": one,
        "two": two,
        "random_1": drawn["ei"] + (drawn["ui"] if aux else b""),
        "random_2": (drawn["ur"] if aux else b"") + drawn["er"],
        "noise1": noise1,
        "noise2": noise2,
        "hash": n.h,
        "isk": aux,
        "prk": prk,
        "i2r": direction(prk, n.h, b"i2r", transform),
        "r2i": direction(prk, n.h, b"r2i", transform),
    }


# --- The vectors ---------------------------------------------------------------------------------

SEEDS = some("seed of one device", 32), some("seed of another", 32)
COMMUNITY, KEY = some("community id", 16), some("community key", 32)
NAME, PRS = "Gemeinschaft ü".encode(), some("stretched passphrase", 32)
SUPERNODE = some("secret of a supernode", 32)
STRETCH = [("mynetwork", "encryptme"), ("n" * 64, "Grüße, 世界")]


def handshakes():
    k = [member_key(COMMUNITY, KEY, s) for s in SEEDS]
    p = [member_passphrase(NAME, PRS, s) for s in SEEDS]
    sn = supernode_party(SUPERNODE)
    masks = some("hop mask of the edge", 16), some("hop mask of the supernode", 16)
    yield handshake("key", k[0], k[1], 0, 2)
    yield handshake("key, AES", k[1], k[0], 1, 1)
    yield handshake("passphrase", p[0], p[1], 0, 2)
    yield handshake("passphrase, AES", p[1], p[0], 1, 1)
    yield handshake("hop", hop(SEEDS[0], COMMUNITY, sn["public"]), sn, 1, 2, masks)


def make(stretched):
    check_primitives()
    sn = supernode_party(SUPERNODE)
    shakes = list(handshakes())
    me = member_key(COMMUNITY, KEY, SEEDS[0])
    return {
        "given": {
            "seeds": SEEDS,
            "community": COMMUNITY,
            "key": KEY,
            "name": NAME,
            "prs": PRS,
            "supernode_secret": SUPERNODE,
        },
        "key_parties": [member_key(COMMUNITY, KEY, s) for s in SEEDS],
        "passphrase_parties": [member_passphrase(NAME, PRS, s) for s in SEEDS],
        "hop_parties": [hop(s, COMMUNITY, sn["public"]) for s in SEEDS],
        "supernode": sn,
        "stretch": stretched,
        "handshakes": shakes,
        "register": {
            "hash": shakes[4]["hash"],
            "proof": ref.register_proof(me["secret"], sn["public"], shakes[4]["hash"], COMMUNITY, me["public"]),
        },
    }


def stretch_vectors():
    for name, passphrase in STRETCH:
        name, passphrase = name.encode(), passphrase.encode()
        yield {"name": name, "passphrase": passphrase, "prs": stretch(name, passphrase)}


def as_text(stretched):
    return json.dumps(ref.to_json(make(stretched)), indent=1) + "\n"


def main():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "core.json")
    if sys.argv[1:] == ["--write"]:
        text = as_text(list(stretch_vectors()))
        with open(path, "w") as f:
            f.write(text)
        return 0
    if sys.argv[1:] != ["--check"]:
        print("usage: reference_core.py --write | --check", file=sys.stderr)
        return 2
    with open(path) as f:
        text = f.read()
    if text == as_text(json.loads(text)["stretch"]):
        return 0
    print(f"{path} is not what reference_core.py makes: run reference_core.py --write and look", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
