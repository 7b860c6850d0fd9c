//! One task of a file: its keys, and the tables that it names.
//!
//! Settings of reading and preprocessing have the names of the flags of `juyi transfer` and are read as those are, so that a
//! run of a sweep is that command's run.

use std::collections::HashMap;
use std::path::Path;

use clap::Parser;
use juyi::context::Context;
use juyi::data::{Cells, Column, Table, read_table, table_files};
use juyi::error::{Error, Result, shown};
use juyi::files::is_stream;
use juyi::splits::{Whole, splitter};
use juyi::transfer::{Settings, TargetLabels};
use serde_json::{Map as JsonMap, Value};

use crate::arguments::{Arguments, Command, TablesArguments, TransferArguments};
use crate::transfer::{reading, settings};

/// Keys that say which rows there are.
const OWN: [&str; 7] = ["name", "source", "target", "truth", "domain", "splits", "groups"];

/// Keys that are flags of `juyi transfer`.
const FLAGS: [&str; 15] = [
    "label",
    "task",
    "target-labels",
    "missing",
    "drop",
    "id",
    "preprocess",
    "assume",
    "format",
    "encoding",
    "missing-values",
    "keep-values",
    "decimal",
    "date-order",
    "rename",
];

/// Flags that are not a task's to say, and the flag that does.
const ELSEWHERE: [(&str, &str); 8] = [
    ("method", "--methods"),
    ("methods", "--methods"),
    ("set", "--methods 'coral(regularization=0.1)'"),
    ("learner", "--learners"),
    ("learners", "--learners"),
    ("seed", "--seeds"),
    ("figure", "--figure"),
    ("out", "--out"),
];

/// What the file says of one task.
pub(super) struct Asked {
    pub(super) name: Option<String>,
    pub(super) arguments: TransferArguments,
    pub(super) truth: Option<String>,
    pub(super) domain: Option<String>,
    pub(super) splits: Option<String>,
    pub(super) groups: Option<String>,
    pub(super) given: Value,
}

/// Refuses keys that there are not.
pub(super) fn check_keys(thing: &str, given: &JsonMap<String, Value>) -> Result<()> {
    let known = || OWN.iter().chain(&FLAGS);
    let Some(key) = given.keys().find(|key| !known().any(|own| own == key)) else { return Ok(()) };
    if let Some((_, flag)) = ELSEWHERE.iter().find(|(own, _)| own == key) {
        let problem = format!("says `{key}`, which is for all tasks alike");
        return Err(Error::input(thing, problem, format!("leave it out, and give `{flag}`")));
    }
    Err(Error::Unknown {
        kind: format!("key in {thing}:"),
        name: key.clone(),
        known: known().map(ToString::to_string).collect(),
    })
}

