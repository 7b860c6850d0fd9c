//! `min(max(x, 0), most)`: `ReLU` with no bound above, `ReLU6` with 6. The framework takes one number at a time, and its pass
//! backwards fills two masks; the output alone says where a derivative passes.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::NoCheckpointing};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex, TensorMetadata};
use burn::tensor::Tensor;
use juyi::linalg::vectorized;

use super::{followed, tensor, values};

/// The layer, of numbers in any shape.
pub(crate) fn rectifier<const D: usize>(x: Tensor<D>, most: f32) -> Tensor<D> {
    if x.is_autodiff() {
        let Ok(followed) = followed(&x) else { return x.clamp(0.0, most) };
        drop(x); // so that its numbers may be written over
        let (x, node) = followed.into_parts();
        let out = forwards(x, most);
        let prepared = Rectifier.prepare::<NoCheckpointing>([node]).compute_bound();
        return Tensor::from_primitive::<Autodiff<Flex>>(match prepared.stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((out.clone(), most), out),
            OpsKind::UnTracked(prepared) => prepared.finish(out),
        });
    }
    let Ok(own) = x.clone().try_into_primitive::<Flex>() else { return x.clamp(0.0, most) };
    drop(x);
    Tensor::from_primitive::<Flex>(forwards(own, most))
}

/// The pass forwards, in place where nobody else holds the numbers.
fn forwards(mut x: FloatTensor<Flex>, most: f32) -> FloatTensor<Flex> {
    let values: &mut [f32] = x.storage_mut();
    vectorized(|| values.iter_mut().for_each(|x| *x = x.clamp(0.0, most)));
    x
}

/// The pass backwards.
#[derive(Debug)]
struct Rectifier;

impl Backward<Flex, 1> for Rectifier {
    /// What came out, and the bound.
    type State = (FloatTensor<Flex>, f32);

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let given = gradients.consume::<Flex>(&ops.node).to_contiguous();
        let [of_x] = ops.parents;
        if let Some(node) = of_x {
            let (out, most) = (ops.state.0.to_contiguous(), ops.state.1);
            let (shape, given, out) = (out.shape(), values(&given), values(&out));
            let mut own = vec![0.0; out.len()];
            vectorized(|| {
                for ((own, given), out) in own.iter_mut().zip(given).zip(out) {
                    *own = if *out > 0.0 && *out < most { *given } else { 0.0 };
                }
            });
            gradients.register::<Flex>(node.id, tensor(own, shape));
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
        let out = rectifier(followed.clone(), 6.0);
        // Twice the output: derivatives are 2, or 0 where the layer is flat.
        let gradients = out.clone().mul_scalar(2.0).sum().backward();
        let numbers = |tensor: Tensor<4>| crate::network::numbers(tensor.into_data());
        assert_eq!(numbers(out), [0.0, 0.0, 0.5, 5.9, 6.0, 6.0]);
        assert_eq!(numbers(rectifier(x, 6.0)), [0.0, 0.0, 0.5, 5.9, 6.0, 6.0]);
        assert_eq!(numbers(followed.grad(&gradients).unwrap()), [0.0, 0.0, 2.0, 2.0, 0.0, 0.0]);
    }
}
