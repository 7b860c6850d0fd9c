//! What is wrapped around the tensors of a network: dictionaries beside an optimizer's, and begins of names that trainers,
//! compilers and averages put before them.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use juyi::error::{Error, Result, few, shown};
use juyi::setting::Setting;

use super::begins::{Aside, Begin, Known, begin, holds, is_kept, is_usual, shortened};
use super::left_out::{LeftOut, key_shown};
use super::pickle::{Node, Pickle};
use super::{Checkpoint, Stored, arrays, torch};

/// Which of the tensors of a file are wanted.
#[derive(Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// The dictionary, or the begin of the names, to take, as notes call it; where there is none, what fits best.
    pub set: Option<&'a str>,
    /// The networks that are known. Without them only what no network has is taken off: `module.` and `_orig_mod.`.
    pub known: Option<&'a Known>,
}

/// Keys under which the state of a network stands, those that are taken first in front.
const KEYS: [&str; 3] = ["state_dict", "model_state_dict", "model"];

/// Parts of names that stand for a wrapper around a layer.
const WRAPPERS: [&str; 3] = ["_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_orig_mod"];

/// Most dictionaries within each other.
const DEEPEST: usize = 8;

/// Most dictionaries of tensors that are told apart.
const MOST_SETS: usize = 64;

/// A dictionary of tensors in a pickle.
struct Set<'p> {
    /// Keys that lead to it.
    path: Vec<&'p str>,
    id: usize,
    names: BTreeSet<&'p str>,
}

impl Set<'_> {
    fn path(&self) -> String {
        self.path.join(".")
    }

    /// How late it is taken among those that fit as well.
    fn rank(&self) -> (Aside, usize) {
        let last = self.path.last().copied().unwrap_or_default();
        (Aside::of(&self.path()), KEYS.iter().position(|key| *key == last).unwrap_or(KEYS.len()))
    }
}

/// The dictionary in a pickle whose tensors are read.
pub(super) struct Entered {
    /// Its node.
    pub(super) root: usize,
    /// The keys that lead to it, joined by dots; none for the value of the whole.
    pub(super) set: Option<String>,
    /// The dictionaries around it, the innermost first, and the whole.
    pub(super) around: Vec<usize>,
    /// Whether it is what an optimizer keeps of a network, and nobody asked for it.
    pub(super) no_network: bool,
    /// How it was chosen.
    pub(super) notes: Vec<String>,
}

