//! Laws of measures that hold on average, over many draws, and their times for many rows: minutes, 2 GB. It prints a line a
//! measure and ends at the first that does not hold.
//!
//! `cargo run --release -p juyi --example laws_of_measures`

#![expect(clippy::print_stdout, reason = "the figures are what is to be seen")]

use std::time::Instant;

use juyi::context::Context;
use juyi::data::{Goal, Labels};
use juyi::linalg::Matrix;
use juyi::measures::{Distance, DomainLabels, DomainMeasure, Domains, LabelsNeeded, measure_with};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use serde_json::json;

const DRAWS: u64 = 500;

/// Standard normal rows, times `scale` and moved along the first column.
fn normal(n: usize, d: usize, moved: f64, scale: f64, rng: &mut ChaCha8Rng) -> Matrix {
    Matrix::from_fn(n, d, |_, j| {
        let drawn: f64 = StandardNormal.sample(rng);
        scale * drawn + if j == 0 { moved } else { 0.0 }
    })
}

fn made(name: &str, params: &serde_json::Value) -> Box<dyn DomainMeasure> {
    measure_with(name, params.as_object().expect("parameters")).expect("a measure")
}

/// Measures rows whose class is whether their second column is above 0, with 1 of 10 wrong.
fn found(measure: &dyn DomainMeasure, x: &Matrix, y: &Matrix, seed: u64) -> Vec<Distance> {
    let goal = Goal::Classes(["a", "b"].map(str::to_string).to_vec());
    let mut rng = ChaCha8Rng::seed_from_u64(1_000_000 + seed);
    let mut labels = |rows: &Matrix| {
        let side = |i: usize| rows[(i, rows.ncols() - 1)] > 0.0;
        Labels::Classes((0..rows.nrows()).map(|i| usize::from(side(i) != rng.random_bool(0.1))).collect())
    };
    let (source, target) = (labels(x), labels(y));
    let all: Vec<usize> = (0..y.nrows()).collect();
    let known = DomainLabels { goal: &goal, source: &source, target: (&all, &target) };
    let labels = (measure.row().labels != LabelsNeeded::None).then_some(known);
    let context = &mut Context::new(seed, 4 << 30);
    let mut rng = context.rng("measures");
    measure.between(&Domains { source: x, target: y, labels }, &mut rng, context).expect("distances")
}

/// P-values of equal distributions are spread evenly from 0 to 1: no more than a tenth off, which chance exceeds once in
/// 10,000 times, where they are fine enough; and none is below 0.05 more often than 0.08.
fn p_values_are_uniform_without_a_shift() {
    let kernel = json!({"permutations": 99});
    for (name, params, n) in [
        ("mmd", &kernel, 60),
        ("multi-kernel-mmd", &kernel, 60),
        ("linear-time-mmd", &json!({}), 400),
        ("random-features-mmd", &json!({"permutations": 99, "frequencies": 32}), 200),
        ("energy-distance", &kernel, 60),
        ("kullback-leibler", &kernel, 60),
        ("jensen-shannon", &kernel, 60),
        ("wasserstein", &kernel, 30),
        ("sliced-wasserstein", &json!({"permutations": 63, "directions": 10}), 60),
        ("bures-wasserstein", &kernel, 100),
        ("sinkhorn-divergence", &kernel, 20),
        ("coral-distance", &kernel, 200),
        ("linear-discrepancy", &kernel, 100),
        ("label-shift", &json!({}), 400),
        ("conditional-discrepancy", &kernel, 60),
        ("loss-split", &json!({}), 400),
    ] {
        let p_value = |seed: u64| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let (x, y) = (normal(n, 3, 0.0, 1.0, &mut rng), normal(n, 3, 0.0, 1.0, &mut rng));
            found(&*made(name, params), &x, &y, seed)[0].p_value.expect("a p-value")
        };
        let start = Instant::now();
        let mut p: Vec<f64> = (0..DRAWS).into_par_iter().map(p_value).collect();
        p.sort_by(f64::total_cmp);
        let (count, below) = (p.len() as f64, p.iter().filter(|p| **p < 0.05).count() as f64);
        let off = p.iter().enumerate().map(|(k, p)| (p - (k as f64 + 0.5) / count).abs()).fold(0.0, f64::max);
        let share = below / count;
        let seconds = start.elapsed().as_secs_f64();
        println!("{name}: largest difference {off:.3}, below 0.05: {share:.3}, {seconds:.0} s");
        assert!(off < 0.1 && share < 0.08, "{name}");
    }
}

