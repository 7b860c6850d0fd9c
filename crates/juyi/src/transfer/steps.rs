//! The four steps, the same for every way in: data, which the way in brings, select, initialise, transfer.

use std::time::Instant;

use super::asked::Asked;
use super::figures::{self, Pixels};
use super::fits::{Fits, Ran};
use super::truth::Truth;
use super::{Outcome, Settings, degenerate};
use crate::choice::{Choice, Chosen, Configuration, Proposal, Verdict, Weighing};
use crate::context::Context;
use crate::data::{Encoding, Goal, Missing, Table};
use crate::error::{Error, Result, shown};
use crate::learners::learner;
use crate::measures::{Distance, Figure, MovedColumn};
use crate::methods::{METHODS, NO_TRANSFER, build};
use crate::models::Preprocess;
use crate::params::name_of_asked;
use crate::report::{
    Confusion, DataFacts, DomainFacts, Figures, Predictions, Run, SourceRows, SourceWeights, TransferFacts,
};
use crate::setting::Setting;
use crate::validators::{VALIDATORS, validator, validator_row};

/// Sources with the target that they are to serve: rows, or models of rows.
pub(super) trait Sources {
    /// Checks that a configuration can serve them.
    ///
    /// # Errors
    /// [`Error::Unsuited`](crate::error::Error::Unsuited).
    fn check(&self, named: &Configuration, goal: &Goal, context: &mut Context) -> Result<()>;

    /// Not transferring, beside what is asked for.
    ///
    /// # Errors
    /// As [`Configuration::new`].
    fn not_transferring(&self, asked: &Configuration) -> Result<Configuration>;

    /// Compares candidates, or the one that is asked for, with the best baseline.
    ///
    /// # Errors
    /// As [`choose`](crate::choice::choose).
    fn choose(
        &self,
        named: Option<Configuration>,
        goal: &Goal,
        settings: &Settings,
        context: &mut Context,
    ) -> Result<Chosen>;

    /// Fits each of those that may be written on all of them that the choice did not leave out.
    ///
    /// # Errors
    /// What the methods report.
    fn fit_each(
        self,
        all: &[Proposal],
        choice: Option<&Choice>,
        data: &Data,
        context: &mut Context,
    ) -> Result<Fits>;
}

/// What the first step leaves beside the sources.
pub(super) struct Data {
    pub(super) goal: Goal,
    /// The label's column; empty where there are no columns.
    pub(super) label: String,
    /// How tables become features; none where rows came as matrices.
    pub(super) encoding: Option<Encoding>,
    /// What was done about missing cells.
    pub(super) missing: Missing,
    /// The target without its cells.
    pub(super) target: Table,
    /// The numbers of the target rows that are kept.
    pub(super) rows: Vec<usize>,
    /// The identifying columns of those rows.
    pub(super) id: Vec<(String, Vec<String>)>,
    /// The source rows, where their weights are asked for.
    pub(super) source_rows: Option<SourceRows>,
    /// Labels that only score.
    pub(super) truth: Truth,
    /// The pixels of some target rows, where rows are pictures.
    pub(super) pixels: Option<Pixels>,
    /// Sources and target, described.
    pub(super) facts: (Vec<DomainFacts>, DomainFacts),
    /// The columns, the one that moved most first.
    pub(super) moved: Vec<MovedColumn>,
    /// How far source and target are apart.
    pub(super) distances: Vec<Distance>,
    /// The least and the largest value of each feature.
    pub(super) ranges: Vec<(f64, f64)>,
}

impl Data {
    /// What errors call the target's rows.
    pub(super) fn asked(&self) -> Asked<'_> {
        Asked { table: &self.target, rows: &self.rows, encoding: self.encoding.as_ref() }
    }
}

