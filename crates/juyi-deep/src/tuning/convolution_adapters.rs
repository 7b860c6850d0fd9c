//! Residual adapters of convolutional networks: a bank of kernels of one place at each convolution that sees several.
//!
//! Papers: S.-A. Rebuffi, H. Bilen and A. Vedaldi, "Learning multiple visual domains with residual adapters", `NeurIPS` 2017,
//! equation (1) and section 3.1 (in series); the same, "Efficient parametrization of multi-domain deep neural networks",
//! CVPR 2018, section 3.1 (in parallel):
//! ```text
//! in series:    y + α ∗ norm(y),   y = w ∗ x        in parallel:    w ∗ x + α ∗ x
//! ```
//! before the normalisation that follows the convolution. `w` stays; `α` and all normalisations of the network are learnt,
//! as in both papers. Numbers learnt beside the normalisations: `outputs²` a convolution in series, and two for each
//! channel where it has a normalisation; `inputs · outputs` in parallel; both divided by the groups of the convolution.
//!
//! Where we differ: `α` is zeros at first, so that the network starts unchanged, where the authors' program draws it; the
//! running statistics of the normalisation in series are those of the one behind, which sees the same numbers. A
//! convolution in groups gets an adapter in the same groups: a factor a channel where each has a kernel of its own. In
//! parallel, a convolution whose places no stride alone gives (11 x 11 of AlexNet) gets none. Running statistics stay
//! unless `normalization=batch` asks for the papers' way.

use juyi::error::Result;

use crate::extents::Extent;
use crate::layers::{Convolution, Layer, Padding};

/// Where an adapter sits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Series,
    Parallel,
}

/// What was put in.
#[derive(Default)]
pub(super) struct Made {
    /// Begins of the names of its tensors.
    pub(super) parts: Vec<String>,
    /// Tensors that are zeros at first.
    pub(super) zeros: Vec<String>,
    /// Statistics, each with the name of those that it begins with.
    pub(super) copies: Vec<(String, String)>,
}

/// Puts an adapter called `part` at each convolution of the layers, which take `extent`.
pub(super) fn adapt(
    layers: Vec<Layer>,
    mut extent: Extent,
    place: Place,
    part: &str,
    made: &mut Made,
) -> Result<Vec<Layer>> {
    let mut all = Vec::with_capacity(layers.len());
    let mut rest = layers.into_iter().peekable();
    while let Some(layer) = rest.next() {
        let out = layer.after(extent)?.0;
        match layer {
            Layer::Convolution(own) if own.kernel > 1 => {
                let name = format!("{}.{part}", own.name);
                match (place, rest.peek()) {
                    (Place::Series, next) => {
                        let mut main = Vec::new();
                        if let Some(Layer::BatchNorm { name: behind, channels, epsilon }) = next {
                            let norm = format!("{name}.norm");
                            for statistic in ["running_mean", "running_var"] {
                                let both = [&norm, behind].map(|own| format!("{own}.{statistic}"));
                                made.copies.push(both.into());
                            }
                            main.push(Layer::BatchNorm {
                                name: norm,
                                channels: *channels,
                                epsilon: *epsilon,
                            });
                        }
                        let bank = bank(&own, format!("{name}.bank"), own.outputs, 1);
                        made.zeros.extend(bank.parameters().into_iter().map(|own| own.name));
                        main.push(bank);
                        all.push(own.into());
                        all.push(Layer::Residual { main, shortcut: Vec::new() });
                        made.parts.push(name);
                    }
                    (Place::Parallel, _) => {
                        let bank = bank(&own, format!("{name}.bank"), own.inputs, own.stride);
                        if bank.after(extent)?.0 == out {
                            made.zeros.extend(bank.parameters().into_iter().map(|own| own.name));
                            all.push(Layer::Residual { main: vec![own.into()], shortcut: vec![bank] });
                            made.parts.push(name);
                        } else {
                            all.push(own.into());
                        }
                    }
                }
            }
            Layer::Residual { main, shortcut } => {
                let main = adapt(main, extent, place, part, made)?;
                all.push(Layer::Residual { main, shortcut: adapt(shortcut, extent, place, part, made)? });
            }
            Layer::Branches(branches) => {
                let own = branches.into_iter().map(|own| adapt(own, extent, place, part, made));
                all.push(Layer::Branches(own.collect::<Result<_>>()?));
            }
            layer => all.push(layer),
        }
        extent = out;
    }
    Ok(all)
}

/// `α` of a convolution.
fn bank(own: &Convolution, name: String, inputs: usize, stride: usize) -> Layer {
    let (kernel, padding, bias) = (1, Padding::Each(0), false);
    Convolution { name, inputs, kernel, stride, padding, bias, ..own.clone() }.into()
}
