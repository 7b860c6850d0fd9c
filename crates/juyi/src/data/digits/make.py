"""Makes the two built-in digit tables, mnist.csv.gz and uci.csv.gz, beside this file.

Usage, in a fresh virtual environment (Python 3.11):

    pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 mlxtend==0.25.0
    python make.py            # writes the two files
    python make.py --check    # compares with the files that are there; also prints accuracies

Both tables have the header `digit,p00,p01,...,p77` (p + row + column of an 8 x 8 picture) and
integers 0 (paper) to 16 (ink).

uci.csv.gz   The 1,797 pictures of sklearn.datasets.load_digits (the test part of the UCI set
             "Optical Recognition of Handwritten Digits"), in that order and unchanged.

mnist.csv.gz 2,000 pictures: the first 200 of each class of mlxtend.data.mnist_data, dealt out class
             by class, so that row 10 k + c is the k-th picture of digit c and the first 10 k rows
             hold every class k times. Each is brought to 8 x 8 the way the UCI pictures were made.

How an MNIST picture becomes 8 x 8. The UCI pictures are 32 x 32 bitmaps, normalised by the NIST
preprocessing programs, of which every non-overlapping 4 x 4 block was counted (0..16 pixels on).
Looking at them tells how the bitmaps were normalised: in all 1,797 the ink reaches the first and
the last row, while the outermost columns are nearly always empty (the first holds ink in 1 %, the
last in 12 %) and columns 1 and 6 are about half as full as they could be. So the ink's box was
stretched, whatever its aspect ratio, to 32 high and 20 wide (NIST's size) and centred, here in
columns 6 to 25 of the 32. The same is done here: the box of the pixels at least half black is cut
out, laid over those 32 x 20 cells, and each 4 x 4 block takes the exact area average of the grey it
covers, times 16, rounded to the nearest integer. NIST's removal of slant and its thickening of
strokes are not imitated: that is part of what differs between the two tables, along with the
writers (the writing of the sevens and ones differs between countries).
"""

import gzip
import io
import sys
from pathlib import Path

import numpy as np
from mlxtend.data import mnist_data
from sklearn.datasets import load_digits

HERE = Path(__file__).resolve().parent
PER_CLASS = 200
BITMAP, BLOCK = 32, 4  # the bitmap's side and the counted block's side
BOX_HEIGHT, BOX_WIDTH = 32, 20  # the size to which the ink's box is stretched


def block_weights(pixels, stretched):
    """The matrix that averages `pixels` cells, stretched to `stretched` cells in the middle of the
    bitmap's side, over that side's blocks: entry (b, p) is the share of block b that pixel p covers."""
    start = (BITMAP - stretched) / 2
    edges = (np.arange(0, BITMAP + 1, BLOCK) - start) * pixels / stretched
    p = np.arange(pixels)
    covered = np.minimum(edges[1:, None], p + 1) - np.maximum(edges[:-1, None], p)
    return np.clip(covered, 0, None) * (stretched / pixels) / BLOCK


def to_8x8(picture):
    """A 28 x 28 picture of greys 0..255 as an 8 x 8 picture of integers 0..16."""
    ink = picture >= 128
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    box = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] / 255
    height, width = box.shape
    grey = block_weights(height, BOX_HEIGHT) @ box @ block_weights(width, BOX_WIDTH).T
    return np.rint(np.round(16 * grey, 9)).astype(int)


def mnist():
    pictures, digits = mnist_data()
    digits = digits.astype(int)
    first = [np.flatnonzero(digits == c)[:PER_CLASS] for c in range(10)]
    chosen = np.array(first).T.ravel()
    small = [to_8x8(p).ravel() for p in pictures[chosen].reshape(-1, 28, 28)]
    return np.array(small), digits[chosen]


def uci():
    data = load_digits()
    return data.data.astype(int), data.target.astype(int)


def table(pixels, digits):
    assert pixels.min() == 0 and pixels.max() == 16
    lines = [",".join(["digit"] + [f"p{r}{c}" for r in range(8) for c in range(8)])]
    lines += [",".join(map(str, [d, *row])) for d, row in zip(digits.tolist(), pixels.tolist())]
    return ("\n".join(lines) + "\n").encode("ascii")


def compress(data):
    """gzip without a file name or a time, so that the same table gives the same bytes."""
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=out, mtime=0) as f:
        f.write(data)
    return out.getvalue()


def print_accuracies(tables):
    """How well a model fitted on one table labels the other."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    for source, target in [("mnist", "uci"), ("uci", "mnist")]:
        (xs, ys), (xt, yt) = tables[source], tables[target]
        mean, scale = xs.mean(axis=0), xs.std(axis=0)
        scale[scale == 0] = 1
        nearest = KNeighborsClassifier(1).fit(xs, ys).score(xt, yt)
        logistic = LogisticRegression(max_iter=10000).fit((xs - mean) / scale, ys)
        logistic = logistic.score((xt - mean) / scale, yt)
        print(f"{source} -> {target}: 1-NN {nearest:.4f}, standardised logistic {logistic:.4f}")


def main():
    tables = {"mnist": mnist(), "uci": uci()}
    check = "--check" in sys.argv[1:]
    for name, (pixels, digits) in tables.items():
        path = HERE / f"{name}.csv.gz"
        data = table(pixels, digits)
        if check:
            same = gzip.decompress(path.read_bytes()) == data
            print(f"{path.name}: {'same' if same else 'DIFFERENT'}")
            if not same:
                sys.exit(1)
        else:
            path.write_bytes(compress(data))
            print(f"{path.name}: {len(digits)} rows, {path.stat().st_size} bytes")
    if check:
        print_accuracies(tables)


if __name__ == "__main__":
    main()
