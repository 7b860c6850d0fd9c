//! L2-SP: weights are pulled to where they started instead of to 0.
//!
//! Paper: X. Li, Y. Grandvalet and F. Davoine, "Explicit inductive bias for transfer learning with convolutional
//! networks", ICML 2018, equation (2):
//! ```text
//! α/2 |w - w⁰|² + β/2 |w_new|²
//! ```
//! `w⁰` are the checkpoint's weights; those that it does not have, such as the new head, are pulled to 0 with `β`, which is
//! the setting of weight decay (0.01 in the paper, too). Both are part of the loss, so that Adam scales them as it scales
//! all of its gradient, and no decay stands beside them.

use std::collections::BTreeMap;

use super::{Regularizer, pull_to_zero};

pub(in crate::tuning) struct StartingPoint {
    /// α.
    pub(in crate::tuning) strength: f64,
    /// β.
    pub(in crate::tuning) new: f64,
    /// The checkpoint's weights.
    pub(in crate::tuning) start: BTreeMap<String, Vec<f32>>,
}

impl Regularizer for StartingPoint {
    fn pull(&self, name: &str, values: &[f32], gradient: &mut [f32]) {
        let Some(start) = self.start.get(name) else {
            return pull_to_zero(self.new, values, gradient);
        };
        let alpha = self.strength as f32;
        for ((g, v), s) in gradient.iter_mut().zip(values).zip(start) {
            *g += alpha * (v - s);
        }
    }

    fn holds(&self, _: &str) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_weights_are_pulled_back_and_new_ones_to_zero() {
        let start = BTreeMap::from([("a".to_string(), vec![1.0, 2.0])]);
        let own = StartingPoint { strength: 0.5, new: 0.01, start };
        let mut gradient = vec![0.0, 1.0];
        own.pull("a", &[3.0, 2.0], &mut gradient);
        assert_eq!(gradient, [1.0, 1.0]);
        own.pull("b", &[100.0, 0.0], &mut gradient);
        assert_eq!(gradient, [2.0, 1.0]);
        assert!(own.holds("a") && own.holds("b"));
    }
}
