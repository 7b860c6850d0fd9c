//! Several sources: what each teaches by itself, and which contradict each other.
//!
//! Each source by itself teaches two plain learners, one for lines and one for what bends, and is asked about rows of its own
//! that they did not see. Two sources contradict each other where neither tells the labels of the other's rows even where their
//! rows lie among each other: a source that is merely small is told by the others, and one of other rows does not overlap.
//! Of two that contradict each other one is left out: the one that cannot be learnt; the one that labelled target rows
//! speak against; the one that contradicts more of the others; the one whose rows lie farther from the target's; the one
//! whose own rows tell each other less. Where none of this tells, the one that is named first stays, and there is no verdict.

use faer::MatRef;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::candidates::{Configuration, by_source};
use super::differ;
use super::estimate::mean;
use super::figure::Scorer;
use super::fitted::{Keep, fit_each};
use super::learnable::{Learnable, scored};
use crate::context::Context;
use crate::data::{Domain, Goal, Labels, Task};
use crate::error::Result;
use crate::linalg::{Matrix, column_deviations, column_means, nearest, select_rows, spread, stack};
use crate::measures::Figure;
use crate::methods::NO_TRANSFER;
use crate::models::Preprocess;
use crate::splits::copies;

/// What one of several sources is worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceWorth {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows: usize,
    /// Balanced accuracy, or R², of what it teaches by itself on rows of its own that were kept away; absent where it has too
    /// few rows or one class.
    pub learnt: Option<f64>,
    /// Accuracy, or R², of what it teaches by itself on the labelled target rows, ten at least.
    pub on_labelled: Option<f64>,
    /// The share of target rows of which something else is said where it alone is left out; of numbers the squared difference
    /// over the variance of the labels.
    pub changes: Option<f64>,
    /// The sources that it contradicts.
    pub contradicts: Vec<String>,
    /// Why it is left out, where it is.
    pub left_out: Option<String>,
}

/// What was found of several sources.
pub(super) struct Sources {
    pub(super) worth: Vec<SourceWorth>,
    /// Which of them stay.
    pub(super) kept: Vec<bool>,
    /// Those that contradict each other where nothing tells which of them holds.
    pub(super) open: Option<(String, String)>,
}

/// The fewest rows of a source that it is judged by.
const FEWEST: usize = 20;

/// The most rows of a source, and of the target, that are looked at.
const MOST: usize = 500;

/// The least part of what can be told of a source's rows that another source must tell, or they contradict each other.
const TOLD: f64 = 0.5;

/// What lies less than this above chance tells nothing.
const LEAST: f64 = 0.2;

/// Standard errors that are clear.
const CLEARLY: f64 = 2.0;

/// So many labelled target rows speak.
const LABELLED: usize = 10;

/// By how much more than half of the target rows must lie nearer to one of two sources, beyond chance.
const NEARER: f64 = 0.1;

/// The rows that are looked at, and what each source teaches by itself.
struct Look {
    task: Task,
    /// Its own rows, cross-validated; absent where it has too few.
    own: Vec<Option<Learnable>>,
    /// What it says of all source rows, then of all target rows.
    said: Vec<Option<Vec<f64>>>,
}

impl Sources {
    /// Looks at the sources of a task, several of them.
    ///
    /// # Errors
    /// What the learners report.
    pub(super) fn of(task: &Task, steps: &[Preprocess], context: &mut Context) -> Result<Self> {
        let look = Look::at(task, steps, context)?;
        let worth = |(k, (name, range)): (usize, &(String, std::ops::Range<usize>))| SourceWorth {
            name: name.clone(),
            rows: range.len(),
            learnt: look.own[k].as_ref().map(|own| own.value),
            on_labelled: look.on_labelled(k).map(|rows| mean(&rows)),
            changes: None,
            contradicts: (0..look.own.len())
                .filter(|&other| look.contradict(k, other))
                .map(|other| task.parts[other].0.clone())
                .collect(),
            left_out: None,
        };
        let worth: Vec<SourceWorth> = task.parts.iter().enumerate().map(worth).collect();
        let mut found = Self { kept: vec![true; worth.len()], worth, open: None };
        found.settle(&look);
        found.changes(&look, steps, context)?;
        Ok(found)
    }

