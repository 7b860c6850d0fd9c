//! What is wrapped around the tensors of a network: dictionaries beside an optimizer's, and begins of names that trainers,
//! compilers and averages put before them.

use std::collections::{BTreeMap, BTreeSet};

use juyi::error::{Error, Result, shown};

use super::pickle::{Node, Pickle};
use super::state::{LeftOut, key_shown};
use super::{Checkpoint, arrays, torch};

/// How many of some names are those of a network that is known.
pub type Known<'a> = &'a dyn Fn(&BTreeSet<&str>) -> usize;

/// Which of the tensors of a file are wanted.
#[derive(Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// The dictionary, or the begin of the names, to take, as notes call it; where there is none, what fits best.
    pub set: Option<&'a str>,
    /// How many of some names are those of a network that is known. Without it only what no network has is taken off:
    /// `module.` and `_orig_mod.`.
    pub known: Option<Known<'a>>,
}

impl Wanted<'_> {
    fn score(&self, names: &BTreeSet<&str>) -> usize {
        self.known.map_or(0, |known| known(names))
    }
}

/// Keys under which the state of a network stands, those that are taken first in front.
const KEYS: [&str; 3] = ["state_dict", "model_state_dict", "model"];

/// First parts of names that are wrapped around those of a network, and who does so.
const BEGINS: [(&str, &str); 16] = [
    ("module", "the network was trained in parallel"),
    ("_orig_mod", "the network was compiled"),
    ("model", "the network was part of another module"),
    ("net", "the network was part of another module"),
    ("network", "the network was part of another module"),
    ("backbone", "the network was part of another module"),
    ("encoder", "the network was part of another module"),
    ("base_model", "the network was part of another module"),
    ("base_encoder", "the network was part of another module"),
    ("feature_extractor", "the network was part of another module"),
    ("student", "the network was trained by distillation"),
    ("encoder_q", "the network was trained by contrast"),
    ("online_encoder", "the network was trained by contrast"),
    ("teacher", "the network was trained by distillation"),
    ("averaged_model", "the network is an average"),
    ("ema_model", "the network is an average"),
];

/// Most wrappers around each other.
const DEEPEST: usize = 8;

/// Most dictionaries of tensors that are told apart.
const MOST_SETS: usize = 64;

/// How many of [`BEGINS`] no network has itself.
const FOREIGN: usize = 2;

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

    /// How late it is taken among those that fit as well: averages behind what they are of, optimizers last.
    fn rank(&self) -> usize {
        let path = self.path().to_lowercase();
        let is = |words: &[&str]| words.iter().any(|word| path.contains(word));
        if is(&["optim", "momentum", "scheduler", "exp_avg"]) {
            return 100;
        }
        let last = self.path.last().copied().unwrap_or_default();
        let known = KEYS.iter().position(|key| *key == last).unwrap_or(KEYS.len());
        known + if is(&["ema", "average", "swa", "teacher"]) { 10 } else { 0 }
    }
}

/// The dictionary in a pickle whose tensors are read.
pub(super) struct Entered {
    /// Its node.
    pub(super) root: usize,
    /// The keys that lead to it, joined by dots; none for the value of the whole.
    pub(super) set: Option<String>,
    /// How it was chosen.
    pub(super) notes: Vec<String>,
}

