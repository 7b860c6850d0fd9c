//! The guard on pairs of tables whose answer is known: it never says `transfer` where the source's labels say nothing,
//! and mostly does where a shift is known to cost the baseline at least ten points.

#![expect(
    clippy::print_stdout,
    reason = "the verdicts, with estimated and true gain, are what is to be seen"
)]

use std::time::Duration;

use juyi::choice::{Budget, Chosen, Configuration, Proposal, Verdict, Weighing, Wishes, choose};
use juyi::context::{Context, DEFAULT_MEMORY};
use juyi::data::{Domain, Goal, Labels, Task};
use juyi::linalg::{Matrix, multiply, select_rows};
use juyi::measures::Figure;
use juyi::models::Preprocess;
use juyi::validators::{VALIDATORS, validator};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What is asked of a choice that is left to itself.
fn wishes() -> Wishes<'static> {
    Wishes {
        steps: &[Preprocess::Standardize],
        learner: None,
        only: None,
        assume: None,
        figure: None,
        budget: None,
        single: None,
        given: None,
        weighing: Weighing::default(),
    }
}

const CLASSES: usize = 3;
const COLUMNS: usize = 6;
const ROWS: usize = 200;

/// Rows around one centre a class.
fn rows(n: usize, rng: &mut ChaCha8Rng, shares: [f64; CLASSES]) -> (Matrix, Vec<usize>) {
    let normal = |rng: &mut ChaCha8Rng| (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
    let class = |rng: &mut ChaCha8Rng| {
        let at = rng.random::<f64>();
        if at < shares[0] {
            0
        } else if at < shares[0] + shares[1] {
            1
        } else {
            2
        }
    };
    let of: Vec<usize> = (0..n).map(|_| class(rng)).collect();
    let mut x = Matrix::zeros(n, COLUMNS);
    for i in 0..n {
        for j in 0..COLUMNS {
            x[(i, j)] = normal(rng) + if j % CLASSES == of[i] { 2.0 } else { 0.0 };
        }
    }
    (x, of)
}

/// How the target differs from the source.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Shift {
    /// Not at all.
    None,
    /// Each column is offset.
    Offset,
    /// Each column is rescaled and offset.
    Scale,
    /// Columns are mixed.
    Mixing,
    /// Class shares differ.
    Shares,
    /// Only one region of the source is seen.
    Region,
}

const SHIFTS: [Shift; 6] =
    [Shift::None, Shift::Offset, Shift::Scale, Shift::Mixing, Shift::Shares, Shift::Region];

/// A task with this shift, the truth of its target, and the target's rows before they were shifted.
struct Pair {
    task: Task,
    truth: Vec<usize>,
    before: Matrix,
}

fn pair(shift: Shift, seed: u64) -> Pair {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let even = [1.0 / 3.0; 3];
    let (source, y) = rows(ROWS, rng, even);
    let shares = if shift == Shift::Shares { [0.7, 0.2, 0.1] } else { even };
    let (mut target, truth) = rows(ROWS, rng, shares);
    let before = target.clone();
    let mut keep: Vec<usize> = (0..ROWS).collect();
    match shift {
        Shift::None | Shift::Shares => {}
        Shift::Offset | Shift::Scale => {
            for j in 0..COLUMNS {
                let offset = rng.random_range(-4.0..4.0);
                let scale = if shift == Shift::Scale { rng.random_range(0.3..3.0) } else { 1.0 };
                target.col_mut(j).iter_mut().for_each(|v| *v = *v * scale + offset);
            }
        }
        Shift::Mixing => {
            let mut entry = |i: usize, j: usize| f64::from(u8::from(i == j)) + rng.random_range(-0.5..0.5);
            let mix = Matrix::from_fn(COLUMNS, COLUMNS, &mut entry);
            target = multiply(target.as_ref(), mix.as_ref());
        }
        Shift::Region => keep.retain(|&i| target[(i, 0)] + target[(i, 1)] > 1.0),
    }
    let goal = Goal::Classes(vec!["a".into(), "b".into(), "c".into()]);
    let before = select_rows(before.as_ref(), &keep);
    let truth = keep.iter().map(|&i| truth[i]).collect();
    let source = Domain::labelled("source", source, Labels::Classes(y));
    let target = Domain::unlabelled("target", select_rows(target.as_ref(), &keep), &goal);
    Pair { task: Task::new(vec![source], target, goal).expect("a task"), truth, before }
}

