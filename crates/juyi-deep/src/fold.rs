//! Normalisations that no longer change, folded into the convolutions before them: one pass over each map less.
//! ```text
//! γ (w * x - μ) / √(σ² + ε) + β  =  (s w) * x + (β - s μ),   s = γ / √(σ² + ε)
//! ```

use std::collections::BTreeMap;

use crate::architecture::Architecture;
use crate::checkpoint::Stored;
use crate::layers::{Convolution, Layer};

/// The same network with the normalisations of its trunk folded, for inference only, and its tensors.
pub(crate) fn folded(
    mut architecture: Architecture,
    mut tensors: BTreeMap<String, Stored>,
) -> (Architecture, BTreeMap<String, Stored>) {
    for stage in &mut architecture.stages {
        stage.layers = fold(std::mem::take(&mut stage.layers), &mut tensors);
    }
    (architecture, tensors)
}

fn fold(layers: Vec<Layer>, tensors: &mut BTreeMap<String, Stored>) -> Vec<Layer> {
    let mut done: Vec<Layer> = Vec::with_capacity(layers.len());
    for layer in layers {
        match layer {
            Layer::BatchNorm { name, epsilon, channels } => match done.last_mut() {
                Some(Layer::Convolution(before)) if !before.bias => {
                    fold_into(before, &name, epsilon, tensors);
                }
                _ => done.push(Layer::BatchNorm { name, epsilon, channels }),
            },
            Layer::Residual { main, shortcut } => {
                done.push(Layer::Residual { main: fold(main, tensors), shortcut: fold(shortcut, tensors) });
            }
            Layer::Branches(branches) => {
                done.push(Layer::Branches(branches.into_iter().map(|own| fold(own, tensors)).collect()));
            }
            layer => done.push(layer),
        }
    }
    done
}

fn fold_into(before: &mut Convolution, norm: &str, epsilon: f64, tensors: &mut BTreeMap<String, Stored>) {
    let mut take = |part: &str| tensors.remove(&format!("{norm}.{part}")).map(|stored| stored.values);
    let parts = [take("weight"), take("bias"), take("running_mean"), take("running_var")];
    let [Some(gamma), Some(beta), Some(mean), Some(variance)] = parts else { return };
    let scale: Vec<f64> =
        gamma.iter().zip(&variance).map(|(g, v)| f64::from(*g) / (f64::from(*v) + epsilon).sqrt()).collect();
    let shift = |((s, mean), beta): ((&f64, &f32), &f32)| (f64::from(*beta) - s * f64::from(*mean)) as f32;
    let bias = scale.iter().zip(&mean).zip(&beta).map(shift).collect();
    if let Some(kernel) = tensors.get_mut(&format!("{}.weight", before.name)) {
        let each = kernel.values.len() / before.outputs;
        for (part, s) in kernel.values.chunks_exact_mut(each).zip(&scale) {
            for w in part {
                *w = (f64::from(*w) * s) as f32;
            }
        }
    }
    tensors.insert(format!("{}.bias", before.name), Stored { shape: vec![before.outputs], values: bias });
    before.bias = true;
}
