//! `juyi methods`.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use juyi::error::Error;
use juyi::files::{check_output, write_whole};
use juyi::learners::{LEARNERS, LearnerRow, learner_row};
use juyi::measures::{MEASURES, MeasureRow, measure_row};
use juyi::methods::{
    CLASSIFICATIONS, Classification, Family, METHODS, MethodRow, classifications_page, list_of_pages, method,
};
use juyi::params::ParamInfo;
use juyi::report::thousands;
use juyi::setting::Setting;
use juyi::splits::{SPLITTERS, SplitterRow, splitter_row};
use juyi::transferability::{TRANSFERABILITY, TransferabilityRow, transferability_row};
use juyi::validators::{VALIDATORS, ValidatorRow, validator_row};

use crate::arguments::MethodsArguments;
use crate::terminal::{say, worded};

pub(crate) fn run(arguments: &MethodsArguments) -> anyhow::Result<ExitCode> {
    if let Some(folder) = &arguments.pages {
        write_pages(folder)?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = match &arguments.name {
        Some(name) => {
            if let Ok(row) = learner_row(name) {
                learner(row)?
            } else if let Ok(row) = measure_row(name) {
                measure(row)?
            } else if let Ok(row) = validator_row(name) {
                validator(row)?
            } else if let Ok(row) = transferability_row(name) {
                transferability(row)?
            } else if let Ok(row) = splitter_row(name) {
                splitter(row)?
            } else {
                one(method(name)?)?
            }
        }
        None if arguments.markdown => markdown()?,
        None => match &arguments.by {
            Some(word) => grouped(Classification::named(word)?)?,
            None => list()?,
        },
    };
    say(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The pages of all methods, learners, measures, validators, scores of representations and splitters, each with its name.
fn pages() -> impl Iterator<Item = (&'static str, String)> {
    let methods = METHODS.iter().map(|row| (row.name, row.page()));
    let learners = LEARNERS.iter().map(|row| (row.name, row.page()));
    let measures = MEASURES.iter().map(|row| (row.name, row.page()));
    let validators = VALIDATORS.iter().map(|row| (row.name, row.page()));
    let scores = TRANSFERABILITY.iter().map(|row| (row.name, row.page()));
    let splitters = SPLITTERS.iter().map(|row| (row.name, row.page()));
    methods.chain(learners).chain(measures).chain(validators).chain(scores).chain(splitters)
}

/// A page for each of them, and the list of all. What stands there already must be pages of the same titles.
fn write_pages(folder: &Path) -> juyi::error::Result<()> {
    let lists = [("README", list_of_pages() + &others()), ("classifications", classifications_page())];
    let all = pages().chain(lists);
    let pages: Vec<(PathBuf, String)> =
        all.map(|(name, page)| (folder.join(format!("{name}.md")), worded(&page))).collect();
    std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    for (path, page) in &pages {
        check_output(path, Setting::Pages, [])?;
        let title = page.lines().next();
        if let Ok(found) = std::fs::read(path)
            && String::from_utf8_lossy(&found).lines().next() != title
        {
            let (thing, hint) = (format!("`{}`", path.display()), "give another folder with `--pages`");
            return Err(Error::input(thing, "is no page that `juyi methods` wrote", hint));
        }
    }
    pages.iter().try_for_each(|(path, page)| write_whole(path, page.as_bytes()))
}

/// What is listed beside the methods: kind, names, summaries.
fn kinds() -> [(&'static str, Vec<(&'static str, &'static str)>); 5] {
    [
        ("learners", LEARNERS.iter().map(|row| (row.name, row.summary)).collect()),
        ("measures", MEASURES.iter().map(|row| (row.name, row.summary)).collect()),
        ("validators", VALIDATORS.iter().map(|row| (row.name, row.summary)).collect()),
        ("scores of representations", TRANSFERABILITY.iter().map(|row| (row.name, row.summary)).collect()),
        ("splitters", SPLITTERS.iter().map(|row| (row.name, row.summary)).collect()),
    ]
}

/// The other kinds, as the list of pages has the methods.
fn others() -> String {
    let line = |(name, summary): &(&str, &str)| format!("- [{name}]({name}.md): {summary}\n");
    let section = |(kind, rows): &(&str, Vec<(&str, &str)>)| {
        format!("\n## {kind}\n\n") + &rows.iter().map(line).collect::<String>()
    };
    kinds().iter().map(section).collect()
}

fn list() -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    for row in METHODS {
        writeln!(out, "{:<24} {:<10} {:<27} {}", row.name, row.family, row.tasks(), row.summary)?;
    }
    for (kind, rows) in kinds() {
        writeln!(out, "\n{kind}")?;
        rows.iter().try_for_each(|(name, summary)| writeln!(out, "{name:<24} {summary}"))?;
    }
    Ok(out)
}

/// The methods in the groups of a classification.
fn grouped(classification: &Classification) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(
        out,
        "{} · {}\n{}\n{}",
        classification.name[0], classification.name[1], classification.about[0], classification.about[1]
    )?;
    for group in classification.groups {
        writeln!(out, "\n{} · {}\n{}\n{}", group.name[0], group.name[1], group.about[0], group.about[1])?;
        let methods = group.methods();
        match methods.len() {
            0 => writeln!(out, "  no method so far · 目前还没有这类方法")?,
            n if n == METHODS.len() => writeln!(out, "  all methods · 所有方法")?,
            _ => methods.iter().try_for_each(|row| writeln!(out, "  {:<24} {}", row.name, row.summary))?,
        }
    }
    Ok(out)
}

/// The families with links to their methods' pages, as the READMEs have them in their tables.
fn markdown() -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    let mut family = None;
    for row in METHODS {
        let own = row.family.name();
        let between = if Some(own) == family { ", " } else { "" };
        if Some(own) != family {
            let end = if family.is_none() { "" } else { " |\n" };
            write!(out, "{end}| {} | ", row.family)?;
            family = Some(own);
        }
        write!(out, "{between}[`{0}`](docs/methods/{0}.md)", row.name)?;
    }
    writeln!(out, " |")?;
    Ok(out)
}

fn one(row: &MethodRow) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(out, "{}: {}\n", row.name, row.summary)?;
    writeln!(out, "family   {}", row.family)?;
    writeln!(out, "for      {}", row.tasks())?;
    for classification in CLASSIFICATIONS.iter().filter(|one| ["scenario", "object"].contains(&one.word)) {
        let groups = row.groups(classification);
        let names: Vec<&str> = groups.iter().map(|group| group.name[0]).collect();
        writeln!(out, "{:<8} {}", classification.word, names.join(", "))?;
    }
    let use_of_learner =
        if row.trains_learner { "any, by default" } else { "none of its own; the baseline beside it uses" };
    writeln!(out, "learner  {use_of_learner} {}", row.learner)?;
    if row.family != Family::Baseline {
        let grid: Vec<&str> =
            row.grid.all().into_iter().map(|one| if one == "{}" { "its defaults" } else { one }).collect();
        if grid.is_empty() {
            writeln!(out, "auto     leaves it out")?;
        }
        let rows = match row.most_rows {
            usize::MAX => String::new(),
            rows => format!(", up to {} rows a side", thousands(rows)),
        };
        if !grid.is_empty() {
            writeln!(out, "auto     tries {}{rows}", grid.join(", "))?;
        }
    }
    if row.needs.requires_target_labels() {
        writeln!(out, "needs    labelled target rows (`--target-labels use`)")?;
    }
    if row.needs.serves_models() {
        writeln!(out, "source   rows, or a model alone (`--source run/`)")?;
    }
    parameters(&mut out, &(row.params)(), " (--set name=value)")?;
    writeln!(out, "\n{}", row.head().trim_end())?;
    Ok(out)
}