/// The dictionary of the wanted tensors in a pickle.
pub(super) fn enter(pickle: &Pickle<'_>, wanted: Wanted<'_>) -> Entered {
    let (mut sets, mut seen) = (Vec::new(), BTreeSet::new());
    find(pickle, pickle.root, wanted.set, &mut Vec::new(), &mut sets, &mut seen);
    let scored = sets.iter().filter_map(|set| {
        // None if nothing in it is called as is asked.
        let names = set.names.iter().copied();
        Some((begin(names, &set.path(), wanted.set, wanted.known)?, set))
    });
    let scored: Vec<(Begin, &Set<'_>)> = scored.collect();
    let outermost = scored.iter().map(|(begin, _)| begin.before).min();
    let scored = scored.into_iter().filter(|(begin, _)| Some(begin.before) == outermost);
    let mut scores: Vec<(usize, &Set<'_>)> = scored.map(|(begin, set)| (begin.score, set)).collect();
    scores.sort_by_key(|(score, set)| (set.rank(), Reverse((*score, set.names.len()))));
    // Those that fit nearly as well are other states of the same network.
    let best = scores.iter().map(|(score, _)| *score).max().unwrap_or(0);
    let alike: Vec<&Set<'_>> =
        scores.iter().filter(|(score, _)| 10 * score >= 9 * best).map(|(_, set)| *set).collect();
    let Some(chosen) = alike.first().filter(|set| !set.path.is_empty()) else {
        let (root, around) = (pickle.root, vec![pickle.root]);
        return Entered { root, set: None, around, no_network: false, notes: Vec::new() };
    };
    let around = around(pickle, chosen);
    let beside = beside(pickle, chosen, &around);
    let mut notes = vec![format!("the tensors are those of `{}`{beside}", shown(&chosen.path()))];
    let others = alike.iter().filter(|set| best > 0 && set.id != chosen.id && !set.path.is_empty());
    let others = others.filter(|set| set.rank().0 != Aside::Optimizer).map(|set| set.path()).collect();
    notes.extend(copies(others));
    let no_network = is_kept(&chosen.path()) && wanted.set.is_none();
    Entered { root: chosen.id, set: Some(chosen.path()), around, no_network, notes }
}

/// The dictionaries around a set, the innermost first, and the whole.
fn around(pickle: &Pickle<'_>, set: &Set<'_>) -> Vec<usize> {
    let mut around = vec![pickle.root];
    for key in &set.path {
        let Node::Dict(entries) = pickle.node(around[0]) else { break };
        let inner = entries.iter().find(|(name, _)| pickle.text(*name) == Some(*key));
        around.splice(0..0, inner.map(|(_, value)| *value));
    }
    around
}

/// A note on further copies of a network in a file.
fn copies(sets: Vec<String>) -> Option<String> {
    let named = |set: String| format!("`{}`", Setting::Weights.to(shown(&set)));
    let named: Vec<String> = sets.into_iter().map(named).collect();
    let take = if named.len() == 1 { "takes another" } else { "take others" };
    (!named.is_empty()).then(|| format!("the file holds the network more than once: {} {take}", few(&named)))
}

/// Finds the dictionaries of tensors in a value: those with names of several parts, those under the usual keys, and any
/// that is asked for.
fn find<'p>(
    pickle: &'p Pickle<'_>,
    id: usize,
    asked: Option<&str>,
    path: &mut Vec<&'p str>,
    sets: &mut Vec<Set<'p>>,
    seen: &mut BTreeSet<usize>,
) {
    let Node::Dict(entries) = pickle.node(id) else { return };
    if path.len() > DEEPEST || sets.len() >= MOST_SETS || !seen.insert(id) {
        return;
    }
    let is_tensor = |id: usize| torch::is_tensor(pickle, id) || arrays::is_array(pickle, id);
    let names: BTreeSet<&str> = entries
        .iter()
        .filter(|(_, value)| is_tensor(*value))
        .filter_map(|(key, _)| pickle.text(*key))
        .collect();
    let dotted = names.iter().filter(|name| name.contains('.')).count();
    let usual = path.last().is_some_and(|last| KEYS.contains(last));
    let own = dotted > 0 && 2 * dotted >= names.len();
    let inner = sets.len();
    for (key, value) in entries {
        if let Some(key) = pickle.text(*key) {
            path.push(key);
            find(pickle, *value, asked, path, sets, seen);
            path.pop();
        }
    }
    let named = asked.is_some_and(|asked| !names.is_empty() && holds(&path.join("."), asked));
    if own || named || (usual && sets.len() == inner) {
        sets.push(Set { path: path.clone(), id, names });
    }
}

/// What stands beside a dictionary, and beside those around it, in words.
fn beside(pickle: &Pickle<'_>, set: &Set<'_>, around: &[usize]) -> String {
    let mut left_out = LeftOut::default();
    for (at, key) in around.iter().rev().zip(&set.path) {
        let Node::Dict(entries) = pickle.node(*at) else { break };
        for (name, _) in entries.iter().filter(|(name, _)| pickle.text(*name) != Some(*key)) {
            left_out.push(|| key_shown(pickle, *name));
        }
    }
    left_out.listed().map(|names| format!("; left out beside it: {names}")).unwrap_or_default()
}

impl Checkpoint {
    /// Takes wrappers off the names of the tensors.
    ///
    /// # Errors
    /// [`Error::Input`] if nothing is called as the wanted set is.
    pub(super) fn unwrap_names(&mut self, file: &str, wanted: Wanted<'_>) -> Result<()> {
        self.without_parts_of_wrappers();
        let names = self.tensors.keys().map(String::as_str);
        let path = self.set.as_deref().unwrap_or_default();
        let Some(begin) = begin(names, path, wanted.set, wanted.known) else {
            return Err(self.has_not(file, wanted.set.unwrap_or_default()));
        };
        self.notes.extend(copies(begin.others.clone()));
        if begin.text.is_empty() {
            return Ok(());
        }
        let count = self.tensors.len();
        let inside = format!("{}.", begin.text);
        let own = |name: &String| name.starts_with(&inside);
        let changed = self.tensors.keys().filter(|name| own(name)).count();
        if begin.asked {
            self.tensors.retain(|name, _| own(name));
        }
        let all = std::mem::take(&mut self.tensors);
        let short = |(name, stored): (String, Stored)| (shortened(&name, &begin.text).to_string(), stored);
        self.tensors = all.into_iter().map(short).collect();
        let of = if changed == count { "all names".into() } else { format!("{changed} of {count} names") };
        let rest = if begin.asked && changed < count { "; the other tensors are left out" } else { "" };
        self.notes.push(format!("`{}` was taken off {of}: {}{rest}", shown(&inside), begin.why()));
        Ok(())
    }

    /// Takes parts off the names of the tensors that stand for a wrapper around a layer within the network.
    fn without_parts_of_wrappers(&mut self) {
        let is_wrapper = |part: &str| WRAPPERS.contains(&part);
        let short = |name: &str| {
            // What all names begin with is another matter.
            let begin = name.split('.').take_while(|part| is_wrapper(part) || is_usual(part)).count();
            let parts = name.split('.').enumerate();
            let parts = parts.filter(|(at, part)| *at < begin || !is_wrapper(part)).map(|(_, part)| part);
            parts.collect::<Vec<_>>().join(".")
        };
        let names: BTreeSet<String> = self.tensors.keys().map(|name| short(name)).collect();
        let count = self.tensors.keys().filter(|name| short(name) != **name).count();
        if count > 0 && names.len() == self.tensors.len() {
            let all = std::mem::take(&mut self.tensors);
            self.tensors = all.into_iter().map(|(name, stored)| (short(&name), stored)).collect();
            self.notes.push(format!("parts that wrappers of layers put in were taken out of {count} names"));
        }
    }

    fn has_not(&self, file: &str, set: &str) -> Error {
        let begins: BTreeSet<&str> =
            self.tensors.keys().filter_map(|name| Some(name.split_once('.')?.0)).collect();
        let begins: Vec<String> = begins.into_iter().map(|own| format!("`{}`", shown(own))).collect();
        let begins = if begins.is_empty() { "no part".into() } else { few(&begins) };
        let problem = format!("has no tensors under `{}`; their names begin with {begins}", shown(set));
        Error::input(format!("`{file}`"), problem, "leave `‹weights›` out: notes say what else there is")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::super::written::{array, dict, list, number, pickle};
    use super::*;

    /// Names of two networks, of which one is larger.
    static KNOWN: LazyLock<Known> = LazyLock::new(|| {
        let networks = [("conv.w", 0), ("bn.w", 0), ("fc.w", 0), ("features.0.w", 1), ("features.1.w", 1)];
        networks.map(|(name, network)| (name.into(), vec![network])).into()
    });

    fn wanted(set: Option<&str>) -> Wanted<'_> {
        Wanted { set, known: Some(&KNOWN) }
    }

    /// Names and notes of a checkpoint whose tensors bear these names.
    fn flat(names: &[&str], wanted: Wanted<'_>) -> Result<(Vec<String>, Vec<String>)> {
        let stored = |name: &&str| (name.to_string(), Stored { shape: vec![], values: vec![0.0] });
        let mut own = Checkpoint { tensors: names.iter().map(stored).collect(), ..Checkpoint::default() };
        own.unwrap_names("f", wanted)?;
        Ok((own.tensors.into_keys().collect(), own.notes))
    }

    fn state(begin: &str, value: u8) -> Vec<u8> {
        let names = ["conv.w", "bn.w", "fc.w"].map(|name| format!("{begin}{name}"));
        let all: Vec<(&str, Vec<u8>)> = names.iter().map(|name| (&name[..], array(&[1], &[value]))).collect();
        dict(&all)
    }

    fn read(body: &[u8], set: Option<&str>) -> Checkpoint {
        Checkpoint::from_bytes_for("f", &pickle(body), wanted(set), 1 << 20).unwrap()
    }

    #[test]
    fn begins_that_are_no_networks_are_taken_off() {
        for begin in ["", "module.", "model.", "_orig_mod.module.model.", "my_encoder."] {
            let names = ["conv.w", "bn.w", "fc.w"].map(|name| format!("{begin}{name}"));
            let (names, notes) = flat(&names.each_ref().map(|name| &name[..]), wanted(None)).unwrap();
            assert_eq!(names, ["bn.w", "conv.w", "fc.w"], "{begin}");
            assert_eq!(notes.len(), usize::from(!begin.is_empty()), "{notes:?}");
            assert!(
                notes.iter().all(|note| note.starts_with(&format!("`{begin}` was taken off all names: ")))
            );
        }
        // The network's own names stay, whatever they have in common.
        let own = ["features.0.w", "features.1.w"];
        assert_eq!(flat(&own, wanted(None)).unwrap(), (own.map(String::from).to_vec(), Vec::new()));
        let (names, notes) = flat(&["model.a.w", "model.b.w"], Wanted::default()).unwrap();
        assert!(names == ["model.a.w", "model.b.w"] && notes.is_empty());
        // What stands beside the network keeps its name.
        let mixed = ["backbone.conv.w", "backbone.bn.w", "fc.w", "n_averaged"];
        let (names, notes) = flat(&mixed, wanted(None)).unwrap();
        assert_eq!(names, ["bn.w", "conv.w", "fc.w", "n_averaged"]);
        assert_eq!(notes, ["`backbone.` was taken off 2 of 4 names: the network was part of another module"]);
        // Within the network, too.
        let inside = ["module.conv.w", "module.bn._fsdp_wrapped_module.w", "module.fc._orig_mod.w"];
        let (names, notes) = flat(&inside, wanted(None)).unwrap();
        assert_eq!(names, ["bn.w", "conv.w", "fc.w"]);
        assert_eq!(notes[0], "parts that wrappers of layers put in were taken out of 2 names");
        // A name that would be there twice.
        let twice = ["model.conv.w", "conv.w"];
        assert_eq!(flat(&twice, wanted(None)).unwrap().0, ["conv.w", "model.conv.w"]);
    }

    #[test]
    fn of_two_networks_in_one_list_either_can_be_taken() {
        let both: Vec<String> = ["student.", "teacher."]
            .iter()
            .flat_map(|begin| ["conv.w", "bn.w", "fc.w"].map(|name| format!("{begin}backbone.{name}")))
            .collect();
        let both: Vec<&str> = both.iter().map(String::as_str).collect();
        let of = |set: Option<&str>| flat(&both, wanted(set)).unwrap().0;
        assert!(of(None).contains(&"teacher.backbone.conv.w".into()) && of(None).contains(&"conv.w".into()));
        assert_eq!(of(Some("teacher")), ["bn.w", "conv.w", "fc.w"]);
        let error = flat(&both, wanted(Some("ema"))).unwrap_err().to_string();
        assert_eq!(error, "`f`: has no tensors under `ema`; their names begin with `student`, `teacher`");
    }

    #[test]
    fn the_dictionary_that_fits_is_taken_under_any_key() {
        let value = |own: &Checkpoint| own.tensors["conv.w"].values[0];
        let optimizer = dict(&[("state", dict(&[("exp_avg", state("", 9))]))]);
        let other = dict(&[("a.w", array(&[1], &[1])), ("b.w", array(&[1], &[1]))]);
        let file = [
            ("optimizer", optimizer),
            ("head", other),
            ("my_weights", state("module.", 1)),
            ("epoch", number(3)),
        ];
        let own = read(&dict(&file), None);
        assert_eq!(value(&own), 1.0);
        let notes = [
            "the tensors are those of `my_weights`; left out beside it: `optimizer`, `head`, `epoch`",
            "`module.` was taken off all names: the network was trained in parallel",
        ];
        assert_eq!(own.notes, notes);

        let file = dict(&[("model_ema", state("module.", 2)), ("model", state("", 1))]);
        let own = read(&file, None);
        assert_eq!(value(&own), 1.0);
        assert_eq!(
            own.notes[1],
            "the file holds the network more than once: `‹weights model_ema›` takes another"
        );
        assert_eq!(value(&read(&file, Some("model_ema"))), 2.0);
        let callbacks = dict(&[("EMA", dict(&[("ema_state", state("", 5))]))]);
        let file = dict(&[("state_dict", state("model.", 4)), ("callbacks", callbacks)]);
        assert_eq!((value(&read(&file, None)), value(&read(&file, Some("ema_state")))), (4.0, 5.0));
        assert_eq!(value(&read(&file, Some("callbacks.EMA.ema_state"))), 5.0);
        let none = Checkpoint::from_bytes_for("f", &pickle(&file), wanted(Some("net")), 1 << 20);
        // A key above the dictionary.
        let average = dict(&[("decay", number(1)), ("shadow", state("module.", 7))]);
        let file = dict(&[("model", state("", 6)), ("ema", average)]);
        for set in ["ema", "shadow", "ema.shadow"] {
            assert_eq!(value(&read(&file, Some(set))), 7.0, "{set}");
        }
        // Beside plain names, in a dictionary or behind a begin.
        let plain = ["conv.w", "bn.w", "fc.w"].map(|name| (name, array(&[1], &[1])));
        let within = [&plain[..], &[("ema", state("", 2))]].concat();
        let own = read(&dict(&within), None);
        assert_eq!(value(&own), 1.0);
        assert_eq!(own.notes, ["the file holds the network more than once: `‹weights ema›` takes another"]);
        assert_eq!(value(&read(&dict(&within), Some("ema"))), 2.0);
        let states = list(&[state("", 3), state("", 4)]);
        assert_eq!((value(&read(&states, None)), value(&read(&states, Some("1")))), (3.0, 4.0));
        assert!(none.unwrap_err().to_string().contains("has no tensors under `net`"));
    }
}
