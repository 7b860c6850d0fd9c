//! Sources that are models without their rows.

use juyi::choice::Verdict;
use juyi::context::Context;
use juyi::data::{Cells, Goal, Shift, ShiftKind, Shifted, Table};
use juyi::measures::Scores;
use juyi::methods::{Goals, METHODS, MethodRow};
use juyi::models::Model;
use juyi::transfer::{Outcome, Settings, TargetLabels, predict_table, transfer, transfer_models};

/// Two tables of three classes, the target's turned, stretched and moved.
fn tables(classes: Option<usize>, strength: f64, seed: u64) -> Shifted {
    let kind = ShiftKind::Conditional;
    let shift = Shift { kind, rows: (300, 300), columns: 4, classes, strength, noise: 0.1 };
    shift.draw(&Context::new(seed, 1 << 30)).expect("tables")
}

/// The model of a run on the source alone, read back from its file.
fn model_of(drawn: &Shifted, learner: &str) -> Model {
    let settings = Settings { method: "none".into(), learner: Some(learner.into()), ..Settings::default() };
    let outcome =
        transfer(vec![drawn.source.clone()], drawn.target.clone(), &settings, &mut Context::default());
    let bytes = outcome.expect("a run").model.to_bytes().expect("a model can be written down");
    let model = Model::from_bytes("old", &bytes).expect("it comes back");
    assert!(!model.about.stores_rows, "{learner} keeps rows");
    model
}

/// The table with labels in its first `count` rows only.
fn labelled(table: &Table, count: usize) -> Table {
    let mut table = table.clone();
    match &mut table.columns.last_mut().expect("the label").cells {
        Cells::Text { codes, .. } => codes.iter_mut().skip(count).for_each(|code| *code = u32::MAX),
        Cells::Numbers(values) => values.iter_mut().skip(count).for_each(|value| *value = f64::NAN),
    }
    table
}

fn settings(method: &str, target_labels: TargetLabels) -> Settings {
    Settings { method: method.into(), target_labels, ..Settings::default() }
}

fn refined(model: &Model, target: Table, settings: &Settings) -> Outcome {
    let models = vec![("old".to_string(), model.clone())];
    transfer_models(models, target, settings, &mut Context::default())
        .unwrap_or_else(|error| panic!("{}: {error}", settings.method))
}

/// Accuracy, or R², on the rows of the table.
fn score(model: &Model, table: &Table) -> f64 {
    match predict_table(model, table.clone(), Some("y"), &mut Context::default()).expect("predictions").1 {
        Some(Scores::Classification { accuracy, .. }) => accuracy,
        Some(Scores::Regression { r2, .. }) => r2,
        None => panic!("it was scored"),
    }
}

fn serving() -> impl Iterator<Item = &'static MethodRow> {
    METHODS.iter().filter(|row| row.needs.serves_models())
}

fn learner_for(row: &MethodRow, regression: bool) -> &'static str {
    match row.learner {
        "logistic" if regression => "ridge",
        learner => learner,
    }
}

#[test]
fn a_model_alone_is_enough() {
    for classes in [Some(3), None] {
        let drawn = tables(classes, 1.0, 1);
        for row in serving().filter(|row| row.needs.goals != Goals::Classes || classes.is_some()) {
            let model = model_of(&drawn, learner_for(row, classes.is_none()));
            let own = (row.name == "target-only").then(|| learner_for(row, classes.is_none()).to_string());
            let settings = Settings { learner: own, ..settings(row.name, TargetLabels::Use) };
            let mut first = refined(&model, labelled(&drawn.target, 60), &settings);
            let bytes = first.model.to_bytes().expect("a model can be written down");
            let back = Model::from_bytes("new", &bytes).expect("it comes back");
            let rows = labelled(&drawn.target, 60);
            let (again, _) = predict_table(&back, rows, None, &mut Context::default()).expect("predictions");
            assert_eq!(again.answers.answer, first.predictions.answers.answer, "{}", row.name);
            let (before, after) = (score(&model, &drawn.target), score(&back, &drawn.target));
            assert!(after >= before - 0.05, "{}: {before} to {after}", row.name);
            assert!(row.name == "none" || after > before, "{}: {before} to {after}", row.name);
            for threads in [1, 2] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
                let mut other = pool.install(|| refined(&model, labelled(&drawn.target, 60), &settings));
                assert_eq!(other.model.to_bytes().expect("bytes"), bytes, "{} on {threads}", row.name);
            }
        }
    }
}

#[test]
fn labels_are_not_learnt_from_unless_asked() {
    let drawn = tables(Some(3), 1.0, 2);
    let model = model_of(&drawn, "logistic");
    for row in serving().filter(|row| !row.needs.requires_target_labels()) {
        let settings = settings(row.name, TargetLabels::Score);
        let mut with = refined(&model, drawn.target.clone(), &settings);
        let mut without = refined(&model, labelled(&drawn.target, 0), &settings);
        assert_eq!(with.model.to_bytes().expect("bytes"), without.model.to_bytes().expect("bytes"));
        assert!(with.run.transfer.chosen.scores.is_some() && without.run.transfer.chosen.scores.is_none());
    }
}

