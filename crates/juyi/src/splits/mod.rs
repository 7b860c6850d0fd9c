//! Rows in parts that are trained on and tested, split after split: by rows, classes, groups or domains.
//!
//! Read `registry` for what a splitter is given and gives, then any of them. Copies of a row never stand on both sides,
//! whatever the splitter: `copies` finds them. `folds` is what the choice among methods validates with too.

mod copies;
mod folds;
mod grouped;
mod k_fold;
mod leave_one_domain_out;
mod registry;
mod source_target;
mod stratified;
mod stratified_by_domain;
mod stratified_grouped;
mod units;

pub use copies::{copies, copies_of_parts};
pub use folds::{folds, note_copies};
pub use grouped::Grouped;
pub use k_fold::KFold;
pub use leave_one_domain_out::LeaveOneDomainOut;
pub use registry::{Even, Rows, Split, Splitter, SplitterRow, Tested, Whole, splitter, splitter_row};
pub use source_target::SourceTarget;
pub use stratified::Stratified;
pub use stratified_by_domain::StratifiedByDomain;
pub use stratified_grouped::StratifiedGrouped;

/// All splitters.
pub static SPLITTERS: &[SplitterRow] = &[
    KFold::ROW,
    Stratified::ROW,
    StratifiedByDomain::ROW,
    Grouped::ROW,
    StratifiedGrouped::ROW,
    LeaveOneDomainOut::ROW,
    SourceTarget::ROW,
];
