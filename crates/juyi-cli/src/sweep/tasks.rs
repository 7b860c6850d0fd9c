//! The file of a user's tasks, and which tasks it makes.
//!
//! Settings above the first task are those of all tasks that do not say otherwise.

use std::path::{Path, PathBuf};

use juyi::context::Context;
use juyi::data::{Table, table_files};
use juyi::error::{Error, Result, shown};
use juyi::sweeps::{PlannedTask, SweepTask};
use serde_json::{Map as JsonMap, Value};

use super::asked::{Asked, check_keys};
use crate::transfer::tables;

/// A splitter that makes tasks of its own where one table holds all domains.
const LEAVE_ONE_OUT: &str = "leave-one-domain-out";

/// The rows of a task: by its position among those asked for, and where one table holds all domains, which of them.
struct Planned {
    asked: usize,
    name: String,
    domains: Option<(Vec<usize>, usize)>,
}

/// The tasks of a file.
pub(super) struct Tasks {
    file: PathBuf,
    asked: Vec<Asked>,
    planned: Vec<Planned>,
    /// The domains of the table that was last read for it, by the position among those asked for.
    held: Option<(usize, Vec<Table>)>,
}

impl Tasks {
    /// Reads the file, and the tables whose domains decide which tasks there are.
    pub(super) fn read(file: &Path, context: &mut Context) -> Result<Self> {
        let bytes = std::fs::read(file).map_err(|error| Error::io(file, error))?;
        let thing = format!("`{}`", file.display());
        let refused = |problem: String| {
            let hint = "write each task below a line `[[task]]`: source, target, label";
            Error::input(thing.clone(), problem, hint)
        };
        let text = String::from_utf8(bytes).map_err(|_| refused("is not text in UTF-8".into()))?;
        let mut all: JsonMap<String, Value> = toml::from_str(&text).map_err(|error| {
            let at =
                error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            refused(format!("line {at}: {}", error.message()))
        })?;
        let tasks = all.remove("task");
        check_keys(&thing, &all)?;
        let tasks = match tasks {
            Some(Value::Array(tasks)) if !tasks.is_empty() => tasks,
            Some(kind @ Value::String(_)) => {
                return Err(refused(format!("has a setting `task = {kind}` where the tasks begin")));
            }
            _ => return Err(refused("has no task".into())),
        };
        let folder = file.parent().unwrap_or(Path::new(""));
        let mut asked = Vec::new();
        for (k, task) in tasks.into_iter().enumerate() {
            let Value::Object(own) = task else { return Err(refused(format!("task {} is no table", k + 1))) };
            let name = own.get("name").and_then(Value::as_str).map(shown);
            let thing =
                format!("task {} of {thing}", name.map_or((k + 1).to_string(), |name| format!("`{name}`")));
            check_keys(&thing, &own)?;
            let mut given = all.clone();
            given.extend(own);
            asked.push(Asked::of(&thing, given, folder)?);
        }
        let mut tasks = Self { file: file.into(), asked, planned: Vec::new(), held: None };
        for k in 0..tasks.asked.len() {
            tasks.plan(k, context)?;
        }
        Ok(tasks)
    }

