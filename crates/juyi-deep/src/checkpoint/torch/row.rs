//! The rows of pickles and storages that PyTorch wrote before version 1.6.

use std::borrow::Cow;
use std::collections::BTreeMap;

use juyi::error::{Error, Result, shown};

use super::super::Checkpoint;
use super::super::pickle::{Node, Pickle};
use super::super::state::collect;
use super::super::values::Budget;
use super::super::wrappers::Wanted;
use super::{AGAIN, storage_of};

/// The pickled magic number that a file begins with.
pub(in crate::checkpoint) const MAGIC: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

/// The version of the format; there was no other.
const VERSION: i64 = 1001;

/// Reads a row of pickles and storages, which begins with [`MAGIC`].
///
/// # Errors
/// As [`collect`], and [`Error::Input`] for a file of another version or byte order, or one that is damaged.
pub(in crate::checkpoint) fn row(
    file: &str,
    bytes: &[u8],
    wanted: Wanted<'_>,
    budget: &mut Budget,
) -> Result<Checkpoint> {
    let fail = |problem: String| Error::input(format!("`{file}`"), problem, AGAIN);
    let mut rest = bytes.get(MAGIC.len()..).unwrap_or_default();
    let mut next = |part: &str| {
        let pickle = Pickle::read(&format!("`{file}`, {part}"), rest, budget)?;
        rest = &rest[pickle.length..];
        Ok::<_, Error>(pickle)
    };
    let version = next("version")?;
    if !matches!(version.node(version.root), Node::Int(VERSION)) {
        return Err(fail(format!("has another version of the format than {VERSION}")));
    }
    let machine = next("system")?;
    let Node::Dict(facts) = machine.node(machine.root) else {
        return Err(fail("does not say how numbers are stored".into()));
    };
    let order = facts.iter().find(|(fact, _)| machine.text(*fact) == Some("little_endian"));
    if !order.is_some_and(|(_, order)| matches!(machine.node(*order), Node::Bool(true))) {
        return Err(fail("is not in little-endian order".into()));
    }
    let object = next("object")?;
    let keys = next("list of storages")?;
    let mut known = BTreeMap::new();
    for id in 0..object.nodes().len() {
        let Some(storage) = storage_of(&object, id) else { continue };
        let (storage, _) = storage.map_err(fail)?;
        if *known.entry(storage.key).or_insert(storage) != storage {
            return Err(storage.contradiction(&format!("`{file}`")));
        }
    }
    let Node::List(keys_in_order) = keys.node(keys.root) else {
        return Err(fail("has no list of storages".into()));
    };
    let mut places = BTreeMap::new();
    for key in keys_in_order {
        let key = keys.text(*key).unwrap_or_default();
        let storage =
            known.get(key).ok_or_else(|| fail(format!("has a storage `{}` of no tensor", shown(key))))?;
        let cut_off = || fail(format!("is cut off before the end of storage `{}`", shown(key)));
        let (count, values) = rest.split_first_chunk::<8>().ok_or_else(cut_off)?;
        if u64::from_le_bytes(*count) != (storage.bytes / storage.kind.width()) as u64 {
            return Err(fail(format!("gives storage `{}` another size than its tensors do", shown(key))));
        }
        let (values, after) = values.split_at_checked(storage.bytes).ok_or_else(cut_off)?;
        rest = after;
        if places.insert(key, values).is_some() {
            return Err(fail(format!("has storage `{}` twice", shown(key))));
        }
    }
    if !rest.is_empty() {
        return Err(fail(format!("goes on behind its end by {} bytes", rest.len())));
    }
    collect(file, &object, wanted, budget, |storage, _| {
        let values = places.get(storage.key).copied().map(Cow::Borrowed);
        values.ok_or_else(|| fail(format!("has no values for storage `{}`", shown(storage.key))))
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::written::{dict, list, row, storage, tensor};
    use super::super::tests::{problem, read};

    #[test]
    fn a_row_must_agree_with_itself() {
        let of = |class: &str, count: i64| tensor(storage(class, "0", count), 0, &[1], &[1]);
        let state = dict(&[("w", of("ByteStorage", 2))]);
        let good = row(&state, &[("0", 2, &[1, 2])]);
        assert_eq!(read(&good).unwrap().tensors["w"].values, [1.0]);
        for length in 0..good.len() {
            assert!(read(&good[..length]).is_err(), "{length} bytes");
        }
        assert_eq!(problem(&[&good[..], b"a"].concat()), "`f`: goes on behind its end by 1 bytes");
        let given = |storages: &[(&str, i64, &[u8])]| problem(&row(&state, storages));
        assert_eq!(given(&[]), "`f`: has no values for storage `0`");
        assert_eq!(given(&[("1", 1, &[1])]), "`f`: has a storage `1` of no tensor");
        assert_eq!(given(&[("0", 3, &[1, 2, 3])]), "`f`: gives storage `0` another size than its tensors do");
        assert_eq!(given(&[("0", 2, &[1])]), "`f`: is cut off before the end of storage `0`");
        assert_eq!(given(&[("0", 2, &[1, 2]), ("0", 2, &[1, 2])]), "`f`: has storage `0` twice");
        let two = list(&[of("ByteStorage", 2), of("CharStorage", 2)]);
        assert_eq!(problem(&row(&two, &[("0", 2, &[1, 2])])), "`f`: storage `0` has two types or sizes");
        let mut version = good.clone();
        let at = version.windows(8).position(|eight| eight == 1001_i64.to_le_bytes()).unwrap();
        version[at] += 1;
        assert_eq!(problem(&version), "`f`: has another version of the format than 1001");
        let mut order = good.clone();
        let at = order.windows(14).position(|part| part == b"little_endian\x88").unwrap();
        order[at + 13] = 0x89;
        assert_eq!(problem(&order), "`f`: is not in little-endian order");
    }
}
