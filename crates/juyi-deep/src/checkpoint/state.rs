//! A pickled state dictionary: which of its values are tensors, what they are called, and what is left out.
//!
//! Dictionaries within dictionaries and lists are followed; the name of a tensor is its path, joined by dots. Values
//! may be shared in a pickle, so that a short one can stand for an endless tree: depth and visits are bounded.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use juyi::error::{Error, Result, shown};

use super::left_out::{LeftOut, key_shown};
use super::pickle::{Node, Pickle};
use super::torch::{self, Storage};
use super::values::{Budget, Layout};
use super::wrappers::{Entered, Wanted, enter};
use super::{Checkpoint, Stored, arrays, class_names, preparation};

/// Most dictionaries and lists within each other.
const DEEPEST: usize = 32;

/// Most tensors beside a network that are read.
const MOST_SMALL: usize = 16;

const HINT: &str =
    "save its values alone: `torch.save(model.state_dict(), path)`, in a program that knows its classes";

/// Reads all tensors of a pickle. `bytes_of` gives the bytes that lie outside of the pickle; it is called once for each
/// storage that a tensor needs.
///
/// # Errors
/// [`Error::Input`] if this is no state dictionary, a tensor is damaged or of a type that is not read;
/// [`Error::Memory`].
pub(super) fn collect<'a>(
    file: &str,
    pickle: &Pickle<'_>,
    wanted: Wanted<'_>,
    budget: &mut Budget,
    mut bytes_of: impl FnMut(&Storage<'_>, &mut Budget) -> Result<Cow<'a, [u8]>>,
) -> Result<Checkpoint> {
    let Leaves { tensors, set, around, notes } = leaves(file, pickle, wanted, budget)?;
    let mut found = BTreeMap::new();
    let mut held: BTreeMap<&str, Held<'_>> = BTreeMap::new();
    let beside = small_beside(pickle, &tensors);
    for (name, id) in tensors {
        let thing = thing(file, &name);
        if arrays::is_array(pickle, id) {
            let array = arrays::array(pickle, id, &thing, &name, budget)?;
            insert(file, &mut found, name, array)?;
            continue;
        }
        let (storage, layout) = torch::tensor(pickle, id, &thing)?;
        let known = held.entry(storage.key).or_insert_with(|| Held {
            storage,
            tensors: Vec::new(),
            small: Vec::new(),
        });
        if known.storage != storage {
            return Err(storage.contradiction(&thing));
        }
        known.tensors.push((name, layout));
    }
    let mut small = BTreeMap::new();
    for id in beside {
        if arrays::is_array(pickle, id) {
            small.extend(arrays::array(pickle, id, "", "", budget).ok().map(|own| (id, own.values)));
            continue;
        }
        let Ok((storage, layout)) = torch::tensor(pickle, id, "") else { continue };
        let known = held.entry(storage.key).or_insert_with(|| Held {
            storage,
            tensors: Vec::new(),
            small: Vec::new(),
        });
        if known.storage == storage {
            known.small.push((id, layout));
        }
    }
    // All storages together are held against the budget, so that parts of a file that unpack to much more than they are
    // cannot be unpacked over and over.
    let sizes = held.values().map(|held| held.storage.bytes as u64);
    budget.within(sizes.fold(0, u64::saturating_add))?;
    for Held { storage, tensors, small: asked } in held.into_values() {
        let bytes = bytes_of(&storage, budget)?;
        for (name, layout) in tensors {
            let values = layout.read(&thing(file, &name), &name, &bytes, budget)?;
            insert(file, &mut found, name, values)?;
        }
        for (id, layout) in asked {
            small.extend(layout.read("", "", &bytes, budget).ok().map(|own| (id, own.values)));
        }
        if matches!(bytes, Cow::Owned(_)) {
            budget.give_back(bytes.len() as u64);
        }
    }
    Ok(Checkpoint {
        tensors: found,
        classes: class_names::of_pickle(pickle, &around),
        preparations: preparation::of_pickle(pickle, &around, &small),
        set,
        notes,
        ..Checkpoint::default()
    })
}

/// What messages call a tensor of a file.
fn thing(file: &str, name: &str) -> String {
    format!("`{file}`, tensor `{}`", shown(name))
}

fn insert(file: &str, found: &mut BTreeMap<String, Stored>, name: String, stored: Stored) -> Result<()> {
    if found.contains_key(&name) {
        return Err(Error::input(thing(file, &name), "is there twice", "give each tensor its own name"));
    }
    found.insert(name, stored);
    Ok(())
}

/// A storage, and the tensors whose values lie in it.
struct Held<'p> {
    storage: Storage<'p>,
    tensors: Vec<(String, Layout)>,
    /// Those that are no part of the network, by node.
    small: Vec<(usize, Layout)>,
}