/// 95 % intervals of unbiased estimates hold the true value in 93 to 97 % of draws of distributions that differ.
fn intervals_hold_the_truth() {
    let (moved, width) = (1.0, 1.5);
    // Of normal rows in `d` columns, `E k` for deviations `s` and `t` and means so far apart.
    let kernel = |width: f64, d: i32, apart: f64| {
        let square = width * width;
        (square / (square + 2.0)).powf(0.5 * f64::from(d)) * (-0.5 * apart * apart / (square + 2.0)).exp()
    };
    let mmd = |width: f64, d: i32| 2.0 * kernel(width, d, 0.0) - 2.0 * kernel(width, d, moved);
    let several = (-2..=2).map(|u| mmd(width * 2f64.powi(u), 3)).sum::<f64>() / 5.0;
    let root = std::f64::consts::PI.sqrt();
    // E|X - Y| of a normal number of variance 2 about 1: 2 e^-¼ / √π + erf(½).
    let energy = 2.0 * (2.0 / root * (-0.25f64).exp() + 0.520_499_877_813_046_5) - 4.0 / root;
    for (name, params, which, (n, d, scale), truth) in [
        ("mmd", json!({"permutations": 1, "bandwidth": width}), 0, (150, 3, 1.0), mmd(width, 3)),
        ("multi-kernel-mmd", json!({"permutations": 1, "bandwidth": width}), 0, (150, 3, 1.0), several),
        ("linear-time-mmd", json!({"bandwidth": width}), 0, (1000, 3, 1.0), mmd(width, 3)),
        (
            "random-features-mmd",
            json!({"permutations": 1, "bandwidth": width, "frequencies": 256}),
            0,
            (640, 3, 1.0),
            mmd(width, 3),
        ),
        ("energy-distance", json!({"permutations": 1}), 0, (150, 1, 1.0), energy),
        ("coral-distance", json!({"permutations": 1}), 1, (640, 3, 2.0), 27.0 / 36.0),
        (
            "conditional-discrepancy",
            json!({"permutations": 1, "bandwidth": width}),
            0,
            (300, 3, 1.0),
            f64::NAN, // that of rows drawn below
        ),
    ] {
        let truth = if truth.is_nan() { of_classes(width, moved) } else { truth };
        let holds = |seed: u64| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let (x, y) = (normal(n, d, 0.0, 1.0, &mut rng), normal(n, d, moved, scale, &mut rng));
            let (low, high) =
                found(&*made(name, &params), &x, &y, seed)[which].interval.expect("an interval");
            low <= truth && truth <= high
        };
        let held = (0..DRAWS).into_par_iter().filter(|seed| holds(*seed)).count() as f64 / DRAWS as f64;
        println!("{name}: {:.1} % of intervals hold {truth:.4}", 100.0 * held);
        assert!((0.93..=0.97).contains(&held), "{name}: {held}");
    }
}

/// The value for classes of which 9 of 10 rows have the third column on their side of 0: that column is alike in both domains.
fn of_classes(width: f64, moved: f64) -> f64 {
    let square = width * width;
    let normal =
        |apart: f64| (square / (square + 2.0)).sqrt() * (-0.5 * apart * apart / (square + 2.0)).exp();
    // E k of two numbers that are normal, of which 9 of 10 are above 0, by sums over a grid.
    let step = 0.02;
    let grid: Vec<f64> = (-300..300).map(|k| (f64::from(k) + 0.5) * step).collect();
    let mass = |v: f64| {
        let share = if v > 0.0 { 1.8 } else { 0.2 };
        share * (-0.5 * v * v).exp() * step / (2.0 * std::f64::consts::PI).sqrt()
    };
    let last: f64 = grid
        .iter()
        .map(|a| {
            grid.iter().map(|b| mass(*a) * mass(*b) * (-0.5 * (a - b).powi(2) / square).exp()).sum::<f64>()
        })
        .sum();
    2.0 * normal(0.0) * last * (normal(0.0) - normal(moved))
}

/// A million rows of a hundred columns on either side, each in 4 GiB; how long it takes is printed.
fn a_million_rows_are_measured() {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let (x, y) = (normal(1_000_000, 100, 0.0, 1.0, &mut rng), normal(1_000_000, 100, 0.1, 1.0, &mut rng));
    let names = [
        "linear-time-mmd",
        "random-features-mmd",
        "coral-distance",
        "sliced-wasserstein",
        "bures-wasserstein",
        "linear-discrepancy",
        "source-diversity",
    ];
    for name in names {
        let start = Instant::now();
        let context = &mut Context::default();
        context.hold(1_600_000_000);
        let mut rng = context.rng("measures");
        let measure = made(name, &json!({}));
        let found = measure.between(&Domains::unlabelled(&x, &y), &mut rng, context).expect("distances");
        let seconds = start.elapsed().as_secs_f64();
        println!("{name}: {seconds:.1} s, {} ({:?})", found[0].value, found[0].words());
    }
}

fn main() {
    p_values_are_uniform_without_a_shift();
    intervals_hold_the_truth();
    a_million_rows_are_measured();
}