    /// Leaves one out of each two that contradict each other, while something tells which.
    fn settle(&mut self, look: &Look) {
        let count = self.kept.len();
        loop {
            let both = |&(a, b): &(usize, usize)| self.kept[a] && self.kept[b] && look.contradict(a, b);
            let Some((a, b)) = (0..count).flat_map(|a| (a + 1..count).map(move |b| (a, b))).find(both) else {
                return;
            };
            let against =
                |one: usize| (0..count).filter(|&k| self.kept[k] && look.contradict(one, k)).count();
            let (out, why) = look.weaker(a, b, (against(a), against(b))).unwrap_or_else(|| {
                self.open = Some((self.worth[a].name.clone(), self.worth[b].name.clone()));
                (b, "nothing tells which of them holds: the one that is named first stays")
            });
            let stays = if out == a { b } else { a };
            let why = format!("it contradicts `{}`, and {why}", self.worth[stays].name);
            self.kept[out] = false;
            self.worth[out].left_out = Some(why);
        }
    }

    /// What of the target is said otherwise without each of those that stay.
    fn changes(&mut self, look: &Look, steps: &[Preprocess], context: &Context) -> Result<()> {
        let staying: Vec<usize> = (0..self.kept.len()).filter(|&k| self.kept[k]).collect();
        if staying.len() < 2 {
            return Ok(());
        }
        let of = look.task.target.features.as_ref();
        let said = |but: Option<usize>| {
            let those: Vec<usize> = staying.iter().copied().filter(|k| Some(*k) != but).collect();
            look.taught(&those, of, steps, None, context)
        };
        let Some(by_all) = said(None)? else { return Ok(()) };
        for &k in &staying {
            let without = said(Some(k))?;
            self.worth[k].changes = without.map(|without| apart(&by_all, &without, &look.task.source.labels));
        }
        Ok(())
    }
}

impl Look {
    /// Draws the rows, each source by itself, so that a large one does not crowd out a small one.
    fn at(task: &Task, steps: &[Preprocess], context: &mut Context) -> Result<Self> {
        let mut rng = context.rng("sources");
        let mut drawn = |mut rows: Vec<usize>, first: &dyn Fn(usize) -> bool| {
            rows.shuffle(&mut rng);
            rows.sort_by_key(|row| !first(*row)); // stable: shuffled among their like
            rows.truncate(MOST);
            rows.sort_unstable();
            rows
        };
        let source: Vec<usize> =
            task.parts.iter().flat_map(|(_, range)| drawn(range.clone().collect(), &|_| false)).collect();
        let labelled = |row: usize| task.target.labelled.binary_search(&row).is_ok();
        let target = drawn((0..task.target.rows()).collect(), &labelled);
        let mut look = Self { task: task.select(&source, &target), own: Vec::new(), said: Vec::new() };
        let all = stack(look.task.source.features.as_ref(), look.task.target.features.as_ref());
        for k in 0..look.task.parts.len() {
            let range = look.task.parts[k].1.clone();
            let part = look.task.select(&range.collect::<Vec<_>>(), &[0]);
            let few = part.source.rows() < FEWEST || !differ(&part.source.labels);
            let own = if few {
                None
            } else {
                let leaders = copies(part.source.features.as_ref());
                Some(Learnable::of(&learners(&part.goal, steps)?, &part, &leaders, context)?)
            };
            let said = match &own {
                Some(own) => look.taught(&[k], all.as_ref(), steps, Some(own.best()), context)?,
                None => None,
            };
            look.own.push(own);
            look.said.push(said);
        }
        Ok(look)
    }

    /// What sources together say of rows, by one of the learners; `None` where they cannot teach it.
    fn taught(
        &self,
        those: &[usize],
        rows: MatRef<'_, f64>,
        steps: &[Preprocess],
        with: Option<usize>,
        context: &Context,
    ) -> Result<Option<Vec<f64>>> {
        let own: Vec<usize> = those.iter().flat_map(|&k| self.task.parts[k].1.clone()).collect();
        let mut part = self.task.select(&own, &[0]);
        if part.goal.classes() > 0 && part.source_classes().len() < 2 {
            return Ok(None);
        }
        part.target = Domain::unlabelled(self.task.target.name.as_str(), rows.to_owned(), &part.goal);
        let with = vec![learners(&part.goal, steps)?.swap_remove(with.unwrap_or(BENDS))];
        let fitted = fit_each(with, &part, Keep::None, (0, 0), &context.aside());
        Ok(fitted.into_iter().next().and_then(|one| one.answers.ok()))
    }

