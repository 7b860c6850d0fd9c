//! Several sources of which one contradicts the others.

use juyi::choice::{Chosen, Verdict, Weighing, Wishes, choose};
use juyi::context::{Context, DEFAULT_MEMORY};
use juyi::data::{Domain, Goal, Labels, Task};
use juyi::linalg::{Matrix, select_rows};
use juyi::models::Preprocess;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How a source's labels follow from its rows.
#[derive(Clone, Copy)]
enum Rule {
    Kept,
    Turned,
    Random,
}

/// A source of four columns that follows a rule, its rows moved by so much.
fn source(name: &str, rows: usize, rule: Rule, moved: f64, rng: &mut ChaCha8Rng) -> Domain {
    let (x, of) = rows_of(rows, moved, rng);
    let label = |class: usize| match rule {
        Rule::Kept => class,
        Rule::Turned => 1 - class,
        Rule::Random => rng.random_range(0..2),
    };
    Domain::labelled(name, x, Labels::Classes(of.into_iter().map(label).collect()))
}

fn rows_of(n: usize, moved: f64, rng: &mut ChaCha8Rng) -> (Matrix, Vec<usize>) {
    let x = Matrix::from_fn(n, 4, |_, j| rng.random_range(-2.0..2.0) + if j == 3 { moved } else { 0.0 });
    let noise: Vec<f64> = (0..n).map(|_| rng.random_range(-0.5..0.5)).collect();
    let of = (0..n).map(|i| usize::from(x[(i, 0)] + x[(i, 1)] + noise[i] > 0.0)).collect();
    (x, of)
}

/// The choice on a task of these sources with so many labelled target rows, and the accuracy of what is written.
fn chosen(sources: Vec<Domain>, labelled: usize, rng: &mut ChaCha8Rng) -> (Chosen, f64) {
    let goal = Goal::Classes(vec!["a".into(), "b".into()]);
    let (x, truth) = rows_of(300, 0.0, rng);
    let labels = Labels::Classes(truth[..labelled].to_vec());
    let target = Domain::partly_labelled("new", x.clone(), (0..labelled).collect(), labels);
    let task = Task::new(sources, target, goal).expect("a task");
    let context = &mut Context::new(1, DEFAULT_MEMORY);
    let wishes = Wishes {
        steps: &[Preprocess::Standardize],
        learner: None,
        only: None,
        assume: None,
        figure: None,
        budget: None,
        single: None,
        given: None,
        weighing: Weighing::default(),
    };
    let chosen = choose(&task, wishes, context).expect("a choice");
    let written = match &chosen.candidate {
        Some(candidate) if chosen.choice.verdict == Verdict::Transfer => candidate,
        _ => &chosen.baseline,
    };
    let kept: Vec<usize> = task
        .parts()
        .iter()
        .zip(&chosen.choice.sources)
        .filter(|(_, source)| source.left_out.is_none())
        .flat_map(|((_, range), _)| range.clone())
        .collect();
    let task = task.select(&kept, &(0..300).collect::<Vec<_>>());
    let model = written.fit(&task, context).expect("a fit");
    let said = model.predict(x.as_ref()).expect("predictions").answer;
    let right = said.iter().zip(&truth).filter(|(said, truth)| **said == **truth as f64).count();
    (chosen, right as f64 / 300.0)
}

/// Why each source is left out, and what each contradicts.
fn found(of: &Chosen) -> Vec<(bool, usize)> {
    of.choice.sources.iter().map(|one| (one.left_out.is_some(), one.contradicts.len())).collect()
}

#[test]
fn a_source_whose_labels_say_nothing_is_named_and_left_out() {
    for seed in 0..4 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let good = source("good", 300, Rule::Kept, 0.0, rng);
        let bad = source("bad", 900, Rule::Random, 0.0, rng);
        let (of, accuracy) = chosen(vec![good, bad], 0, rng);
        assert_eq!(found(&of), [(false, 1), (true, 1)]);
        assert!(accuracy > 0.85, "{accuracy}");
        let why = of.choice.sources[1].left_out.as_ref().expect("a reason");
        assert!(why.starts_with("it contradicts `good`, and its own rows"), "{why}");
    }
}

