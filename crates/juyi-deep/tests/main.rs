//! The tests from outside, one binary.

mod checkpoint;
mod formula;
mod layers;
mod training;
mod zoo;
