//! The tests from outside, one binary.

mod checkpoint;
mod formula;
mod training;
mod zoo;