#[test]
fn labelled_target_rows_tell_which_of_two_rules_holds_and_without_them_nothing_does() {
    for seed in 0..3 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let pair = |rng: &mut ChaCha8Rng| {
            vec![source("good", 300, Rule::Kept, 0.0, rng), source("bad", 900, Rule::Turned, 0.0, rng)]
        };
        let (of, accuracy) = chosen(pair(rng), 40, rng);
        assert_eq!(found(&of), [(false, 1), (true, 1)]);
        assert!(accuracy > 0.85, "{accuracy}");
        let (of, _) = chosen(pair(rng), 0, rng);
        assert_eq!(of.choice.verdict, Verdict::CannotTell);
        assert_eq!(found(&of), [(false, 1), (true, 1)], "the first stays");
        assert!(of.choice.reason.contains("contradict each other"), "{}", of.choice.reason);
    }
}

#[test]
fn of_three_the_odd_one_is_left_out_and_rows_elsewhere_contradict_nothing() {
    let rng = &mut ChaCha8Rng::seed_from_u64(5);
    let three = vec![
        source("one", 200, Rule::Kept, 0.0, rng),
        source("odd", 600, Rule::Turned, 0.0, rng),
        source("two", 40, Rule::Kept, 0.0, rng),
        source("elsewhere", 200, Rule::Turned, 40.0, rng),
    ];
    let (of, accuracy) = chosen(three, 0, rng);
    let out: Vec<bool> = found(&of).into_iter().map(|(out, _)| out).collect();
    assert_eq!(out, [false, true, false, false], "{:?}", of.choice.sources);
    assert!(accuracy > 0.8, "{accuracy}");
    let changes = of.choice.sources[0].changes.expect("it was left out once");
    assert!((0.0..=1.0).contains(&changes));
}

#[test]
fn a_source_of_one_label_is_left_out_where_others_say_otherwise() {
    let rng = &mut ChaCha8Rng::seed_from_u64(8);
    let good = source("good", 100, Rule::Kept, 0.0, rng);
    let (x, _) = rows_of(300, 0.0, rng);
    let one = Domain::labelled("one", x, Labels::Classes(vec![0; 300]));
    let (of, accuracy) = chosen(vec![one, good], 0, rng);
    assert_eq!(found(&of), [(true, 1), (false, 1)]);
    assert!(accuracy > 0.8, "{accuracy}");
    // All of one class, and rightly so.
    let (x, of) = rows_of(300, 0.0, rng);
    let rows: Vec<usize> = (0..300).filter(|&row| of[row] == 0).collect();
    let right =
        Domain::labelled("right", select_rows(x.as_ref(), &rows), Labels::Classes(vec![0; rows.len()]));
    let good = source("good", 200, Rule::Kept, 0.0, rng);
    let (of, _) = chosen(vec![right, good], 0, rng);
    assert_eq!(found(&of), [(false, 0), (false, 0)]);
}

#[test]
fn sources_of_overlapping_classes_do_not_contradict_each_other() {
    let goal = Goal::Classes(["a", "b", "c"].map(String::from).to_vec());
    let rng = &mut ChaCha8Rng::seed_from_u64(9);
    let mut drawn = |n: usize, among: [usize; 2]| {
        let of: Vec<usize> = (0..n).map(|i| among[i % 2]).collect();
        let x =
            Matrix::from_fn(n, 3, |i, j| rng.random_range(-1.5..1.5) + if j == of[i] { 2.0 } else { 0.0 });
        (x, Labels::Classes(of))
    };
    let (x, of) = drawn(150, [0, 1]);
    let (y, by) = drawn(150, [1, 2]);
    let sources = vec![Domain::labelled("ab", x, of), Domain::labelled("bc", y, by)];
    let target = Domain::unlabelled("new", drawn(120, [0, 2]).0, &goal);
    let task = Task::new(sources, target, goal).expect("a task");
    let wishes = Wishes {
        steps: &[Preprocess::Standardize],
        learner: None,
        only: None,
        assume: None,
        figure: None,
        budget: None,
        single: None,
        given: None,
        weighing: Weighing::default(),
    };
    let chosen = choose(&task, wishes, &mut Context::new(1, DEFAULT_MEMORY)).expect("a choice");
    assert_eq!(found(&chosen), [(false, 0), (false, 0)], "{:?}", chosen.choice.sources);
}
