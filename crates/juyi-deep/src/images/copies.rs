//! Pictures that are copies of others: which they are, and what is said of them.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use juyi::context::Context;
use juyi::error::{Error, Result, shown};
use juyi::linalg::Matrix;

use super::{Entry, Picture, each_of, size};

/// For each picture the first that is the same, itself where there is none: by the bytes of its file, or by its
/// pixels, of which only those of pictures of one size are compared. Each of these is read once.
///
/// # Errors
/// [`Error::Io`]; those of [`read`](super::read()); [`Error::Memory`].
pub fn copies(files: &[&Path], most_pixels: u64, context: &Context) -> Result<Vec<usize>> {
    let lengths = files
        .iter()
        .map(|file| std::fs::metadata(file).map(|facts| facts.len()).map_err(|error| Error::io(file, error)));
    let lengths: Vec<u64> = lengths.collect::<Result<_>>()?;
    let all: Vec<usize> = (0..files.len()).collect();
    let by_bytes = firsts(
        &all,
        |at| lengths[at],
        |some| {
            let hash = |&at: &usize| {
                let mut hasher = blake3::Hasher::new();
                let read =
                    std::fs::File::open(files[at]).and_then(|file| hasher.update_reader(file).map(|_| ()));
                read.map(|()| hasher.finalize()).map_err(|error| Error::io(files[at], error))
            };
            some.iter().map(hash).collect()
        },
    )?;
    // A picture may be turned as it is read. Of one whose header cannot be read nothing else will be.
    let sides = |at: usize| {
        let [width, height] = size(files[at], most_pixels).sides;
        [width.min(height), width.max(height)]
    };
    let different = all.iter().copied().filter(|at| by_bytes[at] == *at);
    let different: Vec<(usize, [u32; 2])> =
        different.map(|at| (at, sides(at))).filter(|(_, sides)| sides[0] > 0).collect();
    let sides: HashMap<usize, [u32; 2]> = different.iter().copied().collect();
    let different: Vec<usize> = different.into_iter().map(|(at, _)| at).collect();
    let by_pixels = firsts(
        &different,
        |at| sides[&at],
        |some| {
            let files: Vec<&Path> = some.iter().map(|at| files[*at]).collect();
            let done = AtomicUsize::new(0);
            let hash = |_: usize, picture: Result<Picture>| {
                let count = 1 + done.fetch_add(1, Ordering::Relaxed);
                context.progress("comparing pictures", count, files.len());
                let picture = picture?;
                let mut hasher = blake3::Hasher::new();
                hasher.update(&picture.width().to_le_bytes()).update(picture.pixels());
                Ok(hasher.finalize())
            };
            each_of(&files, most_pixels, 0, context, &hash)?.into_iter().collect()
        },
    )?;
    let leader = |at: usize| by_pixels.get(&by_bytes[&at]).copied().unwrap_or(by_bytes[&at]);
    Ok(all.into_iter().map(leader).collect())
}

/// For each of some pictures the first of them that has the same hash, itself where there is none; hashes are made of
/// those whose key others share.
fn firsts<K: Hash + Eq>(
    some: &[usize],
    key: impl Fn(usize) -> K,
    hashes: impl FnOnce(&[usize]) -> Result<Vec<blake3::Hash>>,
) -> Result<HashMap<usize, usize>> {
    let likely = shared(some, key);
    let mut leaders: HashMap<usize, usize> = some.iter().map(|&at| (at, at)).collect();
    let mut first: HashMap<blake3::Hash, usize> = HashMap::new();
    for (&at, hash) in likely.iter().zip(hashes(&likely)?) {
        leaders.insert(at, *first.entry(hash).or_insert(at));
    }
    Ok(leaders)
}

/// Those of some pictures whose key others share.
fn shared<K: Hash + Eq>(some: &[usize], key: impl Fn(usize) -> K) -> Vec<usize> {
    let mut alike: HashMap<K, usize> = HashMap::new();
    for &at in some {
        *alike.entry(key(at)).or_default() += 1;
    }
    some.iter().copied().filter(|&at| alike[&key(at)] > 1).collect()
}

