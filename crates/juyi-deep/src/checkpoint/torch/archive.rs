//! PyTorch's zip archives.

use std::borrow::Cow;
use std::io::{Cursor, Read};

use juyi::error::{Error, Result, shown};
use zip::ZipArchive;
use zip::read::{ArchiveOffset, Config};

use super::super::Checkpoint;
use super::super::pickle::Pickle;
use super::super::state::collect;
use super::super::values::Budget;
use super::super::wrappers::Wanted;
use super::AGAIN;

/// Reads a zip archive.
///
/// # Errors
/// As [`collect`], and [`Error::Input`] for an archive that is damaged or that `torch.save` did not write.
pub(in crate::checkpoint) fn archive(
    file: &str,
    bytes: &[u8],
    wanted: Wanted<'_>,
    budget: &mut Budget,
) -> Result<Checkpoint> {
    let fail = |problem: String, hint: &str| Error::input(format!("`{file}`"), problem, hint);
    // What `torch.save` writes begins with the file; looked for elsewhere, some directories are not found.
    let as_written = Config { archive_offset: ArchiveOffset::Known(0) };
    let mut archive = ZipArchive::with_config(as_written, Cursor::new(bytes))
        .or_else(|_| ZipArchive::new(Cursor::new(bytes)))
        .map_err(|error| fail(format!("is not a sound zip archive: {error}"), AGAIN))?;
    let mut pickles = archive.file_names().flatten().filter(|name| name.ends_with("/data.pkl"));
    let (Some(pickle), None) = (pickles.next(), pickles.next()) else {
        let hint = "give a checkpoint that `torch.save` wrote: its archive holds one `data.pkl` in a folder";
        return Err(fail("is a zip archive, but not a checkpoint".into(), hint));
    };
    let (path, folder) = (pickle.to_string(), pickle.trim_end_matches("data.pkl").to_string());
    drop(pickles);
    let order = format!("{folder}byteorder");
    if archive.index_for_name(&order).is_some()
        && unpack(file, &mut archive, &order, None, budget)? != b"little"
    {
        return Err(fail("is not in little-endian order".into(), "save it on another kind of machine"));
    }
    let unpacked = unpack(file, &mut archive, &path, None, budget)?;
    let pickle = Pickle::read(&format!("`{file}`, part `{}`", shown(&path)), &unpacked, budget)?;
    collect(file, &pickle, wanted, budget, |storage, budget| {
        let path = format!("{folder}data/{}", storage.key);
        unpack(file, &mut archive, &path, Some(storage.bytes as u64), budget).map(Cow::Owned)
    })
}

/// The bytes of a part of an archive, which must be `size` if that is known and what the archive says otherwise.
fn unpack(
    file: &str,
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    path: &str,
    size: Option<u64>,
    budget: &mut Budget,
) -> Result<Vec<u8>> {
    let fail = |problem: String| Error::input(format!("`{file}`, part `{}`", shown(path)), problem, AGAIN);
    let part = archive.by_name(path).map_err(|error| fail(format!("cannot be read: {error}")))?;
    let size = size.unwrap_or(part.size());
    if part.size() != size {
        return Err(fail(format!("unpacks to {} bytes, the pickle says {size}", part.size())));
    }
    budget.take(size)?;
    let mut bytes = Vec::new(); // grows with what is there, whatever the archive says
    let read = part.take(size.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| fail(format!("is damaged: {error}")))?;
    if bytes.len() as u64 != size {
        return Err(fail(format!("does not unpack to the {size} bytes that are announced")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::super::written::{archive, dict, pickle, storage, tensor};
    use super::super::tests::{one, problem, read};
    use super::*;

    #[test]
    fn a_part_unpacks_to_what_the_pickle_says() {
        let of = |count: i64| tensor(storage("ByteStorage", "0", count), 0, &[1], &[1]);
        let zeros = vec![0; 1 << 24];
        let bomb = one(of(4), &zeros);
        assert!(bomb.len() < 1 << 15);
        let told = "`f`, part `net/data/0`: unpacks to 16777216 bytes, the pickle says 4";
        assert_eq!(problem(&bomb), told);
        // The same with sizes in the archive that are not true.
        let honest = (1_u32 << 24).to_le_bytes();
        let at: Vec<usize> = (0..bomb.len() - 4).filter(|at| bomb[*at..][..4] == honest).collect();
        assert!(!at.is_empty());
        let mut lying = bomb.clone();
        for at in at {
            lying[at..][..4].copy_from_slice(&4_u32.to_le_bytes());
        }
        assert!(problem(&lying).contains("part `net/data/0`"), "{}", problem(&lying));
        let claimed = read(&one(of(1 << 24), &zeros));
        assert!(matches!(claimed, Err(Error::Memory { .. })));
        // Many storages that fit one at a time, but not together.
        let names: Vec<String> = (0..9).map(|key| key.to_string()).collect();
        let tensors: Vec<(&str, Vec<u8>)> = (names.iter())
            .map(|key| (&key[..], tensor(storage("ByteStorage", key, 1 << 17), 0, &[1], &[1])))
            .collect();
        let paths: Vec<String> = names.iter().map(|key| format!("net/data/{key}")).collect();
        let zip = |count: usize| {
            let pickle = pickle(&dict(&tensors[..count]));
            let parts = paths[..count].iter().map(|path| (&path[..], &zeros[..1 << 17]));
            archive(&parts.chain([("net/data.pkl", &pickle[..])]).collect::<Vec<_>>())
        };
        assert!(read(&zip(8)).is_ok());
        assert!(matches!(read(&zip(9)), Err(Error::Memory { .. })));
        // A pickle that unpacks to more than the budget.
        let large = archive(&[("net/data.pkl", &zeros)]);
        assert!(matches!(read(&large), Err(Error::Memory { .. })));
    }

    #[test]
    fn other_archives_and_byte_orders_are_refused() {
        let state = pickle(&dict(&[("w", tensor(storage("ByteStorage", "0", 1), 0, &[1], &[1]))]));
        assert_eq!(problem(&archive(&[("x.npy", b"")])), "`f`: is a zip archive, but not a checkpoint");
        let two = archive(&[("a/data.pkl", &state), ("b/data.pkl", &state)]);
        assert_eq!(problem(&two), "`f`: is a zip archive, but not a checkpoint");
        let big = archive(&[("a/byteorder", b"big"), ("a/data.pkl", &state), ("a/data/0", &[1])]);
        assert_eq!(problem(&big), "`f`: is not in little-endian order");
        let without = archive(&[("a/data.pkl", &state)]);
        assert!(problem(&without).starts_with("`f`, part `a/data/0`: cannot be read"));
    }
}
