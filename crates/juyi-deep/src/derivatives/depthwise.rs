//! Depthwise convolutions in training on the processor: each channel has a kernel of its own. The framework takes their
//! derivatives channel by channel, each as a convolution of two whole planes; here a plane is a few long loops.
//!
//! A stride `s` splits a plane into `s * s` phases, and within its phase a weight is one shift. Let the phases be as wide
//! as the output and the widest shift are together, and lay the derivatives of the output out as wide: then a plane is
//! one line, the derivative of a weight is the inner product of two pieces of it, and what a weight hands back to its
//! input is a multiple of one piece added to the other.
//!
//! Cost: as many products as the convolution itself; on each thread as much memory as a plane of the input and one of the
//! output.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::NoCheckpointing};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::ops::ModuleOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex, TensorMetadata};
use burn::tensor::Tensor;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use juyi::linalg::vectorized;
use rayon::prelude::*;

use super::{followed, tensor, values};

/// Whether a convolution of this kernel is one, `(outputs, inputs / groups, side, side)`.
pub(crate) fn is_depthwise(kernel: &Tensor<4>, groups: usize) -> bool {
    let [outputs, one, rows, columns] = kernel.dims();
    groups > 1 && outputs == groups && one == 1 && rows == columns
}

/// Maps `(pictures, channels, rows, columns)` with kernels `(channels, 1, side, side)`, as [`conv2d`] has it; to be used
/// where derivatives are wanted.
pub(crate) fn depthwise(
    x: Tensor<4>,
    kernel: Tensor<4>,
    bias: Tensor<1>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    // An accelerator has its own.
    let (Ok(own), Ok(weights), Ok(added)) = (followed(&x), followed(&kernel), followed(&bias)) else {
        return conv2d(x, kernel, Some(bias), options);
    };
    let ((x, of_x), (kernel, of_kernel), (bias, of_bias)) =
        (own.into_parts(), weights.into_parts(), added.into_parts());
    let out = Flex::conv2d(x.clone(), kernel.clone(), Some(bias), options.clone());
    let prepared = Depthwise.prepare::<NoCheckpointing>([of_x, of_kernel, of_bias]).compute_bound();
    Tensor::from_primitive::<Autodiff<Flex>>(match prepared.stateful() {
        OpsKind::Tracked(prepared) => prepared.finish((x, kernel, options), out),
        OpsKind::UnTracked(prepared) => prepared.finish(out),
    })
}

/// The pass backwards.
#[derive(Debug)]
struct Depthwise;

impl Backward<Flex, 3> for Depthwise {
    type State = (FloatTensor<Flex>, FloatTensor<Flex>, ConvOptions<2>);

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let given = gradients.consume::<Flex>(&ops.node).to_contiguous();
        let [of_x, of_kernel, of_bias] = ops.parents;
        let (x, kernel, options) = (ops.state.0.to_contiguous(), ops.state.1.to_contiguous(), ops.state.2);
        let planes = Planes::new(x.shape().dims(), kernel.shape().dims(), given.shape().dims(), &options);
        if let Some(node) = of_x {
            let own = planes.by_input(values(&kernel), values(&given));
            gradients.register::<Flex>(node.id, tensor(own, x.shape()));
        }
        if let Some(node) = of_kernel {
            let own = planes.by_kernel(values(&x), values(&given));
            gradients.register::<Flex>(node.id, tensor(own, kernel.shape()));
        }
        if let Some(node) = of_bias {
            let own = planes.by_bias(values(&given));
            gradients.register::<Flex>(node.id, tensor(own, [planes.channels].into()));
        }
    }
}

/// The sizes of the planes of a map, of a kernel, and of what comes out, `[rows, columns]`.
struct Planes {
    pictures: usize,
    channels: usize,
    input: [usize; 2],
    output: [usize; 2],
    side: usize,
    stride: usize,
    /// Zeros above and to the left.
    before: [usize; 2],
}

impl Planes {
    fn new(x: [usize; 4], kernel: [usize; 4], out: [usize; 4], options: &ConvOptions<2>) -> Self {
        Self {
            pictures: x[0],
            channels: x[1],
            input: [x[2], x[3]],
            output: [out[2], out[3]],
            side: kernel[2],
            stride: options.stride[0],
            before: options.padding_begin(),
        }
    }

    /// The widest shift within a phase.
    fn reach(&self) -> usize {
        (self.side - 1) / self.stride
    }

    /// Columns of a phase, and of the line of derivatives.
    fn wide(&self) -> usize {
        self.output[1] + self.reach()
    }

    /// Length of a phase: its rows, and what the widest shift of the last of them reads beyond.
    fn length(&self) -> usize {
        (self.output[0] + self.reach()) * self.wide() + self.reach()
    }

