"""Makes the files of this folder and expected.json, which says what must be read from them.

Usage, in a fresh virtual environment (Python 3.11):

    pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 pandas==3.1.1 pyarrow==26.0.1 openpyxl==3.1.5
    python make_formats.py                    # writes the files
    python make_formats.py --check FILE CSV   # whether pandas reads FILE, predictions in Parquet, as it reads CSV

The values are what NumPy, scikit-learn and pandas hold, not what a reader made of the files. A case is the spec that is
read, the columns that must be kept as text, and either the table or words of the refusal.
"""

import datetime
import decimal
import gzip
import io
import json
import struct
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.datasets import dump_svmlight_file

HERE = Path(__file__).resolve().parent
CASES = []


def plain(value):
    """A cell for JSON: None if it is missing, a double or text."""
    if isinstance(value, str):
        return value
    return None if value is None or value != value else float(value)


def case(spec, columns, as_text=(), **more):
    columns = {name: [plain(value) for value in values] for name, values in columns.items()}
    CASES.append({"spec": spec, "as_text": list(as_text), "columns": columns, **more})


def refused(spec, words):
    CASES.append({"spec": spec, "as_text": [], "refused": words})


def matrix(x):
    """Columns x1 ... of an array whose first dimension are the rows."""
    x = np.asarray(x)
    return {f"x{j + 1}": column for j, column in enumerate(x.reshape(len(x), -1).T)}


def numpy_files():
    x = np.array([[1.5, -2.0, 0.1], [np.nan, 1e300, 5e-324]])
    y = np.array(["a b", "ü"])
    np.save(HERE / "x.npy", x)
    np.save(HERE / "fortran.npy", np.asfortranarray(x))
    np.save(HERE / "y.npy", y)
    case("x.npy", matrix(x))
    for name in ["x", "fortran"]:
        case(f"{name}.npy:y.npy", {**matrix(x), "label": y}, label="label")
    for version in [(2, 0), (3, 0)]:
        with open(HERE / f"version{version[0]}.npy", "wb") as file:
            np.lib.format.write_array(file, x, version=version)
        case(f"version{version[0]}.npy", matrix(x))
    box = np.arange(24, dtype=np.uint8).reshape(2, 3, 4) * 10
    np.save(HERE / "box.npy", box)
    np.save(HERE / "box-fortran.npy", np.asfortranarray(box))
    for name in ["box", "box-fortran"]:
        case(f"{name}.npy", matrix(box), remark="2 x 3 x 4 is flattened to 2 x 12")

    arrays = {}
    for kind in "f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8".split():
        for order in "<>":
            values = np.array([[0.1, -1.75], [3.0, np.nan]]) if kind[0] == "f" else np.array([[1, 100], [0, 7]])
            values = -values if kind[0] == "i" else values
            arrays[kind + ("le" if order == "<" else "be")] = values.astype(order + kind)
    arrays["truth"] = np.array([[True, False], [False, False]])
    arrays["line"] = np.array([1.0, 2.0])
    everything = {
        **arrays,
        "bytes": np.array([b"no", b""]),
        "letters": np.array(["é", "日本"]),
        "letters_be": np.array(["é", "日本"]).astype(">U2"),
        "large": np.array([2**53 + 1, -(2**63)]),
        "largest": np.array([2**64 - 1, 0], dtype=np.uint64),
        "single": np.array([0.1, np.nan], dtype="f4"),
        "infinite": np.array([[1.0, 2.0], [3.0, np.inf]]),
        "complex": np.array([1j, 2]),
        "date": np.array(["2020-01-01"], dtype="M8[D]"),
        "record": np.zeros(2, dtype=[("a", "f8"), ("b", "i4")]),
        "object": np.array([{}, None], dtype=object),
        "scalar": np.array(3.0),
        "empty": np.zeros((2, 0)),
    }
    np.savez_compressed(HERE / "types.npz", **everything)
    for name, values in arrays.items():
        case(f"types.npz:{name}", matrix(values))
    texts = {
        "bytes": ["no", None],
        "letters": ["é", "日本"],
        "letters_be": ["é", "日本"],
        "large": ["9007199254740993", "-9223372036854775808"],
        "largest": ["18446744073709551615", "0"],
        "single": ["0.1", None],
        "truth": None,
    }
    for name, written in texts.items():
        if written is None:
            refused(f"types.npz:line,{name}", "has shape 2, but `types.npz`, array `truth` has 4 values")
        else:
            case(f"types.npz:line,{name}", {**matrix(arrays["line"]), "label": written}, label="label")
    refused("types.npz", "has no array `X`")
    refused("types.npz:no", "arrays of the file: `f2le`, `f2be`")
    refused("types.npz:line,line", "`line` is named as the features and as the labels")
    refused("types.npz:", "the arrays after `:` are empty")
    refused("types.npz:large", "row 1, column `x1`: 9007199254740993 is beyond 2^53")
    refused("types.npz:infinite", "row 2, column `x2`: `inf` is not finite")
    refused("types.npz:letters", "holds text")
    refused("types.npz:complex", "holds complex numbers (`<c16`)")
    refused("types.npz:date", "holds dates or time spans (`<M8[D]`)")
    refused("types.npz:record", "holds records of several fields")
    refused("types.npz:object", "holds Python objects (a pickle), which are never loaded")
    refused("types.npz:scalar", "is a single value")
    refused("types.npz:empty", "has shape 2 x 0: its rows are empty")

    labels = np.array([3, -1])
    for name, (features, answers) in {
        "usual": ("X", "y"),
        "small": ("x", "y"),
        "words": ("features", "labels"),
        "bunch": ("data", "target"),
    }.items():
        np.savez(HERE / f"{name}.npz", **{features: x, answers: labels, "other": y})
        case(f"{name}.npz", {**matrix(x), "label": ["3", "-1"]}, label="label")
    np.savez(HERE / "unlabelled.npz", X=x)
    case("unlabelled.npz", matrix(x))
    np.savez(HERE / "several.npz", x=x, data=x)
    refused("several.npz", "has several arrays that may be the features")


