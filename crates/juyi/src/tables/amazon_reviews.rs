//! Amazon reviews of four kinds of products, 400 words, two classes.
//!
//! Source: the results that the authors of EasyTL (Wang et al., ICME 2019) publish with their code, to one decimal. Rows
//! are prepared as those of their pictures. The averages are those of the tasks to two decimals.

use super::{ALL_PAIRS, Line, PublishedTable};
use crate::models::Preprocess::{L1, StandardizeEach};

const EASYTL: Line = Line {
    method: "easytl",
    learner: None,
    preprocess: &[L1, StandardizeEach],
    published_decimals: Some(1),
    ..Line::PLAIN
};

/// Books, DVDs, electronics, kitchen are files 0 to 3.
pub(super) const TABLE: PublishedTable = PublishedTable {
    name: "amazon-reviews",
    about: "Amazon reviews, 400 words, 12 tasks, all source rows (Wang 2019)",
    pictures: false,
    files: &[
        ("amazon_reviews/books_400.mat", ""),
        ("amazon_reviews/dvd_400.mat", ""),
        ("amazon_reviews/elec_400.mat", ""),
        ("amazon_reviews/kitchen_400.mat", ""),
    ],
    tasks: ALL_PAIRS,
    drawn: &[],
    preprocess: &[L1, StandardizeEach],
    lines: &[
        Line {
            label: "easytl(c)",
            params: &[("alignment", "none")],
            cells: &[78.4, 77.5, 79.2, 79.5, 77.4, 80.4, 73.0, 73.1, 84.6, 75.1, 73.8, 82.0],
            average: Some(77.84),
            ..EASYTL
        },
        Line {
            label: "easytl",
            cells: &[79.8, 79.7, 80.9, 79.9, 80.8, 82.0, 75.0, 75.3, 84.9, 76.5, 76.3, 82.5],
            average: Some(79.48),
            ..EASYTL
        },
    ],
};
