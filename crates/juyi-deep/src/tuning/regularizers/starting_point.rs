//! L2-SP: weights are pulled to where they started instead of to 0.
//!
//! Paper: X. Li, Y. Grandvalet and F. Davoine, "Explicit inductive bias for transfer learning with convolutional
//! networks", ICML 2018, equation (2):
//! ```text
//! α/2 |w - w⁰|² + β/2 |w_new|²
//! ```
//! `w⁰` are the checkpoint's weights. `β` is the weight decay, for what the checkpoint does not have, such as the new head,
//! alone: the pull to where weights started takes its place for all others. With [`Rule::AdamW`] the decay is apart from
//! the gradient and `α` a part of it, which Adam scales; with [`Rule::Sgd`] both are as in the paper. Biases and scales
//! that are new are not pulled.
//!
//! [`Rule::AdamW`]: crate::tuning::optimizer::Rule::AdamW
//! [`Rule::Sgd`]: crate::tuning::optimizer::Rule::Sgd

use std::collections::BTreeMap;

use super::Regularizer;

pub(in crate::tuning) struct StartingPoint {
    /// α.
    pub(in crate::tuning) strength: f64,
    /// The checkpoint's weights.
    pub(in crate::tuning) start: BTreeMap<String, Vec<f32>>,
}

impl Regularizer for StartingPoint {
    fn pull(&self, name: &str, values: &[f32], gradient: &mut [f32]) {
        let Some(start) = self.start.get(name) else { return };
        let alpha = self.strength as f32;
        for ((g, v), s) in gradient.iter_mut().zip(values).zip(start) {
            *g += alpha * (v - s);
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
    fn known_weights_are_pulled_back_and_new_ones_left_to_weight_decay() {
        let start = BTreeMap::from([("a".to_string(), vec![1.0, 2.0])]);
        let own = StartingPoint { strength: 0.5, start };
        let mut gradient = vec![0.0, 1.0];
        own.pull("a", &[3.0, 2.0], &mut gradient);
        assert_eq!(gradient, [1.0, 1.0]);
        own.pull("b", &[100.0, 0.0], &mut gradient);
        assert_eq!(gradient, [1.0, 1.0]);
        assert!(own.holds("a") && !own.holds("b"));
    }
}