def svmlight_files():
    x = np.array([[0.5, 0, 0, -3], [0, 0, 0, 0], [1e-3, 2, 0, 0]])
    y = np.array([1, -1, 2])
    occurs = [0, 1, 3]
    labels = ["1", "-1", "2"]
    for base in [0, 1]:
        file = io.BytesIO()
        dump_svmlight_file(x, y, file, zero_based=base == 0, comment="two\nlines", query_id=[7, 7, 9])
        name = f"base{base}.svmlight" + (".gz" if base == 0 else "")
        packed = gzip.compress(file.getvalue(), mtime=0) if base == 0 else file.getvalue()
        (HERE / name).write_bytes(packed)
        for said in [None, base]:
            shift = base if said is None else 1
            columns = {f"x{j + shift}": x[:, j] for j in occurs}
            columns.update(qid=[7, 7, 9], label=labels)
            spec = name if said is None else f"{name}:{said}"
            case(spec, columns, label="label", sparse=True)
    refused("base0.svmlight.gz:1", "line 6: has index 0")
    refused("base1.svmlight:2", "`2` stands behind the file")
    file = io.BytesIO()
    dump_svmlight_file(x, np.array([[1, 1, 0], [0, 0, 1], [0, 0, 0]]), file, multilabel=True)
    (HERE / "multilabel.svm").write_bytes(file.getvalue())
    refused("multilabel.svm", "has several labels (`0,1`), one is read")


def idx_files():
    def idx(name, kind, x):
        head = struct.pack(">BBBB", 0, 0, kind, x.ndim) + struct.pack(f">{x.ndim}I", *x.shape)
        data = head + x.astype(x.dtype.newbyteorder(">")).tobytes()
        (HERE / name).write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)

    images = (np.arange(18, dtype=np.uint8) * 15).reshape(3, 2, 3)
    labels = np.array([7, 0, 7], dtype=np.uint8)
    idx("t-images-idx3-ubyte.gz", 8, images)
    idx("t-labels-idx1-ubyte.gz", 8, labels)
    idx("t-images.idx3", 8, images)
    remark = "3 x 2 x 3 is flattened to 3 x 6"
    with_labels = {**matrix(images), "label": ["7", "0", "7"]}
    for images_name in ["t-images-idx3-ubyte.gz", "t-images.idx3"]:
        case(images_name, matrix(images), image=[2, 3], remark=remark)
        spec = f"{images_name}:t-labels-idx1-ubyte.gz"
        case(spec, with_labels, image=[2, 3], label="label", remark=remark)
    kinds = [(9, "i1"), (11, "i2"), (12, "i4"), (13, "f4"), (14, "f8")]
    for kind, dtype in kinds:
        x = np.array([[-1, 100], [0.1, 3]]).astype(dtype)
        idx(f"{dtype}.idx", kind, x)
        case(f"{dtype}.idx", matrix(x))
    refused("t-labels-idx1-ubyte.gz:t-images.idx3", "has shape 3, but `t-images.idx3` has 18 values")


