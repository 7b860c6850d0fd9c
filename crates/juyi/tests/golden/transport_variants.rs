//! Transport with labelled target rows, class penalties, a Laplacian, masses that need not be met, and labels that
//! travel, against POT and skada.

use juyi::context::Context;
use juyi::data::{Domain, Goal, Labels, Task};
use juyi::learners::learner;
use juyi::linalg::{Matrix, multiply};
use juyi::methods::Method;
use juyi::methods::transport::{
    ClassTransport, Form, Jdot, LaplaceTransport, LinearTransport, Penalty, Similarity, TransportedLabels,
    UnbalancedTransport,
};
use juyi::models::predict;
use juyi::solvers::{EntropicPlan, EntropicTransport, KnownClasses, PairCosts, Transported};
use serde_json::Value;

use super::{cases, classes, distance, matrix, numbers};

fn of_kind(kind: &str) -> Vec<Value> {
    let all = [cases("transport_variants"), cases("transport_classes")].concat();
    let found: Vec<Value> = all.into_iter().filter(|case| case["kind"] == kind).collect();
    assert!(!found.is_empty(), "{kind}");
    found
}

fn number(case: &Value, name: &str) -> f64 {
    case[name].as_f64().expect("a number")
}

/// The rows of a case and what is known of their classes.
struct Rows {
    source: Matrix,
    target: Matrix,
    of_source: Vec<usize>,
    of_target: Vec<(usize, usize)>,
}

impl Rows {
    fn of(case: &Value) -> Self {
        let known = numbers(&case["y_target"]).into_iter().enumerate().filter(|(_, class)| *class >= 0.0);
        Self {
            source: matrix(&case["x_source"]),
            target: matrix(&case["x_target"]),
            of_source: classes(&case["y_source"]),
            of_target: known.map(|(j, class)| (j, class as usize)).collect(),
        }
    }

    fn costs(&self) -> PairCosts<'_> {
        let known = KnownClasses { source: &self.of_source, target: self.of_target.clone() };
        PairCosts::new(self.source.as_ref(), self.target.as_ref()).barring(Some(known))
    }
}

/// The plan that the potentials stand for.
fn dense(found: &EntropicPlan, costs: &PairCosts<'_>) -> Matrix {
    let (block, n, m) = (costs.block(0), costs.sources(), costs.target().nrows());
    Matrix::from_fn(n, m, |i, j| {
        let gain = found.source_potentials[i] + found.target_potentials[j] - block[(j, i)];
        (gain / found.entropy).exp() / (n * m) as f64
    })
}

fn masses_are_met(plan: &Matrix, tolerance: f64) {
    let (n, m) = plan.shape();
    for i in 0..n {
        assert!((plan.row(i).iter().sum::<f64>() - 1.0 / n as f64).abs() < 1e-12, "row {i}");
    }
    for j in 0..m {
        assert!((plan.col(j).iter().sum::<f64>() - 1.0 / m as f64).abs() < tolerance, "column {j}");
    }
}

fn compare(what: &str, case: &Value, plan: &Matrix, images: &Matrix) {
    let off = distance(plan, &matrix(&case["expected"]["plan"]));
    assert!(off < 1e-9, "{what}: the plans differ by {off:e}");
    let off_images = distance(images, &matrix(&case["expected"]["mapped"]));
    assert!(off_images < 1e-7, "{what}: the maps differ by {off_images:e}");
}

#[test]
fn linear_maps() {
    for case in of_kind("linear") {
        let (source, target) = (matrix(&case["x_source"]), matrix(&case["x_target"]));
        let method = LinearTransport { regularization: number(&case, "regularization") };
        let map = method.map(source.as_ref(), target.as_ref()).expect("a map");
        for (rows, expected) in [("x_source", "mapped"), ("x_new", "mapped_new")] {
            let off =
                distance(&map.apply(matrix(&case[rows]).as_ref()), &matrix(&case["expected"][expected]));
            assert!(off < 1e-8, "linear: {off:e}");
        }
    }
}

