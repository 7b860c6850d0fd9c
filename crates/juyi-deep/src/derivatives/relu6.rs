//! `min(max(x, 0), 6)`. The framework's pass backwards fills two masks; the output alone says where a derivative passes.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::NoCheckpointing};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex, TensorMetadata};
use burn::tensor::Tensor;
use juyi::linalg::vectorized;

use super::{followed, tensor, values};

/// The layer, of maps `(pictures, channels, rows, columns)`.
pub(crate) fn relu6(x: Tensor<4>) -> Tensor<4> {
    let followed = if x.is_autodiff() { followed(&x).ok() } else { None };
    let Some(followed) = followed else { return x.clamp(0.0, 6.0) };
    let (x, node) = followed.into_parts();
    let x = x.to_contiguous();
    let mut out = vec![0.0; x.shape().num_elements()];
    vectorized(|| out.iter_mut().zip(values(&x)).for_each(|(out, x)| *out = x.clamp(0.0, 6.0)));
    let out = tensor(out, x.shape());
    Tensor::from_primitive::<Autodiff<Flex>>(
        match Relu6.prepare::<NoCheckpointing>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(out.clone(), out),
            OpsKind::UnTracked(prepared) => prepared.finish(out),
        },
    )
}

/// The pass backwards.
#[derive(Debug)]
struct Relu6;

impl Backward<Flex, 1> for Relu6 {
    /// What came out.
    type State = FloatTensor<Flex>;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let given = gradients.consume::<Flex>(&ops.node).to_contiguous();
        let [of_x] = ops.parents;
        if let Some(node) = of_x {
            let (given, out) = (values(&given), values(&ops.state));
            let mut own = vec![0.0; out.len()];
            vectorized(|| {
                for ((own, given), out) in own.iter_mut().zip(given).zip(out) {
                    *own = if *out > 0.0 && *out < 6.0 { *given } else { 0.0 };
                }
            });
            gradients.register::<Flex>(node.id, tensor(own, ops.state.shape()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    #[test]
    fn by_hand() {
        let x = TensorData::new(vec![-1.0f32, 0.0, 0.5, 5.9, 6.0, 7.0], [1, 1, 2, 3]);
        let x = Tensor::<4>::from_data(x, &Device::flex());
        let followed = x.clone().autodiff().require_grad();
        let out = relu6(followed.clone());
        // Twice the output: derivatives are 2, or 0 where the layer is flat.
        let gradients = out.clone().mul_scalar(2.0).sum().backward();
        let numbers = |tensor: Tensor<4>| crate::network::numbers(tensor.into_data());
        assert_eq!(numbers(out), [0.0, 0.0, 0.5, 5.9, 6.0, 6.0]);
        assert_eq!(numbers(relu6(x)), [0.0, 0.0, 0.5, 5.9, 6.0, 6.0]);
        assert_eq!(numbers(followed.grad(&gradients).unwrap()), [0.0, 0.0, 2.0, 2.0, 0.0, 0.0]);
    }
}
