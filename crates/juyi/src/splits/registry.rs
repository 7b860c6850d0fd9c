//! Splitters as rows.

use std::fmt::Write;

use rand_chacha::ChaCha8Rng;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map as JsonMap, Value};

use super::SPLITTERS;
use super::folds::class_of;
use crate::context::Context;
use crate::data::{Goal, Labels, listed};
use crate::error::{Error, Result, shown};
use crate::heads::{head, page};
use crate::params::{ParamInfo, asked, check_names, markdown, of_owner, read_params};

/// The labelled rows of some domains, as a splitter sees them.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// What the labels mean.
    pub goal: &'a Goal,
    /// One label a row.
    pub labels: &'a Labels,
    /// What messages call the domains.
    pub names: &'a [String],
    /// The domain of each row, by its position among the names.
    pub domains: &'a [usize],
    /// The domain that is the target, where one is.
    pub target: Option<usize>,
    /// The group of each row, where rows have one.
    pub groups: Option<&'a [usize]>,
    /// For each row the first row that it is a copy of, itself where it is none: see [`copies`](super::copies()).
    pub leaders: &'a [usize],
}

impl Rows<'_> {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The class of a row; 0 of numbers.
    pub fn class(&self, row: usize) -> usize {
        class_of(self.labels, row)
    }

    /// What messages call a class.
    fn class_name(&self, class: usize) -> String {
        match self.goal {
            Goal::Classes(names) => names.get(class).cloned().unwrap_or_default(),
            Goal::Value => String::new(),
        }
    }

    /// The group of each row, for the splitter of this name.
    ///
    /// # Errors
    /// [`Error::Input`] where rows have none.
    pub(super) fn groups(&self, splitter: &str) -> Result<&[usize]> {
        self.groups.ok_or_else(|| {
            let hint = "give the group of each row (`groups` names their column), or another splitter";
            Error::input(format!("`{splitter}`"), "keeps groups together, and rows have none", hint)
        })
    }

    /// Number of rows that are no copies.
    pub(super) fn different(&self) -> usize {
        (0..self.len()).filter(|&row| self.leaders[row] == row).count()
    }

    /// Warns of strata with fewer rows than there are folds; `name` is what a stratum is called.
    pub(super) fn warn_of_few<S: Ord>(
        &self,
        splitter: &str,
        folds: usize,
        stratum: impl Fn(usize) -> S,
        name: impl Fn(&S) -> String,
        context: &mut Context,
    ) {
        if *self.goal == Goal::Value {
            return;
        }
        let mut counts = std::collections::BTreeMap::new();
        (0..self.len()).filter(|&row| self.leaders[row] == row).for_each(|row| {
            *counts.entry(stratum(row)).or_insert(0usize) += 1;
        });
        for (stratum, count) in counts.iter().filter(|(_, count)| **count < folds) {
            let are = if *count == 1 { "is 1 row" } else { &format!("are {count} rows") };
            let text = format!(
                "of {} there {are}, fewer than the {folds} folds: {} test none of it",
                name(stratum),
                folds - count
            );
            context.warn(splitter, text);
        }
    }

    /// What messages call a class of [`Rows::class`].
    pub(super) fn called(&self, class: usize) -> String {
        format!("class `{}`", shown(&self.class_name(class)))
    }
}

/// Most folds and draws.
pub(super) const MOST_FOLDS: usize = 1000;

/// Refuses numbers of folds that so many things cannot be in, for the splitter of this name; `things` are what is put into
/// folds.
///
/// # Errors
/// [`Error::Param`], [`Error::Input`].
pub(super) fn check_folds(splitter: &str, folds: usize, (count, things): (usize, &str)) -> Result<()> {
    if !(2..=MOST_FOLDS).contains(&folds) {
        return Err(Error::Param {
            owner: splitter.into(),
            name: "folds".into(),
            must: format!("between 2 and {MOST_FOLDS}"),
            got: folds.to_string(),
        });
    }
    if count < folds {
        let hint = format!("take `{splitter}(folds={})`, or another splitter", count.max(2));
        let problem = format!("asks for {folds} folds, and there are {count} {things}");
        return Err(Error::input(format!("`{splitter}`"), problem, hint));
    }
    Ok(())
}

