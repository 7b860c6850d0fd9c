"""Makes the golden files beside this script: picture files and what Pillow makes of them.

Usage, in a fresh virtual environment (Python 3.11):

    pip install numpy==2.4.6 pillow==12.0.0
    python make_images.py

- files.json: files of many kinds, and the red, green and blue that Pillow sees in them once the noted orientation is
  applied. `tolerance` is how far a byte may be off: 0 where nothing is lost, more where decoders may round in their
  own way. Pillow cuts 16 bits off at 8 or clips them; their pictures are rounded here. Damaged files and files that
  are refused have the words that the message must hold.
- resize.json: one picture resized by Pillow, and resized and cropped by the formulas of torchvision's `Resize` and
  `CenterCrop`.
- operations.json: torchvision's RandAugment operations, each written with the Pillow call that torchvision makes.

Up to version 12 Pillow resizes across first and down second, as when the published networks were trained; version
13 begins with whatever is cheaper, which moves bytes by up to 9 at hard edges. Keep to 12.

Bytes are hexadecimal digits. Everything is seeded; files of lossy formats may differ with other builds of Pillow.
"""

import io
import json
import math
import platform
import struct
import zlib
from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

HERE = Path(__file__).resolve().parent
VERSIONS = {"python": platform.python_version()} | {p: version(p) for p in ("numpy", "pillow")}


def write(name, about, cases):
    content = {"about": about, "made_by": Path(__file__).name, "versions": VERSIONS, "cases": cases}
    text = json.dumps(content, separators=(",", ":"), allow_nan=False) + "\n"
    (HERE / f"{name}.json").write_text(text, encoding="ascii", newline="\n")
    print(f"{name}.json: {len(cases)} cases, {len(text)} bytes")


def held(image):
    assert image.mode == "RGB"
    return {"width": image.width, "height": image.height, "pixels": image.tobytes().hex()}


def noise(width, height, seed):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def smooth(width, height):
    """Slopes, which lossy formats keep."""
    y, x = np.mgrid[0:height, 0:width]
    channels = [40 + 150 * x / width, 30 + 180 * y / height, 200 - 90 * (x + y) / (width + height)]
    return np.stack(channels, 2).round().astype(np.uint8)


# ------------------------------------------------------------------------------------------ files


