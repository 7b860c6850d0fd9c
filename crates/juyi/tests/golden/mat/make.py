"""Writes the .mat files of this folder and expected.json: what scipy.io.loadmat and whosmat read in them.

Made with Python 3, scipy 1.17.1 and numpy 2.4.6. Run: python make.py

plain.mat, packed.mat   the same variables by scipy.io.savemat, uncompressed and compressed
matlab.mat              by hand as MATLAB -v7 stores: each variable deflated, doubles as uint8, text as UTF-16
big.mat                 by hand: the same, big-endian and not deflated
refused.mat             by savemat: what cannot be read as a matrix or a list of strings
bad-*.mat               by hand: claims beyond the file or beyond 1 MiB, damage, other formats

"refused" in expected.json is what the error of the reader must say; scipy has no part in that.
"""

import json
import struct
import zlib
from pathlib import Path

import numpy as np
import scipy.io
import scipy.sparse

here = Path(__file__).parent
rng = np.random.default_rng(0)


def strings(values):
    cell = np.empty((len(values), 1), dtype=object)
    cell[:, 0] = values
    return cell


features = rng.integers(0, 200, (12, 7)).astype(np.uint8)
holes = scipy.sparse.random(9, 5, 0.3, "csc", random_state=0)
plain = {
    "fts": features,
    "labels": np.arange(12, dtype=np.uint8)[:, None] % 3 + 1,
    "x": rng.normal(size=(3, 4)),
    "single": rng.normal(size=(4, 2)).astype(np.float32),
    "long": np.array([[-(2**53) + 1, 2**40, 7]], dtype=np.int64),
    "flags": np.array([[True, False, True]]),
    "scalar": 2.5,
    "empty": np.zeros((0, 3)),
    "holes": holes,
    "word": "naïve 😀",
    "chars": np.array(["cat", "horse", "ox"]),
    "cell": strings(["amazon", "dslr", "", "webcam"]),
    "row": strings(["a", "名前"]).T,
    **{f"i{name}": np.array([[low, 0, high]], dtype=name) for name, low, high in [
        ("int8", -128, 127), ("int16", -(2**15), 2**15 - 1), ("int32", -(2**31), 2**31 - 1),
        ("uint16", 0, 2**16 - 1), ("uint32", 0, 2**32 - 1), ("uint64", 0, 2**53 - 1)]},
}
scipy.io.savemat(here / "plain.mat", plain)
scipy.io.savemat(here / "packed.mat", plain, do_compression=True)
unreadable = "must be a real matrix or a list of strings, is "
refused = {
    "cube": (np.zeros((2, 3, 4)), unreadable + "2 x 3 x 4 double"),
    "imaginary": (np.array([[1j]]), unreadable + "1 x 1 complex double"),
    "record": ({"a": 1.0}, unreadable + "1 x 1 struct"),
    "nested": (strings(["a", strings(["b"])]), "cell 2 must be a string, is 1 x 1 cell"),
    "numbers": (strings(["a", np.eye(2)]), "cell 2 must be a string, is 2 x 2 double"),
    "table": (np.array([["a", "b"], ["c", "d"]], dtype=object), unreadable + "2 x 2 cell"),
    "huge": (np.array([[2**60]]), "has a 64-bit integer beyond 2^53"),
}
scipy.io.savemat(here / "refused.mat", {"kept": 1.0, **{name: value for name, (value, _) in refused.items()}})


class Writer:
    """Elements as MATLAB lays them out; `order` is '<' or '>'."""

    def __init__(self, order, deflate):
        self.order, self.deflate = order, deflate

    def head(self):
        order = b"IM" if self.order == "<" else b"MI"
        return b"MATLAB 5.0 MAT-file, by make.py".ljust(116) + bytes(8) + struct.pack(self.order + "H", 0x0100) + order

    def element(self, kind, data):
        if 0 < len(data) <= 4:
            return struct.pack(self.order + "I", len(data) << 16 | kind) + data.ljust(4, b"\0")
        return struct.pack(self.order + "II", kind, len(data)) + data + bytes(-len(data) % 8)

    def numbers(self, kind, code, values):
        return self.element(kind, struct.pack(f"{self.order}{len(values)}{code}", *values))

    def array(self, kind, shape, name, *parts, room=0, claim=None):
        body = self.numbers(6, "I", [kind, room]) + self.numbers(5, "i", shape) + self.element(1, name)
        body += b"".join(parts)
        whole = struct.pack(self.order + "II", 14, claim or len(body)) + body
        if not self.deflate or not name:
            return whole
        packed = zlib.compress(whole, 9)
        return struct.pack(self.order + "II", 15, len(packed)) + packed

    def text(self, name, value, kind=4):
        return self.array(4, (1, len(value)), name, self.numbers(kind, "H", [ord(c) for c in value]))