/// Rows that are trained on, and rows that are tested; both rise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Split {
    /// Positions of the rows that are trained on.
    pub train: Vec<usize>,
    /// Positions of those that are tested.
    pub test: Vec<usize>,
}

impl Split {
    /// Each fold tested in turn, and trained on what is in none of its rows.
    pub(super) fn each(folds: Vec<Vec<usize>>, rows: usize) -> Vec<Self> {
        let one = |test: Vec<usize>| {
            let train = (0..rows).filter(|row| test.binary_search(row).is_err()).collect();
            Self { train, test }
        };
        folds.into_iter().map(one).collect()
    }
}

/// Puts rows into parts that are trained on and tested.
pub trait Splitter: Send + Sync {
    /// Its row in the registry.
    fn row(&self) -> &'static SplitterRow;

    /// The splits of rows that [`split`](Self::split) has checked.
    ///
    /// # Errors
    /// As [`split`](Self::split).
    fn cut(&self, rows: &Rows<'_>, rng: &mut ChaCha8Rng, context: &mut Context) -> Result<Vec<Split>>;

    /// The splits. Of a row that is tested no copy is trained on. A warning names classes that a split tests and does not
    /// train on.
    ///
    /// # Errors
    /// [`Error::Input`] for lists of different lengths, too few rows, groups or domains, and a split that trains on nothing;
    /// [`Error::Param`] for a parameter out of its range.
    fn split(&self, rows: &Rows<'_>, context: &mut Context) -> Result<Vec<Split>> {
        let name = self.row().name;
        let (n, groups) = (rows.len(), rows.groups.map_or(rows.len(), <[usize]>::len));
        let known = |row: &usize| *row < n;
        if rows.domains.len() != n
            || rows.leaders.len() != n
            || groups != n
            || !rows.leaders.iter().all(known)
        {
            let problem = format!("{n} labels, {} domains, {groups} groups", rows.domains.len());
            return Err(Error::input(format!("the rows of `{name}`"), problem, "give one of each a row"));
        }
        if rows.domains.iter().chain(&rows.target).any(|domain| *domain >= rows.names.len()) {
            let problem = format!("are of more domains than the {} names", rows.names.len());
            return Err(Error::input(format!("the rows of `{name}`"), problem, "name each domain"));
        }
        let mut rng = context.rng("splits");
        let mut splits = self.cut(rows, &mut rng, context)?;
        let mut copied = 0;
        for split in &mut splits {
            let mut tested = vec![false; n];
            split.test.iter().for_each(|&row| tested[rows.leaders[row]] = true);
            let before = split.train.len();
            split.train.retain(|&row| !tested[rows.leaders[row]]);
            copied += before - split.train.len();
            if split.train.is_empty() || split.test.is_empty() {
                let what = if split.train.is_empty() { "trains on" } else { "tests" };
                let problem = format!("makes a split that {what} no row");
                return Err(Error::input(
                    format!("`{name}`"),
                    problem,
                    "give more rows, or another splitter",
                ));
            }
        }
        if copied > 0 {
            let text = format!("{copied} times a row is not trained on that is a copy of one that is tested");
            context.note(name, text);
        }
        warn_of_unlearnt(name, rows, &splits, context);
        Ok(splits)
    }
}

/// Warns of classes that a split tests and does not train on.
fn warn_of_unlearnt(name: &str, rows: &Rows<'_>, splits: &[Split], context: &mut Context) {
    let Goal::Classes(names) = rows.goal else { return };
    let mut found = Vec::new();
    for split in splits {
        let occur = |part: &[usize]| {
            let mut of = vec![false; names.len()];
            for &row in part {
                of[rows.class(row)] = true;
            }
            of
        };
        let (learnt, tested) = (occur(&split.train), occur(&split.test));
        found.extend((0..names.len()).filter(|&class| tested[class] && !learnt[class]));
    }
    found.sort_unstable();
    found.dedup();
    if !found.is_empty() {
        let of: Vec<&String> = found.iter().map(|&class| &names[class]).collect();
        let text = format!("class {} is tested in a split that does not train on it", listed(&of));
        context.warn(name, text);
    }
}

/// How often a row is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tested {
    /// Each once.
    Once,
    /// A share of the target rows in each split.
    Share,
}

