//! What is to be run: tasks times seeds times methods with their learners, in this order; and what each run came to.

use std::collections::HashMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Result, few, shown};
use crate::learners::learner;
use crate::measures::Figure;
use crate::methods::build;
use crate::params::asked;

/// A method with a learner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The method as it is asked for: `auto`, or as in `coral(regularization=0.1)`.
    pub method: String,
    /// The learner as it is asked for; `None` is the method's own choice.
    pub learner: Option<String>,
}

impl Column {
    /// What heads its figures.
    pub fn title(&self) -> String {
        match &self.learner {
            Some(learner) => format!("{}, {learner}", self.method),
            None => self.method.clone(),
        }
    }

    /// Each method with each learner; one that trains none, and all where none is asked for, stands alone.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::Param`] and [`Error::Input`] for methods and learners that there are not, and what is
    /// named twice.
    pub fn all(methods: &[String], learners: &[String]) -> Result<Vec<Self>> {
        for own in learners {
            learner(own)?;
        }
        let mut columns: Vec<Self> = Vec::new();
        for method in methods {
            let trains = match asked("method", method)? {
                ("auto", params) if params.is_empty() => true,
                ("auto", _) => {
                    let problem = format!("`{}` sets parameters", shown(method));
                    let hint =
                        "`auto` tries methods with their own; name the method whose parameters they are";
                    return Err(Error::input("the methods", problem, hint));
                }
                (name, params) => build(name, &params)?.row.trains_learner,
            };
            let own = |learner: Option<&String>| Self { method: method.clone(), learner: learner.cloned() };
            if trains && !learners.is_empty() {
                columns.extend(learners.iter().map(|learner| own(Some(learner))));
            } else {
                columns.push(own(None));
            }
        }
        if let Some(twice) = twice(columns.iter().map(Column::title)) {
            let problem = format!("name `{}` twice", shown(&twice));
            return Err(Error::input("methods and learners", problem, "name each once"));
        }
        if columns.is_empty() {
            return Err(Error::input("the methods", "name none", "name one at least"));
        }
        Ok(columns)
    }
}

/// The first that occurs twice.
fn twice(mut names: impl Iterator<Item = String>) -> Option<String> {
    let mut known = std::collections::HashSet::new();
    names.find(|name| !known.insert(name.clone()))
}

/// A task as a plan knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedTask {
    /// Its name.
    pub name: String,
    /// All that was said of it.
    pub settings: Value,
}

/// What is to be run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The tasks.
    pub tasks: Vec<PlannedTask>,
    /// The methods with their learners.
    pub columns: Vec<Column>,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// The figure that is compared; `None` for accuracy, and R² of numbers.
    pub figure: Option<Figure>,
}

impl Plan {
    /// Checks that there is something to run, and each name and seed once.
    ///
    /// # Errors
    /// [`Error::Input`].
    pub fn new(
        tasks: Vec<PlannedTask>,
        columns: Vec<Column>,
        seeds: Vec<u64>,
        figure: Option<Figure>,
    ) -> Result<Self> {
        if tasks.is_empty() || seeds.is_empty() {
            let none = if tasks.is_empty() { "task" } else { "seed" };
            return Err(Error::input("the sweep", format!("has no {none}"), "give one at least"));
        }
        if let Some(name) = twice(tasks.iter().map(|task| task.name.clone())) {
            let problem = format!("two are called `{}`", shown(&name));
            return Err(Error::input("the tasks", problem, "give each a `name` of its own"));
        }
        if let Some(seed) = twice(seeds.iter().map(u64::to_string)) {
            return Err(Error::input("the seeds", format!("name {seed} twice"), "name each once"));
        }
        Ok(Self { tasks, columns, seeds, figure })
    }

    /// The number of runs.
    pub fn runs(&self) -> usize {
        self.tasks.len() * self.seeds.len() * self.columns.len()
    }

    /// The number of a run among all, by the positions of its task, seed and column.
    pub fn number(&self, task: usize, seed: usize, column: usize) -> usize {
        (task * self.seeds.len() + seed) * self.columns.len() + column
    }

    /// The number of the run that a record is of.
    fn number_of(&self, record: &Record) -> Option<usize> {
        let task = self.tasks.iter().position(|task| task.name == record.task)?;
        let seed = self.seeds.iter().position(|seed| *seed == record.seed)?;
        let is = |own: &Column| own.method == record.method && own.learner == record.learner;
        Some(self.number(task, seed, self.columns.iter().position(is)?))
    }

    /// A run in words.
    pub fn run_in_words(&self, number: usize) -> String {
        let (columns, seeds) = (self.columns.len(), self.seeds.len());
        let task = &self.tasks[number / columns / seeds].name;
        let (column, seed) = (self.columns[number % columns].title(), self.seeds[number / columns % seeds]);
        format!("`{}`, {}, seed {seed}", shown(task), shown(&column))
    }
}

/// One part of several: every so many runs one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its number, from 1.
    pub number: usize,
    /// How many parts there are.
    pub of: usize,
}

impl Part {
    /// All runs.
    pub const WHOLE: Self = Self { number: 1, of: 1 };

    /// Whether a run is one of its.
    pub fn holds(self, run: usize) -> bool {
        run % self.of == self.number - 1
    }
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let parsed =
            text.split_once('/').and_then(|(k, n)| Some((k.trim().parse().ok()?, n.trim().parse().ok()?)));
        match parsed {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Self { number, of }),
            _ => Err(format!("`{text}` is no part of a whole: write e.g. 2/4 for the second of four")),
        }
    }
}

