//! Convolutions with square kernels and their derivatives on the processor: those in which each channel has a kernel of its
//! own, and those in which all see each other.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::NoCheckpointing};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex, TensorMetadata};
use burn::tensor::Tensor;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use juyi::linalg::vectorized;

use super::planes::Planes;
use super::{dense, depthwise, followed, tensor, values};

/// Maps `(pictures, channels, rows, columns)` with kernels `(outputs, channels / groups, side, side)`, as [`conv2d`] has
/// it.
pub(crate) fn convolution(
    x: Tensor<4>,
    kernel: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    let [outputs, of_each, ..] = kernel.dims();
    let known = options.groups == 1 || options.groups == outputs && of_each == 1 && x.dims()[1] == outputs;
    if !known {
        return conv2d(x, kernel, bias, options);
    }
    let bias = bias.unwrap_or_else(|| Tensor::zeros([outputs], &x.device()));
    if [x.is_autodiff(), kernel.is_autodiff(), bias.is_autodiff()].contains(&true) {
        // An accelerator has its own.
        let (Ok(own), Ok(weights), Ok(added)) = (followed(&x), followed(&kernel), followed(&bias)) else {
            return conv2d(x, kernel, Some(bias), options);
        };
        let ((x, of_x), (kernel, of_kernel), (bias, of_bias)) =
            (own.into_parts(), weights.into_parts(), added.into_parts());
        let out = forwards(&x, &kernel, &bias, &options);
        let prepared = Convolution.prepare::<NoCheckpointing>([of_x, of_kernel, of_bias]).compute_bound();
        return Tensor::from_primitive::<Autodiff<Flex>>(match prepared.stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((x, kernel, options), out),
            OpsKind::UnTracked(prepared) => prepared.finish(out),
        });
    }
    let plain = |tensor: &Tensor<4>| tensor.clone().try_into_primitive::<Flex>();
    let added = bias.clone().try_into_primitive::<Flex>();
    let (Ok(own), Ok(weights), Ok(added)) = (plain(&x), plain(&kernel), added) else {
        return conv2d(x, kernel, Some(bias), options);
    };
    Tensor::from_primitive::<Flex>(forwards(&own, &weights, &added, &options))
}

/// The pass forwards.
fn forwards(
    x: &FloatTensor<Flex>,
    kernel: &FloatTensor<Flex>,
    bias: &FloatTensor<Flex>,
    options: &ConvOptions<2>,
) -> FloatTensor<Flex> {
    let (x, kernel, bias) = (x.to_contiguous(), kernel.to_contiguous(), bias.to_contiguous());
    let planes = Planes::new(x.shape().dims(), kernel.shape().dims(), options);
    let output = if options.groups == 1 { dense::output } else { depthwise::output };
    let out = output(&planes, values(&x), values(&kernel), values(&bias));
    tensor(out, [planes.pictures, planes.channels[1], planes.output[0], planes.output[1]].into())
}

/// The pass backwards.
#[derive(Debug)]
struct Convolution;

impl Backward<Flex, 3> for Convolution {
    type State = (FloatTensor<Flex>, FloatTensor<Flex>, ConvOptions<2>);

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let given = gradients.consume::<Flex>(&ops.node).to_contiguous();
        let [of_x, of_kernel, of_bias] = ops.parents;
        let (x, kernel, options) = (ops.state.0.to_contiguous(), ops.state.1.to_contiguous(), ops.state.2);
        let planes = Planes::new(x.shape().dims(), kernel.shape().dims(), &options);
        let dense = options.groups == 1;
        if let Some(node) = of_x {
            let by_input = if dense { dense::by_input } else { depthwise::by_input };
            let own = by_input(&planes, values(&kernel), values(&given));
            gradients.register::<Flex>(node.id, tensor(own, x.shape()));
        }
        if let Some(node) = of_kernel {
            let by_kernel = if dense { dense::by_kernel } else { depthwise::by_kernel };
            let own = by_kernel(&planes, values(&x), values(&given));
            gradients.register::<Flex>(node.id, tensor(own, kernel.shape()));
        }
        if let Some(node) = of_bias {
            let own = by_bias(&planes, values(&given));
            gradients.register::<Flex>(node.id, tensor(own, [planes.channels[1]].into()));
        }
    }
}