impl Asked {
    /// Reads one entry of a file in this folder; `thing` is what messages call it.
    pub(super) fn of(thing: &str, given: JsonMap<String, Value>, folder: &Path) -> Result<Self> {
        let refused = |problem: &str, hint: &str| Error::input(thing, problem, hint);
        let text = |key: &str| match given.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(refused(&format!("`{key}` is no text"), &format!("write `{key} = \"...\"`"))),
        };
        let source = match given.get("source") {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(all)) if !all.is_empty() && all.iter().all(Value::is_string) => {
                all.iter().filter_map(|one| one.as_str().map(String::from)).collect()
            }
            Some(_) => {
                return Err(refused(
                    "`source` is no text, and no list of texts",
                    "write `source = [\"a.csv\"]`",
                ));
            }
            None => {
                return Err(refused("has no `source`", "name the labelled tables: `source = [\"a.csv\"]`"));
            }
        };
        let (target, domain, truth) = (text("target")?, text("domain")?, text("truth")?);
        match (&target, &domain) {
            (None, None) => {
                let hint = "give `target = \"b.csv\"`, or the column of the domains in one table: `domain = \"site\"`";
                return Err(refused("has neither `target` nor `domain`", hint));
            }
            (Some(_), Some(_)) => {
                let hint = "leave one out: `domain` makes sources and targets of one table";
                return Err(refused("has both `target` and `domain`", hint));
            }
            (None, Some(_)) if source.len() > 1 || truth.is_some() => {
                let hint = "give one table with all domains and their labels";
                return Err(refused("has `domain`, and more than one `source` or a `truth` beside it", hint));
            }
            _ => {}
        }
        for spec in source.iter().chain(&target).chain(&truth) {
            if spec == "-" || is_stream(Path::new(spec)) {
                return Err(refused(&format!("`{}` can be read once only", shown(spec)), "give a file"));
            }
        }
        let (splits, groups) = (text("splits")?, text("groups")?);
        if let Some(by) = &splits {
            let whole = splitter(by)?.row().whole;
            if whole == Whole::Groups && groups.is_none() {
                let hint = "name the column of the groups: `groups = \"patient\"`";
                return Err(refused(
                    &format!("`{}` keeps groups together, and there is no `groups`", shown(by)),
                    hint,
                ));
            }
        } else if groups.is_some() {
            return Err(refused(
                "has `groups` and no `splits`",
                "say `splits = \"grouped\"`, or leave `groups` out",
            ));
        }
        let at = |spec: &String| placed(folder, spec);
        let mut words = vec!["juyi".to_string(), "transfer".into()];
        words.extend(source.iter().map(|spec| format!("--source={}", at(spec))));
        words.push(format!("--target={}", at(target.as_ref().unwrap_or(&source[0]))));
        for key in FLAGS {
            let values = match given.get(key) {
                None => continue,
                Some(Value::Array(all)) => all.clone(),
                Some(one) => vec![one.clone()],
            };
            for value in values {
                let value = match value {
                    Value::String(text) => text,
                    Value::Number(number) => number.to_string(),
                    _ => {
                        return Err(refused(
                            &format!("`{key}` is neither text nor number"),
                            "write it as in `juyi transfer`",
                        ));
                    }
                };
                words.push(format!("--{key}={value}"));
            }
        }
        let parsed = Arguments::try_parse_from(words).map_err(|error| {
            let said = error.render().to_string();
            let first = said.lines().next().unwrap_or_default().trim_start_matches("error: ").to_string();
            let more: Vec<&str> =
                said.lines().skip(1).map(str::trim).filter(|line| line.starts_with('[')).collect();
            Error::input(thing, shown(&first), more.join("; "))
        })?;
        let Command::Transfer(arguments) = parsed.command else {
            unreachable!("the words are those of a transfer");
        };
        let (name, truth) = (text("name")?, truth.as_ref().map(at));
        Ok(Self { name, arguments: *arguments, truth, domain, splits, groups, given: given.into() })
    }

    /// The settings of each run; groups are no feature.
    pub(super) fn settings(&self) -> Result<Settings> {
        let mut settings = settings(&self.arguments)?;
        settings.drop.extend(self.groups.clone());
        Ok(settings)
    }

    pub(super) fn tables(&self) -> &TablesArguments {
        &self.arguments.tables
    }

    /// The domains of the one table, in the order in which they appear.
    pub(super) fn read_domains(&self, context: &mut Context) -> Result<Vec<Table>> {
        let (spec, column) = (&self.tables().source[0], self.domain.as_deref().unwrap_or_default());
        let mut reading = reading(self.tables());
        reading.as_text.push(column.into());
        let mut table = read_table(spec, &reading, context)?;
        context.take(2 * table.bytes());
        let Some(position) = table.position(column) else {
            return Err(Error::Unknown {
                kind: format!("column of domains in `{spec}`"),
                name: column.into(),
                known: table.names().cloned().collect(),
            });
        };
        let cells = table.columns.remove(position).cells;
        let (mut rows, mut known): (Vec<(String, Vec<usize>)>, _) = (Vec::new(), HashMap::new());
        for row in 0..table.rows {
            let Some(domain) = cells.text(row) else {
                let problem = format!("has no domain: `{column}` is empty");
                return Err(Error::input(table.place(row), problem, "fill it, or take the row out"));
            };
            let at = *known.entry(domain.clone()).or_insert_with(|| {
                rows.push((domain, Vec::new()));
                rows.len() - 1
            });
            rows[at].1.push(row);
        }
        if rows.len() < 2 {
            let problem = format!("has {} domain in `{column}`", rows.len());
            return Err(Error::input(format!("`{spec}`"), problem, "give rows of two domains at least"));
        }
        let part = |(domain, rows): (String, Vec<usize>)| {
            let mut part = table.select(&rows);
            part.name = format!("{spec}: {domain}");
            part.numbers = rows.iter().map(|&row| table.number(row)).collect();
            part
        };
        Ok(rows.into_iter().map(part).collect())
    }

    /// The target with the truth as its labels; or, where the target's own labels are learnt from, the rows that have
    /// none, with the truth, to score.
    pub(super) fn with_truth(
        &self,
        mut target: Table,
        sources: &[Table],
        settings: &Settings,
        context: &mut Context,
    ) -> Result<(Table, Option<Table>)> {
        let Some(spec) = &self.truth else { return Ok((target, None)) };
        let truth = read_table(spec, &reading(self.tables()), context)?;
        let label = settings.label.clone().or_else(|| sources.first().and_then(|table| table.label.clone()));
        let label = label.unwrap_or_else(|| "label".into());
        let refused = |problem: String, hint: &str| Err(Error::input(format!("`{spec}`"), problem, hint));
        let Some(labels) = truth.column(&label).map(|column| column.cells.clone()) else {
            return refused(
                format!("has no column `{label}`"),
                "give the true labels under the label's name",
            );
        };
        if truth.rows != target.rows {
            let problem = format!("has {} rows, the target {}", truth.rows, target.rows);
            return refused(problem, "give one row with the truth for each target row, in the same order");
        }
        for id in &settings.id {
            let (Some(there), Some(here)) = (truth.column(id), target.column(id)) else { continue };
            if let Some(row) = (0..target.rows).find(|&row| there.cells.text(row) != here.cells.text(row)) {
                let (there, here) = (there.cells.text(row), here.cells.text(row));
                let shown = |cell: Option<String>| shown(&cell.unwrap_or_default());
                let problem =
                    format!("row {}: `{id}` is `{}`, in the target `{}`", row + 1, shown(there), shown(here));
                return refused(problem, "give the truth in the order of the target's rows");
            }
        }
        let own = target.position(&label);
        let filled = own.map_or(0, |own| target.columns[own].cells.filled());
        if settings.target_labels == TargetLabels::Use {
            if self.splits.is_some() {
                let hint = "leave one out: either holds labels back to score with";
                return refused("stands beside `splits` and target labels that are learnt from".into(), hint);
            }
            let rows: Vec<usize> = (0..target.rows)
                .filter(|&row| own.is_none_or(|own| target.columns[own].cells.is_missing(row)))
                .collect();
            let mut held_out = target.clone();
            set_column(&mut held_out, &label, labels);
            return Ok((target, Some(held_out.select(&rows))));
        }
        if filled > 0 {
            let problem = format!("is given, and the target has {filled} labels of its own");
            return refused(
                problem,
                "leave `truth` out, or say `target-labels = \"use\"` to learn from the target's own",
            );
        }
        set_column(&mut target, &label, labels);
        Ok((target, None))
    }
}