/// Where the rule has moved, `auto` finds a refinement that beats both the old model and the labelled rows alone, and says
/// so; where it has not, it does not.
#[test]
fn the_verdict_is_cross_validated_on_the_labelled_rows() {
    let auto = settings("auto", TargetLabels::Use);
    let mut moved = 0;
    for seed in 0..4 {
        let same = tables(Some(3), 0.0, seed);
        let outcome = refined(&model_of(&same, "logistic"), labelled(&same.target, 60), &auto);
        let choice = outcome.run.select.expect("a choice");
        assert_ne!(choice.verdict, Verdict::Transfer, "{seed}: {:?}", choice.gain);
        assert!(["none", "target-only"].contains(&outcome.run.transfer.chosen.method.as_str()));
        let far = tables(Some(3), 1.0, seed);
        let old = model_of(&far, "logistic");
        let outcome = refined(&old, labelled(&far.target, 60), &auto);
        // Not transferring includes the labelled rows alone, so what is written is never the old model here.
        moved += usize::from(score(&outcome.model, &far.target) > score(&old, &far.target) + 0.1);
    }
    assert_eq!(moved, 4);
    let few = tables(Some(3), 1.0, 9);
    let outcome = refined(&model_of(&few, "logistic"), labelled(&few.target, 5), &auto);
    let choice = outcome.run.select.expect("a choice");
    assert_eq!(choice.verdict, Verdict::CannotTell);
    assert!(choice.reason.contains("at least 10 labelled target rows, and there are 5"), "{}", choice.reason);
}

#[test]
fn a_class_that_the_model_does_not_know_is_learnt() {
    let drawn = tables(Some(3), 0.0, 3);
    let mut two = drawn.source.clone();
    let Cells::Text { codes, .. } = &mut two.columns.last_mut().expect("the label").cells else {
        panic!("classes")
    };
    codes.iter_mut().filter(|code| **code == 2).for_each(|code| *code = u32::MAX); // no source row of the third
    let known = Shifted { source: two, ..tables(Some(3), 0.0, 3) };
    for (method, learner) in
        [("biased-regularization", "logistic"), ("biased-regularization", "svm"), ("ser", "random-forest")]
    {
        let model = model_of(&known, learner);
        assert_eq!(model.goal.classes(), 2);
        let outcome = refined(&model, labelled(&drawn.target, 90), &settings(method, TargetLabels::Use));
        assert_eq!(outcome.model.goal, Goal::Classes(["c1", "c2", "c3"].map(str::to_string).to_vec()));
        let after = score(&outcome.model, &drawn.target);
        assert!(after > 0.85, "{method} on {learner}: {after}");
    }
}

#[test]
fn what_cannot_be_refined_is_named() {
    let drawn = tables(Some(3), 1.0, 4);
    let model = model_of(&drawn, "logistic");
    let refused = |models: Vec<(String, Model)>, settings: &Settings| {
        let outcome = transfer_models(models, labelled(&drawn.target, 60), settings, &mut Context::default());
        outcome.err().expect("it is refused").to_string()
    };
    let one = || vec![("old".to_string(), model.clone())];
    let use_labels = |method| settings(method, TargetLabels::Use);
    assert_eq!(
        refused(one(), &use_labels("coral")),
        "`coral` learns from source rows, and there is a model only"
    );
    assert_eq!(refused(one(), &use_labels("ser")), "`ser` refines trees, and `old` has none");
    let unlabelled = settings("biased-regularization", TargetLabels::Score);
    assert!(refused(one(), &unlabelled).contains("learns from labelled target rows, and there are none"));
    let twice = [one(), one()].concat();
    assert!(
        refused(twice, &use_labels("biased-regularization")).contains("refines one model, and there are 2")
    );
    assert!(refused(Vec::new(), &use_labels("none")).contains("has no source"));
    let mut bare = model.clone();
    bare.encoding = None;
    assert!(refused(vec![("bare".into(), bare)], &use_labels("none")).contains("does not know tables"));
    let numbers = model_of(&tables(None, 1.0, 4), "ridge");
    let mixed = vec![("old".to_string(), model.clone()), ("numbers".to_string(), numbers)];
    assert!(refused(mixed, &use_labels("gaussian-prior")).contains("`numbers`"));
    let unknown = Settings { label: Some("grade".into()), ..use_labels("biased-regularization") };
    assert!(refused(one(), &unknown).contains("has no column `grade`"));
}

/// Several models of related tasks.
#[test]
fn a_prior_is_learnt_from_several_models() {
    let models: Vec<(String, Model)> =
        (5..8).map(|seed| (format!("{seed}"), model_of(&tables(Some(3), 0.2, seed), "logistic"))).collect();
    let drawn = tables(Some(3), 0.5, 8);
    let target = labelled(&drawn.target, 12);
    let settings = settings("gaussian-prior", TargetLabels::Use);
    let outcome = transfer_models(models, target, &settings, &mut Context::default()).expect("a model");
    assert!(score(&outcome.model, &drawn.target) > 0.85);
    assert_eq!(outcome.run.data.sources.len(), 3);
}