/// Tensors of three values outside of a network that may be a mean or deviation of pictures.
fn small_beside(pickle: &Pickle<'_>, tensors: &[(String, usize)]) -> Vec<usize> {
    let own: BTreeSet<usize> = tensors.iter().map(|(_, id)| *id).collect();
    let asked = |(key, id): &(usize, usize)| {
        let named = pickle.text(*key).is_some_and(preparation::is_asked) && !own.contains(id);
        named && (arrays::is_array(pickle, *id) || is_small(pickle, *id))
    };
    let dictionaries = pickle.nodes().iter().filter_map(|node| match node {
        Node::Dict(entries) => Some(entries),
        _ => None,
    });
    dictionaries.flatten().filter(|entry| asked(entry)).map(|(_, id)| *id).take(MOST_SMALL).collect()
}

/// Whether a tensor has three values, in a storage of few more.
fn is_small(pickle: &Pickle<'_>, id: usize) -> bool {
    torch::is_tensor(pickle, id)
        && torch::tensor(pickle, id, "")
            .is_ok_and(|(storage, layout)| layout.count() == Some(3) && storage.bytes <= 4096)
}

/// The tensors of a pickle by name and node, and notes on what is not among them.
struct Leaves {
    tensors: Vec<(String, usize)>,
    set: Option<String>,
    /// The dictionaries around them, the innermost first.
    around: Vec<usize>,
    notes: Vec<String>,
}

fn leaves(file: &str, pickle: &Pickle<'_>, wanted: Wanted<'_>, budget: &mut Budget) -> Result<Leaves> {
    let refused = |problem: String| Err(Error::input(format!("`{file}`"), problem, HINT));
    let Entered { root, set, around, no_network, mut notes } = enter(pickle, wanted);
    if no_network {
        return refused(format!(
            "holds no network, only `{}` of one",
            shown(set.as_deref().unwrap_or_default())
        ));
    }
    if !matches!(pickle.node(root), Node::Dict(_) | Node::List(_) | Node::Tuple(_)) {
        return refused(format!("holds {} in place of a dictionary of tensors", pickle.described(root)));
    }
    let (name, tensors, left_out) = (String::new(), Vec::new(), LeftOut::default());
    let visits = 8 * pickle.nodes().len();
    let mut walk = Walk { file, pickle, budget, visits, name, tensors, left_out };
    walk.visit(root, 0)?;
    match walk.left_out.listed() {
        None if walk.tensors.is_empty() => return refused("holds no tensors".into()),
        Some(listed) if walk.tensors.is_empty() => {
            return refused(format!("holds no tensors, only {listed}"));
        }
        Some(listed) => notes.push(format!("left out, for they are no tensors: {listed}")),
        None => {}
    }
    Ok(Leaves { tensors: walk.tensors, set, around, notes })
}

/// A way through the values of a pickle.
struct Walk<'p, 'a> {
    file: &'p str,
    pickle: &'p Pickle<'a>,
    budget: &'p mut Budget,
    /// How many more values may be looked at.
    visits: usize,
    /// Path to the present value.
    name: String,
    tensors: Vec<(String, usize)>,
    left_out: LeftOut,
}

impl Walk<'_, '_> {
    /// Finds the tensors in a value and all below it.
    fn visit(&mut self, id: usize, depth: usize) -> Result<()> {
        let refused = |problem: &str| Err(Error::input(format!("`{}`", self.file), problem, HINT));
        if depth > DEEPEST {
            return refused(&format!("nests dictionaries and lists more than {DEEPEST} deep"));
        }
        if self.visits == 0 {
            return refused("refers to the same values over and over");
        }
        self.visits -= 1;
        let pickle = self.pickle;
        match pickle.node(id) {
            Node::Dict(entries) => {
                for (key, value) in entries {
                    match (pickle.text(*key), pickle.size(*key)) {
                        (Some(text), _) => self.below(text, *value, depth)?,
                        (None, Some(number)) => self.below(&number.to_string(), *value, depth)?,
                        (None, None) => self.left_out.push(|| key_shown(pickle, *key)),
                    }
                }
            }
            Node::List(items) | Node::Tuple(items) => {
                for (position, item) in items.iter().enumerate() {
                    self.below(&position.to_string(), *item, depth)?;
                }
            }
            _ if torch::is_tensor(pickle, id) || arrays::is_array(pickle, id) => {
                self.budget.take_tensor(&self.name, 0)?;
                self.tensors.push((self.name.clone(), id));
            }
            _ => self.left_out.push(|| format!("`{}` ({})", shown(&self.name), pickle.described(id))),
        }
        Ok(())
    }

