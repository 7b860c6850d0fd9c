//! The tests from outside, one binary.

mod circles;
mod corpora;
mod from_models;
mod golden;
mod judged;
mod known_ratio;
mod label_shift;
mod laws;
mod sources;
mod tasks;
mod tidy;
mod verdict;
