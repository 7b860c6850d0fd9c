//! Convolutions in which all channels see each other, as products of matrices. Tile by tile of rows of the output, the
//! inputs that each weight meets are laid side by side as columns `(channels * side * side, places)`; with kernels
//! `(outputs, channels * side * side)`
//! ```text
//! output = kernels columns,   by kernels = given columnsᵀ,   by columns = kernelsᵀ given
//! ```
//! and derivatives by the columns are added up where they came from. A kernel of one weight needs no columns.
//!
//! Cost: `outputs * channels * side * side * places` products in each of the three; on each thread as much memory as a
//! picture's input, and a tile.

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::planes::Planes;
use crate::costs::TILE;

/// Pictures whose derivatives by the kernels are held at a time.
const HELD: usize = 4;

/// What comes out, from the input, kernels and biases.
pub(super) fn output(planes: &Planes, x: &[f32], kernels: &[f32], biases: &[f32]) -> Vec<f32> {
    let (layout, [channels, outputs]) = (Layout::new(planes), planes.channels);
    let (size, out) = (channels * planes.inputs(), outputs * planes.outputs());
    let kernels = MatRef::from_row_major_slice(kernels, outputs, layout.depth);
    let mut all = Vec::with_capacity(planes.pictures * out);
    for bias in biases.iter().cycle().take(planes.pictures * outputs) {
        all.resize(all.len() + planes.outputs(), *bias);
    }
    let picture = |room: &mut Room, (at, own): (usize, &mut [f32])| {
        let x = &x[at * size..][..size];
        layout.split(x, room);
        let mut own = MatMut::from_row_major_slice_mut(own, outputs, planes.outputs());
        for rows in layout.tiles() {
            let places = layout.places(&rows);
            let columns = layout.columns(x, &rows, room);
            matmul(
                own.as_mut().subcols_mut(places.start, places.len()),
                Accum::Add,
                kernels,
                columns,
                1.0,
                Par::Seq,
            );
        }
    };
    all.par_chunks_mut(out).enumerate().for_each_init(|| layout.room(), picture);
    all
}

/// Derivatives by the input, from kernels and derivatives by the output.
pub(super) fn by_input(planes: &Planes, kernels: &[f32], given: &[f32]) -> Vec<f32> {
    let (layout, [channels, outputs]) = (Layout::new(planes), planes.channels);
    let (size, out) = (channels * planes.inputs(), outputs * planes.outputs());
    let kernels = MatRef::from_row_major_slice(kernels, outputs, layout.depth).transpose();
    let mut all = vec![0.0; planes.pictures * size];
    let picture = |room: &mut Room, (at, own): (usize, &mut [f32])| {
        let given = MatRef::from_row_major_slice(&given[at * out..][..out], outputs, planes.outputs());
        room.phases.fill(0.0);
        for rows in layout.tiles() {
            let places = layout.places(&rows);
            let given = given.subcols(places.start, places.len());
            let columns =
                if layout.plain { &mut *own } else { &mut room.columns[..layout.depth * places.len()] };
            let columns = MatMut::from_row_major_slice_mut(columns, layout.depth, places.len());
            matmul(columns, Accum::Replace, kernels, given, 1.0, Par::Seq);
            if !layout.plain {
                layout.add(&rows, room);
            }
        }
        if !layout.plain {
            let own = own.chunks_exact_mut(planes.inputs());
            own.zip(room.phases.chunks_exact(planes.phases()))
                .for_each(|(own, phases)| planes.join(phases, &layout.runs, own));
        }
    };
    all.par_chunks_mut(size).enumerate().for_each_init(|| layout.room(), picture);
    all
}

