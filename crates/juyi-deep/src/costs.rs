//! What a layer costs: products, work and room, counted before anything is computed. What is too large to be counted
//! stays the largest count, which is above every limit.

use std::num::Saturating;
use std::ops::{Add, Mul};

use crate::extents::Extent;
use crate::layers::{Convolution, Layer};

/// Work that a number takes that is read, written or kept, in products of two numbers.
const NUMBER: u64 = 32;
/// Work that a layer takes beside its numbers.
const CALL: u64 = 1_000_000;
/// Numbers of a tile of columns, about: what stays in the cache of a thread.
pub(crate) const TILE: usize = 1 << 18;
/// A line of a plane is a multiple of this long: four of the widest vectors.
pub(crate) const BLOCK: usize = 64;
/// Places of a tile of the framework's convolution.
const FRAMEWORK_TILE: usize = 512;

/// What one picture takes on its way through layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Products of two numbers in convolutions, linear layers and attention.
    pub products: u64,
    /// All that takes time, in products: comparisons, and numbers that are moved, too.
    pub work: u64,
    /// Most numbers held at a time: what comes in and goes out, and what a layer needs for itself.
    pub held: u64,
}

impl Cost {
    /// Bytes that the numbers take.
    pub fn bytes(self) -> u64 {
        self.held.saturating_mul(size_of::<f32>() as u64)
    }
}

/// That of layers one after another.
impl Add for Cost {
    type Output = Self;

    fn add(self, next: Self) -> Self {
        Self {
            products: self.products.saturating_add(next.products),
            work: self.work.saturating_add(next.work),
            held: self.held.max(next.held),
        }
    }
}

/// That of layers which are run several times.
impl Mul<u64> for Cost {
    type Output = Self;

    fn mul(self, times: u64) -> Self {
        let Self { products, work, held } = self;
        Self { products: products.saturating_mul(times), work: work.saturating_mul(times), held }
    }
}

/// A count that does not wrap.
type Count = Saturating<u64>;

fn count(size: usize) -> Count {
    Saturating(size as u64)
}

/// What a layer takes for itself.
#[derive(Default)]
struct Own {
    products: Count,
    /// Beside the products.
    work: Count,
    room: Count,
}

/// What a layer costs that makes `to` of `from`, beside the layers inside it, which cost `inner`.
pub(crate) fn of_layer(layer: &Layer, from: Extent, to: Extent, inner: Cost) -> Cost {
    let (numbers, out) = (count(from.count()), count(to.count()));
    let own = match (layer, from, to) {
        (Layer::Convolution(own), Extent::Map(_, rows, columns), Extent::Map(_, down, across)) => {
            of_convolution(own, [rows, columns], [down, across])
        }
        (
            Layer::MaxPool { kernel, stride, .. },
            Extent::Map(channels, rows, columns),
            Extent::Map(_, down, across),
        ) => {
            let plane =
                Plane { input: [rows, columns], output: [down, across], side: *kernel, stride: *stride };
            let work = count(channels) * plane.weights() * plane.line() * Saturating(4);
            Own { work, room: threads() * (plane.phases() + plane.line()) + plane.places(), ..Own::default() }
        }
        (Layer::Linear { inputs, outputs, .. }, _, _) => {
            let rows = if let Extent::Tokens(rows, _) = from { rows } else { 1 };
            Own { products: count(rows) * count(*inputs) * count(*outputs), ..Own::default() }
        }
        (Layer::Attention { heads, prefix, .. }, Extent::Tokens(tokens, width), _) => {
            let seen = count(tokens) + count(prefix.as_ref().map_or(0, |(_, more)| *more));
            let (tokens, width, heads) = (count(tokens), count(width), count(*heads));
            let scores = tokens * seen;
            let products = Saturating(4) * tokens * width * width + Saturating(2) * scores * width;
            let kept = Saturating(8) * tokens * width + Saturating(4) * seen * width;
            Own { products, work: products, room: kept + Saturating(3) * heads * scores }
        }
        (Layer::AcrossChannels { kernel, .. }, ..) => {
            let products = numbers * count(*kernel);
            Own { products, work: products * Saturating(NUMBER), room: products + numbers }
        }
        (Layer::BatchNorm { .. } | Layer::LayerNorm { .. } | Layer::Gelu, ..) => {
            Own { room: Saturating(3) * numbers, ..Own::default() }
        }
        (Layer::OfMeanAndLargest(_) | Layer::MeanAndLargestChannel, ..) => {
            Own { room: Saturating(2) * numbers + Saturating(4) * out, ..Own::default() }
        }
        (
            Layer::Tokens { .. } | Layer::AverageTo { .. } | Layer::Residual { .. } | Layer::Branches(_),
            ..,
        ) => Own { room: Saturating(3) * out, ..Own::default() },
        (Layer::Gate(_), ..) => Own { room: Saturating(2) * numbers, ..Own::default() },
        (Layer::Relu | Layer::Relu6 | Layer::Flatten | Layer::Dropout { .. } | Layer::ClassToken, ..) => {
            Own::default()
        }
        // What `Layer::after` refuses.
        (Layer::Convolution(_) | Layer::MaxPool { .. } | Layer::Attention { .. }, ..) => Own::default(),
    };
    let held = numbers + out + own.room;
    let work = own.products + own.work + held * Saturating(NUMBER) + Saturating(CALL);
    let Cost { products, work: within, held: inside } = inner;
    Cost {
        products: (own.products + Saturating(products)).0,
        work: (work + Saturating(within)).0,
        held: (held + Saturating(inside)).0,
    }
}

