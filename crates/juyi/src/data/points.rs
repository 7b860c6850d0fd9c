//! Points in plain numbers: before decimals, or between thousands.

/// What the points in a column of plain numbers may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Points {
    /// There is none, or numbers are not written as text.
    #[default]
    None,
    /// Decimal points, or separators of thousands: `1.234` and nothing that would tell.
    Either,
    /// Decimal points.
    Decimal,
}

impl Points {
    /// After one more number, as it is written.
    pub(super) fn with(self, number: &[u8]) -> Self {
        match self {
            Self::None | Self::Either if might_group(number) => Self::Either,
            Self::None | Self::Either if number.contains(&b'.') => Self::Decimal,
            points => points,
        }
    }
}

/// Whether the point of a number might separate thousands: `1.234`, not `0.123`, `12.5` or `1.234e3`.
fn might_group(number: &[u8]) -> bool {
    let number = number.strip_prefix(b"-").or(number.strip_prefix(b"+")).unwrap_or(number);
    let Some(point) = number.iter().position(|b| *b == b'.') else { return false };
    let (whole, fraction) = (&number[..point], &number[point + 1..]);
    (1..=3).contains(&whole.len())
        && whole[0] != b'0'
        && fraction.len() == 3
        && fraction.iter().all(u8::is_ascii_digit)
}