/// What one run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The task's name.
    pub task: String,
    /// The method as it is asked for.
    pub method: String,
    /// The learner as it is asked for.
    pub learner: Option<String>,
    /// The seed.
    pub seed: u64,
    /// All parameters of what was written.
    pub params: Value,
    /// What is compared: the mean over the splits, where there are some.
    pub figure: Option<f64>,
    /// Which figure it is.
    pub of: Option<Figure>,
    /// The figure of each split.
    pub splits: Vec<f64>,
    /// The verdict of each run of `auto`.
    pub verdicts: Vec<String>,
    /// Rows of all sources, rows of the target, and scored rows.
    pub rows: (usize, usize, usize),
    /// Why there is no figure.
    pub failed: Option<String>,
    /// What was warned of.
    pub warnings: Vec<String>,
    /// Time that it took.
    pub seconds: f64,
}

/// What was run of a plan, as it is kept and joined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Swept {
    /// Version of the layout: see [`Swept::FORMAT`].
    pub format: u32,
    /// Version of the program.
    pub version: String,
    /// The plan.
    pub plan: Plan,
    /// Which part of it was run.
    pub part: Part,
    /// What the runs came to, in the order of the plan.
    pub records: Vec<Record>,
}

impl Swept {
    /// Version of the layout that this version writes; later ones are refused.
    pub const FORMAT: u32 = 1;

    /// A part that was run.
    pub fn new(plan: Plan, part: Part, records: Vec<Record>) -> Self {
        Self { format: Self::FORMAT, version: env!("CARGO_PKG_VERSION").into(), plan, part, records }
    }

    /// Reads what was kept; `name` is what messages call the file.
    ///
    /// # Errors
    /// [`Error::Input`].
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self> {
        let hint = "give files that a part of a sweep wrote";
        let refused = |problem: String| Error::input(format!("`{name}`"), problem, hint);
        let json: Value =
            serde_json::from_slice(bytes).map_err(|error| refused(format!("is no JSON: {error}")))?;
        match json["format"].as_u64() {
            Some(format) if format > u64::from(Self::FORMAT) => {
                let problem = format!("has format {format}, this version reads up to {}", Self::FORMAT);
                return Err(Error::input(
                    format!("`{name}`"),
                    problem,
                    "use the version that wrote it, or a later one",
                ));
            }
            Some(_) => {}
            None => return Err(refused("is no part of a sweep".into())),
        }
        let own: Self =
            serde_json::from_value(json).map_err(|error| refused(format!("is damaged: {error}")))?;
        let plan = &own.plan;
        if plan.tasks.is_empty() || plan.columns.is_empty() || plan.seeds.is_empty() {
            return Err(refused("is damaged: its plan is empty".into()));
        }
        let finite = |record: &Record| record.figure.is_none_or(f64::is_finite);
        if let Some(odd) =
            own.records.iter().find(|record| plan.number_of(record).is_none() || !finite(record))
        {
            let run = format!("`{}`, {}, seed {}", shown(&odd.task), shown(&odd.method), odd.seed);
            return Err(refused(format!("is damaged: {run} is no run of its plan")));
        }
        Ok(own)
    }
}

/// All parts of a plan as one, each with the name that messages have for it; in whatever order they are given.
///
/// # Errors
/// [`Error::Input`] for parts of different plans or of different rows, for runs that two parts hold, and for runs that none
/// holds.
pub fn joined(parts: Vec<(String, Swept)>) -> Result<Swept> {
    let Some((first, plan)) = parts.first().map(|(name, own)| (name.clone(), own.plan.clone())) else {
        return Err(Error::input("the parts", "are none", "give the files of all parts"));
    };
    let mut found: Vec<Option<(Record, String)>> = vec![None; plan.runs()];
    let mut rows: HashMap<String, (usize, usize)> = HashMap::new();
    for (name, part) in parts {
        if part.plan != plan {
            let problem = format!("is a part of another sweep than `{first}`");
            let hint = "join parts of the same tasks, methods, learners, seeds and figure";
            return Err(Error::input(format!("`{name}`"), problem, hint));
        }
        for record in part.records {
            let number = plan.number_of(&record).expect("reading found each run in the plan");
            if let Some((_, other)) = &found[number] {
                let problem =
                    format!("holds the run of {} too, as `{other}` does", plan.run_in_words(number));
                return Err(Error::input(format!("`{name}`"), problem, "give each part once"));
            }
            let own = (record.rows.0, record.rows.1);
            let known = if own == (0, 0) { own } else { *rows.entry(record.task.clone()).or_insert(own) };
            if known != own {
                let problem = format!(
                    "has {} source and {} target rows in `{}`, another part {} and {}",
                    own.0,
                    own.1,
                    shown(&record.task),
                    known.0,
                    known.1
                );
                return Err(Error::input(format!("`{name}`"), problem, "run all parts on the same files"));
            }
            found[number] = Some((record, name.clone()));
        }
    }
    let missing: Vec<String> =
        (0..found.len()).filter(|&k| found[k].is_none()).map(|k| plan.run_in_words(k)).collect();
    if !missing.is_empty() {
        let problem = format!("lack {} of {} runs: {}", missing.len(), found.len(), few(&missing));
        return Err(Error::input("the parts", problem, "give the files of all parts"));
    }
    let records = found.into_iter().flatten().map(|(record, _)| record).collect();
    Ok(Swept::new(plan, Part::WHOLE, records))
}
