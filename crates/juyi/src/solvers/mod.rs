//! The optimisers and programmes that several methods share.

mod conjugate_gradient;
mod coordinates;
mod correlation_alignment;
mod group_sparse;
mod hinge_dual;
mod interior_point;
mod joint_embedding;
mod kernel_columns;
mod lbfgs;
mod linear_loss;
mod network_simplex;
mod normal_equations;
mod nystrom;
mod pair_costs;
mod quadratic_program;
mod sinkhorn;
mod spanning_tree;
mod squared_hinge;
mod transported;

pub use conjugate_gradient::{System, conjugate_gradients};
pub use correlation_alignment::whiten_and_color;
pub use group_sparse::{GroupPlan, GroupSparse};
pub use hinge_dual::{Margin, hinge_dual};
pub use joint_embedding::{Embedding, JointEmbedding, Kernel, marginal_discrepancy};
pub use kernel_columns::KernelColumns;
pub use lbfgs::{Minimum, Options, minimize};
pub use linear_loss::LinearLoss;
pub use network_simplex::{Costs, Plan, transport, transport_near};
pub use normal_equations::{add_gram, solve_shifted, weighted_means};
pub use nystrom::{Nystrom, landmark_bytes, landmarks_that_fit};
pub use pair_costs::{BARRED, KnownClasses, PairCosts};
pub use quadratic_program::{QuadraticProgram, Solution};
pub use sinkhorn::{EntropicPlan, EntropicTransport};
pub use squared_hinge::SquaredHinge;
pub use transported::Transported;
