//! Layers that are computed here on the processor, where the framework is slow at them: convolutions, linear layers, pools,
//! rectifiers and GELU, and their derivatives. On accelerators they are the framework's.

mod convolution;
mod dense;
mod depthwise;
mod gelu;
mod linear;
mod planes;
mod pool;
mod rectifier;

pub(crate) use convolution::convolution;
pub(crate) use gelu::gelu;
pub(crate) use linear::linear;
pub(crate) use pool::max_pool;
pub(crate) use rectifier::rectifier;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::{PrimitiveConversionError, Shape, Tensor, TensorData};

/// A tensor on the processor, in the form that derivatives are taken of.
fn followed<const D: usize>(
    tensor: &Tensor<D>,
) -> Result<FloatTensor<Autodiff<Flex>>, PrimitiveConversionError> {
    let tensor = tensor.clone();
    if tensor.is_autodiff() { tensor } else { tensor.autodiff() }.try_into_primitive::<Autodiff<Flex>>()
}

/// The numbers of a contiguous tensor.
fn values(tensor: &FloatTensor<Flex>) -> &[f32] {
    tensor.as_slice().expect("made contiguous, and all tensors are of 32 bits")
}

fn tensor(values: Vec<f32>, shape: Shape) -> FloatTensor<Flex> {
    FloatTensor::<Flex>::from_data(TensorData::new(values, shape))
}