/// Derivatives by the kernels, from the input and derivatives by the output.
pub(super) fn by_kernel(planes: &Planes, x: &[f32], given: &[f32]) -> Vec<f32> {
    let (layout, [channels, outputs]) = (Layout::new(planes), planes.channels);
    let (size, out) = (channels * planes.inputs(), outputs * planes.outputs());
    let mut sum = vec![0.0; outputs * layout.depth];
    let mut held = vec![0.0; HELD.min(planes.pictures) * sum.len()];
    for first in (0..planes.pictures).step_by(HELD) {
        let picture = |room: &mut Room, (at, own): (usize, &mut [f32])| {
            let at = first + at;
            if at >= planes.pictures {
                return;
            }
            let x = &x[at * size..][..size];
            let given = MatRef::from_row_major_slice(&given[at * out..][..out], outputs, planes.outputs());
            layout.split(x, room);
            let mut own = MatMut::from_row_major_slice_mut(own, outputs, layout.depth);
            let mut how = Accum::Replace;
            for rows in layout.tiles() {
                let places = layout.places(&rows);
                let given = given.subcols(places.start, places.len());
                let columns = layout.columns(x, &rows, room).transpose();
                matmul(own.as_mut(), how, given, columns, 1.0, Par::Seq);
                how = Accum::Add;
            }
        };
        held.par_chunks_mut(sum.len()).enumerate().for_each_init(|| layout.room(), picture);
        for own in held.chunks_exact(sum.len()).take(planes.pictures - first) {
            sum.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
        }
    }
    sum
}

/// How the columns lie.
struct Layout<'a> {
    planes: &'a Planes,
    /// Rows of the columns: the inputs that a number of the output sees.
    depth: usize,
    /// Whether the columns are the input as it is.
    plain: bool,
    runs: Vec<[usize; 3]>,
    shifts: Vec<usize>,
}

/// Memory of a thread.
struct Room {
    /// Of all channels.
    phases: Vec<f32>,
    /// A tile.
    columns: Vec<f32>,
}

impl<'a> Layout<'a> {
    fn new(planes: &'a Planes) -> Self {
        let plain = planes.side == 1 && planes.stride == 1 && planes.input == planes.output;
        let depth = planes.channels[0] * planes.weights();
        Self { planes, depth, plain, runs: planes.runs(), shifts: planes.shifts() }
    }

    fn room(&self) -> Room {
        if self.plain {
            return Room { phases: Vec::new(), columns: Vec::new() };
        }
        let phases = vec![0.0; self.planes.channels[0] * self.planes.phases()];
        Room { phases, columns: vec![0.0; self.depth * self.rows() * self.planes.output[1]] }
    }

    /// Rows of the output in a tile.
    fn rows(&self) -> usize {
        let [rows, columns] = self.planes.output;
        if self.plain { rows } else { (TILE / (self.depth * columns)).clamp(1, rows) }
    }

    fn tiles(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (all, step) = (self.planes.output[0], self.rows());
        (0..all).step_by(step).map(move |first| first..(first + step).min(all))
    }

    /// The places of some rows of the output.
    fn places(&self, rows: &Range<usize>) -> Range<usize> {
        rows.start * self.planes.output[1]..rows.end * self.planes.output[1]
    }

    /// The phases of all channels of a picture.
    fn split(&self, x: &[f32], room: &mut Room) {
        if !self.plain {
            let phases = room.phases.chunks_exact_mut(self.planes.phases());
            x.chunks_exact(self.planes.inputs())
                .zip(phases)
                .for_each(|(x, phases)| self.planes.split(x, &self.runs, phases));
        }
    }

    /// Where each piece of a tile of columns lies among the phases, row by row of the columns and of the output.
    fn pieces(&self, rows: &Range<usize>) -> impl Iterator<Item = usize> {
        let (wide, each, rows) = (self.planes.wide(), self.planes.phases(), rows.clone());
        let starts = (0..self.planes.channels[0])
            .flat_map(move |channel| self.shifts.iter().map(move |shift| channel * each + shift));
        starts.flat_map(move |start| rows.clone().map(move |row| start + row * wide))
    }

    /// A tile of columns.
    fn columns<'b>(&self, x: &'b [f32], rows: &Range<usize>, room: &'b mut Room) -> MatRef<'b, f32> {
        let places = self.places(rows);
        if self.plain {
            return MatRef::from_row_major_slice(x, self.depth, places.len());
        }
        let wide = self.planes.output[1];
        let columns = &mut room.columns[..self.depth * places.len()];
        for (to, from) in columns.chunks_exact_mut(wide).zip(self.pieces(rows)) {
            to.copy_from_slice(&room.phases[from..][..wide]);
        }
        MatRef::from_row_major_slice(columns, self.depth, places.len())
    }

    /// Adds a tile of derivatives to the phases.
    fn add(&self, rows: &Range<usize>, room: &mut Room) {
        let wide = self.planes.output[1];
        let columns = &room.columns[..self.depth * self.places(rows).len()];
        for (own, to) in columns.chunks_exact(wide).zip(self.pieces(rows)) {
            room.phases[to..][..wide].iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
        }
    }
}