/// The method that is asked for, `None` for `auto`. What can be said of the settings alone is said before the work starts.
pub(super) fn named(
    settings: &Settings,
    steps: &[Preprocess],
    context: &mut Context,
) -> Result<Option<Configuration>> {
    if let Some(by) = &settings.single {
        validator(by)?;
        if settings.method != "auto" {
            let problem =
                format!("takes one of what `auto` tries, and `{}` is asked for", shown(&settings.method));
            return Err(Error::input(format!("`{}`", Setting::Single), problem, "leave it out"));
        }
    }
    if settings.weighing != Weighing::default() {
        let hint = "leave it out";
        if settings.single.is_some() {
            let problem = format!("weighs the votes, and one model is asked for with `{}`", Setting::Single);
            return Err(Error::input(format!("`{}`", Setting::Vote), problem, hint));
        }
        if settings.method != "auto" {
            let problem = format!(
                "weighs the votes of what `auto` tries, and `{}` is asked for",
                shown(&settings.method)
            );
            return Err(Error::input(format!("`{}`", Setting::Vote), problem, hint));
        }
    }
    if settings.budget.is_some() && settings.method != "auto" && !settings.guard {
        let method = shown(&settings.method);
        let problem = format!("is for the choice among methods, and `{method}` is asked for");
        return Err(Error::input(format!("`{}`", Setting::Budget), problem, "leave it out"));
    }
    match settings.method.as_str() {
        "auto" if !settings.params.is_empty() => {
            let hint = "name the method whose parameters they are with `‹method›`";
            Err(Error::input("`‹set›`", "sets parameters, but `auto` tries methods with their own", hint))
        }
        "auto" => {
            settings.learner.as_deref().map(learner).transpose()?;
            Ok(None)
        }
        name => {
            let built = build(name, &settings.params)?;
            if settings.source_weights && !built.row.weighs_rows() {
                return Err(no_weights(format!(
                    "weights of source rows are asked for, and `{name}` gives none"
                )));
            }
            let with = settings.learner.as_deref().unwrap_or(built.row.learner).to_string();
            let learner = learner(&with)?;
            if settings.learner.is_some() && !built.row.trains_learner {
                let text = "trains no learner; `‹learner›` serves the baseline only";
                context.warn(built.row.name, text);
            }
            let (baseline, trains_learner) = (name == NO_TRANSFER.name, built.row.trains_learner);
            let steps = steps.to_vec();
            Ok(Some(Configuration { built, learner, with, steps, baseline, trains_learner }))
        }
    }
}

/// An error about weights of source rows where there are none.
fn no_weights(problem: String) -> Error {
    let those: Vec<&str> = METHODS.iter().filter(|row| row.weighs_rows()).map(|row| row.name).collect();
    let hint =
        format!("leave it out, or choose a method that weighs rows with `‹method›`: {}", those.join(", "));
    Error::input(format!("`{}`", Setting::SaveWeights), problem, hint)
}

/// Selects, initialises and transfers, and records all four steps. `named` is the method that is asked for, `None` for `auto`.
pub(super) fn run(
    sources: impl Sources,
    mut data: Data,
    named: Option<Configuration>,
    settings: &Settings,
    started: Instant,
    context: &mut Context,
) -> Result<Outcome> {
    data.truth.areas = settings.figure == Some(Figure::Auc);
    let named = named.map(|named| named.for_goal(&data.goal, settings.learner.as_deref())).transpose()?;
    if let Some(named) = &named {
        sources.check(named, &data.goal, context)?; // before the baseline is at work
    }
    settings.figure.map_or(Ok(()), |figure| figure.check(&data.goal))?;
    if data.goal == Goal::Value
        && let Some(by) = &settings.single
        && let row = validator_row(name_of_asked(by))?
        && !row.values
    {
        let both = VALIDATORS.iter().filter(|row| row.values).map(|row| format!("`{}`", row.name));
        let both: Vec<String> = both.collect();
        let hint =
            format!("leave out `{}`, or give one that orders both: {}", Setting::Validator, both.join(", "));
        return Err(Error::Unsuited {
            method: row.name.into(),
            problem: "orders classes, not numbers".into(),
            hint,
        });
    }
    if data.goal == Goal::Value && settings.weighing != Weighing::default() {
        return Err(Error::Unsuited {
            method: settings.weighing.name().into(),
            problem: "weighs votes for classes, not numbers".into(),
            hint: format!("leave out `{}`", Setting::Vote),
        });
    }
    // 2 select
    let (mut all, choice) = select(&sources, named, &data.goal, settings, context)?;
    let refused = refused(choice.as_ref());
    let written = if refused { all.first() } else { all.last() };
    let weighs = |own: &Proposal| own.only().is_some_and(|own| own.built.row.weighs_rows());
    if let Some(written) = written.filter(|own| data.source_rows.is_some() && !weighs(own)) {
        let verdict = choice.as_ref().map_or(Verdict::Transfer, |choice| choice.verdict).name();
        let chosen = written.name;
        let problem = format!(
            "weights of source rows are asked for; the verdict is `{verdict}`, and `{chosen}`, which is chosen, gives none"
        );
        if settings.guard {
            let hint = "leave it out, or ask for no verdict: a method that is not judged is used";
            return Err(Error::input(format!("`{}`", Setting::SaveWeights), problem, hint));
        }
        return Err(no_weights(problem));
    }
    if refused && data.truth.rows.is_empty() {
        all.truncate(1); // no label says what the other would have done
    }
    // 3 initialise, 4 transfer: beside it, not transferring.
    let fits = sources.fit_each(&all, choice.as_ref(), &data, context)?;
    Ok(record(data, choice, fits, settings, started, context))
}

