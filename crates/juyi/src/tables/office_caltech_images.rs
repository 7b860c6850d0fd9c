//! Office-Caltech10: the photographs themselves through a frozen network, 12 tasks, all source rows.
//!
//! No paper prints this table for the networks that packages ship, so nothing is expected: the numbers are those of the
//! network that is given.

use super::{ALL_PAIRS, Check, Line, PublishedTable};
use crate::models::Preprocess::{self, L2, StandardizeEach};

const UNIT: &[Preprocess] = &[L2];

const LINE: Line = Line { preprocess: UNIT, published_decimals: None, check: Check::Nothing, ..Line::PLAIN };

pub(super) const TABLE: PublishedTable = PublishedTable {
    name: "office-caltech-images",
    about: "Office-Caltech10, photographs through a frozen network (see `‹network›`), 12 tasks, all source rows",
    pictures: true,
    // C, A, W, D.
    files: &[
        ("office_caltech10/images/caltech10", ""),
        ("office_caltech10/images/amazon", ""),
        ("office_caltech10/images/webcam", ""),
        ("office_caltech10/images/dslr", ""),
    ],
    tasks: ALL_PAIRS,
    drawn: &[],
    preprocess: UNIT,
    lines: &[
        Line { label: "1-NN", method: "none", ..LINE },
        Line { label: "logistic", method: "none", learner: Some("logistic"), ..LINE },
        Line { label: "CORAL", method: "coral", ..LINE },
        Line { label: "CORAL, logistic", method: "coral", learner: Some("logistic"), ..LINE },
        Line { label: "JDA", method: "jda", ..LINE },
        Line { label: "MEDA", method: "meda", learner: None, ..LINE },
        Line { label: "EasyTL", method: "easytl", learner: None, preprocess: &[L2, StandardizeEach], ..LINE },
        // Chooses method and learner by itself, for each task.
        Line { label: "auto", method: "auto", learner: None, ..LINE },
    ],
};
