//! Exact and Sinkhorn transport against POT.

use juyi::context::Context;
use juyi::linalg::{Matrix, squared_distance_block, squared_norms};
use juyi::methods::transport::{ExactTransport, Sinkhorn};
use juyi::solvers::{Costs, transport};
use serde_json::Value;

use super::{cases, distance, matrix, numbers};

struct Table(Vec<Vec<f64>>);

impl Costs for Table {
    fn rows(&self) -> usize {
        self.0.len()
    }

    fn columns(&self) -> usize {
        self.0[0].len()
    }

    fn row<'a>(&'a self, i: usize, _scratch: &'a mut Vec<f64>) -> &'a [f64] {
        &self.0[i]
    }
}

fn plan(case: &Value) {
    let (supply, demand) = (numbers(&case["supply"]), numbers(&case["demand"]));
    let costs = Table(case["cost"].as_array().expect("rows").iter().map(numbers).collect());
    let plan = transport(&supply, &demand, &costs).expect("a plan");
    let expected = case["expected"]["cost"].as_f64().expect("a number");
    assert!((plan.cost - expected).abs() <= 1e-9 * expected.abs(), "{}, POT {expected}", plan.cost);
    let (mut sent, mut received) = (vec![0.0; supply.len()], vec![0.0; demand.len()]);
    for &(i, j, mass) in &plan.flows {
        sent[i as usize] += mass;
        received[j as usize] += mass;
    }
    for (ours, given) in sent.iter().chain(&received).zip(supply.iter().chain(&demand)) {
        assert!((ours - given).abs() < 1e-12, "{ours}, given {given}");
    }
}

#[test]
fn plans_and_maps() {
    let mut plans = 0;
    for case in cases("transport") {
        if case["kind"] == "mapping" {
            let (source, target) = (matrix(&case["x_source"]), matrix(&case["x_target"]));
            let moved = ExactTransport {}
                .transport(source.as_ref(), target.as_ref(), &mut Context::default())
                .expect("a map");
            assert!(distance(&moved.images, &matrix(&case["expected"]["mapped"])) < 1e-9);
            let new = moved.map(matrix(&case["x_new"]).as_ref());
            assert!(distance(&new, &matrix(&case["expected"]["mapped_new"])) < 1e-9);
        } else {
            plan(&case);
            plans += 1;
        }
    }
    assert_eq!(plans, 50);
}

#[test]
fn entropic_plans_and_maps() {
    for case in cases("sinkhorn") {
        let (source, target) = (matrix(&case["x_source"]), matrix(&case["x_target"]));
        let entropy = case["entropy"].as_f64().expect("a number");
        let method = Sinkhorn { entropy, tolerance: 1e-13, iterations: 200_000 };
        let context = &mut Context::default();
        let found = method.plan(source.as_ref(), target.as_ref(), context).expect("a plan");
        assert!(context.notices().is_empty(), "{:?}", context.notices());
        let (s, t) = (source.as_ref(), target.as_ref());
        let costs = squared_distance_block(s, &squared_norms(s), t, &squared_norms(t));
        let (n, m) = costs.shape();
        let plan = Matrix::from_fn(n, m, |i, j| {
            let gain = found.source_potentials[i] + found.target_potentials[j] - costs[(i, j)];
            (gain / found.entropy).exp() / (n * m) as f64
        });
        let received = (0..m).map(|j| plan.col(j).iter().sum::<f64>() - 1.0 / m as f64);
        assert!(received.map(|off| off * off).sum::<f64>().sqrt() < 1e-12, "entropy {entropy}");
        let off = distance(&plan, &matrix(&case["expected"]["plan"]));
        assert!(off < 1e-11, "entropy {entropy}: the plans differ by {off:e}");
        let off = distance(&found.images, &matrix(&case["expected"]["mapped"]));
        assert!(off < 1e-9, "entropy {entropy}: the maps differ by {off:e}");
    }
}
