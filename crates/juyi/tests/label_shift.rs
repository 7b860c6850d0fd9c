//! Label shift by chance: rows of two or three classes are drawn alike on both sides, and only the classes' shares differ.

use juyi::context::Context;
use juyi::data::{Domain, Goal, Labels, Task};
use juyi::learners::learner;
use juyi::linalg::Matrix;
use juyi::methods::{build, fit};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ROWS: usize = 300;
const DRAWS: u64 = 50;

/// Rows of normal distributions around one centre a class, of classes with these shares, and their classes.
fn drawn(shares: &[f64], rng: &mut ChaCha8Rng) -> (Matrix, Vec<usize>) {
    let centers = [[0.0, 0.0], [2.0, 0.0], [1.0, 1.7]];
    let normal = |rng: &mut ChaCha8Rng| {
        (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt() * (rng.random::<f64>() * std::f64::consts::TAU).cos()
    };
    let class = |rng: &mut ChaCha8Rng| {
        let mut left = rng.random::<f64>() * shares.iter().sum::<f64>();
        let within = |share: &f64| {
            left -= share;
            left < 0.0
        };
        shares.iter().position(within).unwrap_or(shares.len() - 1)
    };
    let of: Vec<usize> = (0..ROWS).map(|_| class(rng)).collect();
    let rows = Matrix::from_fn(ROWS, 2, |i, j| centers[of[i]][j] + normal(rng));
    (rows, of)
}

/// For each draw how much more of the target each method gets right than the learner alone does.
fn gains(methods: &[(&str, &str)], source: &[f64], target: &[f64], with: &str) -> Vec<Vec<f64>> {
    let learner = learner(with).expect("it is listed");
    let mut gains = vec![Vec::new(); methods.len()];
    for seed in 0..DRAWS {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let names = ["a", "b", "c"].iter().take(source.len()).map(ToString::to_string).collect();
        let goal = Goal::Classes(names);
        let (x_s, y_s) = drawn(source, rng);
        let (x_t, y_t) = drawn(target, rng);
        let old = Domain::labelled("old", x_s, Labels::Classes(y_s));
        let task = Task::new(vec![old], Domain::unlabelled("new", x_t, &goal), goal).expect("a task");
        let right = |name: &str, params: &str| {
            let params: serde_json::Value = serde_json::from_str(params).expect("parameters");
            let built = build(name, params.as_object().expect("an object")).expect("it is listed");
            let context = &mut Context::default();
            let model = fit(&built, &task, learner.as_ref(), Vec::new(), context).expect("a fit");
            let said = model.predict(task.target().features().as_ref()).expect("its columns").answer;
            let right = said.iter().zip(&y_t).filter(|(said, class)| **said == **class as f64).count();
            right as f64 / ROWS as f64
        };
        let plain = right("none", "{}");
        for ((name, params), gains) in methods.iter().zip(&mut gains) {
            gains.push(right(name, params) - plain);
        }
    }
    gains
}

const METHODS: [(&str, &str); 5] = [
    ("black-box-shift", "{}"),
    ("black-box-shift", r#"{"soft": true}"#),
    ("regularized-label-shift", "{}"),
    ("prior-correction", "{}"),
    ("prior-correction", r#"{"calibrate": false}"#),
];

fn check(shares: [&[f64]; 2], with: &str, methods: &[(&str, &str)], least: f64) {
    let gains = gains(methods, shares[0], shares[1], with);
    for ((name, params), gains) in methods.iter().zip(gains) {
        let mean = gains.iter().sum::<f64>() / gains.len() as f64;
        let better = gains.iter().filter(|gain| **gain > 0.0).count();
        assert!(mean > least && better >= 40, "{name} {params} with {with}: {mean:.4}, {better} of {DRAWS}");
    }
}

#[test]
fn shares_that_moved_are_found_and_made_up_for() {
    check([&[5.0, 1.0], &[1.0, 1.0]], "logistic", &METHODS, 0.03);
    check([&[5.0, 1.0, 1.0], &[1.0, 1.0, 1.0]], "logistic", &METHODS, 0.03);
}

/// Forms that are trained again, and scores that are no probabilities.
#[test]
fn other_learners_gain_too() {
    check([&[5.0, 1.0], &[1.0, 1.0]], "svm", &[METHODS[0], METHODS[2], METHODS[3]], 0.03);
    check([&[5.0, 1.0], &[1.0, 1.0]], "random-forest", &[METHODS[0], METHODS[3]], 0.02);
}
