//! The parameters of a method that `auto` tries.

use crate::data::Goal;

/// Each a JSON object of those that differ from their defaults; none where `auto` leaves the method out.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    /// For classes.
    pub classes: &'static [&'static str],
    /// For numbers.
    pub values: &'static [&'static str],
}

impl Grid {
    /// Nothing is tried.
    pub const NONE: Self = Self { classes: &[], values: &[] };

    /// The same for every goal.
    pub const fn of(all: &'static [&'static str]) -> Self {
        Self { classes: all, values: all }
    }

    /// What is tried for a goal.
    pub fn tried(&self, goal: &Goal) -> &'static [&'static str] {
        if *goal == Goal::Value { self.values } else { self.classes }
    }

    /// What is tried for any goal, without repeats.
    pub fn all(&self) -> Vec<&'static str> {
        let more = self.values.iter().filter(|one| !self.classes.contains(one));
        self.classes.iter().chain(more).copied().collect()
    }
}
