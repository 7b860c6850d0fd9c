//! A way in: models without their rows, and a target table.

use std::time::Instant;

use super::beyond;
use super::fits::{Fits, Ran, carries};
use super::labels::{
    Written, check_given, classes, compare_with_target, labels_table, tell_absent, tell_sentinels,
};
use super::prepare::{describe, identifiers, of_rows, target_domain};
use super::steps::{self, Data, Sources};
use super::truth::Truth;
use super::{Outcome, Settings, TargetLabels, units};
use crate::choice::{Budget, Choice, Chosen, Configuration, Proposal, Weighing, Wishes, choose_from_models};
use crate::context::Context;
use crate::data::{Cells, Classes, Domain, Encoding, Goal, Table, read_labels_later, thousands_among_labels};
use crate::error::{Error, Result};
use crate::learners::Trained;
use crate::methods::{NO_TRANSFER, SourceModel, refine};
use crate::models::Model;
use crate::report::DomainFacts;
use crate::setting::Setting;

/// Carries models of earlier runs over to a target table. Each model comes with its name; they must take the same
/// columns. How the table becomes features is the first model's affair: of the settings, `preprocess`, `drop` and `id` are
/// not used, and `missing` only where it is given.
///
/// # Errors
/// As [`transfer`](super::transfer); [`Error::Unsuited`] for a model that knows no tables or a method that needs rows.
pub fn transfer_models(
    models: Vec<(String, Model)>,
    mut target: Table,
    settings: &Settings,
    context: &mut Context,
) -> Result<Outcome> {
    let started = Instant::now();
    if settings.source_weights {
        let problem = "weights of source rows are asked for, and the sources are models without rows";
        let hint = "leave it out, or give the source's table";
        return Err(Error::input(format!("`{}`", Setting::SaveWeights), problem, hint));
    }
    for (setting, given, what) in [
        (
            Setting::Single,
            settings.single.is_some(),
            "one model is written in any case, and labelled target rows judge",
        ),
        (
            Setting::Vote,
            settings.weighing != Weighing::default(),
            "there are no source rows by which the votes could be weighed",
        ),
        (
            Setting::Assume,
            settings.assume.is_some(),
            "there are no rows that the target's columns could lie to",
        ),
    ] {
        if given {
            let problem = format!("is for sources that are tables, and these are models: {what}");
            return Err(Error::input(format!("`{setting}`"), problem, "leave it out"));
        }
    }
    let named = steps::named(settings, &[], context)?
        .map(|named| Configuration { trains_learner: named.built.row.trains_learner_on_models(), ..named });

    for (setting, given) in [
        (Setting::Preprocess, settings.preprocess != Settings::default().preprocess),
        (Setting::Drop, !settings.drop.is_empty()),
        (Setting::Id, !settings.id.is_empty()),
    ] {
        if given {
            context.warn("data", format!("`{setting}` is not used: the source's model brings its own"));
        }
    }

    // 1 data
    let (mut encoding, mut goal) = same_columns(&models)?;
    encoding.missing = settings.missing.unwrap_or(encoding.missing);
    let label = settings.label.clone().unwrap_or_else(|| encoding.label.clone());
    if goal == Goal::Value {
        thousands_among_labels(&label, &[&target], &encoding.notations, context);
        read_labels_later(&mut target, &label, &encoding.notations, context)?;
    }
    let cells = target.column(&label).map(|column| column.cells.clone());
    tell_absent(&target, &label, context);
    if let (Some(cells), Goal::Value) = (&cells, &goal) {
        tell_sentinels(&label, cells, context);
    }
    let used = cells.as_ref().filter(|_| settings.target_labels == TargetLabels::Use);
    if settings.target_labels == TargetLabels::Use && used.is_none() {
        let hint = "name the column with `‹label›`; empty cells are unlabelled rows";
        return Err(Error::input(format!("`{}`", target.name), format!("has no column `{label}`"), hint));
    }
    let own: Vec<Cells> = models.iter().map(|(_, model)| names_of(model)).collect();
    let known: Vec<Written> =
        models.iter().zip(&own).map(|((name, _), cells)| (name.as_str(), cells)).collect();
    let of_sources = classes(&label, &known, &mut context.aside());
    if let Goal::Classes(names) = &mut goal {
        if let Some(cells) = used {
            check_given(&of_sources, &target, cells, context)?;
        }
        let used = used.map(|cells| (target.name.as_str(), cells));
        let all: Vec<Written> = known.iter().copied().chain(used).collect();
        *names = classes(&label, &all, context).names().to_vec();
    }
    let id = identifiers(&target, &encoding.id, context)?;
    let none = Cells::Numbers(vec![f64::NAN; target.rows]);
    let truth_cells =
        cells.as_ref().filter(|_| settings.target_labels == TargetLabels::Score).unwrap_or(&none);
    let (features, rows) = encoding.apply(&mut target, context)?;
    context.take(8 * (features.nrows() * features.ncols()) as u64);
    if rows.is_empty() {
        let hint = "give a table with rows below its header";
        return Err(Error::input(format!("`{}`", target.name), "has no rows", hint));
    }
    if goal != Goal::Value {
        let (cells, learnt) = used.map_or((truth_cells, false), |used| (used, true));
        compare_with_target(&of_sources, (&labels_table(&target), cells), &rows, learnt, context)?;
    }
    let truth = Truth::new(truth_cells, &rows, &goal, &target, context)?;
    let domain = target_domain(&target, features, &rows, used, &goal)?;
    domain.check(&goal, encoding.width())?;
    let facts = (models.iter().map(described).collect(), describe(&domain, &goal, &target.remark));
    let id = of_rows(id, &rows);
    let ranges = match &models[..] {
        [(_, one)] if !one.ranges.is_empty() => {
            beyond::beyond(one, &encoding, &domain.features, &target.name, context);
            units::scales(one.maps.first(), &domain.features, &encoding, &target.name, context);
            beyond::joined(&one.ranges, &beyond::ranges(&[&domain.features]))
        }
        _ => Vec::new(),
    };
    let sources = Models { sources: source_models(models, &goal), target: domain };
    let data = Data {
        goal,
        label: encoding.label.clone(),
        missing: encoding.missing,
        encoding: Some(encoding),
        target,
        rows,
        id,
        source_rows: None,
        truth,
        pixels: None,
        facts,
        moved: Vec::new(),
        distances: Vec::new(),
        ranges,
    };
    steps::run(sources, data, named, settings, started, context)
}

