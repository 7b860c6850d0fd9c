//! Tasks of a user's own, each with every method, learner and seed: what is run, what it came to, and how methods compare.
//!
//! Read `plan` for what is to be run, `run` for one task, `compared` for the figures side by side, `text` for the table as
//! it is written. A plan may be run in parts, on several machines: [`joined`] puts them together.

mod compared;
mod escape;
mod plan;
mod run;
mod text;

pub use compared::{Compared, ComparedTask, Failure, compared};
pub use plan::{Column, Part, Plan, PlannedTask, Record, Swept, joined};
pub use run::{SweepTask, run_task};
pub use text::{TableFormat, remarks, written};

#[cfg(test)]
mod tests;
