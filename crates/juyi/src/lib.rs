//! Transfer learning: carry labelled knowledge over to a new domain, and say whether it helped.
//!
//! Read in this order: [`data`] for the nouns, [`methods`] for what can be done with them, [`models`] for what is left
//! of a fit, [`transfer`] for the main job. Rows are samples; all numbers are `f64`.
//!
//! Tables in, predictions out:
//! ```
//! use juyi::context::Context;
//! use juyi::data::{Builtin, builtin};
//! use juyi::transfer::{Settings, transfer};
//!
//! let Builtin { source, target } = builtin()?;
//! let settings = Settings { method: "coral".into(), learner: Some("1-nn".into()), ..Settings::default() };
//! let outcome = transfer(vec![source], target, &settings, &mut Context::default())?;
//! assert!(outcome.run.transfer.chosen.scores.is_some());
//! # Ok::<(), juyi::error::Error>(())
//! ```
//!
//! Matrices in, a model out:
//! ```
//! use juyi::context::Context;
//! use juyi::data::{Domain, Goal, Labels, Task};
//! use juyi::learners::learner;
//! use juyi::linalg::from_rows;
//! use juyi::methods::mapping::Coral;
//! use juyi::methods::{Built, fit};
//!
//! let goal = Goal::Classes(vec!["low".into(), "high".into()]);
//! let source = from_rows(&[vec![0.0, 1.0], vec![0.2, 0.9], vec![1.0, 0.1], vec![0.9, 0.0]]);
//! let source = Domain::labelled("old", source, Labels::Classes(vec![0, 0, 1, 1]));
//! let target = Domain::unlabelled("new", from_rows(&[vec![0.1, 2.0], vec![2.0, 0.2]]), &goal);
//! let task = Task::new(vec![source], target, goal)?;
//!
//! let coral = Built::of(&Coral::ROW, Coral { regularization: 0.5 })?;
//! let context = &mut Context::default();
//! let model = fit(&coral, &task, learner("class-means")?.as_ref(), Vec::new(), context)?;
//! assert_eq!(model.predict(task.target().features().as_ref())?.answer, [0.0, 1.0]);
//! # Ok::<(), juyi::error::Error>(())
//! ```

pub mod choice;
pub mod context;
pub mod data;
pub mod error;
pub mod files;
mod heads;
pub mod learners;
pub mod linalg;
pub mod measures;
pub mod methods;
pub mod models;
pub mod params;
pub mod report;
pub mod setting;
pub mod solvers;
pub mod splits;
pub mod sweeps;
pub mod tables;
pub mod transfer;
pub mod transferability;
pub mod validators;
