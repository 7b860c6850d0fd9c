//! Learning without forgetting: the head that came with the checkpoint stays beside the new one, and its softened answers
//! to the new pictures stay what they were.
//!
//! Paper: Z. Li and D. Hoiem, "Learning without forgetting", ECCV 2016, equations (2) and (3):
//! ```text
//! - λ Σ_l y'_l ln ŷ'_l,   y'_l = y_l^(1/T) / Σ_k y_k^(1/T),   T = 2
//! ```
//! `y` are the answers of the network as it was, to the same (perhaps altered) pictures. As in the paper the new head is
//! learnt first, alone: where it is one linear layer, it is solved on the frozen features, which is where such a warm-up
//! ends. The old head is trained along and stays in the file, so that what it forgot can be measured.
//!
//! Cost: the passes forwards of a second network over the stages that are trained.

use burn::tensor::Tensor;
use burn::tensor::activation::{log_softmax, softmax};

use super::{Pass, Regularizer};
use crate::forward::{Activation, Mode};
use crate::network::Network;

/// `T`.
const TEMPERATURE: f64 = 2.0;

pub(in crate::tuning) struct LearningWithoutForgetting {
    /// λ.
    pub(in crate::tuning) strength: f64,
    /// The network as it was.
    pub(in crate::tuning) before: Network,
    /// The number of the head that came with it, among the second heads.
    pub(in crate::tuning) head: usize,
}

impl Regularizer for LearningWithoutForgetting {
    fn loss(&self, pass: &Pass<'_>) -> Option<Tensor<1>> {
        let mode = &mut Mode::Inference;
        let (first, last) = (pass.first, self.before.architecture.stages.len());
        let input = Activation::new(pass.inputs.to_vec(), pass.extent, self.before.device());
        let before = self.before.auxiliary_scores(self.head, self.before.run(first..last, input, mode), mode);
        let now =
            pass.levels.last().map(|own| pass.network.auxiliary_scores(self.head, own.clone(), mode))?;
        Some(distillation(before, now).mul_scalar(self.strength))
    }
}

/// `- Σ_l y'_l ln ŷ'_l`, over all pictures.
fn distillation(before: Tensor<2>, now: Tensor<2>) -> Tensor<1> {
    let target = softmax(before.div_scalar(TEMPERATURE), 1);
    (target * log_softmax(now.div_scalar(TEMPERATURE), 1)).sum().neg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn by_hand() {
        let device = Device::flex();
        let before = Tensor::<2>::from_floats([[0.0, 2.0 * 3f32.ln()]], &device); // 1/4 and 3/4 after softening
        let now = Tensor::<2>::from_floats([[0.0, 0.0]], &device);
        let found = distillation(before, now).into_scalar::<f32>();
        assert!((found - 2f32.ln()).abs() < 1e-6, "{found}");
    }
}
