//! Depthwise convolutions on the processor: each channel has a kernel of its own. The framework takes their derivatives
//! channel by channel, each as a convolution of two whole planes, and its pass forwards goes row by row; here a plane is
//! a few long loops.
//!
//! A stride `s` splits a plane into `s * s` phases, and within its phase a weight is one shift. Let the phases be as wide
//! as the output and the widest shift are together, and lay the output out as wide: then a plane is one line. The output
//! is the sum of pieces of the phases, each times its weight; the derivative of a weight is the inner product of a piece
//! and the derivatives of the output; and what a weight hands back to its input is a multiple of them added to its piece.
//!
//! Cost: as many products in each of the three; on each thread as much memory as a plane of the input and one of the
//! output.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::NoCheckpointing};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex, TensorMetadata};
use burn::tensor::Tensor;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use juyi::linalg::vectorized;
use pulp::{Arch, NullaryFnOnce, Simd, WithSimd};
use rayon::prelude::*;

use super::{followed, tensor, values};

/// Whether a convolution of this kernel is one, `(outputs, inputs / groups, side, side)`.
pub(crate) fn is_depthwise(kernel: &Tensor<4>, groups: usize) -> bool {
    let [outputs, one, rows, columns] = kernel.dims();
    groups > 1 && outputs == groups && one == 1 && rows == columns
}