    /// Whether neither of two sources tells the labels of the other's rows that lie among its own; one that teaches nothing need
    /// not be asked.
    fn contradict(&self, a: usize, b: usize) -> bool {
        let not_told = |by: usize, of: usize| self.own[by].is_none() || self.is_not_told(by, of);
        let anybody = self.own[a].is_some() || self.own[b].is_some();
        a != b && anybody && not_told(a, b) && not_told(b, a)
    }

    /// Whether what `by` teaches says little of the labels of those rows of `of` that lie among its own and are of classes that it
    /// knows, though their like can be told.
    fn is_not_told(&self, by: usize, of: usize) -> bool {
        let (Some(others), Some(said)) = (&self.own[by], &self.said[by]) else { return false };
        let mut among = self.among(by, of);
        let labels = &self.task.source.labels;
        if let Labels::Classes(classes) = labels {
            let own = &classes[self.task.parts[by].1.clone()];
            among.retain(|&row| own.contains(&classes[row]));
        }
        if among.len() < FEWEST {
            return false;
        }
        let said: Vec<f64> = among.iter().map(|&row| said[row]).collect();
        let Some(own) = &self.own[of] else {
            return self.is_not_told_of_one_label(others, &said, &labels.select(&among));
        };
        let (told, error, chance) = scored(&said, &labels.select(&among), &self.task.goal);
        let above = own.value.max(others.value) - chance;
        above >= LEAST && told + CLEARLY * error < chance + TOLD * above
    }

    /// The same of rows that all bear one label: they teach nothing, and are told where `by` says that label of them.
    fn is_not_told_of_one_label(&self, by: &Learnable, said: &[f64], labels: &Labels) -> bool {
        if differ(labels) {
            return false; // a small source of several labels
        }
        let scores: Vec<f64> = match labels {
            Labels::Classes(of) => {
                said.iter().zip(of).map(|(said, class)| f64::from(u8::from(*said == *class as f64))).collect()
            }
            Labels::Values(of) => {
                let Labels::Values(all) = &self.task.source.labels else { return false };
                let variance = spread(all);
                said.iter().zip(of).map(|(said, y)| 1.0 - (said - y).powi(2) / variance).collect()
            }
        };
        let above = by.value - by.chance;
        above >= LEAST && mean(&scores) + CLEARLY * error(&scores) < by.chance + TOLD * above
    }

    /// The rows of `of` that lie among those of `by`: no farther from them than these from each other.
    fn among(&self, by: usize, of: usize) -> Vec<usize> {
        let (by, of) = (self.task.parts[by].1.clone(), self.task.parts[of].1.clone());
        let rows = |range: std::ops::Range<usize>| range.collect::<Vec<usize>>();
        let scaled = |which: &[usize]| self.scaled(self.task.source.features.as_ref(), which);
        let (even, odd): (Vec<usize>, Vec<usize>) =
            rows(by.clone()).into_iter().partition(|row| row % 2 == 0);
        let mut usual = distances(&scaled(&odd), &scaled(&even));
        usual.sort_by(f64::total_cmp);
        let Some(far) = usual.get(usual.len() * 9 / 10) else { return Vec::new() };
        let near = distances(&scaled(&rows(of.clone())), &scaled(&rows(by)));
        of.zip(near).filter(|(_, distance)| distance <= far).map(|(row, _)| row).collect()
    }

    /// Some rows with columns scaled by the deviations of all source rows.
    fn scaled(&self, of: MatRef<'_, f64>, which: &[usize]) -> Matrix {
        let all = self.task.source.features.as_ref();
        let deviations = column_deviations(all, &column_means(all));
        let rows = select_rows(of, which);
        let scale = |j: usize| if deviations[j] > 0.0 { deviations[j] } else { 1.0 };
        Matrix::from_fn(rows.nrows(), rows.ncols(), |i, j| rows[(i, j)] / scale(j))
    }

    /// What a source by itself scores on each labelled target row, where there are enough.
    fn on_labelled(&self, k: usize) -> Option<Vec<f64>> {
        let (target, said) = (&self.task.target, self.said[k].as_ref()?);
        if target.labelled.len() < LABELLED || !differ(&target.labels) {
            return None;
        }
        let first = self.task.source.rows();
        let said: Vec<f64> = target.labelled.iter().map(|row| said[first + row]).collect();
        let goal = &self.task.goal;
        Some(Scorer::new(Figure::usual(goal), &target.labels, goal).each(&said))
    }

