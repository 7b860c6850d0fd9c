//! From derivatives to new weights: stochastic gradient descent with momentum, and Adam with decoupled weight decay.
//!
//! Papers: Y. Nesterov, "A method for solving the convex programming problem with convergence rate O(1/k²)", 1983, in the
//! form of `PyTorch`; I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2; R.
//! Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural networks", ICML 2013, algorithm 1
//! (clipping).
//!
//! Own rather than the framework's: its moments are kept under the names of the tensors, so that a run that was cut off
//! goes on with the same bytes, and each tensor has a rate of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How steps follow from derivatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Gradient descent with Nesterov's momentum of 0.9; the penalty on the weights is part of the gradient.
    Sgd,
    /// Adam with β = (0.9, 0.999), ε = 1e-8; the penalty is apart from the gradient.
    AdamW,
}

const MOMENTUM: f32 = 0.9;
const BETAS: (f64, f64) = (0.9, 0.999);
const EPSILON: f64 = 1e-8;

/// What a rule remembers of a tensor.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moments {
    /// Steps so far.
    pub steps: u64,
    /// Running mean of the gradients, or the velocity.
    pub first: Vec<f32>,
    /// Running mean of their squares; empty for [`Rule::Sgd`].
    pub second: Vec<f32>,
}

impl Rule {
    /// Moves `values` one step of size `rate` against `gradient`, shrinking them by `decay`.
    pub fn step(self, values: &mut [f32], gradient: &[f32], moments: &mut Moments, rate: f64, decay: f64) {
        let begins = moments.steps == 0;
        moments.steps += 1;
        if begins {
            moments.first = vec![0.0; values.len()];
        }
        match self {
            Self::Sgd => {
                let (rate, decay) = (rate as f32, decay as f32);
                for ((v, g), m) in values.iter_mut().zip(gradient).zip(&mut moments.first) {
                    let g = g + decay * *v;
                    *m = MOMENTUM * *m + g;
                    *v -= rate * (g + MOMENTUM * *m);
                }
            }
            Self::AdamW => {
                if begins {
                    moments.second = vec![0.0; values.len()];
                }
                let count = moments.steps as i32;
                let (one, two) = (BETAS.0 as f32, BETAS.1 as f32);
                // Rounded by themselves: 1 - 0.999 of 32 bits is off in the fifth digit.
                let (rest, square_rest) = ((1.0 - BETAS.0) as f32, (1.0 - BETAS.1) as f32);
                let size = (rate / (1.0 - BETAS.0.powi(count))) as f32;
                let root = (1.0 - BETAS.1.powi(count)).sqrt().recip() as f32;
                let (keep, epsilon) = ((1.0 - rate * decay) as f32, EPSILON as f32);
                let both = moments.first.iter_mut().zip(&mut moments.second);
                for ((v, g), (m, s)) in values.iter_mut().zip(gradient).zip(both) {
                    *m = one * *m + rest * g;
                    *s = two * *s + square_rest * g * g;
                    *v = keep * *v - size * *m / (s.sqrt() * root + epsilon);
                }
            }
        }
    }
}

/// Scales all gradients down so that together they are no longer than `longest`; the length that they had.
pub fn clip(gradients: &mut BTreeMap<String, Vec<f32>>, longest: f64) -> f64 {
    let square = |gradient: &Vec<f32>| gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>();
    let length = gradients.values().map(square).sum::<f64>().sqrt();
    if length > longest {
        let factor = (longest / length) as f32;
        gradients.values_mut().flatten().for_each(|g| *g *= factor);
    }
    length
}

/// How the rate goes from its largest value to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decay {
    /// Not at all.
    Constant,
    /// In a straight line to 0.
    Linear,
    /// Along half a cosine to 0 (Loshchilov and Hutter, ICLR 2017, equation 5).
    Cosine,
    /// To a tenth after two thirds.
    Step,
}

impl Decay {
    /// The part of the rate at `step` of `all`, after `warmup` steps in which it grows from 0 in a straight line.
    pub fn factor(self, step: usize, all: usize, warmup: usize) -> f64 {
        if step < warmup {
            return (step + 1) as f64 / warmup as f64;
        }
        let gone = (step - warmup) as f64 / (all.saturating_sub(warmup)).max(1) as f64;
        match self {
            Self::Constant => 1.0,
            Self::Linear => 1.0 - gone,
            Self::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * gone).cos()),
            Self::Step => {
                if gone < 2.0 / 3.0 {
                    1.0
                } else {
                    0.1
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five steps of `torch.optim`, whose gradient is the values themselves plus the number of the step.
    fn five(rule: Rule, rate: f64, decay: f64) -> Vec<f32> {
        let (mut values, mut moments) = (vec![1.0, -2.0, 0.5], Moments::default());
        for step in 0..5 {
            let gradient: Vec<f32> = values.iter().map(|v| v + step as f32).collect();
            rule.step(&mut values, &gradient, &mut moments, rate, decay);
        }
        values
    }

    fn near(found: &[f32], expected: [f32; 3]) {
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 2e-6, "{found:?}, not {expected:?}");
        }
    }

    #[test]
    fn five_steps_equal_those_of_torch() {
        // tests/golden/make_training.py prints them.
        near(&five(Rule::Sgd, 0.1, 0.01), SGD);
        near(&five(Rule::AdamW, 0.1, 0.01), ADAMW);
    }

    const SGD: [f32; 3] = [-2.300_124, -1.967_752, -2.244_729];
    const ADAMW: [f32; 3] = [0.508_991_7, -1.742_974, 0.025_425_19];

    #[test]
    fn rates_by_hand() {
        let at = |decay: Decay, step| decay.factor(step, 12, 2);
        assert_eq!((at(Decay::Cosine, 0), at(Decay::Cosine, 1), at(Decay::Cosine, 2)), (0.5, 1.0, 1.0));
        assert!((at(Decay::Cosine, 7) - 0.5).abs() < 1e-12);
        assert!((at(Decay::Linear, 7) - 0.5).abs() < 1e-12);
        assert_eq!((at(Decay::Step, 8), at(Decay::Step, 9), at(Decay::Constant, 11)), (1.0, 0.1, 1.0));
    }

    #[test]
    fn long_gradients_are_cut() {
        let mut gradients = BTreeMap::from([("a".into(), vec![3.0]), ("b".into(), vec![0.0, -4.0])]);
        assert!((clip(&mut gradients, 10.0) - 5.0).abs() < 1e-12);
        assert_eq!(gradients["a"], [3.0]);
        clip(&mut gradients, 1.0);
        assert!((gradients["a"][0] - 0.6).abs() < 1e-6 && (gradients["b"][1] + 0.8).abs() < 1e-6);
    }
}