/// What never stands on both sides of a split, beside copies of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    /// Nothing.
    Rows,
    /// Groups.
    Groups,
    /// Domains.
    Domains,
}

/// What each test part has its even share of, to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Even {
    /// All rows.
    Rows,
    /// Each class.
    Classes,
    /// Each class of each domain.
    ClassesOfDomains,
    /// Of nothing: groups and domains are as large as they are.
    Nothing,
}

/// Makes a splitter from given parameters.
type Make = fn(&JsonMap<String, Value>) -> Result<Box<dyn Splitter>>;

/// What is known of a splitter without using it.
pub struct SplitterRow {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// How often a row is tested.
    pub tested: Tested,
    /// What is never torn apart.
    pub whole: Whole,
    /// What is evenly spread.
    pub even: Even,
    /// The text of its file, of which the head is its page.
    pub source: &'static str,
    /// Its parameters.
    pub params: fn() -> Vec<ParamInfo>,
    pub(super) make: Make,
}

impl SplitterRow {
    /// The head of the splitter's file.
    pub fn head(&self) -> String {
        head(self.source)
    }

    /// What it keeps to, in words.
    pub fn keeps(&self) -> String {
        let tested = match self.tested {
            Tested::Once => "each row is tested once",
            Tested::Share => "a share of the target rows is tested in each split",
        };
        let even = match self.even {
            Even::Rows => "; parts are equally large, to a row",
            Even::Classes => "; each part has its share of each class, to a row",
            Even::ClassesOfDomains => "; each part has its share of each class of each domain, to a row",
            Even::Nothing => "",
        };
        let whole = match self.whole {
            Whole::Rows => "",
            Whole::Groups => "; no group stands on both sides",
            Whole::Domains => "; no domain stands on both sides",
        };
        format!("{tested}{even}{whole}; copies of a row never stand on both sides")
    }

    /// The splitter's page in Markdown.
    pub fn page(&self) -> String {
        let mut out = page(self.name, &self.head());
        let _ = writeln!(out, "\n**In short.** A splitter: {}.", self.keeps());
        out += &markdown(&(self.params)());
        let _ = write!(
            out,
            "\n```toml\n# a task of `juyi bench`\nsplits = \"{}\"\n{}```\n",
            self.name,
            if self.whole == Whole::Groups { "groups = \"patient\"\n" } else { "" }
        );
        out
    }
}

/// A splitter of this type with these parameters, the others at their defaults.
pub(super) fn make<S>(given: &JsonMap<String, Value>) -> Result<Box<dyn Splitter>>
where
    S: Splitter + Default + Serialize + DeserializeOwned + 'static,
{
    Ok(Box::new(read_params::<S>(given)?.0))
}

/// The row of this name.
///
/// # Errors
/// [`Error::Unknown`].
pub fn splitter_row(name: &str) -> Result<&'static SplitterRow> {
    SPLITTERS.iter().find(|row| row.name == name).ok_or_else(|| Error::Unknown {
        kind: "splitter".into(),
        name: name.into(),
        known: SPLITTERS.iter().map(|row| row.name.to_string()).collect(),
    })
}

/// The splitter that is asked for: by its name, or by its name and parameters as in `stratified(folds=10)`, the others at
/// their defaults.
///
/// # Errors
/// [`Error::Unknown`] for an unknown splitter or parameter, [`Error::Param`] for a value of the wrong kind, [`Error::Input`]
/// for what is written otherwise.
pub fn splitter(text: &str) -> Result<Box<dyn Splitter>> {
    let (name, params) = asked("splitter", text)?;
    let row = splitter_row(name)?;
    check_names(&format!("parameter of `{name}`"), &(row.params)(), &params)?;
    (row.make)(&params).map_err(|error| of_owner(error, name))
}

#[cfg(test)]
mod tests;