/// The dictionary of the wanted tensors in a pickle.
pub(super) fn enter(pickle: &Pickle<'_>, wanted: Wanted<'_>) -> Entered {
    let (mut sets, mut seen) = (Vec::new(), BTreeSet::new());
    find(pickle, pickle.root, &mut Vec::new(), &mut sets, &mut seen);
    let mut scores: Vec<(usize, &Set<'_>)> =
        sets.iter().map(|set| (stripped(&set.names, wanted).0, set)).collect();
    scores.sort_by_key(|(score, set)| (set.rank(), std::cmp::Reverse((*score, set.names.len()))));
    // Those that fit nearly as well are other states of the same network.
    let best = scores.iter().map(|(score, _)| *score).max().unwrap_or(0);
    let alike: Vec<&Set<'_>> =
        scores.iter().filter(|(score, _)| 10 * score >= 9 * best).map(|(_, set)| *set).collect();
    let named = |set: &&&Set<'_>, name: &str| set.path() == name || set.path.last() == Some(&name);
    let all: Vec<&Set<'_>> = scores.iter().map(|(_, set)| *set).collect();
    let asked = wanted.set.and_then(|name| all.iter().find(|set| named(set, name)));
    let chosen = if wanted.set.is_some() { asked } else { alike.first() };
    let Some(chosen) = chosen.filter(|set| !set.path.is_empty()) else {
        return Entered { root: pickle.root, set: None, notes: Vec::new() };
    };
    let mut notes =
        vec![format!("the tensors are those of `{}`{}", shown(&chosen.path()), beside(pickle, chosen))];
    let others: Vec<String> = (alike.iter())
        .filter(|set| best > 0 && set.id != chosen.id && !set.path.is_empty())
        .map(|set| format!("`--weights {}`", shown(&set.path())))
        .collect();
    if !others.is_empty() && wanted.set.is_none() {
        notes.push(format!(
            "the file holds the network more than once: {} takes another",
            others.join(" or ")
        ));
    }
    Entered { root: chosen.id, set: Some(chosen.path()), notes }
}

/// Finds the dictionaries of tensors in a value: those with names of several parts, and those under the usual keys.
fn find<'p>(
    pickle: &'p Pickle<'_>,
    id: usize,
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
            find(pickle, *value, path, sets, seen);
            path.pop();
        }
    }
    if own || (usual && sets.len() == inner) {
        sets.push(Set { path: path.clone(), id, names });
    }
}

/// What stands beside a dictionary, and beside those around it, in words.
fn beside(pickle: &Pickle<'_>, set: &Set<'_>) -> String {
    let mut left_out = LeftOut::default();
    let mut at = pickle.root;
    for key in &set.path {
        let Node::Dict(entries) = pickle.node(at) else { break };
        for (name, value) in entries {
            if pickle.text(*name) == Some(*key) {
                at = *value;
            } else {
                left_out.push(|| key_shown(pickle, *name));
            }
        }
    }
    left_out.listed().map(|names| format!("; left out beside it: {names}")).unwrap_or_default()
}

/// A name without the first of its parts, if that is this one.
fn without<'n>(name: &'n str, begin: &str) -> Option<&'n str> {
    name.strip_prefix(begin)?.strip_prefix('.').filter(|rest| !rest.is_empty())
}

/// How many of these names are known once their wrappers are taken off, and the wrappers, the outermost first.
fn stripped(names: &BTreeSet<&str>, wanted: Wanted<'_>) -> (usize, Vec<String>) {
    let mut names: BTreeSet<&str> = names.clone();
    let (mut score, mut begins) = (wanted.score(&names), Vec::new());
    while begins.len() < DEEPEST {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (begin, _) in names.iter().filter_map(|name| name.split_once('.')) {
            *counts.entry(begin).or_default() += 1;
        }
        let rank = |begin: &str| BEGINS.iter().position(|(own, _)| *own == begin);
        let asked = |begin: &str| wanted.set == Some(begin);
        let tried =
            counts.iter().filter(|(_, count)| 10 * **count >= names.len()).filter_map(|(begin, count)| {
                let inner: BTreeSet<&str> =
                    names.iter().map(|name| without(name, begin).unwrap_or(name)).collect();
                if inner.len() < names.len() {
                    return None; // a name would stand there twice
                }
                let own = names.iter().filter_map(|name| without(name, begin)).collect();
                let better = wanted.score(&inner).max(within(&own, wanted, begins.len()));
                let nearly_all = 10 * count >= 9 * names.len();
                let most = if wanted.known.is_some() { BEGINS.len() } else { FOREIGN };
                let usual = nearly_all && rank(begin).is_some_and(|rank| rank < most) && better >= score;
                (asked(begin) || better > score || usual).then_some((asked(begin), better, *begin, inner))
            });
        let order = |begin: &str| std::cmp::Reverse(rank(begin).unwrap_or(BEGINS.len()));
        let Some((_, _, begin, inner)) =
            tried.max_by(|a, b| (a.0, a.1, order(a.2)).cmp(&(b.0, b.1, order(b.2))))
        else {
            break;
        };
        begins.push(begin.to_string());
        (score, names) = (wanted.score(&inner), inner);
    }
    (score, begins)
}

