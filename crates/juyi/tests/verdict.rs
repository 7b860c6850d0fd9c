//! The guard on pairs of tables whose answer is known: it never says `transfer` where the source's labels say nothing,
//! and mostly does where a shift is known to cost the baseline at least ten points.

use juyi::choice::{Chosen, Verdict, choose};
use juyi::context::{Context, DEFAULT_MEMORY};
use juyi::data::{Domain, Goal, Labels, Task};
use juyi::linalg::{Matrix, multiply};
use juyi::methods::fit;
use juyi::models::{Preprocess, predict, preprocess};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CLASSES: usize = 3;
const COLUMNS: usize = 6;

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

#[derive(Debug, Clone, Copy, PartialEq)]
enum Shift {
    None,
    Offset,
    Scale,
    Mixing,
    Shares,
    Region,
}

fn pair(shift: Shift, seed: u64) -> (Task, Vec<usize>) {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let even = [1.0 / 3.0; 3];
    let (source, y) = rows(300, rng, even);
    let (mut target, truth) = rows(300, rng, if shift == Shift::Shares { [0.7, 0.2, 0.1] } else { even });
    let mut keep: Vec<usize> = (0..300).collect();
    match shift {
        Shift::None | Shift::Shares => {}
        Shift::Offset | Shift::Scale => {
            for j in 0..COLUMNS {
                let (by, to) = if shift == Shift::Offset {
                    (1.0, rng.random_range(-3.0..3.0))
                } else {
                    (rng.random_range(0.3f64..3.0), rng.random_range(-3.0..3.0))
                };
                target.col_mut(j).iter_mut().for_each(|v| *v = *v * by + to);
            }
        }
        Shift::Mixing => {
            let mix = Matrix::from_fn(COLUMNS, COLUMNS, |i, j| {
                f64::from(u8::from(i == j)) + rng.random_range(-0.5..0.5)
            });
            target = multiply(target.as_ref(), mix.as_ref());
        }
        Shift::Region => keep.retain(|&i| target[(i, 0)] + target[(i, 1)] > 1.0),
    }
    let names = Goal::Classes(vec!["a".into(), "b".into(), "c".into()]);
    let target = juyi::linalg::select_rows(target.as_ref(), &keep);
    let truth = keep.iter().map(|&i| truth[i]).collect();
    let source = Domain::labelled("source", source, Labels::Classes(y));
    let target = Domain::unlabelled("target", target, &names);
    (Task::new(vec![source], target, names).expect("a task"), truth)
}

fn run(task: &Task, seed: u64) -> Chosen {
    let context = &mut Context::new(seed, DEFAULT_MEMORY);
    choose(task, &[Preprocess::Standardize], None, None, context).expect("a choice")
}

fn accuracy(task: &Task, of: &juyi::choice::Configuration, truth: &[usize]) -> f64 {
    let context = &mut Context::default();
    let (task, _) = preprocess(task.clone(), &of.steps, context);
    let model = fit(&of.built, &task, of.learner.as_ref(), Vec::new(), context).expect("a fit");
    let answers = predict(&model.maps, &model.predictor, task.target.features.as_ref()).answer;
    let right = answers.iter().zip(truth).filter(|(a, t)| **a as usize == **t).count();
    right as f64 / truth.len() as f64
}

fn show(name: &str, task: &Task, truth: &[usize], seed: u64) -> Verdict {
    let chosen = run(task, seed);
    let (a, b) = (accuracy(task, &chosen.candidate, truth), accuracy(task, &chosen.baseline, truth));
    let c = &chosen.choice;
    let remains: Vec<String> =
        c.assumptions.iter().map(|a| format!("{:.4}{}", a.remains, if a.holds { "*" } else { "" })).collect();
    println!(
        "{name:<10} {seed:>3} {:<16} gain {:+.3} [{:+.3}, {:+.3}] true {:+.3} (base {b:.3}) best {} {:?} {:?} remains {} {:.1} s n={}",
        c.verdict.name(),
        c.gain.value,
        c.gain.low,
        c.gain.high,
        a - b,
        chosen.candidate.built.row.name,
        chosen.candidate.steps,
        chosen.candidate.learner.name(),
        remains.join(" "),
        c.seconds,
        c.candidates.len()
    );
    c.verdict
}

#[test]
fn explore() {
    for shift in [Shift::None, Shift::Offset, Shift::Scale, Shift::Mixing, Shift::Shares, Shift::Region] {
        for seed in 0..3 {
            let (task, truth) = pair(shift, seed);
            show(&format!("{shift:?}"), &task, &truth, seed);
        }
    }
    for seed in 0..3 {
        let (mut task, truth) = pair(Shift::Offset, seed);
        let Labels::Classes(of) = &mut task.source.labels else { panic!() };
        of.shuffle(&mut ChaCha8Rng::seed_from_u64(seed + 100));
        show("permuted", &task, &truth, seed);
    }
}