def png(pixels, depth, colour, *chunks):
    """A PNG written by hand: kinds that Pillow does not write. `pixels` are bytes by row."""
    width, height, rows = pixels

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [chunk(b"IHDR", header), *(chunk(*c) for c in chunks), chunk(b"IDAT", body), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def wide_png(array, colour):
    """A PNG of 16 bits; `array` is (height, width, channels)."""
    height, width = array.shape[:2]
    return png((width, height, [row.astype(">u2").tobytes() for row in array]), 16, colour)


def saved(image, form, **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def exif(orientation):
    note = Image.Exif()
    note[0x0112] = orientation
    return note


def files():
    cases = []

    def add(name, content, picture=None, tolerance=0):
        """`picture` is what the file holds where that is known without Pillow."""
        seen = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")
        if picture is not None and tolerance == 0:
            assert picture.shape[:2] == (seen.height, seen.width)
        shown = seen if picture is None else Image.fromarray(picture)
        cases.append({"name": name, "file": content.hex(), "picture": held(shown), "tolerance": tolerance})

    def refuse(name, content, words, most_pixels=1000):
        cases.append({"name": name, "file": content.hex(), "refused": words, "most_pixels": most_pixels})

    width, height = 19, 13
    rgb = smooth(width, height)
    image = Image.fromarray(rgb)
    grey = image.convert("L")
    rng = np.random.default_rng(1)
    alpha = Image.fromarray(rng.integers(0, 256, (height, width), dtype=np.uint8))
    rgba = image.copy()
    rgba.putalpha(alpha)
    grey_alpha = grey.copy()
    grey_alpha.putalpha(alpha)
    small = Image.fromarray(noise(5, 4, 2))
    palette = small.quantize(7, dither=Image.Dither.NONE)
    bits = Image.fromarray(rng.integers(0, 2, (height, width), dtype=np.uint8) * 255).convert("1")
    wide = rng.integers(0, 65536, (4, 5, 4))
    rounded = np.round(wide / 257).astype(np.uint8)
    cmyk = Image.merge("CMYK", [Image.fromarray(rgb[..., k]) for k in (0, 1, 2)] + [grey.point(lambda v: v // 2)])

    add("png rgb", saved(image, "PNG"), rgb)
    add("png grey", saved(grey, "PNG"), np.repeat(np.asarray(grey)[..., None], 3, 2))
    add("png rgba", saved(rgba, "PNG"), rgb)
    add("png grey with alpha", saved(grey_alpha, "PNG"), np.repeat(np.asarray(grey)[..., None], 3, 2))
    add("png palette", saved(palette, "PNG"))
    add("png palette with a transparent colour", saved(palette, "PNG", transparency=3))
    add("png rgb with a transparent colour", saved(small, "PNG", transparency=small.getpixel((1, 1))), np.asarray(small))
    add("png of 1 bit", saved(bits, "PNG"))
    add("png of 1 pixel", saved(small.crop((0, 0, 1, 1)), "PNG"), np.asarray(small)[:1, :1])
    add("png grey of 16 bits", wide_png(wide[..., :1], 0), rounded[..., [0, 0, 0]])
    add("png grey of 16 bits with alpha", wide_png(wide[..., :2], 4), rounded[..., [0, 0, 0]])
    add("png rgb of 16 bits", wide_png(wide[..., :3], 2), rounded[..., :3])
    add("png rgba of 16 bits", wide_png(wide, 6), rounded[..., :3])
    for orientation in range(1, 9):
        add(f"png with orientation {orientation}", saved(small, "PNG", exif=exif(orientation)))

    add("jpeg", saved(image, "JPEG", quality=95), tolerance=3)
    add("jpeg with coarse colours", saved(image, "JPEG", quality=90, subsampling="4:2:0"), tolerance=6)
    add("jpeg in several passes", saved(image, "JPEG", quality=95, progressive=True), tolerance=3)
    add("jpeg grey", saved(grey, "JPEG", quality=95), tolerance=2)
    add("jpeg of 1 pixel", saved(image.crop((3, 3, 4, 4)), "JPEG", quality=95), tolerance=3)
    add("jpeg rgb", saved(image, "JPEG", quality=95, keep_rgb=True), tolerance=2)
    content = saved(cmyk, "JPEG", quality=98)
    add("jpeg cmyk", content, tolerance=3)
    # The last byte of Adobe's note says how the four channels are meant: 0 as they are, 2 as YCCK.
    note = content.index(b"Adobe") + 11
    assert content[note] == 0
    add("jpeg ycck", content[:note] + b"\x02" + content[note + 1 :], tolerance=4)
    add("jpeg with orientation 6", saved(image, "JPEG", quality=95, exif=exif(6)), tolerance=3)

    add("webp without loss", saved(image, "WEBP", lossless=True), rgb)
    add("webp without loss, with alpha", saved(rgba, "WEBP", lossless=True, exact=True), rgb)
    add("webp", saved(image, "WEBP", quality=95), tolerance=4)
    add("webp with alpha", saved(rgba, "WEBP", quality=95, exact=True), tolerance=4)
    add("webp with orientation 8", saved(small, "WEBP", lossless=True, exif=exif(8)))

    add("tiff rgb", saved(image, "TIFF"), rgb)
    add("tiff rgb by lzw", saved(image, "TIFF", compression="tiff_lzw"), rgb)
    add("tiff grey by deflate", saved(grey, "TIFF", compression="tiff_adobe_deflate"))
    add("tiff rgba", saved(rgba, "TIFF"), rgb)
    add("tiff of 1 bit", saved(bits, "TIFF"))
    add("tiff grey of 16 bits", saved(Image.fromarray(wide[..., 0].astype(np.uint16)), "TIFF"), rounded[..., [0, 0, 0]])
    add("tiff cmyk", saved(cmyk, "TIFF"), tolerance=1)
    add("tiff with orientation 5", saved(small, "TIFF", exif=exif(5)))

    add("gif", saved(palette, "GIF"))
    add("gif with a transparent colour", saved(palette, "GIF", transparency=3))
    add("gif grey", saved(grey, "GIF"), np.repeat(np.asarray(grey)[..., None], 3, 2))
    add("gif of several rows at a time", saved(palette, "GIF", interlace=1))
    moving = [palette, palette.transpose(Image.Transpose.ROTATE_180)]
    add("gif that moves", saved(palette, "GIF", save_all=True, append_images=moving[1:]))

    add("bmp rgb", saved(image, "BMP"), rgb)
    add("bmp rgba", saved(rgba, "BMP"), rgb)
    add("bmp grey", saved(grey, "BMP"), np.repeat(np.asarray(grey)[..., None], 3, 2))
    add("bmp palette", saved(palette, "BMP"))
    add("bmp of 1 bit", saved(bits, "BMP"))
    content = bytearray(saved(image, "BMP"))
    content[22:26] = struct.pack("<i", -height)
    add("bmp from the top down", bytes(content), rgb[::-1])

    refuse("heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "is HEIC, which is not read")
    refuse("avif", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "is AVIF, which is not read")
    refuse("jpeg xl", b"\xff\x0a\xfa\x1f", "is JPEG XL, which is not read")
    refuse("svg", b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "is SVG, which is not read")
    refuse("text", b"no picture at all", "does not begin as a picture does")
    refuse("nothing", b"", "is empty")
    refuse("too wide", png((30_001, 1, []), 8, 2), "is 30001 x 1 pixels, a side may have 30000")
    refuse("too large", png((40, 26, []), 8, 2), "is 40 x 26 pixels, 1000 are allowed")
    refuse("too much for its bytes", png((3000, 2000, []), 8, 2), "cannot hold 3000 x 2000 pixels", 10**7)
    refuse("palette in tiff", saved(palette, "TIFF"), "is of a kind that cannot be read")
    refuse("no row", png((4, 0, []), 8, 2), "is a damaged picture")
    content = saved(image, "JPEG", quality=95)
    refuse("jpeg without its end", content[: len(content) * 4 // 5], "is a damaged picture")
    refuse("png without its end", saved(image, "PNG")[:-40], "is a damaged picture")
    write("files", "Picture files, and red, green and blue as Pillow sees them.", cases)


# ----------------------------------------------------------------------------------------- resize


def resized_and_cropped(image, resize, side, crop, how):
    """torchvision's Resize and CenterCrop, written from their formulas."""
    width, height = image.size
    if resize == "both_sides":
        new = (side, side)
    else:
        short, long = sorted((width, height))
        long = int(side * long / short)
        new = (side, long) if width <= height else (long, side)
    out = image.resize(new, how)
    left = max(crop - new[0], 0) // 2
    top = max(crop - new[1], 0) // 2
    padded = Image.new("RGB", (max(new[0], crop), max(new[1], crop)))
    padded.paste(out, (left, top))
    x = int(round((padded.width - crop) / 2.0))
    y = int(round((padded.height - crop) / 2.0))
    return padded.crop((x, y, x + crop, y + crop))


def resize():
    filters = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
    # Blocks of noise: hard edges, on which the cubic overshoots, and single pixels.
    array = np.where(np.arange(19)[None, :, None] < 9, noise(19, 13, 3), noise(5, 4, 4).repeat(4, 0).repeat(4, 1)[:13, :19])
    image = Image.fromarray(array.astype(np.uint8))
    cases = [held(image)]
    for name, how in filters.items():
        for size in [(7, 5), (19, 5), (8, 13), (31, 22), (4, 29), (1, 1)]:
            cases.append({"filter": name, "size": size, "picture": held(image.resize(size, how))})
    plans = [
        ("shorter_side", 8, 7), ("shorter_side", 8, 6), ("shorter_side", 7, 7), ("shorter_side", 16, 13),
        ("shorter_side", 13, 10), ("shorter_side", 6, 8), ("shorter_side", 5, 12), ("both_sides", 9, 9),
        ("both_sides", 10, 7), ("both_sides", 4, 7),
    ]
    for number, (kind, side, crop) in enumerate(plans):
        name = list(filters)[number % 2]
        for turned in (False, True):
            source = image.transpose(Image.Transpose.TRANSPOSE) if turned else image
            out = resized_and_cropped(source, kind, side, crop, filters[name])
            recipe = {
                "resize": {kind: side}, "crop": crop, "filter": name, "mean": [0, 0, 0], "deviation": [1, 1, 1],
                "scale": 1, "blue_first": False,
            }
            cases.append({"turned": turned, "recipe": recipe, "picture": held(out)})
    write("resize", "The first case is the picture; the others are resized, or resized and cropped.", cases)


# ------------------------------------------------------------------------------------- operations


def affine(image, angle, translate, shear, center):
    """torchvision's affine transform on Pillow, by its inverse matrix."""
    rot, (sx, sy) = math.radians(angle), (math.radians(s) for s in shear)
    a = math.cos(rot - sy) / math.cos(sy)
    b = -math.cos(rot - sy) * math.tan(sx) / math.cos(sy) - math.sin(rot)
    c = math.sin(rot - sy) / math.cos(sy)
    d = -math.sin(rot - sy) * math.tan(sx) / math.cos(sy) + math.cos(rot)
    (cx, cy), (tx, ty) = center, translate
    m = [d, -b, 0.0, -c, a, 0.0]
    m[2] += m[0] * (-cx - tx) + m[1] * (-cy - ty) + cx
    m[5] += m[3] * (-cx - tx) + m[4] * (-cy - ty) + cy
    return image.transform(image.size, Image.Transform.AFFINE, m, Image.Resampling.NEAREST, fillcolor=0)


def operated(image, operation, level):
    """`level` is the magnitude in units of the strongest one, with its sign."""
    width, height = image.size
    middle = [width * 0.5, height * 0.5]
    if operation in ("Brightness", "Color", "Contrast", "Sharpness"):
        return getattr(ImageEnhance, operation)(image).enhance(1.0 + 0.9 * level)
    match operation:
        case "Identity":
            return image
        case "ShearX":
            return affine(image, 0.0, [0, 0], [math.degrees(math.atan(0.3 * level)), 0.0], [0, 0])
        case "ShearY":
            return affine(image, 0.0, [0, 0], [0.0, math.degrees(math.atan(0.3 * level))], [0, 0])
        case "TranslateX":
            return affine(image, 0.0, [int(150.0 / 331.0 * width * level), 0], [0.0, 0.0], middle)
        case "TranslateY":
            return affine(image, 0.0, [0, int(150.0 / 331.0 * height * level)], [0.0, 0.0], middle)
        case "Rotate":
            return image.rotate(30.0 * level, Image.Resampling.NEAREST, False, None, fillcolor=0)
        case "Posterize":
            return ImageOps.posterize(image, 8 - round(abs(level) * 30 / (30 / 4)))
        case "Solarize":
            return ImageOps.solarize(image, 255.0 * (1 - abs(level)))
        case "AutoContrast":
            return ImageOps.autocontrast(image)
        case "Equalize":
            return ImageOps.equalize(image)


def operations():
    signed = [
        "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast", "Sharpness",
    ]
    # More than 255 pixels, else Equalize does nothing; a narrow range, so that AutoContrast does something.
    array = noise(17, 16, 5) * np.array([0.5, 0.7, 0.8]) + np.array([60, 20, 30])
    image = Image.fromarray(array.astype(np.uint8))
    cases = [held(image)]
    for operation in signed + ["Identity", "Posterize", "Solarize", "AutoContrast", "Equalize"]:
        levels = (7 / 30, -22 / 30) if operation in signed else (12 / 30,)
        for level in levels:
            out = operated(image, operation, level)
            assert operation == "Identity" or out.tobytes() != image.tobytes(), operation
            cases.append({"operation": operation, "level": level, "picture": held(out)})
    write("operations", "The first case is the picture, the others what an operation makes of it.", cases)


if __name__ == "__main__":
    files()
    resize()
    operations()
