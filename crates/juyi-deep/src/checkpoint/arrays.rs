//! NumPy's arrays as they stand in pickles: numbers and truth values in either order of dimensions.
//!
//! Format: what `numpy.ndarray.__reduce_ex__` and `numpy.dtype.__reduce__` return, in NumPy 1 and 2, Python 2 and 3.
//! Arrays of Python objects hold pickled calls for values; they are refused.

use std::borrow::Cow;

use juyi::error::{Error, Result, shown};

use super::Stored;
use super::pickle::{Node, Pickle};
use super::values::{Budget, Kind, Layout};

/// Whether a value is an array.
pub(super) fn is_array(pickle: &Pickle<'_>, id: usize) -> bool {
    pickle.call(id).is_some_and(|call| {
        matches!(
            call.function,
            (b"numpy.core.multiarray" | b"numpy._core.multiarray", b"_reconstruct")
                | (b"numpy.core.numeric" | b"numpy._core.numeric", b"_frombuffer")
        )
    })
}

/// The array that [`is_array`] found, called `name`; messages call it `thing`.
///
/// # Errors
/// [`Error::Input`] for a type that is not read, or if parts are missing or do not fit together; [`Error::Memory`].
pub(super) fn array(
    pickle: &Pickle<'_>,
    id: usize,
    thing: &str,
    name: &str,
    budget: &mut Budget,
) -> Result<Stored> {
    let damaged = |what: &str| Error::input(thing, format!("is damaged: {what}"), "fetch the file again");
    let call = pickle.call(id).ok_or_else(|| damaged("it is no array"))?;
    let mut axes = None;
    let (shape, dtype, by_column, bytes) = if call.function.1 == b"_frombuffer" {
        let &[bytes, dtype, shape, order, ref more @ ..] = call.arguments else {
            return Err(damaged("it has no buffer, type, shape and order"));
        };
        let by_column = match pickle.text(order) {
            Some("C") => false,
            Some("F") => true,
            // The dimensions of a row-wise array in another order.
            Some("K") => {
                axes = Some(more.first().and_then(|axes| pickle.sizes(*axes)).unwrap_or_default());
                false
            }
            _ => return Err(damaged("its order is none of `C`, `F` and `K`")),
        };
        (shape, dtype, by_column, bytes)
    } else {
        let state = call.state.and_then(|state| pickle.tuple(state)).unwrap_or_default();
        let &[_, shape, dtype, by_column, bytes] = state else {
            return Err(damaged("it has no version, shape, type, order and values"));
        };
        let by_column = match pickle.node(by_column) {
            Node::Bool(by_column) => *by_column,
            Node::Int(number) => *number != 0,
            _ => return Err(damaged("its order is no truth value")),
        };
        (shape, dtype, by_column, bytes)
    };
    let kind = kind(pickle, dtype).map_err(|what| {
        Error::input(
            thing,
            format!("holds {what}"),
            "convert it with `.astype(numpy.float32)` and pickle it again",
        )
    })?;
    let shape = pickle.sizes(shape).ok_or_else(|| damaged("its shape is no tuple of sizes"))?;
    let layout =
        if by_column { Layout::by_column(kind, shape.clone()) } else { Layout::by_row(kind, shape.clone()) };
    let mut layout =
        layout.ok_or_else(|| damaged(&format!("shape {shape:?} has too many values to count")))?;
    if let Some(axes) = axes {
        let mut sorted = axes.clone();
        sorted.sort_unstable();
        if !sorted.into_iter().eq(0..shape.len()) {
            return Err(damaged("its dimensions are in no order"));
        }
        layout.shape = axes.iter().map(|&axis| shape[axis]).collect();
        layout.strides = axes.iter().map(|&axis| layout.strides[axis]).collect();
    }

    let bytes = decoded(pickle, bytes, budget)?.ok_or_else(|| damaged("its values are no bytes"))?;
    let count = layout.count().unwrap_or_default();
    if bytes.len() != count * kind.width() {
        let there = bytes.len();
        let problem = format!("shape {shape:?} needs {} bytes, there are {there}", count * kind.width());
        return Err(damaged(&problem));
    }
    let stored = layout.read(thing, name, &bytes, budget)?;
    if let Cow::Owned(copy) = &bytes {
        budget.give_back(copy.capacity() as u64);
    }
    Ok(stored)
}