/// Derivatives by the biases, from those by the output.
fn by_bias(planes: &Planes, given: &[f32]) -> Vec<f32> {
    let sums = given.chunks_exact(planes.outputs()).map(|plane| vectorized(|| in_lanes(plane)));
    planes.over_pictures(&sums.collect::<Vec<f32>>())
}

/// A sum in sixteen fixed lanes.
#[inline(always)]
fn in_lanes(values: &[f32]) -> f32 {
    let (blocks, rest) = values.as_chunks::<16>();
    let mut lanes = [0f32; 16];
    for block in blocks {
        lanes.iter_mut().zip(block).for_each(|(sum, v)| *sum += v);
    }
    lanes.iter().sum::<f32>() + rest.iter().sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    /// The framework's own, forwards and backwards, of several strides, kernels, and zeros that are not the same on both
    /// sides.
    #[test]
    fn a_convolution_and_its_derivatives_are_those_of_the_framework() {
        let numbers = |count: usize, seed: usize| -> Vec<f32> {
            (0..count).map(|i| ((i * 7919 + seed * 104_729) % 1009) as f32 / 1009.0 - 0.5).collect()
        };
        let device = Device::flex();
        for (side, stride, zeros, rows, columns) in [
            (3, 1, [(1, 1), (1, 1)], 7, 9),
            (3, 2, [(0, 1), (0, 1)], 12, 12),
            (3, 2, [(1, 1), (1, 1)], 11, 8),
            (5, 1, [(2, 2), (2, 2)], 4, 5),
            (5, 2, [(1, 2), (2, 2)], 14, 13),
            (3, 2, [(0, 0), (0, 0)], 8, 8), // the last row and column are never seen
            (1, 1, [(0, 0), (0, 0)], 3, 3),
            (1, 2, [(0, 0), (0, 0)], 7, 6),
            (7, 3, [(3, 3), (2, 4)], 20, 23),
            (3, 1, [(1, 1), (1, 1)], 120, 130), // more than one tile
        ] {
            // One kernel a channel; all channels, as many and fewer ones going out.
            for (groups, outputs, of_each) in [(4, 4, 1), (1, 4, 4), (1, 3, 4)] {
                let found = [false, true].map(|own| {
                    let make = |shape: [usize; 4], seed| {
                        let data = TensorData::new(numbers(shape.iter().product(), seed), shape);
                        Tensor::<4>::from_data(data, &device).autodiff().require_grad()
                    };
                    let (x, kernel) =
                        (make([5, 4, rows, columns], 1), make([outputs, of_each, side, side], 2));
                    let bias =
                        Tensor::<1>::from_data(TensorData::new(numbers(outputs, 3), [outputs]), &device);
                    let bias = bias.autodiff().require_grad();
                    let options = ConvOptions::new_with_padding([stride; 2], zeros, [1; 2], groups);
                    let out = if own {
                        convolution(x.clone(), kernel.clone(), Some(bias.clone()), options)
                    } else {
                        conv2d(x.clone(), kernel.clone(), Some(bias.clone()), options)
                    };
                    let outside = numbers(out.shape().num_elements(), 4);
                    let outside = Tensor::<4>::from_data(TensorData::new(outside, out.dims()), &device);
                    let gradients = (out.clone() * outside.autodiff()).sum().backward();
                    let of = |tensor: &Tensor<4>| {
                        crate::network::numbers(tensor.grad(&gradients).unwrap().into_data())
                    };
                    let of_bias = crate::network::numbers(bias.grad(&gradients).unwrap().into_data());
                    [crate::network::numbers(out.into_data()), of(&x), of(&kernel), of_bias]
                });
                for (theirs, ours) in found[0].iter().zip(&found[1]) {
                    assert_eq!(theirs.len(), ours.len());
                    let most = theirs.iter().fold(1f32, |most, v| most.max(v.abs()));
                    for (theirs, ours) in theirs.iter().zip(ours) {
                        let case = format!("{side} {stride} {zeros:?} {groups} {outputs}");
                        assert!((theirs - ours).abs() < 1e-4 * most, "{case}: {theirs} {ours}");
                    }
                }
            }
        }
    }
}
