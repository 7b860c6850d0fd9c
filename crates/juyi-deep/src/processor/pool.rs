//! The largest number under each window of a map. The framework goes window by window; here a plane is a few long loops
//! over its phases ([`Planes`]), a comparison for each place in the window. Backwards a derivative goes to the first place,
//! row by row, that holds the largest number.
//!
//! Cost: a comparison for each number under each window, twice as many backwards; on each thread as much memory as a plane
//! of the input and one of the output.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::NoCheckpointing};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex, TensorMetadata};
use burn::tensor::Tensor;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use juyi::linalg::vectorized;
use rayon::prelude::*;

use super::planes::Planes;
use super::{followed, tensor, values};

/// Maps `(pictures, channels, rows, columns)` with a window of `side` x `side`. Of `options`, stride and padding count; what
/// is around the map is never the largest.
pub(crate) fn max_pool(x: Tensor<4>, side: usize, options: &ConvOptions<2>) -> Tensor<4> {
    if x.is_autodiff() {
        // An accelerator has its own.
        let Ok(followed) = followed(&x) else { return by_the_framework(x, side, options) };
        let (x, node) = followed.into_parts();
        let (out, planes) = forwards(&x, side, options);
        let prepared = MaxPool.prepare::<NoCheckpointing>([node]).compute_bound();
        return Tensor::from_primitive::<Autodiff<Flex>>(match prepared.stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((x, out.clone(), planes), out),
            OpsKind::UnTracked(prepared) => prepared.finish(out),
        });
    }
    let Ok(own) = x.clone().try_into_primitive::<Flex>() else { return by_the_framework(x, side, options) };
    Tensor::from_primitive::<Flex>(forwards(&own, side, options).0)
}

/// The same on an accelerator: as much is put around the map as the last window needs.
fn by_the_framework(x: Tensor<4>, side: usize, options: &ConvOptions<2>) -> Tensor<4> {
    let [(top, bottom), (left, right)] =
        [0, 1].map(|at| (options.padding_begin()[at], options.padding_end()[at]));
    let mut own = MaxPoolOptions::new([side; 2]);
    own.stride = options.stride;
    own.padding = [(top, bottom), (left, right)];
    max_pool2d(x, own)
}

/// The pass forwards.
fn forwards(x: &FloatTensor<Flex>, side: usize, options: &ConvOptions<2>) -> (FloatTensor<Flex>, Planes) {
    let x = x.to_contiguous();
    let [pictures, channels, rows, columns] = x.shape().dims();
    let planes = Planes::new([pictures, channels, rows, columns], [channels, 1, side, side], options);
    let out = largest(&planes, values(&x));
    (tensor(out, [pictures, channels, planes.output[0], planes.output[1]].into()), planes)
}

/// The pass backwards.
#[derive(Debug)]
struct MaxPool;

impl Backward<Flex, 1> for MaxPool {
    /// What came in and out.
    type State = (FloatTensor<Flex>, FloatTensor<Flex>, Planes);

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let given = gradients.consume::<Flex>(&ops.node).to_contiguous();
        let [of_x] = ops.parents;
        if let Some(node) = of_x {
            let (x, out, planes) = (ops.state.0.to_contiguous(), ops.state.1.to_contiguous(), ops.state.2);
            let own = by_input(&planes, values(&x), values(&out), values(&given));
            gradients.register::<Flex>(node.id, tensor(own, x.shape()));
        }
    }
}