#[test]
fn labelled_target_rows() {
    for case in of_kind("labelled") {
        let (rows, entropy) = (Rows::of(&case), number(&case, "entropy"));
        let costs = rows.costs();
        if entropy == 0.0 {
            let found = costs.exact_plan(true, None).expect("a plan");
            let mut plan = Matrix::zeros(rows.source.nrows(), rows.target.nrows());
            found.flows.iter().for_each(|&(i, j, mass)| plan[(i as usize, j as usize)] = mass);
            masses_are_met(&plan, 1e-12);
            compare("exact", &case, &plan, &found.images(rows.source.nrows(), rows.target.as_ref()));
        } else {
            let problem = EntropicTransport {
                costs: &costs,
                entropy,
                relaxation: None,
                tolerance: 1e-13,
                iterations: 100_000,
                hold: true,
                start: None,
                sends: None,
            };
            let found = problem.solve().expect("a plan");
            let plan = dense(&found, &costs);
            masses_are_met(&plan, 1e-12);
            compare("sinkhorn", &case, &plan, &found.images);
        }
    }
}

#[test]
fn class_penalties() {
    for (kind, penalty) in [("group-lasso", Penalty::GroupLasso), ("lp-l1", Penalty::LpL1)] {
        for case in of_kind(kind) {
            let rows = Rows::of(&case);
            let (entropy, strength) = (number(&case, "entropy"), number(&case, "strength"));
            let rounds = case["rounds"].as_u64().unwrap_or(1) as usize;
            let (tolerance, iterations) = (1e-11, 100_000);
            let method = ClassTransport { penalty, entropy, strength, rounds, tolerance, iterations };
            let context = &mut Context::default();
            let mut costs = rows.costs();
            let (plan, images) = if penalty == Penalty::GroupLasso {
                let found = method.group_lasso(&costs, &rows.of_source, context).expect("a plan");
                (found.plan.transpose().to_owned(), found.images)
            } else {
                let found = method.lp_l1(&mut costs, &rows.of_source, context).expect("a plan");
                (dense(&found, &costs), found.images)
            };
            assert!(context.notices().is_empty(), "{:?}", context.notices());
            masses_are_met(&plan, 1e-11);
            compare(kind, &case, &plan, &images);
        }
    }
}

#[test]
fn masses_that_need_not_be_met() {
    for case in of_kind("unbalanced") {
        let rows = Rows::of(&case);
        let (entropy, relaxation) = (number(&case, "entropy"), number(&case, "relaxation"));
        let method = UnbalancedTransport { entropy, relaxation, tolerance: 1e-12, iterations: 100_000 };
        let (costs, context) = (rows.costs(), &mut Context::default());
        let found = method.plan(&costs, context).expect("a plan");
        assert!(context.notices().is_empty(), "{:?}", context.notices());
        let plan = dense(&found, &costs);
        compare("unbalanced", &case, &plan, &found.images);
        for (i, sent) in found.sent.iter().enumerate() {
            assert!((plan.row(i).iter().sum::<f64>() - sent).abs() < 1e-12);
        }
    }
}

#[test]
fn neighbours_that_stay_together() {
    for case in of_kind("laplace") {
        let (source, target) = (matrix(&case["x_source"]), matrix(&case["x_target"]));
        let parameter = number(&case, "parameter");
        let nearest = case["similarity"] == "knn";
        let method = LaplaceTransport {
            strength: number(&case, "strength"),
            source_share: number(&case, "source_share"),
            similarity: if nearest { Similarity::Nearest } else { Similarity::Gaussian },
            neighbors: if nearest { parameter as usize } else { 1 },
            bandwidth: (!nearest).then_some(parameter),
            tolerance: 0.0,
            iterations: number(&case, "steps") as usize,
        };
        let costs = PairCosts::new(source.as_ref(), target.as_ref());
        let found = method.plan(costs, &mut Context::default()).expect("a plan");
        let off = distance(&found.images, &matrix(&case["expected"]["mapped"]));
        let off_origins = distance(&found.origins, &matrix(&case["expected"]["received"]));
        assert!(off < 1e-9 && off_origins < 1e-9, "{off:e} {off_origins:e} after {}", found.iterations);
    }
}

