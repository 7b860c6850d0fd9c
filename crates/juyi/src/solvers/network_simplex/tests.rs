//! Tests of the file above.

use super::*;

struct Matrix(usize, usize, Vec<f64>);

impl Costs for Matrix {
    fn rows(&self) -> usize {
        self.0
    }
    fn columns(&self) -> usize {
        self.1
    }
    fn row<'a>(&'a self, i: usize, scratch: &'a mut Vec<f64>) -> &'a [f64] {
        scratch.clear();
        scratch.extend(&self.2[i * self.1..(i + 1) * self.1]);
        scratch
    }
}

/// Numbers in 0..1 by xorshift; the seed must not be 0.
fn random(mut seed: u64) -> impl FnMut() -> f64 {
    seed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Solves, and proves the plan optimal: feasible, prices feasible, flow only where prices meet costs.
fn proven(supply: &[f64], demand: &[f64], costs: &Matrix) -> Plan {
    let plan = transport(supply, demand, costs).unwrap();
    let (n, m, total) = (supply.len(), demand.len(), supply.iter().sum::<f64>());
    let largest = costs.2.iter().fold(0f64, |most, c| most.max(c.abs()));
    let (mut out, mut into) = (vec![0.0; n], vec![0.0; m]);
    let reduced = |i: usize, j: usize| costs.2[i * m + j] - plan.source_prices[i] - plan.target_prices[j];
    for &(i, j, mass) in &plan.flows {
        assert!(mass > 0.0 && reduced(i as usize, j as usize).abs() <= 1e-12 * largest);
        out[i as usize] += mass;
        into[j as usize] += mass;
    }
    for (got, given) in out.iter().chain(&into).zip(supply.iter().chain(demand)) {
        assert!((got - given).abs() <= 1e-12 * total, "{got} for a mass of {given}");
    }
    assert!((0..n * m).all(|at| reduced(at / m, at % m) >= -1e-12 * largest));
    assert!(plan.flows.is_sorted_by_key(|flow| (flow.0, flow.1)) && plan.flows.len() < n + m);
    let dual: f64 = supply.iter().zip(&plan.source_prices).map(|(a, u)| a * u).sum::<f64>()
        + demand.iter().zip(&plan.target_prices).map(|(b, v)| b * v).sum::<f64>();
    assert!((plan.cost - dual).abs() <= 1e-11 * largest * total, "{} against {dual}", plan.cost);
    plan
}

#[test]
fn small_problems_have_the_plan_found_by_hand() {
    let plan = proven(&[0.5, 0.5], &[0.5, 0.5], &Matrix(2, 2, vec![0.0, 1.0, 1.0, 0.0]));
    assert_eq!(plan.flows, [(0, 0, 0.5), (1, 1, 0.5)]);
    // Source 2 serves target 1 at 1; 0 and 1 share out target 0, where 1 saves 5 per unit against 3.
    let plan = proven(&[3.0, 2.0, 2.0], &[3.0, 4.0], &Matrix(3, 2, vec![1.0, 4.0, 1.0, 6.0, 5.0, 1.0]));
    assert_eq!(plan.cost, 1.0 + 2.0 * 4.0 + 2.0 + 2.0);
    for (n, m) in [(1, 1), (1, 5), (5, 1)] {
        let (supply, demand) = (vec![1.0 / n as f64; n], vec![1.0 / m as f64; m]);
        let plan = proven(&supply, &demand, &Matrix(n, m, (0..n * m).map(|c| c as f64).collect()));
        assert!(plan.flows.len() == n * m && (plan.cost - (n * m - 1) as f64 / 2.0).abs() < 1e-12);
    }
}

#[test]
fn equal_weights_give_the_best_of_all_permutations() {
    fn best(costs: &Matrix, row: usize, used: u32) -> f64 {
        let n = costs.0;
        let open = (0..n).filter(|j| used >> j & 1 == 0);
        open.map(|j| costs.2[row * n + j] + best(costs, row + 1, used | 1 << j))
            .reduce(f64::min)
            .unwrap_or(0.0)
    }
    for seed in 1..60 {
        let (n, mut next) = (2 + seed as usize % 5, random(seed));
        // Costs of few values tie often.
        let costs = Matrix(n, n, (0..n * n).map(|_| (next() * 4.0).floor() - 1.0).collect());
        let plan = proven(&vec![1.0; n], &vec![1.0; n], &costs);
        assert_eq!((plan.cost, plan.flows.len()), (best(&costs, 0, 0), n));
    }
}

#[test]
fn plans_are_proven_optimal_whatever_the_weights_and_costs() {
    for seed in 1..40 {
        let mut next = random(seed);
        let (n, m) = (1 + (next() * 60.0) as usize, 1 + (next() * 60.0) as usize);
        let (n, m) = if seed % 13 == 0 { (420, 450) } else { (n, m) };
        let mut weights = |count: usize| -> Vec<f64> {
            let draw = |_| match seed % 4 {
                0 => 1.0,
                1 => next(),
                2 => (next() * 3.0).floor(),
                _ => 10f64.powf(next() * 18.0 - 9.0),
            };
            let mut mass: Vec<f64> = (0..count).map(draw).collect();
            mass[count / 2] += 0.5;
            let total: f64 = mass.iter().sum();
            mass.iter().map(|x| x / total * if seed % 3 == 0 { 1e200 } else { 1e-200 }).collect()
        };
        let (supply, demand) = (weights(n), weights(m));
        let cost = |_| match seed % 5 {
            0 => 7.25,
            1 => (next() * 5.0).floor(),
            _ => 1e6 * (next() - 0.3),
        };
        proven(&supply, &demand, &Matrix(n, m, (0..n * m).map(cost).collect()));
    }
}

#[test]
fn zero_masses_send_nothing_and_are_priced_all_the_same() {
    let mut next = random(3);
    let costs = Matrix(4, 5, (0..20).map(|_| next()).collect());
    let plan = proven(&[0.0, 0.6, 0.0, 0.4], &[0.0, 0.0, 0.5, 0.5, 0.0], &costs);
    assert!(plan.flows.len() == 3 && plan.flows.iter().all(|flow| flow.0 % 2 == 1));
    assert!(plan.target_prices.iter().all(|price| price.is_finite()));
}

#[test]
fn bad_input_is_named() {
    let said = |supply: &[f64], demand: &[f64], costs: &[f64]| {
        let costs = Matrix(2, 2, costs.to_vec());
        transport(supply, demand, &costs).unwrap_err().to_string()
    };
    let (half, fine) = ([0.5, 0.5], [0.0, 1.0, 1.0, 0.0]);
    assert_eq!(said(&[1.5, -0.5], &half, &fine), "supply: mass 1 must be finite and at least 0, got -0.5");
    assert!(said(&half, &[0.5, f64::NAN], &fine).starts_with("demand: mass 1 must be finite"));
    assert!(said(&half, &[0.5, 0.6], &fine).contains("the totals must agree, got 1 and 1.1"));
    assert!(said(&[0.0, 0.0], &half, &fine).contains("above 0"));
    assert!(said(&[f64::MAX; 2], &half, &fine).contains("must be finite"));
    assert!(said(&[1.0], &half, &fine).contains("one mass for each of 2"));
    assert!(said(&half, &half, &[0.0, 1.0, f64::INFINITY, 0.0]).contains("entry (1, 0) must be finite"));
    assert!(said(&half, &half, &[0.0, f64::NAN, 1.0, 0.0]).contains("entry (0, 1)"));
}