/// The parameters of a method or learner; `how` says how they are set.
fn parameters(out: &mut String, params: &[ParamInfo], how: &str) -> std::fmt::Result {
    if params.is_empty() {
        writeln!(out, "\nno parameters")?;
    } else {
        writeln!(out, "\nparameters{how}")?;
    }
    for param in params {
        let default = param.default_text();
        writeln!(out, "  {} = {default}\n      {}", param.name, param.about)?;
    }
    Ok(())
}

fn learner(row: &LearnerRow) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(out, "{}: {}\n", row.name, row.summary)?;
    writeln!(
        out,
        "for      {}",
        if row.regresses { "classification, regression" } else { "classification" }
    )?;
    writeln!(out, "weights  {}", if row.weighs { "of rows are used" } else { "of rows are not used" })?;
    parameters(&mut out, &(row.params)(), " (--learner-set name=value)")?;
    writeln!(out, "\n{}", row.head().trim_end())?;
    Ok(out)
}

fn measure(row: &MeasureRow) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(out, "{}: {}\n", row.name, row.summary)?;
    writeln!(
        out,
        "for      two domains: `juyi measure`{}",
        if row.in_each_run { ", and each run" } else { "" }
    )?;
    parameters(&mut out, &(row.params)(), " (--set name=value)")?;
    writeln!(out, "\n{}", row.head().trim_end())?;
    Ok(out)
}

fn validator(row: &ValidatorRow) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(out, "{}: {}\n", row.name, row.summary)?;
    let goals = if row.values { "classification, regression" } else { "classification" };
    writeln!(out, "for      single models, {goals}: `juyi transfer --single --validator {}`", row.name)?;
    parameters(&mut out, &(row.params)(), &format!(" (--validator '{}(name=value)')", row.name))?;
    writeln!(out, "\n{}", row.head().trim_end())?;
    Ok(out)
}

fn transferability(row: &TransferabilityRow) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(out, "{}: {}\n", row.name, row.summary)?;
    writeln!(out, "for      networks and features of labelled samples: `juyi rank --by {}`", row.name)?;
    parameters(&mut out, &(row.params)(), &format!(" (--by '{}(name=value)')", row.name))?;
    writeln!(out, "\n{}", row.head().trim_end())?;
    Ok(out)
}

fn splitter(row: &SplitterRow) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(out, "{}: {}\n", row.name, row.summary)?;
    writeln!(out, "for      tasks of `juyi bench --tasks`: `splits = \"{}\"`", row.name)?;
    writeln!(out, "keeps    to this: {}", row.keeps())?;
    parameters(&mut out, &(row.params)(), &format!(" (splits = \"{}(name=value)\")", row.name))?;
    writeln!(out, "\n{}", row.head().trim_end())?;
    Ok(out)
}