#[test]
fn labels_that_travel() {
    for case in of_kind("transported-labels") {
        let (source, target) = (matrix(&case["x_source"]), matrix(&case["x_target"]));
        let entropy = number(&case, "entropy");
        let method = TransportedLabels { entropy, tolerance: 1e-13, iterations: 100_000 };
        let names = ["a", "b", "c"].map(str::to_string).to_vec();
        let given = [
            (Goal::Classes(names), Labels::Classes(classes(&case["y_source"]))),
            (Goal::Value, Labels::Values(numbers(&case["values"]))),
        ];
        for (goal, labels) in given {
            let task = Task::new(
                vec![Domain::labelled("s", source.clone(), labels)],
                Domain::unlabelled("t", target.clone(), &goal),
                goal.clone(),
            );
            let found =
                method.received(&task.expect("a task"), &mut Context::default()).expect("what is received");
            let expected = if goal == Goal::Value {
                let means = numbers(&case["expected"]["means"]);
                Matrix::from_fn(means.len(), 1, |j, _| means[j])
            } else {
                matrix(&case["expected"]["shares"])
            };
            let off = distance(&found, &expected);
            assert!(off < 1e-9, "{off:e}");
        }
    }
}

#[test]
fn plans_and_predictors_in_turns() {
    for case in of_kind("jdot") {
        let bandwidth = case["bandwidth"].as_f64();
        let jdot = Jdot {
            loss_share: number(&case, "loss_share"),
            form: if bandwidth.is_some() { Form::Gaussian } else { Form::Linear },
            penalty: number(&case, "penalty"),
            bandwidth,
            tolerance: 0.0,
            iterations: number(&case, "rounds") as usize,
        };
        let (goal, labels) = if case["goal"] == "value" {
            (Goal::Value, Labels::Values(numbers(&case["values"])))
        } else {
            let names = ["a", "b", "c"].map(str::to_string).to_vec();
            (Goal::Classes(names), Labels::Classes(classes(&case["y_source"])))
        };
        let source = Domain::labelled("s", matrix(&case["x_source"]), labels);
        let target = Domain::unlabelled("t", matrix(&case["x_target"]), &goal);
        let task = Task::new(vec![source], target, goal).expect("a task");
        let context = &mut Context::default();
        let cost = jdot.rounds(&task, context).expect("a fit").cost;
        let off_cost = (cost - number(&case["expected"], "cost")).abs();
        let learner = learner("ridge").expect("it is listed");
        let fitted = Method::fit(&jdot, &task, learner.as_ref(), context).expect("a fit");
        let said = predict(&fitted.maps, &fitted.trained.predictor, matrix(&case["x_new"]).as_ref());
        let scores =
            said.scores.unwrap_or_else(|| Matrix::from_fn(said.answer.len(), 1, |i, _| said.answer[i]));
        let off = distance(&scores, &matrix(&case["expected"]["said"]));
        assert!(off < 1e-8 && off_cost < 1e-9, "{off:e} {off_cost:e}");
    }
}

/// Rows that were not there at the fit move with the nearest that was, whatever the plan.
#[test]
fn new_source_rows() {
    for case in of_kind("unbalanced") {
        let rows = Rows::of(&case);
        let found =
            UnbalancedTransport::default().plan(&rows.costs(), &mut Context::default()).expect("a plan");
        let moved = Transported { rows: rows.source.clone(), images: found.images };
        assert!(distance(&moved.map(rows.source.as_ref()), &moved.images) < 1e-12);
        let near = Matrix::from_fn(1, rows.source.ncols(), |_, k| rows.source[(4, k)] + 1e-6);
        let new = moved.map(near.as_ref());
        for k in 0..new.ncols() {
            assert!((new[(0, k)] - moved.images[(4, k)] - 1e-6).abs() < 1e-12);
        }
    }
}

/// The group lasso's plan is a plan: what it moves goes to the means of the target.
#[test]
fn the_mean_of_the_images_is_the_mean_of_the_target() {
    let case = &of_kind("group-lasso")[1];
    let rows = Rows::of(case);
    let method =
        ClassTransport { strength: 3.0, tolerance: 1e-11, iterations: 10_000, ..ClassTransport::default() };
    let found = method.group_lasso(&rows.costs(), &rows.of_source, &mut Context::default()).expect("a plan");
    let mean = |x: &Matrix| {
        let share = Matrix::from_fn(1, x.nrows(), |_, _| 1.0 / x.nrows() as f64);
        multiply(share.as_ref(), x.as_ref())
    };
    assert!(distance(&mean(&found.images), &mean(&rows.target)) < 1e-9);
}