/// Puts a column in the place of the one of this name, or behind all others.
fn set_column(table: &mut Table, name: &str, cells: Cells) {
    match table.position(name) {
        Some(position) => table.columns[position].cells = cells,
        None => table.columns.push(Column { name: name.into(), cells }),
    }
}

/// A table as the file names it, seen from where the command was called: paths are relative to the file.
fn placed(folder: &Path, spec: &str) -> String {
    if folder.as_os_str().is_empty() {
        return spec.into();
    }
    let at = |path: &str| folder.join(path).display().to_string();
    match &table_files(spec)[..] {
        // The second file of a pair such as `X.npy:y.npy`; what else may stand there is no path.
        [_, more] if folder.join(more).exists() => {
            let more = more.display().to_string();
            let first = spec.strip_suffix(&format!(":{more}")).unwrap_or(spec);
            format!("{}:{}", at(first), at(&more))
        }
        _ => at(spec),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use juyi::splits::SPLITTERS;

    use super::*;

    #[test]
    fn keys_are_flags_of_a_transfer_and_the_guide_has_them_all() {
        let command = Arguments::command();
        let transfer = command.find_subcommand("transfer").expect("the command");
        let flags: Vec<&str> = transfer.get_arguments().filter_map(clap::Arg::get_long).collect();
        let guide = include_str!("../../../../docs/your-own-tasks.md");
        for key in FLAGS {
            assert!(flags.contains(&key), "{key}");
            assert!(guide.contains(&format!("`{key}`")), "the guide lacks {key}");
        }
        for key in OWN {
            assert!(guide.contains(&format!("\n{key} = ")), "the guide lacks {key}");
        }
        for row in SPLITTERS {
            assert!(
                guide.contains(&format!("[`{0}`](methods/{0}.md)", row.name)),
                "the guide lacks {}",
                row.name
            );
        }
    }

    #[test]
    fn paths_are_seen_from_where_the_command_was_called() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("y.npy"), "").expect("a file");
        let at = |name: &str| folder.path().join(name).display().to_string();
        assert_eq!(placed(Path::new(""), "a.csv"), "a.csv");
        assert_eq!(placed(folder.path(), "a.csv"), at("a.csv"));
        assert_eq!(placed(folder.path(), "X.npy:y.npy"), format!("{}:{}", at("X.npy"), at("y.npy")));
        assert_eq!(placed(folder.path(), "a.mat:X,y"), at("a.mat:X,y"));
        assert_eq!(placed(folder.path(), "/b/a.csv"), "/b/a.csv");
    }
}
