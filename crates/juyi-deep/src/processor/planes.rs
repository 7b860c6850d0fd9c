//! The geometry of a convolution: how a plane of its input is laid out for long loops.
//!
//! A stride `s` splits a plane, with the zeros around it, into `s * s` phases, and within its phase a weight is one shift.
//! Phases are as wide as the output and the widest shift are together.

use burn::tensor::ops::ConvOptions;

use crate::costs::BLOCK;

/// The sizes of the planes of a map, of a kernel or window, and of what comes out, `[rows, columns]`.
#[derive(Debug, Clone)]
pub(super) struct Planes {
    pub(super) pictures: usize,
    /// Channels that come in, and that go out.
    pub(super) channels: [usize; 2],
    pub(super) input: [usize; 2],
    pub(super) output: [usize; 2],
    pub(super) side: usize,
    pub(super) stride: usize,
    /// Zeros above and to the left.
    before: [usize; 2],
}

impl Planes {
    /// Of a map `(pictures, channels, rows, columns)` and a kernel `(outputs, channels / groups, side, side)`.
    pub(super) fn new(x: [usize; 4], kernel: [usize; 4], options: &ConvOptions<2>) -> Self {
        let (side, stride) = (kernel[2], options.stride[0]);
        let (before, behind) = (options.padding_begin(), options.padding_end());
        let out = |inputs: usize, at: usize| (inputs + before[at] + behind[at] - side) / stride + 1;
        Self {
            pictures: x[0],
            channels: [x[1], kernel[0]],
            input: [x[2], x[3]],
            output: [out(x[2], 0), out(x[3], 1)],
            side,
            stride,
            before,
        }
    }

    /// Numbers in a plane of the input.
    pub(super) fn inputs(&self) -> usize {
        self.input[0] * self.input[1]
    }

    /// Numbers in a plane of the output.
    pub(super) fn outputs(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Weights of a channel.
    pub(super) fn weights(&self) -> usize {
        self.side * self.side
    }

    /// The widest shift within a phase.
    fn reach(&self) -> usize {
        (self.side - 1) / self.stride
    }

    /// Columns of a phase, and of the line.
    pub(super) fn wide(&self) -> usize {
        self.output[1] + self.reach()
    }

    /// Length of a plane of the output that is as wide as a phase, in whole blocks.
    pub(super) fn line(&self) -> usize {
        (self.output[0] * self.wide()).next_multiple_of(BLOCK)
    }

    /// Length of a phase: that of the line behind the widest shift.
    fn length(&self) -> usize {
        self.reach() * self.wide() + self.reach() + self.line()
    }

    /// Length of all phases of a plane.
    pub(super) fn phases(&self) -> usize {
        self.stride * self.stride * self.length()
    }

    /// Where in the phases each weight finds its first input.
    pub(super) fn shifts(&self) -> Vec<usize> {
        let place = |weight: usize| {
            let (row, column) = (weight / self.side, weight % self.side);
            let phase = row % self.stride * self.stride + column % self.stride;
            phase * self.length() + row / self.stride * self.wide() + column / self.stride
        };
        (0..self.weights()).map(place).collect()
    }

    /// The inputs of a plane that lie side by side in a phase, a stride apart in the plane: the first of them, its place
    /// among the phases, and how many. Those that no weight sees are passed over.
    pub(super) fn runs(&self) -> Vec<[usize; 3]> {
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
                let count =
                    (self.input[1] - first).div_ceil(stride).min(wide.saturating_sub(across / stride));
                let place = phase * self.length() + down / stride * wide + across / stride;
                runs.push([row * self.input[1] + first, place, count]);
            }
        }
        runs
    }

    /// A plane of the input as phases; the zeros around it have to be there.
    pub(super) fn split(&self, x: &[f32], runs: &[[usize; 3]], phases: &mut [f32]) {
        for &[first, place, count] in runs {
            let to = &mut phases[place..][..count];
            match self.stride {
                1 => to.copy_from_slice(&x[first..][..count]),
                stride => to.iter_mut().zip(x[first..].iter().step_by(stride)).for_each(|(to, x)| *to = *x),
            }
        }
    }

    /// A plane of the output as a line, which stays as it is beyond each row.
    pub(super) fn lay(&self, plane: &[f32], line: &mut [f32]) {
        let rows = plane.chunks_exact(self.output[1]);
        rows.zip(line.chunks_exact_mut(self.wide()))
            .for_each(|(own, row)| row[..own.len()].copy_from_slice(own));
    }

    /// A plane of the output from its line.
    pub(super) fn take(&self, line: &[f32], plane: &mut [f32]) {
        let rows = plane.chunks_exact_mut(self.output[1]).zip(line.chunks_exact(self.wide()));
        rows.for_each(|(own, row)| own.copy_from_slice(&row[..own.len()]));
    }

    /// Adds up what belongs to the same weight, picture by picture.
    pub(super) fn over_pictures(&self, all: &[f32]) -> Vec<f32> {
        let mut pictures = all.chunks_exact(all.len() / self.pictures.max(1));
        let mut sum = pictures.next().unwrap_or_default().to_vec();
        pictures.for_each(|own| sum.iter_mut().zip(own).for_each(|(sum, own)| *sum += own));
        sum
    }

    /// A plane of the input from its phases; what no weight sees stays as it is.
    pub(super) fn join(&self, phases: &[f32], runs: &[[usize; 3]], x: &mut [f32]) {
        for &[first, place, count] in runs {
            let to = x[first..].iter_mut().step_by(self.stride);
            to.zip(&phases[place..][..count]).for_each(|(to, from)| *to = *from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::costs::Plane;

    #[test]
    fn planes_take_what_is_counted_for_them() {
        for (side, stride, input, zeros) in [
            (3, 1, [7, 9], 1),
            (3, 2, [12, 13], 0),
            (7, 3, [20, 23], 3),
            (1, 4, [9, 6], 0),
            (5, 9, [8, 8], 4),
        ] {
            let options = ConvOptions::new([stride; 2], [zeros; 2], [1; 2], 1);
            let planes = Planes::new([1, 2, input[0], input[1]], [2, 2, side, side], &options);
            let counted = Plane { input, output: planes.output, side, stride };
            assert_eq!(planes.line() as u64, counted.line().0, "{side} {stride} {input:?} {zeros}");
            assert_eq!(planes.phases() as u64, counted.phases().0, "{side} {stride} {input:?} {zeros}");
        }
    }
}
