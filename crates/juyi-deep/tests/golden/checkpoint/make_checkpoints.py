"""Makes the files of this folder and expected.json, which says what must be read from them.

Usage, in a fresh virtual environment (Python 3.11):

    pip install torch==2.15.0 numpy==2.4.6 safetensors==0.8.0
    python make_checkpoints.py

The values are what PyTorch and NumPy hold, as 32-bit floats in hexadecimal digits, not what a reader made of the files.
A case is a file and either its tensors, metadata and notes, or words of the refusal. The files named `poisoned` would
make an empty file called `poisoned` in the current folder if they were unpickled.
"""

import collections
import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import safetensors.torch
import torch

HERE = Path(__file__).resolve().parent
CASES = []


def plain(value):
    """A tensor or array as the case keeps it: shape, and the digits of its values by row."""
    if isinstance(value, torch.Tensor):
        value = value.detach().resolve_neg().to(torch.float32).numpy()
    value = np.asarray(value)
    return {"shape": list(value.shape), "values": value.astype("<f4").tobytes().hex()}


def case(file, tensors, metadata=None, notes=()):
    tensors = {name: plain(value) for name, value in tensors.items()}
    CASES.append({"file": file, "tensors": tensors, "metadata": metadata or {}, "notes": list(notes)})


def refused(file, words):
    CASES.append({"file": file, "refused": words})


def both(name, value, tensors, notes=()):
    """The value as both layouts of PyTorch."""
    for suffix, zipped in [("", True), ("-row", False)]:
        torch.save(value, HERE / f"{name}{suffix}.pt", _use_new_zipfile_serialization=zipped)
        case(f"{name}{suffix}.pt", tensors, notes=notes)


def kinds():
    floats = [0.1, -2.5, float("inf"), 65504.0, 1e-7]
    tensors = {
        str(kind).removeprefix("torch."): torch.tensor(floats, dtype=torch.float64).to(kind)
        for kind in [torch.float64, torch.float32, torch.float16, torch.bfloat16]
    }
    tensors["int64"] = torch.tensor([-(2**40) - 1, 2**24 + 1, 3])
    tensors["int32"] = torch.tensor([-(2**31), 2**31 - 1], dtype=torch.int32)
    tensors["int16"] = torch.tensor([-300, 300], dtype=torch.int16)
    tensors["int8"] = torch.tensor([-128, 127], dtype=torch.int8)
    tensors["uint8"] = torch.tensor([0, 255], dtype=torch.uint8)
    tensors["bool"] = torch.tensor([True, False])
    tensors["scalar"] = torch.tensor(1.5)
    tensors["empty"] = torch.empty(0, 3)
    both("kinds", tensors, tensors)
    safetensors.torch.save_file(tensors, HERE / "kinds.safetensors", {"format": "pt"})
    case("kinds.safetensors", tensors, {"format": "pt"})


def views():
    whole = torch.arange(24.0).reshape(2, 3, 4)
    tensors = {
        "whole": whole,
        "transposed": whole.permute(2, 0, 1),
        "part": whole[1, 1:, ::2],
        "same": whole,
        "repeated": torch.tensor([[1.0], [2.0]]).expand(2, 3),
        "parameter": torch.nn.Parameter(whole[0, 0]),
        "last": whole.to(memory_format=torch.contiguous_format).unsqueeze(0).to(memory_format=torch.channels_last),
    }
    both("views", tensors, tensors)