    /// Where in the phases each weight finds its first input.
    fn shifts(&self) -> impl Iterator<Item = usize> + '_ {
        let place = |row: usize, column: usize| {
            let phase = row % self.stride * self.stride + column % self.stride;
            phase * self.length() + row / self.stride * self.wide() + column / self.stride
        };
        (0..self.side).flat_map(move |row| (0..self.side).map(move |column| place(row, column)))
    }

    /// Calls `with` with the place of each input of a plane, and with that among the phases; those that no weight sees
    /// are passed over.
    #[inline(always)]
    fn inputs(&self, mut with: impl FnMut(usize, usize)) {
        let (stride, wide, length) = (self.stride, self.wide(), self.length());
        for row in 0..self.input[0] {
            let down = row + self.before[0];
            if down / stride >= self.output[0] + self.reach() {
                break;
            }
            let line = down % stride * stride * length + down / stride * wide;
            for column in 0..self.input[1] {
                let across = column + self.before[1];
                if across / stride < wide {
                    with(row * self.input[1] + column, line + across % stride * length + across / stride);
                }
            }
        }
    }

    /// The derivatives of a plane of the output as a line, zeros beyond each row.
    #[inline(always)]
    fn lay(&self, given: &[f32], line: &mut [f32]) {
        let rows = given.chunks_exact(self.output[1]);
        rows.zip(line.chunks_exact_mut(self.wide()))
            .for_each(|(own, row)| row[..own.len()].copy_from_slice(own));
    }

    /// Zeros for phases and a line.
    fn room(&self) -> (Vec<f32>, Vec<f32>) {
        let phases = vec![0.0; self.stride * self.stride * self.length()];
        (phases, vec![0.0; self.output[0] * self.wide()])
    }

    /// Derivatives by the input, from kernels and derivatives by the output.
    fn by_input(&self, kernels: &[f32], given: &[f32]) -> Vec<f32> {
        let (size, out, weights) = (area(self.input), area(self.output), self.side * self.side);
        let mut all = vec![0.0; self.pictures * self.channels * size];
        let plane = |(phases, line): &mut (Vec<f32>, Vec<f32>), (at, own): (usize, &mut [f32])| {
            let kernel = &kernels[at % self.channels * weights..][..weights];
            vectorized(|| {
                self.lay(&given[at * out..][..out], line);
                phases.fill(0.0);
                for (weight, shift) in kernel.iter().zip(self.shifts()) {
                    let piece = &mut phases[shift..][..line.len()];
                    piece.iter_mut().zip(&*line).for_each(|(sum, given)| *sum += weight * given);
                }
                self.inputs(|place, among| own[place] = phases[among]);
            });
        };
        all.par_chunks_mut(size).enumerate().for_each_init(|| self.room(), plane);
        all
    }

    /// Derivatives by the kernels, from the input and derivatives by the output.
    fn by_kernel(&self, x: &[f32], given: &[f32]) -> Vec<f32> {
        let (size, out, weights) = (area(self.input), area(self.output), self.side * self.side);
        let mut all = vec![0.0; self.pictures * self.channels * weights];
        let plane = |(phases, line): &mut (Vec<f32>, Vec<f32>), (at, own): (usize, &mut [f32])| {
            let x = &x[at * size..][..size];
            vectorized(|| {
                self.lay(&given[at * out..][..out], line);
                self.inputs(|place, among| phases[among] = x[place]);
                for (sum, shift) in own.iter_mut().zip(self.shifts()) {
                    *sum = in_lanes(&phases[shift..][..line.len()], line);
                }
            });
        };
        all.par_chunks_mut(weights).enumerate().for_each_init(|| self.room(), plane);
        self.over_pictures(&all)
    }

    /// Derivatives by the biases, from those by the output.
    fn by_bias(&self, given: &[f32]) -> Vec<f32> {
        let planes = given.chunks_exact(area(self.output));
        self.over_pictures(&planes.map(|plane| plane.iter().sum()).collect::<Vec<f32>>())
    }

    /// Adds up what belongs to the same channel, picture by picture.
    fn over_pictures(&self, all: &[f32]) -> Vec<f32> {
        let mut pictures = all.chunks_exact(all.len() / self.pictures.max(1));
        let mut sum = pictures.next().unwrap_or_default().to_vec();
        pictures.for_each(|own| sum.iter_mut().zip(own).for_each(|(sum, own)| *sum += own));
        sum
    }
}

fn area([rows, columns]: [usize; 2]) -> usize {
    rows * columns
}

/// An inner product in sixteen fixed lanes.
#[inline(always)]
fn in_lanes(a: &[f32], b: &[f32]) -> f32 {
    let (mut lanes, split) = ([0f32; 16], a.len() - a.len() % 16);
    for (a, b) in a.chunks_exact(16).zip(b.chunks_exact(16)) {
        for lane in 0..16 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a[split..].iter().zip(&b[split..]).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    /// The framework's own derivatives, of both strides, both kernels, and zeros that are not the same on both sides.
    #[test]
    fn derivatives_are_those_of_the_general_convolution() {
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
            (7, 3, [(3, 3), (2, 4)], 20, 23),
        ] {
            let found = [false, true].map(|own| {
                let make = |shape: [usize; 4], seed| {
                    let data = TensorData::new(numbers(shape.iter().product(), seed), shape);
                    Tensor::<4>::from_data(data, &device).autodiff().require_grad()
                };
                let (x, kernel) = (make([3, 4, rows, columns], 1), make([4, 1, side, side], 2));
                let bias = Tensor::<1>::from_data(TensorData::new(numbers(4, 3), [4]), &device);
                let bias = bias.autodiff().require_grad();
                let options = ConvOptions::new_with_padding([stride; 2], zeros, [1; 2], 4);
                let out = if own {
                    depthwise(x.clone(), kernel.clone(), bias.clone(), options)
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
                for (theirs, ours) in theirs.iter().zip(ours) {
                    assert!((theirs - ours).abs() < 1e-4, "{side} {stride} {zeros:?}: {theirs} {ours}");
                }
            }
        }
    }
}