/// Maps `(pictures, channels, rows, columns)` with kernels `(channels, 1, side, side)`, as [`conv2d`] has it.
pub(crate) fn depthwise(
    x: Tensor<4>,
    kernel: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    let bias = bias.unwrap_or_else(|| Tensor::zeros([kernel.dims()[0]], &x.device()));
    if [x.is_autodiff(), kernel.is_autodiff(), bias.is_autodiff()].contains(&true) {
        // An accelerator has its own.
        let (Ok(own), Ok(weights), Ok(added)) = (followed(&x), followed(&kernel), followed(&bias)) else {
            return conv2d(x, kernel, Some(bias), options);
        };
        let ((x, of_x), (kernel, of_kernel), (bias, of_bias)) =
            (own.into_parts(), weights.into_parts(), added.into_parts());
        let out = forwards(&x, &kernel, &bias, &options);
        let prepared = Depthwise.prepare::<NoCheckpointing>([of_x, of_kernel, of_bias]).compute_bound();
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
    let [pictures, channels, rows, columns] = x.shape().dims();
    let (side, stride) = (kernel.shape().dims::<4>()[2], options.stride[0]);
    let (begin, end) = (options.padding_begin(), options.padding_end());
    let out = |at: usize, inputs: usize| (inputs + begin[at] + end[at] - side) / stride + 1;
    let out = [pictures, channels, out(0, rows), out(1, columns)];
    let planes = Planes::new(x.shape().dims(), kernel.shape().dims(), out, options);
    tensor(planes.output(values(&x), values(&kernel), values(&bias)), out.into())
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

/// A line is a multiple of this long: four of the widest vectors.
const BLOCK: usize = 64;

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

    /// Columns of a phase, and of the line.
    fn wide(&self) -> usize {
        self.output[1] + self.reach()
    }

    /// Length of the line: all rows of the output, in whole blocks.
    fn line(&self) -> usize {
        (self.output[0] * self.wide()).next_multiple_of(BLOCK)
    }

    /// Length of a phase: that of the line behind the widest shift.
    fn length(&self) -> usize {
        self.reach() * self.wide() + self.reach() + self.line()
    }

    /// Where in the phases each weight finds its first input.
    fn shifts(&self) -> Vec<usize> {
        let place = |row: usize, column: usize| {
            let phase = row % self.stride * self.stride + column % self.stride;
            phase * self.length() + row / self.stride * self.wide() + column / self.stride
        };
        (0..self.side)
            .flat_map(|row| (0..self.side).map(move |column| (row, column)))
            .map(|(row, column)| place(row, column))
            .collect()
    }

    /// The inputs of a plane that lie side by side in a phase, a stride apart in the plane: the first of them, its place
    /// among the phases, and how many. Those that no weight sees are passed over.
    fn runs(&self) -> Vec<[usize; 3]> {
        let (stride, wide) = (self.stride, self.wide());
        let mut runs = Vec::with_capacity(self.input[0] * stride);
        for row in 0..self.input[0] {
            let down = row + self.before[0];
            if down / stride >= self.output[0] + self.reach() {
                break;
            }
            for first in 0..stride.min(self.input[1]) {
                let across = first + self.before[1];
                let phase = down % stride * stride + across % stride;
                let count = (self.input[1] - first).div_ceil(stride).min(wide - (across / stride).min(wide));
                let place = phase * self.length() + down / stride * wide + across / stride;
                runs.push([row * self.input[1] + first, place, count]);
            }
        }
        runs
    }

    /// The derivatives of a plane of the output as a line, zeros beyond each row.
    fn lay(&self, given: &[f32], line: &mut [f32]) {
        let rows = given.chunks_exact(self.output[1]);
        rows.zip(line.chunks_exact_mut(self.wide()))
            .for_each(|(own, row)| row[..own.len()].copy_from_slice(own));
    }

    /// Zeros for phases and a line.
    fn room(&self) -> (Vec<f32>, Vec<f32>) {
        (vec![0.0; self.stride * self.stride * self.length()], vec![0.0; self.line()])
    }

    /// What comes out, from the input, kernels and biases.
    fn output(&self, x: &[f32], kernels: &[f32], biases: &[f32]) -> Vec<f32> {
        let (size, out, weights) = (area(self.input), area(self.output), self.side * self.side);
        let (runs, shifts) = (self.runs(), self.shifts());
        let mut all = vec![0.0; self.pictures * self.channels * out];
        let plane = |(phases, line): &mut (Vec<f32>, Vec<f32>), (at, own): (usize, &mut [f32])| {
            let (x, channel) = (&x[at * size..][..size], at % self.channels);
            let kernel = &kernels[channel * weights..][..weights];
            self.split(x, &runs, phases);
            Arch::new().dispatch(Sums {
                line: &mut *line,
                phases,
                kernel,
                shifts: &shifts,
                bias: biases[channel],
            });
            let rows = own.chunks_exact_mut(self.output[1]).zip(line.chunks_exact(self.wide()));
            rows.for_each(|(own, row)| own.copy_from_slice(&row[..own.len()]));
        };
        all.par_chunks_mut(out).enumerate().for_each_init(|| self.room(), plane);
        all
    }

    /// A plane of the input as phases.
    fn split(&self, x: &[f32], runs: &[[usize; 3]], phases: &mut [f32]) {
        for &[first, place, count] in runs {
            let to = &mut phases[place..][..count];
            match self.stride {
                1 => to.copy_from_slice(&x[first..][..count]),
                stride => to.iter_mut().zip(x[first..].iter().step_by(stride)).for_each(|(to, x)| *to = *x),
            }
        }
    }

    /// Derivatives by the input, from kernels and derivatives by the output.
    fn by_input(&self, kernels: &[f32], given: &[f32]) -> Vec<f32> {
        let (size, out, weights) = (area(self.input), area(self.output), self.side * self.side);
        let (runs, shifts) = (self.runs(), self.shifts());
        let mut all = vec![0.0; self.pictures * self.channels * size];
        let plane = |(phases, line): &mut (Vec<f32>, Vec<f32>), (at, own): (usize, &mut [f32])| {
            let kernel = &kernels[at % self.channels * weights..][..weights];
            self.lay(&given[at * out..][..out], line);
            phases.fill(0.0);
            for (weight, shift) in kernel.iter().zip(&shifts) {
                let piece = &mut phases[*shift..][..line.len()];
                vectorized(|| piece.iter_mut().zip(&*line).for_each(|(sum, given)| *sum += weight * given));
            }
            for &[first, place, count] in &runs {
                let to = own[first..].iter_mut().step_by(self.stride);
                to.zip(&phases[place..][..count]).for_each(|(to, sum)| *to = *sum);
            }
        };
        all.par_chunks_mut(size).enumerate().for_each_init(|| self.room(), plane);
        all
    }

    /// Derivatives by the kernels, from the input and derivatives by the output.
    fn by_kernel(&self, x: &[f32], given: &[f32]) -> Vec<f32> {
        let (size, out, weights) = (area(self.input), area(self.output), self.side * self.side);
        let (runs, shifts) = (self.runs(), self.shifts());
        let mut all = vec![0.0; self.pictures * self.channels * weights];
        let plane = |(phases, line): &mut (Vec<f32>, Vec<f32>), (at, own): (usize, &mut [f32])| {
            let x = &x[at * size..][..size];
            self.lay(&given[at * out..][..out], line);
            self.split(x, &runs, phases);
            for (sum, shift) in own.iter_mut().zip(&shifts) {
                *sum = Arch::new().dispatch(Inner { a: &phases[*shift..][..line.len()], b: line });
            }
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

/// What comes out as a line: the bias, and for each weight a piece of the phases times it.
struct Sums<'a> {
    line: &'a mut [f32],
    phases: &'a [f32],
    kernel: &'a [f32],
    shifts: &'a [usize],
    bias: f32,
}

impl WithSimd for Sums<'_> {
    type Output = ();

    /// Four vectors of the line at a time, which stay in registers.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (line, _) = S::as_mut_simd_f32s(self.line);
        for (block, line) in line.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let mut sums = [simd.splat_f32s(self.bias); 4];
            for (weight, shift) in self.kernel.iter().zip(self.shifts) {
                let (weight, size) = (simd.splat_f32s(*weight), 4 * S::F32_LANES);
                let (piece, _) = S::as_simd_f32s(&self.phases[shift + block * size..][..size]);
                for (sum, x) in sums.iter_mut().zip(piece) {
                    *sum = simd.add_f32s(*sum, simd.mul_f32s(weight, *x));
                }
            }
            *line = sums;
        }
    }
}

/// An inner product of whole blocks in sixteen fixed lanes.
struct Inner<'a> {
    a: &'a [f32],
    b: &'a [f32],
}

impl NullaryFnOnce for Inner<'_> {
    type Output = f32;

    #[inline(always)]
    fn call(self) -> f32 {
        let mut lanes = [0f32; 16];
        for (a, b) in self.a.as_chunks::<16>().0.iter().zip(self.b.as_chunks::<16>().0) {
            for lane in 0..16 {
                lanes[lane] += a[lane] * b[lane];
            }
        }
        lanes.iter().sum()
    }
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
                    depthwise(x.clone(), kernel.clone(), Some(bias.clone()), options)
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
