//! What is predicted, and labels of rows.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

/// What is predicted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// One of these classes, named as the user wrote them; labels are positions in this list.
    Classes(Vec<String>),
    /// A number.
    Value,
}

impl Goal {
    /// The number of classes; 0 for a number.
    pub fn classes(&self) -> usize {
        match self {
            Self::Classes(names) => names.len(),
            Self::Value => 0,
        }
    }

    /// The first class that is named twice.
    pub fn twice(&self) -> Option<&str> {
        let Self::Classes(names) = self else { return None };
        let mut known = HashSet::new();
        names.iter().map(String::as_str).find(|name| !known.insert(*name))
    }

    /// `classification` or `regression`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Classes(_) => "classification",
            Self::Value => "regression",
        }
    }
}

/// One label a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Labels {
    /// Positions in the list of classes.
    Classes(Vec<usize>),
    /// Numbers.
    Values(Vec<f64>),
}

impl Labels {
    /// How many rows are labelled.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes(of) => of.len(),
            Self::Values(values) => values.len(),
        }
    }

    /// Whether no row is labelled.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The labels at these positions, in this order.
    #[must_use]
    pub fn select(&self, which: &[usize]) -> Self {
        match self {
            Self::Classes(of) => Self::Classes(which.iter().map(|&i| of[i]).collect()),
            Self::Values(values) => Self::Values(which.iter().map(|&i| values[i]).collect()),
        }
    }

    /// These labels, then `more`, which are of the same kind.
    #[must_use]
    pub fn chain(&self, more: &Self) -> Self {
        match (self, more) {
            (Self::Classes(a), Self::Classes(b)) => Self::Classes([&a[..], b].concat()),
            (Self::Values(a), Self::Values(b)) => Self::Values([&a[..], b].concat()),
            _ => unreachable!("a task holds labels of one kind"),
        }
    }

    /// The class of each row; for methods that declare that they classify.
    pub fn classes(&self) -> &[usize] {
        match self {
            Self::Classes(of) => of,
            Self::Values(_) => unreachable!("classification methods are refused regression tasks"),
        }
    }
}
