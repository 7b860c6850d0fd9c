"""Tuning and inference beside PyTorch, on the same photographs, with the same network and the same pictures aside.

Juyi runs as the command that users type. The pictures that it keeps aside are those on which PyTorch is judged: its loops
stop at the epoch that is as good there as Juyi, but for one picture. Both read the files, and both use as many threads.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import distribution, version
from pathlib import Path

import page

ROOT = Path(__file__).resolve().parent.parent
JUYI = ROOT / "target" / "release" / "juyi"
MOST_EPOCHS = 10
ZOO = ["resnet18", "resnet50", "googlenet", "squeezenet1-1", "mobilenet-v2", "vgg11", "vit-s-16"]
BATCH = 16


# ------------------------------------------------------------------------------------------------ PyTorch


class Reader:
    """Photographs as tensors."""

    def __init__(self, threads):
        import torch

        self.torch = torch
        torch.manual_seed(0)
        torch.set_num_threads(threads)

    def read(self, path):
        """224 from the middle of 256, as the network was trained."""
        import numpy as np
        from PIL import Image

        picture = Image.open(path).convert("RGB")
        factor = 256 / min(picture.size)
        picture = picture.resize([max(256, round(side * factor)) for side in picture.size], Image.Resampling.BICUBIC)
        left, top = ((side - 224) // 2 for side in picture.size)
        pixels = np.asarray(picture.crop((left, top, left + 224, top + 224)), dtype="float32")
        return self.torch.from_numpy((pixels - 127.0) / 128.0).permute(2, 0, 1)

    def loader(self, files, classes, shuffle):
        """Their usual way: two worker processes decode while the network works."""
        reader = self

        class Photographs(self.torch.utils.data.Dataset):
            def __len__(self):
                return len(files)

            def __getitem__(self, at):
                return reader.read(files[at]), classes[at]

        return self.torch.utils.data.DataLoader(Photographs(), batch_size=BATCH, shuffle=shuffle, num_workers=2)


class Peer(Reader):
    """EfficientNet-Lite0 as its port to PyTorch has it."""

    def __init__(self, checkpoint, threads):
        super().__init__(threads)
        from efficientnet_lite_pytorch import EfficientNet

        self.network = EfficientNet.from_name("efficientnet-lite0")
        self.network.load_state_dict(self.torch.load(checkpoint, map_location="cpu", weights_only=True))
        self.network.eval()

    def trunk(self, x):
        """Up to the last block, a convolution of one place."""
        own = self.network
        x = own._swish(own._bn0(own._conv_stem(x)))
        for block in own._blocks:
            x = block(x)
        return x

    def last(self, x):
        own = self.network
        return own._avg_pooling(own._swish(own._bn1(own._conv_head(x)))).flatten(1)

    def head(self, classes):
        self.network._fc = self.torch.nn.Linear(1280, classes)
        return self.network._fc

    def right(self, scores, classes):
        return (scores.argmax(1) == classes).sum().item()


def loop(peer, how, train, aside, classes, target):
    """Seconds until the accuracy aside is reached, epochs, accuracy. `how`: head, head-cached, last, last-cached or all."""
    torch = peer.torch
    begin = time.perf_counter()
    head = peer.head(classes)
    tuned = [head] if how.startswith("head") else [head, peer.network._conv_head, peer.network._bn1]
    if how == "all":
        tuned = [peer.network]
    for own in peer.network.parameters():
        own.requires_grad_(False)
    learnt = [own for part in tuned for own in part.parameters()]
    for own in learnt:
        own.requires_grad_(True)
    rule = torch.optim.AdamW(learnt, lr=1e-3 if how.startswith("head") else 3e-4)

    def scores(x):
        if how == "all":
            return head(peer.last(peer.trunk(x)))
        if how.startswith("last"):
            with torch.no_grad():
                x = x if how.endswith("cached") else peer.trunk(x)
            return head(peer.last(x))
        if not how.endswith("cached"):
            with torch.no_grad():
                x = peer.last(peer.trunk(x))
        return head(x)

    def once(files_classes):
        """What goes into the part that is trained, computed once."""
        parts = []
        with torch.no_grad():
            for x, y in peer.loader(*files_classes, shuffle=False):
                x = peer.trunk(x)
                parts.append((x if how.startswith("last") else peer.last(x), y))
        return torch.cat([x for x, _ in parts]), torch.cat([y for _, y in parts])

    if how.endswith("cached"):
        (xs, ys), (xa, ya) = once(train), once(aside)

        def batches():
            order = torch.randperm(len(ys))
            return ((xs[part], ys[part]) for part in order.split(BATCH))

        def others():
            return zip(xa.split(64), ya.split(64))

    else:
        trainer, other = peer.loader(*train, shuffle=True), peer.loader(*aside, shuffle=False)
        batches, others = (lambda: trainer), (lambda: other)
    best = 0.0
    for epoch in range(1, MOST_EPOCHS + 1):
        for x, y in batches():
            rule.zero_grad()
            torch.nn.functional.cross_entropy(scores(x), y).backward()
            rule.step()
        with torch.no_grad():
            hits = sum(peer.right(scores(x), y) for x, y in others())
        best = max(best, hits / len(aside[0]))
        if best >= target - 1e-9:
            break
    return {"seconds": time.perf_counter() - begin, "epochs": epoch, "accuracy": best}


def forward(peer, files):
    """Pictures a second from files to features; and of tensors alone, in the quicker of two layouts."""
    torch = peer.torch
    begin = time.perf_counter()
    with torch.no_grad():
        for x, _ in peer.loader(files, [0] * len(files), shuffle=False):
            peer.last(peer.trunk(x))
        whole = len(files) / (time.perf_counter() - begin)
        alone = 0.0
        for layout in (torch.contiguous_format, torch.channels_last):
            network = peer.network.to(memory_format=layout)
            x = torch.randn(BATCH, 3, 224, 224).contiguous(memory_format=layout)
            for attempt in range(4):
                begin = time.perf_counter()
                peer.last(peer.trunk(x))
                alone = max(alone, BATCH / (time.perf_counter() - begin)) if attempt else alone
        peer.network = network.to(memory_format=torch.contiguous_format)
    return {"per_second": whole, "tensors_per_second": alone}


def step(peer, files, classes):
    """Pictures a second of an epoch that trains everything, from files."""
    begin = time.perf_counter()
    found = loop(peer, "all", (files, classes), (files[:1], classes[:1]), max(classes) + 1, 0.0)
    assert found["epochs"] == 1
    return {"per_second": len(files) / (time.perf_counter() - begin)}


def published(name, classes=1000):
    """A network as its package has it, weights drawn at random."""
    import timm
    import torchvision

    if name.startswith("vit"):
        return timm.create_model({"vit-s-16": "vit_small_patch16_224"}[name], num_classes=classes)
    more = {"aux_logits": False, "init_weights": True} if name == "googlenet" else {}
    return getattr(torchvision.models, name.replace("-", "_"))(num_classes=classes, **more)


def other_network(asked, threads):
    """Pictures a second of a network of the zoo from files, forwards and in an epoch that trains everything."""
    reader = Reader(threads)
    torch = reader.torch
    network = published(asked["name"])
    network.load_state_dict(torch.load(asked["file"], map_location="cpu", weights_only=True))
    network.eval()
    files, classes = asked["train"]
    found = {}
    for layout in (torch.contiguous_format, torch.channels_last):
        own = network.to(memory_format=layout)
        begin = time.perf_counter()
        with torch.no_grad():
            for x, _ in reader.loader(files, classes, shuffle=False):
                own(x.contiguous(memory_format=layout))
        found["per_second"] = max(found.get("per_second", 0), len(files) / (time.perf_counter() - begin))
        if not asked["steps"]:
            continue
        rule = torch.optim.AdamW(own.parameters(), lr=1e-5)
        begin = time.perf_counter()
        for x, y in reader.loader(*asked["some"], shuffle=True):
            rule.zero_grad()
            torch.nn.functional.cross_entropy(own(x.contiguous(memory_format=layout)), y).backward()
            rule.step()
        passed = len(asked["some"][0]) / (time.perf_counter() - begin)
        found["step_per_second"] = max(found.get("step_per_second", 0), passed)
    return found


def child(options):
    """One measurement of PyTorch in a process of its own."""
    asked = json.loads(options.child)
    if asked["what"] == "zoo":
        return print(json.dumps(other_network(asked, options.threads)))
    began = time.perf_counter()
    peer = Peer(options.network, options.threads)
    start = time.perf_counter() - began
    if asked["what"] == "forward":
        found = forward(peer, asked["train"][0])
    elif asked["what"] == "step":
        found = step(peer, *asked["train"])
    else:
        found = loop(peer, asked["what"], asked["train"], asked["aside"], asked["classes"], asked["target"])
    kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # without the workers, whose pages are partly the same
    print(json.dumps(found | {"start": start, "mib": kib / 1024}))


# ------------------------------------------------------------------------------------------------ comparison


def ask(options, **asked):
    command = [sys.executable, "-B", __file__, "--network", options.network, "--threads", str(options.threads)]
    ran = subprocess.run([*command, "--child", json.dumps(asked)], capture_output=True, text=True)
    if ran.returncode:
        sys.exit(ran.stderr)
    return json.loads(ran.stdout.splitlines()[-1])


def juyi(options, folder, name, *flags):
    """A run of `juyi transfer`: its record, and the pictures that it kept aside with their classes."""
    out = folder / name
    command = [JUYI, "transfer", "--source", options.network, "--target", options.photographs, "--out", out]
    subprocess.run([*command, "--threads", str(options.threads), "--quiet", *flags], check=True)
    with open(out / "predictions.csv") as file:
        aside = {row["picture"]: row["label"] for row in csv.DictReader(file)}
    return json.loads((out / "run.json").read_text()), aside


def size(packages):
    """MB on disk of packages and what they need."""
    done, names = 0, list(packages)
    seen = set()
    while names:
        name = names.pop().split(";")[0].split("[")[0].strip()
        for sign in "<>=!~ (":
            name = name.split(sign)[0]
        if name.lower() in seen:
            continue
        seen.add(name.lower())
        try:
            own = distribution(name)
        except Exception:
            continue
        done += sum(own.locate_file(file).stat().st_size for file in own.files or [] if own.locate_file(file).is_file())
        names += [need for need in own.requires or [] if "extra ==" not in need]
    return done / 1e6


def seconds_of(command, times=5):
    took = []
    for _ in range(times):
        begin = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        took.append(time.perf_counter() - begin)
    return min(took)


def compare(options, folder):
    lines = ["| what | PyTorch | Juyi | ratio |", "| --- | ---: | ---: | ---: |"]

    def line(what, theirs, ours, ratio):
        lines.append(f"| {what} | {theirs} | {ours} | {ratio} |")
        print(lines[-1], flush=True)

    # The pictures aside are the same for every training; a head is judged on all, so theirs are those of the training.
    block, aside = juyi(options, folder, "last", "--tune", "last:1", "--epochs", str(options.epochs), "--set", "refit=no")
    alone, _ = juyi(options, folder, "head", "--tune", "head")
    files, label = photographs(options)
    names = sorted({Path(file).parent.name for file in files})
    train = [[f for f in files if f not in aside], [c for f, c in zip(files, label) if f not in aside]]
    other = [[f for f in files if f in aside], [c for f, c in zip(files, label) if f in aside]]

    def judged(run):
        return run["transfer"]["chosen"]["scores"]["accuracy"]

    target_head = min(judged(alone), max(e["aside"][1] for e in block["figures"]["epochs"]))
    for what, target, run in [("head", target_head, alone), ("last", judged(block), block)]:
        ours = run["transfer"]["chosen"]["seconds"]
        for how in (what, f"{what}-cached"):
            enough = target - 1 / len(other[0])
            found = ask(options, what=how, train=train, aside=other, classes=len(names), target=enough)
            usual = "their loop on activations computed once" if how.endswith("cached") else "their usual loop"
            part = "head" if what == "head" else "last block and head"
            reached = f"{100 * found['accuracy']:.1f} % after {found['epochs']} epochs"
            line(
                f"{part}, {usual}, s",
                f"{found['seconds']:.1f} ({reached})",
                f"{ours:.1f} ({100 * judged(run):.1f} %)",
                f"{found['seconds'] / ours:.1f}",
            )
            if how == "last":
                mib = found["mib"]
    line("peak memory of the last-block training, MiB", f"{mib:.0f}", f"{block['peak_memory'] / 2**20:.0f}", f"{mib * 2**20 / block['peak_memory']:.1f}")

    found = ask(options, what="forward", train=train)
    ours = features(options, folder, options.network, files)
    line("features from files, pictures/s", f"{found['per_second']:.1f}", f"{ours:.1f}", f"{ours / found['per_second']:.2f}")
    line("PyTorch on tensors alone, quicker layout, pictures/s", f"{found['tensors_per_second']:.1f}", "", "")
    some = [part[:: max(1, len(part) // 128)] for part in train]
    found = ask(options, what="step", train=some)
    ours = steps(options, folder, options.network, some[0])
    line("training step of everything, pictures/s", f"{found['per_second']:.1f}", f"{ours:.1f}", f"{ours / found['per_second']:.2f}")
    theirs = seconds_of([sys.executable, "-c", "import torch, torchvision"])
    ours = seconds_of([JUYI, "--version"])
    line("start-up, s", f"{theirs:.2f}", f"{ours:.3f}", f"{theirs / ours:.0f}")
    theirs, ours = size(["torch", "torchvision"]), JUYI.stat().st_size / 1e6
    line("installed, MB", f"{theirs:.0f}", f"{ours:.0f}", f"{theirs / ours:.0f}")
    return lines, [files, label]


def photographs(options):
    """The files, and the number of the class of each."""
    files = sorted(str(path) for path in Path(options.photographs).glob("*/*"))
    names = sorted({Path(file).parent.name for file in files})
    return [files, [names.index(Path(file).parent.name) for file in files]]


def features(options, folder, network, files):
    """Pictures a second from files to features, as the command takes them."""
    command = [JUYI, "features", options.photographs, "--network", network, "--threads", str(options.threads)]
    return len(files) / seconds_of([*command, "--out", folder / "f.npz"], 1)


def steps(options, folder, network, files):
    """Pictures a second in training everything: what two epochs more take."""
    subset = Path(tempfile.mkdtemp(dir=folder))
    for file in files:
        link = subset / Path(file).parent.name / Path(file).name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(Path(file).resolve())
    took = {}
    for epochs in (1, 3):
        own = argparse.Namespace(**(vars(options) | {"photographs": subset, "network": network}))
        flags = ["--tune", "all", "--epochs", str(epochs), "--set", "refit=no,rate=1e-5"]
        run, aside = juyi(own, folder, f"{subset.name}-{epochs}", *flags)
        took[epochs] = run["transfer"]["chosen"]["seconds"]
    passed = 2 * (len(files) - len(aside)) + 2 * len(aside) / 3  # a look costs a third of a step
    return passed / (took[3] - took[1])


def zoo(options, folder, pictures):
    """Other networks, weights drawn at random: neither side looks at their values."""
    import torch

    lines = ["", "| pictures/s from files | PyTorch, quicker layout | Juyi | ratio | training step | Juyi | ratio |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    some = [part[::5] for part in pictures]
    for name in ZOO:
        file = folder / f"{name}.pth"
        torch.save(published(name).state_dict(), file)
        trained = name != "vgg11"  # half a gigabyte of weights, whose state is written after each epoch
        found = ask(options, what="zoo", name=name, file=str(file), train=pictures, some=some, steps=trained)
        theirs, ours = found["per_second"], features(options, folder, file, pictures[0])
        cells = [f"{theirs:.1f}", f"{ours:.1f}", f"{ours / theirs:.2f}"]
        if trained:
            theirs, ours = found["step_per_second"], steps(options, folder, file, some[0])
            cells += [f"{theirs:.1f}", f"{ours:.1f}", f"{ours / theirs:.2f}"]
        else:
            cells += ["-"] * 3
        lines.append(f"| {name} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    return lines


def main():
    parser = argparse.ArgumentParser(prog="benchmarks/deep", description="Times Juyi beside PyTorch; writes docs/benchmarks.md.")
    parser.add_argument("--network", required=True, help="checkpoint of EfficientNet-Lite0, first port")
    parser.add_argument("--photographs", help="folder with a subfolder a class")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--epochs", type=int, default=2, help="epochs of Juyi's last-block training")
    parser.add_argument("--zoo", action="store_true", help="other networks only; writes nothing")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return child(options)
    with tempfile.TemporaryDirectory() as folder:
        if options.zoo:
            return zoo(options, Path(folder), photographs(options))
        lines, pictures = compare(options, Path(folder))
        lines += zoo(options, Path(folder), pictures)
    about = (
        f"`benchmarks/deep`: EfficientNet-Lite0 on {len(pictures[0])} photographs of ten classes, PyTorch {version('torch')}, {options.threads} "
        f"threads a side. PyTorch stops at the first epoch that is as good as Juyi on the pictures aside but for one, at most {MOST_EPOCHS}. Juyi's "
        f"time for a head includes choosing its penalty by cross-validation. The second table has other networks on the same files, weights "
        f"drawn at random; a training step learns everything, on a fifth of the files."
    )
    page.write("deep", [about, "", *lines])


if __name__ == "__main__":
    main()