def parquet_files():
    day = datetime.date(2001, 2, 3)
    days = float((day - datetime.date(1970, 1, 1)).days)
    times = pd.to_datetime(["1969-12-31 23:59:59.5", None, "2020-02-29 12:00:00.25"])
    seconds = [-0.5, None, 1582977600.25]
    money = [decimal.Decimal("12.30"), None, decimal.Decimal("-0.07")]
    words = ["two", "", None]
    frame = pd.DataFrame(
        {
            "i8": pd.array([1, None, -3], dtype="Int8"),
            "u32": np.array([1, 2**32 - 1, 0], dtype="u4"),
            "u64": np.array([1, 2**53, 0], dtype="u8"),
            "i64": [10, -(2**53), 7],
            "f16": np.array([0.5, np.nan, -2], dtype="f2"),
            "f32": np.array([0.1, np.nan, 3], dtype="f4"),
            "f64": [0.1, None, 1e300],
            "truth": [True, False, True],
            "word": words,
            "category": pd.Categorical(["b", None, "a"]),
            "rank": pd.Categorical([3, 1, 3]),
            "day": [day, None, day],
            "time": times,
            "money": money,
            "void": [None, None, None],
        }
    )
    columns = {
        "i8": [1, None, -3],
        "u32": [1, 2**32 - 1, 0],
        "u64": [1, 2**53, 0],
        "i64": [10, -(2**53), 7],
        "f16": [0.5, None, -2],
        "f32": [float(np.float32(0.1)), None, 3],
        "f64": [0.1, None, 1e300],
        "truth": [1, 0, 1],
        "word": ["two", None, None],
        "category": ["b", None, "a"],
        "rank": [3, 1, 3],
        "day": [days, None, days],
        "time": seconds,
        "money": [12.3, None, -0.07],
        "void": [None, None, None],
    }
    frame.to_parquet(HERE / "frame.parquet")
    case("frame.parquet", columns)
    as_text = {**columns, "f32": ["0.1", None, "3"], "i64": ["10", "-9007199254740992", "7"]}
    as_text.update(truth=["1", "0", "1"], money=["12.3", None, "-0.07"])
    case("frame.parquet", as_text, as_text=["f32", "i64", "truth", "money", "word", "absent"])

    # Packed, several pages and row groups, both page versions, every encoding of numbers and text.
    n = 60
    i = np.arange(n)
    long = {
        "a": [None if k % 7 == 3 else float(k * k) for k in i],
        "b": (i * 1000003 % 997 - 400).tolist(),
        "c": [None if k % 5 == 0 else f"word {k % 4}" for k in i],
        "d": (i % 3 == 0).tolist(),
        "e": [f"{k * 7919 % 1000:03}" for k in i],
    }
    table = pa.table(
        {
            "a": pa.array(long["a"], pa.float64()),
            "b": pa.array(long["b"], pa.int32()),
            "c": pa.array(long["c"], pa.string()),
            "d": pa.array(long["d"], pa.bool_()),
            "e": pa.array(long["e"], pa.large_string()),
        }
    )
    for codec in ["none", "snappy", "gzip", "zstd", "brotli", "lz4"]:
        for version in ["1.0", "2.0"]:
            name = f"{codec}-{version[0]}.parquet"
            small = {"data_page_size": 64, "row_group_size": 25, "write_batch_size": 8}
            pq.write_table(table, HERE / name, compression=codec, data_page_version=version, **small)
            case(name, long)
    encodings = {"a": "BYTE_STREAM_SPLIT", "b": "DELTA_BINARY_PACKED", "c": "PLAIN", "d": "RLE", "e": "PLAIN"}
    for version in ["1.0", "2.0"]:
        name = f"encodings-{version[0]}.parquet"
        how = {"column_encoding": encodings, "data_page_version": version}
        pq.write_table(table, HERE / name, use_dictionary=False, **how)
        case(name, long)
    for encoding in ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"]:
        name = f"bad-{encoding.lower().replace('_', '-')}.parquet"
        texts = table.select(["c"])
        pq.write_table(texts, HERE / name, use_dictionary=False, column_encoding={"c": encoding})
        refused(name, "column `c`: holds text in delta encoding")

    # What others write: required columns, old timestamps, text that is not said to be text, stored units.
    others = pa.table(
        {
            "required": pa.array([1, 2], pa.int16()),
            "bytes": pa.array([b"ab", None], pa.binary()),
            "ms": pa.array([1500, None], pa.timestamp("ms")),
            "us": pa.array([-250000, None], pa.timestamp("us", tz="UTC")),
            "clock": pa.array([3600 * 10**6 + 500000, None], pa.time64("us")),
            "small": pa.array([decimal.Decimal("-1.5"), None], pa.decimal128(5, 1)),
            "big": pa.array([decimal.Decimal("12345678901234567890.5"), None], pa.decimal128(38, 1)),
        },
        schema=pa.schema(
            [
                pa.field("required", pa.int16(), nullable=False),
                ("bytes", pa.binary()),
                ("ms", pa.timestamp("ms")),
                ("us", pa.timestamp("us", tz="UTC")),
                ("clock", pa.time64("us")),
                ("small", pa.decimal128(5, 1)),
                ("big", pa.decimal128(38, 1)),
            ]
        ),
    )
    expected = {
        "required": [1, 2],
        "bytes": ["ab", None],
        "ms": [1.5, None],
        "us": [-0.25, None],
        "clock": [3600.5, None],
        "small": [-1.5, None],
        "big": [float("12345678901234567890.5"), None],
    }
    pq.write_table(others, HERE / "others.parquet", store_decimal_as_integer=True)
    case("others.parquet", expected)
    pq.write_table(others, HERE / "others-bytes.parquet")
    case("others-bytes.parquet", expected)
    old = pa.table({"time": pa.array([1582977600250000000, None, -500000000], pa.timestamp("ns"))})
    pq.write_table(old, HERE / "int96.parquet", use_deprecated_int96_timestamps=True)
    case("int96.parquet", {"time": [1582977600.25, None, -0.5]})
    spans = [90, None, -3600]
    units = ("s", "ms", "us", "ns")
    seconds = pa.array(spans, pa.int64()).cast(pa.duration("s"))
    pq.write_table(pa.table({unit: seconds.cast(pa.duration(unit)) for unit in units}), HERE / "durations.parquet")
    case("durations.parquet", {unit: spans for unit in units})

    indexed = pd.DataFrame({"x": [1.0, 2.0]}, index=["p", "q"])
    indexed.to_parquet(HERE / "index.parquet")
    remark = "`__index_level_0__`, an index that pandas stored, is left out"
    case("index.parquet", {"x": [1, 2]}, remark=remark)
    case("index.parquet", {"x": [1, 2], "__index_level_0__": ["p", "q"]}, as_text=["__index_level_0__"])

    def bad(name, columns, words):
        pq.write_table(pa.table(columns), HERE / f"bad-{name}.parquet")
        refused(f"bad-{name}.parquet", words)

    bad("list", {"a": [1, 2], "b": [[1], [2, 3]]}, "column `b` is nested")
    bad("record", {"a": [{"x": 1, "y": 2}]}, "column `a` is nested")
    bad("infinite", {"a": [1.0, -np.inf]}, "row 2, column `a`: `-inf` is not finite")
    bad("large", {"a": [2**53 + 1]}, "row 1, column `a`: 9007199254740993 is beyond 2^53")
    bad("bytes", {"a": pa.array([b"\xff\xfe"])}, "row 1, column `a`: is not UTF-8 text")
    bad("fixed", {"a": pa.array([b"abc"], pa.binary(3))}, "column `a`: holds raw bytes")
    bad("empty", {}, "has no columns")
    whole = (HERE / "frame.parquet").read_bytes()
    (HERE / "bad-cut.parquet").write_bytes(whole[: len(whole) // 2])
    refused("bad-cut.parquet", "is not a Parquet file, or is cut off")
    case("bad-large.parquet", {"a": ["9007199254740993"]}, as_text=["a"])


def workbooks():
    """What Excel users have: blank rows and columns around the table, a hidden sheet, dates, text of all alphabets."""
    rows = [
        [1.5, datetime.date(2024, 1, 31), datetime.datetime(2024, 1, 31, 12, 30), datetime.time(12, 30), True, "rot", "7"],
        [None, datetime.date(2000, 2, 29), datetime.datetime(1999, 12, 31), datetime.time(0, 0, 1), False, "红色", "08"],
        [-0.1, None, datetime.datetime(2024, 1, 31, 0, 0, 1), None, None, "N/A", None],
    ]
    names = ["share", "day", "moment", "clock", "truth", "word", "code"]
    expected = {
        "share": [1.5, None, -0.1],
        "day": [19753, 11016, None],
        "moment": [1706704200, 946598400, 1706659201],
        "clock": [45000, 1, None],
        "truth": ["true", "false", None],
        "word": ["rot", "红色", None],
        "code": [7, 8, None],
    }
    stored = "numbers that are stored as text are read as numbers: column `code`"
    for iso in [False, True]:
        book = openpyxl.Workbook(iso_dates=iso)
        book.active.title = "Notes"
        book.active.sheet_state = "hidden"
        book.active["A1"] = "nothing to see"
        sheet = book.create_sheet("Table 1")
        for i, row in enumerate([names, *rows]):
            for j, value in enumerate(row):
                sheet.cell(row=3 + i + (i > 1), column=2 + j, value=value)
        sheet["B8"].number_format = "0.00%"
        other = book.create_sheet("Other")
        other.append(["a", "a total"])
        other.append([1, "=1/0"])
        book.save(HERE / f"book{'-iso' * iso}.xlsx")
    remark = "sheet `Table 1` is read; sheets of the file: `Notes`, `Table 1`, `Other`; "
    case("book.xlsx", expected, remark=remark + stored)
    case("book.xlsx:Table 1", expected, remark=stored)
    kept = {**expected, "code": ["7", "08", None], "day": ["2024-01-31", "2000-02-29", None]}
    case("book.xlsx:Table 1", kept, as_text=["code", "day"])
    written = {
        "day": ["2024-01-31", "2000-02-29", None],
        "moment": ["2024-01-31T12:30:00", "1999-12-31T00:00:00", "2024-01-31T00:00:01"],
        "clock": ["12:30:00", "00:00:01", None],
    }
    case("book-iso.xlsx:Table 1", {**expected, **written}, remark=stored)
    case("book.xlsx:Notes", {"nothing to see": []})
    refused("book.xlsx:Nothing", "has no sheet `Nothing`; sheets of the file: `Notes`, `Table 1`, `Other`")
    book = openpyxl.Workbook()
    for row in [["Results of 2024"], [], ["a", "b"], [1, 2]]:
        book.active.append(row)
    book.save(HERE / "bad-title.xlsx")
    refused("bad-title.xlsx", "sheet `Sheet`: row 1 has one cell, row 3 looks like the names of the columns")
    book.active.delete_rows(1, 2)
    book.active["B2"] = "#DIV/0!"
    book.save(HERE / "bad-formula.xlsx")
    refused("bad-formula.xlsx", "cell `Sheet!B2`: is `#DIV/0!`, a formula that failed")


def check(parquet, csv):
    """Whether predictions written as Parquet are, to pandas, those written as CSV."""
    types = {"prediction": pd.read_parquet(parquet)["prediction"].dtype}
    one = pd.read_parquet(parquet)
    two = pd.read_csv(csv, dtype=types)
    pd.testing.assert_frame_equal(one, two, check_exact=True)
    print(one.dtypes.to_string())
    print(f"{len(one)} rows are the same")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--check"]:
        check(*sys.argv[2:4])
    else:
        numpy_files()
        svmlight_files()
        idx_files()
        parquet_files()
        workbooks()
        lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in CASES)
        (HERE / "expected.json").write_text(f'{{"cases": [\n{lines}\n]}}\n')
