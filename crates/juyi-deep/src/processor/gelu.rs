//! GELU, `x Φ(x)` with the distribution function of the normal distribution, and its derivative `Φ(x) + x φ(x)`. The
//! framework calls the system's functions for one number at a time; here they are approximated in loops that the compiler
//! turns into vectors.
//!
//! `Φ(x) = (1 + erf(x / √2)) / 2`, with `erf` as the quotient of two polynomials that Eigen and XLA use for 32 bits; `φ` by a
//! Taylor polynomial of the exponential between powers of two. What comes out is within 5e-7 of the exact value, times `x` above 1.
//!
//! Cost: some thirty products for a number, twice as many backwards.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::NoCheckpointing};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex, TensorMetadata};
use burn::tensor::{Tensor, activation};
use pulp::{Arch, NullaryFnOnce};
use rayon::prelude::*;

use super::{followed, tensor, values};

/// Numbers that a thread takes at a time.
const PART: usize = 1 << 14;

/// The layer, of numbers in any shape.
pub(crate) fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if x.is_autodiff() {
        // An accelerator has its own.
        let Ok(followed) = followed(&x) else { return activation::gelu(x) };
        let (x, node) = followed.into_parts();
        let x = x.to_contiguous();
        let out = forwards(x.clone());
        let prepared = Gelu.prepare::<NoCheckpointing>([node]).compute_bound();
        return Tensor::from_primitive::<Autodiff<Flex>>(match prepared.stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(x, out),
            OpsKind::UnTracked(prepared) => prepared.finish(out),
        });
    }
    let Ok(own) = x.clone().try_into_primitive::<Flex>() else { return activation::gelu(x) };
    drop(x); // so that its numbers may be written over
    Tensor::from_primitive::<Flex>(forwards(own))
}

/// The pass forwards, in place where nobody else holds the numbers.
fn forwards(mut x: FloatTensor<Flex>) -> FloatTensor<Flex> {
    let values: &mut [f32] = x.storage_mut();
    values.par_chunks_mut(PART).for_each(|values| Arch::new().dispatch(Values(values)));
    x
}

/// The pass backwards.
#[derive(Debug)]
struct Gelu;

impl Backward<Flex, 1> for Gelu {
    /// What came in.
    type State = FloatTensor<Flex>;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let given = gradients.consume::<Flex>(&ops.node).to_contiguous();
        let [of_x] = ops.parents;
        if let Some(node) = of_x {
            let mut own = values(&given).to_vec();
            let parts = own.par_chunks_mut(PART).zip(values(&ops.state).par_chunks(PART));
            parts.for_each(|(given, x)| Arch::new().dispatch(Derivatives { x, given }));
            gradients.register::<Flex>(node.id, tensor(own, ops.state.shape()));
        }
    }
}

/// Numbers that become what the layer makes of them.
struct Values<'a>(&'a mut [f32]);

impl NullaryFnOnce for Values<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for x in self.0 {
            *x *= normal(*x);
        }
    }
}

/// Derivatives by the output that become those by the input `x`.
struct Derivatives<'a> {
    x: &'a [f32],
    given: &'a mut [f32],
}

impl NullaryFnOnce for Derivatives<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (given, &x) in self.given.iter_mut().zip(self.x) {
            *given *= normal(x) + x * density(x);
        }
    }
}

/// `Φ(x)`.
#[inline(always)]
fn normal(x: f32) -> f32 {
    let x = (x * std::f32::consts::FRAC_1_SQRT_2).clamp(-4.0, 4.0);
    let square = x * x;
    let polynomial = |of: &[f32]| of.iter().fold(0.0, |sum, c| sum * square + c);
    let above = polynomial(&[
        -2.726_142_3e-10,
        2.770_681_4e-8,
        -2.101_024e-6,
        -5.692_506_4e-5,
        -7.349_906_3e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ]);
    let below =
        polynomial(&[-1.456_607_2e-5, -2.133_740_6e-4, -1.682_827e-3, -7.373_329e-3, -1.426_473_9e-2]);
    0.5 + 0.5 * x * above / below
}

/// `φ(x)`, but never less than 3e-37.
#[inline(always)]
fn density(x: f32) -> f32 {
    // exp(-x²/2) = 2^(whole + part), the part within half of 0.
    let exponent = (-0.5 * std::f32::consts::LOG2_E) * x * x;
    let exponent = exponent.max(-120.0);
    let whole = exponent.round_ties_even();
    let part = (exponent - whole) * std::f32::consts::LN_2;
    let series = [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let power = series.iter().fold(0.0, |sum, c| sum * part + c);
    let scale = f32::from_bits(((whole as i32 + 127) << 23) as u32);
    0.398_942_3 * scale * power
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    /// The framework's own, which calls the exact functions.
    #[test]
    fn gelu_and_its_derivative_are_those_of_the_framework() {
        let device = Device::flex();
        let numbers: Vec<f32> = (-6000..=6000).map(|i| i as f32 / 500.0).collect();
        let found = [false, true].map(|own| {
            let x = TensorData::new(numbers.clone(), [1, 1, numbers.len()]);
            let x = Tensor::<3>::from_data(x, &device).autodiff().require_grad();
            let out = if own { gelu(x.clone()) } else { activation::gelu(x.clone()) };
            let gradients = out.clone().sum().backward();
            let numbers = |tensor: Tensor<3>| crate::network::numbers(tensor.into_data());
            [numbers(out), numbers(x.grad(&gradients).unwrap())]
        });
        for (theirs, ours) in found[0].iter().zip(&found[1]) {
            for ((theirs, ours), x) in theirs.iter().zip(ours).zip(&numbers) {
                assert!((theirs - ours).abs() <= 5e-7 * x.abs().max(1.0), "{x}: {theirs} {ours}");
            }
        }
        let x = Tensor::<3>::from_data(TensorData::new(vec![1.0f32, f32::NAN], [1, 1, 2]), &device);
        let out = crate::network::numbers(gelu(x).into_data());
        assert!((out[0] - 0.841_344_7).abs() < 1e-6 && out[1].is_nan());
    }
}
