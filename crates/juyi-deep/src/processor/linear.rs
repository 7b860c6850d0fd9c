//! Linear layers, `y = x Wᵀ + b`. The framework copies the weights turned over before each product; here they stay as they
//! lie.
//!
//! Cost: `rows * inputs * outputs` products, twice as many backwards; no memory beside what comes out.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::NoCheckpointing};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex, TensorMetadata};
use burn::tensor::{Shape, Tensor};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::{followed, tensor, values};

/// Rows `(…, inputs)` with weights `(outputs, inputs)` and biases `(outputs)`: `(…, outputs)`.
pub(crate) fn linear<const D: usize>(x: Tensor<D>, weights: Tensor<2>, biases: Tensor<1>) -> Tensor<D> {
    let derived = [x.is_autodiff(), weights.is_autodiff(), biases.is_autodiff()].contains(&true);
    if derived {
        // An accelerator has its own.
        let (Ok(own), Ok(of), Ok(added)) = (followed(&x), followed(&weights), followed(&biases)) else {
            return burn::tensor::module::linear(x, weights.transpose(), Some(biases));
        };
        let ((x, of_x), (weights, of_weights), (biases, of_biases)) =
            (own.into_parts(), of.into_parts(), added.into_parts());
        let (x, weights) = (x.to_contiguous(), weights.to_contiguous());
        let out = forwards(&x, &weights, &biases);
        let prepared = Linear.prepare::<NoCheckpointing>([of_x, of_weights, of_biases]).compute_bound();
        return Tensor::from_primitive::<Autodiff<Flex>>(match prepared.stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((x, weights), out),
            OpsKind::UnTracked(prepared) => prepared.finish(out),
        });
    }
    let own = x.clone().try_into_primitive::<Flex>();
    let of = weights.clone().try_into_primitive::<Flex>();
    let added = biases.clone().try_into_primitive::<Flex>();
    let (Ok(own), Ok(of), Ok(added)) = (own, of, added) else {
        return burn::tensor::module::linear(x, weights.transpose(), Some(biases));
    };
    Tensor::from_primitive::<Flex>(forwards(&own.to_contiguous(), &of.to_contiguous(), &added))
}

/// The pass forwards, of contiguous tensors.
fn forwards(
    x: &FloatTensor<Flex>,
    weights: &FloatTensor<Flex>,
    biases: &FloatTensor<Flex>,
) -> FloatTensor<Flex> {
    let (biases, from, weights) = (biases.to_contiguous(), rows(x), rows(weights));
    let mut out = values(&biases).repeat(from.nrows());
    let own = MatMut::from_row_major_slice_mut(&mut out, from.nrows(), weights.nrows());
    matmul(own, Accum::Add, from, weights.transpose(), 1.0, Par::Seq);
    let mut shape = x.shape().to_vec();
    shape.pop();
    shape.push(weights.nrows());
    tensor(out, Shape::from(shape))
}

/// A contiguous tensor as rows of its last dimension.
fn rows(x: &FloatTensor<Flex>) -> MatRef<'_, f32> {
    let (values, width) = (values(x), x.shape().to_vec().last().copied().unwrap_or(1));
    MatRef::from_row_major_slice(values, values.len() / width.max(1), width)
}

/// The pass backwards.
#[derive(Debug)]
struct Linear;

impl Backward<Flex, 3> for Linear {
    /// Rows and weights.
    type State = (FloatTensor<Flex>, FloatTensor<Flex>);

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let given = gradients.consume::<Flex>(&ops.node).to_contiguous();
        let [of_x, of_weights, of_biases] = ops.parents;
        let (x, weights) = &ops.state;
        let (from, given, by) = (rows(x), rows(&given), rows(weights));
        let product = |a: MatRef<'_, f32>, b: MatRef<'_, f32>| {
            let mut out = vec![0.0; a.nrows() * b.ncols()];
            let own = MatMut::from_row_major_slice_mut(&mut out, a.nrows(), b.ncols());
            matmul(own, Accum::Replace, a, b, 1.0, Par::Seq);
            out
        };
        if let Some(node) = of_x {
            gradients.register::<Flex>(node.id, tensor(product(given, by), x.shape()));
        }
        if let Some(node) = of_weights {
            gradients.register::<Flex>(node.id, tensor(product(given.transpose(), from), weights.shape()));
        }
        if let Some(node) = of_biases {
            let sums: Vec<f32> = given.col_iter().map(|column| column.iter().sum()).collect();
            let shape = [sums.len()].into();
            gradients.register::<Flex>(node.id, tensor(sums, shape));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    /// The framework's own, forwards and backwards.
    #[test]
    fn a_linear_layer_and_its_derivatives_are_those_of_the_framework() {
        let device = Device::flex();
        let numbers = |count: usize, seed: usize| -> Vec<f32> {
            (0..count).map(|i| ((i * 7919 + seed * 104_729) % 1009) as f32 / 1009.0 - 0.5).collect()
        };
        let found = [false, true].map(|own| {
            let x = TensorData::new(numbers(2 * 5 * 7, 1), [2, 5, 7]);
            let x = Tensor::<3>::from_data(x, &device).autodiff().require_grad();
            let weights = TensorData::new(numbers(3 * 7, 2), [3, 7]);
            let weights = Tensor::<2>::from_data(weights, &device).autodiff().require_grad();
            let biases = Tensor::<1>::from_data(TensorData::new(numbers(3, 3), [3]), &device);
            let biases = biases.autodiff().require_grad();
            let out = if own {
                linear(x.clone(), weights.clone(), biases.clone())
            } else {
                let turned = weights.clone().transpose();
                burn::tensor::module::linear(x.clone(), turned, Some(biases.clone()))
            };
            let outside = Tensor::<3>::from_data(TensorData::new(numbers(30, 4), [2, 5, 3]), &device);
            let gradients = (out.clone() * outside.autodiff()).sum().backward();
            [
                crate::network::numbers(out.into_data()),
                crate::network::numbers(x.grad(&gradients).unwrap().into_data()),
                crate::network::numbers(weights.grad(&gradients).unwrap().into_data()),
                crate::network::numbers(biases.grad(&gradients).unwrap().into_data()),
            ]
        });
        for (theirs, ours) in found[0].iter().zip(&found[1]) {
            assert_eq!(theirs.len(), ours.len());
            theirs.iter().zip(ours).for_each(|(a, b)| assert!((a - b).abs() < 1e-5, "{a} {b}"));
        }
    }
}