/// What is to be fitted: the baseline, then the method that is asked for or trusted. The former is left out where it was
/// asked for itself.
fn select(
    sources: &impl Sources,
    named: Option<Configuration>,
    goal: &Goal,
    settings: &Settings,
    context: &mut Context,
) -> Result<(Vec<Proposal>, Option<Choice>)> {
    match named {
        Some(none) if none.built.row.name == NO_TRANSFER.name && !settings.guard => {
            Ok((vec![Proposal::one(none)], None))
        }
        Some(named) if !settings.guard => {
            let baseline = sources.not_transferring(&named)?;
            Ok((vec![Proposal::one(baseline), Proposal::one(named)], None))
        }
        named => {
            let Chosen { choice, baseline, candidate } = sources.choose(named, goal, settings, context)?;
            Ok((std::iter::once(baseline).chain(candidate).collect(), Some(choice)))
        }
    }
}

/// Whether the guard said anything but `transfer`.
pub(super) fn refused(choice: Option<&Choice>) -> bool {
    choice.is_some_and(|choice| choice.verdict != Verdict::Transfer)
}

/// The record, the model that is written and its predictions. The first fit is that of the baseline, or the only one.
fn record(
    data: Data,
    choice: Option<Choice>,
    fits: Fits,
    settings: &Settings,
    started: Instant,
    context: &mut Context,
) -> Outcome {
    let Data {
        goal,
        label,
        encoding,
        missing,
        rows,
        id,
        source_rows,
        truth,
        pixels,
        facts,
        moved,
        distances,
        ranges,
        target: table,
    } = data;
    let refused = refused(choice.as_ref());
    let Fits { mut all, before, after } = fits;
    let written = if refused { 0 } else { all.len() - 1 };
    let Ran { mut model, facts: chosen, answers, confusion, weights } = all.remove(written);
    degenerate::answers(chosen.title(), &model.goal, &answers, &facts.0, context);
    let (other, other_confusion) = all.pop().map(|ran| (ran.facts, ran.confusion)).unzip();
    let judged = choice.as_ref().and_then(|choice| choice.figure);
    let figure = settings.figure.or(judged).unwrap_or(Figure::usual(&goal));
    let true_gain = match (&chosen.scores, other.as_ref().and_then(|facts| facts.scores)) {
        (Some(base), Some(scores)) if written == 0 => figure.gain(&scores, base),
        (Some(scores), Some(base)) => figure.gain(scores, &base),
        _ => None,
    };
    let choice = choice.map(|choice| Choice { true_gain, ..choice });
    let (baseline, refused) = if written == 0 { (None, other) } else { (other, None) };
    let confusion = confusion.map(|chosen| Confusion {
        classes: figures::classes(&truth, &goal),
        chosen,
        baseline: other_confusion.flatten().filter(|_| baseline.is_some()),
    });
    let pictures =
        pixels.map_or_else(Vec::new, |pixels| pixels.pictures(&rows, &truth, &model.goal, &answers));
    let figures = Figures { before, after, confusion, pictures, ..Figures::default() };
    let features = model.columns;
    model.encoding = encoding;
    model.ranges = ranges;
    let (sources, target) = facts;
    let data = DataFacts {
        task: goal.name().into(),
        label,
        features,
        sources,
        target,
        scored_rows: truth.rows.len(),
        scored_by: None,
        missing: missing.name().into(),
        target_labels: settings.target_labels.name().into(),
        distances,
        moved,
    };
    let transfer = TransferFacts { chosen, baseline, refused, figure: settings.figure };
    let run = Run::new(data, choice, transfer, figures, started.elapsed().as_secs_f64(), context);
    let rows = rows.into_iter().map(|row| table.number(row)).collect();
    let weights = source_rows.zip(weights).map(|(source, weights)| SourceWeights { source, weights });
    Outcome { run, model, predictions: Predictions { rows, id, answers }, weights }
}