fn largest(planes: &Planes, x: &[f32]) -> Vec<f32> {
    let (size, out) = (planes.inputs(), planes.outputs());
    let (runs, shifts) = (planes.runs(), planes.shifts());
    let mut all = vec![0.0; planes.pictures * planes.channels[0] * out];
    let room = || (vec![f32::NEG_INFINITY; planes.phases()], vec![0.0; planes.line()]);
    let plane = |(phases, line): &mut (Vec<f32>, Vec<f32>), (at, own): (usize, &mut [f32])| {
        planes.split(&x[at * size..][..size], &runs, phases);
        line.fill(f32::NEG_INFINITY);
        for shift in &shifts {
            let piece = &phases[*shift..][..line.len()];
            vectorized(|| {
                // What is no number stays.
                line.iter_mut().zip(piece).for_each(|(most, x)| {
                    *most = if *x > *most || x.is_nan() { *x } else { *most };
                });
            });
        }
        planes.take(line, own);
    };
    all.par_chunks_mut(out).enumerate().for_each_init(room, plane);
    all
}

/// Derivatives by the input.
fn by_input(planes: &Planes, x: &[f32], out: &[f32], given: &[f32]) -> Vec<f32> {
    let (size, each) = (planes.inputs(), planes.outputs());
    let (runs, shifts) = (planes.runs(), planes.shifts());
    let mut all = vec![0.0; planes.pictures * planes.channels[0] * size];
    let room = || {
        let phases = || vec![f32::NEG_INFINITY; planes.phases()];
        let line = || vec![0.0; planes.line()];
        (phases(), phases(), line(), line())
    };
    let plane = |room: &mut (Vec<f32>, Vec<f32>, Vec<f32>, Vec<f32>), (at, own): (usize, &mut [f32])| {
        let (phases, back, most, left) = room;
        planes.split(&x[at * size..][..size], &runs, phases);
        planes.lay(&out[at * each..][..each], most);
        planes.lay(&given[at * each..][..each], left);
        back.fill(0.0);
        for shift in &shifts {
            let (piece, back) = (&phases[*shift..][..most.len()], &mut back[*shift..][..most.len()]);
            vectorized(|| {
                for (((back, x), most), left) in back.iter_mut().zip(piece).zip(&*most).zip(left.iter_mut()) {
                    let hit = *x == *most;
                    *back += if hit { *left } else { 0.0 };
                    *left = if hit { 0.0 } else { *left };
                }
            });
        }
        planes.join(back, &runs, own);
    };
    all.par_chunks_mut(size).enumerate().for_each_init(room, plane);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    /// The framework's own, forwards and backwards; where numbers are the same, a derivative goes to the first.
    #[test]
    fn a_pool_and_its_derivatives_are_those_of_the_framework() {
        let device = Device::flex();
        for (side, stride, zeros, rows, columns) in [
            (3, 2, [(1, 1), (1, 1)], 14, 11),
            (2, 2, [(0, 0), (0, 0)], 9, 8),
            (3, 1, [(1, 1), (1, 1)], 5, 7),
            (3, 2, [(0, 0), (0, 0)], 13, 6),
        ] {
            let found = [false, true].map(|own| {
                // Few values, so that many are the same.
                let numbers = |count: usize, of: usize| -> Vec<f32> {
                    (0..count).map(|i| ((i * 7919 + 13) % 1009 % of) as f32 - 2.0).collect()
                };
                let shape = [2, 3, rows, columns];
                let x = TensorData::new(numbers(6 * rows * columns, 7), shape);
                let x = Tensor::<4>::from_data(x, &device).autodiff().require_grad();
                let options = ConvOptions::new_with_padding([stride; 2], zeros, [1; 2], 1);
                let out = if own {
                    max_pool(x.clone(), side, &options)
                } else {
                    by_the_framework(x.clone(), side, &options)
                };
                let outside = numbers(out.shape().num_elements(), 97);
                let outside = Tensor::<4>::from_data(TensorData::new(outside, out.dims()), &device);
                let gradients = (out.clone() * outside.autodiff()).sum().backward();
                let numbers = |tensor: Tensor<4>| crate::network::numbers(tensor.into_data());
                [numbers(out), numbers(x.grad(&gradients).unwrap())]
            });
            assert_eq!(found[0], found[1], "{side} {stride} {zeros:?}");
        }
    }
}
