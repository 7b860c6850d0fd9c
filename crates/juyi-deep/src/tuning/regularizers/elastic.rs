//! Elastic weight consolidation: weights are pulled to where they started, each as far as the checkpoint's own answers
//! depend on it.
//!
//! Paper: J. Kirkpatrick et al., "Overcoming catastrophic forgetting in neural networks", PNAS 114, 2017, equation (3):
//! ```text
//! λ/2 Σ_i F_i (w_i - w⁰_i)²,   F_i = E[(∂ ln p(y | x) / ∂ w_i)²],   y drawn from p(· | x)
//! ```
//! The paper takes `F` on the pictures of the first task. Those are not at hand: `F` is taken on the new pictures, with
//! classes drawn from what the checkpoint's own head says of them; the same number of each new class, as far as there are
//! as many. Weights that are held so are left alone by weight decay, which would pull them to 0; it goes on for the new
//! head. The old head stays in the file, so that what it forgot can be measured.
//!
//! Cost: one pass forwards and backwards a picture (at most [`PICTURES`]) before the training.

use std::collections::BTreeMap;

use super::Regularizer;

/// Most pictures on which `F` is taken.
pub(in crate::tuning) const PICTURES: usize = 200;

pub(in crate::tuning) struct ElasticWeights {
    /// λ.
    pub(in crate::tuning) strength: f64,
    /// `w⁰` and `F` of each tensor.
    pub(in crate::tuning) start: BTreeMap<String, (Vec<f32>, Vec<f32>)>,
}

impl Regularizer for ElasticWeights {
    fn pull(&self, name: &str, values: &[f32], gradient: &mut [f32]) {
        let Some((start, information)) = self.start.get(name) else { return };
        let lambda = self.strength as f32;
        for (((g, v), s), f) in gradient.iter_mut().zip(values).zip(start).zip(information) {
            *g += lambda * f * (v - s);
        }
    }

    fn holds(&self, name: &str) -> bool {
        self.start.contains_key(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_that_matters_is_pulled_more() {
        let start = BTreeMap::from([("a".to_string(), (vec![0.0, 0.0], vec![1.0, 0.25]))]);
        let own = ElasticWeights { strength: 2.0, start };
        let mut gradient = vec![0.0; 2];
        own.pull("a", &[1.0, 1.0], &mut gradient);
        own.pull("head", &[1.0, 1.0], &mut [0.0; 2]);
        assert_eq!(gradient, [2.0, 0.5]);
    }
}