/// Threads of this process.
fn threads() -> Count {
    count(rayon::current_num_threads())
}

fn of_convolution(own: &Convolution, input: [usize; 2], output: [usize; 2]) -> Own {
    let plane = Plane { input, output, side: own.kernel, stride: own.stride };
    let (inputs, outputs) = (count(own.inputs), count(own.outputs));
    let places = count(output[0]) * count(output[1]);
    // Inputs that a number of the output sees.
    let depth = count(own.inputs / own.groups.max(1)) * plane.weights();
    let (products, weights) = (outputs * places * depth, outputs * depth);
    if own.groups == 1 && own.kernel == 1 && own.stride == 1 {
        return Own { products, work: Saturating(0), room: weights };
    }
    if own.groups == 1 {
        let rows =
            count(output[0]).0.min((count(TILE) / (depth * count(output[1])).max(Saturating(1))).0.max(1));
        let tile = depth * Saturating(rows) * count(output[1]);
        // Each piece of a column is as long as a row of the output, and has to be found.
        let work = depth * count(output[0]) * (count(output[1]) + Saturating(8)) * Saturating(16);
        return Own { products, work, room: weights + tile + inputs * plane.phases() + plane.places() };
    }
    if own.groups == own.inputs && own.groups == own.outputs {
        let work = inputs * plane.weights() * plane.line() * Saturating(4);
        let room = threads() * (plane.phases() + plane.line()) + plane.places();
        return Own { products, work, room: weights + room };
    }
    // The framework's, group by group and tile by tile.
    let tiles = Saturating(places.0.div_ceil(FRAMEWORK_TILE as u64));
    let columns = depth * places * count(own.groups);
    let numbers = (inputs * count(input[0]) * count(input[1])) + outputs * places;
    let tile = threads() * Saturating(2) * depth * count(FRAMEWORK_TILE);
    let work = (columns + products / Saturating(4)) * Saturating(32)
        + tiles * count(own.groups) * Saturating(50_000);
    Own { products, work, room: weights + numbers + tile }
}

/// A plane of a map, and how a window goes over it. What it takes is what `processor::planes` lays out.
pub(crate) struct Plane {
    pub(crate) input: [usize; 2],
    pub(crate) output: [usize; 2],
    pub(crate) side: usize,
    pub(crate) stride: usize,
}

impl Plane {
    fn weights(&self) -> Count {
        count(self.side) * count(self.side)
    }

    /// The widest shift within a phase.
    fn reach(&self) -> Count {
        count(self.side.saturating_sub(1) / self.stride.max(1))
    }

    pub(crate) fn line(&self) -> Count {
        let wide = count(self.output[1]) + self.reach();
        let length = (count(self.output[0]) * wide).0;
        Saturating(length.checked_next_multiple_of(BLOCK as u64).unwrap_or(u64::MAX))
    }

    pub(crate) fn phases(&self) -> Count {
        let wide = count(self.output[1]) + self.reach();
        let length = self.reach() * wide + self.reach() + self.line();
        count(self.stride) * count(self.stride) * length
    }

    /// Numbers that the places of runs and weights take: three for a run, one for a weight, of twice the size.
    fn places(&self) -> Count {
        let runs = count(self.input[0]) * count(self.stride.min(self.input[1]));
        Saturating(6) * runs + Saturating(2) * self.weights()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::convolution;

    #[test]
    fn what_cannot_be_counted_is_above_every_limit() {
        let layer = Layer::AverageTo { side: 1 };
        let far = Extent::Map(usize::MAX, usize::MAX, 3);
        let cost = of_layer(&layer, far, far, Cost::default());
        assert_eq!((cost.held, cost.work, cost.bytes()), (u64::MAX, u64::MAX, u64::MAX));
    }

    #[test]
    fn costs_by_hand() {
        // 8 numbers go out for each of 4 places, of 3 channels: no room but the 24 weights.
        let plain = Layer::from(convolution("c", (3, 8), 1, 1));
        let (from, to) = (Extent::Map(3, 2, 2), Extent::Map(8, 2, 2));
        let cost = of_layer(&plain, from, to, Cost::default());
        assert_eq!((cost.products, cost.held), (96, 12 + 32 + 24));
        assert_eq!(cost.work, 96 + NUMBER * cost.held + CALL);
        let twice = cost + cost * 2;
        assert_eq!((twice.products, twice.held), (3 * 96, cost.held));
    }
}