    /// The tasks that one entry of the file makes.
    fn plan(&mut self, k: usize, context: &mut Context) -> Result<()> {
        if self.asked[k].domain.is_none() {
            let own = &self.asked[k];
            let (sources, target) = (&own.arguments.tables.source, own.arguments.tables.target.iter());
            let stems = |specs: &mut dyn Iterator<Item = &String>| {
                specs.map(|spec| stem(spec)).collect::<Vec<_>>().join("+")
            };
            let name = format!("{}->{}", stems(&mut sources.iter()), stems(&mut target.into_iter()));
            let name = own.name.clone().unwrap_or(name);
            self.planned.push(Planned { asked: k, name, domains: None });
            return Ok(());
        }
        let names: Vec<String> = self.domains(k, context)?.iter().map(|table| table.name.clone()).collect();
        let own = &self.asked[k];
        let short = |d: usize| names[d].split_once(": ").map_or(names[d].as_str(), |(_, domain)| domain);
        let prefix = own.name.as_ref().map_or_else(String::new, |name| format!("{name}: "));
        let all = 0..names.len();
        let pairs: Vec<(Vec<usize>, usize, String)> = if own.splits.as_deref() == Some(LEAVE_ONE_OUT) {
            let one = |to: usize| {
                (
                    all.clone().filter(|from| *from != to).collect(),
                    to,
                    format!("{prefix}others->{}", short(to)),
                )
            };
            all.clone().map(one).collect()
        } else {
            let pairs = all.clone().flat_map(|from| all.clone().map(move |to| (from, to)));
            let one = |(from, to): (usize, usize)| {
                (vec![from], to, format!("{prefix}{}->{}", short(from), short(to)))
            };
            pairs.filter(|(from, to)| from != to).map(one).collect()
        };
        let planned =
            pairs.into_iter().map(|(from, to, name)| Planned { asked: k, name, domains: Some((from, to)) });
        self.planned.extend(planned);
        Ok(())
    }

    /// What a plan knows of them.
    pub(super) fn planned(&self) -> Vec<PlannedTask> {
        let one = |own: &Planned| PlannedTask {
            name: own.name.clone(),
            settings: self.asked[own.asked].given.clone(),
        };
        self.planned.iter().map(one).collect()
    }

    /// All files that are read.
    pub(super) fn inputs(&self) -> Vec<PathBuf> {
        let specs = self.asked.iter().flat_map(|own| {
            own.arguments.tables.source.iter().chain(&own.arguments.tables.target).chain(&own.truth)
        });
        let files = specs.flat_map(|spec| std::iter::once(PathBuf::from(spec)).chain(table_files(spec)));
        std::iter::once(self.file.clone()).chain(files).collect()
    }

    /// Reads the tables of a task.
    pub(super) fn load(&mut self, position: usize, context: &mut Context) -> Result<SweepTask> {
        let k = self.planned[position].asked;
        let settings = self.asked[k].settings()?;
        if self.planned[position].domains.is_some() {
            self.domains(k, context)?;
            let planned = &self.planned[position];
            let (Some((from, to)), Some((_, tables))) = (&planned.domains, &self.held) else {
                unreachable!("the domains were read in the line above");
            };
            let splits = self.asked[k].splits.clone().filter(|by| by != LEAVE_ONE_OUT);
            return Ok(SweepTask {
                sources: from.iter().map(|&d| tables[d].clone()).collect(),
                target: tables[*to].clone(),
                held_out: None,
                splits,
                groups: self.asked[k].groups.clone(),
                settings,
            });
        }
        self.held = None;
        let own = &self.asked[k];
        let (sources, target) = tables(&own.arguments.tables, context)?;
        let (target, held_out) = own.with_truth(target, &sources, &settings, context)?;
        let (splits, groups) = (own.splits.clone(), own.groups.clone());
        Ok(SweepTask { sources, target, held_out, splits, groups, settings })
    }

    /// The domains of the one table of a task, in the order in which they appear, without their column.
    fn domains(&mut self, k: usize, context: &mut Context) -> Result<&[Table]> {
        if self.held.as_ref().is_none_or(|(own, _)| *own != k) {
            self.held = None;
            let tables = self.asked[k].read_domains(context)?;
            self.held = Some((k, tables));
        }
        Ok(self.held.as_ref().map_or(&[], |(_, tables)| tables))
    }
}

/// What stands for a file in the name of a task.
fn stem(spec: &str) -> String {
    let file = table_files(spec).into_iter().next().unwrap_or_default();
    let stem = file.file_stem().map_or_else(|| spec.to_string(), |stem| stem.to_string_lossy().into_owned());
    stem.split('.').next().unwrap_or_default().to_string()
}
