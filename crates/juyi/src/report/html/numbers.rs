//! Numbers as the page writes them.

use crate::measures::Figure;

/// A share in percent, R², or an error in units of the label.
pub(super) fn score(figure: Figure, v: f64) -> String {
    match figure {
        Figure::R2 => signed(v, 3, false),
        Figure::Rmse | Figure::Mae => significant(v),
        _ => format!("{:.1}\u{a0}%", 100.0 * v),
    }
}

/// A gain in points, in R² or in units of the label, with its sign.
pub(super) fn gain(figure: Figure, v: f64) -> String {
    match figure {
        Figure::R2 => signed(v, 3, true),
        Figure::Rmse | Figure::Mae if v > 0.0 => format!("+{}", significant(v)),
        Figure::Rmse | Figure::Mae => significant(v),
        _ => points(v),
    }
}

/// A difference of shares in points, with its sign.
pub(super) fn points(v: f64) -> String {
    signed(100.0 * v, 1, true)
}

/// So many decimals, a real minus, no sign on zero.
pub(super) fn signed(v: f64, decimals: usize, plus: bool) -> String {
    let text = format!("{:.decimals$}", v.abs());
    let zero = text.chars().all(|c| matches!(c, '0' | '.'));
    match v {
        _ if !v.is_finite() => "–".into(),
        _ if zero => text,
        _ if v < 0.0 => format!("−{text}"),
        _ if plus => format!("+{text}"),
        _ => text,
    }
}

/// Three significant digits.
pub(super) fn significant(v: f64) -> String {
    if v == 0.0 || !v.is_finite() {
        return signed(v, 0, false);
    }
    let power = v.abs().log10().floor();
    if !(-4.0..6.0).contains(&power) {
        return format!("{v:.2e}").replace('-', "−");
    }
    signed(v, (2.0 - power).max(0.0) as usize, false)
}

/// A p-value: three decimals are all that is meant.
pub(super) fn probability(p: f64) -> String {
    if p < 0.001 { "< 0.001".into() } else { signed(p, 3, false) }
}

/// A time in the units of everyday life.
pub(super) fn time(seconds: f64) -> String {
    if seconds < 120.0 {
        return format!("{seconds:.1}\u{a0}s");
    }
    let minutes = (seconds / 60.0).floor();
    format!("{minutes:.0}\u{a0}min {:.0}\u{a0}s", (seconds - 60.0 * minutes).floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_have_a_real_minus() {
        assert_eq!(
            (points(0.1234), points(-0.0201), points(-0.0001)),
            ("+12.3".into(), "−2.0".into(), "0.0".into())
        );
        assert_eq!((significant(1234.5), significant(-0.01234)), ("1234".into(), "−0.0123".into()));
        assert_eq!((significant(1.5e-9), significant(f64::NAN)), ("1.50e−9".into(), "–".into()));
        assert_eq!((probability(0.0004), probability(0.04)), ("< 0.001".into(), "0.040".into()));
        assert_eq!((time(3.12), time(125.0)), ("3.1\u{a0}s".into(), "2\u{a0}min 5\u{a0}s".into()));
    }
}
