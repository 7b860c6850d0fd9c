//! Begins of names: what trainers, compilers and averages put before the names of a network, and which of them are
//! taken off.
//!
//! Each begin that many names have in common is held against the networks that are known: once for its own names, once
//! for all, of which each loses as much of the begin as it has. Work is linear in the names for each such begin, of
//! which there are at most [`MOST_SHARES`] at each of [`DEEPEST`] depths.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The known networks that have a tensor, by its name.
pub type Known = HashMap<String, Vec<usize>>;

/// First parts of names that are wrapped around those of a network, and who does so.
const USUAL: [(&str, &str); 16] = [
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

/// How many of [`USUAL`] no network has itself.
const FOREIGN: usize = 2;

/// Most wrappers around each other.
const DEEPEST: usize = 8;

/// A begin is tried if at least one in this many names has it.
const MOST_SHARES: usize = 10;

/// How late a set of tensors is taken among those that fit as well, by its name: averages behind what they are of, and
/// what optimizers keep last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Aside {
    Network,
    Average,
    Optimizer,
}

impl Aside {
    /// Of a set that is called so.
    pub(super) fn of(name: &str) -> Self {
        let name = name.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        let average = ["avg", "polyak", "shadow", "slow", "lookahead"];
        let optimizer = has(&["optim", "momentum", "scheduler", "exp_avg"]);
        if optimizer || has_word(&name, &KEPT) || has_word(&name, &["mask", "masks"]) {
            Self::Optimizer
        } else if has(&["ema", "average", "swa", "teacher"]) || has_word(&name, &average) {
            Self::Average
        } else {
            Self::Network
        }
    }
}

/// Words for what an optimizer or a penalty keeps of a network, which is none.
const KEPT: [&str; 8] =
    ["optimizer", "optimizers", "grad", "grads", "gradients", "fisher", "omega", "importance"];

/// Whether one of these words stands in a name in small letters.
fn has_word(name: &str, words: &[&str]) -> bool {
    name.split(|sign: char| !sign.is_alphanumeric()).any(|own| words.contains(&own))
}

/// Whether a set that is called so is no network.
pub(super) fn is_kept(name: &str) -> bool {
    has_word(&name.to_lowercase(), &KEPT)
}

/// Whether a part of a name is often wrapped around those of a network.
pub(super) fn is_usual(part: &str) -> bool {
    USUAL.iter().any(|(own, _)| *own == part)
}

/// Whether some keys and parts of names, joined by dots, hold these one after another.
pub(super) fn holds(path: &str, asked: &str) -> bool {
    before(path, asked).is_some()
}

/// How many keys and parts of names, joined by dots, stand before these, where they hold them.
fn before(path: &str, asked: &str) -> Option<usize> {
    let path = format!(".{path}.");
    let at = path.find(&format!(".{asked}."))?;
    Some(path[..at].matches('.').count())
}

/// The begin that is taken off the names of a set of tensors.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Begin {
    /// Its parts, joined by dots; empty where the names are those of a network as they are.
    pub(super) text: String,
    /// How many names are those of a known network then.
    pub(super) score: usize,
    /// Whether it was asked for, so that names without it are not wanted.
    pub(super) asked: bool,
    /// How many keys and parts of names stand before what is asked for: the outermost is meant.
    pub(super) before: usize,
    /// Parts that tell further copies of the network from this one.
    pub(super) others: Vec<String>,
}

impl Begin {
    /// Who puts it there.
    pub(super) fn why(&self) -> String {
        let usual = |part: &str| Some(USUAL.iter().find(|(own, _)| *own == part)?.1);
        let mut why: Vec<&str> = self.text.split('.').filter_map(usual).collect();
        why.dedup();
        if why.is_empty() { "the rest are names of a known network".into() } else { why.join(", ") }
    }
}

/// A name without the first of its parts, if that is this one.
fn without<'n>(name: &'n str, part: &str) -> Option<&'n str> {
    name.strip_prefix(part)?.strip_prefix('.').filter(|rest| !rest.is_empty())
}

/// A name without as many of the parts of a begin as it begins with.
pub(super) fn shortened<'n>(name: &'n str, begin: &str) -> &'n str {
    let mut rest = name;
    for part in begin.split('.') {
        match without(rest, part) {
            Some(shorter) => rest = shorter,
            None => break,
        }
    }
    rest
}

/// A begin that is tried.
#[derive(Debug, Clone, Copy)]
struct Tried<'n> {
    text: &'n str,
    /// How many of the names behind it are those of one known network.
    own: usize,
    /// As many for all names once it is off.
    all: usize,
}

impl Tried<'_> {
    /// What is taken first among those that fit as well: no average; the usual ones, in their order.
    fn rank(&self) -> (Aside, Vec<usize>) {
        let usual = |part: &str| USUAL.iter().position(|(own, _)| *own == part).unwrap_or(USUAL.len());
        let parts = self.text.split('.').filter(|part| !part.is_empty());
        (Aside::of(self.text), parts.map(usual).collect())
    }
}

