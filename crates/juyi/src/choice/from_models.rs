//! The choice where the sources are models without rows: candidates are cross-validated on the labelled target rows.

use std::time::Instant;

use super::budget::{cheap_first, note_left_out};
use super::candidates::{Configuration, plain_learners};
use super::figure::{Said, Scorer};
use super::held::shares;
use super::record::undecided;
use super::resamples::{Resamples, Score};
use super::tried::{Assumed, Tried, best_baseline, choice};
use super::{Assumption, Choice, Chosen, FEWEST, Proposal, Wishes};
use crate::context::Context;
use crate::data::{Domain, Goal};
use crate::error::Result;
use crate::linalg::select_rows;
use crate::measures::Figure;
use crate::methods::{Family, METHODS, MethodRow, NO_TRANSFER, SourceModel, TARGET_ONLY, refine};
use crate::splits::{copies, folds, note_copies};

/// Folds of the labelled target rows.
const FOLDS: usize = 5;

/// Compares every method that works from source models alone with the models as they are and with the target's labelled
/// rows alone, by accuracy or R² unless another figure is asked for. Of the wishes those count that are not about source rows.
///
/// # Errors
/// [`Error::Unknown`](crate::error::Error::Unknown) for a learner that there is not.
pub fn choose_from_models(
    sources: &[SourceModel],
    target: &Domain,
    goal: &Goal,
    wishes: Wishes<'_>,
    context: &mut Context,
) -> Result<Chosen> {
    let start = Instant::now();
    let Wishes { learner, only, figure, budget, .. } = wishes;
    let rows = (0, target.labelled.len());
    let with = learner.unwrap_or(plain_learners(goal)[0]);
    let mut configurations = vec![Configuration::on_models(NO_TRANSFER.name, "{}", with)?];
    if rows.1 < FEWEST {
        let reason =
            format!("A verdict needs at least {FEWEST} labelled target rows, and there are {}.", rows.1);
        return Ok(undecided(reason, rows, Proposal::one(configurations.swap_remove(0))));
    }
    let learners = learner.map_or_else(|| plain_learners(goal), |name| vec![name]);
    for name in learners {
        configurations.push(Configuration::on_models(TARGET_ONLY.name, "{}", name)?);
    }
    let asked = only.is_some();
    if let Some(only) = only {
        configurations.push(only);
    } else {
        let fits = |row: &&MethodRow| {
            row.family != Family::Baseline
                && row.needs.serves_models()
                && row.needs.check_models(row, target, goal).is_ok()
        };
        for row in METHODS.iter().filter(fits) {
            for params in row.grid.tried(goal) {
                configurations.push(Configuration::on_models(row.name, params, row.learner)?);
            }
        }
    }
    let figure = figure.unwrap_or_else(|| Figure::usual(goal));
    let validation = Validation::new(figure, target, goal, context);
    let all = configurations.len();
    let mut scored = Vec::new();
    for (done, k) in cheap_first(&configurations).into_iter().enumerate() {
        context.progress("comparing methods", done, all);
        let (start, own) = (Instant::now(), &configurations[k]);
        let in_time = budget.filter(|_| !own.baseline && !asked).map_or(Ok(()), |budget| budget.check());
        let scores = in_time.and_then(|()| validation.score(own, sources, target, goal, context));
        scored.push((k, scores.map(|score| vec![score]), start.elapsed().as_secs_f64()));
    }
    scored.sort_by_key(|(k, ..)| *k);
    let tried = |(configuration, (_, scores, seconds))| Tried { configuration, scores, seconds };
    let mut tried: Vec<Tried> = configurations.into_iter().zip(scored).map(tried).collect();
    let others = tried.iter().filter(|one| !one.configuration.baseline);
    note_left_out(others.map(|one| (&one.configuration, one.scores.as_ref().err())), context);
    let Some(base) = best_baseline(&tried, &[true]) else {
        let configuration = tried.swap_remove(0).configuration;
        let reason = "Not even the source model could be validated.".into();
        return Ok(undecided(reason, rows, Proposal::one(configuration)));
    };
    let assumption = Assumption {
        name: "labelled rows speak for the others".into(),
        about: match figure {
            Figure::Accuracy | Figure::R2 => {
                format!("{FOLDS}-fold cross-validation on the labelled target rows")
            }
            _ => format!("{FOLDS}-fold cross-validation on the labelled target rows: {}", figure.title()),
        },
        remains: 0.0,
        holds: true,
    };
    let assumed = Assumed { assumptions: vec![assumption], chance: vec![validation.scorer.chance] };
    let chosen = choice(tried, base, &validation.scorer, assumed);
    let choice = Choice { rows, seconds: start.elapsed().as_secs_f64(), ..chosen.choice };
    Ok(Chosen { choice, ..chosen })
}

/// The labelled target rows in folds.
struct Validation<'a> {
    scorer: Scorer<'a>,
    /// Positions among the labelled rows, each fold rising.
    folds: Vec<Vec<usize>>,
    /// Of the labelled rows.
    resamples: Resamples,
}

impl<'a> Validation<'a> {
    fn new(figure: Figure, target: &'a Domain, goal: &Goal, context: &mut Context) -> Self {
        let mut rng = context.rng("validation");
        let leaders = copies(target.labelled_features().as_ref());
        note_copies(
            &leaders,
            &target.labels,
            "labelled target rows are copies of others, or nearly",
            context,
        );
        let folds = folds(&target.labels, &leaders, FOLDS, &mut rng);
        let scorer = Scorer::new(figure, &target.labels, goal);
        Self { scorer, folds, resamples: Resamples::new(&leaders, &mut rng) }
    }

    /// What a candidate scores on held-out rows.
    fn score(
        &self,
        candidate: &Configuration,
        sources: &[SourceModel],
        target: &Domain,
        goal: &Goal,
        context: &Context,
    ) -> Result<Score> {
        let count = target.labelled.len();
        let mut said = Said::blank(count, 1, self.scorer.classes_of_probabilities());
        let mut part = target.clone();
        for fold in &self.folds {
            let context = &mut context.aside(); // the notices of these fits are not those of the run
            let kept: Vec<usize> = (0..count).filter(|at| fold.binary_search(at).is_err()).collect();
            part.labelled = kept.iter().map(|&at| target.labelled[at]).collect();
            part.labels = target.labels.select(&kept);
            let model = refine(&candidate.built, sources, &part, goal, candidate.learner.as_ref(), context)?;
            let held: Vec<usize> = fold.iter().map(|&at| target.labelled[at]).collect();
            let rows = select_rows(target.features.as_ref(), &held);
            let answers = model.predict(rows.as_ref())?;
            for (of, &at) in fold.iter().enumerate() {
                said.answers[0][at] = in_terms_of(answers.answer[of], &model.goal, goal);
            }
            if let Some(all) = said.probabilities.first_mut() {
                let shares = shares(&answers, &model.goal, goal);
                fold.iter().enumerate().for_each(|(of, &at)| all.row_mut(at).copy_from(shares.row(of)));
            }
        }
        Ok(self.scorer.score(&self.scorer.merit(&said), &self.resamples))
    }
}

/// An answer of a model in terms of a goal of the same kind.
fn in_terms_of(answer: f64, own: &Goal, goal: &Goal) -> f64 {
    match (own, goal) {
        (Goal::Classes(own), Goal::Classes(all)) => {
            all.iter().position(|class| *class == own[answer as usize]).unwrap_or(0) as f64
        }
        _ => answer,
    }
}
