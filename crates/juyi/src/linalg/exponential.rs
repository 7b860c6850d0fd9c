//! The exponential and the logarithm of many numbers.
//!
//! Plain arithmetic that the compiler vectorises, with the same bits on every machine. The platform's `exp` and `ln` are
//! no match beside matrix products: after one that ran on AVX-512, each of their calls may cost 200 ns and more, because
//! the upper halves of the vector registers are still in use.

use super::vectorized;

/// Writes `exp(scale v)` over each `v`: to within 3e-16 of the true value, 0 below `exp(-708)`, infinity above
/// `exp(709)`.
pub fn exponentials(values: &mut [f64], scale: f64) {
    vectorized(|| exponentials_in_lanes(values, scale));
}

#[inline(always)]
fn exponentials_in_lanes(values: &mut [f64], scale: f64) {
    let mut chunks = values.chunks_exact_mut(LANES);
    for chunk in &mut chunks {
        let mut lanes = [0.0; LANES];
        lanes.copy_from_slice(chunk);
        chunk.copy_from_slice(&exponentials_of(lanes.map(|v| scale * v)));
    }
    let rest = chunks.into_remainder();
    let mut lanes = [0.0; LANES];
    lanes[..rest.len()].copy_from_slice(rest);
    rest.copy_from_slice(&exponentials_of(lanes.map(|v| scale * v))[..rest.len()]);
}

/// Writes `tanh(v)` over each `v`, to within 1e-15.
pub fn hyperbolic_tangents(values: &mut [f64]) {
    let mut decays: Vec<f64> = values.iter().map(|v| v.abs()).collect();
    exponentials(&mut decays, -2.0);
    values.iter_mut().zip(&decays).for_each(|(v, e)| *v = ((1.0 - e) / (1.0 + e)).copysign(*v));
}

/// Writes `ln(v)` over each `v`, all of which must be positive, normal and finite: to within 3e-16 of the true value or
/// of 1, whichever is larger.
///
/// `v = 2^n m` with `m` between `√½` and `√2`; `ln(m) = 2 artanh(z)` with `z = (m - 1) / (m + 1)`, so `|z| < 0.172`,
/// where the series to the power 21 is exact to `1e-18`.
pub fn logarithms(values: &mut [f64]) {
    /// From the bits of `√½` on, so that what lies between it and `√2` gets the exponent 0; 2048 is added to it.
    const FROM: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits().wrapping_sub(SIGN);
    const SIGN: u64 = 2048 << 52;
    /// A small whole number in its lowest bits is added to it.
    const WHOLE: f64 = 4_503_599_627_370_496.0;
    const ODD: [f64; 10] = [
        1.0 / 3.0,
        0.2,
        1.0 / 7.0,
        1.0 / 9.0,
        1.0 / 11.0,
        1.0 / 13.0,
        1.0 / 15.0,
        1.0 / 17.0,
        1.0 / 19.0,
        1.0 / 21.0,
    ];
    let logarithm = |v: &mut f64| {
        let bits = v.to_bits();
        let exponent = bits.wrapping_sub(FROM) >> 52;
        let mantissa = f64::from_bits(bits.wrapping_sub(exponent << 52).wrapping_add(SIGN));
        let exponent = f64::from_bits(WHOLE.to_bits() + exponent) - (WHOLE + 2048.0);
        let z = (mantissa - 1.0) / (mantissa + 1.0);
        let square = z * z;
        let series = ODD.iter().rev().fold(0.0, |sum, coefficient| sum * square + coefficient);
        *v = exponent * LN_2[0] + (2.0 * z + (2.0 * z * (square * series) + exponent * LN_2[1]));
    };
    vectorized(|| values.iter_mut().for_each(logarithm));
}

/// Numbers that are worked on together.
const LANES: usize = 8;

/// `ln(2)` in two parts, the first with zeros enough that a few thousand times it is exact.
const LN_2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];

/// `exp(x) = 2^n exp(r)` with `n` a whole number and `|r| <= ln(2) / 2`, where the Taylor polynomial of degree 13 is
/// exact to `5e-18`.
#[inline(always)]
fn exponentials_of(x: [f64; LANES]) -> [f64; LANES] {
    /// Adding `3 · 2^51` rounds to a whole number and leaves it in the lowest bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const INVERSE_FACTORIALS: [f64; 14] = [
        1.0 / 6_227_020_800.0,
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ];
    let shifted = x.map(|x| x * std::f64::consts::LOG2_E + ROUND);
    let mut rest = [0.0; LANES];
    for i in 0..LANES {
        let n = shifted[i] - ROUND;
        rest[i] = (x[i] - n * LN_2[0]) - n * LN_2[1];
    }
    let mut sum = [INVERSE_FACTORIALS[0]; LANES];
    for coefficient in &INVERSE_FACTORIALS[1..] {
        for i in 0..LANES {
            sum[i] = sum[i] * rest[i] + coefficient;
        }
    }
    let mut out = [0.0; LANES];
    for i in 0..LANES {
        let power = f64::from_bits(shifted[i].to_bits().wrapping_add(1023) << 52);
        let inside = if x[i] > 709.0 { f64::INFINITY } else { sum[i] * power };
        out[i] = if x[i] < -708.0 { 0.0 } else { inside };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_good_as_the_platforms() {
        let x: Vec<f64> = (-70_700..70_900).map(|i| f64::from(i) / 100.0 + 1e-3).collect();
        let mut y: Vec<f64> = x.iter().map(|x| -2.0 * x).collect();
        exponentials(&mut y, -0.5);
        for (x, y) in x.iter().zip(y) {
            assert!((y / x.exp() - 1.0).abs() < 5e-16, "{x}: {y} against {}", x.exp());
        }
    }

    #[test]
    fn logarithms_are_those_of_the_library() {
        let near_one = (-2000..2000).map(|i| 1.0 + f64::from(i) * 3.7e-4 * 0.999);
        let all = (-1000..1000).map(|i| 1.37 * 2f64.powi(i)).chain([f64::MIN_POSITIVE, f64::MAX, 1.0]);
        let x: Vec<f64> = near_one.chain(all).collect();
        let mut y = x.clone();
        logarithms(&mut y);
        for (x, y) in x.iter().zip(y) {
            assert!((y - x.ln()).abs() <= 4e-16 * x.ln().abs().max(1.0), "{x}: {y} against {}", x.ln());
        }
        let mut one = [1.0];
        logarithms(&mut one);
        assert_eq!(one, [0.0]);
    }

    #[test]
    fn the_ends_are_clean() {
        let mut y = [0.0, -709.0, f64::NEG_INFINITY, 710.0, f64::INFINITY, f64::NAN, -0.0];
        exponentials(&mut y, 1.0);
        assert_eq!(y[..5], [1.0, 0.0, 0.0, f64::INFINITY, f64::INFINITY]);
        assert!(y[5].is_nan() && y[6] == 1.0);
    }

    #[test]
    fn tangents_are_those_of_the_library() {
        let x = [0.0, -0.0, 1e-300, 1e-9, -0.3, 1.0, -5.0, 20.0, -800.0, f64::INFINITY];
        let mut y = x;
        hyperbolic_tangents(&mut y);
        assert!(x.iter().zip(&y).all(|(x, y)| (x.tanh() - y).abs() < 1e-15), "{y:?}");
        assert!(y[1].is_sign_negative() && y[9] == 1.0);
    }
}