/// A task with other source labels or target rows.
fn remade(labels: Labels, target: Matrix, task: &Task) -> Task {
    let source = Domain::labelled("source", task.source().features().clone(), labels);
    let target = Domain::unlabelled("target", target, task.goal());
    Task::new(vec![source], target, task.goal().clone()).expect("a task")
}

impl Pair {
    fn accuracy(&self, of: &Proposal) -> f64 {
        accuracy(&self.task, of, &self.truth)
    }

    /// What undoing the shift would gain over not transferring, with the same learner.
    fn known_gain(&self) -> f64 {
        let none =
            Configuration::new("none", "{}", "logistic", &[Preprocess::Standardize]).expect("a baseline");
        let none = Proposal::one(none);
        let undone = remade(self.task.source().labels().clone(), self.before.clone(), &self.task);
        accuracy(&undone, &none, &self.truth) - self.accuracy(&none)
    }

    /// The verdict; prints a line with the estimated and the true gain.
    fn verdict(&self, name: &str, seed: u64) -> Verdict {
        let context = &mut Context::new(seed, DEFAULT_MEMORY);
        let wishes = wishes();
        let Chosen { choice, baseline, candidate } = choose(&self.task, wishes, context).expect("a choice");
        let Some(candidate) = candidate else {
            println!("{name:<9} {seed:>3}  {:<16} no candidate", choice.verdict.name());
            return choice.verdict;
        };
        let gain = 100.0 * (self.accuracy(&candidate) - self.accuracy(&baseline));
        let points = |v: f64| format!("{:+.1}", 100.0 * v);
        let (value, low, high) =
            (points(choice.gain.value), points(choice.gain.low), points(choice.gain.high));
        println!(
            "{name:<9} {seed:>3}  {:<16} estimated {value:>5} ({low:>5} to {high:>5})  true {gain:>+5.1}  {}",
            choice.verdict.name(),
            candidate.name
        );
        choice.verdict
    }
}

fn accuracy(task: &Task, of: &Proposal, truth: &[usize]) -> f64 {
    let model = of.fit(task, &mut Context::default()).expect("a fit");
    let answers = model.predict(task.target().features().as_ref()).expect("its columns").answer;
    let right = answers.iter().zip(truth).filter(|(answer, truth)| **answer as usize == **truth).count();
    right as f64 / truth.len() as f64
}

#[test]
fn source_labels_that_say_nothing_are_never_transferred() {
    for seed in 0..20 {
        let mut pair = pair(SHIFTS[seed as usize % SHIFTS.len()], seed);
        let mut of = pair.task.source().labels().classes().to_vec();
        of.shuffle(&mut ChaCha8Rng::seed_from_u64(1000 + seed));
        pair.task = remade(Labels::Classes(of), pair.task.target().features().clone(), &pair.task);
        assert_ne!(pair.verdict("permuted", seed), Verdict::Transfer, "seed {seed}");
    }
}

#[test]
fn at_least_half_of_the_large_known_gains_are_transferred() {
    let (mut found, mut transferred, mut seed) = (0, 0, 0);
    while found < 20 {
        let shift = if seed % 2 == 0 { Shift::Offset } else { Shift::Scale };
        let pair = pair(shift, seed);
        if pair.known_gain() >= 0.1 {
            found += 1;
            transferred += usize::from(pair.verdict(&format!("{shift:?}"), seed) == Verdict::Transfer);
        }
        seed += 1;
    }
    println!("{transferred} of {found} known gains of ten points and more are transferred");
    assert!(transferred >= 10);
}

#[test]
fn where_nothing_can_be_gained_transfer_is_hardly_ever_claimed() {
    let shifts = [Shift::None, Shift::Shares, Shift::Region];
    let claims = |seed: &u64| {
        let shift = shifts[*seed as usize % shifts.len()];
        pair(shift, *seed).verdict(&format!("{shift:?}"), *seed) == Verdict::Transfer
    };
    let claimed = (0..12).filter(claims).count();
    assert!(claimed <= 1, "{claimed} of 12");
}