/// What the values of a pickled `numpy.dtype` are; the error says what else they are.
fn kind(pickle: &Pickle<'_>, id: usize) -> std::result::Result<Kind, String> {
    let call = pickle.call(id).filter(|call| call.function == (b"numpy", b"dtype"));
    let call = call.ok_or_else(|| format!("values whose type is {}", pickle.described(id)))?;
    let name = call.arguments.first().and_then(|name| pickle.text(*name)).unwrap_or("?");
    let order = call.state.and_then(|state| pickle.tuple(state)).and_then(|state| state.get(1));
    let order = order.and_then(|order| pickle.text(*order)).unwrap_or("=");
    match (name, order) {
        ("O8" | "O4" | "O", _) => Err("Python objects, which are never loaded".into()),
        ("i1", _) => Ok(Kind::I8),
        ("u1", _) => Ok(Kind::U8),
        ("b1", _) => Ok(Kind::Bool),
        (_, ">") => Err(format!("values of type `{}` in big-endian order", shown(name))),
        ("f8", _) => Ok(Kind::F64),
        ("f4", _) => Ok(Kind::F32),
        ("f2", _) => Ok(Kind::F16),
        ("i8", _) => Ok(Kind::I64),
        ("i4", _) => Ok(Kind::I32),
        ("i2", _) => Ok(Kind::I16),
        _ => Err(format!("values of type `{}`", shown(name))),
    }
}

