//! What lies between layers: how large it is, and how often a window fits into it.

use std::num::Saturating;

/// What lies between two layers, for one picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Channels, rows and columns.
    Map(usize, usize, usize),
    /// How many tokens, and the numbers in each.
    Tokens(usize, usize),
    /// Numbers.
    Vector(usize),
}

impl Extent {
    /// How many numbers there are; the largest number where they cannot be counted.
    pub fn count(self) -> usize {
        match self {
            Self::Map(channels, rows, columns) => product(&[channels, rows, columns]),
            Self::Tokens(count, width) => product(&[count, width]),
            Self::Vector(width) => width,
        }
    }

    /// What is left of it if windows side by side are averaged so that it comes near `target` numbers; what does not
    /// fill a window is dropped. Where there are as many channels as that, a window is all of it.
    pub(crate) fn pooled(self, target: usize) -> Self {
        match self {
            Self::Map(channels, rows, columns) => {
                let window = self.pool(target);
                Self::Map(channels, rows / window, columns / window)
            }
            Self::Tokens(count, width) => Self::Tokens(count / self.pool(target), width),
            Self::Vector(_) => self,
        }
    }

    /// The side of such a window.
    pub(crate) fn pool(self, target: usize) -> usize {
        match self {
            Self::Map(channels, rows, columns) => {
                let side = rows.min(columns).max(1);
                side / (target / channels.max(1)).isqrt().clamp(1, side)
            }
            Self::Tokens(count, width) if width < target => product(&[count, width]) / target.max(1),
            Self::Tokens(count, _) => count,
            Self::Vector(_) => 1,
        }
        .max(1)
    }
}

/// The product of some sizes; the largest number where it cannot be counted, which is above every limit.
pub(crate) fn product(sizes: &[usize]) -> usize {
    sizes.iter().fold(Saturating(1), |all, &size| all * Saturating(size)).0
}

impl std::fmt::Display for Extent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Map(channels, rows, columns) => write!(f, "{channels} x {rows} x {columns}"),
            Self::Tokens(count, width) => write!(f, "{count} tokens of {width}"),
            Self::Vector(width) => write!(f, "{width}"),
        }
    }
}

/// How often a window fits along a side, `None` if never.
pub(crate) fn window(side: usize, kernel: usize, stride: usize, ceil: bool) -> Option<usize> {
    let left = side.checked_sub(kernel)?;
    Some(1 + if ceil { left.div_ceil(stride) } else { left / stride })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_counted_is_above_every_limit() {
        assert_eq!((product(&[]), product(&[3, 4]), product(&[usize::MAX, 2])), (1, 12, usize::MAX));
        assert_eq!(Extent::Map(2, usize::MAX, 3).count(), usize::MAX);
    }
}