def by_hand(order, deflate):
    w = Writer(order, deflate)
    return w.head() + b"".join([
        w.array(6, features.shape, b"fts", w.numbers(2, "B", features.T.ravel())),
        w.array(6, (12, 1), b"labels", w.numbers(2, "B", plain["labels"].ravel())),
        w.array(6, (1, 3), b"small", w.numbers(1, "b", [-1, 0, 1])),
        w.array(6, (2, 2), b"halves", w.numbers(9, "d", [0.5, -0.25, 1e300, 3.0])),
        w.array(9 | 0x200, (1, 2), b"yes", w.numbers(2, "B", [1, 0])),
        # As MATLAB does, room for more entries than there are.
        w.array(5, (4, 3), b"holes", w.numbers(5, "i", [1, 3, 0, 0]), w.numbers(5, "i", [0, 2, 2, 3]),
                w.numbers(9, "d", [1.5, 2.5, -3.5]), room=4),
        # ... and logical ones in bytes that are called doubles.
        w.array(5 | 0x200, (4, 3), b"marks", w.numbers(5, "i", [1, 3, 0]), w.numbers(5, "i", [0, 2, 2, 3]),
                w.element(9, bytes([1, 1, 1]))),
        w.text(b"word", "naïve", 17),  # type UTF-16; of type uint16 scipy takes ASCII only
        w.array(4, (2, 3), b"chars", w.numbers(4, "H", [ord(c) for c in "coaxt "])),
        w.array(1, (1, 2), b"cell", w.text(b"", "back pack"), w.text(b"", "mug")),
    ])


(here / "matlab.mat").write_bytes(by_hand("<", True))
(here / "big.mat").write_bytes(by_hand(">", False))

flat, deflated = Writer("<", False), Writer("<", True)
bytes_of_2 = flat.numbers(2, "B", [1, 2])
longer = zlib.compress(flat.array(6, (1, 2), b"x", bytes_of_2) + bytes(8))
good = flat.head() + deflated.array(6, (1, 2), b"x", bytes_of_2)
bad = {
    "many": (flat.head() + flat.array(6, (2**20, 2**20), b"x", bytes_of_2), "2 bytes of data for 1099511627776 values"),
    "sparse": (flat.head() + flat.array(5, (2**20, 2**20), b"x"), "needs 8.0 TiB, the memory budget is 1.0 MiB"),
    "rows": (flat.head() + flat.array(5, (2, 1), b"x", flat.numbers(5, "i", [2]), flat.numbers(5, "i", [0, 1]),
                                      flat.numbers(9, "d", [1.0])), "has an entry outside of its rows"),
    "starts": (flat.head() + flat.array(5, (2, 1), b"x", flat.numbers(5, "i", [1]), flat.numbers(5, "i", [0, 2]),
                                        flat.numbers(9, "d", [1.0])), "has damaged column starts"),
    "cells": (flat.head() + flat.array(1, (2**30, 1), b"x"), "announces 1073741824 cells in 0 bytes"),
    "blank": (flat.head() + flat.array(4, (2**30, 0), b"x", flat.element(4, b"")), "needs 24.0 GiB"),
    "bomb": (flat.head() + deflated.array(6, (2**22, 1), b"x", flat.element(2, bytes(2**22))), "needs 32.0 MiB"),
    "claim": (flat.head() + deflated.array(6, (1, 2), b"x", bytes_of_2, claim=2**30), "1073741824 bytes announced"),
    "sum": (good[:-1] + bytes([good[-1] ^ 1]), "corrupt deflate stream"),
    "cut": (good[:-20], "is cut off"),
    "longer": (flat.head() + struct.pack("<II", 15, len(longer)) + longer, "goes on behind its end"),
    "twice": (good + good[128:], "is in the file twice"),
    "hdf": (b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM" + bytes(384) + b"\x89HDF", "has version 7.3 (HDF5)"),
    "level4": (struct.pack("<5i", 0, 1, 1, 0, 2) + b"x\0" + struct.pack("<d", 1.0), "has Level 4"),
    "text": (b"a,b\n1,2\n", "is not a MAT-file"),
}

expected = {}
for name, (data, words) in bad.items():
    (here / f"bad-{name}.mat").write_bytes(data)
    expected[f"bad-{name}.mat"] = {"x": {"refused": words}}
for name in ["plain", "packed", "matlab", "big", "refused"]:
    path = here / f"{name}.mat"
    loaded = scipy.io.loadmat(path)
    entry = expected[path.name] = {}
    for name, shape, kind in scipy.io.whosmat(path, chars_as_strings=False):
        shape = " x ".join(map(str, shape)) + " " + ("sparse" if name == "marks" else kind)
        if path.name == "refused.mat" and name in refused:
            shape = "1 x 1 complex double" if name == "imaginary" else shape
            entry[name] = {"shape": shape, "refused": refused[name][1]}
            continue
        value = loaded[name]
        value = value.toarray() if scipy.sparse.issparse(value) else value
        if value.dtype.kind == "O":
            entry[name] = {"shape": shape, "text": [str(v[0]) if v.size else "" for v in value.ravel()]}
        elif value.dtype.kind == "U":
            entry[name] = {"shape": shape, "text": [v.rstrip(" ") for v in value]}
        else:
            entry[name] = {"shape": shape, "numbers": [float(v) for v in value.T.ravel()]}
(here / "expected.json").write_text(json.dumps(expected, ensure_ascii=False).replace("}, ", "},\n") + "\n")
print("scipy", scipy.__version__, "numpy", np.__version__, "bytes", {p.name: p.stat().st_size for p in here.iterdir()})