/// Bytes as Python 3 keeps them, or as it writes them where the protocol knows only texts: each letter is a byte.
fn decoded<'p>(pickle: &'p Pickle<'_>, id: usize, budget: &mut Budget) -> Result<Option<Cow<'p, [u8]>>> {
    if let Node::Bytes(bytes) = pickle.node(id) {
        return Ok(Some(Cow::Borrowed(bytes)));
    }
    let Some(call) = pickle.call(id) else { return Ok(None) };
    match (call.function, call.arguments) {
        ((b"__builtin__" | b"builtins", b"bytes"), []) => Ok(Some(Cow::Borrowed(&[]))),
        ((b"_codecs", b"encode"), &[text, encoding]) if pickle.text(encoding) == Some("latin1") => {
            let Node::Text(text) = pickle.node(text) else { return Ok(None) };
            budget.take(text.len() as u64)?;
            let Ok(text) = std::str::from_utf8(text) else { return Ok(None) };
            let mut bytes = Vec::with_capacity(text.len());
            for letter in text.chars() {
                let Ok(byte) = u8::try_from(letter) else { return Ok(None) };
                bytes.push(byte);
            }
            Ok(Some(bytes.into()))
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Checkpoint;
    use super::super::written::{array, call, dict, number, numbers, pickle, text, tuple, typed_array};
    use super::*;

    fn read(array: Vec<u8>) -> Result<Stored> {
        let bytes = pickle(&dict(&[("a", array)]));
        Checkpoint::from_bytes("f", &bytes, 1 << 20)
            .map(|mut read| read.tensors.remove("a").expect("an array"))
    }

    fn problem(array: Vec<u8>) -> String {
        read(array).unwrap_err().to_string()
    }

    #[test]
    fn both_orders_are_read() {
        let bytes = b"C\x06\0\x01\x02\x03\x04\x05".to_vec();
        let by_row = read(typed_array("u1", "|", &[2, 3], false, bytes.clone())).unwrap();
        assert_eq!(by_row, Stored { shape: vec![2, 3], values: vec![0., 1., 2., 3., 4., 5.] });
        let by_column = read(typed_array("u1", "|", &[2, 3], true, bytes)).unwrap();
        assert_eq!(by_column, Stored { shape: vec![2, 3], values: vec![0., 2., 4., 1., 3., 5.] });
    }

    #[test]
    fn a_row_wise_array_with_its_dimensions_in_another_order_is_read() {
        // `pickle.dumps(numpy.arange(6, dtype="u1").reshape(2, 3, 1).transpose(1, 2, 0), protocol=5)`, NumPy 2.3.
        let dtype = [call("numpy", "dtype", &[text("u1")])].concat();
        let axes = |axes: &[i64]| tuple(&axes.iter().map(|axis| number(*axis)).collect::<Vec<_>>());
        let of = |order: &[i64]| {
            let shape = axes(&[2, 3, 1]);
            let bytes = b"C\x06\0\x01\x02\x03\x04\x05".to_vec();
            let arguments = [bytes, dtype.clone(), shape, text("K"), axes(order)];
            read(call("numpy._core.numeric", "_frombuffer", &arguments))
        };
        let turned = Stored { shape: vec![3, 1, 2], values: vec![0., 3., 1., 4., 2., 5.] };
        assert_eq!(of(&[1, 2, 0]).unwrap(), turned);
        assert!(of(&[1, 1, 0]).unwrap_err().to_string().contains("dimensions are in no order"));
    }

    #[test]
    fn bytes_written_as_text_are_decoded() {
        let encoded = |letters: &str| call("_codecs", "encode", &[text(letters), text("latin1")]);
        let values = read(typed_array("f4", "<", &[1], false, encoded("\0\0\u{20}\u{c0}"))).unwrap().values;
        assert_eq!(values, [-2.5]);
        assert!(problem(typed_array("u1", "|", &[1], false, encoded("\u{100}"))).contains("no bytes"));
        let run = call("os", "system", &[text("true")]);
        assert!(problem(typed_array("u1", "|", &[1], false, run)).contains("no bytes"));
    }

    #[test]
    fn sizes_must_fit() {
        assert_eq!(
            problem(array(&[2, 2], &[1, 2, 3])),
            "`f`, tensor `a`: is damaged: shape [2, 2] needs 4 bytes, there are 3"
        );
        for shape in [&[-1][..], &[1 << 62, 4], &[i64::MAX], &[1; 65], &[1 << 32, 1 << 32, 0]] {
            assert!(problem(array(shape, &[1])).starts_with("`f`, tensor `a`: is damaged"), "{shape:?}");
        }
        assert_eq!(read(array(&[0, 3], &[])).unwrap(), Stored { shape: vec![0, 3], values: vec![] });
    }

    #[test]
    fn other_types_are_refused_by_name() {
        let one =
            |name: &str, order: &str| problem(typed_array(name, order, &[1], false, b"C\x01a".to_vec()));
        assert_eq!(one("O8", "|"), "`f`, tensor `a`: holds Python objects, which are never loaded");
        assert_eq!(one("f4", ">"), "`f`, tensor `a`: holds values of type `f4` in big-endian order");
        assert_eq!(one("c8", "<"), "`f`, tensor `a`: holds values of type `c8`");
        let bare = call("numpy.core.multiarray", "_reconstruct", &[]);
        assert!(problem(bare).contains("no version, shape, type"));
        let buffer = |arguments| problem(call("numpy.core.numeric", "_frombuffer", arguments));
        assert!(buffer(&[]).contains("no buffer, type"));
        let dtype = call("numpy", "dtype", &[text("u1")]);
        let arguments = [b"C\x01a".to_vec(), dtype, numbers(&[1]), text("A")];
        assert!(buffer(&arguments).contains("none of `C`, `F` and `K`"));
        let arguments = [b"C\x01a".to_vec(), number(1), numbers(&[1]), text("C")];
        assert_eq!(buffer(&arguments), "`f`, tensor `a`: holds values whose type is a number");
    }
}