/// Names of tensors beside the networks that are known.
struct Names<'n> {
    all: BTreeSet<&'n str>,
    known: Option<&'n Known>,
}

impl<'n> Names<'n> {
    /// How many of some names are those of one known network, for the network that has most of them.
    fn score<'s>(&self, names: impl Iterator<Item = &'s str>) -> usize {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        let Some(known) = self.known else { return 0 };
        for network in names.filter_map(|name| known.get(name)).flatten() {
            *counts.entry(*network).or_default() += 1;
        }
        counts.into_values().max().unwrap_or(0)
    }

    fn tried(&self, text: &'n str) -> Tried<'n> {
        let behind = self.all.iter().filter_map(|name| without(name, text));
        let own = if text.is_empty() { self.score(self.all.iter().copied()) } else { self.score(behind) };
        let all = self.score(self.all.iter().map(|name| shortened(name, text)));
        Tried { text, own, all }
    }

    /// Whether two names would be one without this begin.
    fn clash(&self, begin: &str) -> bool {
        let mut seen = HashSet::new();
        !self.all.iter().all(|name| seen.insert(shortened(name, begin)))
    }

    /// The begins that many names have in common, or many of those of the set that is asked for, and how many names
    /// have each.
    fn shared(&self, asked: Option<&str>) -> BTreeMap<&'n str, usize> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for name in &self.all {
            for (end, _) in name.match_indices('.').take(DEEPEST).filter(|(end, _)| end + 1 < name.len()) {
                *counts.entry(&name[..end]).or_default() += 1;
            }
        }
        let whole = |begin: &str| -> usize {
            let Some(asked) = asked else { return self.all.len() };
            let ends = begin.match_indices('.').map(|(end, _)| end).chain([begin.len()]);
            let mut outer = ends.map(|end| &begin[..end]).filter(|outer| holds(outer, asked));
            outer.next().map_or(usize::MAX, |outer| counts[outer])
        };
        let large =
            counts.iter().filter(|(begin, count)| MOST_SHARES.saturating_mul(**count) >= whole(begin));
        large.map(|(begin, count)| (*begin, *count)).collect()
    }

    /// A begin with the usual ones behind it that nearly all of its names have and that no known network has.
    fn with_usual(&self, mut begin: Tried<'n>, shared: &BTreeMap<&'n str, usize>) -> Tried<'n> {
        let most = if self.known.is_some() { USUAL.len() } else { FOREIGN };
        loop {
            let count = shared.get(begin.text).copied().unwrap_or(self.all.len());
            let next = shared.iter().find(|(text, own)| {
                let part = if begin.text.is_empty() { Some(**text) } else { without(text, begin.text) };
                let usual = part.is_some_and(|part| USUAL[..most].iter().any(|(own, _)| *own == part));
                usual && 10 * **own >= 9 * count
            });
            let Some(next) = next.map(|(text, _)| self.tried(text)) else { return begin };
            if next.all < begin.all || self.clash(next.text) {
                return begin;
            }
            begin = next;
        }
    }
}

