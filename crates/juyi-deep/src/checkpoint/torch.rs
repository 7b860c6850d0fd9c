//! PyTorch's checkpoints: a pickle of tensors, whose values lie in storages outside of it.
//!
//! Format: `torch.save` as its source tells it. Since version 1.6 a file is a zip archive of `NAME/data.pkl` and a part
//! `NAME/data/KEY` for each storage. Before, it was a row of pickles (a magic number, a version, facts on the machine,
//! the object, the list of storages) and then each storage behind its number of values. A tensor is a call of
//! `torch._utils._rebuild_tensor_v2` with a storage, an offset, a shape and strides; several may share a storage.
//!
//! Storages in an archive are unpacked one at a time, and only those that are needed; the others lie in the file as
//! they are.

mod archive;
mod row;

pub(super) use archive::archive;
pub(super) use row::{MAGIC, row};

use juyi::error::{Error, Result, shown};

use super::pickle::{Node, Pickle};
use super::values::{Kind, Layout};

const AGAIN: &str = "fetch the file again";

/// Values outside of the pickle, as it names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Storage<'p> {
    kind: Kind,
    pub(super) key: &'p str,
    pub(super) bytes: usize,
}

impl Storage<'_> {
    /// The error for a storage of which a pickle says two things.
    pub(super) fn contradiction(&self, thing: &str) -> Error {
        let problem = format!("storage `{}` has two types or sizes", shown(self.key));
        Error::input(thing, problem, AGAIN)
    }
}

/// Whether a value is a tensor.
pub(super) fn is_tensor(pickle: &Pickle<'_>, id: usize) -> bool {
    rebuilt(pickle, id).is_some()
}

/// The arguments of the call that makes a tensor, inside that of a parameter if it is one.
fn rebuilt<'p>(pickle: &'p Pickle<'_>, id: usize) -> Option<&'p [usize]> {
    let mut call = pickle.call(id)?;
    if let (b"torch._utils", b"_rebuild_parameter" | b"_rebuild_parameter_with_state") = call.function {
        call = pickle.call(*call.arguments.first()?)?;
    }
    let known = matches!(call.function, (b"torch._utils", b"_rebuild_tensor" | b"_rebuild_tensor_v2"));
    known.then_some(call.arguments)
}

/// Storage and layout of the tensor that [`is_tensor`] found; messages call it `thing`.
///
/// # Errors
/// [`Error::Input`] for a type that is not read, or if parts are missing.
pub(super) fn tensor<'p>(pickle: &'p Pickle<'_>, id: usize, thing: &str) -> Result<(Storage<'p>, Layout)> {
    let damaged = || Error::input(thing, "is damaged: it has no storage, offset, shape and strides", AGAIN);
    let Some(&[storage, offset, shape, strides, ref more @ ..]) = rebuilt(pickle, id) else {
        return Err(damaged());
    };
    // Behind whether it has a gradient, and hooks: that values are to be conjugated or negated.
    if more.get(2).is_some_and(|flags| !matches!(pickle.node(*flags), Node::None)) {
        return Err(Error::input(thing, "is a negated or conjugated view", "save `tensor.resolve_neg()`"));
    }
    let Some(found) = storage_of(pickle, storage) else {
        let problem = format!("has {} in place of a storage", pickle.described(storage));
        return Err(Error::input(thing, problem, "write the file with `torch.save`"));
    };
    let (storage, first) = found.map_err(|problem| {
        Error::input(thing, problem, "convert the tensor with `.float()` before it is saved")
    })?;
    let offset = pickle.size(offset).and_then(|offset| offset.checked_add(first));
    match (offset, pickle.sizes(shape), pickle.sizes(strides)) {
        (Some(offset), Some(shape), Some(strides)) if shape.len() == strides.len() => {
            Ok((storage, Layout { kind: storage.kind, offset, shape, strides }))
        }
        _ => Err(damaged()),
    }
}

/// The storage that a reference means, and the value at which the part begins that is meant. `None` if it means none;
/// the error says why its values cannot be read.
fn storage_of<'p>(
    pickle: &'p Pickle<'_>,
    id: usize,
) -> Option<std::result::Result<(Storage<'p>, usize), String>> {
    let Node::Persistent(parts) = pickle.node(id) else { return None };
    let &[tag, class, key, _, count, ref view @ ..] = pickle.tuple(*parts)? else { return None };
    let (module, class) = pickle.global(class).filter(|_| pickle.text(tag) == Some("storage"))?;
    let key = pickle.text(key)?;
    let count = pickle.size(count)?;
    let first = match view {
        [view, ..] if !matches!(pickle.node(*view), Node::None) => {
            pickle.size(*pickle.tuple(*view)?.get(1)?)?
        }
        _ => 0,
    };
    let kind = match (module, class) {
        (b"torch", b"DoubleStorage") => Kind::F64,
        (b"torch", b"FloatStorage") => Kind::F32,
        (b"torch", b"HalfStorage") => Kind::F16,
        (b"torch", b"BFloat16Storage") => Kind::Bf16,
        (b"torch", b"LongStorage") => Kind::I64,
        (b"torch", b"IntStorage") => Kind::I32,
        (b"torch", b"ShortStorage") => Kind::I16,
        (b"torch", b"CharStorage") => Kind::I8,
        (b"torch", b"ByteStorage") => Kind::U8,
        (b"torch", b"BoolStorage") => Kind::Bool,
        _ => {
            let (module, class) = (String::from_utf8_lossy(module), String::from_utf8_lossy(class));
            return Some(Err(format!("holds values of `{}.{}`", shown(&module), shown(&class))));
        }
    };
    let bytes = count.checked_mul(kind.width());
    let storage = bytes.map(|bytes| (Storage { kind, key, bytes }, first));
    Some(storage.ok_or_else(|| format!("has a storage of {count} values, too many to count")))
}