    fn below(&mut self, part: &str, id: usize, depth: usize) -> Result<()> {
        let length = self.name.len();
        if depth > 0 {
            self.name.push('.');
        }
        self.name.push_str(part);
        self.visit(id, depth + 1)?;
        self.name.truncate(length);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::written::{array, call, dict, list, number, pickle, text, tuple};
    use super::*;

    fn read(body: &[u8]) -> Result<Checkpoint> {
        Checkpoint::from_bytes("f", &pickle(body), 1 << 20)
    }

    fn names(body: &[u8]) -> Vec<String> {
        read(body).unwrap().tensors.into_keys().collect()
    }

    fn one() -> Vec<u8> {
        array(&[1], &[7])
    }

    #[test]
    fn names_are_paths() {
        let layers = [("conv1", list(&[one(), tuple(&[one()])])), ("a.b", dict(&[("", one())]))];
        assert_eq!(names(&dict(&layers)), ["a.b.", "conv1.0", "conv1.1.0"]);
        let by_number = [b"}".to_vec(), number(12), one(), b"s".to_vec()].concat();
        assert_eq!(names(&by_number), ["12"]);
        assert_eq!(names(&list(&[one()])), ["0"]);
        let twice = dict(&[("a.b", one()), ("a", dict(&[("b", one())]))]);
        assert_eq!(read(&twice).unwrap_err().to_string(), "`f`, tensor `a.b`: is there twice");
    }

    #[test]
    fn the_state_within_a_training_script_s_file_is_found() {
        let state = dict(&[("w", one())]);
        let file = dict(&[("model", text("vgg")), ("epoch", number(3)), ("state_dict", state.clone())]);
        assert_eq!(names(&file), ["w"]);
        assert_eq!(
            read(&file).unwrap().notes,
            ["the tensors are those of `state_dict`; left out beside it: `model`, `epoch`"]
        );
        let nested = dict(&[("model", dict(&[("model_state_dict", state)]))]);
        assert_eq!(names(&nested), ["w"]);
        // A tensor of that name is a tensor.
        assert_eq!(names(&dict(&[("model", one()), ("b", one())])), ["b", "model"]);
    }

    #[test]
    fn what_is_no_tensor_is_left_out_by_name() {
        let run = call("os", "system", &[text("true")]);
        let pair_key = [tuple(&[]), one()].concat();
        let file = [dict(&[("w", one()), ("n", number(1)), ("x", run)]), pair_key, b"s".to_vec()].concat();
        assert_eq!(
            read(&file).unwrap().notes,
            ["left out, for they are no tensors: `n` (a number), `x` (an object made by `os.system`), \
              a value whose key is a tuple"]
        );
        let many: Vec<Vec<u8>> = (0..13).map(number).collect();
        let notes = read(&list(&[many, vec![one()]].concat())).unwrap().notes;
        assert!(notes[0].ends_with("`9` (a number) and 3 more"), "{notes:?}");
    }

    #[test]
    fn what_holds_no_tensors_is_refused_by_name() {
        let problem = |body: &[u8]| read(body).unwrap_err().to_string();
        let net =
            [call("torchvision.models.resnet", "ResNet", &[]), dict(&[("w", one())]), b"b".to_vec()].concat();
        assert_eq!(
            problem(&net),
            "`f`: holds an object made by `torchvision.models.resnet.ResNet` in place of a dictionary of tensors"
        );
        assert_eq!(
            problem(&dict(&[("model", net)])),
            "`f`: holds no tensors, only `model` (an object made by `torchvision.models.resnet.ResNet`)"
        );
        assert_eq!(problem(&dict(&[])), "`f`: holds no tensors");
        assert_eq!(
            problem(&one()),
            "`f`: holds an object made by `numpy.core.multiarray._reconstruct` in place of a \
            dictionary of tensors"
        );
        assert!(read(b"N").unwrap_err().hint().unwrap().contains("state_dict()"));
    }

    #[test]
    fn shared_and_endless_values_are_bounded() {
        // 40 lists, each of twice the one before: 2^40 paths.
        let doubling = [b"]q\0".to_vec(), b"0](h\0h\0eq\0".repeat(30)].concat();
        let problem = read(&doubling).unwrap_err().to_string();
        assert_eq!(problem, "`f`: refers to the same values over and over");
        let deep = [one(), b"q\x010h\x01".to_vec(), b"\x85".repeat(33)].concat();
        assert_eq!(
            read(&deep).unwrap_err().to_string(),
            "`f`: nests dictionaries and lists more than 32 deep"
        );
        assert!(read(b"]q\0h\0a").is_err());
        let fits = [one(), b"q\x010h\x01".to_vec(), b"\x85".repeat(32)].concat();
        assert_eq!(names(&fits).len(), 1);
        // Long keys that are written once and used often.
        let under = |value: Vec<u8>| [b"}h\x00".to_vec(), value, b"s".to_vec()].concat();
        let often = list(&vec![under(under(under(under(under(b"h\x01".to_vec()))))); 100]);
        let with =
            |key: &str| [text(key), b"q\x000".to_vec(), one(), b"q\x010".to_vec(), often.clone()].concat();
        assert_eq!(names(&with("k")).len(), 100);
        assert!(matches!(read(&with(&"k".repeat(1000))), Err(Error::Memory { .. })));
    }
}