/// Models without their rows, and the target.
struct Models {
    sources: Vec<SourceModel>,
    target: Domain,
}

impl Sources for Models {
    fn check(&self, named: &Configuration, goal: &Goal, _context: &mut Context) -> Result<()> {
        named.built.row.needs.check_models(named.built.row, &self.target, goal)
    }

    fn not_transferring(&self, asked: &Configuration) -> Result<Configuration> {
        Configuration::on_models(NO_TRANSFER.name, "{}", &asked.with)
    }

    fn choose(
        &self,
        named: Option<Configuration>,
        goal: &Goal,
        settings: &Settings,
        context: &mut Context,
    ) -> Result<Chosen> {
        let wishes = Wishes {
            steps: &[],
            learner: settings.learner.as_deref(),
            only: named,
            assume: None,
            figure: settings.figure,
            budget: settings.budget.map(Budget::begin),
            single: None,
            given: None,
            weighing: Weighing::default(),
        };
        choose_from_models(&self.sources, &self.target, goal, wishes, context)
    }

    fn fit_each(
        self,
        all: &[Proposal],
        _choice: Option<&Choice>,
        data: &Data,
        context: &mut Context,
    ) -> Result<Fits> {
        let from = match &self.sources[..] {
            [one] => format!("`{}`", one.name),
            several => format!("{} models", several.len()),
        };
        let rows = self.target.features.as_ref();
        let mut ran = Vec::new();
        for configuration in all.iter().filter_map(Proposal::only) {
            context.progress(&format!("fitting {}", configuration.built.row.name), 0, 0);
            let (start, learner) = (Instant::now(), configuration.learner.as_ref());
            let (built, goal) = (&configuration.built, &data.goal);
            let model = refine(built, &self.sources, &self.target, goal, learner, context)?;
            let answers = model.predict(rows)?;
            data.asked().check(&answers, rows, &model.maps)?;
            let carries = format!("{}, from {from} without its rows", carries(&model, 0));
            ran.push(Ran::new(
                Some(configuration),
                model,
                answers,
                carries,
                start,
                &data.truth,
                goal,
                context,
            ));
        }
        Ok(Fits { all: ran, before: Vec::new(), after: Vec::new() })
    }
}

/// The encoding and the kind of goal, which all models must share.
fn same_columns(models: &[(String, Model)]) -> Result<(Encoding, Goal)> {
    let Some((first, model)) = models.first() else {
        return Err(Error::input("the task", "has no source", "give at least one model"));
    };
    let Some(encoding) = &model.encoding else {
        return Err(Error::Unsuited {
            method: first.clone(),
            problem: "was fitted on bare matrices and does not know tables".into(),
            hint: "fit it with `juyi transfer`".into(),
        });
    };
    for (name, other) in &models[1..] {
        let same = other.encoding.as_ref().is_some_and(|other| other.makes_the_same_of(encoding));
        if !same || (other.goal == Goal::Value) != (model.goal == Goal::Value) {
            let problem = format!("takes other columns or predicts something else than `{first}`");
            let hint = "give models that were fitted on tables with the same columns";
            return Err(Error::input(format!("`{name}`"), problem, hint));
        }
    }
    let goal = if model.goal == Goal::Value { Goal::Value } else { Goal::Classes(Vec::new()) };
    Ok((encoding.clone(), goal))
}

/// A source of which there is a model only.
fn described((name, model): &(String, Model)) -> DomainFacts {
    let learner = model.about.learner.as_ref().map_or_else(String::new, |name| format!(", learner {name}"));
    let remark = format!("a model, its rows are not needed: {}{learner}", model.about.method);
    DomainFacts { name: name.clone(), rows: 0, labelled: 0, classes: Vec::new(), remark }
}

/// The names of a model's classes.
fn names_of(model: &Model) -> Cells {
    let names = match &model.goal {
        Goal::Classes(names) => names.clone(),
        Goal::Value => Vec::new(),
    };
    Cells::Text { codes: (0..names.len() as u32).collect(), values: names }
}

/// The models, their classes as positions in the goal.
fn source_models(models: Vec<(String, Model)>, goal: &Goal) -> Vec<SourceModel> {
    let known = |model: &Model| match (&model.goal, goal) {
        (Goal::Classes(own), Goal::Classes(all)) => {
            let all = Classes::named(all.clone());
            own.iter().filter_map(|name| all.position(name)).collect()
        }
        _ => Vec::new(),
    };
    let one = |(name, model): (String, Model)| {
        let classes = known(&model);
        SourceModel { name, trained: Trained { predictor: model.predictor, classes }, maps: model.maps }
    };
    models.into_iter().map(one).collect()
}