    /// Which of two that contradict each other is to be left out, and why; `against` are how many each contradicts.
    fn weaker(&self, a: usize, b: usize, against: (usize, usize)) -> Option<(usize, &'static str)> {
        let (one, other) = match (&self.own[a], &self.own[b]) {
            (Some(one), Some(other)) => (one, other),
            (one, _) => return Some((if one.is_some() { b } else { a }, "all its labels are the same")),
        };
        if one.holds() != other.holds() {
            return Some((if one.holds() { b } else { a }, "its own rows do not tell each other's labels"));
        }
        if let (Some(x), Some(y)) = (self.on_labelled(a), self.on_labelled(b)) {
            let ahead: Vec<f64> = x.iter().zip(&y).map(|(x, y)| x - y).collect();
            if mean(&ahead).abs() > error(&ahead) {
                let out = if mean(&ahead) > 0.0 { b } else { a };
                return Some((out, "the labelled target rows speak for the other"));
            }
        }
        if against.0 != against.1 {
            return Some((
                if against.0 > against.1 { a } else { b },
                "it contradicts more sources than the other",
            ));
        }
        let nearer = self.nearer(a, b);
        let beyond = NEARER + CLEARLY * 0.5 / (self.task.target.rows() as f64).sqrt();
        if (nearer - 0.5).abs() > beyond {
            return Some((if nearer > 0.5 { b } else { a }, "its rows lie farther from the target's"));
        }
        let apart = one.value - other.value;
        let clear = apart.abs() > CLEARLY * one.error.hypot(other.error);
        clear.then_some((if apart > 0.0 { b } else { a }, "its own rows tell less of each other's labels"))
    }

    /// The share of target rows that lie nearer to rows of the first, as many of each looked at.
    fn nearer(&self, a: usize, b: usize) -> f64 {
        let (a, b) = (self.task.parts[a].1.clone(), self.task.parts[b].1.clone());
        let count = a.len().min(b.len());
        let spaced = |range: std::ops::Range<usize>| -> Vec<usize> {
            (0..count).map(|i| range.start + i * range.len() / count).collect()
        };
        let target = &self.task.target;
        let queries = self.scaled(target.features.as_ref(), &(0..target.rows()).collect::<Vec<_>>());
        let to =
            |range| distances(&queries, &self.scaled(self.task.source.features.as_ref(), &spaced(range)));
        let (to_a, to_b) = (to(a), to(b));
        let wins = |(x, y): (&f64, &f64)| if x == y { 0.5 } else { f64::from(u8::from(x < y)) };
        to_a.iter().zip(&to_b).map(wins).sum::<f64>() / target.rows() as f64
    }
}

/// Where the learner for what bends stands among [`learners`].
const BENDS: usize = 1;

/// The task without the sources that are not kept.
pub(super) fn kept_of(task: &Task, kept: &[bool]) -> Task {
    let those = task.parts.iter().zip(kept).filter(|(_, kept)| **kept);
    let rows: Vec<usize> = those.flat_map(|((_, range), _)| range.clone()).collect();
    task.select(&rows, &(0..task.target.rows()).collect::<Vec<_>>())
}

/// A learner for lines and one for what bends, which take nothing from the target.
fn learners(goal: &Goal, steps: &[Preprocess]) -> Result<Vec<Configuration>> {
    let lines = if *goal == Goal::Value { "ridge" } else { "logistic" };
    let one = |with: &str| Configuration::new(NO_TRANSFER.name, "{}", with, &by_source(steps));
    [lines, "random-forest"].into_iter().map(one).collect()
}

/// The distance of each query to the nearest of the rows.
fn distances(queries: &Matrix, rows: &Matrix) -> Vec<f64> {
    let one = nearest(queries.as_ref(), rows.as_ref(), &vec![0; rows.nrows()], 1);
    one.iter().map(|found| found[0].as_ref().map_or(f64::INFINITY, |found| found.squared_distance)).collect()
}

/// How far two lists of answers are apart.
fn apart(one: &[f64], other: &[f64], labels: &Labels) -> f64 {
    let n = one.len() as f64;
    match labels {
        Labels::Classes(_) => one.iter().zip(other).filter(|(a, b)| a != b).count() as f64 / n,
        Labels::Values(of) => {
            let off: f64 = one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum();
            off / n / spread(of)
        }
    }
}

/// The standard error of the mean.
fn error(of: &[f64]) -> f64 {
    let (n, mean) = (of.len() as f64, mean(of));
    (of.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n / (n - 1.0)).sqrt()
}