def scripts():
    """What a training script keeps."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    state = torch.nn.DataParallel(net).state_dict()
    value = {"epoch": 3, "model_state_dict": state, "optimizer": torch.optim.SGD(net.parameters(), 0.1).state_dict()}
    tensors = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    both(
        "script",
        value,
        tensors,
        [
            "the tensors are those of `model_state_dict`; left out beside it: `epoch`, `optimizer`",
            "`module.` was taken off all names: the network was trained in parallel",
        ],
    )
    # A compiled network, an average of it, and an optimizer with two tensors a parameter.
    compiled = torch.compile(torch.nn.DataParallel(net)).state_dict()
    average = torch.optim.swa_utils.AveragedModel(net).state_dict()
    loss = net(torch.ones(4, 2)).sum()
    loss.backward()
    adam = torch.optim.Adam(net.parameters())
    adam.step()
    value = {"optimizer": adam.state_dict(), "ema": average, "weights": compiled, "best": torch.tensor(0.5)}
    both(
        "wrapped",
        value,
        {name.removeprefix("_orig_mod.module."): tensor for name, tensor in compiled.items()},
        [
            "the tensors are those of `weights`; left out beside it: `optimizer`, `ema`, `best`",
            "`_orig_mod.module.` was taken off all names: the network was compiled, the network was trained in parallel",
        ],
    )
    # The source text that the older layout keeps would come from the folder where PyTorch is installed.
    torch.serialization.get_source_lines_and_file = lambda of: (["class Linear: ..."], 1, "linear.py")
    for suffix, zipped in [("", True), ("-row", False)]:
        torch.save(net[0], HERE / f"network{suffix}.pt", _use_new_zipfile_serialization=zipped)
        refused(f"network{suffix}.pt", "an object made by `torch.nn.modules.linear.Linear`")


def repacked(source, file, change=lambda path, bytes: bytes, method=zipfile.ZIP_DEFLATED):
    """An archive with other parts or another compression."""
    with zipfile.ZipFile(HERE / source) as old, zipfile.ZipFile(HERE / file, "w", method) as new:
        for part in old.infolist():
            new.writestr(zipfile.ZipInfo(part.filename), change(part.filename, old.read(part)), method)


def archives():
    weights = {"w": torch.tensor([1.0, 2.0])}
    torch.save(weights, HERE / "plain.pt")
    repacked("plain.pt", "deflated.pt")
    case("deflated.pt", weights)
    repacked("plain.pt", "big-endian.pt", lambda path, old: b"big" if path.endswith("byteorder") else old)
    refused("big-endian.pt", "little-endian")
    (HERE / "plain.pt").unlink()
    torch.save({"w": torch.tensor([1 + 2j])}, HERE / "complex.pt")
    refused("complex.pt", "`torch.ComplexFloatStorage`")
    torch.save({"w": torch._neg_view(torch.tensor([1.0]))}, HERE / "negated.pt")
    refused("negated.pt", "negated")
    torch.save({"w": torch.tensor([1.0]).to_sparse()}, HERE / "sparse.pt")
    refused("sparse.pt", "holds no tensors")
    np.savez(HERE / "arrays.npz", w=np.zeros(1))
    refused("arrays.npz", "not a checkpoint")


def arrays():
    value = {
        "conv1": [np.arange(6, dtype="<f4").reshape(2, 3), np.array([0.1, -2.5])],
        "dense": {"kernel": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "half": np.array([0.1, 65504], "f2")},
        "integers": (np.array([2**40 + 1, -1]), np.array([7], "i4"), np.array([200], "u1"), np.array([True, False])),
        "empty": np.zeros((0, 2)),
        "single": np.array(1.5),
        "part": np.arange(12.0).reshape(3, 4)[::2, 1:],
        5: np.array([5], "i2"),
    }
    tensors = {
        "conv1.0": value["conv1"][0],
        "conv1.1": value["conv1"][1],
        "dense.kernel": value["dense"]["kernel"],
        "dense.half": value["dense"]["half"],
        **{f"integers.{place}": array for place, array in enumerate(value["integers"])},
        **{name: value[name] for name in ["empty", "single", "part"]},
        "5": value[5],
    }
    for protocol in range(6):
        (HERE / f"arrays-{protocol}.pkl").write_bytes(pickle.dumps(value, protocol))
        case(f"arrays-{protocol}.pkl", tensors)
    others = {
        "objects": (np.array([None, 1], object), "Python objects"),
        "big-endian-array": (np.array([1.0], ">f4"), "big-endian"),
        "text": (np.array(["a"]), "type `U1`"),
    }
    for name, (array, words) in others.items():
        (HERE / f"{name}.pkl").write_bytes(pickle.dumps({"w": array}, 4))
        refused(f"{name}.pkl", words)
    (HERE / "tensor.pkl").write_bytes(pickle.dumps({"w": torch.tensor([1.0])}, 4))
    refused("tensor.pkl", "`torch.storage._load_from_bytes`")


class Poison:
    """Runs a command when it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch poisoned",)


def poisoned():
    array = np.array([1.0], "f4")
    note = "left out, for they are no tensors: `a` (an object made by `posix.system`)"
    for protocol in [0, 2, 4]:
        (HERE / f"poisoned-{protocol}.pkl").write_bytes(pickle.dumps(Poison(), protocol))
        refused(f"poisoned-{protocol}.pkl", "an object made by `posix.system`")
    (HERE / "poisoned-part.pkl").write_bytes(pickle.dumps({"a": Poison(), "w": array}, 4))
    case("poisoned-part.pkl", {"w": array}, notes=[note])
    for suffix, zipped in [("", True), ("-row", False)]:
        value = collections.OrderedDict(a=Poison(), w=torch.tensor([1.0]))
        torch.save(value, HERE / f"poisoned{suffix}.pt", _use_new_zipfile_serialization=zipped)
        case(f"poisoned{suffix}.pt", {"w": array}, notes=[note])


for make in [kinds, views, scripts, archives, arrays, poisoned]:
    make()
lines = ",\n".join(json.dumps(case) for case in CASES)
(HERE / "expected.json").write_text(f"[\n{lines}\n]\n")
