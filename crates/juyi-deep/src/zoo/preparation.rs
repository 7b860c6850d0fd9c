//! Whether a checkpoint wants its pictures prepared otherwise than they are.

use std::collections::BTreeMap;

use crate::architecture::Architecture;
use crate::checkpoint::Stored;
use crate::checkpoint::preparation::{Preparation, of_channels};
use crate::images::{Filter, Recipe, Resize};
use crate::layers::Layer;

/// What tensors that a network does not take say of the preparation of pictures.
pub(super) fn of_tensors(tensors: &BTreeMap<String, Stored>, extra: &[String]) -> Option<Preparation> {
    let three = |ends: &[&str]| -> Option<(&String, [f64; 3])> {
        let name = extra.iter().find(|name| ends.iter().any(|end| name.rsplit('.').next() == Some(end)))?;
        let [red, green, blue] = tensors.get(name)?.values[..] else { return None };
        Some((name, [red, green, blue].map(f64::from)))
    };
    let ((place, mean), (_, deviation)) = (three(&["mean", "pixel_mean"])?, three(&["std", "pixel_std"])?);
    let normalization = Some(of_channels(mean, deviation)?);
    Some(Preparation { place: place.clone(), normalization, ..Preparation::default() })
}

/// Mean and deviation of red, green and blue from 0 to 1 that a recipe comes to.
fn of_recipe(recipe: &Recipe) -> [[f64; 3]; 2] {
    [recipe.mean, recipe.deviation].map(|mut three| {
        if recipe.blue_first {
            three.reverse();
        }
        three.map(|value| f64::from(value) / (255.0 * f64::from(recipe.scale)))
    })
}

/// What a checkpoint states of the preparation of pictures and a recipe does otherwise; `None` if there is nothing. Mean
/// and deviation are in the order red, green, blue.
pub fn unlike(stated: &Preparation, recipe: &Recipe) -> Option<Preparation> {
    let near = |(a, b): (&f64, &f64)| (a - b).abs() < 2e-3;
    let [mean, deviation] = of_recipe(recipe);
    let in_order = |both: [[f64; 3]; 2]| {
        let [[first, second, third], [a, b, c]] = both;
        if stated.blue_first { [[third, second, first], [c, b, a]] } else { both }
    };
    let is_other = |both: &[[f64; 3]; 2]| {
        // A deviation of a byte's step is small.
        let alike = |(a, b): (&f64, &f64)| near((a, b)) && (a - b).abs() < 0.1 * b;
        !(both[0].iter().zip(&mean).all(near) && both[1].iter().zip(&deviation).all(alike))
    };
    let crop = stated.crop.unwrap_or(recipe.crop);
    let resize = stated.resize.or_else(|| Some((crop as f64 / stated.share?) as usize));
    let (Resize::ShorterSide(side) | Resize::BothSides(side)) = recipe.resize;
    let filter = match recipe.filter {
        Filter::Bilinear => "bilinear",
        Filter::Bicubic => "bicubic",
    };
    let own = Preparation {
        place: stated.place.clone(),
        normalization: stated.normalization.map(in_order).filter(is_other),
        resize: resize.filter(|resize| *resize != side),
        crop: stated.crop.filter(|crop| *crop != recipe.crop),
        share: None,
        filter: stated.filter.clone().filter(|own| own != filter),
        blue_first: stated.blue_first && !recipe.blue_first,
    };
    let nothing = Preparation { place: stated.place.clone(), ..Preparation::default() };
    (own != nothing).then_some(own)
}

/// The normalisation behind the first convolution, where its variances are larger than any picture can cause that is
/// prepared as the recipe says: then the network saw numbers of another scale, mostly bytes.
///
/// A sum of `n` numbers, each times a weight, has at most the variance `n |w|² v`, where `v` is the largest variance that
/// one of them can have: that of black and white pixels in equal parts.
pub fn beyond(architecture: &Architecture, tensors: &BTreeMap<String, Stored>) -> Option<String> {
    let [Layer::Convolution(first), Layer::BatchNorm { name, .. }, ..] =
        &architecture.stages.first()?.layers[..]
    else {
        return None;
    };
    let Recipe { deviation, scale, .. } = &architecture.recipe;
    let least = deviation.iter().copied().fold(f32::INFINITY, f32::min);
    let widest = (255.0 * f64::from(*scale) / f64::from(least)).powi(2) / 4.0;
    let weight = tensors.get(&format!("{}.weight", first.name))?;
    let variance = tensors.get(&format!("{name}.running_var"))?;
    let squares: f64 = weight.values.iter().map(|value| f64::from(*value).powi(2)).sum();
    let inputs = (first.inputs / first.groups.max(1) * first.kernel * first.kernel) as f64;
    let variances: f64 = variance.values.iter().map(|value| f64::from(*value)).sum();
    (squares > 0.0 && variances > inputs * squares * widest).then(|| name.clone())
}

#[cfg(test)]
mod tests {
    use super::super::network;
    use super::*;

    #[test]
    fn variances_that_no_prepared_picture_causes_are_found() {
        let own = network("resnet18").unwrap();
        let of = |variance: f32| {
            let stored = |count, value| Stored { shape: vec![count], values: vec![value; count] };
            // The square of each filter is 1.
            let weight = stored(64 * 147, 147_f32.sqrt().recip());
            let all = [("conv1.weight", weight), ("bn1.running_var", stored(64, variance))];
            beyond(&own, &all.map(|(name, stored)| (name.to_string(), stored)).into())
        };
        assert_eq!((of(1.0), of(147.0), of(700.0)), (None, None, None));
        assert_eq!(of(3200.0).as_deref(), Some("bn1"));
    }

    #[test]
    fn only_what_is_otherwise_is_told() {
        let recipe = network("resnet18").unwrap().recipe;
        let usual = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]];
        let of = |stated: Preparation| unlike(&stated, &recipe);
        let stated =
            |both: [[f64; 3]; 2]| Preparation { normalization: Some(both), ..Preparation::default() };
        assert_eq!(of(stated(usual)), None);
        assert_eq!(of(stated([[0.5; 3]; 2])).unwrap().normalization, Some([[0.5; 3]; 2]));
        let sizes = |crop, share| of(Preparation { crop: Some(crop), share: Some(share), ..stated(usual) });
        assert_eq!(sizes(224, 0.875), None);
        let other = sizes(240, 0.9).unwrap();
        assert_eq!((other.normalization, other.resize, other.crop), (None, Some(266), Some(240)));
        let mut blue = Preparation { blue_first: true, ..stated(usual) };
        blue.normalization = Some(usual.map(|[red, green, blue]| [blue, green, red]));
        assert!(of(blue.clone()).is_some_and(|own| own.blue_first && own.normalization.is_none()));
        // Blue first and bytes, as Caffe's networks take them.
        let bytes = of_channels([103.939, 116.779, 123.68], [1.0; 3]).unwrap();
        let caffe = Preparation { blue_first: true, ..stated(bytes) };
        assert_eq!(unlike(&caffe, &super::super::caffe()), None);
    }
}
