//! Transfer learning: carry labelled knowledge over to a new domain, and say whether it helped.

pub mod context;
pub mod data;
pub mod error;
pub mod learners;
pub mod linalg;
pub mod measures;
pub mod methods;
pub mod models;
pub mod report;
pub mod solvers;
pub mod tables;
pub mod transfer;