/// How many of these names are known, or of those that one begin has in common, however many are wrapped around these.
fn within(names: &BTreeSet<&str>, wanted: Wanted<'_>, depth: usize) -> usize {
    if wanted.known.is_none() || depth >= DEEPEST {
        return 0;
    }
    let mut groups: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (begin, rest) in names.iter().filter_map(|name| name.split_once('.')) {
        groups.entry(begin).or_default().insert(rest);
    }
    let large = groups.values().filter(|group| 10 * group.len() >= names.len());
    large.map(|group| within(group, wanted, depth + 1)).fold(wanted.score(names), usize::max)
}

impl Checkpoint {
    /// Takes wrappers off the names of the tensors.
    ///
    /// # Errors
    /// [`Error::Input`] if nothing is called as the wanted set is.
    pub(super) fn unwrap_names(&mut self, file: &str, wanted: Wanted<'_>) -> Result<()> {
        let names: BTreeSet<&str> = self.tensors.keys().map(String::as_str).collect();
        let (_, begins) = stripped(&names, wanted);
        let of_dictionary =
            |set: &str| self.set.as_ref().is_some_and(|own| own == set || own.ends_with(&format!(".{set}")));
        if let Some(set) =
            wanted.set.filter(|set| !of_dictionary(set) && !begins.iter().any(|own| own == set))
        {
            let begins: BTreeSet<&str> =
                names.iter().filter_map(|name| Some(name.split_once('.')?.0)).collect();
            let begins: Vec<String> =
                begins.into_iter().take(10).map(|own| format!("`{}`", shown(own))).collect();
            let problem = format!(
                "has no tensors under `{}`; their names begin with {}",
                shown(set),
                begins.join(", ")
            );
            let hint = "leave `--weights` out: notes say what else there is";
            return Err(Error::input(format!("`{file}`"), problem, hint));
        }
        if begins.is_empty() {
            return Ok(());
        }
        let count = self.tensors.len();
        let mut changed = count;
        for begin in &begins {
            let (mut own, mut inner) = (0, BTreeMap::new());
            for (name, stored) in std::mem::take(&mut self.tensors) {
                let short = without(&name, begin).map(String::from);
                own += usize::from(short.is_some());
                inner.insert(short.unwrap_or(name), stored);
            }
            (self.tensors, changed) = (inner, changed.min(own));
        }
        let why = begins.iter().filter_map(|begin| Some(BEGINS.iter().find(|(own, _)| own == begin)?.1));
        let mut why: Vec<&str> = why.collect();
        why.dedup();
        let why =
            if why.is_empty() { "the rest are names of a known network".into() } else { why.join(", ") };
        let of = if changed == count { "all names".into() } else { format!("{changed} of {count} names") };
        self.notes.push(format!("`{}.` was taken off {of}: {why}", shown(&begins.join("."))));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Stored;
    use super::super::written::{array, dict, number, pickle};
    use super::*;

    /// Names of two networks, of which one is larger.
    fn known(names: &BTreeSet<&str>) -> usize {
        let networks = [&["conv.w", "bn.w", "fc.w"][..], &["features.0.w", "features.1.w"]];
        networks.iter().map(|own| own.iter().filter(|name| names.contains(*name)).count()).max().unwrap_or(0)
    }

    fn wanted(set: Option<&str>) -> Wanted<'_> {
        Wanted { set, known: Some(&known) }
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
        assert!(of(Some("teacher")).contains(&"student.backbone.conv.w".into()));
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
            "the file holds the network more than once: `--weights optimizer.state.exp_avg` takes another",
            "`module.` was taken off all names: the network was trained in parallel",
        ];
        assert_eq!(own.notes, notes);

        let file = dict(&[("model_ema", state("module.", 2)), ("model", state("", 1))]);
        let own = read(&file, None);
        assert_eq!(value(&own), 1.0);
        assert_eq!(
            own.notes[1],
            "the file holds the network more than once: `--weights model_ema` takes another"
        );
        assert_eq!(value(&read(&file, Some("model_ema"))), 2.0);
        let callbacks = dict(&[("EMA", dict(&[("ema_state", state("", 5))]))]);
        let file = dict(&[("state_dict", state("model.", 4)), ("callbacks", callbacks)]);
        assert_eq!((value(&read(&file, None)), value(&read(&file, Some("ema_state")))), (4.0, 5.0));
        assert_eq!(value(&read(&file, Some("callbacks.EMA.ema_state"))), 5.0);
        let none = Checkpoint::from_bytes_for("f", &pickle(&file), wanted(Some("net")), 1 << 20);
        assert!(none.unwrap_err().to_string().contains("has no tensors under `net`"));
    }
}