/// Says of the pictures in `name` how many are copies of others, and whether any of these bears another class. `rows` are
/// what a network makes of each; only pictures of which it makes the same are compared.
///
/// # Errors
/// As for [`copies`].
pub fn tell_copies(
    name: &str,
    entries: &[&Entry],
    rows: &Matrix,
    most_pixels: u64,
    context: &mut Context,
) -> Result<()> {
    let key = |at: usize| {
        let mut hasher = blake3::Hasher::new();
        (0..rows.ncols()).for_each(|j| _ = hasher.update(&rows[(at, j)].to_le_bytes()));
        hasher.finalize()
    };
    let keys: Vec<blake3::Hash> = (0..entries.len()).map(key).collect();
    let likely: Vec<&Entry> = {
        let all: Vec<usize> = (0..entries.len()).collect();
        shared(&all, |at| keys[at]).into_iter().map(|at| entries[at]).collect()
    };
    let files: Vec<&Path> = likely.iter().map(|entry| entry.path.as_path()).collect();
    let leaders = copies(&files, most_pixels, context)?;
    let pairs =
        || (0..likely.len()).filter(|at| leaders[*at] != *at).map(|at| (likely[at], likely[leaders[at]]));
    let torn = |(copy, first): &(&Entry, &Entry)| {
        copy.class.is_some() && first.class.is_some() && copy.class != first.class
    };
    let Some((copy, first)) = pairs().find(torn).or_else(|| pairs().next()) else { return Ok(()) };
    let of = |entry: &Entry| {
        let class =
            entry.class.as_ref().map_or_else(String::new, |class| format!(", class `{}`", shown(class)));
        format!("`{}`{class}", entry.path.display())
    };
    let (count, different) = (pairs().count(), pairs().filter(torn).count());
    let (is, copies) = if count == 1 { ("is", "a copy of another") } else { ("are", "copies of others") };
    let all = entries.len();
    let text = format!("{count} of {all} pictures {is} {copies} (such as {}, of {})", of(copy), of(first));
    if different > 0 {
        context.warn(name, format!("{text}; {different} with another class than what it copies"));
    } else {
        context.note(name, text);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn copies_are_told_and_those_of_another_class_are_warned_of() {
        let folder = tempfile::tempdir().unwrap();
        let entry = |(k, (shade, class)): (usize, (u8, &str))| {
            let path: PathBuf = folder.path().join(format!("{k}.png"));
            image::RgbImage::from_pixel(3, 2, image::Rgb([shade; 3])).save(&path).unwrap();
            Entry { path, class: (!class.is_empty()).then(|| class.into()), row: k }
        };
        let told = |pictures: &[(u8, &str)], rows: &[f64]| {
            let entries: Vec<Entry> = pictures.iter().copied().enumerate().map(entry).collect();
            let rows = Matrix::from_fn(rows.len(), 1, |i, _| rows[i]);
            let mut context = Context::default();
            tell_copies("F", &entries.iter().collect::<Vec<_>>(), &rows, 100, &mut context).unwrap();
            let base = format!("{}/", folder.path().display());
            context.notices().iter().map(|own| own.text.replace(&base, "")).collect::<Vec<_>>().join("|")
        };
        let alike =
            "1 of 3 pictures is a copy of another (such as `2.png`, class `a`, of `0.png`, class `a`)";
        assert_eq!(told(&[(1, "a"), (2, "a"), (1, "a")], &[5.0, 6.0, 5.0]), alike);
        let torn = "2 of 3 pictures are copies of others (such as `2.png`, class `b`, of `0.png`, class `a`); 1 with \
                    another class than what it copies";
        assert_eq!(told(&[(1, "a"), (1, ""), (1, "b")], &[5.0; 3]), torn);
        // A network may make the same of different pictures.
        assert_eq!(told(&[(1, "a"), (2, "b")], &[0.0; 2]), "");
    }
}
