//! Convolutions in which each channel has a kernel of its own. The framework takes their derivatives channel by channel,
//! each as a convolution of two whole planes, and its pass forwards goes row by row; here a plane is a few long loops.
//!
//! Let the output be laid out as wide as the phases ([`Planes`]): then a plane is one line. The output is the sum of pieces
//! of the phases, each times its weight; the derivative of a weight is the inner product of a piece and the derivatives of
//! the output; and what a weight hands back to its input is a multiple of them added to its piece.
//!
//! Cost: as many products in each of the three; on each thread as much memory as a plane of the input and one of the
//! output.

use juyi::linalg::vectorized;
use pulp::{Arch, NullaryFnOnce, Simd, WithSimd};
use rayon::prelude::*;

use super::planes::Planes;

/// What comes out, from the input, kernels and biases.
pub(super) fn output(planes: &Planes, x: &[f32], kernels: &[f32], biases: &[f32]) -> Vec<f32> {
    let (size, out, weights) = (planes.inputs(), planes.outputs(), planes.weights());
    let (runs, shifts) = (planes.runs(), planes.shifts());
    let mut all = vec![0.0; planes.pictures * planes.channels[1] * out];
    let plane = |(phases, line): &mut (Vec<f32>, Vec<f32>), (at, own): (usize, &mut [f32])| {
        let (x, channel) = (&x[at * size..][..size], at % planes.channels[0]);
        let kernel = &kernels[channel * weights..][..weights];
        planes.split(x, &runs, phases);
        Arch::new().dispatch(Sums {
            line: &mut *line,
            phases,
            kernel,
            shifts: &shifts,
            bias: biases[channel],
        });
        planes.take(line, own);
    };
    all.par_chunks_mut(out).enumerate().for_each_init(|| room(planes), plane);
    all
}

/// Derivatives by the input, from kernels and derivatives by the output.
pub(super) fn by_input(planes: &Planes, kernels: &[f32], given: &[f32]) -> Vec<f32> {
    let (size, out, weights) = (planes.inputs(), planes.outputs(), planes.weights());
    let (runs, shifts) = (planes.runs(), planes.shifts());
    let mut all = vec![0.0; planes.pictures * planes.channels[0] * size];
    let plane = |(phases, line): &mut (Vec<f32>, Vec<f32>), (at, own): (usize, &mut [f32])| {
        let kernel = &kernels[at % planes.channels[0] * weights..][..weights];
        planes.lay(&given[at * out..][..out], line);
        phases.fill(0.0);
        for (weight, shift) in kernel.iter().zip(&shifts) {
            let piece = &mut phases[*shift..][..line.len()];
            vectorized(|| piece.iter_mut().zip(&*line).for_each(|(sum, given)| *sum += weight * given));
        }
        planes.join(phases, &runs, own);
    };
    all.par_chunks_mut(size).enumerate().for_each_init(|| room(planes), plane);
    all
}

/// Derivatives by the kernels, from the input and derivatives by the output.
pub(super) fn by_kernel(planes: &Planes, x: &[f32], given: &[f32]) -> Vec<f32> {
    let (size, out, weights) = (planes.inputs(), planes.outputs(), planes.weights());
    let (runs, shifts) = (planes.runs(), planes.shifts());
    let mut all = vec![0.0; planes.pictures * planes.channels[0] * weights];
    let plane = |(phases, line): &mut (Vec<f32>, Vec<f32>), (at, own): (usize, &mut [f32])| {
        planes.lay(&given[at * out..][..out], line);
        planes.split(&x[at * size..][..size], &runs, phases);
        for (sum, shift) in own.iter_mut().zip(&shifts) {
            *sum = Arch::new().dispatch(Inner { a: &phases[*shift..][..line.len()], b: line });
        }
    };
    all.par_chunks_mut(weights).enumerate().for_each_init(|| room(planes), plane);
    planes.over_pictures(&all)
}

/// Zeros for phases and a line.
fn room(planes: &Planes) -> (Vec<f32>, Vec<f32>) {
    (vec![0.0; planes.phases()], vec![0.0; planes.line()])
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