#[cfg(test)]
mod tests {
    use super::super::written::{
        archive, call, dict, global, number, numbers, pickle, row, storage, tensor, text, tuple,
    };
    use super::super::{Checkpoint, Stored};
    use super::*;

    pub(super) fn read(bytes: &[u8]) -> Result<Checkpoint> {
        Checkpoint::from_bytes("f", bytes, 1 << 20)
    }

    pub(super) fn problem(bytes: &[u8]) -> String {
        read(bytes).unwrap_err().to_string()
    }

    /// An archive of one tensor `w` and its storage.
    pub(super) fn one(tensor: Vec<u8>, values: &[u8]) -> Vec<u8> {
        archive(&[("net/data.pkl", &pickle(&dict(&[("w", tensor)]))), ("net/data/0", values)])
    }

    #[test]
    fn both_layouts_give_the_same_tensors() {
        let bytes: Vec<u8> = (0..6).collect();
        let whole = tensor(storage("ByteStorage", "0", 6), 0, &[2, 3], &[3, 1]);
        let part = tensor(storage("ByteStorage", "0", 6), 1, &[2, 2], &[1, 3]);
        let parameter = call("torch._utils", "_rebuild_parameter", &[part, b"\x88".to_vec(), dict(&[])]);
        let state = dict(&[("whole", whole), ("part", parameter)]);
        let zipped =
            archive(&[("a/byteorder", b"little"), ("a/data.pkl", &pickle(&state)), ("a/data/0", &bytes)]);
        let zipped = read(&zipped).unwrap();
        assert_eq!(
            zipped.tensors["whole"],
            Stored { shape: vec![2, 3], values: vec![0., 1., 2., 3., 4., 5.] }
        );
        assert_eq!(zipped.tensors["part"], Stored { shape: vec![2, 2], values: vec![1., 4., 2., 5.] });
        assert_eq!(read(&row(&state, &[("0", 6, &bytes)])).unwrap(), zipped);
    }

    #[test]
    fn a_view_of_a_storage_starts_within_it() {
        let view = tuple(&[text("1"), number(2), number(2)]);
        let parts =
            [text("storage"), global("torch", "ByteStorage"), text("0"), text("cpu"), number(4), view];
        let storage = [tuple(&parts), b"Q".to_vec()].concat();
        let state = dict(&[("w", tensor(storage, 1, &[1], &[1]))]);
        assert_eq!(read(&row(&state, &[("0", 4, &[5, 6, 7, 8])])).unwrap().tensors["w"].values, [8.0]);
    }

    #[test]
    fn other_types_are_refused_by_name() {
        let typed = |class: &str| problem(&one(tensor(storage(class, "0", 1), 0, &[1], &[1]), &[0]));
        assert_eq!(
            typed("ComplexFloatStorage"),
            "`f`, tensor `w`: holds values of `torch.ComplexFloatStorage`"
        );
        let flagged = [storage("ByteStorage", "0", 1), number(0), numbers(&[1]), numbers(&[1])];
        let more = [b"\x89".to_vec(), dict(&[]), dict(&[("neg", b"\x88".to_vec())])];
        let flagged = call("torch._utils", "_rebuild_tensor_v2", &[&flagged[..], &more].concat());
        assert_eq!(problem(&one(flagged, &[0])), "`f`, tensor `w`: is a negated or conjugated view");
        let run = tensor(call("os", "system", &[text("true")]), 0, &[1], &[1]);
        assert_eq!(
            problem(&one(run, &[0])),
            "`f`, tensor `w`: has an object made by `os.system` in place of a storage"
        );
    }

    #[test]
    fn sizes_must_fit() {
        let of = |count: i64, offset: i64, shape: &[i64], strides: &[i64]| {
            tensor(storage("FloatStorage", "0", count), offset, shape, strides)
        };
        for tensor in
            [of(1, -1, &[1], &[1]), of(1, 0, &[1], &[]), of(1, 0, &[-1], &[1]), of(1, 0, &[1; 65], &[1; 65])]
        {
            assert!(problem(&one(tensor, &[0; 4])).contains("no storage, offset, shape and strides"));
        }
        for tensor in
            [of(1, 0, &[i64::MAX], &[1]), of(1, i64::MAX, &[1], &[1]), of(1, 0, &[i64::MAX, 3], &[0, 0])]
        {
            assert!(problem(&one(tensor, &[0; 4])).contains("has shape"));
        }
        assert!(problem(&one(of(i64::MAX, 0, &[1], &[1]), &[0; 4])).contains("too many to count"));
        // A storage that is larger than the budget, and values that all lie in one place.
        let large = read(&one(of(1 << 40, 0, &[1], &[1]), &[0; 4]));
        assert!(matches!(large, Err(Error::Memory { need, .. }) if need > 1 << 41));
        let repeated = read(&one(of(1, 0, &[1 << 40], &[0]), &[0; 4]));
        assert!(matches!(repeated, Err(Error::Memory { need, .. }) if need > 1 << 41));
    }
}