/// Rows whose rule is the same everywhere, `a` up to 2 in the first column, where the target's rows lie `by` higher;
/// so many of the target's are labelled.
fn moved(by: f64, labelled: usize, seed: u64) -> Pair {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let mut drawn = |n: usize, by: f64| {
        let x = Matrix::from_fn(n, 2, |_, j| {
            if j == 0 { rng.random_range(0.0..4.0) + by } else { rng.random_range(-2.0..2.0) }
        });
        let of: Vec<usize> = (0..n).map(|i| usize::from(x[(i, 0)] > 2.0)).collect();
        (x, of)
    };
    let ((source, y), (target, truth)) = (drawn(300, 0.0), drawn(ROWS, by));
    with_labels(source, y, target, truth, labelled, &["a", "b"])
}

/// Ten classes that lie close to each other in many columns, each offset in the target, of which so many rows are labelled.
fn offset(labelled: usize, seed: u64) -> Pair {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let (classes, columns) = (10, 20);
    let centres = Matrix::from_fn(classes, columns, |_, _| rng.random_range(-1.5..1.5));
    let offsets: Vec<f64> = (0..columns).map(|_| rng.random_range(-3.0..3.0)).collect();
    let mut drawn = |n: usize, moved: f64| {
        let of: Vec<usize> = (0..n).map(|_| rng.random_range(0..classes)).collect();
        let noise = |rng: &mut ChaCha8Rng| (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
        let x = Matrix::from_fn(n, columns, |i, j| centres[(of[i], j)] + noise(rng) + moved * offsets[j]);
        (x, of)
    };
    let ((source, y), (target, truth)) = (drawn(400, 0.0), drawn(300, 1.0));
    let names: Vec<String> = (0..classes).map(|class| format!("class {class}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    with_labels(source, y, target, truth, labelled, &names)
}

/// A task of which the first target rows are labelled.
fn with_labels(
    source: Matrix,
    y: Vec<usize>,
    target: Matrix,
    truth: Vec<usize>,
    labelled: usize,
    classes: &[&str],
) -> Pair {
    let goal = Goal::Classes(classes.iter().map(ToString::to_string).collect());
    let before = target.clone();
    let source = Domain::labelled("source", source, Labels::Classes(y));
    let labels = Labels::Classes(truth[..labelled].to_vec());
    let target = Domain::partly_labelled("target", target, (0..labelled).collect(), labels);
    Pair { task: Task::new(vec![source], target, goal).expect("a task"), truth, before }
}

impl Pair {
    /// The choice, its verdict, and the accuracy of what is written.
    fn written(&self, seed: u64) -> (Chosen, f64) {
        let context = &mut Context::new(seed, DEFAULT_MEMORY);
        let wishes = wishes();
        let chosen = choose(&self.task, wishes, context).expect("a choice");
        let transferred = chosen.candidate.as_ref().filter(|_| chosen.choice.verdict == Verdict::Transfer);
        let accuracy = self.accuracy(transferred.unwrap_or(&chosen.baseline));
        println!("{seed} {:?} {:?} {accuracy:.3}", chosen.choice.verdict, chosen.choice.gain);
        (chosen, accuracy)
    }
}

#[test]
fn rows_that_moved_under_an_unchanged_rule_are_not_taken_for_units_that_moved() {
    for seed in 0..3 {
        let (chosen, _) = moved(1.5, 0, seed).written(seed);
        assert_ne!(chosen.choice.verdict, Verdict::Transfer, "without labels");
        let (chosen, accuracy) = moved(1.5, 60, seed).written(seed);
        assert!(accuracy > 0.93, "{accuracy}");
        assert_eq!(chosen.choice.rows, (0, 60));
        let labels = &chosen.choice.assumptions[0];
        assert!(labels.holds && labels.about.contains("5-fold"), "{labels:?}");
    }
}

#[test]
fn labels_show_a_gain_over_them_alone_and_over_the_source_alone() {
    let transferred = (0..3).filter(|&seed| {
        let (chosen, accuracy) = offset(60, seed).written(seed);
        accuracy > 0.8 && chosen.choice.verdict == Verdict::Transfer
    });
    assert!(transferred.count() >= 2);
}

#[test]
fn labels_outvote_a_source_that_says_nothing() {
    let mut pair = offset(150, 7);
    let mut of = pair.task.source().labels().classes().to_vec();
    of.shuffle(&mut ChaCha8Rng::seed_from_u64(7));
    let source = Domain::labelled("source", pair.task.source().features().clone(), Labels::Classes(of));
    pair.task =
        Task::new(vec![source], pair.task.target().clone(), pair.task.goal().clone()).expect("a task");
    let (_, accuracy) = pair.written(7);
    assert!(accuracy > 0.6, "{accuracy}");
}

#[test]
fn fewer_than_ten_labels_do_not_judge() {
    let context = &mut Context::new(1, DEFAULT_MEMORY);
    let wishes = wishes();
    let chosen = choose(&moved(0.0, 9, 1).task, wishes, context).expect("a choice");
    assert_ne!(chosen.choice.rows.0, 0);
    let told = context.notices().iter().any(|notice| notice.text.starts_with("9 labelled target rows"));
    assert!(told, "{:?}", context.notices());
}

#[test]
fn a_single_model_is_written_where_one_is_asked_for() {
    for (row, labelled) in VALIDATORS.iter().map(|row| (row, 0)).chain([(&VALIDATORS[0], 40)]) {
        let context = &mut Context::new(1, DEFAULT_MEMORY);
        let wishes = Wishes { single: Some(validator(row.name).expect("a validator")), ..wishes() };
        let [source, target] = [160, 120].map(|rows: usize| (0..rows).collect::<Vec<_>>());
        let task = offset(labelled, 3).task.select(&source, &target); // some of the rows: there are many validators
        let chosen = choose(&task, wishes, context).expect("a choice");
        let single = chosen.candidate.as_ref().expect("a candidate");
        assert!(single.only().is_some() && chosen.baseline.only().is_some(), "{}", row.name);
        if labelled == 0 {
            let of = format!("`{}` is best by `{}`", single.name, row.name);
            assert!(chosen.choice.reason.contains(&of), "{}", chosen.choice.reason);
        }
    }
}

#[test]
fn importance_weighted_aggregation_gives_the_vote_other_weights() {
    let pair = offset(0, 3);
    let by = |weighing: Weighing| {
        let context = &mut Context::new(1, DEFAULT_MEMORY);
        let chosen = choose(&pair.task, Wishes { weighing, ..wishes() }, context).expect("a choice");
        let vote = chosen.candidate.as_ref().expect("a vote");
        let weights: Vec<f64> = vote.voters.iter().map(|voter| voter.weight).collect();
        (pair.accuracy(vote), weights, chosen.choice.reason.clone())
    };
    let (skill, aggregated) = (by(Weighing::Skill), by(Weighing::ImportanceWeighted));
    assert!(aggregated.1 != skill.1 && aggregated.1.iter().all(|weight| *weight > 0.0), "{:?}", aggregated.1);
    assert!(aggregated.2.contains("`importance-weighted-aggregation`"), "{}", aggregated.2);
    assert!(!skill.2.contains("weigh by"), "{}", skill.2);
    // Here the columns moved, which the density ratio does not undo: no gain is to be expected, and no great loss.
    assert!(aggregated.0 > skill.0 - 0.05, "{} beside {}", aggregated.0, skill.0);
}

/// A class of one row in so `many` that the target's offset hides from what is learnt from the source; so many columns are
/// `telling`.
fn rare(seed: u64, telling: usize, many: usize, labelled: usize) -> Pair {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let mut drawn = |n: usize, by: f64| {
        let of: Vec<usize> = (0..n).map(|i| usize::from(i % many == 0)).collect();
        let x = Matrix::from_fn(n, 4, |i, j| {
            let noise = (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
            noise + if j < telling { 4.0 * of[i] as f64 - by } else { 0.0 }
        });
        (x, of)
    };
    let ((source, y), (target, truth)) = (drawn(800, 0.0), drawn(600, 6.0));
    with_labels(source, y, target, truth, labelled, &["no", "yes"])
}

#[test]
fn a_rare_class_is_not_overlooked() {
    for seed in 0..3 {
        let pair = rare(seed, 2, 50, 0);
        let (chosen, _) = pair.written(seed);
        assert_eq!(chosen.choice.verdict, Verdict::Transfer, "{}", chosen.choice.reason);
        assert!(
            chosen.choice.figure == Some(Figure::Balanced) && chosen.choice.gain.value > 0.2,
            "{:?}",
            chosen.choice.gain
        );
        let candidate = chosen.candidate.as_ref().expect("a vote");
        let model = candidate.fit(&pair.task, &mut Context::default()).expect("a fit");
        let said = model.predict(pair.before.as_ref()).expect("predictions").answer;
        let found =
            said.iter().zip(&pair.truth).filter(|(said, truth)| **said == 1.0 && **truth == 1).count();
        assert!(found >= 9, "{found} of 12");
    }
}

#[test]
fn labels_of_one_class_do_not_judge() {
    let context = &mut Context::new(1, DEFAULT_MEMORY);
    let task = offset(120, 4).task;
    let features = task.target().features().clone();
    let target = Domain::partly_labelled("target", features, (0..12).collect(), Labels::Classes(vec![3; 12]));
    let task = Task::new(vec![task.source().clone()], target, task.goal().clone()).expect("a task");
    let chosen = choose(&task, wishes(), context).expect("a choice");
    assert_ne!(chosen.choice.rows.0, 0, "the votes decide");
    let told = context.notices().iter().any(|notice| notice.text.contains("bear the same label"));
    assert!(told, "{:?}", context.notices());
}

#[test]
fn accuracy_and_balanced_accuracy_decide_differently() {
    let verdict = |telling: usize, many: usize, figure: Option<Figure>| {
        let context = &mut Context::default();
        let wishes = Wishes { figure, ..wishes() };
        choose(&rare(1, telling, many, 0).task, wishes, context).expect("a choice").choice.verdict
    };
    assert_eq!(verdict(2, 50, None), Verdict::Transfer);
    assert_ne!(verdict(2, 50, Some(Figure::Accuracy)), Verdict::Transfer);
    assert_ne!(verdict(1, 6, None), Verdict::Transfer, "one row in six is not rare");
    assert_eq!(verdict(1, 6, Some(Figure::Balanced)), Verdict::Transfer);
}

#[test]
fn labelled_rows_judge_by_the_figure_that_is_asked_for() {
    let pair = rare(2, 2, 6, 80);
    for figure in [Figure::Accuracy, Figure::Balanced, Figure::F1, Figure::Auc] {
        let context = &mut Context::default();
        let wishes = Wishes { figure: Some(figure), ..wishes() };
        let choice = choose(&pair.task, wishes, context).expect("a choice").choice;
        let told = choice.figure.unwrap_or(Figure::Accuracy);
        assert_eq!(told, figure);
        assert!(choice.assumptions[0].about.ends_with(figure.title()), "{:?}", choice.assumptions);
        let scores: Vec<f64> =
            choice.candidates.iter().filter_map(|one| one.score).map(|one| one.value).collect();
        assert!(scores.len() > 10 && scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
        assert!(scores[0] > 0.9 && scores.iter().all(|score| (0.0..=1.0).contains(score)), "{scores:?}");
        assert!(choice.gain.low <= choice.gain.value && choice.gain.value <= choice.gain.high);
    }
}

#[test]
fn what_is_not_begun_in_time_is_left_out_and_named() {
    for labelled in [0, 40] {
        let pair = offset(labelled, 3);
        let chosen = |limit: Option<Duration>| {
            let context = &mut Context::default();
            let wishes = Wishes { budget: limit.map(Budget::begin), ..wishes() };
            let chosen = choose(&pair.task, wishes, context).expect("a choice");
            let said: Vec<String> = context.notices().iter().map(|one| one.text.clone()).collect();
            (chosen, said.join("; "))
        };
        let (none, said) = chosen(Some(Duration::ZERO));
        assert_eq!(none.choice.verdict, Verdict::CannotTell);
        assert!(none.choice.reason.contains("the budget of 0 s was spent"), "{}", none.choice.reason);
        assert!(said.contains("candidates were begun, which do not vote: "), "{said}");
        assert!(none.candidate.is_none() && none.baseline.voters.len() > 1);
        assert!(none.baseline.fit(&pair.task, &mut Context::default()).is_ok());
        // Where the time is enough for all it changes nothing.
        let ((free, _), (bound, said)) = (chosen(None), chosen(Some(Duration::from_secs(100_000))));
        let told = |of: &Chosen| {
            let all = of.choice.candidates.iter();
            let each: Vec<_> =
                all.map(|one| (one.method.clone(), one.params.clone(), one.weight, one.gain)).collect();
            (of.choice.gain, of.choice.reason.clone(), each)
        };
        assert!(told(&free) == told(&bound) && !said.contains("budget"), "{said}");
    }
}
