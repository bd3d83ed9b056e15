"""Writes commitment.json: the protocol's commitments by a second, plain implementation (Python, no third party).

    python3 test/vectors/commitment.py > test/vectors/commitment.json
"""

import hashlib
import json
import struct

MASK = (1 << 64) - 1


def rotate(value, by):
    by %= 64
    return ((value << by) | (value >> (64 - by))) & MASK


def keccak_f(lanes):
    """Keccak-f[1600] on a 5 x 5 list of lanes, with the round constants' LFSR instead of a table (Keccak reference, 1.2)."""
    lfsr = 1
    for _ in range(24):
        columns = [lanes[x][0] ^ lanes[x][1] ^ lanes[x][2] ^ lanes[x][3] ^ lanes[x][4] for x in range(5)]
        theta = [columns[(x + 4) % 5] ^ rotate(columns[(x + 1) % 5], 1) for x in range(5)]
        lanes = [[lanes[x][y] ^ theta[x] for y in range(5)] for x in range(5)]
        x, y, current = 1, 0, lanes[1][0]
        for t in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, lanes[x][y] = lanes[x][y], rotate(current, (t + 1) * (t + 2) // 2)
        for y in range(5):
            row = [lanes[x][y] for x in range(5)]
            for x in range(5):
                lanes[x][y] = row[x] ^ (~row[(x + 1) % 5] & MASK & row[(x + 2) % 5])
        for j in range(7):
            lfsr = ((lfsr << 1) ^ ((lfsr >> 7) * 0x71)) % 256
            if lfsr & 2:
                lanes[0][0] ^= 1 << ((1 << j) - 1)
    return lanes


def keccak256(data):
    rate = 136
    padded = bytearray(data) + b"\x01" + bytes(-(len(data) + 1) % rate)
    padded[-1] |= 0x80
    lanes = [[0] * 5 for _ in range(5)]
    for block in range(0, len(padded), rate):
        for position in range(rate // 8):
            lanes[position % 5][position // 5] ^= int.from_bytes(padded[block + 8 * position : block + 8 * position + 8], "little")
        lanes = keccak_f(lanes)
    return b"".join(lanes[i % 5][i // 5].to_bytes(8, "little") for i in range(4))


def root(leaves):
    level = list(leaves)
    while len(level) & (len(level) - 1):
        level.append(bytes(32))
    while len(level) > 1:
        level = [keccak256(level[i] + level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


def words(count, salt):
    return [(i * 2654435761 + salt * 40503) % 2**32 for i in range(count)]


def tiles(tensor):
    padded = tensor + [0] * (64 - len(tensor) % 64 if len(tensor) % 64 or not tensor else 0)
    return [hashlib.sha256(struct.pack("<64I", *padded[t : t + 64])).digest() for t in range(0, len(padded), 64)]


def tensor_root(tensor):
    return root(tiles(tensor))


def hexed(value):
    return "0x" + value.hex()


def integer(value):
    return (value % 2**256).to_bytes(32, "big")


def digest_position(beacon, verifier, step, counts):
    x = int.from_bytes(keccak256(beacon + integer(verifier) + integer(step)), "big")
    tensor = x % len(counts)
    return [tensor, (x >> 64) % max(1, -(-counts[tensor] // 64))]


def main():
    zero = [bytes(32)]
    for _ in range(32):
        zero.append(keccak256(zero[-1] + zero[-1]))
    counts = [0, 1, 2, 63, 64, 65, 127, 128, 129, 192, 1000, 4096, 5000]
    states = [[1], [64, 1], [1000, 3, 65], [10, 20, 30, 40, 4096]]
    steps = [1, 2, 3, 5, 8]
    samples = [[1, 1], [3, 10], [5, 64], [7, 65], [4, 200]]
    beacon, verifier = keccak256(b"beacon"), int.from_bytes(keccak256(b"verifier")[:20], "big")
    task, salt = keccak256(b"task"), keccak256(b"salt")
    digest_counts = [5000, 1, 64, 65, 640]
    partials = [(-1) ** i * 7**i for i in range(16)]
    vectors = {
        "keccak": [[f"{n:02x}" * n, hexed(keccak256(bytes([n]) * n))] for n in (0, 1, 135, 136, 137)],
        "zero": [hexed(z) for z in zero],
        "tensors": [{"count": c, "salt": c, "root": hexed(tensor_root(words(c, c)))} for c in counts],
        "states": [
            {"counts": s, "root": hexed(root([tensor_root(words(c, p)) for p, c in enumerate(s)]))} for s in states
        ],
        "segments": [
            {"steps": n, "root": hexed(root([keccak256(integer(leaf)) for leaf in range(2 * n)]))} for n in steps
        ],
        "datasets": [
            {
                "samples": n,
                "sampleWords": w,
                "root": hexed(root([tensor_root(words(n * w, 9)[i * w : (i + 1) * w]) for i in range(n)])),
            }
            for n, w in samples
        ],
        "descriptors": hexed(root([hashlib.sha256(bytes(range(n))).digest() for n in (1, 2, 3)])),
        "partials": {"values": [str(p) for p in partials], "root": hexed(root([integer(p) for p in partials]))},
        "digest": {
            "beacon": hexed(beacon),
            "verifier": "0x" + verifier.to_bytes(20, "big").hex(),
            "counts": digest_counts,
            "positions": [digest_position(beacon, verifier, i, digest_counts) for i in range(12)],
        },
        "seal": {
            "taskId": hexed(task),
            "segment": 7,
            "salt": hexed(salt),
            "digestRoot": hexed(beacon),
            "seal": hexed(keccak256(task + integer(7) + integer(verifier) + salt + beacon)),
        },
    }
    print(json.dumps(vectors, indent=2))


main()