/// The begin to take off the names of a set of tensors that stands under these keys: the one that is asked for, or, if
/// nothing is asked for or the keys say it already, the one that fits best. None if nothing is called as is asked.
pub(super) fn begin<'n>(
    names: impl Iterator<Item = &'n str>,
    path: &str,
    asked: Option<&str>,
    known: Option<&'n Known>,
) -> Option<Begin> {
    let names = Names { all: names.collect(), known };
    let by_path = asked.and_then(|asked| before(path, asked));
    let asked = asked.filter(|_| by_path.is_none());
    let joined = |begin: &str| if path.is_empty() { begin.into() } else { format!("{path}.{begin}") };
    // What is asked for may begin with keys and end with parts of names.
    let rest = asked.map(|asked| {
        let ends = asked.match_indices('.').map(|(end, _)| end);
        let mut split =
            ends.filter(|end| path == &asked[..*end] || path.ends_with(&format!(".{}", &asked[..*end])));
        split.next_back().map_or(asked, |end| &asked[end + 1..])
    });
    let shared = names.shared(rest);
    let plain = names.tried("");
    let mut tried: Vec<Tried<'_>> = shared.keys().map(|text| names.tried(text)).collect();
    let fits = |tried: &Tried<'_>| if asked.is_some() { tried.own } else { tried.all };
    let mut likely: Vec<Tried<'_>> = match asked {
        Some(asked) => tried.iter().filter(|own| holds(&joined(own.text), asked)).copied().collect(),
        None => tried.iter().filter(|own| own.all > plain.all && !names.clash(own.text)).copied().collect(),
    };
    if asked.is_none() {
        likely.push(plain);
    }
    let depth = |own: &Tried<'_>| asked.and_then(|asked| before(&joined(own.text), asked)).unwrap_or(0);
    let outermost = likely.iter().map(depth).min()?;
    likely.retain(|own| depth(own) == outermost);
    let best = likely.iter().map(fits).max()?;
    likely.retain(|own| 10 * fits(own) >= 9 * best);
    // What fits nearly as well is another state of the same network.
    let chosen =
        likely.into_iter().min_by_key(|own| (own.rank(), Reverse(fits(own)), own.text.len(), own.text))?;
    // Of those that are called as is asked, only these.
    tried.retain(|own| asked.is_none_or(|asked| before(&joined(own.text), asked) == Some(outermost)));
    tried.retain(|own| own.own > 0 && 10 * own.own >= 9 * best && own.text != chosen.text);
    let others = tried.iter().filter(|own| Aside::of(own.text) != Aside::Optimizer);
    let chosen = names.with_usual(chosen, &shared);
    let differs = |text: &str| {
        let parts = text.split('.').zip(chosen.text.split('.').map(Some).chain(std::iter::repeat(None)));
        parts.into_iter().find(|(own, taken)| Some(*own) != *taken).map(|(own, _)| own.to_string())
    };
    let others: BTreeSet<String> = others.filter_map(|own| differs(own.text)).collect();
    Some(Begin {
        text: chosen.text.to_string(),
        score: fits(&chosen),
        asked: asked.is_some(),
        before: by_path.unwrap_or(outermost),
        others: others.into_iter().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of two networks, of which one is larger.
    fn known() -> Known {
        let own = ["conv.w", "bn.w", "fc.w"].map(|name| (name.into(), vec![0]));
        own.into_iter().chain(["features.0.w", "features.1.w"].map(|name| (name.into(), vec![1]))).collect()
    }

    fn under(begins: &[&str]) -> Vec<String> {
        let of = |begin: &&str| ["conv.w", "bn.w", "fc.w"].map(|name| format!("{begin}{name}"));
        begins.iter().flat_map(of).collect()
    }

    fn of(names: &[String], path: &str, asked: Option<&str>) -> Option<(String, Vec<String>)> {
        let known = known();
        let own = begin(names.iter().map(String::as_str), path, asked, Some(&known))?;
        Some((own.text, own.others))
    }

    #[test]
    fn a_copy_is_mentioned_and_taken_when_asked_for() {
        for (begins, taken, other, begin) in [
            (["", "ema."], "", "ema", "ema"),
            (["model.", "ema.shadow."], "model", "ema", "ema.shadow"),
            (["net.", "net_ema.module."], "net", "net_ema", "net_ema.module"),
            (["student.body.", "teacher.body."], "student.body", "teacher", "teacher.body"),
            (["encoder_k.", "encoder_q."], "encoder_q", "encoder_k", "encoder_k"),
            (["0.", "1."], "0", "1", "1"),
            (["state_dict.net.", "state_dict.net_ema."], "state_dict.net", "net_ema", "state_dict.net_ema"),
        ] {
            let names = under(&begins);
            assert_eq!(of(&names, "", None), Some((taken.into(), vec![other.into()])), "{begins:?}");
            assert_eq!(of(&names, "", Some(other)), Some((begin.into(), vec![])), "{begins:?}");
            assert_eq!(of(&names, "", Some(begin)), Some((begin.into(), vec![])), "{begins:?}");
            assert_eq!(of(&names, "", Some("swa")), None);
        }
        // Keys and parts of names in one.
        let names = under(&["net.", "net_ema."]);
        let asked = of(&names, "state_dict", Some("state_dict.net_ema"));
        assert_eq!(asked, Some(("net_ema".into(), vec![])));
        assert_eq!(of(&names, "states.net", Some("net")), Some(("net".into(), vec!["net_ema".into()])));
        // The outermost of a name is meant.
        let names = under(&["best.net.", "net.module.", "last.best."]);
        assert_eq!(of(&names, "", Some("net")), Some(("net.module".into(), vec![])));
        assert_eq!(of(&names, "", Some("best")), Some(("best.net".into(), vec![])));
        // A name that fits two.
        let names = under(&["student.body.", "teacher.body."]);
        assert_eq!(of(&names, "", Some("body")), Some(("student.body".into(), vec!["teacher".into()])));
        // What an optimizer keeps is no copy.
        let names = under(&["model.", "optimizer.momentum_buffer.", "a_grads."]);
        assert_eq!(of(&names, "", None), Some(("model".into(), vec![])));
    }

    #[test]
    fn a_small_set_is_found_beside_a_large_one() {
        let mut names = under(&["ema.module.", "model."]);
        names.extend((0..1000).map(|at| format!("other.{at}.w")));
        assert_eq!(of(&names, "", Some("ema")), Some(("ema.module".into(), vec![])));
    }

    #[test]
    fn wrappers_around_wrappers_cost_no_more_than_the_names() {
        let names: Vec<String> = (0..20_000)
            .map(|at| format!("{}{}.w.{at}", "module.".repeat(7), if at % 10 == 0 { "b" } else { "a" }))
            .collect();
        let own = of(&names, "", None).unwrap();
        assert_eq!(own.0, ["module"; 7].join("."));
    }
}
